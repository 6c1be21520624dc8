package analysis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
)

// Handshake messages (RFC 8446, section 4; RFC 5246, section 7.4).
const (
	messageClientHello         = 1
	messageServerHello         = 2
	messageEncryptedExtensions = 8
	messageServerHelloDone     = 14
	messageFinished            = 20
	messageKeyUpdate           = 24
)

var messageNames = map[byte]string{
	0: "HelloRequest", messageClientHello: "ClientHello", messageServerHello: "ServerHello", 4: "NewSessionTicket", 5: "EndOfEarlyData",
	messageEncryptedExtensions: "EncryptedExtensions", 11: "Certificate", 12: "ServerKeyExchange", 13: "CertificateRequest",
	messageServerHelloDone: "ServerHelloDone", 15: "CertificateVerify", 16: "ClientKeyExchange", messageFinished: "Finished", 21: "CertificateURL",
	22: "CertificateStatus", messageKeyUpdate: "KeyUpdate", 25: "CompressedCertificate",
}

// message is a whole message of a handshake. body is empty for those whose content doesn't matter.
type message struct {
	kind  byte
	size  int // with its header of 4 bytes
	first int // the frame in which it began
	body  []byte
}

// maxHello is the length in bytes of the longest message that is looked into.
const maxHello = 1 << 16

// messageReader puts the messages of a handshake together: a record may hold several and a message may take several records.
type messageReader struct {
	header []byte
	m      message
	left   int // bytes of the body that have not come
}

// read takes the content of a handshake record, which began with the frame of that number, and calls each for messages that are
// complete.
func (r *messageReader) read(f *Frame, first int, b []byte, each func(*message)) {
	for {
		if len(r.header) < 4 {
			if len(b) == 0 {
				return
			}
			if len(r.header) == 0 {
				r.m = message{first: first}
			}
			n := min(len(b), 4-len(r.header))
			r.header, b = append(r.header, b[:n]...), b[n:]
			if len(r.header) < 4 {
				return
			}
			r.m.kind = r.header[0]
			r.left = int(r.header[1])<<16 | int(r.header[2])<<8 | int(r.header[3])
			r.m.size = 4 + r.left
		}
		n := min(len(b), r.left)
		if matters(r.m.kind) && r.m.size <= maxHello {
			r.m.body = append(r.m.body, b[:n]...)
		}
		r.left, b = r.left-n, b[n:]
		if r.left > 0 {
			return
		}
		m := r.m
		r.header, r.m = r.header[:0], message{}
		each(&m)
	}
}

// matters says whether a message's content is looked into.
func matters(kind byte) bool {
	return kind == messageClientHello || kind == messageServerHello || kind == messageEncryptedExtensions
}

// message takes a message of a side.
func (t *tlsSession) message(f *Frame, side int, m *message) {
	name := messageNames[m.kind]
	if name == "" {
		name = fmt.Sprintf("message %d", m.kind)
	}
	text := name
	switch {
	case m.kind == messageClientHello && side == Client:
		if server := t.clientHello(f, m); server != "" {
			text += " (" + server + ")"
		}
	case m.kind == messageServerHello && side == Server:
		if t.serverHello(f, m) {
			name, text = "HelloRetryRequest", "HelloRetryRequest"
		}
	case m.kind == messageEncryptedExtensions && side == Server:
		var h hello
		if h.extensions(m.body, true) {
			t.agreed(h.protocols)
		}
		if h.early {
			t.because("early data is not decrypted")
			t.inner.gap(f, Client, unknownGap)
		}
	case m.kind == messageServerHelloDone && side == Server:
		t.full = true
	case m.kind == messageFinished:
		t.finish(f, side)
	case m.kind == messageKeyUpdate:
		t.updateKey(f, side)
	}
	t.apps.analysis.TLS.Messages[name]++
	t.apps.says(f, "tls", m.first, m.size, func() string { return "TLS " + text })
}

// clientHello returns the server's name, or "".
func (t *tlsSession) clientHello(f *Frame, m *message) string {
	t.count()
	var h hello
	if !h.clientHello(m.body) {
		t.because("the ClientHello can't be read")
		return ""
	}
	t.hasClientHello, t.clientRandom = true, h.random
	t.early = t.early || h.early
	t.full = false
	if t.info.ClientHello == 0 {
		t.info.ClientHello, t.info.ClientHelloAt = f.Number, f.At
		t.info.ServerName, t.info.Offered = h.serverName, h.protocols
	}
	return h.serverName
}

