package units

import (
	"math"
	"time"
)

// Mean returns the mean, rounded to the nanosecond. For a normal distribution
// it is that of what is left after truncation, which is above the mean that was
// written when the standard deviation is large: with m and s as written and φ
// and Φ the density and the distribution function of the standard normal
// distribution it is m + s φ(m/s)/Φ(m/s) (Johnson, Kotz and Balakrishnan 1994,
// "Continuous Univariate Distributions", volume 1, section 13.10.1). For laplace,
// with m and b as written, the part below 0 has the share q = exp(-m/b)/2, and
// the mean of the rest is m + (m+b) q/(1-q), by integration. For pareto it is
// scale shape/(shape-1) (same, chapter 20), for a file the weighted mean of its
// values.
func (d Distribution) Mean() time.Duration {
	switch d.kind {
	case uniform:
		// Half of the width, rounded up: no overflow, no floating point.
		return d.a + (d.b-d.a)/2 + (d.b-d.a)%2
	case normal, laplace, pareto:
		return d.a + nanoseconds(d.excess())
	case empirical:
		return d.data().mean
	}
	return d.a
}

// excess is by how much the mean is above the first parameter, for the kinds
// whose mean is not a parameter. It is a term of its own so that a large first
// parameter stays exact.
func (d Distribution) excess() float64 {
	switch {
	case d.kind == normal && d.b > 0:
		x := float64(d.a) / float64(d.b)
		density := math.Exp(-x*x/2) / math.Sqrt(2*math.Pi)
		below := math.Erfc(-x/math.Sqrt2) / 2
		return float64(d.b) * density / below
	case d.kind == laplace && d.b > 0:
		below := math.Exp(-float64(d.a)/float64(d.b)) / 2
		return (float64(d.a) + float64(d.b)) * below / (1 - below)
	case d.kind == pareto:
		return float64(d.a) / (d.shape - 1)
	}
	return 0
}

// IsConstant tells whether all samples are equal to Mean: a plain duration,
// uniform(x, x), a standard deviation or scale of 0s, or a file in which all
// values are equal.
func (d Distribution) IsConstant() bool { return d.isConstant() }

// isConstant is IsConstant without a copy.
func (d *Distribution) isConstant() bool {
	switch d.kind {
	case constant:
		return true
	case uniform:
		return d.a == d.b
	case normal, lognormal, laplace:
		return d.b == 0
	case empirical:
		return d.data().Len() == 1
	}
	return false
}

// IsZero tells whether d is the zero value, which is always 0s.
func (d Distribution) IsZero() bool { return d == Distribution{} }
