package netem

import (
	"maps"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// The statistical tests of this package have fixed seeds. Their bounds are what a right model exceeds once in 1000 seeds: 3.3
// standard deviations, 1.95/√n for Kolmogorov-Smirnov (its limit distribution has P(K > 1.95) = 0.001), and
// the 99.9 % quantile of chi-square.
const (
	deviations = 3.3
	ksBound    = 1.95
)

// chiSquare compares counts with what is expected of them; constraints is how many sums of the counts are fixed, mostly 1.
func chiSquare(t *testing.T, counts []int, expected []float64, constraints int) {
	t.Helper()
	sum, freedom := 0.0, float64(len(counts)-constraints)
	for i, n := range counts {
		require.Greater(t, expected[i], 5.0, "the approximation wants more")
		sum += (float64(n) - expected[i]) * (float64(n) - expected[i]) / expected[i]
	}
	// The approximation of Wilson and Hilferty 1931, "The distribution of chi-square"; 3.09 is the normal quantile.
	bound := freedom * math.Pow(1-2/(9*freedom)+3.09*math.Sqrt(2/(9*freedom)), 3)
	require.Less(t, sum, bound, "chi-square with %v degrees of freedom", freedom)
}

// requireShare checks a count of independent events of probability p in n trials.
func requireShare[N int | uint64](t *testing.T, p float64, count N, n int) {
	t.Helper()
	require.InDelta(t, float64(n)*p, float64(count), deviations*math.Sqrt(float64(n)*p*(1-p)))
}

// flood sends n frames of 60 bytes over a wire on which nobody taps, one each gap from 0 on, with IDs from 1. prepare may be nil.
func flood(t *testing.T, p Params, n int, gap time.Duration, prepare func(w *wire)) *wire {
	t.Helper()
	return onWire(t, p, func(w *wire) {
		w.SetTap(nil)
		if prepare != nil {
			prepare(w)
		}
		w.flood(n, 60, gap)
	})
}

// flood sends n frames of a size that hold zeros, one each gap from 0 on, with IDs from 1.
func (w *wire) flood(n, size int, gap time.Duration) {
	sent := 0
	var timer *Timer
	timer = w.At(0, KindControl, 0, func() {
		sent++
		f := w.NewFrame(size)
		clear(f.Data)
		f.ID = uint64(sent)
		w.a.Forward(w.Elapsed(), f)
		if sent < n {
			timer.ResetAt(time.Duration(sent) * gap)
		}
	})
	timer.inert = true
}

func (w *wire) ids() []uint64 {
	var list []uint64
	for _, a := range w.arrivals {
		list = append(list, a.id)
	}
	return list
}

// fate is what became of a frame.
type fate struct {
	at           time.Duration // of the first arrival
	count        int
	corrupt, cut bool
}

// fates sends n frames and tells what became of each.
func fates(t *testing.T, p Params, n int, prepare func(w *wire)) map[uint64]fate {
	t.Helper()
	list := map[uint64]fate{}
	flood(t, p, n, time.Microsecond, func(w *wire) {
		w.b.SetReceive(func(at time.Duration, f *Frame) {
			was := list[f.ID]
			now := fate{at: at, count: was.count + 1, cut: len(f.Data) < 60}
			if was.count > 0 {
				now.at = was.at
			}
			for _, b := range f.Data {
				now.corrupt = now.corrupt || b != 0
			}
			list[f.ID] = now
			f.Release()
		})
		if prepare != nil {
			prepare(w)
		}
	})
	return list
}

// everything is a wire that does everything to frames.
func everything(t *testing.T) Params {
	normal, err := units.Normal(20*time.Millisecond, 5*time.Millisecond)
	require.NoError(t, err)
	burst, err := units.Burst(0.05, 3)
	require.NoError(t, err)
	return Params{
		Latency: normal, LatencyCorrelation: 0.5, Overtaking: true, Loss: burst, Reorder: Reorder{Probability: 0.1, Depth: 3},
		Duplicate: 0.1, Corrupt: Corrupt{0.1, 3}, Truncate: Truncate{0.1, 0}, MTU: DefaultMTU,
	}
}

// Each impairment draws from a stream of its own: what it decides about a frame is the same whatever else the wire does.
func TestImpairmentsAreIndependentOfEachOther(t *testing.T) {
	const n = 10000
	p := everything(t)
	p.Corrupt.Bits = 1
	full := fates(t, p, n, nil)
	lossOnly := fates(t, Params{Loss: p.Loss}, n, nil)
	latencyOnly := fates(t, Params{Latency: p.Latency, LatencyCorrelation: p.LatencyCorrelation, Overtaking: true}, n, nil)
	reorderOnly := fates(t, Params{Reorder: p.Reorder}, n, nil)
	duplicateOnly := fates(t, Params{Duplicate: p.Duplicate}, n, nil)
	corruptOnly := fates(t, Params{Corrupt: p.Corrupt}, n, nil)
	truncateOnly := fates(t, Params{Truncate: p.Truncate}, n, nil)
	late := 0
	for id := uint64(1); id <= n; id++ {
		got, arrived := full[id]
		_, want := lossOnly[id]
		require.Equal(t, want, arrived)
		if !arrived {
			continue
		}
		require.Equal(t, duplicateOnly[id].count, got.count)
		require.Equal(t, truncateOnly[id].cut, got.cut)
		if !got.cut { // what is damaged may have been cut off
			require.Equal(t, corruptOnly[id].corrupt, got.corrupt)
		}
		if got.at != latencyOnly[id].at {
			late++
			require.Greater(t, reorderOnly[id].at, time.Duration(id-1)*time.Microsecond, "only those are late")
		}
	}
	require.Greater(t, late, 500)
}

// What one link does never changes what another one draws.
func TestOtherThingsChangeNothing(t *testing.T) {
	const n = 5000
	p := everything(t)
	p.Rate = units.FixedRate(600 * mbit)
	want := fates(t, p, n, nil)
	for name, prepare := range map[string]func(w *wire){
		"another link": func(w *wire) {
			discard := func(_ time.Duration, f *Frame) { f.Release() }
			c := w.NewPort(PortConfig{Node: 2, Passive: true, Receive: discard})
			d := w.NewPort(PortConfig{Node: 3, Passive: true, Receive: discard})
			_, err := w.Connect("c--d", c, d, p, p)
			require.NoError(t, err)
			for range 100 {
				w.At(0, KindControl, time.Millisecond, func() { c.Forward(w.Elapsed(), w.NewFrame(100)) })
			}
		},
		"the other direction": func(w *wire) {
			for range 100 {
				w.At(0, KindControl, time.Millisecond, func() { w.b.Forward(w.Elapsed(), w.NewFrame(100)) })
			}
		},
		"a rule": func(w *wire) {
			_, err := w.AddRule(RuleConfig{Name: "backwards", Places: []Place{{w.b, Outbound}}, Action: ActDrop, Share: 0.5})
			require.NoError(t, err)
		},
		"the same parameters again": func(w *wire) {
			w.At(0, KindControl, time.Millisecond, func() { require.NoError(t, w.link.Set(Forward, w.link.Params(Forward))) })
		},
		"other parameters of the link": func(w *wire) {
			w.At(0, KindControl, time.Millisecond, func() {
				q := w.link.Params(Forward)
				q.Queue.Limit.Packets, q.MTU = 10000, 1000
				require.NoError(t, w.link.Set(Forward, q))
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.True(t, maps.Equal(want, fates(t, p, n, prepare)))
		})
	}
}

// At any time all frames that were sent, and their copies, are delivered, dropped, queued or on their way; and none is leaked or
// released twice.
func TestFramesAreConserved(t *testing.T) {
	slow := everything(t)
	slow.Rate, slow.Queue.Limit.Packets = units.FixedRate(40*mbit), 20
	bucket := slow
	bucket.Burst, bucket.PeakRate = 3000, 100*mbit
	down := slow
	down.Down = true
	for name, p := range map[string]Params{"everything": everything(t), "slow": slow, "token bucket": bucket} {
		t.Run(name, func(t *testing.T) {
			var check func()
			w := onWire(t, p, func(w *wire) {
				check = stockOf(t, w.Engine, 6000)
				w.SetTap(nil)
				w.flood(5000, 60, 10*time.Microsecond)
				for i := range 700 {
					w.At(0, KindControl, time.Duration(i)*100*time.Microsecond, func() {
						switch i {
						case 200:
							require.NoError(t, w.link.Set(Forward, down))
						case 220:
							require.NoError(t, w.link.Set(Forward, p))
						}
						s := w.link.Stats(Forward)
						d := &w.link.dirs[Forward]
						arriving := 0
						for _, e := range w.Engine.queue {
							if r, ok := e.h.(*receiver); ok && (*direction)(r) == d {
								arriving++
							}
						}
						waiting := d.queue.len()
						if d.next != nil {
							waiting++
						}
						require.EqualValues(t, s.InFlight(), arriving+waiting+len(d.late))
						require.EqualValues(t, s.InFlight(), w.InFlight())
					})
				}
			})
			s := w.link.Stats(Forward)
			require.EqualValues(t, 5000, s.Sent.Frames)
			require.Len(t, w.arrivals, int(s.Delivered.Frames))
			for _, n := range []uint64{s.Duplicated.Frames, s.Reordered, s.Corrupted, s.Truncated, s.Dropped[DropLoss], s.Dropped[DropLinkDown]} {
				require.Positive(t, n)
			}
			check()
		})
	}
}

// A change of a parameter leaves the state of the others as it is.
func TestStateSurvivesOtherChanges(t *testing.T) {
	pattern, err := units.LossByPattern("0001101")
	require.NoError(t, err)
	p := Params{Loss: pattern, Reorder: Reorder{Probability: 1, Gap: 10}, MTU: DefaultMTU}
	run := func(change func(i int, p *Params)) []uint64 {
		return flood(t, p, 300, time.Microsecond, func(w *wire) {
			for i := range 20 {
				w.At(0, KindControl, time.Duration(i)*13*time.Microsecond, func() {
					q := w.link.Params(Forward)
					change(i, &q)
					require.NoError(t, w.link.Set(Forward, q))
				})
			}
		}).ids()
	}
	want := run(func(int, *Params) {})
	require.Equal(t, want, run(func(i int, p *Params) { p.MTU, p.Queue.Limit.Packets, p.Corrupt.Probability = 1000+i, i+1, 0.5 }))
	require.NotEqual(t, want, run(func(i int, p *Params) {
		if i == 5 {
			p.Loss, err = units.LossByPattern("00011010")
			require.NoError(t, err)
		}
	}))
}

// What changes is in the log, and in the comment of the next frame that leaves.
func TestChangesAreShown(t *testing.T) {
	var events []Event
	p := Params{MTU: DefaultMTU, Latency: units.Constant(time.Millisecond)}
	w := onWire(t, p, func(w *wire) {
		w.Observe(func(ev Event) { events = append(events, ev) })
		w.At(0, KindControl, time.Second, func() {
			require.NoError(t, w.link.Set(Forward, p)) // no change
			q := p
			q.Duplicate, q.Latency = 1, units.Constant(2*time.Millisecond)
			require.NoError(t, w.link.Set(Forward, q))
			require.ErrorContains(t, w.link.Set(Forward, Params{MTU: 10}), "link a--b: mtu 10B")
		})
		w.send(0, 60)
		w.send(2*time.Second, 60, 60)
	})
	const detail = "latency 2ms, rate unlimited, queue unlimited, loss 0%, duplicate 100%, mtu 1500B"
	require.Len(t, events, 1)
	require.Equal(t, "set", events[0].Kind)
	require.Equal(t, "forward", events[0].Dir)
	require.Equal(t, time.Second, events[0].At)
	require.Equal(t, detail, events[0].Detail)
	var comments []string
	for _, tap := range w.taps {
		comments = append(comments, tap.dir.String()+": "+tap.comment)
	}
	require.Equal(t, []string{
		"out: ", "in: ",
		"out: duplicated on a--b; a--b changed: " + detail, "out: duplicated on a--b",
		"in: duplicate 1 of 2 on a--b", "in: duplicate 2 of 2 on a--b", "in: duplicate 1 of 2 on a--b", "in: duplicate 2 of 2 on a--b",
	}, comments)
}
