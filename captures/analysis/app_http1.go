package analysis

import (
	"bytes"

	"netlab/captures"
)

const (
	// maxHead is the length in bytes of the longest head of a message.
	maxHead = 1 << 16
	// maxOpen is how many requests may wait for responses on a connection.
	maxOpen = 10_000
)

// http1 reads HTTP/1.0 and 1.1 (RFC 9112). A gap within a body of known length counts as that part of it; after any other the side is
// given up.
type http1 struct {
	c     *channel
	sides [2]http1Side
	// open are the requests without a final response, the oldest first; held is the one that asks for another protocol: what its
	// side says after it depends on the response.
	open []*HTTPExchange
	held *HTTPExchange
}

// http1Side is what one side says.
type http1Side struct {
	mode  http1Mode
	head  []byte // of the message, or a line of chunked coding
	first int    // the frame in which the message began
	left  uint64 // of the body or the chunk
	line  string // the message's first
	at    int    // the frame with which the head was complete
	bytes uint64 // of the body, so far
	// exchange is what the message belongs to, nil for a response without a request; response tells which part of it.
	exchange *HTTPExchange
	response bool
	lost     bool
}

// http1Mode is what comes next.
type http1Mode int

const (
	modeHead http1Mode = iota
	modeLength
	modeClose // a body that the end of the connection ends
	modeChunkSize
	modeChunk
	modeChunkEnd
	modeTrailer
	modeHeld
)

func newHTTP1(c *channel) *http1 { return &http1{c: c} }

func (h *http1) data(f *Frame, side int, b []byte) {
	s := &h.sides[side]
	for len(b) > 0 && !s.lost && h.c.inner == h {
		switch s.mode {
		case modeHead:
			b = h.readHead(f, side, b)
		case modeLength, modeChunk:
			n := min(uint64(len(b)), s.left)
			s.left -= n
			s.bytes += n
			b = b[n:]
			if s.left == 0 {
				h.partEnds(f, side)
			}
		case modeClose:
			s.bytes += uint64(len(b))
			return
		case modeHeld:
			if len(s.head)+len(b) > maxHead {
				h.lose(f, side, "what follows a request for another protocol is too long")
				return
			}
			s.head = append(s.head, b...)
			return
		default:
			b = h.readLine(f, side, b)
		}
	}
}

// partEnds goes on after a body or a chunk.
func (h *http1) partEnds(f *Frame, side int) {
	if s := &h.sides[side]; s.mode == modeChunk {
		s.mode = modeChunkEnd
		return
	}
	h.bodyEnds(f, side)
}

// lose gives a side up.
func (h *http1) lose(f *Frame, side int, why string) {
	s := &h.sides[side]
	s.lost, s.head = true, nil
	h.c.apps.note(f, Notable, "http", "HTTP of one side is not read further: "+why)
}

func (h *http1) gap(f *Frame, side int, n uint64) {
	s := &h.sides[side]
	switch {
	case s.lost:
	case (s.mode == modeLength || s.mode == modeChunk) && n <= s.left:
		s.left -= n
		s.bytes += n
		if s.left == 0 {
			h.partEnds(f, side)
		}
	case s.mode == modeClose:
		if n != unknownGap {
			s.bytes += n
		}
	default:
		h.lose(f, side, "bytes are missing")
	}
}

func (h *http1) end(f *Frame, side int) {
	s := &h.sides[side]
	if f.isReset() {
		for _, e := range h.open {
			e.Reset = true
		}
		if s.response && s.exchange != nil && s.exchange.End == 0 {
			s.exchange.Reset = true
		}
		return
	}
	if s.mode == modeClose && !s.lost && f != nil {
		h.bodyEnds(f, side)
		s.lost = true
	}
}

