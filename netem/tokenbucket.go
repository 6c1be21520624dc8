package netem

import (
	"time"

	"netlab/units"
)

// tokenBucket is a transmitter that may send a burst after a pause, as Linux's tbf (tc-tbf(8)): tokens, of which each is worth a bit,
// come at a rate into a bucket that is full at the start. A frame leaves as soon as there are tokens for all of it, and takes
// them with it; then it is sent at the peak rate. So in any time t at most burst + rate t begins to leave. Frames stay in order: one
// that waits for tokens holds up a smaller one behind it, and isn't in the queue any more.
//
// The tokens are counted in parts of a token of which rate come in each nanosecond: everything is a whole number, and a frame
// leaves at the first nanosecond at which it can.
type tokenBucket struct {
	rate   uint64 // bits per second, and parts of a token per nanosecond
	peak   units.BitRate
	full   uint64 // parts of a token that the bucket holds
	tokens uint64 // parts of a token that were in it at a time
	at     time.Duration
	begin  time.Duration // when the frame that was planned last begins, and the parts of a token that it takes
	need   uint64
}

const (
	// tokenParts is how many parts a token has: nanoseconds per second.
	tokenParts = uint64(time.Second)
	// maxBurst keeps the parts of all tokens within 64 bits.
	maxBurst units.Bytes = 2e9
)

// newTokenBucket makes the bucket of p. One that replaces another takes over the tokens that there are, as many as it can hold.
func newTokenBucket(p *Params, before *tokenBucket, at time.Duration) *tokenBucket {
	b := &tokenBucket{rate: uint64(p.Rate.Fixed()), peak: p.PeakRate, full: uint64(p.Burst) * 8 * tokenParts, at: at}
	b.tokens = b.full
	if before != nil {
		before.fill(at)
		b.tokens = min(before.tokens, b.full)
	}
	return b
}

// fill adds the tokens that have come until a time.
func (b *tokenBucket) fill(at time.Duration) {
	passed, missing := uint64(at-b.at), b.full-b.tokens
	b.at = at
	if missing/b.rate < passed { // the product might be too large
		b.tokens = b.full
		return
	}
	b.tokens += passed * b.rate
}

func (b *tokenBucket) idle(time.Duration) {}

func (b *tokenBucket) open(at time.Duration) time.Duration { return at }

func (b *tokenBucket) plan(at time.Duration, size int) (begin, end time.Duration) {
	b.fill(at)
	b.begin, b.need = at, uint64(size)*8*tokenParts
	if b.need > b.tokens {
		b.begin = later(at, time.Duration((b.need-b.tokens-1)/b.rate+1))
	}
	return b.begin, later(b.begin, b.peak.TransmitTime(size))
}

// sent takes the tokens of the frame. One that waited while the largest frame became smaller may be larger than the bucket: it has
// waited for the tokens that didn't fit in, and takes all that did.
func (b *tokenBucket) sent() {
	b.fill(b.begin)
	b.tokens -= min(b.need, b.tokens)
}
