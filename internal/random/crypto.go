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
	crand.Reader = NewCrypto(seed, "crypto/rand")
	return func() { crand.Reader = old }
}

// NewCrypto returns the stream of a name as a reader that packages below crypto may be given in place of crypto/rand's. What
// they make of it is no secret: it is for virtual time only.
func NewCrypto(seed uint64, name string) io.Reader {
	return &cryptoReader{stream: NewLocked(seed, name, 0)}
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
