package random

import (
	crand "crypto/rand"
	"io"
	"runtime"
)

// Crypto replaces crypto/rand's reader by a stream of the seed and returns a function that puts the old one back.
// It is for virtual time only. The module needs the setting cryptocustomrand=1.
func Crypto(seed uint64) (restore func()) {
	old := crand.Reader
	crand.Reader = &cryptoReader{stream: NewLocked(seed, "crypto/rand", 0)}
	return func() { crand.Reader = old }
}

type cryptoReader struct{ stream io.Reader }

// Read fills p from the stream. crypto/internal/randutil.MaybeReadByte flips a coin that nobody can seed and then reads
// one byte; that read must not consume anything, or the stream would move on or not by chance.
func (r *cryptoReader) Read(p []byte) (int, error) {
	if len(p) == 1 {
		var pc [1]uintptr
		runtime.Callers(2, pc[:])
		if f, _ := runtime.CallersFrames(pc[:]).Next(); f.Function == "crypto/internal/randutil.MaybeReadByte" {
			return 1, nil
		}
	}
	return r.stream.Read(p)
}
