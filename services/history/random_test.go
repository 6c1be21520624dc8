package history

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// atomicHistory is what clients see of registers that are changed at one instant of each operation: one in ten writes isn't answered, of
// which half take effect, some long after. Values are distinct.
func atomicHistory(seed uint64, operations, clients, keys int) *History {
	r := rand.New(rand.NewPCG(seed, 1))
	type effect struct {
		at time.Duration
		op int
	}
	var effects []effect
	h := &History{}
	free := make([]time.Duration, clients)
	for i := range operations {
		client := r.IntN(clients)
		o := Operation{Client: client, Host: fmt.Sprintf("c%d", client), Server: "s", Key: "k" + strconv.Itoa(r.IntN(keys)), Kind: Read, Outcome: OK}
		o.Invoked = free[client] + time.Duration(r.IntN(1000))*time.Microsecond
		o.Completed = o.Invoked + time.Duration(1+r.IntN(2000))*time.Microsecond
		at := o.Invoked + time.Duration(r.Int64N(int64(o.Completed-o.Invoked)+1))
		if r.IntN(2) == 0 {
			o.Kind, o.Input = Write, []string{strconv.Itoa(i)}
			if r.IntN(10) == 0 {
				o.Outcome = Unknown
				at += time.Duration(r.IntN(2)*r.IntN(10_000)) * time.Microsecond
			}
		}
		free[client] = o.Completed
		h.Operations = append(h.Operations, o)
		if o.Outcome == OK || r.IntN(2) == 0 {
			effects = append(effects, effect{at, i})
		}
	}
	slices.SortFunc(effects, func(a, b effect) int { return int(a.at - b.at) })
	values := map[string]string{}
	for _, e := range effects {
		o := &h.Operations[e.op]
		if o.Kind == Write {
			values[o.Key] = o.Input[0]
		} else if v, found := values[o.Key]; found {
			o.Output, o.Found = []string{v}, true
		}
	}
	sortOperations(h.Operations)
	for i := range h.Operations {
		h.Operations[i].Index = i
	}
	return h
}

// What an atomic register answers holds under every model; a read changed to an older value is found where the value was overwritten before.
func TestAtomicRegister(t *testing.T) {
	changed, found := 0, 0
	for seed := range uint64(200) {
		h := atomicHistory(seed, 80, 4, 2)
		require.NoError(t, h.Validate())
		for _, m := range []string{"linearizable", "sequential", "causal", "read-your-writes", "monotonic-reads", "no-stale-reads", "no-dirty-reads"} {
			v := Check(h, m, Options{})
			require.Equal(t, Holds, v.Result, "seed %d: %s", seed, v.Text())
		}
		r := rand.New(rand.NewPCG(seed, 2))
		mutated := older(h, r)
		if mutated == nil {
			continue
		}
		changed++
		v := Check(mutated, "linearizable", Options{})
		stale := Check(mutated, "no-stale-reads", Options{})
		if stale.Result == Violated {
			require.Equal(t, Violated, v.Result, "a stale read can't be linearizable: seed %d, %s", seed, stale.Text())
		}
		if v.Result != Violated {
			continue
		}
		found++
		require.LessOrEqual(t, len(v.Prefix), 12, v.Text())
		alone := Check(&History{Operations: v.Prefix}, "linearizable", Options{})
		require.Equal(t, Violated, alone.Result, "seed %d: %s", seed, v.Text())
		for _, m := range []string{"sequential", "causal", "monotonic-reads", "read-your-writes"} { // where these find something, so do the stronger
			if weak := Check(mutated, m, Options{}); weak.Result == Violated {
				require.Equal(t, Violated, Check(&History{Operations: weak.Prefix}, m, Options{}).Result, "seed %d: %s", seed, weak.Text())
			}
		}
	}
	t.Logf("%d of %d changed histories were found", found, changed)
	require.Greater(t, changed, 180)
	require.Greater(t, found, changed*8/10)
}

