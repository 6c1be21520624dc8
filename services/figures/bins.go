package figures

import (
	"math"
	"math/bits"
	"slices"
	"time"

	"netlab/units"
)

// MaxBins is how many bins a distribution has at most.
const MaxBins = 64

// Bin is a part of a distribution: the durations that are longer than those of the bin before it and not longer than LE.
type Bin struct {
	LE    units.Duration `json:"le_ns"`
	Count uint64         `json:"count"`
}

// Bins returns the distribution in bins that are all as wide in relation to the durations in them, the first from the smallest duration
// and the last up to the largest; nil when there is nothing. There are 16, 8, 4, 2 or 1 of them for each doubling, as many as give at
// most [MaxBins] in all. Bins without durations between others are there too, unless they are so narrow that no whole nanosecond lies in
// them. The counts are exact, but for coarse histograms whose durations differ little: they know these within 0.8 %.
func (h *Histogram) Bins() []Bin {
	b := newBins(h.spread.min, h.spread.max)
	for _, c := range h.exact {
		b.add(c.d, c.n)
	}
	if h.buckets != nil {
		for low, n := range h.buckets.ForEachBucket {
			b.add(min(max(time.Duration(low), h.spread.min), h.spread.max), uint64(n))
		}
	}
	return b.list(h.spread.n)
}

// Bins returns the distribution as [Histogram.Bins] does, with exact counts.
func (l *Latencies) Bins() []Bin {
	if len(l.list) == 0 {
		return nil
	}
	b := newBins(slices.Min(l.list), slices.Max(l.list))
	for _, d := range l.list {
		b.add(d, 1)
	}
	return b.list(uint64(len(l.list)))
}

// bins divides durations from one to another. A bin's number grows with its durations.
type bins struct {
	shift       int // by which the finest numbers are divided
	first, last int
	max         time.Duration
	counts      [MaxBins]uint64
}

// perDoubling is how many bins a doubling has at most, and edges are where they begin, 2^(i/16), with 11 significant bits: so the edges
// of bins are also edges of the buckets of a [Histogram] that isn't coarse.
const perDoubling = 16

var edges = [perDoubling]uint64{1024, 1069, 1117, 1166, 1218, 1272, 1328, 1387, 1448, 1512, 1579, 1649, 1722, 1798, 1878, 1961}

// newBins chooses the width.
func newBins(from, to time.Duration) *bins {
	b := &bins{max: to}
	for {
		b.first, b.last = b.number(from), b.number(to)
		if b.last-b.first < MaxBins {
			return b
		}
		b.shift++
	}
}

// number is the bin of a duration; 0 has one of its own.
func (b *bins) number(d time.Duration) int {
	if d == 0 {
		return 0
	}
	exponent := bits.Len64(uint64(d)) - 1
	leading := uint64(d) >> max(exponent-10, 0) << max(10-exponent, 0) // its first 11 bits
	i := perDoubling - 1
	for edges[i] > leading {
		i--
	}
	return 1 + (exponent*perDoubling+i)>>b.shift
}

// end is the longest duration of a bin.
func (b *bins) end(number int) time.Duration {
	next := number << b.shift // the finest number at which the next one begins, without the 1 for the bin of 0
	exponent, i := next/perDoubling, next%perDoubling
	if exponent >= 63 {
		return math.MaxInt64
	}
	high, low := bits.Mul64(edges[i], 1<<exponent)
	begin := high<<54 | low>>10
	if low&1023 != 0 {
		begin++
	}
	return time.Duration(begin - 1)
}

func (b *bins) add(d time.Duration, n uint64) { b.counts[b.number(d)-b.first] += n }

// list returns the bins, or nil if there were no durations.
func (b *bins) list(count uint64) []Bin {
	if count == 0 {
		return nil
	}
	var out []Bin
	for number := b.first; number <= b.last; number++ {
		end := min(b.end(number), b.max)
		if n := len(out); n > 0 && out[n-1].LE == units.Duration(end) {
			continue
		}
		out = append(out, Bin{units.Duration(end), b.counts[number-b.first]})
	}
	return out
}
