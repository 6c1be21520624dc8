package balance

import (
	"math"
	"time"
)

// lowestLatency takes the backend whose requests take the least time, by a moving average in which an old measurement counts
// e^(-t/decay) after the time t. Each is measured once to begin with. Then a share of requests goes to one that is drawn, or else a
// backend that was slow once would be so for ever. A failure counts as no faster than the average was.
type lowestLatency struct {
	members
	heap
	urn
	decay   time.Duration
	explore float64
}

func newLowestLatency(u urn, decay time.Duration, explore float64) *lowestLatency {
	a := &lowestLatency{urn: u, decay: decay, explore: explore}
	a.less = func(b, c *member) bool {
		x, y := b.expected(), c.expected()
		switch {
		case x != y:
			return x < y
		case b.inFlight != c.inFlight:
			return b.inFlight < c.inFlight
		}
		return b.index < c.index
	}
	return a
}

// expected is the average. A backend that wasn't measured comes before all others as long as it is idle, and then after them.
func (b *member) expected() float64 {
	switch {
	case b.measured:
		return b.latency
	case b.inFlight == 0:
		return -1
	}
	return math.Inf(1)
}

func (a *lowestLatency) Set(backends []Backend) {
	if a.set(backends) {
		a.heap.fill(a.members.list)
	}
}

func (a *lowestLatency) Pick(r *Request) (int, bool) {
	var b *member
	if a.explore > 0 && a.random.Float64() < a.explore {
		b = a.draw(a.members.list, func(b *member) bool { return !r.excludes(b.index) })
	} else {
		b = a.least(r)
	}
	if b == nil {
		return 0, false
	}
	return b.index, true
}

func (a *lowestLatency) Start(index int, now time.Duration) Handle {
	h := a.members.Start(index, now)
	a.fix(h.backend)
	return h
}

func (a *lowestLatency) Done(h Handle, now, took time.Duration, failed bool) {
	b := h.backend
	if b == nil {
		return
	}
	b.inFlight--
	if took >= 0 {
		switch found := float64(took); {
		case !b.measured:
			b.latency = found
		case failed && found < b.latency:
		default:
			left := math.Exp(-max(0, (now-b.stamp).Seconds()) / a.decay.Seconds())
			b.latency = b.latency*left + found*(1-left)
		}
		b.stamp, b.measured = max(b.stamp, now), true
	}
	a.fix(b)
}
