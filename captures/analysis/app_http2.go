package analysis

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Types of frames (RFC 9113, section 6) that are looked into.
const (
	http2Data         = byte(http2.FrameData)
	http2Headers      = byte(http2.FrameHeaders)
	http2Reset        = byte(http2.FrameRSTStream)
	http2Settings     = byte(http2.FrameSettings)
	http2Push         = byte(http2.FramePushPromise)
	http2Ping         = byte(http2.FramePing)
	http2GoAway       = byte(http2.FrameGoAway)
	http2Continuation = byte(http2.FrameContinuation)
)

// Flags of frames (RFC 9113, section 6).
const (
	flagEndStream  = 1
	flagACK        = 1 // of SETTINGS and PING
	flagEndHeaders = 4
	flagPadded     = 8
	flagPriority   = 0x20
)

const (
	http2Header = 9 // bytes
	// maxBlock is the length in bytes of the longest header block, maxTable that of the largest table that it may ask for. Which size the
	// peer has allowed in its SETTINGS needs no look: what the sender makes of it stands in the blocks (RFC 7541, section 6.3).
	maxBlock = 1 << 18
	maxTable = 1 << 20
	// maxFollowed is how many streams of a connection are followed at the same time.
	maxFollowed = 10_000
)

// http2Conn reads HTTP/2 (RFC 9113). A gap within DATA counts as that part of it; after any other the side is given up. If a header
// block can't be decoded the side's further ones are not, but its frames are counted.
type http2Conn struct {
	c       *channel
	sides   [2]http2Side
	streams map[uint32]*stream2
}

// http2Side is what one side says.
type http2Side struct {
	preface int // bytes of it that have come
	ready   bool
	header  []byte
	frame   frame2
	keep    int    // how many bytes of the payload are collected
	payload []byte // these
	left    int    // bytes of the payload that have not come
	block   []byte // of headers that are not complete
	opens   frame2 // the frame that began block
	decoder *hpack.Decoder
	fields  fields2
	lost    bool
	blind   bool // header blocks can't be decoded
}

// frame2 is the header of a frame.
type frame2 struct {
	kind, flags byte
	stream      uint32
	size        int // of the payload in bytes
	first       int // the frame of the capture in which it began
}

// stream2 is a stream with its exchange.
type stream2 struct {
	exchange *HTTPExchange
	ended    [2]bool
}

// fields2 are the pseudo-header fields (RFC 9113, section 8.3).
type fields2 struct{ method, path, authority, status string }

func newHTTP2(c *channel) *http2Conn {
	h := &http2Conn{c: c, streams: map[uint32]*stream2{}}
	for side := range h.sides {
		s := &h.sides[side]
		s.ready = side == Server
		s.decoder = hpack.NewDecoder(4096, func(f hpack.HeaderField) {
			switch f.Name {
			case ":method":
				s.fields.method = printable([]byte(f.Value))
			case ":path":
				s.fields.path = printable([]byte(f.Value))
			case ":authority":
				s.fields.authority = printable([]byte(f.Value))
			case ":status":
				s.fields.status = printable([]byte(f.Value))
			}
		})
		s.decoder.SetAllowedMaxDynamicTableSize(maxTable)
		s.decoder.SetMaxStringLength(maxBlock)
	}
	c.stream.Protocol = "http2"
	return h
}

// firstStream makes a request of HTTP/1.1 that asked for HTTP/2 the first stream.
func (h *http2Conn) firstStream(e *HTTPExchange) {
	h.streams[1] = &stream2{exchange: e, ended: [2]bool{Client: true}}
}

func (h *http2Conn) data(f *Frame, side int, b []byte) {
	s := &h.sides[side]
	for len(b) > 0 && !s.lost {
		switch {
		case !s.ready:
			if b[0] != preface[s.preface] {
				h.lose(f, side, "the preface is missing")
				return
			}
			b = b[1:]
			if s.preface++; s.preface == len(preface) {
				s.ready = true
				h.c.apps.says(f, "http2", h.c.first(f, side), len(preface), func() string { return "HTTP/2 preface" })
			}
		case len(s.header) < http2Header:
			if len(s.header) == 0 {
				s.frame.first = h.c.first(f, side)
			}
			n := min(len(b), http2Header-len(s.header))
			s.header, b = append(s.header, b[:n]...), b[n:]
			if len(s.header) == http2Header {
				h.begin(f, side)
			}
		default:
			n := min(len(b), s.left)
			if kept := min(n, s.keep-len(s.payload)); kept > 0 {
				s.payload = append(s.payload, b[:kept]...)
			}
			s.left, b = s.left-n, b[n:]
			if s.left == 0 {
				h.whole(f, side)
			}
		}
	}
}

