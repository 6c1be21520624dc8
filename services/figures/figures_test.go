package figures

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

func TestEqualDurationsHaveNoDeviation(t *testing.T) {
	var s Durations
	for range 1000 {
		s.Add(20_000_001)
	}
	require.Equal(t, &RTT{20_000_001, 20_000_001, 20_000_001, 0}, s.RTT())
}

func TestNothingHasNoFigures(t *testing.T) {
	var s Durations
	require.Nil(t, s.RTT())
	require.Nil(t, s.Spread())
	require.Nil(t, new(Latencies).Latency())
	require.Nil(t, Share(0, 0))
	require.Nil(t, Rate(10, 0))
}

func TestDeviation(t *testing.T) {
	var s Durations
	for _, d := range []time.Duration{2, 4, 4, 4, 5, 5, 7, 9} { // mean 5, deviation 2
		s.Add(d * time.Millisecond)
	}
	require.Equal(t, &RTT{2e6, 5e6, 9e6, 2e6}, s.RTT())
}

func TestMergeIsAdd(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var all Durations
	parts := make([]Durations, 5)
	for i := range 1000 {
		d := time.Duration(random.Int64())
		all.Add(d)
		parts[i%4].Add(d)
	}
	var merged Durations
	for _, p := range parts {
		merged.Merge(p)
	}
	require.Equal(t, all, merged)
	require.EqualValues(t, 1000, merged.Count())
}

func TestPercentilesAreByNearestRank(t *testing.T) {
	var l Latencies
	for i := 100; i >= 1; i-- {
		l.Add(time.Duration(i))
	}
	require.Equal(t, &Latency{Min: 1, Avg: 50, Max: 100, P50: 50, P99: 99}, l.Latency())
	var one Latencies
	one.Add(7)
	require.Equal(t, &Latency{7, 7, 7, 7, 7}, one.Latency())
}

func TestRate(t *testing.T) {
	require.Equal(t, units.BitRate(8e6), *Rate(1e6, units.Duration(time.Second)))
	require.Nil(t, Rate(math.MaxUint64, 1))
	require.InDelta(t, 0.25, float64(*Share(1, 4)), 0)
}
