package units

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strings"
	"time"
)

// schedule is a rate that changes at given times.
type schedule struct {
	// points holds for each point its offset and its rate, 8 bytes each, lowest
	// byte first: a string, so that == compares them.
	points string
	every  time.Duration // the period, or 0 for none
}

const (
	pointSize = 16
	// maxPoints is how many points a schedule has at most.
	maxPoints = 1000
)

func (s schedule) count() int                 { return len(s.points) / pointSize }
func (s schedule) offset(i int) time.Duration { return time.Duration(s.word(i * pointSize)) }
func (s schedule) rate(i int) BitRate         { return BitRate(s.word(i*pointSize + 8)) }

// word returns the number at points[at:at+8].
func (s schedule) word(at int) uint64 {
	p := s.points[at : at+8] // one check of the bounds, one load
	return uint64(p[0]) | uint64(p[1])<<8 | uint64(p[2])<<16 | uint64(p[3])<<24 |
		uint64(p[4])<<32 | uint64(p[5])<<40 | uint64(p[6])<<48 | uint64(p[7])<<56
}

// add appends a point.
func (s *schedule) add(offset time.Duration, rate BitRate) error {
	if n := s.count(); n == maxPoints {
		return fmt.Errorf("want at most %d points", maxPoints)
	} else if n == 0 && offset != 0 {
		return fmt.Errorf("the first offset is %v: want 0s", Duration(offset))
	} else if n > 0 && offset <= s.offset(n-1) {
		return fmt.Errorf("the offset %v does not come after %v", Duration(offset), Duration(s.offset(n-1)))
	}
	if rate == 0 {
		return errors.New(`the rate is 0bit/s: want more than that`)
	}
	var packed [pointSize]byte
	for i := range 8 {
		packed[i], packed[8+i] = byte(uint64(offset)>>(8*i)), byte(uint64(rate)>>(8*i))
	}
	s.points += string(packed[:])
	return nil
}

// find returns the index of the last point at or before t, the time within the
// period, and the start of the period.
func (s schedule) find(t time.Duration) (i int, within, start time.Duration) {
	within = t
	if s.every > 0 {
		within = t % s.every
		start = t - within
	}
	low, high := 0, s.count()
	for high-low > 1 {
		if middle := (low + high) / 2; s.offset(middle) <= within {
			low = middle
		} else {
			high = middle
		}
	}
	return low, within, start
}

// between returns the rate at t on the straight line between two points.
func (s schedule) between(t time.Duration) BitRate {
	i, within, _ := s.find(t)
	from := s.rate(i)
	if i+1 == s.count() {
		return from
	}
	to, past, width := s.rate(i+1), within-s.offset(i), s.offset(i+1)-s.offset(i)
	// past < width, so that the quotient is less than the difference of the rates.
	if to < from {
		return from - BitRate(portion(uint64(from-to), uint64(past), uint64(width)))
	}
	return from + BitRate(portion(uint64(to-from), uint64(past), uint64(width)))
}

// portion returns whole * part / of, rounded down; part must be less than of.
func portion(whole, part, of uint64) uint64 {
	hi, lo := bits.Mul64(whole, part)
	quotient, _ := bits.Div64(hi, lo, of)
	return quotient
}

// next returns the time of the first point after t.
func (s schedule) next(t time.Duration) (time.Duration, bool) {
	i, _, start := s.find(t)
	offset := s.every
	if i+1 < s.count() {
		// A ramp may end with a point at the end of the period: the same time.
		offset = s.offset(i + 1)
	}
	if offset == 0 || start > math.MaxInt64-offset {
		return 0, false
	}
	return start + offset, true
}

// write appends the parameters of a call as they are read.
func (s schedule) write(text *strings.Builder) {
	for i := range s.count() {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString(Duration(s.offset(i)).String() + " " + s.rate(i).String())
	}
	if s.every > 0 {
		text.WriteString(", " + everyWord + Duration(s.every).String())
	}
}
