package netem

import (
	"encoding/binary"
	"time"
)

// forge counts a frame that somebody but the node has put into a direction.
func (d *direction) forge(f *Frame, comment string) {
	n := d.link.net
	f.ID = n.frames.Add(1)
	f.ruled = comment
	d.stats.Duplicated.add(f)
	n.inFlight++
}

// answer lets the port at the near end receive a forged answer to what it has sent: at the same instant, in an event of its own.
// The answer is of the other direction, of which it needs only the end: it doesn't cross the wire, no rule and no queue sees it, and
// it arrives whatever that direction does to others.
func (d *direction) answer(at time.Duration, f *Frame, comment string) {
	back := d.reverse()
	back.forge(f, comment)
	d.link.net.schedule(at, back.arriveKey, (*receiver)(back), f)
}

// reverse is the other direction of the link.
func (d *direction) reverse() *direction {
	if d == &d.link.dirs[Forward] {
		return &d.link.dirs[Backward]
	}
	return &d.link.dirs[Forward]
}

// ipPacket is the IP packet in a frame, as far as it has to be known for an answer. The slices are parts of the frame.
type ipPacket struct {
	frame    []byte
	data     []byte // from the IP header on, without padding; the end may be missing
	v6       bool
	whole    bool // nothing is missing
	protocol uint8
	payload  []byte // behind the last IP header, nothing in a later fragment
	fragment bool
	later    bool // a fragment, and not the first
}

// parseIP finds the IP packet in a frame. It isn't ok if the IP headers make no sense.
func parseIP(frame []byte) (p ipPacket, ok bool) {
	if len(frame) < etherHeader {
		return p, false
	}
	p.frame, p.data = frame, frame[etherHeader:]
	switch binary.BigEndian.Uint16(frame[etherTypeAt:]) {
	case EtherTypeIPv4:
		ok = p.parse4()
	case EtherTypeIPv6:
		p.v6 = true
		ok = p.parse6()
	}
	return p, ok
}

func (p *ipPacket) parse4() bool {
	d := p.data
	if len(d) < 20 || d[0]>>4 != 4 {
		return false
	}
	header, total := int(d[0]&15)*4, int(binary.BigEndian.Uint16(d[2:]))
	if header < 20 || header > len(d) || total < header {
		return false
	}
	p.cut(total)
	const moreFragments, offset = 0x2000, 0x1fff
	bits := binary.BigEndian.Uint16(d[6:])
	p.fragment, p.later = bits&(moreFragments|offset) != 0, bits&offset != 0
	p.protocol, p.payload = d[9], p.data[header:]
	return true
}

func (p *ipPacket) parse6() bool {
	d := p.data
	if len(d) < 40 || d[0]>>4 != 6 {
		return false
	}
	p.cut(40 + int(binary.BigEndian.Uint16(d[4:])))
	p.protocol, p.payload = d[6], p.data[40:]
	for {
		size := 8
		switch h := p.payload; p.protocol {
		case 0, 43, 60: // hop-by-hop options, routing, destination options
			if len(h) >= 2 {
				size = 8 * (int(h[1]) + 1)
			}
		case protocolFragment:
			if len(h) >= 8 {
				bits := binary.BigEndian.Uint16(h[2:])
				p.fragment, p.later = p.fragment || bits&0xfff9 != 0, p.later || bits>>3 != 0
			}
		default:
			return true
		}
		switch {
		case len(p.payload) < size:
			return false
		case p.later:
			p.payload = nil
			return true
		}
		p.protocol, p.payload = p.payload[0], p.payload[size:]
	}
}

// cut takes the padding behind a packet of that size away.
func (p *ipPacket) cut(total int) {
	p.whole = total <= len(p.data)
	p.data = p.data[:min(total, len(p.data))]
}

// addresses returns source and destination.
func (p *ipPacket) addresses() (src, dst []byte) {
	if p.v6 {
		return p.data[8:24], p.data[24:40]
	}
	return p.data[12:16], p.data[16:20]
}

// singular says whether source and destination are a node each, and no group: RFC 1122, section 3.2.2, and RFC 4443, section 2.4(e).
func (p *ipPacket) singular() bool {
	src, dst := p.addresses()
	return p.frame[0]&1 == 0 && single(src) && single(dst)
}

func single(a []byte) bool {
	if len(a) == 4 {
		// 0/8 is "this network", 127/8 is loopback, above 224/4 (groups) is class E, with the limited broadcast.
		return a[0] != 0 && a[0] != 127 && a[0] < 224
	}
	zero := true
	for _, b := range a[:15] {
		zero = zero && b == 0
	}
	return a[0] != 0xff && !(zero && a[15] <= 1) // neither a group nor :: nor ::1
}

const forgedTTL = 64 // RFC 1700, "IP time to live parameter"

// forge makes a packet with room for a payload, to the packet's receiver as if from its sender or back to the sender as if from
// the receiver.
func (p *ipPacket) forge(e *Engine, back bool, protocol uint8, size int) (f *Frame, payload []byte) {
	header := 20
	if p.v6 {
		header = 40
	}
	f = e.NewFrame(etherHeader + header + size)
	clear(f.Data)
	src, dst := p.addresses()
	copy(f.Data, p.frame[:etherHeader])
	if back {
		src, dst = dst, src
		copy(f.Data, p.frame[6:12])
		copy(f.Data[6:], p.frame[:6])
	}
	h := f.Data[etherHeader:]
	payload = h[header:]
	if p.v6 {
		h[0] = 0x60
		binary.BigEndian.PutUint16(h[4:], uint16(size))
		h[6], h[7] = protocol, forgedTTL
		copy(h[8:], src)
		copy(h[24:], dst)
		return f, payload
	}
	const dontFragment = 0x40
	h[0] = 0x45
	binary.BigEndian.PutUint16(h[2:], uint16(header+size))
	h[6] = dontFragment // so the identification may be 0 (RFC 6864)
	h[8], h[9] = forgedTTL, protocol
	copy(h[12:], src)
	copy(h[16:], dst)
	binary.BigEndian.PutUint16(h[10:], checksum(0, h[:20]))
	return f, payload
}

// pseudoHeader is the sum over the pseudo-header (RFC 9293, section 3.1; RFC 8200, section 8.1) of a payload between the addresses,
// in either direction.
func (p *ipPacket) pseudoHeader(protocol uint8, size int) uint32 {
	src, dst := p.addresses()
	return sum(sum(uint32(protocol)+uint32(size), src), dst)
}

// checksum is the Internet checksum (RFC 1071) over b and a sum of what comes before it.
func checksum(before uint32, b []byte) uint16 {
	s := sum(before, b)
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}

// sum adds the 16-bit words of b, which is shorter than 64 KiB; an odd byte at the end is the upper half of a word.
func sum(s uint32, b []byte) uint32 {
	for ; len(b) >= 2; b = b[2:] {
		s += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	return s
}
