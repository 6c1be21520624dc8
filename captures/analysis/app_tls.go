package analysis

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
)

const (
	// recordHeader is the length of a record's header in bytes, maxRecord that of the longest record's body: of TLS 1.2 (RFC 5246,
	// section 6.2.3).
	recordHeader = 5
	maxRecord    = 1<<14 + 2048
)

// Content types of records (RFC 8446, section 5.1; RFC 6520).
const (
	recordChangeCipherSpec = 20
	recordAlert            = 21
	recordHandshake        = 22
	recordApplication      = 23
	recordHeartbeat        = 24
)

var recordNames = map[byte]string{
	recordChangeCipherSpec: "change-cipher-spec", recordAlert: "alert", recordHandshake: "handshake",
	recordApplication: "application", recordHeartbeat: "heartbeat",
}

// tlsSession reads TLS 1.3 (RFC 8446) and 1.2 (RFC 5246); of older versions it shows what is not encrypted. Early data is not
// decrypted. After a gap a side is given up: where the next record begins is not known.
type tlsSession struct {
	apps   *applications
	stream *TCPStream
	info   *TLS
	// inner is what the session carries, depth how deep it is nested itself.
	inner *channel
	depth int
	sides [2]tlsSide

	seen                       bool // a hello
	hasClientHello             bool
	clientRandom, serverRandom [32]byte
	version                    uint16 // 0 before the ServerHello
	suite                      uint16
	macFirst                   bool
	early                      bool // the client may send early data
	full                       bool // TLS 1.2: the session isn't resumed
}

// tlsSide is the stream of records of one side.
type tlsSide struct {
	partial   []byte // of a record that is not complete
	first     int    // the frame in which it began
	lost      bool   // where records begin isn't known any more
	encrypted bool   // TLS 1.2: the side has changed to the new keys
	opaque    bool   // its records can't be decrypted
	opener    opener
	sequence  uint64
	traffic   bool   // TLS 1.3: the side has finished its handshake
	secret    []byte // TLS 1.3: that of the opener
	finished  bool
	messages  messageReader
}

// looksLikeTLS says whether b may be the beginning of a record.
func looksLikeTLS(b []byte) bool {
	switch {
	case len(b) == 0 || b[0] < recordChangeCipherSpec || b[0] > recordHeartbeat:
		return false
	case len(b) >= 2 && b[1] != 3:
		return false
	case len(b) >= 3 && b[2] > 4:
		return false
	}
	return len(b) < recordHeader || recordSize(b) <= recordHeader+maxRecord
}

// recordSize is the length of the record that b begins with, with its header; b holds that.
func recordSize(b []byte) int { return recordHeader + int(binary.BigEndian.Uint16(b[3:])) }

func newTLS(c *channel) *tlsSession {
	t := &tlsSession{apps: c.apps, stream: c.stream, info: &TLS{}, depth: c.depth}
	t.inner = &channel{apps: c.apps, stream: c.stream, depth: c.depth + 1}
	if c.stream.TLS == nil {
		c.stream.TLS = t.info
	}
	c.stream.Protocol = "tls"
	return t
}

func (t *tlsSession) data(f *Frame, side int, b []byte) {
	s := &t.sides[side]
	for len(b) > 0 && !s.lost {
		if len(s.partial) == 0 {
			s.first = f.Number
			if !looksLikeTLS(b) {
				t.lose(f, side, fmt.Sprintf("no TLS record at frame %d", f.Number))
				return
			}
			if len(b) >= recordHeader && recordSize(b) <= len(b) {
				n := recordSize(b)
				t.record(f, side, b[:n])
				b = b[n:]
				continue
			}
			s.partial = t.apps.buffer()
		}
		need := recordHeader
		if len(s.partial) >= recordHeader {
			need = recordSize(s.partial)
		}
		n := min(len(b), need-len(s.partial))
		s.partial, b = append(s.partial, b[:n]...), b[n:]
		switch {
		case !looksLikeTLS(s.partial):
			t.lose(f, side, fmt.Sprintf("no TLS record at frame %d", s.first))
		case len(s.partial) >= recordHeader && len(s.partial) == recordSize(s.partial):
			t.record(f, side, s.partial)
			t.free(s)
		}
	}
}

// lose gives a side up.
func (t *tlsSession) lose(f *Frame, side int, reason string) {
	s := &t.sides[side]
	t.free(s)
	s.lost, s.messages = true, messageReader{}
	t.because(reason)
	t.inner.gap(f, side, unknownGap)
}

// because notes why something can't be decrypted; the first reason counts.
func (t *tlsSession) because(reason string) {
	if t.info.Reason == "" {
		t.info.Reason = reason
	}
}

func (t *tlsSession) free(s *tlsSide) {
	t.apps.release(s.partial)
	s.partial = nil
}

func (t *tlsSession) gap(f *Frame, side int, _ uint64) {
	if t.sides[side].lost {
		return
	}
	reason := "bytes are missing at the end"
	if f != nil {
		reason = fmt.Sprintf("bytes are missing at frame %d", f.Number)
	}
	t.lose(f, side, reason)
}

