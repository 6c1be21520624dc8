package netlab

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/topology"
	"netlab/topology/expect"
	"netlab/units"
)

// cuts returns n faults that differ by their times.
func cuts(n int) []topology.Fault {
	list := make([]topology.Fault, n)
	for i := range list {
		list[i] = topology.Fault{At: units.Duration(i), Cut: "a - b"}
	}
	return list
}

// needs fails when all of the wanted faults are there.
func needs(wanted ...int) func(context.Context, []topology.Fault) (bool, error) {
	return func(_ context.Context, faults []topology.Fault) (bool, error) {
		for _, w := range wanted {
			if !slices.ContainsFunc(faults, func(f topology.Fault) bool { return int(f.At) == w }) {
				return false, nil
			}
		}
		return true, nil
	}
}

// cutDown shrinks a schedule and returns the places of what is left.
func cutDown(t testing.TB, n int, s *shrinker) []int {
	t.Helper()
	s.jobs = max(s.jobs, 1)
	s.begin(cuts(n))
	left, err := s.shrink(context.Background(), cuts(n), false)
	require.NoError(t, err)
	list := []int{}
	for _, p := range left {
		list = append(list, p.index)
	}
	return list
}

func TestShrinkFindsWhatIsNeeded(t *testing.T) {
	for _, wanted := range [][]int{{}, {0}, {7}, {3, 4}, {0, 7}, {1, 3, 5}, {0, 1, 2, 3, 4, 5, 6, 7}} {
		s := &shrinker{fails: needs(wanted...)}
		require.Equal(t, wanted, cutDown(t, 8, s))
		require.True(t, s.minimal)
	}
	require.Equal(t, []int{0}, cutDown(t, 1, &shrinker{fails: needs(0)}))
	require.Equal(t, []int{}, cutDown(t, 0, &shrinker{fails: needs()}))
}

// Whatever a schedule depends on, what is left fails, and nothing of it can be taken away (1-minimality, definition 10 of Zeller and
// Hildebrandt). The number of trials stays below their bound of n²+3n, and three for the empty schedule and the whole one.
func TestShrunkIsMinimal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n := 1 + r.IntN(12)
		// It fails for sets that are drawn, whatever they have in common: also where more faults hide a failure.
		seed := r.Uint64()
		fails := func(_ context.Context, faults []topology.Fault) (bool, error) {
			set := uint64(0)
			for _, f := range faults {
				set |= 1 << f.At
			}
			return len(faults) == n || rand.New(rand.NewPCG(seed, set)).IntN(3) == 0, nil
		}
		s := &shrinker{fails: fails}
		left := cutDown(t, n, s)
		some := func(indices []int) bool {
			var list []topology.Fault
			for _, i := range indices {
				list = append(list, cuts(n)[i])
			}
			failed, _ := fails(context.Background(), list)
			return failed
		}
		require.True(t, some(left))
		for i := range left {
			require.False(t, some(slices.Delete(slices.Clone(left), i, i+1)), "%v without %d", left, left[i])
		}
		require.LessOrEqual(t, s.count, n*n+3*n+3)
	}
}

// The number of jobs changes neither the outcome nor the trials that count nor their order.
func TestShrinkWithJobs(t *testing.T) {
	type outcome struct {
		left   []int
		count  int
		trials []Trial
	}
	run := func(jobs, limit int) (o outcome) {
		var now, most atomic.Int32
		s := &shrinker{jobs: jobs, limit: limit, progress: func(t Trial) { o.trials = append(o.trials, t) }}
		s.fails = func(ctx context.Context, faults []topology.Fault) (bool, error) {
			n := now.Add(1)
			defer now.Add(-1)
			most.Store(max(most.Load(), n))
			return needs(2, 11, 17)(ctx, faults)
		}
		o.left, o.count = cutDown(t, 20, s), s.count
		require.LessOrEqual(t, int(most.Load()), jobs)
		return o
	}
	for _, limit := range []int{0, 3, 10} {
		one := run(1, limit)
		require.Len(t, one.trials, one.count)
		for _, jobs := range []int{2, 3, 16} {
			require.Equal(t, one, run(jobs, limit))
		}
	}
}

