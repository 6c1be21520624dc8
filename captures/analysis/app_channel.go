package analysis

import (
	"bytes"
	"math"
)

const (
	// domain is the port of name servers.
	domain = 53
	// maxDepth is how deep protocols may carry each other: a tunnel in TLS in a tunnel and so on.
	maxDepth = 4
	// unknownGap is the length of a gap that can't be told.
	unknownGap = math.MaxUint64
)

// channel is a stream of bytes in each direction whose protocol is found out: a connection, or what TLS or a tunnel carries. It
// looks at the first bytes of either side. What it doesn't know it skips.
type channel struct {
	apps   *applications
	stream *TCPStream
	depth  int
	inner  application // nil until the protocol is known
	// waiting are the bytes that don't tell the protocol yet, at most maxLine and a segment; began is the frame in which they began, 0 if
	// there are none. lost are the sides of which bytes are missing since, ended those that have ended.
	waiting [2][]byte
	began   [2]int
	lost    [2]bool
	ended   [2]bool
}

func (c *channel) data(f *Frame, side int, b []byte) {
	if c.inner != nil {
		c.inner.data(f, side, b)
		return
	}
	if c.lost[side] {
		return
	}
	head := b
	if len(c.waiting[side]) > 0 {
		head = append(c.waiting[side], b...)
	}
	inner, more := c.detect(head)
	if more {
		if len(c.waiting[side]) == 0 {
			c.began[side], head = f.Number, bytes.Clone(b) // the bytes are valid during the call only
		}
		c.waiting[side] = head
		return
	}
	waiting := c.waiting
	c.waiting = [2][]byte{}
	c.inner = inner
	for s := range waiting {
		if len(waiting[s]) > 0 {
			c.inner.data(f, s, waiting[s])
		}
		c.began[s] = 0
		if c.lost[s] {
			c.inner.gap(f, s, unknownGap)
		}
		if c.ended[s] {
			c.inner.end(f, s)
		}
	}
	c.inner.data(f, side, b)
}

// first returns the frame in which the bytes of a side at hand began.
func (c *channel) first(f *Frame, side int) int {
	if n := c.began[side]; n != 0 {
		return n
	}
	return f.Number
}

func (c *channel) gap(f *Frame, side int, n uint64) {
	if c.inner != nil {
		c.inner.gap(f, side, n)
		return
	}
	c.lost[side] = true
}

func (c *channel) end(f *Frame, side int) {
	c.ended[side] = true
	if c.inner != nil {
		c.inner.end(f, side)
	}
}

// become goes on with another protocol, to which a side has said rest already.
func (c *channel) become(f *Frame, inner application, rest [2][]byte) {
	c.inner = inner
	for side, b := range rest {
		if len(b) > 0 {
			c.inner.data(f, side, b)
		}
		if c.ended[side] {
			c.inner.end(f, side)
		}
	}
}

// expect goes on with the protocol that TLS has agreed upon (ALPN, RFC 7301), if it is one that is known.
func (c *channel) expect(protocol string) {
	if c.inner != nil {
		return
	}
	switch protocol {
	case "h2":
		c.inner = newHTTP2(c)
	case "http/1.1", "http/1.0":
		c.inner = newHTTP1(c)
	}
}

// preface is what a client of HTTP/2 says first (RFC 9113, section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// detect tells the protocol by the first bytes of a side; more says that these are too few.
func (c *channel) detect(b []byte) (inner application, more bool) {
	switch {
	case looksLikeTLS(b):
		if len(b) < 5 {
			return nil, true
		}
		if c.depth+1 < maxDepth {
			return newTLS(c), false
		}
	case bytes.HasPrefix(b, []byte(preface)), looksLikeSettings(b):
		return newHTTP2(c), false
	case bytes.HasPrefix([]byte(preface), b), len(b) < 9 && bytes.HasPrefix([]byte{0, 0}, b[:min(len(b), 2)]):
		return nil, true
	default:
		switch beginsHTTP(b) {
		case yes:
			return newHTTP1(c), false
		case maybe:
			return nil, true
		}
	}
	return silent{}, false
}

// answer is what a few bytes tell of a protocol.
type answer int

const (
	no answer = iota
	maybe
	yes
)

// looksLikeSettings says whether b begins with the frame that a server of HTTP/2 says first (RFC 9113, section 3.4).
func looksLikeSettings(b []byte) bool {
	return len(b) >= 9 && b[0] == 0 && b[3] == http2Settings && (int(b[1])<<8|int(b[2]))%6 == 0 && bytes.Equal(b[4:9], make([]byte, 5))
}

// silent reads nothing.
type silent struct{}

func (silent) data(*Frame, int, []byte) {}
func (silent) gap(*Frame, int, uint64)  {}
func (silent) end(*Frame, int)          {}
