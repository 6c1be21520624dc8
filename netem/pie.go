package netem

import (
	"math/rand/v2"
	"time"
)

// pie is the proportional integral controller enhanced of RFC 8033. It drops arriving packets by a probability that it updates at the
// multiples of its interval since the start of the run, before anything else that happens at that instant. Between two packets only
// time passes, so updates are made up for when the next packet comes, exactly as timers would have.
//
// The queueing delay is taken from time stamps (section 4.3): it is that of the packet that was dequeued last, or 0 when none is
// left. Of the optional parts it has ECN (section 5.1) and the cap of the adjustment (5.5); PIE is always active (not
// 5.3), and drops are independent of each other (not 5.4). MEAN_PKTSIZE is the largest frame of the link, as in Linux.
type pie struct {
	fifo
	config      Queue
	alpha, beta float64 // 1/s
	maxPacket   int
	out         outlet
	random      *rand.Rand

	pieState
	delay  time.Duration // current_qdelay
	update time.Duration // when the next update is due
}

// pieState is what an update changes.
type pieState struct {
	probability float64       // drop_prob
	before      time.Duration // qdelay_old: the delay at the last update
	allowance   time.Duration // burst_allowance
}

// The constants of RFC 8033; alpha and beta are for updates every 15 ms.
const (
	pieInterval      = 15 * time.Millisecond
	pieAlpha         = 0.125
	pieBeta          = 1.25
	pieMarkThreshold = 0.1 // mark_ecnth: above that probability packets are dropped
	pieDecay         = 0.98
)

func newPIE(at time.Duration, p *Params, out outlet, random *rand.Rand) *pie {
	q := &pie{out: out, random: random, pieState: pieState{allowance: p.Queue.Burst}}
	q.configure(at, p)
	return q
}

func (q *pie) configure(at time.Duration, p *Params) {
	q.config, q.maxPacket = p.Queue, p.MTU+etherHeader
	// With half the interval, alpha is half and beta more by a quarter of alpha (section 4.2), and in proportion.
	q.alpha = pieAlpha * (float64(p.Queue.Interval) / float64(pieInterval))
	q.beta = pieBeta + float64(0.5*(pieAlpha-q.alpha))
	q.update = (at/p.Queue.Interval + 1) * p.Queue.Interval
}

func (q *pie) tune(at time.Duration, p *Params) bool {
	q.advance(at)
	q.configure(at, p)
	q.allowance = min(q.allowance, p.Queue.Burst)
	return true
}

func (q *pie) enqueue(at time.Duration, f *Frame) {
	q.advance(at)
	switch {
	case !q.fits(q.config.Limit, f):
		q.out.drop(at, f, DropQueueFull)
		return
	case q.allowance > 0 || !q.chosen():
	case q.config.ECN && q.probability <= pieMarkThreshold && q.out.mark(at, f, DropPIE):
	default:
		q.out.drop(at, f, DropPIE)
		return
	}
	q.push(f)
}

// chosen is the RFC's drop_early (section 4.1): whether the next packet is to go.
func (q *pie) chosen() bool {
	if q.before < q.config.Target/2 && q.probability < 0.2 || q.bytes <= 2*q.maxPacket {
		return false
	}
	return q.random.Float64() < q.probability
}

func (q *pie) dequeue(at time.Duration) *Frame {
	q.advance(at)
	if q.count == 0 {
		return nil
	}
	f := q.pop()
	q.delay = at - f.queued
	if q.count == 0 {
		q.delay = 0
	}
	return f
}

func (q *pie) empty(at time.Duration) *Frame {
	q.advance(at)
	if q.count == 0 {
		return nil
	}
	f := q.pop()
	if q.count == 0 {
		q.delay = 0
	}
	return f
}

// advance makes the updates that were due.
func (q *pie) advance(at time.Duration) {
	for q.update <= at {
		was := q.pieState
		q.control()
		q.update += q.config.Interval
		if q.pieState == was { // the others change nothing either
			q.update = (at/q.config.Interval + 1) * q.config.Interval
		}
	}
}

// control is an update (section 4.2 to 4.4, and 5.5). The conversions keep a compiler from fusing operations, which would round
// differently on other machines.
func (q *pie) control() {
	p := float64(q.alpha*(q.delay-q.config.Target).Seconds()) + float64(q.beta*(q.delay-q.before).Seconds())
	p /= pieScale(q.probability)
	if q.probability >= 0.1 {
		p = min(p, 0.02)
	}
	q.probability += p
	if q.delay == 0 && q.before == 0 {
		q.probability *= pieDecay
	}
	q.probability = min(max(q.probability, 0), 1)
	q.allowance = max(q.allowance-q.config.Interval, 0)
	if half := q.config.Target / 2; q.probability == 0 && q.delay < half && q.before < half {
		q.allowance = q.config.Burst
	}
	q.before = q.delay
}

// pieScale is by how much an adjustment is smaller at a low probability (section 4.2).
func pieScale(probability float64) float64 {
	for _, step := range [...]struct{ below, by float64 }{
		{0.000001, 2048}, {0.00001, 512}, {0.0001, 128}, {0.001, 32}, {0.01, 8}, {0.1, 2},
	} {
		if probability < step.below {
			return step.by
		}
	}
	return 1
}
