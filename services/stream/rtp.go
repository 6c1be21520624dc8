package stream

import (
	"encoding/binary"
	"errors"
)

// rtpVersion is the only version there is (RFC 3550).
const rtpVersion = 2

// headerSize is that of an RTP header without contributing sources and extension.
const headerSize = 12

// errRTP is what decoding gives for bytes that are no RTP packet.
var errRTP = errors.New("not an RTP packet")

// header is the fixed part of an RTP packet's header (RFC 3550, section 5.1).
type header struct {
	marker      bool
	payloadType uint8 // 0 to 127
	sequence    uint16
	timestamp   uint32
	ssrc        uint32
}

// encode writes the header to the first headerSize bytes of b.
func (h header) encode(b []byte) {
	b[0] = rtpVersion << 6
	b[1] = h.payloadType & 0x7f
	if h.marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], h.sequence)
	binary.BigEndian.PutUint32(b[4:], h.timestamp)
	binary.BigEndian.PutUint32(b[8:], h.ssrc)
}

// decode takes an RTP packet apart. The payload is what remains without contributing sources, extension and padding.
func decode(b []byte) (h header, payload []byte, err error) {
	if len(b) < headerSize || b[0]>>6 != rtpVersion {
		return h, nil, errRTP
	}
	padded, extended, sources := b[0]&0x20 != 0, b[0]&0x10 != 0, int(b[0]&0x0f)
	h = header{
		marker: b[1]&0x80 != 0, payloadType: b[1] & 0x7f, sequence: binary.BigEndian.Uint16(b[2:]),
		timestamp: binary.BigEndian.Uint32(b[4:]), ssrc: binary.BigEndian.Uint32(b[8:]),
	}
	size := headerSize + 4*sources
	if extended {
		if len(b) < size+4 {
			return header{}, nil, errRTP
		}
		size += 4 + 4*int(binary.BigEndian.Uint16(b[size+2:]))
	}
	if len(b) < size {
		return header{}, nil, errRTP
	}
	payload = b[size:]
	if padded {
		if len(payload) == 0 {
			return header{}, nil, errRTP
		}
		n := int(payload[len(payload)-1])
		if n == 0 || n > len(payload) {
			return header{}, nil, errRTP
		}
		payload = payload[:len(payload)-n]
	}
	return h, payload, nil
}
