package balance

import "time"

// leastConnections takes the backend with the fewest requests under way for its weight.
//
// Equals take turns: those with the same number of requests under way are taken in proportion to their weights, by virtual time
// as in start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996): a turn takes 1/weight, and the next turn of a backend is
// when its last is over, but not before that of the backend that was taken last. So a balancer that never has two requests at a
// time is round robin. A backend that is new begins now, and doesn't catch up on what it missed.
type leastConnections struct {
	members
	heap
	weighted bool
	now      float64 // virtual time
}

func newLeastConnections(weighted bool) *leastConnections {
	a := &leastConnections{weighted: weighted}
	a.less = func(b, c *member) bool {
		x, y := float64(b.inFlight)/a.weight(b), float64(c.inFlight)/a.weight(c)
		switch {
		case x != y:
			return x < y
		case b.turn != c.turn:
			return b.turn < c.turn
		}
		return b.index < c.index
	}
	return a
}

func (a *leastConnections) weight(b *member) float64 {
	if a.weighted {
		return b.Weight
	}
	return 1
}

func (a *leastConnections) Set(backends []Backend) {
	if !a.set(backends) {
		return
	}
	for _, b := range a.members.list {
		b.turn = max(b.turn, a.now)
	}
	a.fill(a.members.list)
}

func (a *leastConnections) Pick(r *Request) (int, bool) {
	b := a.least(r)
	if b == nil {
		return 0, false
	}
	return b.index, true
}

func (a *leastConnections) Start(index int, now time.Duration) Handle {
	h := a.members.Start(index, now)
	b := h.backend
	a.now = max(a.now, b.turn)
	b.turn = a.now + 1/a.weight(b)
	a.fix(b)
	return h
}

func (a *leastConnections) Done(h Handle, now, took time.Duration, failed bool) {
	if h.backend != nil {
		a.members.Done(h, now, took, failed)
		a.fix(h.backend)
	}
}
