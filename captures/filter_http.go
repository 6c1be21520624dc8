package captures

import (
	"bytes"
	"slices"
)

// Kinds of HTTP messages.
const (
	httpAny = iota
	httpRequest
	httpResponse
)

// readHTTP reads what may come after "http".
func readHTTP(p *filterParser, t token) (node, error) {
	i, err := p.kind(t, []string{"request", "response"})
	return node{op: opHTTP, value: uint16(i + 1)}, err // -1, neither of them, is httpAny
}

func (n *node) matchHTTP(data []byte) bool {
	if bytes.HasPrefix(data, []byte("HTTP/1.")) {
		return n.value != httpRequest
	}
	return n.value != httpResponse && beginsRequest(data)
}

// beginsRequest says whether b begins with a method and a target, as isRequest does, without allocating. A whole line has
// the version too.
func beginsRequest(b []byte) bool {
	line, _, whole := bytes.Cut(b, []byte("\r\n"))
	if whole && !bytes.Contains(line, []byte(" HTTP/1.")) {
		return false
	}
	word, target, _ := bytes.Cut(line, []byte(" "))
	if len(target) == 0 || !slices.ContainsFunc(methods, func(method string) bool { return method == string(word) }) {
		return false
	}
	return target[0] == '/' || target[0] == '*' || bytes.HasPrefix(target, []byte("http://")) || string(word) == "CONNECT"
}
