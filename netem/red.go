package netem

import (
	"math/rand/v2"
	"time"

	"netlab/units"
)

// red is random early detection after S. Floyd and V. Jacobson, "Random Early Detection Gateways for Congestion Avoidance",
// IEEE/ACM Transactions on Networking 1(4), 1993. The average length is in bytes; a drop's probability doesn't depend on the packet's
// size, as RFC 7141 recommends. Drops are spread evenly by method 2 of section 7 of the paper: the packets from one drop to the
// next are uniform from 1 to 1/pb. (The listing in section 4 counts one packet more after a drop, which makes that 1/pb - 1.)
//
// With ECN, packets are marked in place of the drops by chance; above the upper threshold they are dropped all the same.
type red struct {
	fifo
	config Queue
	out    outlet
	random *rand.Rand

	average  float64 // length in bytes
	unmarked int     // packets since the last drop or mark

	// perByte is how many nanoseconds the transmitter last took for a byte while frames waited, 0 if that has not happened
	// yet. It is measured so that it holds for whatever shapes the link.
	perByte float64
	last    time.Duration // when a frame was dequeued behind which others waited
	sent    int           // its size, 0 if none waited
}

// smallPacket is the typical small packet of the paper's correction for idle times, in bytes.
const smallPacket = 500

func newRED(p *Params, out outlet, random *rand.Rand) *red {
	return &red{config: p.Queue, out: out, random: random}
}

func (q *red) tune(_ time.Duration, p *Params) bool {
	q.config = p.Queue
	return true
}

func (q *red) enqueue(at time.Duration, f *Frame) {
	q.measure(at)
	p, spread := q.probability()
	switch {
	case !q.fits(q.config.Limit, f):
		q.unmarked = 0
		q.out.drop(at, f, DropQueueFull)
		return
	case p == 0:
		q.unmarked = 0
	case !spread:
		q.unmarked = 0
		q.out.drop(at, f, DropRED)
		return
	case q.chosen(p):
		q.unmarked = 0
		if !q.config.ECN || !q.out.mark(at, f, DropRED) {
			q.out.drop(at, f, DropRED)
			return
		}
	default:
		q.unmarked++
	}
	q.push(f)
}

// measure takes the present length into the average. A transmitter that was idle could have sent small packets meanwhile, each of
// which would have found the queue empty.
func (q *red) measure(at time.Duration) {
	w := q.config.Weight
	if since, idle := q.out.idle(at); idle && q.count == 0 && q.perByte > 0 {
		q.average *= power(1-w, uint64(float64(at-since)/float64(q.perByte*smallPacket)))
		return
	}
	// The conversions keep a compiler from fusing the operations, which would round differently on other machines.
	q.average = float64((1-w)*q.average) + float64(w*float64(q.bytes))
}

// probability returns pb, the probability before it is spread, and whether it is to be spread: otherwise it is 0 or 1.
func (q *red) probability() (p float64, spread bool) {
	least, most, top := float64(q.config.MinThreshold), float64(q.config.MaxThreshold), float64(q.config.MaxProbability)
	switch {
	case q.average < least:
		return 0, false
	case q.average < most:
		return top * ((q.average - least) / (most - least)), true
	case q.config.Gentle && q.average < 2*most:
		return top + float64((1-top)*((q.average-most)/most)), true
	}
	return 1, false
}

// chosen draws whether a packet is dropped, with pa = pb / (1 - count pb).
func (q *red) chosen(p float64) bool {
	rest := 1 - float64(float64(q.unmarked)*p)
	return q.random.Float64()*rest < p
}

func (q *red) dequeue(at time.Duration) *Frame {
	if q.sent > 0 {
		q.perByte = float64(at-q.last) / float64(q.sent)
		q.sent = 0
	}
	if q.count == 0 {
		return nil
	}
	f := q.pop()
	if q.count > 0 {
		q.last, q.sent = at, len(f.Data)
	}
	return f
}

func (q *red) empty(time.Duration) *Frame {
	q.sent = 0
	if q.count == 0 {
		return nil
	}
	return q.pop()
}

// redThresholds fills in the thresholds that aren't given, as Linux's tc does.
func (q *Queue) redThresholds(mtu int) {
	if q.MaxThreshold == 0 {
		q.MaxThreshold = q.Limit.Bytes / 4
		if q.Limit.Packets > 0 {
			q.MaxThreshold = units.Bytes(q.Limit.Packets) * units.Bytes(mtu+etherHeader) / 4
		}
	}
	if q.MinThreshold == 0 {
		q.MinThreshold = q.MaxThreshold / 3
	}
}

// power returns x to the n by multiplication alone, so that it is the same on all machines.
func power(x float64, n uint64) float64 {
	y := 1.0
	for ; n > 0 && y > 0; n >>= 1 {
		if n&1 == 1 {
			y *= x
		}
		x *= x
	}
	return y
}
