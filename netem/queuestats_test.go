package netem

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// Ten packets of a millisecond each come at once: they wait 0, 1, … 9 ms, which is known to the byte and the nanosecond.
func TestQueueStatsByArithmetic(t *testing.T) {
	var s *QueueStats
	w := onWire(t, Params{Rate: units.FixedRate(8 * mbit), Queue: Queue{Limit: units.QueueLimit{Packets: 9}}}, func(w *wire) {
		require.Nil(t, w.link.QueueStats(Forward))
		w.send(15*ms, 1000)
		for range 12 { // one is sent at once, two are dropped
			w.send(20*ms, 1000)
		}
		w.At(0, KindControl, 90*ms, func() { s = w.link.QueueStats(Forward) })
		w.At(0, KindControl, 18*ms, func() { require.Nil(t, w.link.QueueStats(Forward), "nothing has waited") })
	})
	require.Equal(t, &QueueStats{
		MaxBytes: 9000, MaxPackets: 9, MeanBytes: 500, MeanPackets: 0.5, // 45 ms in 90 ms
		Sojourn: SojournStats{Count: 9, Avg: 5 * ms, P50: s.Sojourn.P50, P95: 9 * ms, P99: 9 * ms, Max: 9 * ms},
		Start:   20 * ms, Width: 10 * ms,
		Buckets: []QueueBucket{
			{MaxBytes: 9000, MaxPackets: 9, Sent: 9, AvgSojourn: 5 * ms, MaxSojourn: 9 * ms, Dropped: 2},
			{}, {}, {}, {}, {}, {}, {},
		},
	}, s)
	require.InEpsilon(t, 5*ms, s.Sojourn.P50, 1.0/64)
	require.Nil(t, w.link.QueueStats(Backward))
	text, err := json.Marshal(s.Buckets[0])
	require.NoError(t, err)
	require.JSONEq(t, `{"max_bytes": "9kB", "max_packets": 9, "sent": 9, "avg_sojourn_ns": 5000000, "max_sojourn_ns": 9000000,
		"dropped": 2, "marked": 0}`, string(text))
}

// Every discipline's queue is measured, and no frame is counted as waiting that found the transmitter idle.
func TestQueueStatsOfEveryDiscipline(t *testing.T) {
	for _, d := range disciplineNames {
		var s *QueueStats
		onWire(t, Params{Rate: units.FixedRate(8 * mbit), Queue: Queue{Discipline: d, Limit: units.QueueLimit{Packets: 100}}}, func(w *wire) {
			w.send(0, 1000)
			w.send(10*ms, 1000)
			w.At(0, KindControl, 15*ms, func() { require.Nil(t, w.link.QueueStats(Forward), d) })
			w.send(20*ms, 1000, 1000, 1000)
			w.At(0, KindControl, 30*ms, func() { s = w.link.QueueStats(Forward) })
		})
		require.EqualValues(t, 2000, s.MaxBytes, d)
		require.Equal(t, 2, s.MaxPackets, d)
		require.Equal(t, 0.1, s.MeanPackets, d)
		require.EqualValues(t, 2, s.Sojourn.Count, d)
		require.Equal(t, 1500*time.Microsecond, s.Sojourn.Avg, d)
		require.Equal(t, 2*ms, s.Sojourn.Max, d)
	}
}

