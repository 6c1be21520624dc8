package netem

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

const us = time.Microsecond

// tbf is a token bucket that holds 3000 bytes, of 8 Mbit/s: a byte in each microsecond.
func tbf(peak units.BitRate) Params {
	return Params{Rate: units.FixedRate(8 * mbit), Burst: 3000, PeakRate: peak, MTU: DefaultMTU}
}

func TestTokenBucketExact(t *testing.T) {
	for name, c := range map[string]struct {
		p    Params
		send func(w *wire)
		want []time.Duration
	}{
		"a burst, then the rate": {tbf(0), func(w *wire) { w.send(0, 1000, 1000, 1000, 1000, 500) },
			[]time.Duration{0, 0, 0, 1000 * us, 1500 * us}},
		"with a peak rate of ten bytes per microsecond": {tbf(80 * mbit), func(w *wire) { w.send(0, 1000, 1000, 1000, 1000, 500) },
			// The fourth begins when there are 1000 tokens: 300 have come until it is its turn.
			[]time.Duration{100 * us, 200 * us, 300 * us, 1100 * us, 1550 * us}},
		"with the peak at the rate": {tbf(8 * mbit), func(w *wire) { w.send(0, 1000, 1000, 1000, 1000) },
			[]time.Duration{1000 * us, 2000 * us, 3000 * us, 4000 * us}},
		"a pause fills it, and no more than that": {tbf(0), func(w *wire) {
			w.send(0, 1500, 1500)
			w.send(1000*us, 500)             // 500 are left
			w.send(time.Hour, 1500, 1500, 1) // full again
		}, []time.Duration{0, 0, 1000 * us, time.Hour, time.Hour, time.Hour + us}},
		"a small frame waits behind a large one": {tbf(0), func(w *wire) { w.send(0, 1500, 1400, 1514, 60) },
			[]time.Duration{0, 0, 1414 * us, 1474 * us}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, onWire(t, c.p, c.send).times())
		})
	}
}

// A frame leaves at the first nanosecond at which there are tokens, and what is over of that nanosecond is not lost: with 3 bit/s
// the times are rounded up from thirds, and don't drift.
func TestTokenBucketRoundsUp(t *testing.T) {
	p := Params{Rate: units.FixedRate(3), Burst: 1514, MTU: DefaultMTU}
	w := onWire(t, p, func(w *wire) { w.send(0, 1514, 1, 1, 1, 1) })
	// 8, 16, 24 and 32 bits take 8/3, 16/3, 8 and 32/3 seconds.
	require.Equal(t, []time.Duration{0, 2666666667, 5333333334, 8000000000, 10666666667}, w.times())
}

// The tokens stay when parameters change; a smaller bucket spills what it can't hold.
func TestTokenBucketSurvivesChanges(t *testing.T) {
	set := func(at time.Duration, edit func(p *Params)) func(w *wire) {
		return func(w *wire) {
			w.At(0, KindControl, at, func() {
				p := w.link.Params(Forward)
				edit(&p)
				require.NoError(t, w.link.Set(Forward, p))
			})
		}
	}
	for name, c := range map[string]struct {
		change func(w *wire)
		want   []time.Duration
	}{
		"nothing":                {func(*wire) {}, []time.Duration{0, 0, 1000 * us, 2000 * us}},
		"the latency, the limit": {set(500*us, func(p *Params) { p.Queue.Limit.Packets = 1 }), []time.Duration{0, 0, 1000 * us, 2000 * us}},
		// 500 tokens are there, and 1000 more want 250 µs and 500 µs at 32 Mbit/s.
		"the rate":        {set(500*us, func(p *Params) { p.Rate = units.FixedRate(32 * mbit) }), []time.Duration{0, 0, 625 * us, 875 * us}},
		"a larger bucket": {set(500*us, func(p *Params) { p.Burst = 1e6 }), []time.Duration{0, 0, 1000 * us, 2000 * us}},
		"a peak rate":     {set(500*us, func(p *Params) { p.PeakRate = 80 * mbit }), []time.Duration{0, 0, 1100 * us, 2100 * us}},
		// At the end of the bucket the frame whose turn it is leaves at once, the next one after that one's time.
		"no bucket":    {set(500*us, func(p *Params) { p.Burst = 0 }), []time.Duration{0, 0, 1500 * us, 2500 * us}},
		"no rate":      {set(500*us, func(p *Params) { p.Burst, p.Rate = 0, units.LinkRate{} }), []time.Duration{0, 0, 500 * us, 500 * us}},
		"down":         {set(500*us, func(p *Params) { p.Down = true }), []time.Duration{0, 0}},
		"down, faster": {set(500*us, func(p *Params) { p.Down, p.Burst, p.Rate = true, 0, units.LinkRate{} }), []time.Duration{0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			w := onWire(t, tbf(0), func(w *wire) {
				w.send(0, 1500, 1500, 1000, 1000)
				c.change(w)
			})
			require.Equal(t, c.want, w.times())
		})
	}
	w := onWire(t, tbf(0), func(w *wire) {
		set(0, func(p *Params) { p.Burst = 1514 })(w)
		w.send(us, 1500, 1500)
	})
	require.Equal(t, []time.Duration{us, us + (1500-14)*us}, w.times(), "the smaller bucket is full")
	w = onWire(t, tbf(0), func(w *wire) {
		w.send(0, 1500, 1500, 1500)
		set(500*us, func(p *Params) { p.Down = true })(w)
		set(1000*us, func(p *Params) { p.Down = false })(w)
		w.send(1200*us, 1300)
	})
	require.Equal(t, []time.Duration{0, 0, 1300 * us}, w.times(), "a frame that was dropped took no tokens")
	w = onWire(t, tbf(0), func(w *wire) {
		w.send(0, 1500, 1500, 1500, 1500)
		set(500*us, func(p *Params) { p.MTU, p.Burst = 576, 590 })(w)
		w.send(3000*us, 500, 500)
	})
	// 500 tokens are there, and the two frames wait for 1000 and 1500 more. The bucket is empty then.
	require.Equal(t, []time.Duration{0, 0, 1500 * us, 3000 * us, 3500 * us, 4000 * us}, w.times(), "frames larger than the new bucket")
}

