package netem

import (
	"time"

	"netlab/units"
)

// shaper decides when a transmitter sends. Each kind lives in a file of its own; newShaper lists them. Times never go back.
type shaper interface {
	// idle says that nothing waits for the transmitter until at.
	idle(at time.Duration)
	// open returns from when on, not before at, the transmitter can take a frame from the queue.
	open(at time.Duration) time.Duration
	// plan returns when a frame of so many bytes whose turn it is at a time begins to be sent, and when it is: at <= begin <= end.
	// Nothing is used up by it: the frame may be dropped, or be planned again by a shaper that replaces this one.
	plan(at time.Duration, size int) (begin, end time.Duration)
	// sent says that the frame that was planned last begins to be sent.
	sent()
}

// newShaper makes what p asks for, from a time on; nil is a transmitter with a fixed rate or none, which begins at once. before is
// what it replaces, or nil.
func newShaper(p *Params, before shaper, at time.Duration) shaper {
	switch p.Rate.Kind() {
	case units.RateSteps, units.RateRamp:
		return &schedule{rate: p.Rate}
	case units.RateTrace:
		return newMahimahi(p.Rate.Opportunities(), at)
	}
	if p.Burst > 0 {
		bucket, _ := before.(*tokenBucket)
		return newTokenBucket(p, bucket, at)
	}
	return nil
}
