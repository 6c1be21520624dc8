package ip

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"netlab/netem"
)

// nic joins a host's stack to a port of the network. It implements stack.LinkEndpoint.
type nic struct {
	host       *Host
	port       *netem.Port
	id         tcpip.NICID
	mac        tcpip.LinkAddress
	peer       tcpip.LinkAddress // of the other end of a point-to-point link, or ""
	neighbors  *Neighbors        // of a segment whose members know each other, or nil
	dispatcher stack.NetworkDispatcher
	verify     atomic.Bool        // the checksums of the packet that is being delivered
	waiting    map[netip.Addr]int // packets passed on that wait for a neighbour's MAC address
}

var _ stack.LinkEndpoint = (*nic)(nil)

// asks says whether the NIC finds MAC addresses by ARP and neighbour discovery.
func (n *nic) asks() bool { return n.peer == "" && n.neighbors == nil }

func (n *nic) MTU() uint32                               { return uint32(n.port.MTU()) }
func (n *nic) SetMTU(uint32)                             {}
func (n *nic) MaxHeaderLength() uint16                   { return header.EthernetMinimumSize }
func (n *nic) LinkAddress() tcpip.LinkAddress            { return n.mac }
func (n *nic) SetLinkAddress(tcpip.LinkAddress)          {}
func (n *nic) Attach(dispatcher stack.NetworkDispatcher) { n.dispatcher = dispatcher }
func (n *nic) IsAttached() bool                          { return n.dispatcher != nil }
func (n *nic) Wait()                                     {}
func (n *nic) ARPHardwareType() header.ARPHardwareType   { return header.ARPHardwareEther }
func (n *nic) AddHeader(*stack.PacketBuffer)             {}
func (n *nic) ParseHeader(*stack.PacketBuffer) bool      { return true }
func (n *nic) Close()                                    {}
func (n *nic) SetOnCloseAction(func())                   {}

func (n *nic) Capabilities() stack.LinkEndpointCapabilities {
	// Checksums are computed by the sender. Where no bit was flipped on the way they aren't verified again. The stack asks for
	// each packet that is delivered.
	var c stack.LinkEndpointCapabilities
	if !n.verify.Load() {
		c = stack.CapabilityRXChecksumOffload
	}
	if n.asks() {
		c |= stack.CapabilityResolutionRequired
	}
	return c
}

// WritePackets implements stack.LinkWriter: it puts an Ethernet header before each packet and hands the frame over.
func (n *nic) WritePackets(list stack.PacketBufferList) (int, tcpip.Error) {
	packets := list.AsSlice()
	for _, pkt := range packets {
		if !n.host.Alive() {
			continue
		}
		dst, ok := n.nextHop(pkt)
		if !ok {
			continue
		}
		f := n.host.net.NewFrame(header.EthernetMinimumSize + pkt.Size())
		copy(f.Data[0:6], dst)
		copy(f.Data[6:12], n.mac)
		binary.BigEndian.PutUint16(f.Data[12:], uint16(pkt.NetworkProtocolNumber))
		at := header.EthernetMinimumSize
		views, skip := pkt.AsViewList()
		for v := views.Front(); v != nil; v = v.Next() {
			b := v.AsSlice()
			if skip >= len(b) {
				skip -= len(b)
				continue
			}
			at += copy(f.Data[at:], b[skip:])
			skip = 0
		}
		if n.host.virtuals.Load() != nil {
			n.dress(f.Data)
		}
		n.host.probe.sent(n.id, f.Data)
		n.host.syns.sent(n.host.net.Elapsed(), f.Data)
		n.port.Send(f)
	}
	return len(packets), nil
}

// nextHop returns the MAC address that a packet goes to.
func (n *nic) nextHop(pkt *stack.PacketBuffer) (tcpip.LinkAddress, bool) {
	if n.peer != "" {
		return n.peer, true
	}
	if pkt.EgressRoute.RemoteLinkAddress != "" {
		return pkt.EgressRoute.RemoteLinkAddress, true
	}
	if n.neighbors == nil {
		return "", false
	}
	to := pkt.EgressRoute.NextHop
	if to.BitLen() == 0 {
		to = pkt.EgressRoute.RemoteAddress
	}
	switch {
	case to == header.IPv4Broadcast:
		return header.EthernetBroadcastAddress, true
	case header.IsV4MulticastAddress(to):
		return header.EthernetAddressFromMulticastIPv4Address(to), true
	case header.IsV6MulticastAddress(to):
		return header.EthernetAddressFromMulticastIPv6Address(to), true
	}
	mac, ok := n.neighbors.lookup(toNetip(to))
	return tcpip.LinkAddress(mac[:]), ok
}

