package analysis

import (
	"encoding/binary"
	"net/netip"
	"time"

	"netlab/captures"
)

const (
	protoTCP = 6
	protoUDP = 17

	etherARP = 0x0806

	portDNS = 53
)

// conversationKey is a pair of addresses, the lesser first.
type conversationKey struct{ a, b netip.Addr }

// addPacket analyses a frame and shows it to who wants to see it.
func (a *Analyzer) addPacket(p *captures.Packet) {
	r, f := a.analysis, &a.frame
	if !a.started {
		start := a.options.Start
		if start.IsZero() {
			start = p.Time
		}
		a.begin(start)
	}
	a.number++
	*f = Frame{
		Number: a.number, At: p.Time.Sub(r.Start), Packet: p, Headers: &a.headers, LinkType: captures.LinkEthernet,
		SACK: f.SACK[:0], Messages: f.Messages[:0], Protocols: f.Protocols[:0],
	}
	var on *Interface
	if p.Interface >= 0 && p.Interface < len(r.Interfaces) {
		on = &r.Interfaces[p.Interface]
		f.LinkType = on.LinkType
	}
	known := a.headers.Parse(f.LinkType, p.Data)
	if a.options.Select != nil && !a.options.Select(f) {
		return
	}
	r.Frames++
	if r.Frames == 1 {
		r.First = f.At
	}
	r.Last = f.At
	r.Bytes += uint64(p.Length)
	r.Captured += uint64(len(p.Data))
	if on != nil {
		on.Frames++
		on.Bytes += uint64(p.Length)
	}
	a.markPacket(f)
	if !known || a.headers.Problem() != "" {
		f.Marks.set(MarkBroken)
	}
	if a.headers.IPVersion() != 0 && a.headers.Src().IsValid() {
		a.addIP(f)
	} else if a.headers.EtherType() == etherARP {
		a.addARP()
	}
	a.addProtocols(f, known)
	a.note(f)
	for i := range a.marks {
		a.marks[i] += int(f.Marks >> i & 1)
	}
	if a.options.Frame != nil {
		a.options.Frame(f)
	}
}

// markPacket marks what the capture tells besides the frame itself.
func (a *Analyzer) markPacket(f *Frame) {
	if len(f.Packet.Data) < f.Packet.Length {
		f.Marks.set(MarkCut)
	}
	if f.Packet.Comment == "" {
		return
	}
	if _, ok := dropReason(f.Packet.Comment); ok {
		f.Marks.set(MarkDropped)
		a.analysis.Dropped++
	}
	if altered(f.Packet.Comment) {
		f.Marks.set(MarkAltered)
	}
}

// addIP counts a packet with IP addresses and analyses what it carries.
func (a *Analyzer) addIP(f *Frame) {
	h := &a.headers
	if congestionExperienced(h) {
		f.Marks.set(MarkECN)
	}
	size := uint64(f.Packet.Length)
	if e := a.endpoint(h.Src()); e != nil {
		e.Sent.add(size)
	}
	if e := a.endpoint(h.Dst()); e != nil {
		e.Received.add(size)
	}
	a.addConversation(h.Src(), h.Dst(), size, f.At)
	switch h.Protocol() {
	case protoTCP:
		if h.TCP(&f.Segment) {
			f.Segment.Length = max(f.Segment.Length-f.excess(), 0)
			a.addSegment(f)
		} else if _, offset, _ := h.Fragment(); offset == 0 {
			f.Marks.set(MarkBroken)
		}
	case protoUDP:
		a.addDatagram(f)
	default:
		if kind := h.ICMP(); kind != "" {
			a.analysis.ICMP[kind]++
		}
	}
}

// excess is by how many bytes the length in the IP header goes beyond the frame, which it does only in damaged packets.
func (f *Frame) excess() int {
	b := f.Headers.Network()
	total := int(binary.BigEndian.Uint16(b[2:]))
	if f.Headers.IPVersion() == 6 {
		total = 40 + int(binary.BigEndian.Uint16(b[4:]))
	}
	return max(total+len(f.Packet.Data)-len(b)-f.Packet.Length, 0)
}

func (c *Count) add(size uint64) {
	c.Frames++
	c.Bytes += size
}

// congestionExperienced says whether a router has marked the packet (RFC 3168, section 5).
func congestionExperienced(h *captures.Headers) bool {
	b := h.Network()
	if h.IPVersion() == 6 {
		return b[1]>>4&3 == 3
	}
	return b[1]&3 == 3
}

// endpoint returns the entry of an address, or nil if there are too many.
func (a *Analyzer) endpoint(addr netip.Addr) *Endpoint {
	e := a.endpoints[addr]
	if e == nil && a.room(len(a.endpoints)) {
		e = &Endpoint{Addr: addr, Name: a.name(addr)}
		a.endpoints[addr] = e
		a.analysis.Endpoints = append(a.analysis.Endpoints, e)
	}
	return e
}

func (a *Analyzer) addConversation(src, dst netip.Addr, size uint64, at time.Duration) {
	key := conversationKey{src, dst}
	if dst.Less(src) {
		key = conversationKey{dst, src}
	}
	i, ok := a.conversations[key]
	if !ok {
		if i = len(a.analysis.Conversations); !a.room(i) {
			return
		}
		a.conversations[key] = i
		a.analysis.Conversations = append(a.analysis.Conversations,
			Conversation{A: src, B: dst, AName: a.name(src), BName: a.name(dst), First: at})
	}
	c := &a.analysis.Conversations[i]
	c.Last = at
	if c.A == src {
		c.AToB.add(size)
	} else {
		c.BToA.add(size)
	}
}

func (a *Analyzer) addARP() {
	b := a.headers.Network()
	if len(b) < 8 {
		return
	}
	switch binary.BigEndian.Uint16(b[6:]) {
	case 1:
		a.analysis.ARP["request"]++
	case 2:
		a.analysis.ARP["reply"]++
	default:
		a.analysis.ARP["other"]++
	}
}
