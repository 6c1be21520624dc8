package telemetry

import "time"

// ConnectionRecorder takes a connection down. A nil one takes nothing down.
type ConnectionRecorder struct {
	c     Connection
	limit int // of points
	state State
}

// MSS says that a segment with that much payload was sent.
func (c *ConnectionRecorder) MSS(size int) {
	if c != nil {
		c.c.MSS = max(c.c.MSS, size)
	}
}

// State takes the states down if one of them has changed.
func (c *ConnectionRecorder) State(at time.Duration, state, congestion string) {
	if c == nil {
		return
	}
	if c.state.State == state && c.state.Congestion == congestion {
		return
	}
	c.state = State{at, state, congestion}
	if len(c.c.States) == MaxStates {
		c.c.StatesLeft++
		return
	}
	c.c.States = append(c.c.States, c.state)
}

// Point takes a point down if anything but the time has changed. The extremes that p has don't count.
func (c *ConnectionRecorder) Point(p Point) {
	if c == nil {
		return
	}
	p.MinCwnd, p.MaxCwnd, p.MaxRTT, p.MaxRTO, p.MaxInFlight = p.Cwnd, p.Cwnd, p.RTT, p.RTO, p.InFlight
	n := len(c.c.Points)
	if n > 0 && c.c.Points[n-1].same(&p) {
		return
	}
	if n == c.limit {
		for len(c.c.Points) > c.limit/2 {
			c.c.Width = max(2*c.c.Width, firstWidth)
			c.c.Points = c.c.Points.merge(c.c.Width)
		}
		n = len(c.c.Points)
	}
	if width := c.c.Width; n > 0 && width > 0 && c.c.Points[n-1].T/width == p.T/width {
		c.c.Points[n-1] = c.c.Points[n-1].with(&p)
		return
	}
	c.c.Points = append(c.c.Points, p)
}

// firstWidth is how long the parts are in which points become one for the first time.
const firstWidth = time.Millisecond

// same says whether a look finds what the one before found.
func (p *Point) same(q *Point) bool {
	return p.Cwnd == q.Cwnd && p.Ssthresh == q.Ssthresh && p.RTT == q.RTT && p.RTTVar == q.RTTVar && p.RTO == q.RTO &&
		p.InFlight == q.InFlight
}

// with returns both points as one; q is the later.
func (p *Point) with(q *Point) Point {
	sum := *q
	sum.MinCwnd, sum.MaxCwnd = min(p.MinCwnd, q.MinCwnd), max(p.MaxCwnd, q.MaxCwnd)
	sum.MaxRTT, sum.MaxRTO, sum.MaxInFlight = max(p.MaxRTT, q.MaxRTT), max(p.MaxRTO, q.MaxRTO), max(p.MaxInFlight, q.MaxInFlight)
	return sum
}

// merge makes the points of each part of the run one, in place.
func (p Points) merge(width time.Duration) Points {
	n := 0
	for i := range p {
		if n > 0 && p[n-1].T/width == p[i].T/width {
			p[n-1] = p[n-1].with(&p[i])
			continue
		}
		p[n] = p[i]
		n++
	}
	return p[:n]
}
