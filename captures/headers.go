package captures

import "net/netip"

// Link types of captures that [Headers] understands beside [LinkEthernet], as libpcap numbers them.
const (
	LinkNull        = 0   // BSD loopback: an address family in the byte order of the machine
	LinkRaw         = 101 // IP without a header before it
	LinkLoop        = 108 // OpenBSD loopback: an address family in network byte order
	LinkLinuxSLL    = 113 // what Linux gives for the interface "any"
	LinkIPv4        = 228
	LinkIPv6        = 229
	LinkLinuxSLL2   = 276
	linkRawFreeBSD  = 12
	linkRawOpenBSD  = 14
	maxVLANTags     = 4
	linuxSLLHeader  = 16
	linuxSLL2Header = 20
)

// Headers is what the headers of a frame say, from the link to the ports. The zero value is ready for Parse, which may be
// called again and again and allocates nothing. What the methods return refers to the frame.
type Headers struct{ v view }

// Parse reads the headers of a frame with that link type. VLAN tags (IEEE 802.1Q) are skipped. Any bytes will do; what can't be
// read is told by Problem. It returns false if the link type is not known, and then nothing of the frame is.
func (h *Headers) Parse(linkType uint16, frame []byte) bool {
	v := &h.v
	switch linkType {
	case LinkEthernet:
		v.dissect(frame)
		v.skipTags()
		return true
	case LinkNull, LinkLoop:
		*v = view{frame: frame}
		if v.has(4) {
			v.dissectRaw(frame[4:])
		}
	case LinkRaw, LinkIPv4, LinkIPv6, linkRawFreeBSD, linkRawOpenBSD:
		*v = view{frame: frame}
		v.dissectRaw(frame)
	case LinkLinuxSLL:
		*v = view{frame: frame}
		if v.has(linuxSLLHeader) {
			v.etherType = be.Uint16(frame[14:])
			v.dissectNetwork(frame[linuxSLLHeader:])
			v.skipTags()
		}
	case LinkLinuxSLL2:
		*v = view{frame: frame}
		if v.has(linuxSLL2Header) {
			v.etherType = be.Uint16(frame)
			v.dissectNetwork(frame[linuxSLL2Header:])
			v.skipTags()
		}
	default:
		*v = view{frame: frame}
		v.problem = "a link type that is not known"
		return false
	}
	return true
}

// has says whether the frame has a link header of n bytes, and else notes the problem.
func (v *view) has(n int) bool {
	if len(v.frame) < n {
		v.problem = "shorter than its link header"
		return false
	}
	return true
}

// dissectRaw reads a packet whose version tells what it is.
func (v *view) dissectRaw(b []byte) {
	switch {
	case len(b) == 0:
		v.problem = "empty"
		return
	case b[0]>>4 == 6:
		v.etherType = etherIPv6
	default:
		v.etherType = etherIPv4
	}
	v.dissectNetwork(b)
}

// skipTags goes on behind VLAN tags.
func (v *view) skipTags() {
	for range maxVLANTags {
		if v.etherType != etherVLAN && v.etherType != etherQinQ || len(v.network) < 4 {
			return
		}
		v.etherType = be.Uint16(v.network[2:])
		v.dissectNetwork(v.network[4:])
	}
}

// EtherType is what the link header announces, such as 0x0800 for IPv4; a number below 0x600 is the length of an IEEE 802.3 frame.
func (h *Headers) EtherType() uint16 { return h.v.etherType }

// IPVersion is 4, 6 or, for what is not IP, 0.
func (h *Headers) IPVersion() int { return int(h.v.version) }

// Src and Dst are the addresses in the IP header, or the sender and the target of an ARP packet. They are not valid if there are
// none.
func (h *Headers) Src() netip.Addr { return h.v.src }

// Dst is the counterpart of Src.
func (h *Headers) Dst() netip.Addr { return h.v.dst }

// Protocol is the IP protocol behind the headers of IP, such as 6 for TCP. It means nothing if IPVersion is 0.
func (h *Headers) Protocol() uint8 { return h.v.proto }

// Ports returns the ports of TCP and UDP. ok is false in later fragments and where the frame was cut short.
func (h *Headers) Ports() (src, dst uint16, ok bool) { return h.v.srcPort, h.v.dstPort, h.v.hasPorts }

// Hops is the time to live of IPv4 or the hop limit of IPv6.
func (h *Headers) Hops() uint8 { return h.v.hops }

// Problem is empty or says why the frame can't be read further.
func (h *Headers) Problem() string { return h.v.problem }

// Network is the header of what EtherType announces, and all that follows.
func (h *Headers) Network() []byte { return h.v.network }

