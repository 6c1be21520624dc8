package eviction_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services/eviction"
)

func newPolicy(t testing.TB, name string, capacity int64) eviction.Policy[string] {
	p, err := eviction.New[string](name, capacity, rand.New(rand.NewPCG(1, 1)))
	require.NoError(t, err)
	return p
}

// Small letters are requests of size 1; the evicted are listed in their order.
func TestSequences(t *testing.T) {
	for _, c := range []struct {
		policy   string
		capacity int64
		requests string
		evicted  string
		held     string
	}{
		{"fifo", 3, "a b c a d e", "a b", "c d e"},
		{"lru", 3, "a b c a d e", "b c", "a d e"},
		{"lfu", 3, "a a b b c d c", "c d", "a b c"},
		{"lfu", 2, "a b c", "a", "b c"}, // a tie: the least recently used
		{"perfect-lfu", 2, "a a b c b d c", "b c a d", "b c"},
		// A1in holds one of four (25 %) and A1out two names: a is asked for again while it is named, which is what brings it into Am.
		{"2q", 4, "a b c d e a", "a b", "a c d e"},
		{"2q", 4, "a b c d e a f g h i", "a b c d e f", "a g h i"},
		{"arc", 3, "a b c d", "a", "b c d"},
		{"arc", 3, "a a b c d a", "b", "a c d"}, // a is in T2
		// b comes back while B1 names it: T1's target becomes 1, so that T1 is short enough for e and T2 gives up a.
		{"arc", 3, "a a b c d b e", "b c a", "b d e"},
		// The newcomers of a scan were seen once, the held ones twice.
		{"tinylfu", 4, "a a b b c c d d e f g h", "d e f g", "a b c h"},
	} {
		p := newPolicy(t, c.policy, c.capacity)
		var evicted []string
		for key := range strings.FieldsSeq(c.requests) {
			if !p.Get(key) {
				evicted = append(evicted, p.Add(key, 1)...)
			}
		}
		require.Equal(t, c.evicted, strings.Join(evicted, " "), "%s %s", c.policy, c.requests)
		for key := range strings.FieldsSeq(c.held) {
			require.True(t, p.Contains(key), "%s: %s", c.policy, key)
		}
		require.Equal(t, len(strings.Fields(c.held)), p.Len())
	}
}

// Whatever is done, the sum of the sizes is what is held and never more than the capacity.
func TestBound(t *testing.T) {
	for _, name := range eviction.Names() {
		for seed := range uint64(20) {
			random := rand.New(rand.NewPCG(seed, 0))
			capacity := 1 + random.Int64N(200)
			p, err := eviction.New[int](name, capacity, random)
			require.NoError(t, err)
			held := map[int]int64{}
			for range 3000 {
				key := int(random.ExpFloat64() * 20)
				switch _, ok := held[key]; random.IntN(4) {
				case 0:
					require.Equal(t, ok, p.Get(key))
				case 1:
					if random.IntN(3) == 0 {
						require.Equal(t, ok, p.Remove(key))
						delete(held, key)
					}
				default:
					size := 1 + random.Int64N(1+random.Int64N(capacity+capacity/4+1))
					evicted := slices.Clone(p.Add(key, size))
					before := held[key]
					held[key] = size
					for _, k := range evicted {
						require.Contains(t, held, k, "%s evicts what it does not hold, or twice", name)
						delete(held, k)
					}
					_, stays := held[key]
					require.Equal(t, stays, p.Contains(key))
					if name != "tinylfu" || before > 0 {
						require.Equal(t, size <= capacity, stays, "%s does not hold what it was given", name)
					}
				}
				sum := int64(0)
				for _, size := range held {
					sum += size
				}
				require.Equal(t, sum, p.Used(), name)
				require.LessOrEqual(t, sum, capacity)
				require.Equal(t, len(held), p.Len())
			}
			require.Equal(t, capacity, p.Capacity())
			for key := range held {
				require.True(t, p.Contains(key))
				require.True(t, p.Remove(key))
			}
			require.Zero(t, p.Used())
			require.Zero(t, p.Len())
		}
	}
}

func TestRandomIsUniform(t *testing.T) {
	p, err := eviction.New[int]("random", 10, rand.New(rand.NewPCG(5, 6)))
	require.NoError(t, err)
	ages := make([]int, 0, 100_000) // how many requests an entry survives: geometric with mean 10
	added := map[int]int{}
	for i := range cap(ages) {
		for _, k := range p.Add(i, 1) {
			ages = append(ages, i-added[k])
		}
		added[i] = i
	}
	sum := 0
	for _, a := range ages {
		sum += a
	}
	require.InDelta(t, 10, float64(sum)/float64(len(ages)), 0.15) // four standard errors: 4·√90/√100,000 = 0.12
}

func TestUnknown(t *testing.T) {
	require.EqualError(t, eviction.Check("lrv"), `there is no eviction policy "lrv": want one of fifo, lru, lfu, perfect-lfu, random, 2q, arc, tinylfu`)
	_, err := eviction.New[int]("lru", 0, nil)
	require.EqualError(t, err, "a capacity of 0: want at least 1")
	_, err = eviction.New[int]("random", 1, nil)
	require.Error(t, err)
	_, err = eviction.New[int]("clock", 1, nil)
	require.Error(t, err)
	require.NoError(t, eviction.Check(eviction.Default))
}

func TestKeysOfAllKinds(t *testing.T) {
	type kind string
	type pair struct {
		host, path string
		port       uint16
	}
	check(t, kind("a"), kind("b"))
	check(t, int8(1), int8(2))
	check(t, uint32(1), uint32(2))
	check(t, uint64(1), uint64(2))
	check(t, pair{"a", "b", 1}, pair{"a", "b", 2})
}

func check[K comparable](t *testing.T, a, b K) {
	p, err := eviction.New[K]("tinylfu", 1, nil)
	require.NoError(t, err)
	require.Empty(t, p.Add(a, 1))
	require.Equal(t, []K{a}, p.Add(b, 1))
	require.True(t, p.Contains(b))
}
