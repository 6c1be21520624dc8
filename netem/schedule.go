package netem

import (
	"time"

	"netlab/units"
)

// schedule is a transmitter whose rate changes with the time since the start of the run. A frame is sent at the rate that there is when
// its first bit leaves, all of it.
type schedule struct{ rate units.LinkRate }

func (s *schedule) idle(time.Duration) {}

func (s *schedule) open(at time.Duration) time.Duration { return at }

func (s *schedule) plan(at time.Duration, size int) (begin, end time.Duration) {
	return at, later(at, s.rate.At(at).TransmitTime(size))
}

func (s *schedule) sent() {}
