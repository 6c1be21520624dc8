package ip

import (
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

// Flow is what tells the packets of one direction of a connection from others: protocol, source and destination. The ports are 0
// for protocols without any.
type Flow struct {
	Protocol            uint8 // 6 is TCP and 17 UDP
	Source, Destination netip.AddrPort
}

// Inverse is the flow of the answers.
func (f Flow) Inverse() Flow { return Flow{f.Protocol, f.Destination, f.Source} }

func (f Flow) tuple() tuple {
	t := tuple{src: endpointOf(f.Source), dst: endpointOf(f.Destination), protocol: f.Protocol, version: 4}
	if f.Destination.Addr().Is6() {
		t.version = 6
	}
	return t
}

func endpointOf(a netip.AddrPort) endpoint {
	if a.Addr().Is4() {
		return endpoint4(a)
	}
	return endpoint{a.Addr().As16(), a.Port()}
}

func (t *tuple) flow() Flow {
	return Flow{t.protocol, t.src.addrPort(t.version), t.dst.addrPort(t.version)}
}

// PacketKind is what a packet means to one who keeps track of connections.
type PacketKind uint8

// The kinds of packets.
const (
	// OtherPacket is one that belongs to no connection, or whose transport header is cut off.
	OtherPacket PacketKind = iota
	// OpeningPacket may begin a connection: a TCP segment with SYN and nothing else, a datagram of UDP.
	OpeningPacket
	// ContinuingPacket makes sense in a connection only: any other TCP segment.
	ContinuingPacket
	// ErrorPacket is an ICMP error about another packet, see [Packet.Quoted].
	ErrorPacket
	// FragmentPacket is a fragment other than the first, of a packet whose first fragment didn't come before it.
	FragmentPacket
)

// The flags of TCP that [Packet.Flags] returns.
const (
	FIN = uint8(header.TCPFlagFin)
	SYN = uint8(header.TCPFlagSyn)
	RST = uint8(header.TCPFlagRst)
	ACK = uint8(header.TCPFlagAck)
)

// Packet is an IP packet on its way to a host's stack, see [Host.Intercept].
type Packet struct {
	*forwarding
	at     time.Duration
	in     *routerInterface
	frame  *netem.Frame
	packet packet
}

// read takes in the packet of the frame, if it makes sense, and cuts off what pads the frame.
func (p *Packet) read() bool {
	data := p.frame.Data[header.EthernetMinimumSize:]
	switch p.frame.EtherType() {
	case netem.EtherTypeIPv4:
		h := header.IPv4(data)
		if !h.IsValid(len(h)) || !h.IsChecksumValid() {
			return false
		}
		data = data[:h.TotalLength()]
		p.packet.read4(header.IPv4(data))
	case netem.EtherTypeIPv6:
		h := header.IPv6(data)
		if !h.IsValid(len(h)) {
			return false
		}
		data = data[:header.IPv6MinimumSize+int(h.PayloadLength())]
		p.packet.read6(header.IPv6(data))
	default:
		return false
	}
	p.frame.Data = p.frame.Data[:header.EthernetMinimumSize+len(data)]
	return true
}

// At is when the packet arrived, since the start of the run.
func (p *Packet) At() time.Duration { return p.at }

// Size is that of the packet with its IP header, in bytes.
func (p *Packet) Size() int { return len(p.frame.Data) - header.EthernetMinimumSize }

// Flow is the packet's own flow.
func (p *Packet) Flow() Flow { return p.packet.key.flow() }

// Own says whether the packet is for an address of the host: one that isn't is there because a route leads it this way.
func (p *Packet) Own() bool { return p.host.owns(p.packet.key.dst.netip(p.packet.key.version)) }

// Kind says what the packet means.
func (p *Packet) Kind() PacketKind {
	switch p.packet.kind {
	case opening:
		return OpeningPacket
	case continuing:
		return ContinuingPacket
	case quoting:
		return ErrorPacket
	case laterPiece:
		return FragmentPacket
	}
	return OtherPacket
}

// Quoted is the flow of the packet that an ICMP error is about. That packet came from where the error goes.
func (p *Packet) Quoted() Flow { return p.packet.quoted.flow() }

// Flags returns the flags of a TCP segment, and 0 for other packets.
func (p *Packet) Flags() uint8 { return uint8(p.packet.flags) }

// Next returns the sequence number that follows those of a TCP segment, and the one that it acknowledges.
func (p *Packet) Next() (sequence, acknowledged uint32) {
	if p.packet.key.protocol != protocolTCP || len(p.packet.transport) < header.TCPMinimumSize {
		return 0, 0
	}
	t := header.TCP(p.packet.transport)
	return t.SequenceNumber() + segmentLength(t), t.AckNumber()
}

// segmentLength is how many sequence numbers a segment takes.
func segmentLength(t header.TCP) uint32 {
	n := uint32(max(0, len(t)-int(t.DataOffset())))
	if t.Flags()&header.TCPFlagSyn != 0 {
		n++
	}
	if t.Flags()&header.TCPFlagFin != 0 {
		n++
	}
	return n
}

// Forward passes the packet on as a router does, with the addresses and ports of another flow: by the host's routes, with a TTL that
// is one less, in fragments if need be, and with checksums that follow the change (RFC 1624), so that a damaged packet stays damaged.
// Of an ICMP error, to is the flow of the packets with which it goes back: the quoted packet becomes one that to answers, and the
// error's sender is replaced if it is behind the translation. A packet that can't be forwarded is answered by the ICMP error that says
// why, and Forward returns false.
func (p *Packet) Forward(to Flow) bool {
	t := to.tuple()
	from := t.src.addr
	if p.packet.kind == quoting && from == p.packet.quoted.dst.addr {
		from = p.packet.key.src.addr
	}
	return p.forward(to.Destination.Addr(), from, &t)
}

func (p *Packet) forward(dst netip.Addr, from [16]byte, t *tuple) bool {
	f, r := p.frame, p.router
	if t.version == 4 {
		h := header.IPv4(f.Data[header.EthernetMinimumSize:])
		hop, ok := r.next4(p.at, p.in, f, h, dst)
		if !ok {
			return false
		}
		p.lead(&p.translated, from, t.dst.addr)
		rewrite4(h, &p.packet, from, t)
		r.pass4(p.at, p.in, hop, f, h, dst)
		return true
	}
	h := header.IPv6(f.Data[header.EthernetMinimumSize:])
	hop, ok := r.next6(p.at, p.in, f, h, dst)
	if !ok {
		return false
	}
	p.lead(&p.translated, from, t.dst.addr)
	rewrite6(h, &p.packet, from, t)
	r.pass6(p.at, p.in, hop, f, h, dst)
	return true
}

// lead remembers how a first fragment leaves.
func (p *Packet) lead(ways *fragments, from, to [16]byte) {
	if p.packet.fragmented && p.packet.kind != laterPiece {
		ways.lead(p.at, p.packet.piece, from, to)
	}
}

// follow sends a later fragment after the first one, if that is known.
func (p *Packet) follow() bool {
	if p.packet.kind != laterPiece {
		return false
	}
	version := p.packet.key.version
	if way, ok := p.translated.follow(p.at, p.packet.piece); ok {
		t := tuple{src: endpoint{addr: way.src}, dst: endpoint{addr: way.dst}, protocol: p.packet.key.protocol, version: version}
		p.forward(t.dst.netip(version), way.src, &t)
		return true
	}
	if way, ok := p.delivered.follow(p.at, p.packet.piece); ok {
		to := endpoint{addr: way.dst}
		if !p.Deliver(to.netip(version)) {
			p.Drop()
		}
		return true
	}
	return false
}

// Route passes the packet on unchanged but for its TTL, as a router does.
func (p *Packet) Route() bool {
	t := p.packet.key
	return p.forward(t.dst.netip(t.version), t.src.addr, &t)
}

// Deliver sends the packet as it is to a neighbour of the host: only the MAC addresses change. It returns false, and leaves the packet
// to the caller, if the address is on no network of the host.
func (p *Packet) Deliver(neighbor netip.Addr) bool {
	f, r := p.frame, p.router
	hop, ok := r.table.Lookup(neighbor)
	if !ok || hop.via.IsValid() {
		return false
	}
	data := f.Data[header.EthernetMinimumSize:]
	if mtu := hop.out.port.MTU(); len(data) > mtu {
		r.stats.TooBig++
		if p.packet.key.version == 4 {
			r.error4(p.at, p.in, f, header.ICMPv4DstUnreachable, header.ICMPv4FragmentationNeeded, uint16(mtu))
		} else {
			r.error6(p.at, p.in, f, header.ICMPv6PacketTooBig, header.ICMPv6UnusedCode, uint32(mtu))
		}
		return true
	}
	p.lead(&p.delivered, p.packet.key.src.addr, endpointOf(netip.AddrPortFrom(neighbor, 0)).addr)
	r.stats.Forwarded++
	hop.send(p.at, p.in, f, neighbor)
	return true
}

// Refuse answers the packet as a host does that has nobody who listens: TCP by a reset, anything else by ICMP, port unreachable.
func (p *Packet) Refuse() {
	key, f, r := &p.packet.key, p.frame, p.router
	v4 := key.version == 4
	switch {
	case key.protocol == protocolTCP && p.packet.kind != malformed && !p.packet.fragmented:
		if !r.refuse(p.at, f, fromNetip(key.src.netip(key.version)), fromNetip(key.dst.netip(key.version)), p.packet.transport) {
			f.Release()
		}
	case v4:
		r.error4(p.at, p.in, f, header.ICMPv4DstUnreachable, header.ICMPv4PortUnreachable, 0)
	default:
		r.error6(p.at, p.in, f, header.ICMPv6DstUnreachable, header.ICMPv6PortUnreachable, 0)
	}
}

// Drop makes the packet vanish without a word.
func (p *Packet) Drop() { p.frame.Release() }

// SendReset sends a TCP reset of a flow, as the flow's source would. The receiver takes it if sequence is what it expects next
// (RFC 5961, section 3.2). The host must intercept packets. Only the engine's loop may call it.
func (h *Host) SendReset(flow Flow, sequence uint32) {
	w := h.forwarding.Load()
	if w == nil || !h.Alive() {
		return
	}
	src, dst := fromNetip(flow.Source.Addr()), fromNetip(flow.Destination.Addr())
	w.router.segment(h.net.Elapsed(), src, dst, &header.TCPFields{SrcPort: flow.Source.Port(), DstPort: flow.Destination.Port(),
		SeqNum: sequence, Flags: header.TCPFlagRst, DataOffset: header.TCPMinimumSize})
}

// rewrite6 is rewrite4 for IPv6. ICMPv6's checksum covers the addresses too.
func rewrite6(h header.IPv6, p *packet, from [16]byte, to *tuple) {
	var inner sumChange
	if p.kind == quoting {
		sent := to.inverse()
		q := header.IPv6(p.quotation)
		addresses := rewriteAddresses6(q, sent.src.addr, sent.dst.addr)
		inner = addresses
		_, segment := skipExtensions(q.NextHeader(), q[header.IPv6MinimumSize:])
		rewriteTransport(segment, &sent, addresses, &inner)
	}
	addresses := rewriteAddresses6(h, from, to.dst.addr)
	switch p.kind {
	case quoting:
		(addresses + inner).follow(p.transport[icmpSumAt:], nil)
	case opening, continuing:
		rewriteTransport(p.transport, to, addresses, nil)
	}
}

func rewriteAddresses6(h header.IPv6, src, dst [16]byte) sumChange {
	var c sumChange
	c.set(h[8:24], src[:])
	c.set(h[24:40], dst[:])
	return c
}

// countForwarding adds what a host has passed on to its counters.
func (h *Host) countForwarding(s *IPStats) {
	if w := h.forwarding.Load(); w != nil {
		addCounters(s, &w.router.stats)
	}
}
