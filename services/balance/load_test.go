package balance_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/random"
	"netlab/services/balance"
	"netlab/units"
)

func TestLeastConnections(t *testing.T) {
	a := algorithm(t, balance.LeastConnections)
	set := named("a", "b", "c")
	a.Set(set)
	start := func() (string, balance.Handle) {
		i, ok := a.Pick(&balance.Request{})
		require.True(t, ok)
		return set[i].Name, a.Start(i, 0)
	}
	var handles []balance.Handle
	for _, want := range []string{"a", "b", "c", "a", "b"} {
		name, h := start()
		require.Equal(t, want, name)
		handles = append(handles, h)
	}
	a.Done(handles[4], 1, 1, false) // a has 2, b and c have 1 each; c's last turn is longer ago
	name, _ := start()
	require.Equal(t, "c", name)
	a.Done(handles[0], 1, 1, false)
	a.Done(handles[3], 1, 1, false)
	name, _ = start()
	require.Equal(t, "a", name)

	a = algorithm(t, balance.LeastConnections) // one at a time: round robin
	a.Set(set)
	for _, want := range []string{"a", "b", "c", "a", "b", "c"} {
		i, _ := a.Pick(&balance.Request{})
		require.Equal(t, want, set[i].Name)
		a.Done(a.Start(i, 0), 0, 1, false)
	}
}

// While requests stay, each has its weight's share; when they don't, turns are in proportion to weights.
func TestWeightedLeastConnections(t *testing.T) {
	set := weighted(4, 2, 1)
	for _, stay := range []bool{true, false} {
		a := algorithm(t, balance.WeightedLeastConnections)
		a.Set(set)
		counts := make([]int, 3)
		for range 700 {
			i, _ := a.Pick(&balance.Request{})
			h := a.Start(i, 0)
			counts[i]++
			if !stay {
				a.Done(h, 0, 1, false)
			}
		}
		require.Equal(t, []int{400, 200, 100}, counts, stay)
	}
}

// Against a plain search of all backends, in random starts, ends and sets.
func TestLeastConnectionsIsLeast(t *testing.T) {
	r := random.Stream(seed, "least", 0)
	for _, name := range []string{balance.LeastConnections, balance.WeightedLeastConnections} {
		a := algorithm(t, name)
		var set []balance.Backend
		inFlight := map[string]int{}
		type request struct {
			name   string
			handle balance.Handle
		}
		var open []request
		load := func(b balance.Backend) float64 {
			if name == balance.LeastConnections {
				return float64(inFlight[b.Name])
			}
			return float64(inFlight[b.Name]) / b.Weight
		}
		for step := range 20_000 {
			switch {
			case step%1000 == 0:
				set = webs(50)
				r.Shuffle(50, func(i, j int) { set[i], set[j] = set[j], set[i] })
				set = set[:10+r.IntN(40)]
				for i := range set {
					set[i].Weight = float64(1 + r.IntN(4))
				}
				a.Set(set)
			case r.IntN(100) < 49 && len(open) > 0:
				i := r.IntN(len(open))
				inFlight[open[i].name]--
				a.Done(open[i].handle, 0, 1, false)
				open[i] = open[len(open)-1]
				open = open[:len(open)-1]
			default:
				not := r.IntN(len(set))
				i, ok := a.Pick(&balance.Request{Exclude: excluding(not)})
				require.True(t, ok)
				for j, b := range set {
					if j != not {
						require.LessOrEqual(t, load(set[i]), load(b))
					}
				}
				inFlight[set[i].Name]++
				open = append(open, request{set[i].Name, a.Start(i, 0)})
				require.Equal(t, inFlight[set[i].Name], open[len(open)-1].handle.InFlight())
			}
		}
	}
}

func TestRandom(t *testing.T) {
	a := algorithm(t, balance.Random)
	const n = 100_000
	for _, weights := range [][]float64{{1, 1, 1, 1}, {5, 1, 1}, {0.1, 0.7, 0.2}, {1, 2, 3, 4, 5, 6}} {
		set := weighted(weights...)
		a.Set(set)
		sum, all, some := 0.0, make([]float64, len(set)), make([]float64, len(set))
		for _, w := range weights {
			sum += w
		}
		for range n {
			i, _ := a.Pick(&balance.Request{})
			all[i] += 1. / n
			i, _ = a.Pick(&balance.Request{Exclude: excluding(0)})
			some[i] += 1. / n
		}
		for i, w := range weights {
			within(t, w/sum, all[i], n)
			if i > 0 {
				within(t, w/(sum-weights[0]), some[i], n)
			}
		}
	}
}

// Balls into bins: of n balls the fullest of n bins has with one choice about ln n/ln ln n and with d choices ln ln n/ln d, each plus
// a small constant (Mitzenmacher, after Azar et al., STOC 1994). For n = 10,000 the latter is 3.2 for two and 2.0 for three.
func TestPowerOfTwo(t *testing.T) {
	const n = 10_000
	fullest := func(c balance.Config) int {
		a := newAlgorithm(t, c)
		a.Set(webs(n))
		most := 0
		for range n {
			i, _ := a.Pick(&balance.Request{})
			most = max(most, a.Start(i, 0).InFlight())
		}
		return most
	}
	three := 3
	one, two, more := fullest(balance.Config{Algorithm: balance.Random}), fullest(balance.Config{Algorithm: balance.PowerOfTwo}),
		fullest(balance.Config{Algorithm: balance.PowerOfTwo, Choices: &three})
	require.Contains(t, []int{6, 7, 8}, one)
	require.Contains(t, []int{3, 4}, two)
	require.Contains(t, []int{2, 3}, more)
}