// The buckets say what a list of all that happened says, whatever width they have ended up with.
func TestQueueHistoryAgainstAList(t *testing.T) {
	type change struct {
		at             time.Duration
		bytes, packets int
		waited         time.Duration
		drop           bool
	}
	for _, span := range []time.Duration{50 * ms, time.Second, 1280 * ms, 3 * time.Second, time.Minute, 100 * time.Hour} {
		r := rand.New(rand.NewPCG(uint64(span), 1))
		start := time.Duration(r.Int64N(int64(time.Hour)))
		var list []change
		for range 3000 {
			c := change{at: start + time.Duration(r.Int64N(int64(span))), bytes: r.IntN(9000), packets: 1 + r.IntN(9), drop: r.IntN(2) == 0}
			if r.IntN(2) == 0 {
				c.waited = time.Duration(r.Int64N(int64(time.Second)))
			}
			if r.IntN(4) == 0 {
				c.bytes, c.packets = 0, 0
			}
			list = append(list, c)
		}
		slices.SortStableFunc(list, func(a, b change) int { return int(a.at - b.at) })
		h := newQueueHistory(list[0].at)
		for _, c := range list {
			if c.waited > 0 {
				h.sojourn(c.at, c.waited)
			}
			if c.drop {
				h.bucket(c.at).dropped++
			}
			h.length(c.at, c.bytes, c.packets)
		}
		end := start + span
		s := h.stats(end)
		require.LessOrEqual(t, len(s.Buckets), 128)
		require.Equal(t, list[0].at.Truncate(10*ms), s.Start)
		require.Equal(t, int((end-s.Start)/s.Width)+1, len(s.Buckets))
		require.True(t, s.Width == 10*ms || (end-s.Start)/(s.Width/2) >= 128, "no wider than needed")

		want := make([]QueueBucket, len(s.Buckets))
		totals := make([]time.Duration, len(s.Buckets))
		var area float64
		for i, c := range list {
			first := int((c.at - s.Start) / s.Width)
			b := &want[first]
			if c.waited > 0 {
				b.Sent++
				totals[first] += c.waited
				b.MaxSojourn = max(b.MaxSojourn, c.waited)
			}
			if c.drop {
				b.Dropped++
			}
			until := end
			if i+1 < len(list) {
				until = list[i+1].at
			}
			area += float64(c.packets) * float64(until-c.at)
			for j := first; j <= int((until-s.Start)/s.Width); j++ {
				// The length at the very beginning of a bucket counts in it.
				want[j].MaxBytes, want[j].MaxPackets = max(want[j].MaxBytes, units.Bytes(c.bytes)), max(want[j].MaxPackets, c.packets)
			}
		}
		for i := range want {
			if want[i].Sent > 0 {
				want[i].AvgSojourn = totals[i] / time.Duration(want[i].Sent)
			}
		}
		require.Equal(t, want, s.Buckets)
		require.InEpsilon(t, area/float64(end), s.MeanPackets, 1e-9)
	}
}

// Percentiles are within 1/64 of those of the sorted list, from nanoseconds to centuries, and the extremes are exact.
func TestSojournPercentiles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, top := range []int64{1, 31, 33, 1000, 1e6, 1e9, 1e12, 1<<63 - 1} {
		var h sojourns
		var list []time.Duration
		for range 5000 {
			d := time.Duration(float64(top) * r.Float64() * r.Float64())
			list = append(list, d)
			h.add(d)
		}
		slices.Sort(list)
		for _, percent := range []int{1, 50, 95, 99, 100} {
			want := list[(5000*percent+99)/100-1]
			require.InDelta(t, float64(want), float64(h.percentile(uint64(percent))), float64(want)/64, "%d%% of %d", percent, top)
		}
		require.Equal(t, list[4999], h.max)
	}
	var h sojourns
	require.Equal(t, SojournStats{}, h.stats())
	h.add(maxTime)
	require.Equal(t, maxTime, h.stats().P99)
}

// The area under a length that lasts holds more than 64 bits.
func TestArea(t *testing.T) {
	var a area
	require.Zero(t, a.over(0))
	for range 3 {
		a.add(1<<40, maxTime)
	}
	require.Equal(t, float64(3<<40), a.over(maxTime))
}

// In real time somebody may read the statistics at a time after that of the next event.
func TestQueueHistoryWhenLate(t *testing.T) {
	h := newQueueHistory(0)
	h.length(0, 1000, 1)
	h.stats(4 * ms)
	h.length(2*ms, 3000, 3)
	s := h.stats(8 * ms)
	require.Equal(t, 2000.0, s.MeanBytes)
	require.Equal(t, 2.0, s.MeanPackets)
}
