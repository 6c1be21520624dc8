package ip

import (
	"encoding/binary"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// parseError4 reads an IPv4 packet that holds an ICMP error (RFC 792), and what that quotes of the packet that it is about.
func parseError4(packet []byte) (e ICMPError, ok bool) {
	m, ok := payload4(packet)
	if !ok || len(m) < header.ICMPv4MinimumSize {
		return e, false
	}
	message := header.ICMPv4(m)
	switch message.Type() {
	case header.ICMPv4DstUnreachable:
		if message.Code() == header.ICMPv4FragmentationNeeded {
			e.MTU = int(message.MTU())
		}
	case header.ICMPv4TimeExceeded, header.ICMPv4ParamProblem:
	default:
		return e, false
	}
	e.Type, e.Code = uint8(message.Type()), uint8(message.Code())
	quoted := header.IPv4(m[header.ICMPv4MinimumSize:])
	segment, ok := payload4(quoted)
	if !ok {
		return e, false
	}
	e.Protocol = quoted.Protocol()
	if quoted.FragmentOffset() != 0 {
		segment = nil // the ports are in another fragment
	}
	e.ports(toNetip(quoted.SourceAddress()), toNetip(quoted.DestinationAddress()), segment)
	return e, true
}

// payload4 returns what follows the header of an IPv4 packet, of which the end may be missing.
func payload4(packet []byte) ([]byte, bool) {
	h := header.IPv4(packet)
	if len(h) < header.IPv4MinimumSize || header.IPVersion(h) != header.IPv4Version ||
		int(h.HeaderLength()) < header.IPv4MinimumSize || int(h.HeaderLength()) > len(h) {
		return nil, false
	}
	return h[h.HeaderLength():], true
}

// parseError6 reads an ICMPv6 error (RFC 4443). The IPv6 header before it is gone already, as raw sockets have it (RFC 3542).
func parseError6(packet []byte) (e ICMPError, ok bool) {
	m := header.ICMPv6(packet)
	if len(m) < header.ICMPv6ErrorHeaderSize+header.IPv6MinimumSize {
		return e, false
	}
	switch m.Type() {
	case header.ICMPv6PacketTooBig:
		e.MTU = int(m.MTU())
	case header.ICMPv6DstUnreachable, header.ICMPv6TimeExceeded, header.ICMPv6ParamProblem:
	default:
		return e, false
	}
	e.Type, e.Code = uint8(m.Type()), uint8(m.Code())
	quoted := header.IPv6(m[header.ICMPv6ErrorHeaderSize:])
	if header.IPVersion(quoted) != header.IPv6Version {
		return e, false
	}
	var segment []byte
	e.Protocol, segment = skipExtensions(quoted.NextHeader(), quoted[header.IPv6MinimumSize:])
	e.ports(toNetip(quoted.SourceAddress()), toNetip(quoted.DestinationAddress()), segment)
	return e, true
}

// skipExtensions returns the transport protocol behind the extension headers of an IPv6 packet (RFC 8200, section 4), and
// its segment: nil in a later fragment. Where the quotation ends before, it is the header that was reached.
func skipExtensions(next uint8, rest []byte) (protocol uint8, segment []byte) {
	const unit, fragmentOffset = 8, ^uint16(7)
	for {
		size := unit
		switch header.IPv6ExtensionHeaderIdentifier(next) {
		case header.IPv6HopByHopOptionsExtHdrIdentifier, header.IPv6RoutingExtHdrIdentifier, header.IPv6DestinationOptionsExtHdrIdentifier:
			if len(rest) >= unit {
				size += unit * int(rest[1])
			}
		case header.IPv6FragmentExtHdrIdentifier:
			if len(rest) >= unit && binary.BigEndian.Uint16(rest[2:])&fragmentOffset != 0 {
				return rest[0], nil
			}
		default:
			return next, rest
		}
		if len(rest) < size {
			return next, nil
		}
		next, rest = rest[0], rest[size:]
	}
}

// ports fills in the addresses of the quoted packet, and the ports that its segment begins with.
func (e *ICMPError) ports(source, destination netip.Addr, segment []byte) {
	var from, to uint16
	switch tcpip.TransportProtocolNumber(e.Protocol) {
	case header.TCPProtocolNumber, header.UDPProtocolNumber:
		if len(segment) >= 4 {
			from, to = binary.BigEndian.Uint16(segment), binary.BigEndian.Uint16(segment[2:])
		}
	}
	e.Source, e.Destination = netip.AddrPortFrom(source, from), netip.AddrPortFrom(destination, to)
}
