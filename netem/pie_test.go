package netem

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// pieReference is RFC 8033 as it is written, in seconds: section 4.2 with its table, the decay, the bounds, the cap of section 5.5
// and the burst allowance of section 4.4.
type pieReference struct{ p, old, burst float64 }

func (r *pieReference) step(delay, target, alpha, beta, update, burst float64) {
	p := alpha*(delay-target) + beta*(delay-r.old)
	switch {
	case r.p < 0.000001:
		p /= 2048
	case r.p < 0.00001:
		p /= 512
	case r.p < 0.0001:
		p /= 128
	case r.p < 0.001:
		p /= 32
	case r.p < 0.01:
		p /= 8
	case r.p < 0.1:
		p /= 2
	}
	if r.p >= 0.1 && p > 0.02 {
		p = 0.02
	}
	r.p += p
	if delay == 0 && r.old == 0 {
		r.p *= 0.98
	}
	r.p = math.Max(0, math.Min(1, r.p))
	r.burst = math.Max(0, r.burst-update)
	if r.p == 0 && delay < target/2 && r.old < target/2 {
		r.burst = burst
	}
	r.old = delay
}

// The drop probability follows the RFC's equation step by step, for delays that wander through all of its cases.
func TestPIEFollowsTheEquation(t *testing.T) {
	for _, c := range []struct {
		q           Queue
		alpha, beta float64
	}{
		{Queue{Discipline: PIE}, 0.125, 1.25},
		{Queue{Discipline: PIE, Interval: 7500 * time.Microsecond}, 0.0625, 1.25 + 0.125/4}, // as section 4.2 says for half the interval
		{Queue{Discipline: PIE, Target: 20 * ms, Burst: 40 * ms}, 0.125, 1.25},
	} {
		b := onBench(t, c.q)
		p := b.discipline.(*pie)
		require.InDelta(t, c.alpha, p.alpha, 1e-15)
		require.InDelta(t, c.beta, p.beta, 1e-15)
		r := rand.New(rand.NewPCG(1, 1))
		want := pieReference{burst: p.config.Burst.Seconds()}
		steps := map[float64]int{}
		delay := 0.0
		for i := range 50000 {
			switch { // phases of calm, of growth and of any delay
			case i/500%3 == 0:
				delay = 0
			case i/500%3 == 1:
				delay = max(0, delay+0.004*r.NormFloat64()+0.00005)
			default:
				delay = 0.06 * r.Float64() * r.Float64()
			}
			p.delay = time.Duration(delay * 1e9)
			delay = p.delay.Seconds()
			p.advance(p.update)
			want.step(delay, p.config.Target.Seconds(), c.alpha, c.beta, p.config.Interval.Seconds(), p.config.Burst.Seconds())
			require.InDelta(t, want.p, p.probability, 1e-9)
			require.InDelta(t, want.burst, p.allowance.Seconds(), 1e-9)
			want.p = p.probability // so that roundings don't add up to another case of the table
			steps[pieScale(p.probability)]++
		}
		require.Len(t, steps, 7, "all cases of the table: %v", steps)
	}
}

// Updates happen at the multiples of the interval, before the packets of that instant, also when nobody came in between.
func TestPIEUpdatesAtItsInstants(t *testing.T) {
	often, seldom := onBench(t, Queue{Discipline: PIE}), onBench(t, Queue{Discipline: PIE})
	r := rand.New(rand.NewPCG(1, 1))
	a, b := often.discipline.(*pie), seldom.discipline.(*pie)
	at := time.Duration(0)
	for range 3000 {
		a.delay = time.Duration(r.IntN(40)) * ms * time.Duration(r.IntN(2))
		b.delay = a.delay
		next := at + time.Duration(r.IntN(100))*ms
		for ; at < next; at += ms / 2 {
			a.advance(at)
		}
		at = next
		a.advance(at)
		b.advance(at)
		require.Equal(t, a.pieState, b.pieState)
		require.Equal(t, a.update, b.update)
		require.Equal(t, (at/(15*ms)+1)*15*ms, a.update)
	}
	// A year later, and no slower for it.
	b.delay = 0
	b.advance(365 * 24 * time.Hour)
	require.Equal(t, pieState{allowance: 150 * ms}, b.pieState)
}

