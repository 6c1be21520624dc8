package units

import (
	"fmt"
	"math"
	"time"
)

// Quantile returns the duration that a share p of the samples does not exceed:
// the inverse of the distribution function, rounded to the nanosecond as samples
// are. So Quantile(u) with u uniform on [0, 1] is distributed as Sample is, and
// samples that depend on each other are made by drawing dependent values of u
// (the inversion method; with Φ of correlated normal values for u it is a
// Gaussian copula: Nelsen 2006, "An Introduction to Copulas", section 2.3).
//
// Quantile(0) is the smallest duration that occurs. Quantile(1) is the largest,
// which for all but a constant, uniform or file distribution is the largest
// time.Duration. It panics unless 0 <= p <= 1.
//
// The formulas, with Φ the distribution function of the standard normal
// distribution and F that of the distribution before its part below 0 is cut
// off; normal and laplace become the quantile of F at F(0) + p (1 - F(0)):
//
//	uniform      the smallest k with (k - min + 1)/(max - min + 1) >= p
//	normal       mean + stddev Φ⁻¹(F(0) + p Φ(mean/stddev))
//	lognormal    mean exp(s Φ⁻¹(p) - s²/2)
//	laplace      mean + scale ln(2v) for v < 1/2, mean - scale ln(2 - 2v) above it, v = F(0) + p (1 - F(0))
//	exponential  -mean ln(1-p)
//	pareto       scale (1-p)^(-1/shape)
//	file         the smallest value that, with the smaller ones, has a share p of the weight
func (d Distribution) Quantile(p float64) time.Duration {
	if !(p >= 0 && p <= 1) {
		panic(fmt.Sprintf("units: Quantile(%v): want 0 to 1", p))
	}
	if d.kind == empirical {
		return d.data().quantile(p)
	}
	if d.IsConstant() {
		return d.a
	}
	a, b := float64(d.a), float64(d.b)
	switch d.kind {
	case uniform:
		count := uint64(d.b-d.a) + 1
		// The product may be rounded up to more than count, which only a width
		// above 2^53 ns makes possible.
		k := min(uint64(math.Ceil(p*float64(count))), count)
		return d.a + time.Duration(max(k, 1)-1)
	case normal:
		below := math.Erfc(a/b/math.Sqrt2) / 2
		// Of the two tails the smaller is known more exactly.
		lower, upper := below+p*(1-below), (1-p)*(1-below)
		if lower < 0.5 {
			return nanoseconds(max(a+b*normalQuantile(lower), 0)) // below 0 by a rounding error only
		}
		return nanoseconds(max(a-b*normalQuantile(upper), 0))
	case lognormal:
		z := normalQuantile(p)
		return nanoseconds(a * math.Exp(d.shape*(z-d.shape/2)))
	case laplace:
		below := math.Exp(-a/b) / 2
		lower, upper := below+p*(1-below), (1-p)*(1-below)
		if lower < 0.5 {
			return nanoseconds(max(a+b*math.Log(2*lower), 0))
		}
		return nanoseconds(max(a-b*math.Log(2*upper), 0))
	case exponential:
		return nanoseconds(-a * math.Log1p(-p))
	case pareto:
		return nanoseconds(a * math.Pow(1-p, -1/d.shape))
	}
	panic(fmt.Sprintf("units: distribution of kind %d: want a known one", d.kind))
}

// normalQuantile is Φ⁻¹(p) for 0 <= p <= 1, exact for small p as well.
func normalQuantile(p float64) float64 {
	if p > 1e-5 || p == 0 {
		return math.Sqrt2 * math.Erfinv(2*p-1)
	}
	// 2p - 1 loses the digits of a small p. Newton's method on ln Φ, which is
	// concave, comes nearer from one side only; from this beginning, which is
	// below the root because Φ(-x) < exp(-x²/2), four steps are enough, and two
	// more cost little.
	z := -math.Sqrt(-2 * math.Log(p))
	for range 6 {
		below := math.Erfc(-z/math.Sqrt2) / 2
		if below == 0 {
			break // p is so small that no float64 is nearer
		}
		density := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
		z -= math.Log(below/p) * below / density
	}
	return z
}
