package tier

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEntry(t *testing.T) {
	for _, e := range []entry{{}, {version: 5, found: true, body: []byte("a\nb"), delta: 7, expires: 9}} {
		back, err := decode([]byte(e.encode()))
		require.NoError(t, err)
		require.Equal(t, e, back)
	}
}

// Other programs may write into the same cache.
func FuzzEntry(f *testing.F) {
	f.Add([]byte("5 1 7 9\nbody"))
	f.Add([]byte("5 1 7\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decode(b)
		if err != nil {
			return
		}
		back, err := decode([]byte(e.encode()))
		require.NoError(t, err)
		require.Equal(t, e, back)
	})
}