// receive takes a frame from the network. The engine's loop calls it.
func (n *nic) receive(at time.Duration, f *netem.Frame) {
	if i := n.host.intercepted.Load(); i != nil && i.take(at, n, f) {
		return
	}
	defer f.Release()
	if n.dispatcher == nil || len(f.Data) < header.EthernetMinimumSize || !n.host.Alive() {
		return
	}
	kind := tcpip.PacketHost
	switch dst := tcpip.LinkAddress(f.Data[0:6]); {
	case string(f.Data[0:6]) == string(n.mac):
		if n.foreign(f) {
			return
		}
	case dst == header.EthernetBroadcastAddress:
		kind = tcpip.PacketBroadcast
	case header.IsMulticastEthernetAddress(dst):
		kind = tcpip.PacketMulticast
	case n.host.virtuals.Load() != nil && n.takesFor(f.Data[0:6]):
		if n.foreign(f) {
			return
		}
	default:
		return // a switch flooded it; it is for somebody else
	}
	if n.host.syns.received(at, f.Data) {
		return
	}
	if n.unanswered(f.Data) || n.host.raws.Load() != nil && n.receiveRaw(f) {
		return
	}
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{
		Payload: buffer.MakeWithData(f.Data[header.EthernetMinimumSize:]),
	})
	pkt.PktType = kind
	verify := f.Damaged || isFragment(f.Data)
	if verify {
		n.verify.Store(true)
	}
	if !f.Damaged {
		n.host.probe.received(n.id, f.Data)
	}
	n.host.resume()
	if announces(f.Data) {
		n.learnAnnounced(f.Data)
	}
	n.dispatcher.DeliverNetworkPacket(tcpip.NetworkProtocolNumber(f.EtherType()), pkt)
	if n.host.ipv6 && f.EtherType() == netem.EtherTypeIPv6 && !(f.Damaged && !validICMPv6(f.Data)) {
		n.tellUnreachable(f.Data)
	}
	n.host.pause()
	if verify {
		n.verify.Store(false)
	}
	pkt.DecRef()
	n.host.net.Calm()
}

// isFragment says whether a frame carries a part of a packet. The transport's checksum is then verified in any case, because another
// part may have been damaged.
func isFragment(frame []byte) bool {
	d := frame[header.EthernetMinimumSize:]
	switch binary.BigEndian.Uint16(frame[12:]) {
	case netem.EtherTypeIPv4:
		const moreOrOffset = 0x3fff
		return len(d) >= header.IPv4MinimumSize && binary.BigEndian.Uint16(d[6:])&moreOrOffset != 0
	case netem.EtherTypeIPv6:
		return len(d) >= header.IPv6MinimumSize && d[header.IPv6NextHeaderOffset] == uint8(header.IPv6FragmentHeader)
	}
	return false
}

// validICMPv6 says whether a frame carries an ICMPv6 message whose checksum is right.
func validICMPv6(frame []byte) bool {
	h := header.IPv6(frame[header.EthernetMinimumSize:])
	if !h.IsValid(len(h)) || h.TransportProtocol() != header.ICMPv6ProtocolNumber || h.PayloadLength() < header.ICMPv6MinimumSize {
		return false
	}
	m := header.ICMPv6(h.Payload())
	return m.Checksum() == header.ICMPv6Checksum(header.ICMPv6ChecksumParams{Header: m, Src: h.SourceAddress(), Dst: h.DestinationAddress()})
}

// answerByAnyNIC makes a host with several NICs reachable at all of its addresses, whichever NIC leads back (the weak end system
// model of RFC 1122, section 3.3.4.2). The stack does so only if it forwards packets; what there would be to forward never
// reaches it, see nic.foreign.
func (h *Host) answerByAnyNIC() error {
	if len(h.interfaces) < 2 {
		return nil
	}
	for _, v6 := range []bool{false, true} {
		if !v6 && !h.ipv4 || v6 && !h.ipv6 {
			continue
		}
		if err := h.stack.SetForwardingDefaultAndAllNICs(networkProtocol(v6), true); err != nil {
			return errors.New(err.String())
		}
	}
	return nil
}

// foreign says whether a frame that was sent to the NIC carries a packet for an address that isn't the host's: a host forwards
// nothing.
func (n *nic) foreign(f *netem.Frame) bool {
	if len(n.host.interfaces) < 2 {
		return false // the stack sees to it
	}
	var dst netip.Addr
	switch d := f.Data; {
	case f.EtherType() == netem.EtherTypeIPv4 && len(d) >= header.EthernetMinimumSize+header.IPv4MinimumSize:
		dst = netip.AddrFrom4([4]byte(d[30:34]))
	case f.EtherType() == netem.EtherTypeIPv6 && len(d) >= header.EthernetMinimumSize+header.IPv6MinimumSize:
		dst = netip.AddrFrom16([16]byte(d[38:54]))
	default:
		return false
	}
	return !dst.IsMulticast() && !n.host.owns(dst)
}

// Neighbors are the nodes of a segment who know each other's MAC addresses from the start.
type Neighbors struct{ macs map[netip.Addr][6]byte }

// Add tells all members who has an address.
func (n *Neighbors) Add(a netip.Addr, mac [6]byte) {
	if n.macs == nil {
		n.macs = map[netip.Addr][6]byte{}
	}
	n.macs[a] = mac
}

func (n *Neighbors) lookup(a netip.Addr) (mac [6]byte, ok bool) {
	mac, ok = n.macs[a]
	return mac, ok
}
