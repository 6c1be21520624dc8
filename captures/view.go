package captures

import (
	"encoding/binary"
	"net/netip"
)

var be = binary.BigEndian

// etherHeader is the length of an Ethernet header.
const etherHeader = 14

// Ethernet types.
const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherIPv6 = 0x86dd
	etherVLAN = 0x8100 // IEEE 802.1Q
	etherQinQ = 0x88a8 // IEEE 802.1ad
)

// IP protocol numbers, which are next-header values in IPv6.
const (
	protoHopByHop = 0
	protoICMPv4   = 1
	protoTCP      = 6
	protoUDP      = 17
	protoRouting  = 43
	protoFragment = 44
	protoAuth     = 51
	protoICMPv6   = 58
	protoNone     = 59
	protoOptions  = 60
)

// view is what the headers of a frame say. Filters and descriptions are both made from it. Filling it allocates nothing.
type view struct {
	frame     []byte
	ethernet  bool // what frame begins with
	etherType uint16
	// network is the header and all that follows of what the Ethernet type announces.
	network []byte
	// version is 4, 6 or, for what is not IP, 0.
	version uint8
	// src and dst are the addresses in the IP header, or the sender and the target of an ARP packet.
	src, dst netip.Addr
	proto    uint8
	hops     uint8 // TTL or hop limit
	fragment fragment
	// hasPorts is false in later fragments and where the capture was cut before the ports.
	hasPorts         bool
	srcPort, dstPort uint16
	// payload is the transport header and what follows, as far as it was captured; length is how long it was on the wire.
	payload []byte
	length  int
	// problem is empty or says why the frame can't be read further.
	problem string
}

// fragment is a packet's place in the datagram that it was cut from. The zero value is a whole datagram.
type fragment struct {
	id     uint32
	offset int // in bytes
	more   bool
}

func (f fragment) whole() bool { return f.offset == 0 && !f.more }

// dissect reads the headers of an Ethernet frame.
func (v *view) dissect(frame []byte) {
	*v = view{frame: frame, ethernet: true}
	if len(frame) < etherHeader {
		v.problem = "shorter than an Ethernet header"
		return
	}
	v.etherType = be.Uint16(frame[12:])
	v.dissectNetwork(frame[etherHeader:])
}

// dissectNetwork reads what v.etherType announces.
func (v *view) dissectNetwork(b []byte) {
	v.network = b
	switch v.etherType {
	case etherARP:
		v.dissectARP(b)
	case etherIPv4:
		v.dissectIPv4(b)
	case etherIPv6:
		v.dissectIPv6(b)
	}
}

func (v *view) dissectARP(b []byte) {
	if len(b) < 28 {
		v.problem = "cut short"
		return
	}
	if be.Uint16(b) != 1 || be.Uint16(b[2:]) != etherIPv4 || b[4] != 6 || b[5] != 4 {
		v.problem = "not for IPv4 over Ethernet"
		return
	}
	v.src, v.dst = addr4(b[14:]), addr4(b[24:])
}

func (v *view) dissectIPv4(b []byte) {
	v.version = 4
	if len(b) < 20 {
		v.problem = "header cut short"
		return
	}
	header, total := int(b[0]&15)*4, int(be.Uint16(b[2:]))
	v.src, v.dst = addr4(b[12:]), addr4(b[16:])
	v.proto, v.hops = b[9], b[8]
	switch {
	case b[0]>>4 != 4:
		v.problem = "version in the header is not 4"
		return
	case header < 20 || total < header:
		v.problem = "lengths in the header are impossible"
		return
	case len(b) < header:
		v.problem = "header cut short"
		return
	}
	offset := be.Uint16(b[6:])
	v.fragment = fragment{id: uint32(be.Uint16(b[4:])), offset: int(offset&0x1fff) * 8, more: offset&0x2000 != 0}
	v.length = total - header
	v.payload = b[header:min(len(b), total)]
	v.dissectPorts()
}

func (v *view) dissectIPv6(b []byte) {
	v.version = 6
	if len(b) < 40 {
		v.problem = "header cut short"
		return
	}
	v.src, v.dst = addr6(b[8:]), addr6(b[24:])
	v.proto, v.hops = b[6], b[7]
	if b[0]>>4 != 6 {
		v.problem = "version in the header is not 6"
		return
	}
	v.length = int(be.Uint16(b[4:]))
	v.payload = b[40:min(len(b), 40+v.length)]
	v.walkExtensions()
	if v.problem == "" {
		v.dissectPorts()
	}
}

