package content

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// read returns the next n bytes in pieces of up to size.
func read(t testing.TB, s *Stream, n, size int) []byte {
	var out []byte
	for len(out) < n {
		p := make([]byte, min(size, n-len(out)))
		_, err := io.ReadFull(s, p)
		require.NoError(t, err)
		out = append(out, p...)
	}
	return out
}

func TestStream(t *testing.T) {
	const n = 3*BlockSize + 17
	want := read(t, New(1), n, BlockSize)
	require.True(t, bytes.Equal(want, read(t, New(1), n, 1009)))
	require.False(t, bytes.Equal(want[:100], read(t, New(2), 100, 100)))
	require.False(t, bytes.Equal(want[:BlockSize], want[BlockSize:2*BlockSize]), "blocks are numbered")
	s := New(1)
	require.True(t, s.Matches(want[:2*BlockSize]))
	require.False(t, s.Matches(want[BlockSize:2*BlockSize]))
	s.Rewind()
	require.True(t, s.Matches(want))
}

func BenchmarkStream(b *testing.B) {
	s := New(1)
	other := New(1)
	b.SetBytes(1420)
	for b.Loop() {
		p := s.Peek(1420)
		if !other.Matches(p) {
			b.Fatal("differs")
		}
		s.Advance(len(p))
	}
}
