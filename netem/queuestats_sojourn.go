package netem

import (
	"math/big"
	"math/bits"
	"time"
)

// sojourns is a histogram of durations. Buckets are 1 ns wide up to 32 ns; each octave above has 32 of the same width, so that the
// middle of a bucket is at most 1/64 away from what is in it.
type sojourns struct {
	count  uint64
	total  time.Duration
	max    time.Duration
	octave [59]*[32]uint64 // allocated when something falls into them
}

func (s *sojourns) add(d time.Duration) {
	s.count++
	s.total += d
	s.max = max(s.max, d)
	octave, i := 0, uint64(d)
	if i >= 32 {
		octave = bits.Len64(i) - 5
		i = i>>(octave-1) - 32
	}
	if s.octave[octave] == nil {
		s.octave[octave] = new([32]uint64)
	}
	s.octave[octave][i]++
}

// percentile returns the duration that so many of a hundred don't exceed: the middle of its bucket, or the largest exactly.
func (s *sojourns) percentile(percent uint64) time.Duration {
	high, low := bits.Mul64(s.count, percent)
	rank, rest := bits.Div64(high, low, 100)
	if rest > 0 {
		rank++
	}
	if rank == s.count {
		return s.max
	}
	for octave, block := range s.octave {
		if block == nil {
			continue
		}
		for i, n := range block {
			if n < rank {
				rank -= n
				continue
			}
			if octave == 0 {
				return time.Duration(i)
			}
			width := time.Duration(1) << (octave - 1)
			return time.Duration(i+32)*width + width/2
		}
	}
	return s.max
}

func (s *sojourns) stats() SojournStats {
	if s.count == 0 {
		return SojournStats{}
	}
	return SojournStats{Count: s.count, Avg: time.Duration(uint64(s.total) / s.count), Max: s.max,
		P50: s.percentile(50), P95: s.percentile(95), P99: s.percentile(99)}
}

// area is the sum of lengths times how long they lasted, in 128 bits: a day with a megabyte in a queue is more than 64 bits hold.
type area struct{ high, low uint64 }

func (a *area) add(length int, lasted time.Duration) {
	high, low := bits.Mul64(uint64(length), uint64(lasted))
	var carry uint64
	a.low, carry = bits.Add64(a.low, low, 0)
	a.high += high + carry
}

// over returns the average length over a time, correctly rounded.
func (a *area) over(d time.Duration) float64 {
	if d == 0 {
		return 0
	}
	sum := new(big.Int).SetUint64(a.high)
	sum.Lsh(sum, 64).Add(sum, new(big.Int).SetUint64(a.low))
	mean, _ := new(big.Rat).SetFrac(sum, big.NewInt(int64(d))).Float64()
	return mean
}