// readHead takes bytes of a head and returns what follows it.
func (h *http1) readHead(f *Frame, side int, b []byte) []byte {
	s := &h.sides[side]
	if len(s.head) == 0 {
		// Empty lines before a message are allowed (RFC 9112, section 2.2).
		if b = bytes.TrimLeft(b, "\r\n"); len(b) == 0 {
			return nil
		}
		s.first = h.c.first(f, side)
	}
	known := len(s.head)
	s.head = append(s.head, b[:min(len(b), maxHead-known)]...)
	// What can't become a head isn't collected.
	if known < longestMethod && looksLikeHTTP(s.head) == no {
		h.lose(f, side, "no message begins where one should")
		return nil
	}
	n := endOfHead(s.head, max(0, known-3))
	if n == 0 {
		if len(s.head) == maxHead {
			h.lose(f, side, "the head is too long")
		}
		return nil
	}
	head := s.head[:n]
	s.head = nil
	h.message(f, side, head, b[n-known:])
	if h.c.inner != h {
		return nil // the message has changed the protocol, and what follows was handed over
	}
	return b[n-known:]
}

// endOfHead returns the length of the head that b begins with, 0 if it isn't complete; an end before from was looked for already.
func endOfHead(b []byte, from int) int {
	for {
		i := bytes.IndexByte(b[from:], '\n')
		if i < 0 {
			return 0
		}
		from += i + 1
		switch rest := b[from:]; {
		case len(rest) >= 1 && rest[0] == '\n':
			return from + 1
		case len(rest) >= 2 && rest[0] == '\r' && rest[1] == '\n':
			return from + 2
		}
	}
}

// message takes a whole head; rest is what follows it in the same call.
func (h *http1) message(f *Frame, side int, b, rest []byte) {
	s := &h.sides[side]
	m, ok := parseHead(b)
	if !ok {
		h.lose(f, side, "the head can't be read")
		return
	}
	h.c.stream.Protocol = "http"
	s.line, s.at, s.bytes, s.exchange, s.response = m.line, f.Number, 0, nil, m.status != 0
	h.c.apps.says(f, "http", s.first, len(b), func() string { return m.line })
	if s.response {
		h.response(f, side, m, rest)
	} else {
		h.request(f, side, m)
	}
}

// readLine takes bytes of a line of chunked coding (RFC 9112, section 7.1) and returns what follows it.
func (h *http1) readLine(f *Frame, side int, b []byte) []byte {
	s := &h.sides[side]
	i := bytes.IndexByte(b, '\n')
	n := len(b)
	if i >= 0 {
		n = i + 1
	}
	if len(s.head)+n > maxHead {
		h.lose(f, side, "a line of a chunked body is too long")
		return nil
	}
	s.head = append(s.head, b[:n]...)
	if i < 0 {
		return nil
	}
	line := bytes.TrimRight(s.head, "\r\n")
	s.head = s.head[:0]
	switch s.mode {
	case modeChunkSize:
		size, ok := chunkSize(line)
		if !ok {
			h.lose(f, side, "a chunk has no size")
			return nil
		}
		s.left, s.mode = size, modeChunk
		if size == 0 {
			s.mode = modeTrailer
		}
	case modeChunkEnd:
		s.mode = modeChunkSize
	case modeTrailer:
		if len(line) == 0 {
			s.head = nil
			h.bodyEnds(f, side)
		}
	}
	return b[n:]
}

// bodyEnds ends a message.
func (h *http1) bodyEnds(f *Frame, side int) {
	s := &h.sides[side]
	s.mode = modeHead
	e := s.exchange
	if s.at != f.Number {
		line, n := s.line, s.bytes
		h.c.apps.says(f, "http", s.first, int(n), func() string { return line + " (end, " + count(n, "byte") + ")" })
	}
	switch {
	case e == nil:
	case s.response:
		e.ResponseBytes = s.bytes
		e.End, e.Took = f.Number, f.At-e.RequestAt
	default:
		e.RequestBytes = s.bytes
		if e == h.held {
			s.mode = modeHeld
		}
	}
}

// isUpgrade says whether a request or a response asks for another protocol (RFC 9110, section 7.8).
func (m *head1) isUpgrade() bool {
	return m.header.Get("Upgrade") != "" && hasToken(m.header["Connection"], "upgrade")
}

// isReset says that a side ended because the connection was reset.
func (f *Frame) isReset() bool { return f != nil && f.Segment.Flags&captures.RST != 0 }
