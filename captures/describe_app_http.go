package captures

import (
	"bytes"
	"fmt"
	"slices"
)

// methods are those of RFC 9110 and PATCH (RFC 5789).
var methods = []string{"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}

// http2Magic is the client's preface (RFC 9113, section 3.4), http2Preface what is said of it.
const (
	http2Magic   = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	http2Preface = "HTTP/2 preface"
)

// httpText returns the first line of a request or an answer, or "". The line may be cut by the end of the segment.
func httpText(b []byte) string {
	if bytes.HasPrefix(b, []byte(http2Magic)) {
		return http2Preface
	}
	line, _, whole := bytes.Cut(b, []byte("\r\n"))
	switch {
	case bytes.HasPrefix(line, []byte("HTTP/1.")):
	case !isRequest(line):
		return ""
	case whole && !bytes.Contains(line, []byte(" HTTP/1.")):
		return ""
	}
	return printable(line)
}

// isRequest says whether a line begins with a method and a target (RFC 9112, section 3.2): a path, a URL, * or, for
// CONNECT, a host.
func isRequest(line []byte) bool {
	word, target, found := bytes.Cut(line, []byte(" "))
	if !found || !slices.Contains(methods, string(word)) || len(target) == 0 {
		return false
	}
	return target[0] == '/' || target[0] == '*' || bytes.HasPrefix(target, []byte("http://")) || string(word) == "CONNECT"
}

// endOfHeader returns where the body of a message begins; 0 means in another segment.
func endOfHeader(b []byte) int {
	if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
		return i + 4
	}
	return 0
}

// http2Types are the names of the frame types (RFC 9113, section 6).
var http2Types = []string{"DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION"}

const (
	http2Data     = 0
	http2Settings = 4
	http2Ping     = 6
	http2Ack      = 1 // flag
)

// http2Frame reads a frame of HTTP/2, with its stream in brackets, as in Wireshark: "HEADERS[1]".
func http2Frame(b []byte) (text string, size int) {
	if len(b) < 9 || int(b[3]) >= len(http2Types) {
		return "", 0
	}
	length, kind, flags, stream := int(b[0])<<16|int(be.Uint16(b[1:])), b[3], b[4], be.Uint32(b[5:])&0x7fffffff
	text = "HTTP/2 " + http2Types[kind]
	if stream != 0 {
		text += fmt.Sprintf("[%d]", stream)
	}
	switch {
	case kind == http2Data:
		text += fmt.Sprintf(" %d B", length)
	case (kind == http2Settings || kind == http2Ping) && flags&http2Ack != 0:
		text += " ACK"
	}
	return text, 9 + length
}
