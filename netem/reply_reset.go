package netem

import "encoding/binary"

// TCP flags.
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	flagPSH
	flagACK
)

const tcpHeader = 20 // in bytes, without options

// segment is a TCP segment in a frame.
type segment struct {
	ip       ipPacket
	seq, ack uint32
	length   uint32 // in sequence numbers: bytes of data, SYN and FIN
	flags    byte
}

// parseSegment finds the TCP segment in a frame. It isn't ok unless the segment is complete, in a packet that isn't a fragment.
func parseSegment(f *Frame) (s segment, ok bool) {
	if s.ip, ok = parseIP(f.Data); !ok || s.ip.protocol != protocolTCP || s.ip.fragment || !s.ip.whole || len(s.ip.payload) < tcpHeader {
		return s, false
	}
	t := s.ip.payload
	offset := int(t[12]>>4) * 4
	if offset < tcpHeader || offset > len(t) {
		return s, false
	}
	s.seq, s.ack, s.flags = binary.BigEndian.Uint32(t[4:]), binary.BigEndian.Uint32(t[8:]), t[13]
	s.length = uint32(len(t) - offset)
	if s.flags&flagSYN != 0 {
		s.length++
	}
	if s.flags&flagFIN != 0 {
		s.length++
	}
	return s, true
}

// resettable says whether a frame has a TCP segment that may be answered with a RST.
func resettable(f *Frame) bool {
	s, ok := parseSegment(f)
	return ok && s.flags&flagRST == 0 && s.ip.singular()
}

// resetSender is the RST with which a receiver that knows no such connection answers the segment (RFC 9293, sections 3.5.2 and
// 3.10.7.1): from the segment's own numbers, so that the sender accepts it.
func (s *segment) resetSender(e *Engine) *Frame {
	if s.flags&flagACK != 0 {
		return s.rst(e, true, s.ack, 0, flagRST)
	}
	return s.rst(e, true, 0, s.seq+s.length, flagRST|flagACK)
}

// resetReceiver is the RST with which the sender aborts the connection in place of sending the segment (RFC 9293, section 3.10.5).
// Its number is the one that the receiver expects next if it has received all before. A SYN counts as received, because a RST for a
// connection that is not yet there is ignored whatever its number; one in answer to a SYN is believed for its
// acknowledgement (section 3.10.7.3), which an established connection doesn't mind.
func (s *segment) resetReceiver(e *Engine) *Frame {
	seq, ack, flags := s.seq, uint32(0), byte(flagRST)
	if s.flags&flagSYN != 0 {
		seq++
	}
	if s.flags&flagACK != 0 {
		ack, flags = s.ack, flagRST|flagACK
	}
	return s.rst(e, false, seq, ack, flags)
}

// rst makes a RST to one of the ends.
func (s *segment) rst(e *Engine, back bool, seq, ack uint32, flags byte) *Frame {
	f, t := s.ip.forge(e, back, protocolTCP, tcpHeader)
	copy(t, s.ip.payload[:4])
	if back {
		copy(t, s.ip.payload[2:4])
		copy(t[2:], s.ip.payload[:2])
	}
	binary.BigEndian.PutUint32(t[4:], seq)
	binary.BigEndian.PutUint32(t[8:], ack)
	t[12], t[13] = tcpHeader/4<<4, flags
	binary.BigEndian.PutUint16(t[16:], checksum(s.ip.pseudoHeader(protocolTCP, tcpHeader), t))
	return f
}