func TestShrinkTriesNothingTwice(t *testing.T) {
	seen := map[string]bool{}
	cutDown(t, 16, &shrinker{fails: func(ctx context.Context, faults []topology.Fault) (bool, error) {
		require.False(t, seen[faultsKey(faults)])
		seen[faultsKey(faults)] = true
		return needs(1, 8)(ctx, faults)
	}})
}

func TestShrinkStops(t *testing.T) {
	s := &shrinker{fails: needs(3, 9), limit: 5}
	left := cutDown(t, 12, s)
	require.Equal(t, 5, s.count)
	require.False(t, s.minimal)
	require.Subset(t, left, []int{3, 9})

	// An error ends it, and keeps what was found.
	broken := errors.New("broken")
	s = &shrinker{jobs: 4, fails: func(ctx context.Context, faults []topology.Fault) (bool, error) {
		if len(faults) == 2 {
			return false, broken
		}
		return needs(0)(ctx, faults)
	}}
	s.begin(cuts(8))
	found, err := s.shrink(context.Background(), cuts(8), false)
	require.ErrorIs(t, err, broken)
	require.Len(t, found, 4)
}

// fakeLab is a lab with eight faults and three expectations; what they become is up to the test.
func fakeLab(t testing.TB) *Lab {
	t.Helper()
	labs, err := Parse("lab.json", []byte(`{
		"nodes": { "a": { "services": { "echo": { "type": "tcp-echo" } } }, "b": {} }, "links": ["a - b"],
		"workloads": { "p": { "type": "ping", "from": "b", "to": "a", "count": 3 } },
		"faults": [
			{ "at": "1s", "cut": "a - b", "for": "8s", "every": "exponential(20s)", "times": 3, "probability": "50%" },
			{ "at": "2s", "partition": [["a"]], "name": "split" },
			{ "at": "3s", "heal": "split" },
			{ "at": "4s", "set": { "latency": "1ms" }, "link": "a - b" }
		],
		"expect": ["p.sent == 3", "p.received == 3", "p.lost == 0"]
	}`), nil)
	require.NoError(t, err)
	return labs[0]
}

// outcomes decides a lab's expectations. holds is what the three of fakeLab are: true, false, or nil for what can't be decided.
func outcomes(lab *Lab, holds ...any) []expect.Outcome {
	list := []expect.Outcome{}
	for i, text := range []string{"p.sent == 3", "p.received == 3", "p.lost == 0"} {
		if i < len(holds) && slices.Contains(lab.Topology().Expect, text) {
			list = append(list, expect.Outcome{Text: text, Holds: holds[i] == true, Inconclusive: holds[i] == nil, Reason: "no value"})
		}
	}
	return list
}

func has(lab *Lab, verb string) bool {
	return slices.ContainsFunc(lab.Topology().Faults, func(f topology.Fault) bool { return f.Verb() == verb })
}

func TestShrinkALab(t *testing.T) {
	lab := fakeLab(t)
	played := 0
	o := &ShrinkOptions{Play: func(_ context.Context, l *Lab) ([]expect.Outcome, error) {
		played++
		require.False(t, has(l, "heal") && !has(l, "partition"), "a schedule that can't be")
		return outcomes(l, true, !has(l, "cut"), !has(l, "heal")), nil
	}}
	s, err := lab.Shrink(context.Background(), o)
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 2}, s.Kept, "both fail only together")
	require.Equal(t, []int{3}, s.Removed)
	require.True(t, s.Minimal)
	require.Equal(t, lab.Topology().Faults[:3], s.Lab.Topology().Faults)
	require.Equal(t, []expect.Outcome{{Text: "p.received == 3", Reason: "no value"}, {Text: "p.lost == 0", Reason: "no value"}}, s.Expect)
	require.LessOrEqual(t, played, s.Trials)

	o.Expect = 2
	s, err = lab.Shrink(context.Background(), o)
	require.NoError(t, err)
	require.Equal(t, []int{0}, s.Kept)
	require.Len(t, s.Expect, 1)
	require.Empty(t, s.Simplified)

	o.Simplify = true
	o.Play = func(_ context.Context, l *Lab) ([]expect.Outcome, error) {
		cut := slices.ContainsFunc(l.Topology().Faults, func(f topology.Fault) bool { return f.For.Mean() > time.Second })
		return outcomes(l, true, !cut, nil), nil
	}
	s, err = lab.Shrink(context.Background(), o)
	require.NoError(t, err)
	require.Equal(t, []int{0}, s.Simplified)
	require.Equal(t, []topology.Fault{{Name: "cut-1", At: units.Duration(time.Second), Cut: "a - b", For: units.Constant(2 * time.Second)}}, s.Lab.Topology().Faults)
	require.True(t, s.Minimal)
}

