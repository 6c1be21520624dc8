// Package content makes the data that services send: pseudo-random bytes that depend on a seed and on nothing else, so that
// whoever receives them can tell whether they are right.
package content

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
)

// BlockSize is after how many bytes a stream repeats itself, but for the number of the block, and a good size for writes:
// the stack begins a new TCP segment with each. 99,400 bytes are 70 segments of 1420 bytes and 71 of 1400, which is what
// fits into IPv4 and IPv6 packets of 1500 bytes beside TCP's options, so that there are no short segments in between.
const BlockSize = 70 * 1420

// Stream is an endless stream of bytes: blocks of random bytes that depend on the seed, each beginning with its number of
// 8 bytes. It does not compress, and a block that is missing, doubled or misplaced shows. It costs a copy.
type Stream struct {
	block  [BlockSize]byte
	random *rand.PCG
	made   int    // how much of the block there is, a multiple of 8
	index  uint64 // of the block
	at     int    // in the block
}

var _ io.Reader = (*Stream)(nil)

// New returns the stream of a seed, at its start.
func New(seed uint64) *Stream {
	const rest = 0x6e65746c6162 // the generator wants 128 bits of seed
	return &Stream{random: rand.NewPCG(seed, rest)}
}

// Rewind goes back to the start.
func (s *Stream) Rewind() { s.index, s.at = 0, 0 }

// make makes the block up to a place. Short streams don't need all of it.
func (s *Stream) make(end int) {
	for ; s.made < end; s.made += 8 {
		binary.BigEndian.PutUint64(s.block[s.made:], s.random.Uint64())
	}
	if s.at < 8 {
		binary.BigEndian.PutUint64(s.block[:], s.index)
	}
}

// Peek returns up to limit of the bytes that come next, at least one if limit is positive. They are valid until Advance.
func (s *Stream) Peek(limit int64) []byte {
	end := s.at + int(min(int64(BlockSize-s.at), limit))
	s.make(end)
	return s.block[s.at:end]
}

// Advance moves on by n bytes, no more than Peek returned.
func (s *Stream) Advance(n int) {
	s.at += n
	if s.at == BlockSize {
		s.at = 0
		s.index++
	}
}

// Matches says whether b is what comes next, and moves on.
func (s *Stream) Matches(b []byte) bool {
	for len(b) > 0 {
		want := s.Peek(int64(len(b)))
		if !bytes.Equal(want, b[:len(want)]) {
			return false
		}
		b = b[len(want):]
		s.Advance(len(want))
	}
	return true
}

// Read implements io.Reader. It never fails.
func (s *Stream) Read(b []byte) (int, error) {
	n := copy(b, s.Peek(int64(len(b))))
	s.Advance(n)
	return n, nil
}