// No backend is drawn twice for one request: of two, the one with more to do is never taken.
func TestTwoChoicesDiffer(t *testing.T) {
	a := algorithm(t, balance.PowerOfTwo)
	a.Set(weighted(1000, 1))
	for range 1001 {
		a.Start(0, 0)
	}
	for range 1000 {
		i, _ := a.Pick(&balance.Request{})
		require.Equal(t, 1, i)
	}
}

// A rise counts at once, a fall by e^(-t/decay), and the load is average × (requests + 1).
func TestPeakEWMA(t *testing.T) {
	const ms = time.Millisecond
	a := algorithm(t, balance.LeastResponseTime)
	a.Set(named("a", "b")) // both are drawn each time: the better one is taken
	run := func(i int, end, took time.Duration, failed bool) { a.Done(a.Start(i, end-took), end, took, failed) }
	at := func(now time.Duration) int {
		i, ok := a.Pick(&balance.Request{Now: now})
		require.True(t, ok)
		return i
	}
	run(0, 100*ms, 20*ms, false)
	require.Equal(t, 1, at(100*ms), "nothing is known of b")
	h := a.Start(1, 100*ms)
	require.Equal(t, 0, at(100*ms), "b is tried already")
	a.Done(h, 110*ms, 10*ms, false)
	require.Equal(t, 1, at(110*ms))
	h = a.Start(1, 110*ms) // 10 ms × 2 against 20 ms that has decayed for 10 ms
	require.Equal(t, 0, at(110*ms))
	a.Done(h, 120*ms, -1, false) // abandoned: not measured
	require.Equal(t, 1, at(120*ms))
	run(1, 220*ms, 100*ms, false) // a peak
	require.Equal(t, 0, at(220*ms))
	run(1, 221*ms, ms, false) // one fast answer doesn't make up for it
	require.Equal(t, 0, at(221*ms))
	run(1, 222*ms, 0, true) // nor does a fast failure
	require.Equal(t, 0, at(222*ms))

	// Both averages decay to 0 alike: the order changes only by what is measured. b: 100 ms at 220 ms, then 1 ms each second.
	now, runs := 222*ms, 0
	for ; at(now) == 0; runs++ {
		now += time.Second
		run(0, now, 20*ms, false)
		run(1, now, ms, false)
	}
	b := 0.1*math.Exp(-0.0001) + 0.001*(1-math.Exp(-0.0001)) // at 221 ms
	b *= math.Exp(-0.0001)
	steps := 0
	for ; b >= 0.02; steps++ {
		b = b*math.Exp(-0.1) + 0.001*(1-math.Exp(-0.1))
	}
	require.Equal(t, steps, runs)
	require.Equal(t, 17, runs)
}

// A backend that is ten times as slow gets far less than its share while others stay fast, and its share back when it is fast again.
func TestLeastResponseTimeAvoidsTheSlow(t *testing.T) {
	decay := units.Duration(time.Second)
	a := newAlgorithm(t, balance.Config{Algorithm: balance.LeastResponseTime, Decay: &decay})
	a.Set(webs(4))
	now := time.Duration(0)
	share := func(slow time.Duration) float64 {
		n := 0
		for range 20_000 {
			now += 5 * time.Millisecond
			i, _ := a.Pick(&balance.Request{Now: now})
			took := 10 * time.Millisecond
			if i == 3 {
				took = slow
				n++
			}
			a.Done(a.Start(i, now), now+took, took, false)
		}
		return float64(n) / 20_000
	}
	require.InDelta(t, 0.25, share(10*time.Millisecond), 0.02)
	require.Less(t, share(100*time.Millisecond), 0.02)
	require.InDelta(t, 0.25, share(10*time.Millisecond), 0.03)
}

func TestLowestLatency(t *testing.T) {
	never := units.Probability(0)
	a := newAlgorithm(t, balance.Config{Algorithm: balance.LowestLatency, Explore: &never})
	set := named("a", "b", "c")
	a.Set(set)
	took := []time.Duration{30, 10, 20}
	var order []int
	now := time.Duration(0)
	run := func() {
		i, _ := a.Pick(&balance.Request{Now: now})
		order = append(order, i)
		h := a.Start(i, now)
		now += took[i] * time.Millisecond
		a.Done(h, now, took[i]*time.Millisecond, false)
	}
	for range 5 {
		run()
	}
	require.Equal(t, []int{0, 1, 2, 1, 1}, order, "each once, then the fastest")
	took[1] = 500
	for now < 5*time.Second {
		run()
	}
	require.Equal(t, 2, order[len(order)-1])
	a.Done(a.Start(2, now), now, time.Microsecond, true)
	require.Equal(t, 2, func() int { i, _ := a.Pick(&balance.Request{}); return i }())

	// Those that were never measured are tried one by one while they are busy.
	a = newAlgorithm(t, balance.Config{Algorithm: balance.LowestLatency, Explore: &never})
	a.Set(set)
	for _, want := range []int{0, 1, 2, 0} {
		i, _ := a.Pick(&balance.Request{})
		require.Equal(t, want, i)
		a.Start(i, 0)
	}

	// Some requests go elsewhere, or else nobody would know that another has become faster.
	const n = 20_000
	tenth := units.Probability(0.1)
	a = newAlgorithm(t, balance.Config{Algorithm: balance.LowestLatency, Explore: &tenth})
	a.Set(set)
	counts := make([]float64, 3)
	took = []time.Duration{30, 10, 20}
	for range n {
		i, _ := a.Pick(&balance.Request{})
		counts[i] += 1. / n
		a.Done(a.Start(i, 0), took[i], took[i], false)
	}
	within(t, 0.1/3, counts[0], n)
	within(t, 0.9+0.1/3, counts[1], n)
}
