package http

import (
	"bytes"
	"net"
	"sync/atomic"
)

// strictListener is a listener whose connections refuse requests of HTTP/1.1 that two programs may read differently.
type strictListener struct{ net.Listener }

// Accept implements net.Listener.
func (l strictListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &strictConn{Conn: conn}, nil
}

// strictConn reads along with net/http, line by line, and knows where each request begins and ends (RFC 9112, sections 2.2, 5, 6 and
// 7.1). Where something is ambiguous it gives net/http instead what is surely neither a header field nor a chunk, which net/http answers
// with 400 before it closes the connection, and drops the rest. What goes on beside HTTP/1.1, which is HTTP/2 and hijacked connections, it passes on.
type strictConn struct {
	net.Conn
	off atomic.Bool // not HTTP/1.1, or not any more

	in    [4096]byte
	ready []byte // judged, for net/http
	part  []byte // of a line that isn't complete
	bad   bool   // what comes is dropped
	frame framing
}

// NetConn returns the connection below, as that of crypto/tls's Conn does.
func (c *strictConn) NetConn() net.Conn { return c.Conn }

// CloseWrite ends the direction to the client.
func (c *strictConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return c.Conn.Close()
}

// Read implements net.Conn. As net/http reads, one goroutine does so at a time.
func (c *strictConn) Read(p []byte) (int, error) {
	for len(c.ready) == 0 && len(p) > 0 {
		if c.off.Load() {
			if len(c.part) == 0 {
				return c.Conn.Read(p)
			}
			c.ready, c.part = c.part, nil
			break
		}
		n, err := c.Conn.Read(c.in[:])
		c.take(c.in[:n])
		if err != nil && len(c.ready) == 0 {
			return 0, err // half a line is of no use
		}
	}
	n := copy(p, c.ready)
	c.ready = c.ready[n:]
	return n, nil
}

// maxLine is how long a line may be that is looked at as a whole. Longer ones are no framing, and other limits hold for them.
const maxLine = 16 << 10

// take judges what has arrived.
func (c *strictConn) take(data []byte) {
	out := c.ready[:0]
	for len(data) > 0 && !c.bad {
		f := &c.frame
		if f.data > 0 { // of a body
			n := int(min(f.data, uint64(len(data))))
			out, data = append(out, data[:n]...), data[n:]
			f.data -= uint64(n)
			continue
		}
		if f.over {
			out, data = append(out, data...), nil
			c.off.Store(true)
			break
		}
		i := bytes.IndexByte(data, '\n')
		if i < 0 {
			c.part, data = append(c.part, data...), nil
		} else {
			c.part, data = append(c.part, data[:i+1]...), data[i+1:]
		}
		if i < 0 && len(c.part) <= maxLine {
			break
		}
		if c.bad = !f.line(c.part, i >= 0); c.bad {
			out = append(out, "\x00\r\n\r\n"...)
		} else {
			out = append(out, c.part...)
		}
		c.part = c.part[:0]
	}
	c.ready = out
}

// part is where in a request a line stands.
type part int

const (
	requestLine part = iota
	fields
	chunkSize
	chunkEnd // the line's end after a chunk
	trailers
)

// framing follows the requests of a connection.
type framing struct {
	at      part
	within  bool   // a line that was too long goes on
	data    uint64 // that is left of a body or of a chunk
	over    bool   // this is not HTTP/1.1
	old     bool   // HTTP/1.0
	length  *uint64
	chunked bool
}

// line says whether a line with its end, or the beginning of one that is too long, makes sense where it stands.
func (f *framing) line(line []byte, complete bool) bool {
	if f.within {
		f.within = !complete
		return true
	}
	if !complete {
		f.within = true
		if f.at != fields && f.at != requestLine || framingField(line) || line[0] == ' ' || line[0] == '\t' {
			return false
		}
		if f.at == requestLine {
			f.begin(line)
		}
		return true
	}
	text, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok || bytes.ContainsAny(text, "\r\x00") {
		return false
	}
	switch f.at {
	case requestLine:
		if len(text) > 0 { // empty lines before a request are ignored (RFC 9112, section 2.2)
			f.begin(text)
		}
		return true
	case fields:
		return f.field(text)
	case chunkSize:
		return f.chunk(text)
	case chunkEnd:
		f.at = chunkSize
		if len(text) > 0 {
			return false
		}
	case trailers:
		if len(text) == 0 {
			f.at = requestLine
		}
	}
	return true
}

// begin takes a request line, or its beginning.
func (f *framing) begin(line []byte) {
	*f = framing{at: fields, within: f.within, old: bytes.HasSuffix(line, []byte(" HTTP/1.0"))}
	f.over = bytes.Equal(line, []byte("PRI * HTTP/2.0")) // what a client with HTTP/2 sends first (RFC 9113, section 3.4)
}

// field takes a header field, or the empty line behind the last.
func (f *framing) field(line []byte) bool {
	if len(line) == 0 {
		return f.body()
	}
	if line[0] == ' ' || line[0] == '\t' {
		return false // a line folding (obs-fold), which some join and others don't
	}
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(name) == 0 || bytes.ContainsAny(name, " \t") {
		return false
	}
	value = bytes.Trim(value, " \t")
	switch {
	case bytes.EqualFold(name, []byte("Content-Length")):
		n, ok := decimal(value)
		if !ok || f.length != nil {
			return false
		}
		f.length = &n
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		if f.chunked || f.old || !bytes.EqualFold(value, []byte("chunked")) {
			return false
		}
		f.chunked = true
	}
	return true
}

// framingField says whether a line begins with one of the fields that say how long a body is.
func framingField(line []byte) bool {
	name, _, _ := bytes.Cut(line, []byte(":"))
	return bytes.EqualFold(name, []byte("Content-Length")) || bytes.EqualFold(name, []byte("Transfer-Encoding"))
}

// body is what follows a header.
func (f *framing) body() bool {
	switch {
	case f.chunked && f.length != nil:
		return false
	case f.chunked:
		f.at = chunkSize
	default:
		f.at = requestLine
		if f.length != nil {
			f.data = *f.length
		}
	}
	return true
}

// chunk takes the line before a chunk.
func (f *framing) chunk(line []byte) bool {
	size, _, _ := bytes.Cut(line, []byte(";"))
	size = bytes.TrimRight(size, " \t")
	const digits = 15 // so that it can't overflow
	if len(size) == 0 || len(size) > digits {
		return false
	}
	var n uint64
	for _, d := range size {
		switch {
		case d >= '0' && d <= '9':
			n = n<<4 | uint64(d-'0')
		case d|0x20 >= 'a' && d|0x20 <= 'f':
			n = n<<4 | uint64(d|0x20-'a'+10)
		default:
			return false
		}
	}
	if n == 0 {
		f.at = trailers
		return true
	}
	f.at, f.data = chunkEnd, n
	return true
}

// decimal reads a number of digits alone.
func decimal(text []byte) (n uint64, ok bool) {
	const digits = 18 // so that it can't overflow
	if len(text) == 0 || len(text) > digits {
		return 0, false
	}
	for _, d := range text {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = n*10 + uint64(d-'0')
	}
	return n, true
}