// serverHello says whether it asks for another ClientHello.
func (t *tlsSession) serverHello(f *Frame, m *message) (retry bool) {
	t.count()
	var h hello
	if !h.serverHello(m.body) {
		t.because("the ServerHello can't be read")
		return false
	}
	t.version, t.suite = h.version, h.suite
	t.info.Version, t.info.CipherSuite = tlsVersion(h.version), suiteName(h.suite)
	if h.random == retryRandom {
		t.info.Retry = true
		return true
	}
	t.serverRandom, t.macFirst = h.random, !h.macLast
	if t.info.ServerHello == 0 {
		t.info.ServerHello = f.Number
		t.info.Resumed = h.preShared
	}
	t.agreed(h.protocols)
	return false
}

// count counts the session with its first hello.
func (t *tlsSession) count() {
	if !t.seen {
		t.seen = true
		t.apps.analysis.TLS.Sessions++
	}
}

// agreed takes the protocol that the server has chosen.
func (t *tlsSession) agreed(protocols []string) {
	if len(protocols) == 1 {
		t.info.ALPN = protocols[0]
		t.inner.expect(protocols[0])
	}
}

// finish takes a side's Finished. In TLS 1.3 its keys change with it.
func (t *tlsSession) finish(f *Frame, side int) {
	s := &t.sides[side]
	if t.version == tls.VersionTLS13 && !s.traffic {
		s.traffic, s.opener, s.sequence = true, nil, 0
	}
	s.finished = true
	if t.sides[1-side].finished && t.info.Finished == 0 {
		t.info.Finished = f.Number
		t.info.Took = f.At - t.info.ClientHelloAt
	}
}

// updateKey takes a side's KeyUpdate (RFC 8446, section 4.6.3).
func (t *tlsSession) updateKey(f *Frame, side int) {
	s := &t.sides[side]
	c := suites[t.suite]
	if c == nil || s.secret == nil || !s.traffic || s.opener == nil {
		return
	}
	var err error
	if s.secret, err = nextSecret(c.hash, s.secret); err == nil {
		s.opener, err = c.newOpener13(s.secret)
	}
	if err != nil {
		t.veil(f, side, err.Error())
	}
	s.sequence = 0
}

// alert takes an alert that could be read.
func (t *tlsSession) alert(f *Frame, side int, code byte, size int) {
	text := strings.TrimPrefix(tls.AlertError(code).Error(), "tls: ")
	t.apps.analysis.TLS.Alerts[text]++
	if len(t.info.Alerts) < maxAlerts {
		t.info.Alerts = append(t.info.Alerts, text)
	}
	t.says(f, &t.sides[side], size, "alert: "+text)
	if code == alertCloseNotify {
		t.inner.end(f, side)
		return
	}
	t.apps.note(f, Warning, "tls alert", "TLS alert: "+text)
}

const (
	// alertCloseNotify says that a side will send no more (RFC 8446, section 6.1).
	alertCloseNotify = 0
	// maxAlerts is how many alerts of a session are kept.
	maxAlerts = 16
)

// unlock makes the keys of a side's records. The error says why it can't.
func (t *tlsSession) unlock(side int) error {
	s := &t.sides[side]
	c := suites[t.suite]
	switch {
	case !t.hasClientHello:
		return errors.New("the ClientHello was not captured")
	case t.version == 0:
		return errors.New("the ServerHello was not captured")
	case t.version != tls.VersionTLS12 && t.version != tls.VersionTLS13:
		return fmt.Errorf("%s is not supported", tlsVersion(t.version))
	case c == nil:
		return fmt.Errorf("cipher suite %s is not supported", suiteName(t.suite))
	case c.since != t.version:
		return fmt.Errorf("cipher suite %s is none of %s", suiteName(t.suite), tlsVersion(t.version))
	}
	known := t.apps.secrets[t.clientRandom]
	if known == nil {
		return errors.New("no secrets")
	}
	var err error
	if t.version == tls.VersionTLS12 {
		if known.master == nil {
			return errors.New("no master secret")
		}
		s.opener, err = c.newOpener12(known.master, t.clientRandom[:], t.serverRandom[:], side, t.macFirst)
		return err
	}
	what, secret := "handshake", known.handshake[side]
	if s.traffic {
		what, secret = "traffic", known.traffic[side]
	}
	if secret == nil {
		return fmt.Errorf("no %s secret of the %s", what, [2]string{"client", "server"}[side])
	}
	s.secret = secret
	s.opener, err = c.newOpener13(secret)
	return err
}
