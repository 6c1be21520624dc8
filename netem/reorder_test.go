package netem

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// sendEach sends a frame of 60 bytes at each of these times.
func (w *wire) sendEach(times ...time.Duration) {
	for _, at := range times {
		w.send(at, 60)
	}
}

// Every Gap-th frame is late by exactly Depth frames.
func TestReorderExact(t *testing.T) {
	const us = time.Microsecond
	latency := units.Constant(ms)
	at := func(us time.Duration) time.Duration { return ms + us*time.Microsecond }
	for name, c := range map[string]struct {
		p    Reorder
		want []arrival
	}{
		"behind the next": {Reorder{Probability: 1, Gap: 4}, []arrival{
			{at(0), 1}, {at(10), 2}, {at(20), 3}, {at(40), 5}, {at(40), 4}, {at(50), 6}, {at(60), 7}, {at(80), 9}, {at(80), 8}}},
		"behind three": {Reorder{Probability: 1, Gap: 5, Depth: 3}, []arrival{
			{at(0), 1}, {at(10), 2}, {at(20), 3}, {at(30), 4}, {at(50), 6}, {at(60), 7}, {at(70), 8}, {at(70), 5}, {at(80), 9}}},
		"until the time is over": {Reorder{Probability: 1, Gap: 5, Depth: 100, Hold: 25 * us}, []arrival{
			{at(0), 1}, {at(10), 2}, {at(20), 3}, {at(30), 4}, {at(50), 6}, {at(60), 7}, {at(65), 5}, {at(70), 8}, {at(80), 9}}},
		"the last in time": {Reorder{Probability: 1, Gap: 5, Depth: 2, Hold: 20 * us}, []arrival{
			{at(0), 1}, {at(10), 2}, {at(20), 3}, {at(30), 4}, {at(50), 6}, {at(60), 7}, {at(60), 5}, {at(70), 8}, {at(80), 9}}},
		"the last too late": {Reorder{Probability: 1, Gap: 5, Depth: 2, Hold: 20*us - 1}, []arrival{
			{at(0), 1}, {at(10), 2}, {at(20), 3}, {at(30), 4}, {at(50), 6}, {at(60) - 1, 5}, {at(60), 7}, {at(70), 8}, {at(80), 9}}},
		// 4 waits for 5, 7 and 8; 6 waits for 7, 8 and 9; 8 is late itself, and so on.
		"late ones don't count": {Reorder{Probability: 1, Gap: 2, Depth: 2, Hold: ms}, []arrival{
			{at(0), 1}, {at(20), 3}, {at(40), 5}, {at(40), 2}, {at(60), 7}, {at(60), 4}, {at(80), 9}, {at(80), 6}, {at(70) + ms, 8}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := onWire(t, Params{Latency: latency, Reorder: c.p}, func(w *wire) {
				w.sendEach(0, 10*us, 20*us, 30*us, 40*us, 50*us, 60*us, 70*us, 80*us)
			})
			require.Equal(t, c.want, w.arrivals)
		})
	}
}

// Frames are chosen with the probability, and of exactly Depth later ones that are not late themselves each is behind the last,
// also when the latency varies.
func TestReorderShare(t *testing.T) {
	large(t)
	const n = 100000
	jitter, err := units.Uniform(ms, 3*ms)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		p       Reorder
		latency units.Distribution
	}{
		"any frame":     {Reorder{Probability: 0.1, Depth: 3}, units.Constant(ms)},
		"jitter":        {Reorder{Probability: 0.1, Depth: 3}, jitter},
		"every seventh": {Reorder{Probability: 0.3, Gap: 7, Depth: 2}, units.Constant(ms)},
		"most":          {Reorder{Probability: 0.8, Depth: 1}, units.Constant(ms)},
	} {
		t.Run(name, func(t *testing.T) {
			w := flood(t, Params{Latency: c.latency, Reorder: c.p}, n, time.Microsecond, nil)
			require.Len(t, w.arrivals, n)
			gap := max(c.p.Gap, 1)
			requireShare(t, c.p.Probability.Float(), w.link.Stats(Forward).Reordered, n/gap)

			// One that isn't late arrives before all that were sent later.
			late, highest := map[uint64]bool{}, uint64(0)
			for _, a := range w.arrivals {
				if a.id < highest {
					late[a.id] = true
					require.Zero(t, a.id%uint64(gap))
				}
				highest = max(highest, a.id)
			}
			last := uint64(n - 200) // later ones may have waited until the end
			require.InDelta(t, float64(len(late)), float64(w.link.Stats(Forward).Reordered), 200)
			var passed []arrival // in the order in which they arrived
			for _, a := range w.arrivals {
				if !late[a.id] {
					passed = append(passed, a)
					continue
				}
				if a.id > last {
					continue
				}
				count := 0
				for i := len(passed) - 1; i >= 0 && passed[i].id > a.id; i-- {
					count++
				}
				require.Equal(t, c.p.Depth, count)
				require.Equal(t, passed[len(passed)-1].at, a.at, "right behind the last one")
			}
		})
	}
}

