package captures

import (
	"slices"
	"strings"
)

// tlsRecordTypes are the words for the content types of records.
var tlsRecordTypes = []wordNumber{
	{"handshake", tlsHandshake}, {"application", tlsApplicationData}, {"alert", tlsAlert},
	{"change-cipher-spec", tlsChangeCipherSpec},
}

// tlsFinished is the type of the message Finished.
const tlsFinished = 20

// tlsMessageTypes are the words for the handshake messages that can be seen (RFC 8446, section 4; RFC 5246, section 7.4; RFC
// 6066, section 8). HelloRequest is left out for the reason given at tlsMessages.
var tlsMessageTypes = []wordNumber{
	{"client-hello", tlsClientHello}, {"server-hello", 2}, {"certificate", 11}, {"server-key-exchange", 12}, {"certificate-request", 13},
	{"server-hello-done", 14}, {"certificate-verify", 15}, {"client-key-exchange", 16}, {"certificate-status", 22},
	{"new-session-ticket", 4}, {"finished", tlsFinished},
}

// tlsHidden are messages of TLS 1.3 that never are in clear.
var tlsHidden = []string{"encrypted-extensions", "end-of-early-data", "key-update"}

// wordNumber is a word for a number.
type wordNumber struct {
	word   string
	number uint16
}

func wordsOf(list []wordNumber) []string {
	var words []string
	for _, w := range list {
		words = append(words, w.word)
	}
	return words
}

// tlsMessageList names the messages for the documentation.
func tlsMessageList() string {
	words := wordsOf(tlsMessageTypes)
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// readTLS reads what may come after "tls".
func readTLS(p *filterParser, t token) (node, error) {
	if next := p.peek(); slices.Contains(tlsHidden, next.text) {
		return node{}, fault(next, "%s is always encrypted and can't be seen", next)
	}
	i, err := p.kind(t, slices.Concat(wordsOf(tlsRecordTypes), wordsOf(tlsMessageTypes)))
	records := len(tlsRecordTypes)
	switch {
	case err != nil || i < 0:
		return node{op: opTLS}, err
	case i < records:
		return node{op: opTLSRecord, value: tlsRecordTypes[i].number}, nil
	}
	return node{op: opTLSMessage, value: tlsMessageTypes[i-records].number}, nil
}

// tlsRecord reads the header of the record that b begins with: its content type and its length in bytes without the
// header. ok is false if there is none.
func tlsRecord(b []byte) (kind uint8, length int, ok bool) {
	if len(b) < 5 {
		return 0, 0, false
	}
	version, length := be.Uint16(b[1:]), int(be.Uint16(b[3:]))
	ok = b[0] >= tlsChangeCipherSpec && b[0] <= tlsApplicationData && version >= 0x0301 && version <= 0x0303 && length > 0 && length <= maxRecord
	return b[0], length, ok
}

// matchTLS looks at the records that begin in a segment.
func (n *node) matchTLS(data []byte) bool {
	encrypted := false
	for {
		kind, length, ok := tlsRecord(data)
		if !ok {
			return false
		}
		body := data[5:min(len(data), 5+length)]
		switch {
		case n.op == opTLS:
			return true
		case n.op == opTLSRecord && uint16(kind) == n.value:
			return true
		case n.op == opTLSMessage && kind == tlsHandshake && n.matchMessage(body, length, encrypted):
			return true
		}
		encrypted = encrypted || kind == tlsChangeCipherSpec
		data = data[5+len(body):]
	}
}

// matchMessage looks at the messages in a handshake record with length bytes, of which body is in the segment. After
// ChangeCipherSpec such a record is Finished, which is encrypted, or the second ClientHello of TLS 1.3 (RFC 8446, appendix
// D.4), which is not and fills its record.
func (n *node) matchMessage(body []byte, length int, encrypted bool) bool {
	if encrypted && (len(body) < 4 || body[0] != tlsClientHello || messageSize(body) != length) {
		return n.value == tlsFinished
	}
	found := false
	for offset := 0; offset+4 <= len(body); {
		kind := body[offset]
		found = found || uint16(kind) == n.value
		offset += messageSize(body[offset:])
		// An encrypted record looks like messages that are unknown or don't fit into it.
		if tlsMessages[kind] == "" || offset > length {
			return false
		}
	}
	return found
}

// messageSize returns the length in bytes of the handshake message that b begins with, with its header of 4 bytes.
func messageSize(b []byte) int { return 4 + int(b[1])<<16 + int(be.Uint16(b[2:])) }
