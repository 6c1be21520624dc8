package units

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Distribution is how durations are spread. It is one of these, written so:
//
//	20ms                      always the same
//	uniform(1ms, 5ms)         every nanosecond from min to max is as likely as any other
//	normal(20ms, 3ms)         the bell curve with this mean and standard deviation, without its part below 0
//	lognormal(20ms, 3ms)      skewed to the right; the parameters are the mean and the standard
//	                          deviation of the durations, not of their logarithms
//	exponential(8ms)          the times between independent events, with this mean
//	pareto(1ms, 2.5)          a heavy tail: never below the scale (1ms), and P(X > x) = (scale/x)^shape
//
// The zero value is always 0s. Two distributions with the same text are equal
// with ==.
//
// Samples are rounded to the nanosecond and never negative. The few samples of
// a heavy tail that are beyond the largest time.Duration, some 292 years, are
// that largest one.
type Distribution struct {
	kind kind
	// a and b are the parameters in the order in which they are written.
	a, b time.Duration
	// shape is pareto's shape, and for lognormal the standard deviation of the
	// logarithm, which follows from a and b.
	shape float64
}

// kind is the family of a distribution. Zero is constant, so that the zero
// Distribution is always 0s.
type kind uint8

const (
	constant kind = iota
	uniform
	normal
	lognormal
	exponential
	pareto
)

// Constant returns the distribution that is always d. It panics if d is
// negative.
func Constant(d time.Duration) Distribution {
	if d < 0 {
		panic(fmt.Sprintf("units: Constant(%v): want 0s or more", d))
	}
	return Distribution{kind: constant, a: d}
}

// Uniform returns uniform(min, max), both included. It is an error unless
// 0 <= min <= max.
func Uniform(min, max time.Duration) (Distribution, error) {
	switch {
	case min < 0:
		return Distribution{}, errors.New("the minimum must not be negative")
	case max < min:
		return Distribution{}, fmt.Errorf("the minimum %v is above the maximum %v", Duration(min), Duration(max))
	}
	return Distribution{kind: uniform, a: min, b: max}, nil
}

// Normal returns normal(mean, stddev), truncated at 0. Both must not be
// negative.
func Normal(mean, stddev time.Duration) (Distribution, error) {
	if mean < 0 || stddev < 0 {
		return Distribution{}, errors.New("the mean and the standard deviation must not be negative")
	}
	d := Distribution{kind: normal, a: mean, b: stddev}
	return d, d.checkMean()
}

// Lognormal returns lognormal(mean, stddev), with the mean and the standard
// deviation of the durations themselves. The mean must be above 0, the standard
// deviation not negative.
func Lognormal(mean, stddev time.Duration) (Distribution, error) {
	switch {
	case mean <= 0:
		return Distribution{}, errors.New("the mean must be above 0s")
	case stddev < 0:
		return Distribution{}, errors.New("the standard deviation must not be negative")
	}
	ratio := float64(stddev) / float64(mean)
	return Distribution{kind: lognormal, a: mean, b: stddev, shape: math.Sqrt(math.Log1p(ratio * ratio))}, nil
}

// Exponential returns exponential(mean). The mean must be above 0.
func Exponential(mean time.Duration) (Distribution, error) {
	if mean <= 0 {
		return Distribution{}, errors.New("the mean must be above 0s")
	}
	return Distribution{kind: exponential, a: mean}, nil
}

// Pareto returns pareto(scale, shape). The scale, which is the smallest sample,
// must be above 0; the shape must be above 1, because the mean does not exist
// otherwise, and such that the mean fits in a time.Duration.
func Pareto(scale time.Duration, shape float64) (Distribution, error) {
	switch {
	case scale <= 0:
		return Distribution{}, errors.New("the scale must be above 0s")
	case !(shape > 1) || math.IsInf(shape, 0):
		return Distribution{}, errors.New("the shape must be a number above 1, because the mean does not exist otherwise")
	}
	d := Distribution{kind: pareto, a: scale, shape: shape}
	return d, d.checkMean()
}

