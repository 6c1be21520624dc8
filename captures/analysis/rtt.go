package analysis

import (
	"math"
	"time"
)

// estimate sums round-trip times up and estimates the retransmission timeout from them.
type estimate struct {
	count           int
	least, most     time.Duration
	last            time.Duration
	mean, squares   float64 // of all, by Welford's method
	smooth, varying time.Duration
}

// add takes a sample (RFC 6298, section 2).
func (e *estimate) add(rtt time.Duration) {
	e.count++
	e.last = rtt
	if e.count == 1 {
		e.least, e.most = rtt, rtt
		e.smooth, e.varying = rtt, rtt/2
	} else {
		e.least, e.most = min(e.least, rtt), max(e.most, rtt)
		e.varying = (3*e.varying + (e.smooth - rtt).Abs()) / 4
		e.smooth = (7*e.smooth + rtt) / 8
	}
	delta := float64(rtt) - e.mean
	e.mean += delta / float64(e.count)
	e.squares += delta * (float64(rtt) - e.mean)
}

func (e *estimate) sum() RTT {
	if e.count == 0 {
		return RTT{}
	}
	return RTT{
		Count: e.count, Min: e.least, Avg: time.Duration(math.Round(e.mean)), Max: e.most,
		StdDev: time.Duration(math.Round(math.Sqrt(e.squares / float64(e.count)))), Last: e.last,
	}
}
