package analysis

import (
	"bytes"
	"crypto"
	"crypto/hkdf"
	"crypto/hmac"
	"encoding/hex"

	"golang.org/x/crypto/cryptobyte"
)

// secrets are those of TLS sessions, by the random of their ClientHello.
type secrets map[[32]byte]*sessionSecrets

// sessionSecrets are what a key log tells of a session.
type sessionSecrets struct {
	master []byte // of TLS 1.2
	// handshake and traffic are those of TLS 1.3 (RFC 8446, section 7.1) for what Client and Server send.
	handshake, traffic [2][]byte
}

// maxSecret is the length in bytes of the longest secret: the output of the longest hash.
const maxSecret = 64

// add takes lines of a key log in NSS's format (draft-ietf-tls-keylogfile): a label, the random and the secret in hexadecimal. What is
// none of them is skipped.
func (s *secrets) add(log []byte) {
	for line := range bytes.Lines(log) {
		fields := bytes.Fields(line)
		if len(fields) != 3 || hex.DecodedLen(len(fields[1])) != 32 || hex.DecodedLen(len(fields[2])) > maxSecret {
			continue
		}
		var random [32]byte
		secret := make([]byte, hex.DecodedLen(len(fields[2])))
		if _, err := hex.Decode(random[:], fields[1]); err != nil {
			continue
		}
		if _, err := hex.Decode(secret, fields[2]); err != nil {
			continue
		}
		if *s == nil {
			*s = secrets{}
		}
		session := (*s)[random]
		if session == nil {
			session = &sessionSecrets{}
		}
		switch string(fields[0]) {
		case "CLIENT_RANDOM":
			session.master = secret
		case "CLIENT_HANDSHAKE_TRAFFIC_SECRET":
			session.handshake[Client] = secret
		case "SERVER_HANDSHAKE_TRAFFIC_SECRET":
			session.handshake[Server] = secret
		case "CLIENT_TRAFFIC_SECRET_0":
			session.traffic[Client] = secret
		case "SERVER_TRAFFIC_SECRET_0":
			session.traffic[Server] = secret
		default:
			continue
		}
		(*s)[random] = session
	}
}

// expandLabel is HKDF-Expand-Label with an empty context (RFC 8446, section 7.1).
func expandLabel(hash crypto.Hash, secret []byte, label string, n int) ([]byte, error) {
	var info cryptobyte.Builder
	info.AddUint16(uint16(n))
	info.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte("tls13 " + label)) })
	info.AddUint8(0)
	return hkdf.Expand(hash.New, secret, string(info.BytesOrPanic()), n)
}

// nextSecret is the secret after a KeyUpdate (RFC 8446, section 7.2).
func nextSecret(hash crypto.Hash, secret []byte) ([]byte, error) {
	return expandLabel(hash, secret, "traffic upd", hash.Size())
}

// prf is the pseudorandom function of TLS 1.2 (RFC 5246, section 5).
func prf(hash crypto.Hash, secret []byte, label string, seed []byte, n int) []byte {
	seed = append([]byte(label), seed...)
	h := hmac.New(hash.New, secret)
	sum := func(parts ...[]byte) []byte {
		h.Reset()
		for _, part := range parts {
			h.Write(part)
		}
		return h.Sum(nil)
	}
	var out []byte
	for a := sum(seed); len(out) < n; a = sum(a) {
		out = append(out, sum(a, seed)...)
	}
	return out[:n]
}
