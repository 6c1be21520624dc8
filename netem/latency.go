package netem

import (
	"math"
	"math/rand/v2"
	"time"

	"netlab/units"
)

// jitter delays each frame by a time drawn from a distribution, whatever the others were.
type jitter struct {
	latency units.Distribution
	random  *rand.Rand
}

func (j *jitter) apply(v *verdict) { v.latency = j.latency.Sample(j.random) }

// correlatedJitter delays each frame by a time that is like that of the frame before it. It draws a first-order autoregressive series
// of standard normal values,
//
//	z(t) = ρ z(t-1) + √(1-ρ²) ε(t),   z(0) = ε(0),
//
// and turns each into a latency by the distribution's quantile function: Quantile(Φ(z)). Every z is standard normal, so that
// the latencies have exactly the given distribution, and what is correlated are their ranks (a Gaussian copula: Nelsen 2006, "An
// Introduction to Copulas", section 2.3). ρ is the correlation of the normal values of neighbours, and ρ^k of those k
// frames apart; Spearman's rank correlation of neighbours is 6/π asin(ρ/2), and the correlation of the latencies themselves is ρ for a
// normal distribution that isn't cut off at 0, and nearer to 0 for others. Linux's netem forms ρ u(t-1) + (1-ρ) u(t) of
// uniform values instead (net/sched/sch_netem.c, get_crandom), which makes the distribution narrower than the given one.
type correlatedJitter struct {
	latency units.Distribution
	rho     float64
	rest    float64 // √(1-ρ²)
	random  *rand.Rand
	z       float64
	begun   bool
}

// correlate sets the parameters; a series that has begun goes on.
func (j *correlatedJitter) correlate(latency units.Distribution, rho float64) {
	j.latency, j.rho, j.rest = latency, rho, math.Sqrt(1-rho*rho)
}

func (j *correlatedJitter) apply(v *verdict) {
	z := j.random.NormFloat64()
	if j.begun {
		// The conversions keep the products from being fused with the sum, which some processors round differently.
		z = float64(j.rho*j.z) + float64(j.rest*z)
	}
	j.z, j.begun = z, true
	v.latency = j.latency.Quantile(normalShare(z))
}

// normalShare is Φ(z), less than 1: the quantile of 1 may be infinite.
func normalShare(z float64) float64 {
	return min(math.Erfc(-z/math.Sqrt2)/2, math.Nextafter(1, 0))
}

// later is the time d after t, or the end of time.
func later(t, d time.Duration) time.Duration {
	if sum := t + d; sum >= t {
		return sum
	}
	return maxTime
}
