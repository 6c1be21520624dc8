package ip

import (
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

const (
	routerTTL = 64
	// An ICMPv4 error quotes as much of the packet as fits into 576 bytes (RFC 1812, section 4.3.2.3), an ICMPv6 error as
	// much as fits into the minimum MTU (RFC 4443, section 3).
	maxError4 = 576
	maxError6 = header.IPv6MinimumMTU
)

// answer4 handles an IPv4 packet for the router itself: it answers pings and refuses the rest.
func (r *Router) answer4(at time.Duration, in *routerInterface, f *netem.Frame) {
	h := header.IPv4(f.Data[header.EthernetMinimumSize:])
	if h.FragmentOffset() != 0 || h.Flags()&header.IPv4FlagMoreFragments != 0 {
		f.Release() // routers here don't reassemble
		return
	}
	switch h.TransportProtocol() {
	case header.ICMPv4ProtocolNumber:
		r.stats.ICMPReceived++
		m := header.ICMPv4(h.Payload())
		if len(m) < header.ICMPv4MinimumSize || m.Type() != header.ICMPv4Echo || checksum.Checksum(m, 0) != 0xffff {
			f.Release()
			return
		}
		m.SetType(header.ICMPv4EchoReply)
		m.SetChecksum(0)
		m.SetChecksum(^checksum.Checksum(m, 0))
		src, dst := h.SourceAddress(), h.DestinationAddress()
		h.SetSourceAddress(dst)
		h.SetDestinationAddress(src)
		h.SetTTL(routerTTL)
		h.SetChecksum(0)
		h.SetChecksum(^h.CalculateChecksum())
		r.stats.ICMPSent++
		f.ID = 0 // a new frame
		r.route(at, f, toNetip(src))
	case header.TCPProtocolNumber:
		if !r.refuse(at, f, h.SourceAddress(), h.DestinationAddress(), h.Payload()) {
			f.Release()
		}
	case header.UDPProtocolNumber:
		r.error4(at, in, f, header.ICMPv4DstUnreachable, header.ICMPv4PortUnreachable, 0)
	default:
		r.error4(at, in, f, header.ICMPv4DstUnreachable, header.ICMPv4ProtoUnreachable, 0)
	}
}

// answer6 is answer4 for IPv6, and answers neighbour discovery.
func (r *Router) answer6(at time.Duration, in *routerInterface, f *netem.Frame) {
	h := header.IPv6(f.Data[header.EthernetMinimumSize:])
	dst := toNetip(h.DestinationAddress())
	switch h.TransportProtocol() {
	case header.ICMPv6ProtocolNumber:
		r.stats.ICMPReceived++
		m := header.ICMPv6(h.Payload())
		if len(m) < header.ICMPv6MinimumSize {
			f.Release()
			return
		}
		switch {
		case m.Type() == header.ICMPv6NeighborSolicit || m.Type() == header.ICMPv6NeighborAdvert:
			in.receiveNDP(at, f)
		case m.Type() == header.ICMPv6EchoRequest && !dst.IsMulticast() && m.Checksum() == header.ICMPv6Checksum(
			header.ICMPv6ChecksumParams{Header: m, Src: h.SourceAddress(), Dst: h.DestinationAddress()}):
			src := h.SourceAddress()
			m.SetType(header.ICMPv6EchoReply)
			h.SetSourceAddress(h.DestinationAddress())
			h.SetDestinationAddress(src)
			h.SetHopLimit(routerTTL)
			sumICMPv6(m, h)
			r.stats.ICMPSent++
			f.ID = 0
			r.route(at, f, toNetip(src))
		default:
			f.Release()
		}
	case header.TCPProtocolNumber:
		if dst.IsMulticast() || !r.refuse(at, f, h.SourceAddress(), h.DestinationAddress(), h.Payload()) {
			f.Release()
		}
	case header.UDPProtocolNumber:
		if dst.IsMulticast() {
			f.Release()
			return
		}
		r.error6(at, in, f, header.ICMPv6DstUnreachable, header.ICMPv6PortUnreachable, 0)
	default:
		f.Release()
	}
}

// route sends a packet that the router made.
func (r *Router) route(at time.Duration, f *netem.Frame, dst netip.Addr) {
	hop, ok := r.table.Lookup(dst)
	if !ok {
		r.stats.NoRoute++
		f.Release()
		return
	}
	if hop.equal != nil {
		hop = hop.choose(r, f.Data[header.EthernetMinimumSize:], dst.Is6())
	}
	hop.send(at, nil, f, dst)
}

// error4 sends an ICMP error about the packet in f to its sender, and releases f. extra is the next hop's MTU where the type
// has one. No error is sent about errors, later fragments, group addresses and broadcasts, and none to a source that isn't one
// host (RFC 1122, section 3.2.2).
func (r *Router) error4(at time.Duration, in *routerInterface, f *netem.Frame, kind header.ICMPv4Type, code header.ICMPv4Code, mtu uint16) {
	defer f.Release()
	h := header.IPv4(f.Data[header.EthernetMinimumSize:])
	src := h.SourceAddress()
	from, ok := in.address(true)
	if !ok || h.FragmentOffset() != 0 || f.Data[0]&1 == 1 || header.IsV4MulticastAddress(h.DestinationAddress()) ||
		src == header.IPv4Any || src == header.IPv4Broadcast || header.IsV4MulticastAddress(src) || isICMPv4Error(h) {
		return
	}
	quoted := min(len(h), maxError4-header.IPv4MinimumSize-header.ICMPv4MinimumSize)
	e := r.net.NewFrame(header.EthernetMinimumSize + header.IPv4MinimumSize + header.ICMPv4MinimumSize + quoted)
	r.etherType(e, netem.EtherTypeIPv4)
	ip := header.IPv4(e.Data[header.EthernetMinimumSize:])
	r.nextID++
	ip.Encode(&header.IPv4Fields{TotalLength: uint16(len(ip)), ID: r.nextID, TTL: routerTTL,
		Protocol: uint8(header.ICMPv4ProtocolNumber), SrcAddr: fromNetip(from), DstAddr: src})
	ip.SetChecksum(^ip.CalculateChecksum())
	m := header.ICMPv4(ip[header.IPv4MinimumSize:])
	clear(m[:header.ICMPv4MinimumSize])
	m.SetType(kind)
	m.SetCode(code)
	m.SetMTU(mtu)
	copy(m[header.ICMPv4MinimumSize:], h[:quoted])
	m.SetChecksum(^checksum.Checksum(m, 0))
	r.stats.ICMPSent++
	r.route(at, e, toNetip(src))
}

// error6 is error4 for IPv6; about group addresses only "packet too big" is sent.
func (r *Router) error6(at time.Duration, in *routerInterface, f *netem.Frame, kind header.ICMPv6Type, code header.ICMPv6Code, mtu uint32) {
	defer f.Release()
	h := header.IPv6(f.Data[header.EthernetMinimumSize:])
	src := h.SourceAddress()
	from, ok := in.address(false)
	if !ok || src == header.IPv6Any || header.IsV6MulticastAddress(src) || isICMPv6Error(h) ||
		header.IsV6MulticastAddress(h.DestinationAddress()) && kind != header.ICMPv6PacketTooBig {
		return
	}
	quoted := min(len(h), maxError6-header.IPv6MinimumSize-header.ICMPv6ErrorHeaderSize)
	e := r.net.NewFrame(header.EthernetMinimumSize + header.IPv6MinimumSize + header.ICMPv6ErrorHeaderSize + quoted)
	r.etherType(e, netem.EtherTypeIPv6)
	ip := header.IPv6(e.Data[header.EthernetMinimumSize:])
	ip.Encode(&header.IPv6Fields{PayloadLength: uint16(len(ip) - header.IPv6MinimumSize), HopLimit: routerTTL,
		TransportProtocol: header.ICMPv6ProtocolNumber, SrcAddr: fromNetip(from), DstAddr: src})
	m := header.ICMPv6(ip[header.IPv6MinimumSize:])
	clear(m[:header.ICMPv6ErrorHeaderSize])
	m.SetType(kind)
	m.SetCode(code)
	m.SetMTU(mtu)
	copy(m[header.ICMPv6ErrorHeaderSize:], h[:quoted])
	sumICMPv6(m, ip)
	r.stats.ICMPSent++
	r.route(at, e, toNetip(src))
}

// refuse answers a TCP segment for the router with a reset (RFC 9293, section 3.5.2). It makes a new frame and releases f;
// false means that there is nothing to answer.
func (r *Router) refuse(at time.Duration, f *netem.Frame, src, dst tcpip.Address, segment []byte) bool {
	if len(segment) < header.TCPMinimumSize {
		return false
	}
	t := header.TCP(segment)
	if t.Flags()&header.TCPFlagRst != 0 || int(t.DataOffset()) > len(t) {
		return false
	}
	reply := header.TCPFields{SrcPort: t.DestinationPort(), DstPort: t.SourcePort(), DataOffset: header.TCPMinimumSize}
	if t.Flags()&header.TCPFlagAck != 0 {
		reply.SeqNum, reply.Flags = t.AckNumber(), header.TCPFlagRst
	} else {
		reply.AckNum, reply.Flags = t.SequenceNumber()+segmentLength(t), header.TCPFlagRst|header.TCPFlagAck
	}
	f.Release()
	r.segment(at, dst, src, &reply)
	return true
}

// segment sends a TCP segment without data, made up by the router.
func (r *Router) segment(at time.Duration, src, dst tcpip.Address, fields *header.TCPFields) {
	var e *netem.Frame
	var body []byte
	if dst.Len() == header.IPv4AddressSize {
		e = r.net.NewFrame(header.EthernetMinimumSize + header.IPv4MinimumSize + header.TCPMinimumSize)
		r.etherType(e, netem.EtherTypeIPv4)
		ip := header.IPv4(e.Data[header.EthernetMinimumSize:])
		ip.Encode(&header.IPv4Fields{TotalLength: uint16(len(ip)), Flags: header.IPv4FlagDontFragment, TTL: routerTTL,
			Protocol: uint8(header.TCPProtocolNumber), SrcAddr: src, DstAddr: dst})
		ip.SetChecksum(^ip.CalculateChecksum())
		body = ip[header.IPv4MinimumSize:]
	} else {
		e = r.net.NewFrame(header.EthernetMinimumSize + header.IPv6MinimumSize + header.TCPMinimumSize)
		r.etherType(e, netem.EtherTypeIPv6)
		ip := header.IPv6(e.Data[header.EthernetMinimumSize:])
		ip.Encode(&header.IPv6Fields{PayloadLength: header.TCPMinimumSize, HopLimit: routerTTL,
			TransportProtocol: header.TCPProtocolNumber, SrcAddr: src, DstAddr: dst})
		body = ip[header.IPv6MinimumSize:]
	}
	t := header.TCP(body)
	t.Encode(fields)
	t.SetChecksum(0)
	pseudo := header.PseudoHeaderChecksum(header.TCPProtocolNumber, src, dst, uint16(len(t)))
	t.SetChecksum(^t.CalculateChecksum(pseudo))
	r.route(at, e, toNetip(dst))
}

func (r *Router) etherType(f *netem.Frame, t uint16) {
	f.Data[12], f.Data[13] = byte(t>>8), byte(t)
}

// address returns the interface's address of a family, from which it sends errors.
func (i *routerInterface) address(v4 bool) (netip.Addr, bool) {
	for _, p := range i.addresses {
		if p.Addr().Is4() == v4 {
			return p.Addr(), true
		}
	}
	return netip.Addr{}, false
}

func isICMPv4Error(h header.IPv4) bool {
	if h.TransportProtocol() != header.ICMPv4ProtocolNumber || len(h.Payload()) < header.ICMPv4MinimumSize {
		return false
	}
	switch header.ICMPv4(h.Payload()).Type() {
	case header.ICMPv4Echo, header.ICMPv4EchoReply, header.ICMPv4Timestamp, header.ICMPv4TimestampReply:
		return false
	}
	return true
}

func isICMPv6Error(h header.IPv6) bool {
	return h.TransportProtocol() == header.ICMPv6ProtocolNumber && len(h.Payload()) > 0 && h.Payload()[0] < 128
}

func sumICMPv6(m header.ICMPv6, h header.IPv6) {
	m.SetChecksum(0)
	m.SetChecksum(header.ICMPv6Checksum(header.ICMPv6ChecksumParams{Header: m, Src: h.SourceAddress(), Dst: h.DestinationAddress()}))
}
