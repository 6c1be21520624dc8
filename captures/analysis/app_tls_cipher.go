package analysis

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	_ "crypto/sha1" // for the suites
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"
)

// suite is what a cipher suite says about the protection of records.
type suite struct {
	name  string // "" for those that crypto/tls knows
	kind  suiteKind
	key   int         // bytes
	hash  crypto.Hash // of the key schedule
	mac   crypto.Hash // of CBC
	since uint16      // the version that it belongs to
}

type suiteKind int

const (
	gcm suiteKind = iota
	chacha
	cbc
)

// suites are those that can be decrypted. How the keys were agreed upon makes no difference.
var suites = map[uint16]*suite{
	tls.TLS_AES_128_GCM_SHA256:       {"", gcm, 16, crypto.SHA256, 0, tls.VersionTLS13},
	tls.TLS_AES_256_GCM_SHA384:       {"", gcm, 32, crypto.SHA384, 0, tls.VersionTLS13},
	tls.TLS_CHACHA20_POLY1305_SHA256: {"", chacha, 32, crypto.SHA256, 0, tls.VersionTLS13},

	tls.TLS_RSA_WITH_AES_128_GCM_SHA256: {"", gcm, 16, crypto.SHA256, 0, tls.VersionTLS12},
	tls.TLS_RSA_WITH_AES_256_GCM_SHA384: {"", gcm, 32, crypto.SHA384, 0, tls.VersionTLS12},
	0x009e:                              {"TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", gcm, 16, crypto.SHA256, 0, tls.VersionTLS12},
	0x009f:                              {"TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", gcm, 32, crypto.SHA384, 0, tls.VersionTLS12},
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:       {"", gcm, 16, crypto.SHA256, 0, tls.VersionTLS12},
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:       {"", gcm, 32, crypto.SHA384, 0, tls.VersionTLS12},
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:         {"", gcm, 16, crypto.SHA256, 0, tls.VersionTLS12},
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:         {"", gcm, 32, crypto.SHA384, 0, tls.VersionTLS12},
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:   {"", chacha, 32, crypto.SHA256, 0, tls.VersionTLS12},
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: {"", chacha, 32, crypto.SHA256, 0, tls.VersionTLS12},
	0xccaa: {"TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", chacha, 32, crypto.SHA256, 0, tls.VersionTLS12},

	tls.TLS_RSA_WITH_AES_128_CBC_SHA:         {"", cbc, 16, crypto.SHA256, crypto.SHA1, tls.VersionTLS12},
	tls.TLS_RSA_WITH_AES_256_CBC_SHA:         {"", cbc, 32, crypto.SHA256, crypto.SHA1, tls.VersionTLS12},
	0x0033:                                   {"TLS_DHE_RSA_WITH_AES_128_CBC_SHA", cbc, 16, crypto.SHA256, crypto.SHA1, tls.VersionTLS12},
	0x0039:                                   {"TLS_DHE_RSA_WITH_AES_256_CBC_SHA", cbc, 32, crypto.SHA256, crypto.SHA1, tls.VersionTLS12},
	tls.TLS_RSA_WITH_AES_128_CBC_SHA256:      {"", cbc, 16, crypto.SHA256, crypto.SHA256, tls.VersionTLS12},
	0x003d:                                   {"TLS_RSA_WITH_AES_256_CBC_SHA256", cbc, 32, crypto.SHA256, crypto.SHA256, tls.VersionTLS12},
	0x0067:                                   {"TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", cbc, 16, crypto.SHA256, crypto.SHA256, tls.VersionTLS12},
	0x006b:                                   {"TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", cbc, 32, crypto.SHA256, crypto.SHA256, tls.VersionTLS12},
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: {"", cbc, 16, crypto.SHA256, crypto.SHA1, tls.VersionTLS12},
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: {"", cbc, 32, crypto.SHA256, crypto.SHA1, tls.VersionTLS12},
	tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA:   {"", cbc, 16, crypto.SHA256, crypto.SHA1, tls.VersionTLS12},
	tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA:   {"", cbc, 32, crypto.SHA256, crypto.SHA1, tls.VersionTLS12},
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: {"", cbc, 16, crypto.SHA256, crypto.SHA256, tls.VersionTLS12},
	tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256:   {"", cbc, 16, crypto.SHA256, crypto.SHA256, tls.VersionTLS12},
	0xc024: {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", cbc, 32, crypto.SHA384, crypto.SHA384, tls.VersionTLS12},
	0xc028: {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", cbc, 32, crypto.SHA384, crypto.SHA384, tls.VersionTLS12},
}

// suiteName is the name in IANA's registry, or the number where it isn't known.
func suiteName(id uint16) string {
	if s := suites[id]; s != nil && s.name != "" {
		return s.name
	}
	return tls.CipherSuiteName(id)
}

// opener takes the protection off the records of one direction.
type opener interface {
	// open decrypts a record, which is given with its header of 5 bytes, and appends what was in it to dst. sequence counts the
	// records since the keys changed.
	open(dst []byte, sequence uint64, record []byte) ([]byte, error)
}

// errRecord says that a record was not made with the keys that are known.
var errRecord = errors.New("the record does not open with these keys")

// newAEAD returns the cipher of a suite that has one.
func (s *suite) newAEAD(key []byte) (cipher.AEAD, error) {
	if s.kind == chacha {
		return chacha20poly1305.New(key)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// aead13 opens records of TLS 1.3 (RFC 8446, section 5.2 and 5.3). The content's type is the last byte that isn't 0.
type aead13 struct {
	aead      cipher.AEAD
	iv, nonce [12]byte
}

// newOpener13 makes the keys of a direction from its secret (RFC 8446, section 7.3).
func (s *suite) newOpener13(secret []byte) (opener, error) {
	key, err := expandLabel(s.hash, secret, "key", s.key)
	if err != nil {
		return nil, err
	}
	o := &aead13{}
	iv, err := expandLabel(s.hash, secret, "iv", len(o.iv))
	if err != nil {
		return nil, err
	}
	copy(o.iv[:], iv)
	o.aead, err = s.newAEAD(key)
	return o, err
}

func (o *aead13) open(dst []byte, sequence uint64, record []byte) ([]byte, error) {
	o.nonce = o.iv
	xorSequence(&o.nonce, sequence)
	return o.aead.Open(dst, o.nonce[:], record[recordHeader:], record[:recordHeader])
}

func xorSequence(nonce *[12]byte, sequence uint64) {
	binary.BigEndian.PutUint64(nonce[4:], binary.BigEndian.Uint64(nonce[4:])^sequence)
}

// newOpener12 makes the keys of what side sends from the master secret (RFC 5246, section 6.3).
func (s *suite) newOpener12(master, clientRandom, serverRandom []byte, side int, macFirst bool) (opener, error) {
	var macLength, ivLength int
	switch s.kind {
	case gcm:
		ivLength = 4
	case chacha:
		ivLength = 12
	case cbc:
		macLength = s.mac.Size()
	}
	seed := append(append([]byte(nil), serverRandom...), clientRandom...)
	block := prf(s.hash, master, "key expansion", seed, 2*(macLength+s.key+ivLength))
	part := func(n int) []byte {
		mine := block[side*n:][:n]
		block = block[2*n:]
		return mine
	}
	macKey, key, iv := part(macLength), part(s.key), part(ivLength)
	if s.kind == cbc {
		b, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		return &cbc12{block: b, mac: hmac.New(s.mac.New, macKey), macFirst: macFirst}, nil
	}
	o := &aead12{explicit: s.kind == gcm}
	copy(o.iv[:], iv)
	var err error
	o.aead, err = s.newAEAD(key)
	return o, err
}

// aead12 opens records of TLS 1.2 with AES-GCM (RFC 5288), which carry a part of the nonce, or ChaCha20-Poly1305 (RFC 7905).
type aead12 struct {
	aead      cipher.AEAD
	explicit  bool
	iv, nonce [12]byte
	extra     [13]byte
}

func (o *aead12) open(dst []byte, sequence uint64, record []byte) ([]byte, error) {
	o.nonce = o.iv
	body := record[recordHeader:]
	if o.explicit {
		if len(body) < 8 {
			return nil, errRecord
		}
		copy(o.nonce[4:], body[:8])
		body = body[8:]
	} else {
		xorSequence(&o.nonce, sequence)
	}
	if len(body) < o.aead.Overhead() {
		return nil, errRecord
	}
	authenticated(&o.extra, sequence, record, len(body)-o.aead.Overhead())
	return o.aead.Open(dst, o.nonce[:], body, o.extra[:])
}

// authenticated puts together what is authenticated of a record besides its content, which has n bytes (RFC 5246, section 6.2.3.3).
func authenticated(extra *[13]byte, sequence uint64, record []byte, n int) {
	binary.BigEndian.PutUint64(extra[:], sequence)
	copy(extra[8:], record[:3])
	binary.BigEndian.PutUint16(extra[11:], uint16(n))
}

// cbc12 opens records of TLS 1.2 with AES-CBC (RFC 5246, section 6.2.3.2); macFirst says that the content is authenticated before it
// is encrypted, as always without the extension of RFC 7366.
type cbc12 struct {
	block    cipher.Block
	mac      hash.Hash
	macFirst bool
	extra    [13]byte
}

func (o *cbc12) open(dst []byte, sequence uint64, record []byte) ([]byte, error) {
	body := record[recordHeader:]
	if !o.macFirst {
		n := len(body) - o.mac.Size()
		if n < 0 || !o.authentic(sequence, record, body[:n], body[n:]) {
			return nil, errRecord
		}
		body = body[:n]
	}
	size := o.block.BlockSize()
	if len(body) < 2*size || len(body)%size != 0 {
		return nil, errRecord
	}
	from := len(dst)
	dst = append(dst, body[size:]...)
	plain := dst[from:]
	cipher.NewCBCDecrypter(o.block, body[:size]).CryptBlocks(plain, plain)
	padding := int(plain[len(plain)-1]) + 1
	if padding > len(plain) {
		return nil, errRecord
	}
	plain = plain[:len(plain)-padding]
	if o.macFirst {
		n := len(plain) - o.mac.Size()
		if n < 0 || !o.authentic(sequence, record, plain[:n], plain[n:]) {
			return nil, errRecord
		}
		plain = plain[:n]
	}
	return dst[:from+len(plain)], nil
}

// authentic says whether sum is that of content.
func (o *cbc12) authentic(sequence uint64, record, content, sum []byte) bool {
	authenticated(&o.extra, sequence, record, len(content))
	o.mac.Reset()
	o.mac.Write(o.extra[:])
	o.mac.Write(content)
	return hmac.Equal(o.mac.Sum(nil), sum)
}
