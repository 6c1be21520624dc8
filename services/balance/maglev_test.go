package balance

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func maglevOf(size int, names ...string) *maglev {
	a := &maglev{size: size}
	set := make([]Backend, len(names))
	for i, n := range names {
		set[i] = Backend{Name: n, Weight: 1}
	}
	a.Set(set)
	return a
}

func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("backend-%d", i)
	}
	return names
}

// All entries are filled; numbers of entries differ by at most 1, as backends take turns (section 3.4: with a table of 100 N entries
// shares differ by at most 1 %).
func TestMaglevIsFilledEvenly(t *testing.T) {
	for _, c := range []struct{ size, backends int }{{2, 2}, {7, 3}, {7, 7}, {1009, 10}, {65537, 655}, {65537, 1000}, {655373, 1000}} {
		a := maglevOf(c.size, numbered(c.backends)...)
		require.Len(t, a.table, c.size)
		counts := make([]int, c.backends)
		for _, i := range a.table {
			require.GreaterOrEqual(t, i, int32(0))
			counts[i]++
		}
		least, most := counts[0], counts[0]
		for _, n := range counts {
			least, most = min(least, n), max(most, n)
		}
		require.LessOrEqual(t, most-least, 1, c)
		if c.size >= 100*c.backends {
			require.LessOrEqual(t, float64(most)/float64(least), 1.01)
		}
	}
}

// The permutations, and the table they make, are those of the paper's pseudocode, written down plainly.
func TestMaglevIsThePapers(t *testing.T) {
	const m = 251
	names := numbered(9) // in the order of their names
	a := maglevOf(m, names...)
	permutation := make([][]int, len(names))
	for i := range names {
		offset, skip := permutationOf(names[i], m)
		for j := range m {
			permutation[i] = append(permutation[i], (offset+j*skip)%m)
		}
		seen := map[int]bool{}
		for _, e := range permutation[i] {
			seen[e] = true
		}
		require.Len(t, seen, m, "it comes by every entry")
	}
	next, entry := make([]int, len(names)), make([]int32, m)
	for j := range entry {
		entry[j] = -1
	}
	for n := 0; n < m; {
		for i := range names {
			c := permutation[i][next[i]]
			for entry[c] >= 0 {
				next[i]++
				c = permutation[i][next[i]]
			}
			entry[c] = int32(i)
			next[i]++
			if n++; n == m {
				break
			}
		}
	}
	require.Equal(t, entry, a.table)
}

// Disruption: when one of N leaves, its entries have to change, and few others do, the fewer the larger the table is (section 5.3).
func TestMaglevDisruption(t *testing.T) {
	const n = 100
	names := numbered(n)
	others := func(size int) float64 {
		before, after := maglevOf(size, names...), maglevOf(size, names[:n-1]...)
		changed := 0
		for e := range before.table {
			if i := before.table[e]; i != n-1 && after.table[e] != i {
				changed++
			}
		}
		return float64(changed) / float64(size)
	}
	small, large := others(65537), others(655373)
	require.Less(t, small, 0.02)
	require.Less(t, large, small)
	t.Logf("other entries that change: %.3f %% of 65537, %.3f %% of 655373", 100*small, 100*large)
}

func TestMaglevWeights(t *testing.T) {
	a := &maglev{size: 65537}
	set := []Backend{{Name: "a", Weight: 1}, {Name: "b", Weight: 2}, {Name: "c", Weight: 0.25}}
	a.Set(set)
	counts := make([]int, 3)
	for _, i := range a.table {
		counts[i]++
	}
	for i, b := range set {
		require.InDelta(t, b.Weight/3.25*65537, counts[i], 2)
	}
}