func (t *tlsSession) end(f *Frame, side int) {
	t.free(&t.sides[side])
	t.inner.end(f, side)
}

// record takes a whole record with its header.
func (t *tlsSession) record(f *Frame, side int, record []byte) {
	s := &t.sides[side]
	t.apps.analysis.TLS.Records[recordNames[record[0]]]++
	f.carries("tls")
	kind, body := record[0], record[recordHeader:]
	if kind == recordChangeCipherSpec {
		t.says(f, s, len(record), "ChangeCipherSpec")
		t.changeCipher(side)
		return
	}
	if !t.protected(side, kind) {
		t.content(f, side, kind, body, len(record))
		return
	}
	kind, body, ok := t.open(f, side, record)
	if !ok {
		t.encrypted(f, side, record)
		return
	}
	t.content(f, side, kind, body, len(record))
}

// protected says whether a record is encrypted.
func (t *tlsSession) protected(side int, kind byte) bool {
	if t.version == tls.VersionTLS13 || t.version == 0 {
		return kind == recordApplication
	}
	return t.sides[side].encrypted
}

// changeCipher is what ChangeCipherSpec means. In TLS 1.3 that is nothing (RFC 8446, appendix D.4).
func (t *tlsSession) changeCipher(side int) {
	if t.version == tls.VersionTLS13 || t.version == 0 {
		return
	}
	s := &t.sides[side]
	s.encrypted, s.opener, s.sequence = true, nil, 0
	if side == Server && !t.full && !s.finished {
		t.info.Resumed = true
	}
}

// content takes what is in a record; size is the record's length.
func (t *tlsSession) content(f *Frame, side int, kind byte, body []byte, size int) {
	s := &t.sides[side]
	switch kind {
	case recordHandshake:
		s.messages.read(f, s.first, body, func(m *message) { t.message(f, side, m) })
	case recordAlert:
		if len(body) == 2 {
			t.alert(f, side, body[1], size)
		}
	case recordApplication:
		t.inner.data(f, side, body)
	}
}

// encrypted tells of a record that can't be decrypted what shows.
func (t *tlsSession) encrypted(f *Frame, side int, record []byte) {
	s := &t.sides[side]
	switch record[0] {
	case recordApplication:
		t.says(f, s, len(record), "application data")
	case recordHandshake:
		// The first one after ChangeCipherSpec is Finished (RFC 5246, section 7.4.9).
		if s.finished {
			t.says(f, s, len(record), "handshake (encrypted)")
			return
		}
		t.says(f, s, len(record), "Finished")
		t.finish(f, side)
	case recordAlert:
		t.says(f, s, len(record), "alert (encrypted)")
	}
}

func (t *tlsSession) says(f *Frame, s *tlsSide, n int, text string) {
	t.apps.says(f, "tls", s.first, n, func() string { return "TLS " + text })
}

// open decrypts a record. Of TLS 1.3 it returns the type that is hidden inside.
func (t *tlsSession) open(f *Frame, side int, record []byte) (kind byte, body []byte, ok bool) {
	s := &t.sides[side]
	if s.opaque {
		return 0, nil, false
	}
	if s.opener == nil {
		if err := t.unlock(side); err != nil {
			if t.version == 0 && t.early && side == Client {
				return 0, nil, false // early data
			}
			t.veil(f, side, err.Error())
			return 0, nil, false
		}
	}
	plain := &t.apps.plain[t.depth]
	body, err := s.opener.open((*plain)[:0], s.sequence, record)
	if err != nil {
		// A client's early data, which has keys of its own, precedes the first record that opens.
		if t.version == tls.VersionTLS13 && t.early && side == Client && s.sequence == 0 && !s.traffic {
			return 0, nil, false
		}
		t.veil(f, side, fmt.Sprintf("the record at frame %d does not open with the secrets", f.Number))
		return 0, nil, false
	}
	*plain = body
	s.sequence++
	if !t.info.Decrypted {
		t.info.Decrypted = true
		t.apps.analysis.TLS.Decrypted++
	}
	kind = record[0]
	if t.version == tls.VersionTLS13 {
		n := len(body)
		for n > 0 && body[n-1] == 0 {
			n--
		}
		if n == 0 {
			return recordApplication, nil, true // which TLS doesn't allow
		}
		kind, body = body[n-1], body[:n-1]
	}
	return kind, body, true
}

// veil says that a side's records can't be decrypted from here on.
func (t *tlsSession) veil(f *Frame, side int, reason string) {
	t.sides[side].opaque = true
	t.because(reason)
	t.inner.gap(f, side, unknownGap)
}

// buffer returns an empty buffer. A new one grows with what comes: a few bytes of a record are no reason to make room for it all.
func (p *applications) buffer() []byte {
	if n := len(p.free); n > 0 {
		b := p.free[n-1]
		p.free = p.free[:n-1]
		return b[:0]
	}
	return nil
}

// release takes a buffer back.
func (p *applications) release(b []byte) {
	if b != nil && len(p.free) < maxFree {
		p.free = append(p.free, b)
	}
}

// maxFree is how many buffers are kept for later.
const maxFree = 64
