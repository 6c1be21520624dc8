package balance_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services/balance"
)

func TestRoundRobin(t *testing.T) {
	a := algorithm(t, "")
	_, ok := a.Pick(&balance.Request{})
	require.False(t, ok)
	set := named("a", "b", "c")
	a.Set(set)
	require.Equal(t, "a b c a b", order(t, a, set, 5))

	set = named("a", "b", "new", "c") // the last turn was b's
	a.Set(set)
	require.Equal(t, "new c a b", order(t, a, set, 4))
	set = named("x", "c", "a") // b is gone, and so is new: c is next
	a.Set(set)
	require.Equal(t, "c a x c", order(t, a, set, 4))
	a.Set(named("y")) // all are gone
	require.Equal(t, "y y", order(t, a, named("y"), 2))

	a = algorithm(t, balance.RoundRobin)
	a.Set(named("a", "b", "c"))
	for _, want := range []int{1, 2, 1, 2} {
		i, ok := a.Pick(&balance.Request{Exclude: excluding(0)})
		require.True(t, ok)
		require.Equal(t, want, i)
	}
	a.Set(nil)
	_, ok = a.Pick(&balance.Request{})
	require.False(t, ok)
}

// The sequence is that of nginx's commit; a period gives each exactly its weight.
func TestSmoothWeightedRoundRobin(t *testing.T) {
	for _, c := range []struct {
		weights []float64
		want    string
	}{
		{[]float64{5, 1, 1}, "a a b a c a a"},
		{[]float64{1, 1, 1}, "a b c"},
		{[]float64{2, 1}, "a b a"},
		{[]float64{0.5, 0.25}, "a b a"},
		{[]float64{4, 3, 2, 1}, "a b c a b d a c b a"},
	} {
		a := algorithm(t, balance.WeightedRoundRobin)
		set := weighted(c.weights...)
		a.Set(set)
		n := len(strings.Fields(c.want))
		for range 3 {
			require.Equal(t, c.want, order(t, a, set, n), c.weights)
			a.Set(append([]balance.Backend(nil), set...)) // the same ones: nothing begins anew
		}
	}
}

// One that can't be taken gains nothing meanwhile, so that it doesn't get what it missed in a burst.
func TestSmoothWithout(t *testing.T) {
	a := algorithm(t, balance.WeightedRoundRobin)
	set := weighted(5, 1, 1)
	a.Set(set)
	for range 10 {
		i, ok := a.Pick(&balance.Request{Exclude: excluding(0)})
		require.True(t, ok)
		require.NotZero(t, i)
	}
	require.Equal(t, "a a b a c a a", order(t, a, set, 7))
}

// Whatever the algorithm, an excluded backend is never chosen, one that is left always is, and no backends means none.
func TestExclude(t *testing.T) {
	for _, name := range balance.Names() {
		a := algorithm(t, name)
		_, ok := a.Pick(&balance.Request{Key: "x"})
		require.False(t, ok, name)
		set := webs(20)
		a.Set(set)
		for i := range 200 {
			only := i % 20
			r := key(i)
			r.Exclude = func(x int) bool { return x != only }
			found, ok := a.Pick(r)
			require.True(t, ok, name)
			require.Equal(t, only, found, name)
			r.Exclude = excluding(only, (only+7)%20)
			found, ok = a.Pick(r)
			require.True(t, ok, name)
			require.NotContains(t, []int{only, (only + 7) % 20}, found, name)
		}
		_, ok = a.Pick(&balance.Request{Key: "x", Exclude: func(int) bool { return true }})
		require.False(t, ok, name)
		a.Set(nil)
		_, ok = a.Pick(&balance.Request{Key: "x"})
		require.False(t, ok, name)
	}
}

// A request that is over after its backend has left the set, or was set anew, changes nobody else's count.
func TestSetKeepsState(t *testing.T) {
	for _, name := range balance.Names() {
		a := algorithm(t, name)
		a.Set(named("a", "b", "c"))
		h := a.Start(1, 0)
		g := a.Start(1, 0)
		a.Set(named("c", "b"))
		i := a.Start(1, 0)
		require.Equal(t, 3, i.InFlight(), name)
		a.Set(named("c"))
		a.Done(h, 1, 1, false)
		a.Set(named("c", "b")) // it comes back while two are under way
		require.Equal(t, 2, g.InFlight(), name)
		a.Done(g, 1, 1, true)
		a.Done(i, 1, -1, false)
		require.Zero(t, i.InFlight(), name)
		a.Done(balance.Handle{}, 1, 1, false)
		require.Zero(t, balance.Handle{}.InFlight())
		require.Equal(t, 1, a.Start(1, 2).InFlight(), name)
	}
}
