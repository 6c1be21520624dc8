package balance_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/internal/random"
	"netlab/services/balance"
)

// seed is that of the streams of tests.
const seed = 7

func newAlgorithm(t testing.TB, c balance.Config) balance.Algorithm {
	t.Helper()
	a, err := balance.New(c, random.Stream(seed, t.Name(), 0))
	require.NoError(t, err)
	return a
}

func algorithm(t testing.TB, name string) balance.Algorithm {
	return newAlgorithm(t, balance.Config{Algorithm: name})
}

// named makes backends of weight 1.
func named(names ...string) []balance.Backend {
	list := make([]balance.Backend, len(names))
	for i, n := range names {
		list[i] = balance.Backend{Name: n, Weight: 1}
	}
	return list
}

// webs makes backends web0, web1 …
func webs(n int) []balance.Backend {
	list := make([]balance.Backend, n)
	for i := range list {
		list[i] = balance.Backend{Name: fmt.Sprintf("web%d", i), Weight: 1}
	}
	return list
}

// weighted makes backends a, b, c … of some weights.
func weighted(weights ...float64) []balance.Backend {
	list := make([]balance.Backend, len(weights))
	for i, w := range weights {
		list[i] = balance.Backend{Name: string(rune('a' + i)), Weight: w}
	}
	return list
}

// order picks n times, without Start, and returns the names.
func order(t testing.TB, a balance.Algorithm, backends []balance.Backend, n int) string {
	t.Helper()
	var names []string
	for range n {
		i, ok := a.Pick(&balance.Request{})
		require.True(t, ok)
		names = append(names, backends[i].Name)
	}
	return strings.Join(names, " ")
}

func excluding(indexes ...int) func(int) bool {
	return func(i int) bool {
		for _, x := range indexes {
			if i == x {
				return true
			}
		}
		return false
	}
}

func key(i int) *balance.Request { return &balance.Request{Key: fmt.Sprintf("/objects/%d", i)} }

// homes returns where each of n keys goes, by name.
func homes(t testing.TB, a balance.Algorithm, backends []balance.Backend, n int) []string {
	t.Helper()
	list := make([]string, n)
	for k := range list {
		i, ok := a.Pick(key(k))
		require.True(t, ok)
		list[k] = backends[i].Name
	}
	return list
}

func moved(before, after []string) float64 {
	n := 0
	for i := range before {
		if before[i] != after[i] {
			n++
		}
	}
	return float64(n) / float64(len(before))
}

// within asserts that a share that was counted in n trials is the expected one, within four standard deviations.
func within(t testing.TB, want, found float64, n int, args ...any) {
	t.Helper()
	require.InDelta(t, want, found, 4*math.Sqrt(want*(1-want)/float64(n)), args...)
}
