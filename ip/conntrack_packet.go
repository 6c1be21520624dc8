package ip

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// Protocol numbers as they stand in packets.
const (
	protocolICMP   = uint8(header.ICMPv4ProtocolNumber)
	protocolTCP    = uint8(header.TCPProtocolNumber)
	protocolUDP    = uint8(header.UDPProtocolNumber)
	protocolICMPv6 = uint8(header.ICMPv6ProtocolNumber)
)

// packetKind is what a packet means to the tracker of connections.
type packetKind uint8

const (
	malformed   packetKind = iota // its transport header is missing, or a part of it
	opening                       // it may begin a connection
	continuing                    // it makes sense in a connection only: TCP but for the first SYN, echo replies
	quoting                       // an ICMP error about another packet
	lone                          // it belongs to no connection: other ICMP messages
	neighboring                   // neighbour discovery
	laterPiece                    // a fragment without the transport header
)

// packet is what the tracker knows of an IP packet.
type packet struct {
	kind  packetKind
	flags header.TCPFlags // of TCP
	// key is the packet's own tuple.
	key tuple
	// quoted is that of the packet which an ICMP error quotes.
	quoted tuple
	// transport begins with the transport header; nil in later pieces.
	transport []byte
	// quotation is the packet that an ICMP error quotes.
	quotation []byte
	// piece says which packet this is a fragment of, if fragmented.
	fragmented bool
	piece      fragmentKey
}

// fragmentKey is what the fragments of a packet have in common (RFC 791, section 3.2; RFC 8200, section 4.5).
type fragmentKey struct {
	src, dst [16]byte
	id       uint32
	protocol uint8 // IPv4 only
	version  uint8
}

// read4 takes in a valid IPv4 packet.
func (p *packet) read4(h header.IPv4) {
	p.key.version, p.key.protocol = 4, h.Protocol()
	copy(p.key.src.addr[12:], h[12:16])
	copy(p.key.dst.addr[12:], h[16:20])
	offset := h.FragmentOffset()
	if offset != 0 || h.Flags()&header.IPv4FlagMoreFragments != 0 {
		p.fragmented = true
		p.piece = fragmentKey{p.key.src.addr, p.key.dst.addr, uint32(h.ID()), h.Protocol(), 4}
		if offset != 0 {
			p.kind = laterPiece
			return
		}
	}
	p.readTransport(h[h.HeaderLength():])
}

// read6 takes in a valid IPv6 packet.
func (p *packet) read6(h header.IPv6) {
	p.key.version = 6
	copy(p.key.src.addr[:], h[8:24])
	copy(p.key.dst.addr[:], h[24:40])
	protocol, id, fragmented, later, segment := walkExtensions(h.NextHeader(), h[header.IPv6MinimumSize:])
	p.key.protocol = protocol
	if fragmented {
		p.fragmented = true
		p.piece = fragmentKey{src: p.key.src.addr, dst: p.key.dst.addr, id: id, version: 6}
		if later {
			p.kind = laterPiece
			return
		}
	}
	if segment != nil {
		p.readTransport(segment)
	}
}

// walkExtensions is [skipExtensions] with what the fragment header says. segment is nil where the packet ends before it.
func walkExtensions(next uint8, rest []byte) (protocol uint8, id uint32, fragmented, later bool, segment []byte) {
	const unit = 8
	for header.IPv6ExtensionHeaderIdentifier(next) != header.IPv6FragmentExtHdrIdentifier {
		switch header.IPv6ExtensionHeaderIdentifier(next) {
		case header.IPv6HopByHopOptionsExtHdrIdentifier, header.IPv6RoutingExtHdrIdentifier, header.IPv6DestinationOptionsExtHdrIdentifier:
		default:
			return next, 0, false, false, rest
		}
		if len(rest) < unit || len(rest) < unit+unit*int(rest[1]) {
			return next, 0, false, false, nil
		}
		next, rest = rest[0], rest[unit+unit*int(rest[1]):]
	}
	if len(rest) < unit {
		return next, 0, false, false, nil
	}
	id = binary.BigEndian.Uint32(rest[4:])
	if binary.BigEndian.Uint16(rest[2:])>>3 != 0 {
		return rest[0], id, true, true, nil
	}
	protocol, segment = skipExtensions(rest[0], rest[unit:])
	return protocol, id, true, false, segment
}

