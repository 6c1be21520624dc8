package udp

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"

	"netlab/ip"
)

// Origin says where a datagram came from and which of the host's addresses it was sent to: what an answer needs. A client that asked
// one address takes an answer from no other.
type Origin struct {
	// From is the sender.
	From netip.AddrPort
	// To is the address that it was sent to. It is invalid, and means that of the host, if there is no other that it could be: when the
	// socket has an address of its own, or the host has one of the IP version.
	To netip.Addr
}

// ReadOrigin is [Conn.ReadFromAddrPort] that also tells which address the datagram was sent to, for [Conn.Answer]: what servers
// use the options IP_PKTINFO and IPV6_RECVPKTINFO for (RFC 3542, section 6.2).
func (c *Conn) ReadOrigin(b []byte) (int, Origin, error) {
	result, err := c.read(b)
	if err != nil {
		return 0, Origin{}, err
	}
	from := ip.AddrPort(result.RemoteAddr)
	o := Origin{From: netip.AddrPortFrom(from.Addr().Unmap(), from.Port())}
	var to tcpip.Address
	switch m := &result.ControlMessages; {
	case m.HasIPPacketInfo:
		to = m.PacketInfo.DestinationAddr
	case m.HasIPv6PacketInfo:
		to = m.IPv6PacketInfo.Addr
	}
	if a, ok := netip.AddrFromSlice(to.AsSlice()); ok && c.s.Host.Chooses(a) {
		o.To = a
	}
	return result.Count, o, nil
}

// receiveDestination makes the socket keep which address datagrams were sent to.
func (c *Conn) receiveDestination() {
	options := c.s.Endpoint.SocketOptions()
	options.SetReceivePacketInfo(true)
	options.SetIPv6ReceivePacketInfo(true)
}

// Answer sends a datagram to where another one came from, from the address to which that one was sent. If the host can't send from
// that address any more, because it has moved to another host or its link is down, the datagram leaves from the host's own one, as with
// [Conn.WriteToAddrPort].
func (c *Conn) Answer(b []byte, o Origin) (int, error) {
	if !o.To.IsValid() || len(b) > header.UDPMaximumPacketSize {
		return c.WriteToAddrPort(b, o.From)
	}
	c.s.Host.Reach(o.From.Addr())
	protocol := ipv4.ProtocolNumber
	if o.To.Is6() {
		protocol = ipv6.ProtocolNumber
	}
	sent := true
	err := c.s.Do(waiter.WritableEvents, c.s.WriteDeadline(), func() tcpip.Error {
		if err := c.s.Endpoint.LastError(); err != nil {
			return err
		}
		remote := ip.FullAddress(o.From).Addr
		route, err := c.s.Host.Stack().FindRoute(0, tcpip.AddrFromSlice(o.To.AsSlice()), remote, protocol, false)
		if err != nil {
			sent = false
			return nil
		}
		defer route.Release()
		return c.send(route, b, o.From.Port())
	})
	switch {
	case err != nil:
		return 0, c.opError("write", err)
	case !sent:
		return c.WriteToAddrPort(b, o.From)
	}
	return len(b), nil
}

// send writes a datagram past the endpoint, which can't be told the source of an IPv4 packet. What it has been set to counts.
func (c *Conn) send(route *stack.Route, b []byte, port uint16) tcpip.Error {
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{
		ReserveHeaderBytes: header.UDPMinimumSize + int(route.MaxHeaderLength()),
		Payload:            buffer.MakeWithData(b),
	})
	defer pkt.DecRef()
	pkt.TransportProtocolNumber = udp.ProtocolNumber
	h := header.UDP(pkt.TransportHeader().Push(header.UDPMinimumSize))
	length := uint16(pkt.Size())
	h.Encode(&header.UDPFields{SrcPort: c.s.Local().Port(), DstPort: port, Length: length})
	if route.RequiresTXTransportChecksum() {
		sum := route.PseudoHeaderChecksum(udp.ProtocolNumber, length)
		sum = h.CalculateChecksum(checksum.Combine(sum, pkt.Data().Checksum()))
		if sum != 0xffff { // 0 would mean that there is none
			sum = ^sum
		}
		h.SetChecksum(sum)
	}
	params := stack.NetworkHeaderParams{Protocol: udp.ProtocolNumber, TTL: route.DefaultTTL()}
	life, class, preset := tcpip.IPv4TTLOption, tcpip.IPv4TOSOption, 0
	if route.NetProto() == ipv6.ProtocolNumber {
		life, class, preset = tcpip.IPv6HopLimitOption, tcpip.IPv6TrafficClassOption, -1
	}
	ttl, err := c.s.Endpoint.GetSockOptInt(life)
	if err != nil {
		return err
	}
	if ttl != preset {
		params.TTL = uint8(ttl)
	}
	tos, err := c.s.Endpoint.GetSockOptInt(class)
	if err != nil {
		return err
	}
	params.TOS = uint8(tos)
	stats := c.s.Host.Stack().Stats().UDP
	if err := route.WritePacket(params, pkt); err != nil {
		stats.PacketSendErrors.Increment()
		if _, full := err.(*tcpip.ErrNoBufferSpace); full {
			return nil // as with other datagrams
		}
		return err
	}
	stats.PacketsSent.Increment()
	return nil
}
