package load

import (
	"math"
	"math/rand/v2"
	"sort"
	"time"
)

// piece is a part of a curve: a rate that changes evenly.
type piece struct {
	start, length float64 // seconds
	from, to      float64 // requests per second
	before        float64 // requests until its start
}

// requests is how many come in the first t seconds of the piece.
func (p piece) requests(t float64) float64 {
	if p.from == p.to {
		return p.from * t
	}
	return p.from*t + (p.to-p.from)*t*t/(2*p.length)
}

// when is the inverse of requests: after how many seconds n have come.
func (p piece) when(n float64) float64 {
	if n <= 0 {
		return 0
	}
	if p.from == p.to {
		return n / p.from
	}
	// The root of a t² + from t - n with a = (to - from)/(2 length), in the form that doesn't subtract nearly equal numbers.
	root := math.Sqrt(max(0, p.from*p.from+2*(p.to-p.from)*n/p.length))
	return 2 * n / (p.from + root)
}

// curve is a rate over time, and so how many requests have come until then: its integral.
type curve struct {
	pieces []piece
	end    time.Duration // no request comes from then on; 0 means no end
}

// newCurve returns the curve of a configuration, for one host of count, or for all of them where they share the rate.
func newCurve(c *Config) curve {
	steady := c.Rate.PerSecond() + c.TotalRate.PerSecond() // there is one of them
	if len(c.Schedule) == 0 {
		return curve{[]piece{{length: math.Inf(1), from: steady, to: steady}}, c.horizon()}
	}
	out := curve{end: c.horizon()}
	var p piece
	for _, s := range c.Schedule {
		p.length = s.For.Std().Seconds()
		last := p.to
		p.from, p.to = s.Rate.PerSecond(), s.Rate.PerSecond()
		if s.To > 0 {
			p.to = s.To.PerSecond()
			if s.Rate == 0 {
				p.from = last
			}
		}
		out.pieces = append(out.pieces, p)
		p.before += p.requests(p.length)
		p.start += p.length
	}
	return out
}

// when returns the time after which n requests have come, and whether so many do. If none come for a while it is the end of that
// while: a step's first request comes when the step begins.
func (c curve) when(n float64) (at time.Duration, ok bool) {
	// The first piece that begins with more than n; the one before it is the one.
	i := sort.Search(len(c.pieces), func(i int) bool { return c.pieces[i].before > n }) - 1
	p := c.pieces[i]
	if p.from == 0 && p.to == 0 {
		return 0, false // only the last piece can be found without a rate: there is nothing after it
	}
	seconds := p.start + p.when(n-p.before)
	const most = float64(math.MaxInt64 / time.Second)
	if seconds >= most {
		return 0, false
	}
	whole := math.Floor(seconds)
	at = time.Duration(whole)*time.Second + time.Duration(math.Round((seconds-whole)*1e9))
	return at, c.end == 0 || at < c.end
}

// arrivals is when the requests of one host of an open loop are due.
type arrivals struct {
	curve curve
	// Constant arrivals: the host takes every stride-th request of the curve from first on.
	first, stride uint64
	// Poisson arrivals, if it is not nil. An inhomogeneous Poisson process is one of rate 1 whose time is stretched by the
	// inverse of the integrated rate (Çinlar 1975, "Introduction to Stochastic Processes", chapter 4, section 7).
	random *rand.Rand
	share  float64 // of the curve's requests
	sum    float64

	limit, done uint64 // limit 0 means none
}

// newArrivals returns the arrivals of one host of several.
func newArrivals(c *Config, index, count int, random *rand.Rand) *arrivals {
	a := &arrivals{curve: newCurve(c), stride: 1, share: 1, limit: uint64(c.Requests)}
	if c.TotalRate > 0 {
		a.first, a.stride, a.share = uint64(index), uint64(count), 1/float64(count)
	}
	if c.Arrivals != Constant {
		a.random = random
	}
	return a
}

// next returns the time from the workload's start to the next request, and whether there is one.
func (a *arrivals) next() (at time.Duration, ok bool) {
	if a.limit > 0 && a.done == a.limit {
		return 0, false
	}
	n := float64(a.first + a.done*a.stride)
	if a.random != nil {
		a.sum += a.random.ExpFloat64() / a.share
		n = a.sum
	}
	a.done++
	return a.curve.when(n)
}
