package figures

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

func TestBinsOfFewDurations(t *testing.T) {
	require.Nil(t, new(Histogram).Bins())
	require.Nil(t, new(Latencies).Bins())
	for _, c := range []struct {
		durations []time.Duration
		want      []Bin
	}{
		{[]time.Duration{0}, []Bin{{0, 1}}},
		{[]time.Duration{20_000_001, 20_000_001}, []Bin{{20_000_001, 2}}},
		{[]time.Duration{1, 3, 3}, []Bin{{1, 1}, {2, 0}, {3, 2}}},
		{[]time.Duration{31, 32, 33, 34}, []Bin{{31, 1}, {33, 2}, {34, 1}}},              // from 32 on they are more than 1 wide
		{[]time.Duration{0, math.MaxInt64}, append(powers(), Bin{math.MaxInt64, 1})[1:]}, // one for each power of two
	} {
		var h Histogram
		var l Latencies
		for _, d := range c.durations {
			h.Add(d)
			l.Add(d)
		}
		require.Equal(t, c.want, h.Bins(), c.durations)
		require.Equal(t, c.want, l.Bins(), c.durations)
	}
}

// powers are the bins for 0 and up to 2^62 if only 0 was counted, after one that is not there.
func powers() []Bin {
	list := []Bin{{}, {0, 1}}
	for i := range 62 {
		list = append(list, Bin{LE: units.Duration(uint64(2)<<i - 1)})
	}
	return list
}

// Bins end where the buckets of the histogram do: what is folded counts as what is exact.
func TestBinsAreExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, orders := range []float64{0.01, 0.5, 2, 5, 12} {
		var h Histogram
		var l Latencies
		for range 20_000 {
			d := time.Duration(1e6 * math.Exp(random.Float64()*orders*math.Ln10))
			h.Add(d)
			l.Add(d)
		}
		require.NotNil(t, h.buckets)
		found := h.Bins()
		require.Equal(t, l.Bins(), found)
		require.LessOrEqual(t, len(found), MaxBins)
		require.Equal(t, units.Duration(h.Max()), found[len(found)-1].LE)
		sum := uint64(0)
		for i, b := range found {
			sum += b.Count
			if i > 0 {
				require.Greater(t, b.LE, found[i-1].LE)
			}
		}
		require.Equal(t, h.Count(), sum)
	}
}
