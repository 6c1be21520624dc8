package netem

import "encoding/binary"

// The codepoints of the ECN field (RFC 3168, section 5): the two low bits of IPv4's type of service and of IPv6's traffic class.
// The other two, ECT(0) and ECT(1), say that the endpoints take part.
const (
	notECT                = 0
	congestionExperienced = 3
)

// congestion returns a frame's ECN codepoint; what isn't IP is notECT.
func congestion(f *Frame) byte { return trafficClass(f) & 3 }

// trafficClass returns the byte of an IP packet that has DSCP and ECN, 0 for what isn't IP.
func trafficClass(f *Frame) byte {
	d := f.Data
	switch f.EtherType() {
	case EtherTypeIPv4:
		if len(d) >= etherHeader+20 {
			return d[etherHeader+1]
		}
	case EtherTypeIPv6:
		if len(d) >= etherHeader+40 {
			return d[etherHeader]<<4 | d[etherHeader+1]>>4
		}
	}
	return 0
}

// setCongestionExperienced sets both bits of an IP packet's ECN field. The header checksum of IPv4 changes with it, so
// that one that was wrong stays wrong.
func setCongestionExperienced(f *Frame) {
	ip := f.Data[etherHeader:]
	if f.EtherType() == EtherTypeIPv6 {
		ip[1] |= congestionExperienced << 4
		return
	}
	before := binary.BigEndian.Uint16(ip)
	ip[1] |= congestionExperienced
	const checksum = 10
	sum := ^binary.BigEndian.Uint16(ip[checksum:])
	binary.BigEndian.PutUint16(ip[checksum:], ^onesAdd(onesAdd(sum, ^before), binary.BigEndian.Uint16(ip)))
}

// onesAdd is the sum in ones' complement: a changed header has the checksum ~(~HC + ~m + m') (RFC 1624, equation 3).
func onesAdd(a, b uint16) uint16 {
	sum := uint32(a) + uint32(b)
	return uint16(sum) + uint16(sum>>16)
}
