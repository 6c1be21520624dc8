package captures

import (
	"crypto/tls"
	"strings"
)

// Types of TLS records (RFC 8446, section 5.1).
const (
	tlsChangeCipherSpec = 20
	tlsAlert            = 21
	tlsHandshake        = 22
	tlsApplicationData  = 23
)

// maxRecord is the length in bytes of the longest record, that of TLS 1.2 (RFC 5246, section 6.2.3).
const maxRecord = 1<<14 + 2048

const tlsClientHello = 1

// tlsMessages are the messages of a handshake that can be seen in clear. HelloRequest, type 0, is none of them: an encrypted
// message may begin with a nonce of zeros, and looks like it.
var tlsMessages = map[byte]string{
	tlsClientHello: "ClientHello", 2: "ServerHello", 4: "NewSessionTicket", 11: "Certificate", 12: "ServerKeyExchange",
	13: "CertificateRequest", 14: "ServerHelloDone", 15: "CertificateVerify", 16: "ClientKeyExchange", 20: "Finished",
	22: "CertificateStatus",
}

// tlsText names the records that a segment begins with, by what is not encrypted of them; "" means that there are none.
func tlsText(b []byte) string {
	var texts []string
	encrypted := false
	for len(b) >= 5 {
		kind, version, length := b[0], be.Uint16(b[1:]), int(be.Uint16(b[3:]))
		if kind < tlsChangeCipherSpec || kind > tlsApplicationData || version < 0x0301 || version > 0x0303 || length == 0 || length > maxRecord {
			break
		}
		body := b[5:min(len(b), 5+length)]
		switch kind {
		case tlsChangeCipherSpec:
			texts = append(texts, "ChangeCipherSpec")
			encrypted = true
		case tlsAlert:
			texts = append(texts, alertText(body, length))
		case tlsHandshake:
			texts = append(texts, handshakeTexts(body, length, encrypted)...)
		case tlsApplicationData:
			texts = append(texts, "application data")
		}
		b = b[5+len(body):]
	}
	if texts == nil {
		return ""
	}
	return "TLS " + join(texts)
}

// alertText names an alert. In clear it has two bytes, the level and the kind.
func alertText(body []byte, length int) string {
	if length != 2 || len(body) < 2 {
		return "alert (encrypted)"
	}
	return "alert: " + strings.TrimPrefix(tls.AlertError(body[1]).Error(), "tls: ")
}

// handshakeTexts names the messages in a handshake record with length bytes, of which body was in the segment. After
// ChangeCipherSpec comes Finished; of an encrypted record in a segment of its own no more can be told than that.
func handshakeTexts(body []byte, length int, encrypted bool) []string {
	if encrypted {
		return []string{"Finished"}
	}
	var texts []string
	for offset := 0; offset+4 <= len(body); {
		name := tlsMessages[body[offset]]
		message := body[offset:]
		size := 4 + int(message[1])<<16 + int(be.Uint16(message[2:]))
		if name == "" || offset+size > length {
			return []string{"handshake"}
		}
		if message[0] == tlsClientHello {
			if server := serverName(message[4:min(len(message), size)]); server != "" {
				name += " (" + server + ")"
			}
		}
		texts = append(texts, name)
		offset += size
	}
	if texts == nil {
		return []string{"handshake"}
	}
	return texts
}

// serverName returns the name in a ClientHello's extension server_name (RFC 6066, section 3), or "" if there is none
// within b.
func serverName(b []byte) string {
	r := bytesReader{b}
	r.skip(2 + 32)         // version and random
	r.skip(int(r.uint8())) // session
	r.skip(int(r.uint16()))
	r.skip(int(r.uint8())) // compression
	r.skip(2)              // length of the extensions
	for len(r.b) > 0 {
		kind, n := r.uint16(), int(r.uint16())
		if kind != 0 {
			r.skip(n)
			continue
		}
		r.skip(2) // length of the list
		if r.uint8() != 0 {
			return ""
		}
		n = int(r.uint16())
		if n > len(r.b) {
			return ""
		}
		return printable(r.b[:n])
	}
	return ""
}

// bytesReader reads numbers; beyond the end they are 0.
type bytesReader struct{ b []byte }

func (r *bytesReader) skip(n int) { r.b = r.b[min(n, len(r.b)):] }

func (r *bytesReader) uint8() (n uint8) {
	if len(r.b) >= 1 {
		n = r.b[0]
	}
	r.skip(1)
	return n
}

func (r *bytesReader) uint16() (n uint16) {
	if len(r.b) >= 2 {
		n = be.Uint16(r.b)
	}
	r.skip(2)
	return n
}
