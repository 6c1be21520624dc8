package netem

import (
	"math"
	"time"

	"netlab/units"
)

// codel is controlled delay, RFC 8289, as its section 5 gives it: it drops when it dequeues, once packets have waited for the target
// or longer for an interval. MAXPACKET is the largest frame of the link. With ECN it marks in place of dropping, and the
// marked packet is sent.
type codel struct {
	codelQueue
	config codelConfig
	limit  units.QueueLimit
	out    outlet
}

func newCoDel(p *Params, out outlet) *codel {
	q := &codel{out: out}
	q.tune(0, p)
	return q
}

func (q *codel) tune(_ time.Duration, p *Params) bool {
	q.config, q.limit = newCodelConfig(p), p.Queue.Limit
	return true
}

func (q *codel) enqueue(at time.Duration, f *Frame) {
	if !q.fits(q.limit, f) {
		q.out.drop(at, f, DropQueueFull)
		return
	}
	q.push(f)
}

func (q *codel) dequeue(at time.Duration) *Frame { return q.next(at, &q.config, q.out) }

func (q *codel) empty(time.Duration) *Frame { return q.take() }

// codelConfig has the constants of RFC 8289.
type codelConfig struct {
	target, interval time.Duration
	maxPacket        int
	ecn              bool
}

func newCodelConfig(p *Params) codelConfig {
	return codelConfig{p.Queue.Target, p.Queue.Interval, p.MTU + etherHeader, p.Queue.ECN}
}

// law is CoDel's control law: when the drop after one at a time is due.
func (c *codelConfig) law(at time.Duration, drops uint32) time.Duration {
	return at + time.Duration(float64(c.interval)/math.Sqrt(float64(drops)))
}

// codelQueue is a queue with the variables that CoDel keeps for it (RFC 8289, section 5.2).
type codelQueue struct {
	fifo
	firstAbove time.Duration // when the sojourn time will have been above the target for an interval; 0: it is below
	dropNext   time.Duration
	drops      uint32 // the RFC's count: drops since the dropping state began
	lastDrops  uint32 // lastcount: what it began with
	dropping   bool
}

// next is the RFC's deque (section 5.5).
func (q *codelQueue) next(at time.Duration, c *codelConfig, out outlet) *Frame {
	f, late := q.look(at, c)
	switch {
	case q.dropping && !late:
		q.dropping = false
	case q.dropping:
		for q.dropping && at >= q.dropNext {
			q.drops++
			if c.ecn && out.mark(at, f, DropCoDel) {
				q.dropNext = c.law(q.dropNext, q.drops)
				return f
			}
			out.drop(at, f, DropCoDel)
			if f, late = q.look(at, c); late {
				q.dropNext = c.law(q.dropNext, q.drops)
			} else {
				q.dropping = false
			}
		}
	case late:
		if !c.ecn || !out.mark(at, f, DropCoDel) {
			out.drop(at, f, DropCoDel)
			f, _ = q.look(at, c)
		}
		q.dropping = true
		// If the last dropping state ended not long ago, the rate at which it dropped is a good one to begin with.
		delta := q.drops - q.lastDrops
		q.drops = 1
		if delta > 1 && at-q.dropNext < 16*c.interval {
			q.drops = delta
		}
		q.dropNext = c.law(at, q.drops)
		q.lastDrops = q.drops
	}
	return f
}

// look is the RFC's dodequeue (section 5.6): it removes the next frame and says whether that may be dropped.
func (q *codelQueue) look(at time.Duration, c *codelConfig) (f *Frame, late bool) {
	if q.count == 0 {
		q.firstAbove = 0
		return nil, false
	}
	f = q.pop()
	switch {
	case at-f.queued < c.target || q.bytes <= c.maxPacket:
		q.firstAbove = 0
	case q.firstAbove == 0:
		q.firstAbove = at + c.interval
	default:
		late = at >= q.firstAbove
	}
	return f, late
}

// take removes the oldest frame when it isn't to be sent. Once none is left, the queue is as after sending the last.
func (q *codelQueue) take() *Frame {
	if q.count == 0 {
		return nil
	}
	f := q.pop()
	if q.count == 0 {
		q.firstAbove, q.dropping = 0, false
	}
	return f
}