// Under a load of 1.25 times the rate that doesn't react, the probability settles at the 0.2 that has to go, and the delay at the
// target: as long as the probability stays between 0.1 and 1, the sum of the updates is alpha times the sum of (delay - target), and it
// is bounded, so that the mean of the delays that the updates see is the target.
func TestPIEKeepsTheDelayAtTheTarget(t *testing.T) {
	large(t)
	each(t, func(t *testing.T, v6 bool) {
		var delays, probabilities []float64
		w := onWire(t, Params{Rate: units.FixedRate(8 * mbit), Queue: Queue{Discipline: PIE}}, func(w *wire) {
			const end = 130 * time.Second
			data := udpFrame(v6, 0, 1, 1000)
			var next func()
			timer := w.NewTimer(0, KindControl, func() { next() })
			next = func() {
				f := w.NewFrame(len(data))
				copy(f.Data, data)
				w.a.Forward(w.Elapsed(), f)
				if w.Elapsed() < end {
					timer.ResetAt(w.Elapsed() + 800*time.Microsecond)
				}
			}
			timer.ResetAt(0)
			for at := 30 * time.Second; at < end; at += 15 * ms {
				w.At(99, KindWake, at-1, func() {
					p := w.link.dirs[Forward].queue.(*pie)
					delays, probabilities = append(delays, p.delay.Seconds()), append(probabilities, p.probability)
				})
			}
		})
		n := float64(len(delays))
		require.Greater(t, slices.Min(probabilities), 0.1)
		require.Less(t, slices.Max(probabilities), 0.5)
		// What is left is at most (the change of p + beta * the change of the delay) / (alpha n).
		require.InDelta(t, 0.015, total(delays)/n, (0.4+1.25*0.1)/(0.125*n))
		require.InDelta(t, 0.2, total(probabilities)/n, 0.01)
		s := w.link.Stats(Forward)
		require.Equal(t, s.Dropped.Total(), s.Dropped[DropPIE])
		require.InDelta(t, 0.2, float64(s.Dropped[DropPIE])/float64(s.Sent.Frames), 0.005)
	})
}

func total(list []float64) (sum float64) {
	for _, v := range list {
		sum += v
	}
	return sum
}

// A burst that ends within the allowance passes whole, and an allowance that is used up doesn't come back while there is congestion.
func TestPIELetsABurstPass(t *testing.T) {
	b := onBench(t, Queue{Discipline: PIE})
	p := b.discipline.(*pie)
	for at := time.Duration(0); at < 150*ms; at += ms {
		b.put(at, make([]byte, 1500))
		b.put(at, make([]byte, 1500))
		b.dequeue(at)
	}
	require.Empty(t, b.drops)
	require.Equal(t, 15*ms, p.allowance, "nine updates")
	require.NotZero(t, p.probability)
	for at := 150 * ms; at < time.Second; at += ms {
		b.put(at, make([]byte, 1500))
		b.put(at, make([]byte, 1500))
		b.dequeue(at)
		require.Zero(t, p.allowance)
	}
	require.NotEmpty(t, b.drops)
}

// Packets are dropped with the probability, independently of each other, but for the cases of section 4.1; up to 10 % they are marked
// if they allow it (section 5.1).
func TestPIEDropsByItsProbability(t *testing.T) {
	large(t)
	each(t, func(t *testing.T, v6 bool) {
		const n = 200000
		run := func(class byte, probability float64, before time.Duration, holds int) *bench {
			b := onBench(t, Queue{Discipline: PIE, ECN: true})
			p := b.discipline.(*pie)
			p.pieState = pieState{probability: probability, before: before}
			for range holds {
				p.push(&Frame{Data: make([]byte, 1514)})
			}
			data := udpFrame(v6, class, 1, 100)
			for range n {
				if b.put(0, append([]byte{}, data...)); p.count > holds {
					p.ring[(p.head+p.count-1)%len(p.ring)] = nil
					p.count--
					p.bytes -= 100
				}
			}
			return b
		}
		drops := func(b *bench) float64 { return float64(len(b.drops)) }
		// 3.3 standard deviations of the binomial distribution.
		require.InDelta(t, 0.25*n, drops(run(0, 0.25, 0, 3)), 3.3*math.Sqrt(0.25*0.75*n))
		require.InDelta(t, 0.1*n, drops(run(0, 0.1, 7500*time.Microsecond, 3)), 3.3*math.Sqrt(0.1*0.9*n))
		require.Zero(t, drops(run(0, 0.199, 7499*time.Microsecond, 3)), "it was below half of the target")
		require.Zero(t, drops(run(0, 1, 20*ms, 2)), "two packets wait")
		marked := run(1, 0.1, 20*ms, 3)
		require.Zero(t, drops(marked))
		require.InDelta(t, 0.1*n, float64(len(marked.marks)), 3.3*math.Sqrt(0.1*0.9*n))
		above := run(1, 0.1000001, 20*ms, 3)
		require.Empty(t, above.marks)
		require.InDelta(t, 0.1*n, drops(above), 3.3*math.Sqrt(0.1*0.9*n))
	})
}

// The delay is that of the packet that was dequeued last, and 0 once none is left.
func TestPIEDelay(t *testing.T) {
	b := onBench(t, Queue{Discipline: PIE})
	p := b.discipline.(*pie)
	for i := range 3 {
		b.put(time.Duration(i)*ms, make([]byte, 100))
	}
	b.dequeue(5 * ms)
	require.Equal(t, 5*ms, p.delay)
	b.dequeue(8 * ms)
	require.Equal(t, 7*ms, p.delay)
	b.dequeue(9 * ms)
	require.Zero(t, p.delay)
}

func TestPIEHasALimit(t *testing.T) {
	b := onBench(t, Queue{Discipline: PIE, Limit: units.QueueLimit{Packets: 3}})
	for range 5 {
		b.put(0, make([]byte, 1500))
	}
	require.Equal(t, []gone{{0, 4, DropQueueFull}, {0, 5, DropQueueFull}}, b.drops)
}
