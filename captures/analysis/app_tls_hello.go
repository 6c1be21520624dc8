package analysis

import (
	"crypto/tls"

	"golang.org/x/crypto/cryptobyte"
)

// Extensions (IANA's registry of TLS ExtensionType values).
const (
	extensionServerName        = 0
	extensionALPN              = 16
	extensionEncryptThenMAC    = 22
	extensionPreSharedKey      = 41
	extensionEarlyData         = 42
	extensionSupportedVersions = 43
)

// retryRandom is the random by which a ServerHello is a HelloRetryRequest (RFC 8446, section 4.1.3).
var retryRandom = [32]byte{
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
}

// hello is what matters of a ClientHello, a ServerHello or EncryptedExtensions.
type hello struct {
	random     [32]byte
	version    uint16 // of a ServerHello: the one that was chosen
	suite      uint16 // of a ServerHello
	serverName string
	protocols  []string // ALPN: those offered, or the one that was chosen
	macLast    bool     // encrypt-then-MAC
	preShared  bool
	early      bool
}

// clientHello reads the body of a ClientHello (RFC 8446, section 4.1.2).
func (h *hello) clientHello(b []byte) bool {
	s := cryptobyte.String(b)
	var session, offered, compression cryptobyte.String
	if !s.ReadUint16(&h.version) || !s.CopyBytes(h.random[:]) || !s.ReadUint8LengthPrefixed(&session) ||
		!s.ReadUint16LengthPrefixed(&offered) || !s.ReadUint8LengthPrefixed(&compression) {
		return false
	}
	return h.extensions(s, false)
}

// serverHello reads the body of a ServerHello (RFC 8446, section 4.1.3).
func (h *hello) serverHello(b []byte) bool {
	s := cryptobyte.String(b)
	var session cryptobyte.String
	var compression uint8
	if !s.ReadUint16(&h.version) || !s.CopyBytes(h.random[:]) || !s.ReadUint8LengthPrefixed(&session) ||
		!s.ReadUint16(&h.suite) || !s.ReadUint8(&compression) {
		return false
	}
	return h.extensions(s, true)
}

// extensions reads the extensions with the length before them; TLS 1.2 may leave all of it out.
func (h *hello) extensions(s cryptobyte.String, ofServer bool) bool {
	if s.Empty() {
		return true
	}
	var list cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&list) {
		return false
	}
	for !list.Empty() {
		var kind uint16
		var body cryptobyte.String
		if !list.ReadUint16(&kind) || !list.ReadUint16LengthPrefixed(&body) {
			return false
		}
		switch kind {
		case extensionServerName:
			h.readServerName(body)
		case extensionALPN:
			h.readProtocols(body)
		case extensionEncryptThenMAC:
			h.macLast = true
		case extensionPreSharedKey:
			h.preShared = true
		case extensionEarlyData:
			h.early = true
		case extensionSupportedVersions:
			if ofServer {
				body.ReadUint16(&h.version)
			}
		}
	}
	return true
}

// readServerName reads RFC 6066, section 3. A server's answer is empty.
func (h *hello) readServerName(s cryptobyte.String) {
	var list, name cryptobyte.String
	var kind uint8
	if s.ReadUint16LengthPrefixed(&list) && list.ReadUint8(&kind) && kind == 0 && list.ReadUint16LengthPrefixed(&name) {
		h.serverName = printable(name)
	}
}

// readProtocols reads RFC 7301, section 3.1.
func (h *hello) readProtocols(s cryptobyte.String) {
	var list, name cryptobyte.String
	s.ReadUint16LengthPrefixed(&list)
	for len(h.protocols) < maxProtocols && list.ReadUint8LengthPrefixed(&name) {
		h.protocols = append(h.protocols, printable(name))
	}
}

// maxProtocols is how many offers of ALPN are kept.
const maxProtocols = 32

// maxText is how many characters of a text from the wire are kept.
const maxText = 2048

// printable returns bytes from the wire as ASCII, with dots for what can't be printed.
func printable(b []byte) string {
	out := append([]byte(nil), b[:min(len(b), maxText)]...)
	for i, c := range out {
		if c < ' ' || c > '~' {
			out[i] = '.'
		}
	}
	return string(out)
}

// tlsVersion names a version, "" for 0.
func tlsVersion(v uint16) string {
	if v == 0 {
		return ""
	}
	return tls.VersionName(v)
}
