package netem

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// traced is a link with a trace of these time stamps in milliseconds.
func traced(t *testing.T, stamps ...int) Params {
	t.Helper()
	trace, err := units.ParseOpportunities(strings.NewReader(strings.Trim(strings.ReplaceAll(fmt.Sprint(stamps), " ", "\n"), "[]")))
	require.NoError(t, err)
	return Params{Rate: units.TraceRate("x", trace), MTU: 9000}
}

// ip returns the size of a frame with a packet that counts as so many bytes of an opportunity.
func ip(counted int) int { return counted - tunHeader + etherHeader }

func TestMahimahiExact(t *testing.T) {
	full := DefaultMTU + etherHeader
	at := func(list ...time.Duration) (times []time.Duration) {
		for _, v := range list {
			times = append(times, v*ms)
		}
		return times
	}
	for name, c := range map[string]struct {
		stamps []int
		send   func(w *wire)
		want   []time.Duration
	}{
		"a full packet takes one":          {[]int{1, 3, 6, 10}, func(w *wire) { w.send(0, full, full, full) }, at(1, 3, 6)},
		"it repeats":                       {[]int{2, 3}, func(w *wire) { w.send(0, full, full, full, full, full) }, at(2, 3, 5, 6, 8)},
		"a first one at 0":                 {[]int{0, 4}, func(w *wire) { w.send(0, full, full, full) }, at(4, 4, 8)},
		"two at once":                      {[]int{2, 2, 5}, func(w *wire) { w.send(0, full, full, full, full) }, at(2, 2, 5, 7)},
		"small ones share one":             {[]int{1, 2, 3}, func(w *wire) { w.send(0, ip(500), ip(500), ip(504), ip(500)) }, at(1, 1, 1, 2)},
		"a part is carried over":           {[]int{1, 2, 3}, func(w *wire) { w.send(0, ip(1000), ip(1000), ip(1000), ip(9)) }, at(1, 2, 2, 3)},
		"a large one takes several":        {[]int{1, 2, 3, 9}, func(w *wire) { w.send(0, ip(3009), ip(1504)) }, at(3, 9)},
		"a large one takes many":           {[]int{1}, func(w *wire) { w.send(0, ip(1504*5), ip(1504)) }, at(5, 6)},
		"unused ones are lost":             {[]int{1, 2, 3}, func(w *wire) { w.send(1500*us, full, full); w.send(100*ms, full) }, at(2, 3, 101)},
		"what is left over is lost":        {[]int{2, 5, 9}, func(w *wire) { w.send(0, ip(100)); w.send(3*ms, ip(100)) }, at(2, 5)},
		"one that comes with it":           {[]int{2, 5, 9}, func(w *wire) { w.send(2*ms, ip(100)) }, at(5)},
		"one that comes with it, behind":   {[]int{2, 5, 9}, func(w *wire) { w.send(0, ip(100)); w.send(2*ms, ip(100)) }, at(2, 5)},
		"one that comes during a large":    {[]int{2, 5, 9}, func(w *wire) { w.send(0, ip(2000)); w.send(3*ms, ip(1008)) }, at(5, 5)},
		"one that comes with its last bit": {[]int{2, 5, 9}, func(w *wire) { w.send(0, ip(2000)); w.send(5*ms, ip(100)) }, at(5, 9)},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, onWire(t, traced(t, c.stamps...), c.send).times())
		})
	}
}

// A frame waits in the queue until its first opportunity, where it counts against the limit.
func TestMahimahiQueue(t *testing.T) {
	p := traced(t, 10)
	p.Queue.Limit.Packets = 2
	w := onWire(t, p, func(w *wire) {
		w.send(0, 1514, 1514, 1514)      // the third is dropped
		w.send(15*ms, 1514, 1514)        // one has left
		w.send(20*ms, ip(2000), ip(100)) // and another one
		w.send(31*ms, 100, 100)          // the large one has left the queue
	})
	require.Equal(t, []time.Duration{10 * ms, 20 * ms, 30 * ms, 50 * ms, 50 * ms, 50 * ms}[:len(w.times())], w.times())
	require.EqualValues(t, 4, w.link.Stats(Forward).Dropped[DropQueueFull])
}

