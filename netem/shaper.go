package netem

import (
	"time"

	"netlab/units"
)

// shaper decides when a transmitter sends. Each kind lives in a file of its own; newShaper lists them.
type shaper interface {
	// send returns when the transmitter begins to send a frame of so many bytes whose turn it is at a time, and when it has sent
	// it: at <= begin <= end. It is called once for each frame, in the order in which they are sent, and the transmitter is
	// free again at end.
	send(at time.Duration, size int) (begin, end time.Duration)
}

// fixedRate begins at once and takes size/rate.
type fixedRate units.BitRate

func (r fixedRate) send(at time.Duration, size int) (begin, end time.Duration) {
	return at, at + units.BitRate(r).TransmitTime(size)
}

// newShaper makes what p asks for; before, when not nil, is what it replaces at a time.
func newShaper(p *Params, before shaper, at time.Duration) shaper {
	return fixedRate(p.Rate)
}