// older changes a read to a value that was written, and overwritten, earlier.
func older(h *History, r *rand.Rand) *History {
	ops := slices.Clone(h.Operations)
	for range 200 {
		o := &ops[r.IntN(len(ops))]
		if o.Kind != Read || o.Outcome != OK || !o.Found {
			continue
		}
		var before []string
		for i := range ops {
			if w := &ops[i]; w.Kind == Write && w.Key == o.Key && w.Outcome == OK && w.Completed < o.Invoked && w.Input[0] != o.Output[0] {
				before = append(before, w.Input[0])
			}
		}
		if len(before) > 0 {
			o.Output = []string{before[r.IntN(len(before))]}
			return &History{Operations: ops}
		}
	}
	return nil
}

// Violations of long histories are cut down as well.
func TestLongHistory(t *testing.T) {
	h := older(atomicHistory(1, 10_000, 5, 1), rand.New(rand.NewPCG(1, 2)))
	v := Check(h, "linearizable", Options{})
	require.Equal(t, Violated, v.Result)
	require.LessOrEqual(t, len(v.Prefix), 4, v.Text())
	require.Equal(t, Violated, Check(&History{Operations: v.Prefix}, "linearizable", Options{}).Result)
}

// Linearizable histories are sequential, and these causal.
func TestModelsImplyEachOther(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		h := atomicHistory(seed, 14, 3, 2)
		for i := range h.Operations { // some reads return anything that is ever written
			o := &h.Operations[i]
			if o.Kind != Read || r.IntN(3) > 0 {
				continue
			}
			for _, w := range h.Operations {
				if w.Kind == Write && w.Key == o.Key && w.Outcome == OK && r.IntN(2) == 0 {
					o.Output, o.Found = []string{w.Input[0]}, true
				}
			}
		}
		linearizable := Check(h, "linearizable", Options{})
		sequential := Check(h, "sequential", Options{})
		causal := Check(h, "causal", Options{})
		if linearizable.Result == Holds {
			require.Equal(t, Holds, sequential.Result, "seed %d: %s", seed, sequential.Text())
		}
		if sequential.Result == Holds {
			require.Equal(t, Holds, causal.Result, "seed %d: %s", seed, causal.Text())
		}
		c := &checker{budget: budget{left: DefaultSteps}, sums: map[string]sum{}} // without the shortcut over linearizability
		c.split(h.Operations)
		require.Equal(t, sequential.Result == Holds, c.sequential(c.ops), "seed %d", seed)
		require.Equal(t, orderExists(h.Operations), sequential.Result == Holds, "seed %d", seed)
	}
}

// orderExists says whether operations are sequentially consistent by trying all orders, without any of the search's shortcuts.
func orderExists(ops []Operation) bool {
	done := make([]bool, len(ops))
	values := map[string]string{}
	var try func() bool
	try = func() bool {
		left := false
		for i := range ops {
			o := &ops[i]
			if done[i] || o.Outcome == Fail || o.Outcome == Unknown && o.Kind == Read {
				continue
			}
			left = left || o.Outcome == OK
			ready := true
			for j := range i {
				if ops[j].Client == o.Client && ops[j].Outcome == OK && !done[j] {
					ready = false
				}
			}
			before, had := values[o.Key]
			if !ready || o.Kind == Read && (had != o.Found || had && before != o.Output[0]) {
				continue
			}
			done[i] = true
			if o.Kind == Write {
				values[o.Key] = o.Input[0]
			}
			if try() {
				return true
			}
			done[i] = false
			if had {
				values[o.Key] = before
			} else {
				delete(values, o.Key)
			}
		}
		return !left
	}
	return try()
}

// The cost of checking by operations: five clients, one key and ten.
func BenchmarkCheck(b *testing.B) {
	for _, model := range []string{"linearizable", "sequential", "causal", "no-stale-reads"} {
		for _, n := range []int{1000, 10_000} {
			for _, keys := range []int{1, 10} {
				h := atomicHistory(1, n, 5, keys)
				b.Run(fmt.Sprintf("%s/operations=%d/keys=%d", model, n, keys), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						if v := Check(h, model, Options{}); v.Result != Holds {
							b.Fatal(v.Text())
						}
					}
				})
			}
		}
	}
}