func (p *packet) readTransport(b []byte) {
	p.transport = b
	switch p.key.protocol {
	case protocolTCP:
		if len(b) < header.TCPMinimumSize {
			return
		}
		p.readPorts(b)
		p.flags = header.TCP(b).Flags()
		const first = header.TCPFlagSyn | header.TCPFlagAck | header.TCPFlagRst | header.TCPFlagFin
		if p.kind = continuing; p.flags&first == header.TCPFlagSyn {
			p.kind = opening
		}
	case protocolUDP:
		if len(b) < header.UDPMinimumSize {
			return
		}
		p.readPorts(b)
		p.kind = opening
	case protocolICMP, protocolICMPv6:
		p.readICMP(b)
	default:
		p.kind = opening
	}
}

func (p *packet) readPorts(b []byte) {
	p.key.src.port, p.key.dst.port = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
}

func (p *packet) readICMP(b []byte) {
	if len(b) < header.ICMPv4MinimumSize {
		return
	}
	p.kind = lone
	if p.key.version == 4 && p.key.protocol == protocolICMP {
		switch header.ICMPv4Type(b[0]) {
		case header.ICMPv4Echo:
			p.kind, p.key.src.port = opening, binary.BigEndian.Uint16(b[4:])
		case header.ICMPv4EchoReply:
			p.kind, p.key.dst.port = continuing, binary.BigEndian.Uint16(b[4:])
		case header.ICMPv4DstUnreachable, header.ICMPv4TimeExceeded, header.ICMPv4ParamProblem:
			p.readQuotation4(b[header.ICMPv4MinimumSize:])
		}
	}
	if p.key.version == 6 && p.key.protocol == protocolICMPv6 {
		switch header.ICMPv6Type(b[0]) {
		case header.ICMPv6EchoRequest:
			p.kind, p.key.src.port = opening, binary.BigEndian.Uint16(b[4:])
		case header.ICMPv6EchoReply:
			p.kind, p.key.dst.port = continuing, binary.BigEndian.Uint16(b[4:])
		case header.ICMPv6DstUnreachable, header.ICMPv6PacketTooBig, header.ICMPv6TimeExceeded, header.ICMPv6ParamProblem:
			p.readQuotation6(b[header.ICMPv6ErrorHeaderSize:])
		case header.ICMPv6RouterSolicit, header.ICMPv6RouterAdvert, header.ICMPv6NeighborSolicit, header.ICMPv6NeighborAdvert, header.ICMPv6RedirectMsg:
			p.kind = neighboring
		}
	}
}

// readQuotation4 takes in the packet that an ICMP error quotes. An error about another one that didn't come from where the error
// goes is none.
func (p *packet) readQuotation4(b []byte) {
	segment, ok := payload4(b)
	if !ok || header.IPv4(b).FragmentOffset() != 0 {
		return
	}
	q := packet{key: tuple{protocol: b[9], version: 4}}
	copy(q.key.src.addr[12:], b[12:16])
	copy(q.key.dst.addr[12:], b[16:20])
	p.quote(&q, b, segment)
}

// readQuotation6 is readQuotation4 for ICMPv6.
func (p *packet) readQuotation6(b []byte) {
	if len(b) < header.IPv6MinimumSize || header.IPVersion(b) != header.IPv6Version {
		return
	}
	protocol, segment := skipExtensions(header.IPv6(b).NextHeader(), b[header.IPv6MinimumSize:])
	q := packet{key: tuple{protocol: protocol, version: 6}}
	copy(q.key.src.addr[:], b[8:24])
	copy(q.key.dst.addr[:], b[24:40])
	p.quote(&q, b, segment)
}

// quote takes in what the quoted packet q says. Of its transport header eight bytes are enough (RFC 792).
func (p *packet) quote(q *packet, b, segment []byte) {
	if len(segment) < 8 || q.key.src.addr != p.key.dst.addr {
		return
	}
	switch q.key.protocol {
	case protocolTCP, protocolUDP:
		q.readPorts(segment)
	case protocolICMP, protocolICMPv6:
		q.readICMP(segment[:8]) // so short that an error within has no quotation itself
		if q.kind == lone || q.kind == neighboring {
			return
		}
	}
	p.kind, p.quoted, p.quotation = quoting, q.key, b
}
