package netem

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// anyParams draws parameters of a wire that keeps frames in order, if strict.
func anyParams(t *testing.T, r *rand.Rand, strict bool) Params {
	t.Helper()
	parse := func(texts ...string) units.LinkRate {
		rate, err := units.ParseLinkRate(texts[r.IntN(len(texts))])
		require.NoError(t, err)
		return rate
	}
	p := Params{MTU: DefaultMTU, Latency: units.Constant(time.Duration(r.IntN(3)) * ms)}
	switch r.IntN(5) {
	case 0:
		p.Rate = parse("steps(0s 1Mbit/s, 10ms 50Mbit/s, every 20ms)", "ramp(0s 1Mbit/s, 30ms 50Mbit/s, every 50ms)")
	case 1:
		p.Rate = traced(t, r.IntN(3), 3+r.IntN(3), 7).Rate
	case 2:
		p.Rate, p.Burst = units.FixedRate(10*mbit), units.Bytes(1514+r.IntN(10000))
		p.PeakRate = units.BitRate(r.IntN(2)) * 20 * mbit
	case 3:
		p.Rate = units.FixedRate(units.BitRate(1+r.IntN(20)) * mbit)
	}
	p.Queue.Limit.Packets = []int{0, 5, 50}[r.IntN(3)]
	p.Queue.Discipline = []Discipline{DropTail, CoDel, PIE}[r.IntN(3)]
	if strict {
		return p
	}
	full := everything(t)
	if r.IntN(2) == 0 {
		p.Latency, p.LatencyCorrelation, p.Overtaking = full.Latency, []float64{0, 0.5, -1}[r.IntN(3)], r.IntN(2) == 0
	}
	if r.IntN(2) == 0 {
		p.Loss, p.Duplicate = full.Loss, 0.2
	}
	if r.IntN(2) == 0 {
		p.Reorder = Reorder{Probability: 0.3, Gap: r.IntN(4), Depth: r.IntN(10), Hold: time.Duration(r.IntN(30)) * ms}
		p.Corrupt, p.Truncate = Corrupt{0.1, r.IntN(160)}, Truncate{0.1, r.IntN(60)}
	}
	return p
}

// Whatever a link changes to and from while frames wait and are on their way, no frame is stuck, lost or released twice, and
// without reordering all stay in order.
func TestAnyChange(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			strict := seed%2 == 0
			var check func()
			w := onWire(t, anyParams(t, r, strict), func(w *wire) {
				check = stockOf(t, w.Engine, 4000)
				w.SetTap([]Tap{w, nil}[r.IntN(2)])
				for range 1000 {
					w.send(time.Duration(r.IntN(400))*ms/2, 60+r.IntN(1455))
				}
				for range 60 {
					w.At(0, KindControl, time.Duration(r.IntN(500))*ms/2, func() {
						p := anyParams(t, r, strict)
						p.Down = r.IntN(4) == 0
						require.NoError(t, w.link.Set(Forward, p))
						require.EqualValues(t, w.link.dirs[Forward].stats.InFlight(), w.InFlight())
					})
				}
			})
			check()
			if strict {
				require.True(t, slices.IsSorted(w.ids()))
			}
			require.Greater(t, len(w.arrivals), 100)
		})
	}
}
