package netem

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// steadyRED is a RED queue that holds so many bytes in packets of 500, which is its average too.
func steadyRED(t *testing.T, q Queue, bytes int) (*bench, *red) {
	b := onBench(t, q)
	r := b.discipline.(*red)
	for range bytes / 500 {
		r.push(&Frame{Data: make([]byte, 500)})
	}
	r.average = float64(bytes)
	return b, r
}

// At a fixed average the packets from one drop to the next are uniform from 1 to 1/pb (Floyd and Jacobson 1993, section 7): here
// half-way between the thresholds, where pb is half of the probability at the upper one, 1/20.
func TestREDSpreadsDropsEvenly(t *testing.T) {
	const most, arrivals = 20, 1200000
	b, r := steadyRED(t, Queue{Discipline: RED, MinThreshold: 10000, MaxThreshold: 30000}, 20000)
	p, spread := r.probability()
	require.True(t, spread)
	require.InDelta(t, 1.0/most, p, 1e-12)
	data := make([]byte, 500)
	for range arrivals {
		if b.put(0, data); r.bytes > 20000 {
			r.pop()
		}
	}
	var gaps [most + 1]float64
	last := uint64(0)
	for _, d := range b.drops {
		require.Equal(t, DropRED, d.reason)
		gaps[d.id-last]++
		last = d.id
	}
	n := float64(len(b.drops))
	require.Greater(t, n, 1e5)
	// The mean gap is (1 + 1/pb)/2 = 10.5 with a variance of (20^2-1)/12; the bound is 3.3 standard deviations of the number of
	// renewals, sqrt(arrivals * variance / mean^3).
	require.InDelta(t, arrivals/10.5, n, 3.3*math.Sqrt(arrivals*(399.0/12)/math.Pow(10.5, 3)))
	chi := 0.0
	for _, seen := range gaps[1:] {
		chi += (seen - n/most) * (seen - n/most) / (n / most)
	}
	require.Zero(t, gaps[0])
	require.Less(t, chi, 43.8, "chi-square with 19 degrees of freedom, 0.1 %")
}

func TestREDProbability(t *testing.T) {
	for _, c := range []struct {
		gentle  bool
		average float64
		p       float64
		spread  bool
	}{
		{false, 0, 0, false}, {false, 9999, 0, false}, {false, 10000, 0, true}, {false, 15000, 0.025, true}, {false, 29999.999, 0.1, true},
		{false, 30000, 1, false}, {true, 20000, 0.05, true}, {true, 30000, 0.1, true}, {true, 45000, 0.55, true},
		{true, 59999.999, 1, true}, {true, 60000, 1, false},
	} {
		_, r := steadyRED(t, Queue{Discipline: RED, MinThreshold: 10000, MaxThreshold: 30000, Gentle: c.gentle}, 0)
		r.average = c.average
		p, spread := r.probability()
		require.InDelta(t, c.p, p, 1e-7)
		require.Equal(t, c.spread, spread, c)
	}
}

// Above the upper threshold everything is dropped, packets that could be marked too; between the thresholds those are marked.
func TestREDAboveTheThreshold(t *testing.T) {
	each(t, func(t *testing.T, v6 bool) {
		q := Queue{Discipline: RED, MinThreshold: 1000, MaxThreshold: 20000, MaxProbability: 1, ECN: true}
		b, r := steadyRED(t, q, 19500)
		for range 1000 {
			if b.put(0, udpFrame(v6, 1, 1, 500)); r.bytes > 19500 {
				r.pop()
			}
		}
		require.Empty(t, b.drops)
		require.Greater(t, len(b.marks), 900)
		b, _ = steadyRED(t, q, 20000)
		for range 100 {
			b.put(0, udpFrame(v6, 1, 1, 500))
		}
		require.Len(t, b.drops, 100)
		require.Empty(t, b.marks)
	})
}

// The average is the paper's: each arrival moves it towards the length by the weight, and an idle time counts as so many small
// packets as could have been sent.
func TestREDAverage(t *testing.T) {
	const w = 0.25
	q := Queue{Discipline: RED, MinThreshold: 1e6, MaxThreshold: 2e6, Weight: w}
	onWire(t, Params{Rate: units.FixedRate(8 * mbit), Queue: q}, func(wire *wire) {
		average := func() float64 { return wire.link.dirs[Forward].queue.(*red).average }
		expect := func(at time.Duration, want float64) {
			wire.At(1, KindWake, at, func() { require.InDelta(t, want, average(), 1e-9) })
		}
		want := 0.0
		wire.send(0, 1000, 1000, 1000, 1000) // the first two find 0 bytes, the others 1000 and 2000
		want = (1-w)*want + w*1000
		want = (1-w)*want + w*2000
		expect(0, want)
		wire.send(3500*time.Microsecond, 1000) // the last is being sent: the queue is empty but the link isn't idle
		want *= 1 - w
		expect(3500*time.Microsecond, want)
		// The link is idle from 5 ms; a packet of 500 bytes takes 500 us, so 6 of them could have been sent until 8.2 ms.
		wire.send(8200*time.Microsecond, 1000)
		want *= math.Pow(1-w, 6)
		expect(8200*time.Microsecond, want)
	})
}

func TestREDHasALimit(t *testing.T) {
	b := onBench(t, Queue{Discipline: RED, MinThreshold: 1000, MaxThreshold: 4000, Limit: units.QueueLimit{Bytes: 4500}})
	for range 5 {
		b.put(0, make([]byte, 1500))
	}
	require.Equal(t, 3, b.len(), "the average is far below the thresholds")
	require.Equal(t, []gone{{0, 4, DropQueueFull}, {0, 5, DropQueueFull}}, b.drops)
}

func TestPower(t *testing.T) {
	for _, n := range []uint64{0, 1, 2, 3, 10, 1000, 1 << 40} {
		require.InEpsilon(t, math.Pow(0.998, float64(n))+1, power(0.998, n)+1, 1e-12)
	}
	require.Zero(t, power(0.5, math.MaxUint64))
	require.Equal(t, 0.0, power(0, 3))
	require.Equal(t, 1.0, power(0, 0))
}
