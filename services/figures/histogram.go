package figures

import (
	"fmt"
	"math"
	"slices"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"netlab/units"
)

// Histogram counts durations of 0 or more and tells their percentiles without keeping them all: a high dynamic range histogram
// (Gil Tene, hdrhistogram.org), whose buckets are as wide as a fixed share of the durations in them.
//
// Up to 1000 different durations it is exact, which is what virtual time often gives. From then on a percentile is at most
// 0.1 % (1/1024) above the duration that it stands for, and never below; durations below 2048 ns stay exact. A coarse histogram
// is exact up to 64 and then within 0.8 % (1/128). Count, smallest, largest and mean are always exact. What a histogram says
// depends neither on the order of its durations nor on how they were spread over histograms that were merged.
//
// The zero value is empty and ready. A histogram takes 16 bytes for each different duration while it is exact, then some 6 for
// each bucket that is in use. It must not be copied once it is in use, and its users see to it that one uses it at a time.
type Histogram struct {
	coarse  bool
	spread  Durations
	exact   []counted // sorted; nil once there were too many
	buckets *hdr.PackedHistogram
}

// counted is a duration and how often it came.
type counted struct {
	d time.Duration
	n uint64
}

// How many different durations are kept exactly, and how many decimal digits are kept of more.
const (
	fineExact, fineDigits     = 1000, 3
	coarseExact, coarseDigits = 64, 2
)

// NewCoarse returns an empty histogram that is small: for many of them.
func NewCoarse() *Histogram { return &Histogram{coarse: true} }

// Add adds a duration. A negative one panics.
func (h *Histogram) Add(d time.Duration) { h.add(d, 1); h.spread.Add(d) }

// Count is how many durations there are.
func (h *Histogram) Count() uint64 { return h.spread.n }

// Max is the largest duration, 0 when there is none.
func (h *Histogram) Max() time.Duration { return h.spread.max }

// add counts n durations, but not in the spread.
func (h *Histogram) add(d time.Duration, n uint64) {
	if d < 0 {
		panic("figures: a negative duration")
	}
	if h.buckets != nil {
		h.record(d, n)
		return
	}
	i, found := slices.BinarySearchFunc(h.exact, d, func(c counted, d time.Duration) int { return int(min(max(c.d-d, -1), 1)) })
	if found {
		h.exact[i].n += n
		return
	}
	h.exact = slices.Insert(h.exact, i, counted{d, n})
	if most := h.mostExact(); len(h.exact) > most {
		h.fold()
	}
}

func (h *Histogram) mostExact() int {
	if h.coarse {
		return coarseExact
	}
	return fineExact
}

// fold counts what was exact in buckets.
func (h *Histogram) fold() {
	digits := fineDigits
	if h.coarse {
		digits = coarseDigits
	}
	h.buckets = hdr.NewPacked(1, math.MaxInt64, digits)
	for _, c := range h.exact {
		h.record(c.d, c.n)
	}
	h.exact = nil
}

func (h *Histogram) record(d time.Duration, n uint64) {
	if err := h.buckets.RecordValues(int64(d), int64(n)); err != nil {
		panic(fmt.Sprintf("figures: a histogram of all durations refused %v: %v", d, err))
	}
}

// Merge adds what another one has counted, which must be as coarse. The other one stays as it is.
func (h *Histogram) Merge(o *Histogram) {
	if h.coarse != o.coarse {
		panic("figures: a coarse histogram can't be merged with a fine one")
	}
	h.spread.Merge(o.spread)
	for _, c := range o.exact {
		h.add(c.d, c.n)
	}
	if o.buckets == nil {
		return
	}
	if h.buckets == nil {
		h.fold()
	}
	if dropped := h.buckets.Merge(o.buckets); dropped > 0 {
		panic(fmt.Sprintf("figures: a histogram of all durations dropped %d", dropped))
	}
}

// Percentile returns the smallest duration that at least so many of 10,000 durations do not exceed (nearest rank): 9999 asks for
// p99.99. It is 0 when there is nothing. See [Histogram] for how exact it is.
func (h *Histogram) Percentile(of10000 uint64) time.Duration {
	const whole = 10000
	if h.spread.n == 0 {
		return 0
	}
	// The quotient and the remainder apart, so that no product overflows.
	n := h.spread.n
	rank := n/whole*of10000 + (n%whole*of10000+whole-1)/whole
	rank = min(max(rank, 1), n)
	if h.buckets == nil {
		for _, c := range h.exact {
			if rank <= c.n {
				return c.d
			}
			rank -= c.n
		}
		panic("figures: a histogram lost some of its durations")
	}
	// The library rounds percent/100 × n to a whole rank; this is the rank that we want.
	found := time.Duration(h.buckets.ValueAtPercentile(float64(rank) / float64(n) * 100))
	return min(max(found, h.spread.min), h.spread.max)
}

// Percentiles is a distribution of durations, with percentiles by nearest rank from a [Histogram].
type Percentiles struct {
	Count uint64         `json:"count"`
	Min   units.Duration `json:"min_ns"`
	Avg   units.Duration `json:"avg_ns"`
	Max   units.Duration `json:"max_ns"`
	P50   units.Duration `json:"p50_ns"`
	P90   units.Duration `json:"p90_ns"`
	P95   units.Duration `json:"p95_ns"`
	P99   units.Duration `json:"p99_ns"`
	P999  units.Duration `json:"p999_ns"`  // 99.9 %
	P9999 units.Duration `json:"p9999_ns"` // 99.99 %
}

// Percentiles returns the distribution, or nil when there is nothing.
func (h *Histogram) Percentiles() *Percentiles {
	s := h.spread.Spread()
	if s == nil {
		return nil
	}
	at := func(of10000 uint64) units.Duration { return units.Duration(h.Percentile(of10000)) }
	return &Percentiles{Count: h.spread.n, Min: s.Min, Avg: s.Avg, Max: s.Max,
		P50: at(5000), P90: at(9000), P95: at(9500), P99: at(9900), P999: at(9990), P9999: at(9999)}
}

// Summary is a distribution of durations in short.
type Summary struct {
	Count uint64         `json:"count"`
	Avg   units.Duration `json:"avg_ns"`
	P50   units.Duration `json:"p50_ns"`
	P99   units.Duration `json:"p99_ns"`
	Max   units.Duration `json:"max_ns"`
}

// Summary returns the distribution in short, or nil when there is nothing.
func (h *Histogram) Summary() *Summary {
	s := h.spread.Spread()
	if s == nil {
		return nil
	}
	return &Summary{Count: h.spread.n, Avg: s.Avg, Max: s.Max,
		P50: units.Duration(h.Percentile(5000)), P99: units.Duration(h.Percentile(9900))}
}
