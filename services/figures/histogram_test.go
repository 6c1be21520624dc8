package figures

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

func TestFewDurationsAreExact(t *testing.T) {
	var h Histogram
	require.Nil(t, h.Percentiles())
	require.Nil(t, h.Summary())
	require.Zero(t, h.Percentile(5000))
	for i := 1000; i >= 1; i-- {
		h.Add(time.Duration(i) * time.Hour / 7)
	}
	at := func(i int) units.Duration { return units.Duration(time.Duration(i) * time.Hour / 7) }
	p := h.Percentiles()
	require.Equal(t, &Percentiles{Count: 1000, Min: at(1), Avg: p.Avg, Max: at(1000), P50: at(500), P90: at(900), P95: at(950),
		P99: at(990), P999: at(999), P9999: at(1000)}, p)
	require.Equal(t, &Summary{Count: 1000, Avg: p.Avg, P50: at(500), P99: at(990), Max: at(1000)}, h.Summary())
	require.Nil(t, h.buckets)

	var same Histogram
	for range 1_000_000 {
		same.Add(20_000_001)
	}
	require.Equal(t, &Summary{1_000_000, 20_000_001, 20_000_001, 20_000_001, 20_000_001}, same.Summary())
}

// Compared with sorting all durations, percentiles are at most 1/1024 too high, 1/128 in a coarse histogram.
func TestHistogramError(t *testing.T) {
	for _, c := range []struct {
		histogram *Histogram
		bound     float64
	}{{new(Histogram), 1. / 1024}, {NewCoarse(), 1. / 128}} {
		random := rand.New(rand.NewPCG(1, 2))
		var all Latencies
		for range 100_000 {
			d := time.Duration(math.Exp(random.Float64() * math.Log(float64(100*time.Hour))))
			c.histogram.Add(d)
			all.Add(d)
		}
		require.NotNil(t, c.histogram.buckets)
		want := all.Latency()
		found := c.histogram.Percentiles()
		require.Equal(t, want.Min, found.Min)
		require.Equal(t, want.Avg, found.Avg)
		require.Equal(t, want.Max, found.Max)
		slices.Sort(all.list)
		for of := uint64(1); of <= 10000; of++ {
			exact := all.list[of*10-1]
			found := c.histogram.Percentile(of)
			require.GreaterOrEqual(t, found, exact)
			require.LessOrEqual(t, float64(found-exact), float64(exact)*c.bound, "%d of 10000: %v, found %v", of, exact, found)
			if exact < 128 {
				require.Equal(t, exact, found)
			}
		}
	}
}

func TestHugeDurationsAreCounted(t *testing.T) {
	var h Histogram
	for i := range 2000 {
		h.Add(math.MaxInt64 - time.Duration(i))
	}
	h.Add(0)
	require.EqualValues(t, 2001, h.Count())
	require.Equal(t, time.Duration(math.MaxInt64), h.Max())
	require.Zero(t, h.Percentile(0))
	require.LessOrEqual(t, h.Percentile(9900), time.Duration(math.MaxInt64))
	require.Panics(t, func() { h.Add(-1) })
	require.Panics(t, func() { NewCoarse().Merge(&h) })
}

// However durations are spread over histograms, merging these gives the same.
func TestMergedHistogramsAreOne(t *testing.T) {
	for _, n := range []int{10, 900, 1500, 5000} {
		random := rand.New(rand.NewPCG(1, 2))
		var all, forth, back Histogram
		parts := make([]Histogram, 4)
		for i := range n {
			d := time.Duration(random.ExpFloat64() * 1e7)
			all.Add(d)
			parts[i%3].Add(d) // the last one stays empty
		}
		for i := range parts {
			forth.Merge(&parts[i])
			back.Merge(&parts[len(parts)-1-i])
		}
		require.Equal(t, all.buckets == nil, forth.buckets == nil)
		for _, h := range []*Histogram{&forth, &back} {
			require.Equal(t, all.Percentiles(), h.Percentiles())
			for of := uint64(0); of <= 10000; of += 7 {
				require.Equal(t, all.Percentile(of), h.Percentile(of))
			}
		}
	}
}

func BenchmarkHistogramAdd(b *testing.B) {
	var h Histogram
	random := rand.New(rand.NewPCG(1, 2))
	list := make([]time.Duration, 1<<16)
	for i := range list {
		list[i] = time.Duration(20e6 + random.ExpFloat64()*1e7)
	}
	for i := 0; b.Loop(); i++ {
		h.Add(list[i%len(list)])
	}
}
