package analysis

import (
	"encoding/binary"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
)

// unpadded returns what a frame's payload holds without padding and, of HEADERS, priority. ok is false if it is too short for them.
func (g frame2) unpadded(b []byte) (content []byte, ok bool) {
	if g.flags&flagPadded != 0 {
		if len(b) == 0 || int(b[0]) >= len(b) {
			return nil, false
		}
		b = b[1 : len(b)-int(b[0])]
	}
	if g.kind == http2Headers && g.flags&flagPriority != 0 {
		if len(b) < 5 {
			return nil, false
		}
		b = b[5:]
	}
	return b, true
}

// headers takes a part of a header block: a frame HEADERS, PUSH_PROMISE or CONTINUATION.
func (h *http2Conn) headers(f *Frame, side int) {
	s := &h.sides[side]
	g := s.frame
	content := s.payload
	if g.kind != http2Continuation {
		s.opens, s.block = g, nil
		if content, _ = g.unpadded(content); g.kind == http2Push {
			if len(content) < 4 {
				h.says(f, g, "malformed")
				return
			}
			s.opens.stream = binary.BigEndian.Uint32(content) &^ (1 << 31) // the promised one
			content = content[4:]
		}
	}
	if len(s.block)+len(content) > maxBlock {
		h.lose(f, side, "a header block is too long")
		return
	}
	s.block = append(s.block, content...)
	if g.flags&flagEndHeaders == 0 {
		h.says(f, g, "more follow")
		return
	}
	block := s.block
	s.block, s.fields = nil, fields2{}
	if !s.blind {
		if _, err := s.decoder.Write(block); err != nil || s.decoder.Close() != nil {
			s.blind = true
			h.c.apps.note(f, Warning, "http2", "header blocks of one side can't be decoded further")
		}
	}
	detail := ""
	if !s.blind {
		detail = h.section(f, side, &s.fields)
	}
	if s.opens.kind == http2Push {
		detail = strings.TrimSpace("promises stream " + strconv.Itoa(int(s.opens.stream)) + " " + detail)
	}
	if s.opens.kind == http2Headers && s.opens.flags&flagEndStream != 0 {
		h.sideEnds(f, side, s.opens.stream)
	}
	h.says(f, g, detail)
}

// section takes the fields of a header block and says what it is.
func (h *http2Conn) section(f *Frame, side int, v *fields2) string {
	x, id := &h.c.apps.analysis.HTTP, h.sides[side].opens.stream
	s := h.streams[id]
	switch {
	case v.method != "":
		x.Requests2++
		e := &HTTPExchange{
			Stream: h.c.stream.Index, StreamID: id, Version: "HTTP/2", Method: v.method, Host: v.authority, Target: v.path,
			Request: f.Number, RequestAt: f.At,
		}
		if e.Target == "" {
			e.Target = v.authority // CONNECT
		}
		h.c.apps.exchange(e)
		if len(h.streams) < maxFollowed {
			// Of a promised request the client says nothing (RFC 9113, section 8.4).
			h.streams[id] = &stream2{exchange: e, ended: [2]bool{Client: side == Server}}
		}
		return v.method + " " + e.Target
	case v.status != "":
		x.Responses2++
		code, err := strconv.Atoi(v.status)
		if err != nil || code < 100 || code > 999 {
			x.Codes["malformed"]++
			return "malformed status"
		}
		x.Codes[strconv.Itoa(code)]++
		if s != nil && code >= 200 {
			s.exchange.Status, s.exchange.Response, s.exchange.FirstByte = code, f.Number, f.At-s.exchange.RequestAt
		}
		return v.status
	}
	return "trailers"
}

// body takes a frame DATA.
func (h *http2Conn) body(f *Frame, side int) {
	s := &h.sides[side]
	n := s.frame.size
	if s.frame.flags&flagPadded != 0 && len(s.payload) > 0 {
		n = max(0, n-1-int(s.payload[0]))
	}
	if stream := h.streams[s.frame.stream]; stream != nil {
		if side == Client {
			stream.exchange.RequestBytes += uint64(n)
		} else {
			stream.exchange.ResponseBytes += uint64(n)
		}
	}
	if s.frame.flags&flagEndStream != 0 {
		h.sideEnds(f, side, s.frame.stream)
	}
	h.says(f, s.frame, "")
}

// sideEnds notes that a side of a stream says no more.
func (h *http2Conn) sideEnds(f *Frame, side int, id uint32) {
	s := h.streams[id]
	if s == nil {
		return
	}
	s.ended[side] = true
	if side == Server && s.exchange.End == 0 {
		s.exchange.End, s.exchange.Took = f.Number, f.At-s.exchange.RequestAt
	}
	if s.ended[Client] && s.ended[Server] {
		delete(h.streams, id)
	}
}

// reset takes a frame RST_STREAM. After the response's end it only says that the rest of the request isn't wanted.
func (h *http2Conn) reset(f *Frame, side int) {
	g, b := h.sides[side].frame, h.sides[side].payload
	if s := h.streams[g.stream]; s != nil {
		s.exchange.Reset = !s.ended[Server]
		delete(h.streams, g.stream)
	}
	detail := ""
	if len(b) >= 4 {
		detail = http2.ErrCode(binary.BigEndian.Uint32(b)).String()
	}
	h.says(f, g, detail)
}
