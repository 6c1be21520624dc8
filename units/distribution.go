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
//	laplace(20ms, 3ms)        two exponential tails around this mean, each with this scale, without the part below 0
//	exponential(8ms)          the times between independent events, with this mean
//	pareto(1ms, 2.5)          a heavy tail: never below the scale (1ms), and P(X > x) = (scale/x)^shape
//	file("rtt.txt")           empirical: one of the values in a file (ParseTable), each with the probability of
//	                          its weight; nothing between two values occurs
//
// The zero value is always 0s. Two distributions with the same text are equal
// with ==, those of a file if they have the same Table too.
//
// Reading the text of a file distribution does not open the file: who reads it
// hands over its data by WithTable. Without them, what asks for values (Sample,
// Quantile, Mean, IsConstant) panics.
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
	// path and table are those of an empirical distribution.
	path  string
	table *Table
}

// kind is the family of a distribution. Zero is constant, so that the zero
// Distribution is always 0s.
type kind uint8

const (
	constant kind = iota
	uniform
	normal
	lognormal
	laplace
	exponential
	pareto
	empirical
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

// Laplace returns laplace(mean, scale), truncated at 0; the mean is that before
// truncation. Both must not be negative. Before truncation the standard
// deviation is scale √2.
func Laplace(mean, scale time.Duration) (Distribution, error) {
	if mean < 0 || scale < 0 {
		return Distribution{}, errors.New("the mean and the scale must not be negative")
	}
	d := Distribution{kind: laplace, a: mean, b: scale}
	return d, d.checkMean()
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
// constant one takes nothing, normal, laplace and exponential a varying number
// of values. The formulas, with U uniform on [0, 1), Z standard normal and E
// standard exponential:
//
//	uniform      min + an integer uniform on [0, max-min]
//	normal       mean + stddev Z, drawn again while it is negative
//	lognormal    mean exp(s Z - s²/2) with s² = ln(1 + (stddev/mean)²)
//	laplace      mean + scale (E - E'), drawn again while it is negative
//	exponential  mean E
//	pareto       scale (1-U)^(-1/shape)
//	file         the first value up to which the weights are above U times all weights
//
// Z and E come from math/rand/v2, which uses the ziggurat method (Marsaglia and
// Tsang 2000, "The Ziggurat Method for Generating Random Variables"). Drawing
// again is the rejection method and (1-U)^(-1/shape) the inversion method
// (Devroye 1986, "Non-Uniform Random Variate Generation", chapter II, sections
// 3 and 2); lognormal's parameters follow from its moments (Johnson, Kotz and
// Balakrishnan 1994, "Continuous Univariate Distributions", volume 1, chapter
// 14), and the difference of two exponential variables is a Laplace variable
// (same, 1995, volume 2, chapter 24).
//
// The same source gives the same samples. Between processor architectures
// lognormal and pareto may differ in the last nanosecond, because math.Exp and
// math.Pow may differ in the last bit.
func (d Distribution) Sample(r *rand.Rand) time.Duration {
	// Most links have a constant latency: this much is inlined where it is called.
	if d.kind == constant {
		return d.a
	}
	return d.sample(r)
}

// sample is Sample for all but a plain duration. The pointer saves a copy.
func (d *Distribution) sample(r *rand.Rand) time.Duration {
	if d.isConstant() {
		return d.Mean()
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
	case laplace:
		for {
			if v := float64(d.a) + float64(float64(d.b)*(r.ExpFloat64()-r.ExpFloat64())); v >= 0 {
				return nanoseconds(v)
			}
		}
	case exponential:
		return nanoseconds(float64(d.a) * r.ExpFloat64())
	case pareto:
		return nanoseconds(float64(d.a) * math.Pow(1-r.Float64(), -1/d.shape))
	case empirical:
		return d.table.sample(r.Float64())
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
