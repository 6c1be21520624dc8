package analysis

import (
	"encoding/binary"
	"math"
	"strconv"
)

// Operations of frames (RFC 6455, section 5.2).
const (
	webSocketContinuation = 0
	webSocketClose        = 8

	// maxWebSocketHeader is the length in bytes of the longest header of a frame.
	maxWebSocketHeader = 14
)

// webSocketNames are the operations. The first frame of a message tells its kind; its further ones are continuations.
var webSocketNames = map[byte]string{webSocketContinuation: "continuation", 1: "text", 2: "binary", webSocketClose: "close", 9: "ping", 10: "pong"}

// webSocket reads frames of RFC 6455. What is compressed (RFC 7692) stays so: sizes are those on the wire. A gap within the payload of
// a frame counts as that part of it; after any other the side is given up.
type webSocket struct {
	c     *channel
	sides [2]webSocketSide
}

// webSocketSide is what one side says.
type webSocketSide struct {
	header []byte
	need   int    // the length of the header as far as it is known
	left   uint64 // bytes of the payload that have not come
	size   uint64
	code   []byte // the first bytes of the payload of a frame close
	first  int
	lost   bool
}

func newWebSocket(c *channel) *webSocket {
	c.apps.analysis.WebSocket.Connections++
	c.stream.Protocol = "websocket"
	return &webSocket{c: c}
}

func (w *webSocket) data(f *Frame, side int, b []byte) {
	s := &w.sides[side]
	for len(b) > 0 && !s.lost {
		if len(s.header) == 0 {
			s.first, s.need = f.Number, 2
		}
		if len(s.header) < s.need {
			n := min(len(b), s.need-len(s.header))
			s.header, b = append(s.header, b[:n]...), b[n:]
			if len(s.header) == s.need {
				w.begin(f, side)
			}
			continue
		}
		n := min(uint64(len(b)), s.left)
		if s.header[0]&15 == webSocketClose && len(s.code) < 2 {
			s.code = append(s.code, b[:min(n, uint64(2-len(s.code)))]...)
		}
		s.left, b = s.left-n, b[n:]
		if s.left == 0 {
			w.whole(f, side)
		}
	}
}

// begin takes the header as far as it is there, and asks for more of it or goes on with the payload.
func (w *webSocket) begin(f *Frame, side int) {
	s := &w.sides[side]
	b := s.header
	need := 2
	switch b[1] & 0x7f {
	case 126:
		need += 2
	case 127:
		need += 8
	}
	if b[1]&0x80 != 0 {
		need += 4 // the mask
	}
	if s.need = need; len(b) < need {
		return
	}
	if webSocketNames[b[0]&15] == "" {
		w.lose(f, side, "an operation is not known")
		return
	}
	s.size = uint64(b[1] & 0x7f)
	switch s.size {
	case 126:
		s.size = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if s.size = binary.BigEndian.Uint64(b[2:]); s.size > math.MaxInt64-maxWebSocketHeader {
			w.lose(f, side, "a length is beyond all limits") // the first bit must be 0 (RFC 6455, section 5.2)
			return
		}
	}
	if s.left = s.size; s.left == 0 {
		w.whole(f, side)
	}
}

// whole takes a frame that is complete.
func (w *webSocket) whole(f *Frame, side int) {
	s := &w.sides[side]
	kind := webSocketNames[s.header[0]&15]
	counts := w.c.apps.analysis.WebSocket.FromClient
	if side == Server {
		counts = w.c.apps.analysis.WebSocket.FromServer
	}
	counts[kind]++
	w.c.apps.says(f, "websocket", s.first, len(s.header)+int(s.size), s.text)
	s.header, s.code = s.header[:0], s.code[:0]
}

// text says what a frame is.
func (s *webSocketSide) text() string {
	b := s.header
	text := "WebSocket " + webSocketNames[b[0]&15]
	switch {
	case b[0]&15 > webSocketClose:
	case b[0]&15 == webSocketClose:
		if len(s.code) == 2 {
			code := binary.BigEndian.Uint16(s.code)
			if b[1]&0x80 != 0 {
				code ^= binary.BigEndian.Uint16(b[len(b)-4:])
			}
			text += " " + strconv.Itoa(int(code))
		}
	default:
		text += " " + count(s.size, "byte")
		if b[0]&0x40 != 0 {
			text += " compressed"
		}
		if b[0]&0x80 == 0 {
			text += ", more follow"
		}
	}
	return text
}

// lose gives a side up.
func (w *webSocket) lose(f *Frame, side int, why string) {
	s := &w.sides[side]
	s.lost, s.header = true, nil
	w.c.apps.note(f, Notable, "websocket", "WebSocket of one side is not read further: "+why)
}

func (w *webSocket) gap(f *Frame, side int, n uint64) {
	s := &w.sides[side]
	switch {
	case s.lost:
	case len(s.header) > 0 && len(s.header) == s.need && s.header[0]&15 != webSocketClose && n <= s.left:
		s.left -= n
		if s.left == 0 {
			w.whole(f, side)
		}
	default:
		w.lose(f, side, "bytes are missing")
	}
}

func (w *webSocket) end(*Frame, int) {}
