package figures

import (
	"slices"
	"time"

	"netlab/units"
)

// Latencies collects durations and keeps them all, for percentiles.
type Latencies struct{ list []time.Duration }

// Add adds a duration.
func (l *Latencies) Add(d time.Duration) { l.list = append(l.list, d) }

// Merge adds what another one has collected.
func (l *Latencies) Merge(o *Latencies) { l.list = append(l.list, o.list...) }

// Latency is a distribution of durations. The percentiles are by nearest rank: p99 is the smallest of the durations that at
// least 99 % do not exceed.
type Latency struct {
	Min units.Duration `json:"min_ns"`
	Avg units.Duration `json:"avg_ns"`
	Max units.Duration `json:"max_ns"`
	P50 units.Duration `json:"p50_ns"`
	P99 units.Duration `json:"p99_ns"`
}

// Latency returns the distribution, or nil when there is nothing.
func (l *Latencies) Latency() *Latency {
	if len(l.list) == 0 {
		return nil
	}
	sorted := slices.Clone(l.list)
	slices.Sort(sorted)
	var sum Durations
	for _, d := range sorted {
		sum.Add(d)
	}
	s := sum.Spread()
	return &Latency{Min: s.Min, Avg: s.Avg, Max: s.Max, P50: nearestRank(sorted, 50), P99: nearestRank(sorted, 99)}
}

// nearestRank returns a percentile of sorted durations.
func nearestRank(sorted []time.Duration, percent int) units.Duration {
	rank := (len(sorted)*percent + 99) / 100
	return units.Duration(sorted[max(rank, 1)-1])
}
