package traceroute

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/transport/raw"
	"gvisor.dev/gvisor/pkg/waiter"

	"netlab/ip"
)

// answer is what an ICMP error means for a probe.
type answer int

const (
	expired     answer = iota + 1 // the TTL ran out on the way
	portClosed                    // the destination was reached, and nobody listens there
	unreachable                   // no way to the destination
)

// icmpError is an ICMP error about a UDP datagram that the host sent.
type icmpError struct {
	from   netip.Addr
	answer answer
	reason string // of unreachable
	at     time.Duration
	// The datagram's.
	destination      netip.Addr
	sourcePort, port uint16
}

// listener is a raw socket for ICMP. The stack tells UDP sockets only of closed ports, and not who said so.
type listener struct {
	socket *ip.Socket
	v6     bool
}

func listen(h *ip.Host, v6 bool) (*listener, error) {
	network, transport := ipv4.ProtocolNumber, header.ICMPv4ProtocolNumber
	if v6 {
		network, transport = ipv6.ProtocolNumber, header.ICMPv6ProtocolNumber
	}
	q := new(waiter.Queue)
	endpoint, err := raw.NewEndpoint(h.Stack(), network, transport, q)
	if err != nil {
		return nil, ip.OpError("listen", "icmp", nil, nil, ip.Errno(err))
	}
	return &listener{h.Wrap(endpoint, q), v6}, nil
}

func (l *listener) close() { l.socket.Close() }

// read waits for an ICMP error about UDP until the deadline, a time since the start of the run.
func (l *listener) read(deadline time.Duration) (icmpError, error) {
	network := l.socket.Host.Network()
	l.socket.ReadDeadline().Set(network.Epoch().Add(deadline))
	for {
		var packet bytes.Buffer
		var from netip.Addr
		err := l.socket.Do(waiter.ReadableEvents, l.socket.ReadDeadline(), func() tcpip.Error {
			packet.Reset()
			result, err := l.socket.Endpoint.Read(&packet, tcpip.ReadOptions{NeedRemoteAddr: true})
			if err == nil {
				from = ip.AddrPort(result.RemoteAddr).Addr()
			}
			return err
		})
		if err != nil {
			return icmpError{}, ip.OpError("read", "icmp", nil, nil, err)
		}
		e, ok := parse4(packet.Bytes())
		if l.v6 {
			e, ok = parse6(packet.Bytes())
		}
		if ok {
			e.from, e.at = from, network.Elapsed()
			return e, nil
		}
	}
}

// parse4 reads an IPv4 packet that holds an ICMP error (RFC 792) about a UDP datagram.
func parse4(packet []byte) (e icmpError, ok bool) {
	h := header.IPv4(packet)
	if len(packet) < header.IPv4MinimumSize || int(h.HeaderLength()) < header.IPv4MinimumSize ||
		len(packet) < int(h.HeaderLength())+header.ICMPv4MinimumSize {
		return e, false
	}
	m := header.ICMPv4(packet[h.HeaderLength():])
	switch {
	case m.Type() == header.ICMPv4TimeExceeded && m.Code() == header.ICMPv4TTLExceeded:
		e.answer = expired
	case m.Type() == header.ICMPv4DstUnreachable && m.Code() == header.ICMPv4PortUnreachable:
		e.answer = portClosed
	case m.Type() == header.ICMPv4DstUnreachable:
		e.answer, e.reason = unreachable, reason4(m.Code())
	default:
		return e, false
	}
	quoted := header.IPv4(m[header.ICMPv4MinimumSize:])
	if len(quoted) < header.IPv4MinimumSize || quoted.TransportProtocol() != header.UDPProtocolNumber {
		return e, false
	}
	size := int(quoted.HeaderLength())
	if size < header.IPv4MinimumSize || len(quoted) < size {
		return e, false
	}
	e.destination, _ = netip.AddrFromSlice(quoted[16:20])
	return e, e.ports(quoted[size:])
}

// parse6 reads an ICMPv6 error (RFC 4443) about a UDP datagram; the IPv6 header before it is gone already.
func parse6(message []byte) (e icmpError, ok bool) {
	m := header.ICMPv6(message)
	if len(m) < header.ICMPv6ErrorHeaderSize+header.IPv6MinimumSize {
		return e, false
	}
	switch {
	case m.Type() == header.ICMPv6TimeExceeded && m.Code() == header.ICMPv6HopLimitExceeded:
		e.answer = expired
	case m.Type() == header.ICMPv6DstUnreachable && m.Code() == header.ICMPv6PortUnreachable:
		e.answer = portClosed
	case m.Type() == header.ICMPv6DstUnreachable:
		e.answer, e.reason = unreachable, reason6(m.Code())
	default:
		return e, false
	}
	quoted := header.IPv6(m[header.ICMPv6ErrorHeaderSize:])
	if quoted.TransportProtocol() != header.UDPProtocolNumber {
		return e, false
	}
	e.destination, _ = netip.AddrFromSlice(quoted[24:40])
	return e, e.ports(quoted[header.IPv6MinimumSize:])
}

// ports reads the ports of a quoted UDP header.
func (e *icmpError) ports(udp []byte) bool {
	if len(udp) < 4 {
		return false
	}
	e.sourcePort, e.port = binary.BigEndian.Uint16(udp), binary.BigEndian.Uint16(udp[2:])
	return true
}

// reason4 and reason6 say in a word why a destination can't be reached.
func reason4(code header.ICMPv4Code) string {
	switch code {
	case header.ICMPv4NetUnreachable, header.ICMPv4DestinationNetworkUnknown:
		return "network"
	case header.ICMPv4HostUnreachable, header.ICMPv4DestinationHostUnknown:
		return "host"
	case header.ICMPv4NetProhibited, header.ICMPv4HostProhibited, header.ICMPv4AdminProhibited:
		return "prohibited"
	}
	return "other"
}

func reason6(code header.ICMPv6Code) string {
	switch code {
	case header.ICMPv6NetworkUnreachable:
		return "network"
	case header.ICMPv6AddressUnreachable:
		return "host"
	case header.ICMPv6Prohibited:
		return "prohibited"
	}
	return "other"
}
