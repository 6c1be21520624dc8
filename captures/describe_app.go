package captures

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// appLimit is how many characters a line says at most about the application.
const appLimit = 120

// domain is the port of name servers.
const domain = 53

// application says what the application sends in a segment with data; "" means that it isn't known. Of a connection that
// changes to frames (WebSocket, HTTP/2) c remembers where the next one begins; c is nil where segments are described
// singly. data is what was captured of the segment's data.
func (d *Describer) application(c *connection, from int, v *view, t *segment, data []byte) string {
	seq := t.seq
	if t.flags&flagSYN != 0 {
		seq++ // the SYN takes the first number
	}
	if c != nil && c.frames != nil {
		return shorten(c.frameText(from, seq, data, t.length))
	}
	text := ""
	switch first := data[0]; {
	case v.srcPort == domain || v.dstPort == domain:
		// Over TCP a message has its length before it (RFC 1035, section 4.2.2).
		if len(data) > 2 && int(be.Uint16(data)) >= t.length-2 {
			text = d.dns(data[2:], int(be.Uint16(data)) == len(data)-2)
		}
	case first >= tlsChangeCipherSpec && first <= tlsApplicationData:
		text = tlsText(data)
	case first >= 'A' && first <= 'Z':
		text = httpText(data)
		if c != nil {
			text = c.begin(text, from, seq, t, data)
		}
	}
	return shorten(text)
}

// begin recognises what changes a connection to frames: the preface of HTTP/2, and the answer that opens a WebSocket.
// text is what the segment's first line says; what follows in the same segment is added.
func (c *connection) begin(text string, from int, seq uint32, t *segment, data []byte) string {
	var head int
	switch {
	case text == http2Preface:
		head = len(http2Magic)
		c.frames = http2Frame
	case opensWebSocket(data):
		head = endOfHeader(data)
		c.frames = webSocketFrame
	default:
		return text
	}
	// The other side has sent nothing of the new kind that this segment doesn't acknowledge.
	c.edge[1-from] = t.ack
	c.edge[from] = seq + uint32(head)
	if head == 0 || head >= t.length {
		return text
	}
	rest := c.frameText(from, seq+uint32(head), data[min(head, len(data)):], t.length-head)
	if text == http2Preface {
		rest = strings.TrimPrefix(rest, "HTTP/2 ")
	}
	if rest == "" {
		return text
	}
	return text + ", " + rest
}

// A frameReader reads the frame that b begins with, up to whatever part of it was captured: its words and its size with
// the header in bytes. The size is 0 if b is too short for the header or no frame.
type frameReader func(b []byte) (text string, size int)

// maxFrame is the largest frame, in bytes, that is taken for one.
const maxFrame = 1 << 30

// frameText names the frames that begin in a segment with n bytes, of which data was captured. It knows where one begins
// if it has followed the direction so far. After a gap, and for what is sent again, it takes a segment for frames if they
// fill it exactly.
func (c *connection) frameText(from int, seq uint32, data []byte, n int) string {
	texts, end := c.walk(data, n, 0)
	if end != n && seq != c.edge[from] {
		offset := int(int32(c.edge[from] - seq))
		if offset <= 0 || offset >= n {
			return ""
		}
		texts, end = c.walk(data, n, offset)
	}
	if next := seq + uint32(end); !notAfter(next, c.edge[from]) {
		c.edge[from] = next
	}
	if len(texts) == 0 {
		return ""
	}
	protocol, _, _ := strings.Cut(texts[0], " ")
	for i := range texts {
		texts[i] = strings.TrimPrefix(texts[i], protocol+" ")
	}
	return protocol + " " + join(texts)
}

// walk reads frames from an offset on and returns where the next one begins, which may be beyond the segment.
func (c *connection) walk(data []byte, n, offset int) (texts []string, end int) {
	for offset < n && offset < len(data) {
		text, size := c.frames(data[offset:])
		if size == 0 {
			break
		}
		texts = append(texts, text)
		offset += size
	}
	return texts, offset
}

// join lists texts and counts those that repeat.
func join(texts []string) string {
	var s strings.Builder
	for i := 0; i < len(texts) && s.Len() <= appLimit; {
		n := 1
		for i+n < len(texts) && texts[i+n] == texts[i] {
			n++
		}
		if i > 0 {
			s.WriteString(", ")
		}
		s.WriteString(texts[i])
		if n > 1 {
			fmt.Fprintf(&s, " x%d", n)
		}
		i += n
	}
	return s.String()
}

// shorten cuts a text after appLimit characters, the last of which then says so.
func shorten(text string) string {
	if width(text) <= appLimit {
		return text
	}
	return string([]rune(text)[:appLimit-1]) + "…"
}

// width is how many columns a text takes.
func width(text string) int { return utf8.RuneCountInString(text) }

// printable returns bytes from outside as ASCII, with dots for what can't be printed, and not much more than a line says.
func printable(b []byte) string {
	out := append([]byte(nil), b[:min(len(b), appLimit+1)]...)
	for i, c := range out {
		if c < ' ' || c > '~' {
			out[i] = '.'
		}
	}
	return string(out)
}