// begin takes the header of a frame.
func (h *http2Conn) begin(f *Frame, side int) {
	s := &h.sides[side]
	b := s.header
	s.frame.size = int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	s.frame.kind, s.frame.flags = b[3], b[4]
	s.frame.stream = binary.BigEndian.Uint32(b[5:]) &^ (1 << 31)
	s.left = s.frame.size
	switch s.frame.kind {
	case http2Headers, http2Push, http2Continuation:
		s.keep = s.left
		if s.left > maxBlock {
			h.lose(f, side, "a header block is too long")
			return
		}
	case http2Data:
		s.keep = 1 // the length of the padding
	default:
		s.keep = 8
	}
	if s.left == 0 {
		h.whole(f, side)
	}
}

// whole takes a frame that is complete.
func (h *http2Conn) whole(f *Frame, side int) {
	s := &h.sides[side]
	h.c.apps.analysis.HTTP.Frames2[http2Name(s.frame.kind)]++
	f.carries("http2")
	switch s.frame.kind {
	case http2Data:
		h.body(f, side)
	case http2Headers, http2Push, http2Continuation:
		h.headers(f, side)
	case http2Reset:
		h.reset(f, side)
	default:
		h.says(f, s.frame, s.frame.detail(s.payload))
	}
	s.header, s.payload = s.header[:0], s.payload[:0]
	if cap(s.payload) > 1<<12 {
		s.payload = nil
	}
}

// http2Name names a type of frames.
func http2Name(kind byte) string {
	if kind > http2Continuation {
		return fmt.Sprintf("type %d", kind)
	}
	return http2.FrameType(kind).String()
}

// says adds a frame to the messages: "HTTP/2 DATA stream 1: 1200 bytes".
func (h *http2Conn) says(f *Frame, g frame2, detail string) {
	if h.c.apps.analyzer.options.Frame == nil {
		return
	}
	h.c.apps.says(f, "http2", g.first, http2Header+g.size, func() string {
		text := "HTTP/2 " + http2Name(g.kind)
		if g.stream != 0 {
			text += fmt.Sprintf(" stream %d", g.stream)
		}
		switch {
		case (g.kind == http2Settings || g.kind == http2Ping) && g.flags&flagACK != 0:
			text += " ACK"
		case g.kind == http2Data:
			text += ": " + count(uint64(g.size), "byte")
			if g.flags&flagEndStream != 0 {
				text += ", end"
			}
		case detail != "":
			text += ": " + detail
		}
		return text
	})
}

// detail says what a frame that opens and closes nothing holds, where that matters.
func (g frame2) detail(b []byte) string {
	if g.kind == http2GoAway && len(b) >= 8 {
		return fmt.Sprintf("last stream %d, %s", binary.BigEndian.Uint32(b)&^(1<<31), http2.ErrCode(binary.BigEndian.Uint32(b[4:])))
	}
	return ""
}

// lose gives a side up.
func (h *http2Conn) lose(f *Frame, side int, why string) {
	s := &h.sides[side]
	s.lost, s.header, s.payload, s.block = true, nil, nil, nil
	h.c.apps.note(f, Notable, "http2", "HTTP/2 of one side is not read further: "+why)
}

func (h *http2Conn) gap(f *Frame, side int, n uint64) {
	s := &h.sides[side]
	switch {
	case s.lost:
	case len(s.header) == http2Header && s.frame.kind == http2Data && n <= uint64(s.left) && (len(s.payload) > 0 || s.frame.flags&flagPadded == 0):
		s.left -= int(n)
		if s.left == 0 {
			h.whole(f, side)
		}
	default:
		h.lose(f, side, "bytes are missing")
	}
}

func (h *http2Conn) end(f *Frame, _ int) {
	if f.isReset() {
		for _, s := range h.streams {
			s.exchange.Reset = s.exchange.Reset || !s.ended[Server]
		}
	}
}
