package replog

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a segment holds, it is an error that names a place in it, or a log; what is whole of it reads the same again.
func FuzzSegment(f *testing.F) {
	data := appendHeader(nil, 1, false, position{4, 1})
	f.Add(data, true)
	data = appendRecord(data, typeState, 0, position{}, []byte("state"))
	data = appendRecord(data, typeEntry, 7, position{5, 2}, []byte("data"))
	data = appendRecord(data, typeTruncate, 0, position{3, 1}, nil)
	data = appendRecord(data, typeEntry, 7, position{4, 2}, nil)
	f.Add(data, true)
	f.Add(data[:len(data)-1], true)
	f.Add(appendRecord(data, 9, 0, position{}, nil), false)
	f.Add([]byte(nil), true)
	f.Fuzz(func(t *testing.T, data []byte, last bool) {
		var r reader
		whole, err := r.segment("log", 1, data, last)
		if err != nil {
			var corrupt *CorruptError
			require.True(t, errors.As(err, &corrupt))
			require.LessOrEqual(t, corrupt.Offset, int64(len(data)))
			return
		}
		require.LessOrEqual(t, whole, len(data))
		if !last {
			require.Equal(t, len(data), whole)
		}
		if whole == 0 {
			return
		}
		require.EqualValues(t, r.base.index+uint64(len(r.entries)), r.last().index)
		var again reader
		n, err := again.segment("log", 1, data[:whole], false)
		require.NoError(t, err)
		require.Equal(t, whole, n)
		require.Equal(t, r, again)
	})
}
