package balance

import (
	"math"
	"time"
)

// choices draws some backends, in proportion to weights and none twice, and takes the one with the least load; of equals the one
// that was drawn first.
type choices struct {
	members
	urn
	count int
	load  func(b *member, now time.Duration) float64
}

func (a *choices) Set(backends []Backend) {
	if a.set(backends) {
		a.fill(a.list)
	}
}

func (a *choices) Pick(r *Request) (int, bool) {
	var drawn [maxChoices]*member
	n := 0
	fits := func(b *member) bool {
		for _, d := range drawn[:n] {
			if d == b {
				return false
			}
		}
		return !r.excludes(b.index)
	}
	var best *member
	var least float64
	for n < a.count && n < len(a.list) {
		b := a.draw(a.list, fits)
		if b == nil {
			break
		}
		drawn[n] = b
		n++
		if load := a.load(b, r.Now); best == nil || load < least {
			best, least = b, load
		}
	}
	if best == nil {
		return 0, false
	}
	return best.index, true
}

// connections is the load of power-of-two: requests under way, for the weight.
func connections(b *member, _ time.Duration) float64 { return float64(b.inFlight) / b.Weight }

// peakEWMA is least-response-time.
//
// A latency above the average is the new average at once; one below is averaged in, where the old average counts e^(-t/decay)
// after the time t since the last. Between measurements the average decays in the same way towards 0, so that a backend that was
// slow once is tried again. The load is average × (requests under way + 1) / weight. A backend of which nothing is known yet has
// load 0, so that it is tried, and while its first requests are under way more than any that is known.
//
// That is PeakEwma of Finagle (com.twitter.finagle.loadbalancer), which Linkerd took over. A failure counts as no faster than
// the average was: a backend that refuses at once isn't quick.
type peakEWMA struct {
	choices
	decay time.Duration
}

// penalty is the load per request of a backend with requests under way and nothing measured; Finagle's is Double.MaxValue / 2.
const penalty = math.MaxFloat64 / (1 << 33)

func newPeakEWMA(c *choices, decay time.Duration) *peakEWMA {
	a := &peakEWMA{*c, decay}
	a.load = a.cost
	return a
}

func (a *peakEWMA) cost(b *member, now time.Duration) float64 {
	average := b.latency * a.left(now-b.stamp)
	if average == 0 && b.inFlight > 0 {
		return (penalty + float64(b.inFlight)) / b.Weight
	}
	return average * float64(b.inFlight+1) / b.Weight
}

// left is how much of an average is left after a time.
func (a *peakEWMA) left(t time.Duration) float64 {
	return math.Exp(-max(0, t.Seconds()) / a.decay.Seconds())
}

func (a *peakEWMA) Done(h Handle, now, took time.Duration, failed bool) {
	b := h.backend
	if b == nil {
		return
	}
	b.inFlight--
	if took < 0 {
		return
	}
	left, found := a.left(now-b.stamp), float64(took)
	average := b.latency * left
	switch {
	case found > average:
		average = found
	case !failed:
		average += found * (1 - left)
	}
	b.latency, b.stamp, b.measured = average, max(b.stamp, now), true
}