// walkExtensions skips the IPv6 extension headers (RFC 8200, section 4). Each is at least 8 bytes long, so it ends.
func (v *view) walkExtensions() {
	for {
		b := v.payload
		var n int
		switch v.proto {
		case protoHopByHop, protoRouting, protoOptions, protoAuth, protoFragment:
			if len(b) < 8 {
				v.problem = "extension header cut short"
				return
			}
			n = 8 + int(b[1])*8
			if v.proto == protoAuth {
				n = 8 + int(b[1])*4
			}
		default:
			return
		}
		if v.proto == protoFragment {
			n = 8
			offset := be.Uint16(b[2:])
			v.fragment = fragment{id: be.Uint32(b[4:]), offset: int(offset &^ 7), more: offset&1 != 0}
		}
		if n > len(b) {
			v.problem = "extension header cut short"
			return
		}
		v.proto, v.payload, v.length = b[0], b[n:], v.length-n
		if v.fragment.offset > 0 {
			return // the rest belongs to the middle of a datagram
		}
	}
}

func (v *view) dissectPorts() {
	if v.fragment.offset > 0 || v.proto != protoTCP && v.proto != protoUDP || len(v.payload) < 4 {
		return
	}
	v.hasPorts = true
	v.srcPort, v.dstPort = be.Uint16(v.payload), be.Uint16(v.payload[2:])
}

// hasAddresses says whether the frame has a header of IP up to the addresses, and so all that trafficClass, size and hops
// tell.
func (v *view) hasAddresses() bool { return v.version != 0 && v.src.IsValid() }

// trafficClass returns the byte with DSCP and ECN (RFC 2474, RFC 3168). v must have addresses.
func (v *view) trafficClass() uint8 {
	if v.version == 4 {
		return v.network[1]
	}
	return uint8(be.Uint16(v.network) >> 4)
}

// size returns the length of the IP packet in bytes, as its header has it. v must have addresses.
func (v *view) size() int {
	if v.version == 4 {
		return int(be.Uint16(v.network[2:]))
	}
	return 40 + int(be.Uint16(v.network[4:]))
}

func (v *view) isICMP() bool {
	return v.version == 4 && v.proto == protoICMPv4 || v.version == 6 && v.proto == protoICMPv6
}

// tcpFlags returns the flags of a TCP segment, and false if the frame has none.
func (v *view) tcpFlags() (uint8, bool) {
	if v.proto != protoTCP || v.fragment.offset > 0 || len(v.payload) < 14 {
		return 0, false
	}
	return v.payload[13], true
}

// isPureAck says whether the frame is a TCP segment that does nothing but acknowledge.
func (v *view) isPureAck() bool {
	flags, ok := v.tcpFlags()
	_, length, hasData := v.data()
	return ok && hasData && length == 0 && v.fragment.whole() && flags&(flagACK|flagSYN|flagFIN|flagRST) == flagACK
}

// data returns the payload of TCP, UDP or ICMP as far as it was captured, and how long it was on the wire. ok is false if
// the frame has no such payload, not even an empty one: other protocols, later fragments, impossible lengths.
func (v *view) data() (b []byte, length int, ok bool) {
	if v.fragment.offset > 0 {
		return nil, 0, false
	}
	header := 8
	b, length = v.payload, v.length
	switch {
	case v.proto == protoTCP && len(b) >= 13:
		if header = int(b[12]>>4) * 4; header < 20 {
			return nil, 0, false
		}
	case v.proto == protoUDP && len(b) >= 6:
		datagram := int(be.Uint16(b[4:])) // of a fragment it may be longer than the packet
		b, length = b[:min(len(b), datagram)], min(length, datagram)
	case v.isICMP():
	default:
		return nil, 0, false
	}
	if length < header {
		return nil, 0, false
	}
	return b[min(len(b), header):], length - header, true
}

func addr4(b []byte) netip.Addr { return netip.AddrFrom4([4]byte(b)) }
func addr6(b []byte) netip.Addr { return netip.AddrFrom16([16]byte(b)) }

// neighbourTarget returns whom an IPv6 neighbour solicitation or advertisement is about.
func (v *view) neighbourTarget() (netip.Addr, bool) {
	b := v.payload
	if v.version != 6 || v.proto != protoICMPv6 || v.fragment.offset > 0 || len(b) < 24 || b[0] != 135 && b[0] != 136 {
		return netip.Addr{}, false
	}
	return addr6(b[8:]), true
}