// Frames that are held back are in flight: they arrive although the link goes down, or no longer reorders, or nothing is sent.
func TestHeldFramesAreInFlight(t *testing.T) {
	for name, change := range map[string]func(p *Params){
		"down":                 func(p *Params) { p.Down = true },
		"no more reordering":   func(p *Params) { p.Reorder = Reorder{} },
		"another time to wait": func(p *Params) { p.Reorder.Hold = time.Hour },
		"another latency":      func(p *Params) { p.Rate = units.FixedRate(1); p.Latency = units.Constant(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			p := Params{Latency: units.Constant(ms), Reorder: Reorder{Probability: 1, Hold: 10 * ms}, MTU: DefaultMTU}
			w := onWire(t, p, func(w *wire) {
				w.sendEach(0, ms)
				w.At(0, KindControl, 2*ms, func() {
					change(&p)
					require.EqualValues(t, 2, w.InFlight())
					require.NoError(t, w.link.Set(Forward, p))
				})
			})
			require.Equal(t, []arrival{{11 * ms, 1}, {12 * ms, 2}}, w.arrivals)
		})
	}
}

// Copies wait with the frame and are not counted among those that pass it.
func TestReorderWithCopies(t *testing.T) {
	p := Params{Latency: units.Constant(ms), Duplicate: 1, Reorder: Reorder{Probability: 1, Gap: 4, Depth: 2}}
	w := onWire(t, p, func(w *wire) { w.send(0, 60, 60, 60, 60, 60, 60, 60) })
	require.Equal(t, []uint64{1, 1, 2, 2, 3, 3, 5, 5, 6, 6, 4, 4, 7, 7}, w.ids())
	require.EqualValues(t, 1, w.link.Stats(Forward).Reordered)
}

// With Overtaking those that pass a late frame may arrive in any order: it comes behind all of them.
func TestReorderWithOvertaking(t *testing.T) {
	jitter, err := units.Uniform(0, 10*ms)
	require.NoError(t, err)
	p := Params{Latency: jitter, Overtaking: true, Reorder: Reorder{Probability: 1, Gap: 10, Depth: 9, Hold: time.Second}}
	w := flood(t, p, 1000, time.Microsecond, nil)
	at := map[uint64]time.Duration{}
	for _, a := range w.arrivals {
		at[a.id] = a.at
	}
	for id := uint64(10); id < 990; id += 10 {
		for later := id + 1; later < id+10; later++ {
			require.GreaterOrEqual(t, at[id], at[later])
		}
	}
}

func TestReorderIsExplained(t *testing.T) {
	w := onWire(t, Params{Reorder: Reorder{Probability: 1, Gap: 2, Depth: 1}}, func(w *wire) { w.sendEach(0, 1, 2) })
	const words = "reordered by 1 on a--b"
	require.Equal(t, []tapped{{0, Outbound, ""}, {0, Inbound, ""}, {1, Outbound, words}, {2, Outbound, ""}, {2, Inbound, ""}, {2, Inbound, words}}, w.taps)

	w = onWire(t, Params{Reorder: Reorder{Probability: 1, Hold: ms}}, func(w *wire) { w.send(0, 60) })
	require.Equal(t, []tapped{{0, Outbound, words}, {ms, Inbound, words + "; fewer came in time"}}, w.taps)
}