// Transport is what follows the headers of IP, as far as it was captured, and how long it was on the wire.
func (h *Headers) Transport() (b []byte, length int) { return h.v.payload, h.v.length }

// Payload is what TCP, UDP or ICMP carry, as far as it was captured, and how long it was on the wire. ok is false if the frame has
// no such payload, not even an empty one: other protocols, later fragments, impossible lengths.
func (h *Headers) Payload() (b []byte, length int, ok bool) { return h.v.data() }

// Fragment returns the place of the packet in the datagram that it was cut from: the datagram's identification, the offset in bytes and
// whether more follow. A whole datagram has offset 0 and more false.
func (h *Headers) Fragment() (id uint32, offset int, more bool) {
	f := h.v.fragment
	return f.id, f.offset, f.more
}

// Flags of TCP (RFC 9293, section 3.1).
const (
	FIN = flagFIN
	SYN = flagSYN
	RST = flagRST
	PSH = flagPSH
	ACK = flagACK
	URG = flagURG
	ECE = flagECE
	CWR = flagCWR
)

// Segment is a TCP header (RFC 9293).
type Segment struct {
	Seq, Ack uint32
	Flags    uint8
	// Window is as it stands in the header: not scaled.
	Window uint16
	// MSS is the option of that name in bytes, 0 if there is none.
	MSS uint16
	// Scale is the window scale (RFC 7323), -1 if there is none.
	Scale int8
	// SACKPermitted says that the option of that name is there (RFC 2018).
	SACKPermitted bool
	// Timestamps says that there are some (RFC 7323): Value and Echo.
	Timestamps  bool
	Value, Echo uint32
	// SACK are the blocks of a selective acknowledgement, SACKBlocks how many of them there are.
	SACK       [4]SACKBlock
	SACKBlocks int
	// Data is the payload as far as it was captured, Length how long it was on the wire.
	Data   []byte
	Length int
}

// SACKBlock is a range of sequence numbers: From is the first byte, To the one after the last.
type SACKBlock struct{ From, To uint32 }

// TCP reads the header of a TCP segment. ok is false if the frame has none, it is a later fragment, or was cut short.
func (h *Headers) TCP(t *Segment) (ok bool) {
	v := &h.v
	if v.proto != protoTCP || v.version == 0 || v.fragment.offset > 0 {
		return false
	}
	b := v.payload
	if len(b) < 20 {
		return false
	}
	header := int(b[12]>>4) * 4
	if header < 20 || header > v.length {
		return false
	}
	*t = Segment{
		Seq: be.Uint32(b[4:]), Ack: be.Uint32(b[8:]), Flags: b[13], Window: be.Uint16(b[14:]), Scale: -1,
		Data: b[min(header, len(b)):], Length: v.length - header,
	}
	for options := b[20:min(header, len(b))]; ; {
		kind, value, rest, ok := nextOption(options)
		if !ok {
			return true
		}
		options = rest
		switch {
		case kind == optionTCPMSS && len(value) == 2:
			t.MSS = be.Uint16(value)
		case kind == optionTCPScale && len(value) == 1:
			t.Scale = int8(min(value[0], 14)) // RFC 7323, section 2.3
		case kind == optionTCPPermitSACK:
			t.SACKPermitted = true
		case kind == optionTCPTimestamps && len(value) == 8:
			t.Timestamps, t.Value, t.Echo = true, be.Uint32(value), be.Uint32(value[4:])
		case kind == optionTCPSACK:
			for ; len(value) >= 8 && t.SACKBlocks < len(t.SACK); value = value[8:] {
				t.SACK[t.SACKBlocks] = SACKBlock{be.Uint32(value), be.Uint32(value[4:])}
				t.SACKBlocks++
			}
		}
	}
}

// nextOption returns the first TCP option in b and what follows it. ok is false at the end and at a malformed one, which kind
// tells apart: the end has kind 0.
func nextOption(b []byte) (kind byte, value, rest []byte, ok bool) {
	for len(b) > 0 && b[0] == optionTCPNop {
		b = b[1:]
	}
	if len(b) == 0 || b[0] == optionTCPEnd {
		return optionTCPEnd, nil, nil, false
	}
	if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
		return b[0], nil, nil, false
	}
	return b[0], b[2:b[1]], b[b[1]:], true
}

// DescribeHeaders is [Describer.Describe] for a frame whose headers were read already.
func (d *Describer) DescribeHeaders(h *Headers) string { return d.describe(&h.v) }

// MatchHeaders is [Filter.Match] for a frame whose headers were read already.
func (f *Filter) MatchHeaders(h *Headers) bool { return f == nil || f.root.match(&h.v) }
