package analysis

import (
	"bufio"
	"bytes"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// maxLine is the length in bytes of the longest first line by which HTTP is recognised: what RFC 9112, section 3, asks of everybody.
const maxLine = 8000

// head1 is the head of a message.
type head1 struct {
	line    string // the first
	version string
	method  string // of requests
	target  string
	status  int // of responses, else 0
	header  textproto.MIMEHeader
}

// beginsHTTP says whether b begins with the first line of a message, a whole one (RFC 9112, sections 3 and 4). Other protocols have
// lines that begin with the same words.
func beginsHTTP(b []byte) answer {
	line, _, whole := bytes.Cut(b, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	isControl := func(c rune) bool { return c < ' ' || c == 0x7f }
	switch {
	case looksLikeHTTP(line) == no, len(line) > maxLine, bytes.ContainsFunc(line, isControl):
		return no
	case !whole:
		return maybe
	}
	if _, ok := parseLine(string(line)); !ok {
		return no
	}
	return yes
}

// looksLikeHTTP says whether b begins with the first word of a message.
func looksLikeHTTP(b []byte) answer {
	const version = "HTTP/1."
	if bytes.HasPrefix(b, []byte(version)) {
		return yes
	}
	if bytes.HasPrefix([]byte(version), b) {
		return maybe
	}
	word, _, whole := bytes.Cut(b, []byte(" "))
	for _, method := range methods {
		switch {
		case whole && string(word) == method:
			return yes
		case !whole && strings.HasPrefix(method, string(word)):
			return maybe
		}
	}
	return no
}

// methods are those of RFC 9110, PATCH (RFC 5789) and WebDAV (RFC 4918).
var methods = []string{
	"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
	"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK",
}

// longestMethod is the length in bytes of the longest of methods with the space after it.
const longestMethod = 10

// parseHead reads a head with the empty line at its end.
func parseHead(b []byte) (m *head1, ok bool) {
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(b)))
	line, err := r.ReadLine()
	if err != nil {
		return nil, false
	}
	if m, ok = parseLine(line); !ok {
		return nil, false
	}
	m.header, err = r.ReadMIMEHeader()
	return m, err == nil
}

// parseLine reads a request line or a status line.
func parseLine(line string) (m *head1, ok bool) {
	m = &head1{line: printable([]byte(line))}
	if strings.HasPrefix(line, "HTTP/") {
		version, rest, _ := strings.Cut(line, " ")
		code, _, _ := strings.Cut(rest, " ")
		m.version = version
		var err error
		if m.status, err = strconv.Atoi(code); err != nil || m.status < 100 || m.status > 999 {
			return nil, false
		}
	} else {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			return nil, false
		}
		m.method, m.target, m.version = fields[0], printable([]byte(fields[1])), fields[2]
	}
	if minor, found := strings.CutPrefix(m.version, "HTTP/1."); !found || len(minor) != 1 || minor[0] < '0' || minor[0] > '9' {
		return nil, false
	}
	return m, true
}

// hasToken says whether a list in headers has a token.
func hasToken(values []string, token string) bool {
	for _, value := range values {
		for word := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(word), token) {
				return true
			}
		}
	}
	return false
}

// length returns how the body is delimited (RFC 9112, section 6), for messages that may have one; otherwise is how if the head
// doesn't say. ok is false if the length can't be read.
func (m *head1) length(otherwise http1Mode) (mode http1Mode, n uint64, ok bool) {
	if coding := m.header["Transfer-Encoding"]; len(coding) > 0 {
		if hasToken(coding[len(coding)-1:], "chunked") {
			return modeChunkSize, 0, true
		}
		return otherwise, 0, true
	}
	lengths := m.header["Content-Length"]
	if len(lengths) == 0 {
		return otherwise, 0, true
	}
	for i, text := range lengths {
		l, err := strconv.ParseUint(strings.TrimSpace(text), 10, 63)
		if err != nil || i > 0 && l != n {
			return 0, 0, false
		}
		n = l
	}
	return modeLength, n, true
}

// chunkSize reads the line before a chunk, without extensions.
func chunkSize(line []byte) (n uint64, ok bool) {
	digits, _, _ := strings.Cut(string(line), ";")
	n, err := strconv.ParseUint(strings.TrimSpace(digits), 16, 63)
	return n, err == nil
}