func TestShrinkRefuses(t *testing.T) {
	lab := fakeLab(t)
	answer := func(holds ...any) *ShrinkOptions {
		return &ShrinkOptions{Play: func(_ context.Context, l *Lab) ([]expect.Outcome, error) { return outcomes(l, holds...), nil }}
	}
	o := answer(true, false, nil)
	for _, c := range []struct {
		o    *ShrinkOptions
		want string
	}{
		{answer(true, nil, true), "nothing fails: every expectation holds or can't be decided"},
		{&ShrinkOptions{Play: o.Play, Expect: 1}, "nothing fails: p.sent == 3 holds"},
		{&ShrinkOptions{Play: o.Play, Expect: 3}, "nothing fails: p.lost == 0 can't be decided: no value"},
		{&ShrinkOptions{Play: o.Play, Expect: 4}, "found expectation 4, wanted 1 to 3"},
		{&ShrinkOptions{Jobs: 2}, "found 2 jobs, wanted 1: only one lab can run in this process"},
		{&ShrinkOptions{Play: o.Play, Jobs: -1}, "found -1 jobs, wanted 1 or more"},
		{&ShrinkOptions{Play: o.Play, Trials: -1}, "found -1 trials, wanted 1 or more"},
		{answer(false), "a run with 4 of 4 faults decided 1 expectations, wanted 3"},
	} {
		_, err := lab.Shrink(context.Background(), c.o)
		require.EqualError(t, err, c.want)
	}
	_, err := lab.Shrink(context.Background(), answer(true, nil, true))
	require.ErrorIs(t, err, ErrNothingFails)
	none := *lab.topology
	none.Expect = nil
	plain, err := New(&none)
	require.NoError(t, err)
	_, err = plain.Shrink(context.Background(), nil)
	require.EqualError(t, err, "the lab expects nothing, so it can't fail: give the file an expectation")
}

// An expectation about a fault that isn't needed doesn't keep it.
func TestShrinkLeavesExpectationsOut(t *testing.T) {
	lab := fakeLab(t)
	with := *lab.topology
	with.Expect = append(slices.Clone(with.Expect), "faults.split.times == 1", "faults.cut-1.times == 3")
	lab, err := New(&with)
	require.NoError(t, err)
	s, err := lab.Shrink(context.Background(), &ShrinkOptions{Expect: 2, Play: func(_ context.Context, l *Lab) ([]expect.Outcome, error) {
		list := outcomes(l, true, !has(l, "cut"), true)
		for len(list) < len(l.Topology().Expect) {
			list = append(list, expect.Outcome{Holds: true})
		}
		return list, nil
	}})
	require.NoError(t, err)
	require.Equal(t, []int{0}, s.Kept)
	require.Equal(t, []string{"faults.split.times == 1"}, s.LeftOut)
	require.Equal(t, append(slices.Clone(with.Expect[:3]), "faults.cut-1.times == 3"), s.Lab.Topology().Expect)
}

// Without a function that plays a lab it runs in this process.
func TestShrinkRunsTheLab(t *testing.T) {
	labs, err := Parse("lab.json", []byte(`{
		"nodes": { "a": {}, "b": {} }, "links": [{ "between": "a - b", "latency": "1ms" }],
		"workloads": { "p": { "type": "ping", "from": "a", "to": "b", "count": 10, "interval": "1s" } },
		"faults": [
			{ "at": "500ms", "set": { "latency": "5ms" }, "link": "a - b", "for": "4s" },
			{ "at": "3.5s", "cut": "a - b", "for": "2s" },
			{ "at": "7.5s", "partition": [["a"]], "for": "1s" }
		],
		"expect": ["p.lost <= 2"]
	}`), nil)
	require.NoError(t, err)
	s, err := labs[0].Shrink(context.Background(), nil)
	require.NoError(t, err)
	require.Equal(t, []int{1, 2}, s.Kept)
	require.Equal(t, "3", s.Expect[0].Values[0].Printed)
}
