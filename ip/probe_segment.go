package ip

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

const (
	flagSYN = uint8(header.TCPFlagSyn)
	flagACK = uint8(header.TCPFlagAck)
)

// segmentKey is a connection as its own end sees it. IPv4 addresses are in the first four bytes.
type segmentKey struct {
	local, remote         [16]byte
	localPort, remotePort uint16
	v6                    bool
}

func (k *segmentKey) address(a [16]byte) netip.Addr {
	if k.v6 {
		return netip.AddrFrom16(a)
	}
	return netip.AddrFrom4([4]byte(a[:4]))
}

func (k *segmentKey) compare(other *segmentKey) int {
	return cmp.Or(bytes.Compare(k.local[:], other.local[:]), cmp.Compare(k.localPort, other.localPort),
		bytes.Compare(k.remote[:], other.remote[:]), cmp.Compare(k.remotePort, other.remotePort))
}

// segment is what a probe wants to know of a TCP segment.
type segment struct {
	src, dst         [16]byte
	srcPort, dstPort uint16
	v6               bool
	seq, ack         uint32
	flags            uint8
	payload          int
}

// parseSegment reads the headers of a frame that carries a whole TCP segment.
func parseSegment(frame []byte) (s segment, ok bool) {
	d := frame[header.EthernetMinimumSize:]
	switch binary.BigEndian.Uint16(frame[12:]) {
	case netem.EtherTypeIPv4:
		if len(d) < header.IPv4MinimumSize || d[9] != uint8(header.TCPProtocolNumber) || isFragment(frame) {
			return s, false
		}
		size, total := int(d[0]&0xf)*4, int(binary.BigEndian.Uint16(d[2:]))
		if size < header.IPv4MinimumSize || total < size || total > len(d) {
			return s, false
		}
		copy(s.src[:], d[12:16])
		copy(s.dst[:], d[16:20])
		d = d[size:total]
	case netem.EtherTypeIPv6:
		if len(d) < header.IPv6MinimumSize || d[6] != uint8(header.TCPProtocolNumber) {
			return s, false
		}
		total := header.IPv6MinimumSize + int(binary.BigEndian.Uint16(d[4:]))
		if total > len(d) {
			return s, false
		}
		s.v6 = true
		copy(s.src[:], d[8:24])
		copy(s.dst[:], d[24:40])
		d = d[header.IPv6MinimumSize:total]
	default:
		return s, false
	}
	if len(d) < header.TCPMinimumSize {
		return s, false
	}
	offset := int(d[12]>>4) * 4
	if offset < header.TCPMinimumSize || offset > len(d) {
		return s, false
	}
	s.srcPort, s.dstPort = binary.BigEndian.Uint16(d), binary.BigEndian.Uint16(d[2:])
	s.seq, s.ack, s.flags = binary.BigEndian.Uint32(d[4:]), binary.BigEndian.Uint32(d[8:]), d[13]
	s.payload = len(d) - offset
	return s, true
}
