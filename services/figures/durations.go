package figures

import (
	"math/big"
	"math/bits"
	"time"

	"netlab/units"
)

// Durations collects durations of 0 or more and keeps their count, sum, sum of squares, smallest and largest. The zero
// value is empty.
type Durations struct {
	n                  uint64
	sumHigh, sumLow    uint64
	squaresHi, squares uint64
	min, max           time.Duration
}

// Add adds a duration. A negative one panics.
func (s *Durations) Add(d time.Duration) {
	if d < 0 {
		panic("figures: a negative duration")
	}
	var carry uint64
	if s.n == 0 || d < s.min {
		s.min = d
	}
	s.max = max(s.max, d)
	s.n++
	s.sumLow, carry = bits.Add64(s.sumLow, uint64(d), 0)
	s.sumHigh += carry
	high, low := bits.Mul64(uint64(d), uint64(d))
	s.squares, carry = bits.Add64(s.squares, low, 0)
	s.squaresHi, _ = bits.Add64(s.squaresHi, high, carry)
}

// Merge adds what another one has collected.
func (s *Durations) Merge(o Durations) {
	if o.n == 0 {
		return
	}
	if s.n == 0 || o.min < s.min {
		s.min = o.min
	}
	s.max = max(s.max, o.max)
	s.n += o.n
	var carry uint64
	s.sumLow, carry = bits.Add64(s.sumLow, o.sumLow, 0)
	s.sumHigh += o.sumHigh + carry
	s.squares, carry = bits.Add64(s.squares, o.squares, 0)
	s.squaresHi, _ = bits.Add64(s.squaresHi, o.squaresHi, carry)
}

// Count is how many there are.
func (s *Durations) Count() uint64 { return s.n }

// RTT is the spread of round-trip times, as ping reports it.
type RTT struct {
	Min  units.Duration `json:"min_ns"`
	Avg  units.Duration `json:"avg_ns"`
	Max  units.Duration `json:"max_ns"`
	Mdev units.Duration `json:"mdev_ns"` // standard deviation of the population
}

// RTT returns the spread, or nil when there is nothing.
func (s *Durations) RTT() *RTT {
	if s.n == 0 {
		return nil
	}
	return &RTT{units.Duration(s.min), s.average(), units.Duration(s.max), s.deviation()}
}

// Spread is the smallest, the mean and the largest of some durations.
type Spread struct {
	Min units.Duration `json:"min_ns"`
	Avg units.Duration `json:"avg_ns"`
	Max units.Duration `json:"max_ns"`
}

// Spread returns the spread, or nil when there is nothing.
func (s *Durations) Spread() *Spread {
	if s.n == 0 {
		return nil
	}
	return &Spread{units.Duration(s.min), s.average(), units.Duration(s.max)}
}

func wide(high, low uint64) *big.Int {
	v := new(big.Int).SetUint64(high)
	return v.Lsh(v, 64).Or(v, new(big.Int).SetUint64(low))
}

// average is the mean, rounded down to a nanosecond.
func (s *Durations) average() units.Duration {
	mean := wide(s.sumHigh, s.sumLow)
	return units.Duration(mean.Quo(mean, new(big.Int).SetUint64(s.n)).Int64())
}

// deviation is sqrt(n Σx² - (Σx)²) / n, rounded down to a nanosecond.
func (s *Durations) deviation() units.Duration {
	n := new(big.Int).SetUint64(s.n)
	sum := wide(s.sumHigh, s.sumLow)
	v := wide(s.squaresHi, s.squares)
	v.Mul(v, n).Sub(v, sum.Mul(sum, sum))
	// Rounding the root down before the division does not change the result.
	return units.Duration(v.Quo(v.Sqrt(v), n).Int64())
}