// slowBucket is the definition of a token bucket, with fractions: it looks for the time of a frame by bisection.
type slowBucket struct {
	rate, full, tokens *big.Rat // bits per nanosecond, bits
	at                 time.Duration
}

func (b *slowBucket) tokensAt(at time.Duration) *big.Rat {
	sum := new(big.Rat).Mul(b.rate, new(big.Rat).SetInt64(int64(at-b.at)))
	sum.Add(sum, b.tokens)
	if sum.Cmp(b.full) > 0 {
		return b.full
	}
	return sum
}

func (b *slowBucket) send(at time.Duration, size int) time.Duration {
	need := new(big.Rat).SetInt64(int64(size) * 8)
	low, high := at-1, at+1<<50
	for high-low > 1 {
		if middle := low + (high-low)/2; b.tokensAt(middle).Cmp(need) >= 0 {
			high = middle
		} else {
			low = middle
		}
	}
	b.tokens = new(big.Rat).Sub(b.tokensAt(high), need)
	b.at = high
	return high
}

func TestTokenBucketAgainstItsDefinition(t *testing.T) {
	large(t)
	r := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		rate, peak := units.BitRate(1+r.Int64N(1e8)), units.BitRate(0)
		if r.IntN(2) == 0 {
			peak = rate + units.BitRate(r.Int64N(1e8))
		}
		burst := units.Bytes(1514 + r.IntN(20000))
		p := Params{Rate: units.FixedRate(rate), Burst: burst, PeakRate: peak, MTU: DefaultMTU}
		t.Run(fmt.Sprintf("%s, %s, %s", rate, burst, peak), func(t *testing.T) {
			full := new(big.Rat).SetInt64(int64(burst) * 8)
			b := &slowBucket{rate: big.NewRat(int64(rate), 1e9), full: full, tokens: full}
			var want []time.Duration
			w := onWire(t, p, func(w *wire) {
				at, free := time.Duration(0), time.Duration(0)
				// On average as many bytes as the rate carries, in clumps.
				gap := float64(rate.TransmitTime(750))
				for range 1000 {
					if r.IntN(3) == 0 {
						at += time.Duration(3 * r.ExpFloat64() * gap)
					}
					size := 14 + r.IntN(1501)
					w.send(at, size)
					begin := b.send(max(at, free), size)
					free = begin + peak.TransmitTime(size)
					want = append(want, free)
				}
			})
			require.True(t, slices.Equal(want, w.times()))
		})
	}
}

// In real time a frame's turn may be over when the loop comes to it. Its way is what it would have been, but a tap sees it no earlier
// than what it has seen already.
func TestTokenBucketWhenLate(t *testing.T) {
	w := &wire{}
	w.Network = NewNetwork(NewEngine(Config{RealTime: true}), 1)
	w.SetTap(w)
	release := func(_ time.Duration, f *Frame) { f.Release() }
	w.a = w.NewPort(PortConfig{Host: "a", Name: "a-eth0", Passive: true, Receive: release})
	w.b = w.NewPort(PortConfig{Host: "b", Name: "b-eth0", Passive: true, Receive: release})
	_, err := w.Connect("a--b", w.a, w.b, tbf(80*mbit), tbf(80*mbit))
	require.NoError(t, err)
	send := func(at time.Duration) {
		w.nominal = at
		w.a.Forward(at, w.NewFrame(1500))
	}
	const start = time.Hour
	send(start)
	send(start + 200*us)
	send(start + 400*us)  // waits for tokens until 1500 µs
	send(start + 5000*us) // the event at 1500 µs comes later still
	require.Equal(t, []time.Duration{start, start + 200*us, start + 5000*us, start + 5000*us},
		[]time.Duration{w.taps[0].at, w.taps[1].at, w.taps[2].at, w.taps[3].at})
	require.Equal(t, start+5150*us, w.a.out.freeAt)
	require.True(t, slices.ContainsFunc(w.queue, func(ev event) bool { return ev.at == start+1650*us }), "it arrives when it should")
}