// request takes the head of a request.
func (h *http1) request(f *Frame, side int, m *head1) {
	s, p := &h.sides[side], h.c.apps
	p.analysis.HTTP.Requests++
	if len(h.open) == maxOpen {
		h.lose(f, side, "too many requests without response")
		return
	}
	e := &HTTPExchange{
		Stream: h.c.stream.Index, Version: m.version, Method: m.method, Host: printable([]byte(m.header.Get("Host"))), Target: m.target,
		Request: f.Number, RequestAt: f.At,
	}
	p.exchange(e)
	s.exchange = e
	h.open = append(h.open, e)
	if m.method == http.MethodConnect || m.isUpgrade() {
		h.held = e
	}
	if m.method == http.MethodConnect {
		s.mode = modeHeld
		return
	}
	h.begin(f, side, m, modeHead)
}

// begin goes on with the body of a message, if it has one.
func (h *http1) begin(f *Frame, side int, m *head1, otherwise http1Mode) {
	s := &h.sides[side]
	mode, n, ok := m.length(otherwise)
	switch {
	case !ok:
		h.lose(f, side, "the body's length can't be read")
	case mode == modeHead || mode == modeLength && n == 0:
		h.bodyEnds(f, side)
	default:
		s.mode, s.left = mode, n
	}
}

// exchange keeps an exchange.
func (p *applications) exchange(e *HTTPExchange) {
	if x := &p.analysis.HTTP; p.analyzer.room(len(x.Exchanges)) {
		x.Exchanges = append(x.Exchanges, e)
	}
}

// response takes the head of a response; rest is what follows it.
func (h *http1) response(f *Frame, side int, m *head1, rest []byte) {
	s, x := &h.sides[side], &h.c.apps.analysis.HTTP
	x.Responses++
	x.Codes[strconv.Itoa(m.status)]++
	if m.status < 200 {
		x.Informational++
	}
	if m.status < 200 && m.status != http.StatusSwitchingProtocols {
		return
	}
	if len(h.open) > 0 {
		s.exchange, h.open = h.open[0], h.open[1:]
	}
	e := s.exchange
	method := ""
	if e != nil {
		method = e.Method
		e.Status, e.Response, e.FirstByte = m.status, f.Number, f.At-e.RequestAt
	}
	switch {
	case m.status == http.StatusSwitchingProtocols:
		h.bodyEnds(f, side)
		h.become(f, side, h.upgraded(m), rest)
		return
	case method == http.MethodConnect && m.status < 300:
		h.bodyEnds(f, side)
		h.become(f, side, h.tunnel(), rest)
		return
	case method == http.MethodHead || m.status == http.StatusNoContent || m.status == http.StatusNotModified:
		h.bodyEnds(f, side)
	default:
		h.begin(f, side, m, modeClose)
	}
	if e != nil && e == h.held {
		h.refused(f, 1-side)
	}
}

// refused goes on with a side whose request for another protocol was not granted.
func (h *http1) refused(f *Frame, side int) {
	h.held = nil
	s := &h.sides[side]
	if s.mode == modeHeld {
		waiting := s.head
		s.mode, s.head = modeHead, nil
		h.data(f, side, waiting)
	}
}

// become goes on with another protocol after a response of that side.
func (h *http1) become(f *Frame, side int, inner application, rest []byte) {
	var left [2][]byte
	left[side] = rest
	left[1-side] = h.sides[1-side].head
	h.c.become(f, inner, left)
}

// upgraded is what the connection becomes after a response with code 101.
func (h *http1) upgraded(m *head1) application {
	switch protocol := m.header.Get("Upgrade"); {
	case strings.EqualFold(protocol, "websocket"):
		return newWebSocket(h.c)
	case strings.EqualFold(protocol, "h2c"):
		return h.upgradedHTTP2()
	}
	return silent{}
}

// upgradedHTTP2 is what the connection becomes if it was upgraded to HTTP/2 (RFC 7540, section 3.2): the request is its first stream.
func (h *http1) upgradedHTTP2() application {
	c := newHTTP2(h.c)
	if h.held != nil {
		c.firstStream(h.held)
	}
	return c
}

// tunnel is what the connection becomes after CONNECT.
func (h *http1) tunnel() application {
	if h.c.depth+1 >= maxDepth {
		return silent{}
	}
	return &channel{apps: h.c.apps, stream: h.c.stream, depth: h.c.depth + 1}
}

// count says how many there are.
func count(n uint64, what string) string {
	text := strconv.FormatUint(n, 10) + " " + what
	if n != 1 {
		text += "s"
	}
	return text
}