// The trace goes on with the time, whatever happens to the link.
func TestMahimahiSurvivesChanges(t *testing.T) {
	p := traced(t, 10, 15)
	for name, c := range map[string]struct {
		edit func(p *Params)
		want []time.Duration
	}{
		"nothing":              {func(*Params) {}, []time.Duration{10 * ms, 25 * ms, 30 * ms}},
		"another parameter":    {func(p *Params) { p.Queue.Limit.Packets = 1 }, []time.Duration{10 * ms, 25 * ms, 30 * ms}},
		"a rate":               {func(p *Params) { p.Rate = units.FixedRate(16 * mbit) }, []time.Duration{10 * ms, 13 * ms, 14 * ms}},
		"no rate":              {func(p *Params) { p.Rate = units.LinkRate{} }, []time.Duration{10 * ms, 12 * ms, 12 * ms}},
		"down":                 {func(p *Params) { p.Down = true }, []time.Duration{10 * ms}},
		"another trace":        {func(p *Params) { p.Rate = traced(t, 2, 4).Rate }, []time.Duration{10 * ms, 16 * ms, 18 * ms}},
		"another trace, large": {func(p *Params) { p.Rate, p.MTU = traced(t, 3).Rate, 1000 }, []time.Duration{10 * ms, 18 * ms, 21 * ms}},
	} {
		t.Run(name, func(t *testing.T) {
			w := onWire(t, p, func(w *wire) {
				w.send(0, ip(1504), 2000, 2000) // ip(1990) each
				w.At(0, KindControl, 12*ms, func() {
					q := p
					c.edit(&q)
					require.NoError(t, w.link.Set(Forward, q))
				})
			})
			require.Equal(t, c.want, w.times())
		})
	}
	// The opportunity at the time at which the transmitter gets free is for those that wait.
	w := onWire(t, Params{Rate: units.FixedRate(800e3), MTU: 9000}, func(w *wire) {
		w.send(5*ms, 1000, 1514, 1514) // the first takes 10 ms
		w.At(0, KindControl, 6*ms, func() { require.NoError(t, w.link.Set(Forward, p)) })
	})
	require.Equal(t, []time.Duration{15 * ms, 15 * ms, 25 * ms}, w.times())
	// There and back again: the trace is where it would have been.
	w = onWire(t, p, func(w *wire) {
		w.At(0, KindControl, 16*ms, func() { require.NoError(t, w.link.Set(Forward, Params{MTU: 9000})) })
		w.At(0, KindControl, 22*ms, func() { require.NoError(t, w.link.Set(Forward, p)) })
		w.send(23*ms, 1514, 1514, 1514)
	})
	require.Equal(t, []time.Duration{25 * ms, 30 * ms, 40 * ms}, w.times())
}

// mmLink is the algorithm of mm-link, step by step: it walks through all opportunities and lets each work off the packets that have come.
func mmLink(trace *units.Opportunities, arrivals []time.Duration, sizes []int) (left []time.Duration) {
	remaining := slices.Clone(sizes)
	for i, head := 0, 0; head < len(sizes); i++ {
		now, bytes := trace.At(i), int(units.OpportunityBytes)
		for bytes > 0 && head < len(sizes) && arrivals[head] < now {
			n := min(bytes, remaining[head])
			bytes -= n
			if remaining[head] -= n; remaining[head] == 0 {
				left = append(left, now)
				head++
			}
		}
	}
	return left
}

func TestMahimahiAgainstMMLink(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for run := range 40 {
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			var stamps []int
			stamp := 0
			for range 1 + r.IntN(200) {
				stamp += r.IntN(3) * r.IntN(10)
				stamps = append(stamps, stamp)
			}
			stamps = append(stamps, stamp+1)
			p := traced(t, stamps...)
			trace := p.Rate.Opportunities()
			load := r.Float64() * 1.3 // of what the trace carries
			gap := load * float64(trace.Period()) / float64(trace.Len())
			var arrivals []time.Duration
			var sizes []int
			w := onWire(t, p, func(w *wire) {
				at := time.Duration(0)
				for range 2000 {
					size := 20 + r.IntN(1481)
					switch r.IntN(8) {
					case 0:
						size = 20 + r.IntN(8900)
					case 1:
						size = DefaultMTU
					}
					at += time.Duration(r.ExpFloat64() * gap)
					if r.IntN(2) == 0 {
						at = at.Truncate(ms) + ms // with an opportunity, perhaps
					}
					arrivals, sizes = append(arrivals, at), append(sizes, size+tunHeader)
					w.send(at, etherHeader+size)
				}
			})
			require.True(t, slices.Equal(mmLink(trace, arrivals, sizes), w.times()))
		})
	}
}