// checkMean refuses a distribution whose mean does not fit in a time.Duration.
func (d Distribution) checkMean() error {
	if nanoseconds(d.excess()) > math.MaxInt64-d.a {
		return errors.New("the mean is too large")
	}
	return nil
}

// Sample draws a duration. What it takes from r depends on the distribution: a
// constant one takes nothing, normal and exponential a varying number of
// values. The formulas, with U uniform on [0, 1), Z standard normal and E
// standard exponential:
//
//	uniform      min + an integer uniform on [0, max-min]
//	normal       mean + stddev Z, drawn again while it is negative
//	lognormal    mean exp(s Z - s²/2) with s² = ln(1 + (stddev/mean)²)
//	exponential  mean E
//	pareto       scale (1-U)^(-1/shape)
//
// Z and E come from math/rand/v2, which uses the ziggurat method (Marsaglia and
// Tsang 2000, "The Ziggurat Method for Generating Random Variables"). Drawing
// again is the rejection method and (1-U)^(-1/shape) the inversion method
// (Devroye 1986, "Non-Uniform Random Variate Generation", chapter II, sections
// 3 and 2); lognormal's parameters follow from its moments (Johnson, Kotz and
// Balakrishnan 1994, "Continuous Univariate Distributions", volume 1, chapter
// 14).
//
// The same source gives the same samples. Between processor architectures
// lognormal and pareto may differ in the last nanosecond, because math.Exp and
// math.Pow may differ in the last bit.
func (d Distribution) Sample(r *rand.Rand) time.Duration {
	if d.IsConstant() {
		return d.a
	}
	switch d.kind {
	case uniform:
		return d.a + time.Duration(r.Uint64N(uint64(d.b-d.a)+1))
	case normal:
		// The mean is not negative, so at least every second draw will do.
		for {
			// The conversion of the product keeps it from being fused with the
			// sum, which some processors round differently.
			if v := float64(d.a) + float64(float64(d.b)*r.NormFloat64()); v >= 0 {
				return nanoseconds(v)
			}
		}
	case lognormal:
		return nanoseconds(float64(d.a) * math.Exp(d.shape*(r.NormFloat64()-d.shape/2)))
	case exponential:
		return nanoseconds(float64(d.a) * r.ExpFloat64())
	case pareto:
		return nanoseconds(float64(d.a) * math.Pow(1-r.Float64(), -1/d.shape))
	}
	panic(fmt.Sprintf("units: distribution of kind %d: want a known one", d.kind))
}

// nanoseconds rounds v, which is not negative, to a whole number.
func nanoseconds(v float64) time.Duration {
	if v >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(math.Round(v))
}

// Mean returns the mean, rounded to the nanosecond. For a normal distribution
// it is that of what is left after truncation, which is above the mean that was
// written when the standard deviation is large: with m and s as written and φ
// and Φ the density and the distribution function of the standard normal
// distribution it is m + s φ(m/s)/Φ(m/s) (Johnson, Kotz and Balakrishnan 1994,
// "Continuous Univariate Distributions", volume 1, section 13.10.1). For pareto
// it is scale shape/(shape-1) (same, chapter 20).
func (d Distribution) Mean() time.Duration {
	switch d.kind {
	case uniform:
		// Half of the width, rounded up: no overflow, no floating point.
		return d.a + (d.b-d.a)/2 + (d.b-d.a)%2
	case normal, pareto:
		return d.a + nanoseconds(d.excess())
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
	case d.kind == pareto:
		return float64(d.a) / (d.shape - 1)
	}
	return 0
}

// IsConstant tells whether all samples are equal to Mean: a plain duration,
// uniform(x, x), or a standard deviation of 0s.
func (d Distribution) IsConstant() bool {
	switch d.kind {
	case constant:
		return true
	case uniform:
		return d.a == d.b
	case normal, lognormal:
		return d.b == 0
	}
	return false
}

// IsZero tells whether d is the zero value, which is always 0s.
func (d Distribution) IsZero() bool { return d == Distribution{} }
