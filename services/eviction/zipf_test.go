package eviction_test

import (
	"math"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services/eviction"
)

// zipf is the probability of each key: of the i-th, from 1, in proportion to 1/i^alpha.
func zipf(n int, alpha float64) []float64 {
	p, sum := make([]float64, n), 0.
	for i := range p {
		p[i] = math.Pow(float64(i+1), -alpha)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// characteristic solves Σ held(p, T) = c for T, and returns the hit ratio Σ p held(p, T): Che's approximation (Che, Tung and Wang,
// "Hierarchical Web caching systems", 2002) for LRU, where a key is held if it was asked for in the last T requests, and that of
// Fricker, Robert and Roberts ("A versatile and accurate approximation for LRU cache performance", 2012) for random.
func characteristic(p []float64, c int, held func(pT float64) float64) (hit float64) {
	low, high := 0., 1e12
	for range 200 {
		t, sum := (low+high)/2, 0.
		for _, x := range p {
			sum += held(x * t)
		}
		if sum < float64(c) {
			low = t
		} else {
			high = t
		}
	}
	for _, x := range p {
		hit += x * held(x*low)
	}
	return hit
}

func che(p []float64, c int) float64 {
	return characteristic(p, c, func(x float64) float64 { return 1 - math.Exp(-x) })
}

// gelenbe is the hit ratio of FIFO and of random, which is the same ("A unified approach to the evaluation of a class of
// replacement algorithms", 1973).
func gelenbe(p []float64, c int) float64 {
	return characteristic(p, c, func(x float64) float64 { return x / (1 + x) })
}

// ideal is that of a cache that holds the c most popular keys for good.
func ideal(p []float64, c int) (hit float64) {
	for _, x := range p[:c] {
		hit += x
	}
	return hit
}

// requests draws keys.
func requests(p []float64, n int, seed uint64) []int {
	random := rand.New(rand.NewPCG(seed, 7))
	sums := make([]float64, len(p))
	sum := 0.
	for i, x := range p {
		sum += x
		sums[i] = sum
	}
	keys := make([]int, n)
	for i := range keys {
		keys[i] = min(sort.SearchFloat64s(sums, random.Float64()), len(p)-1)
	}
	return keys
}

// measure returns the share of hits after a warm-up, the first quarter.
func measure(t testing.TB, policy string, c int, keys []int) float64 {
	p, err := eviction.New[int](policy, int64(c), rand.New(rand.NewPCG(1, 1)))
	require.NoError(t, err)
	hits, warm := 0, len(keys)/4
	for i, k := range keys {
		if request(p, k) && i >= warm {
			hits++
		}
	}
	return float64(hits) / float64(len(keys)-warm)
}

// The hit ratios under Zipf are those of theory. The approximations are good to some thousandths at these sizes (the papers show
// that), and 375,000 requests have a standard error below 0.001 (hits are not independent: twice that of a binomial).
func TestHitRatios(t *testing.T) {
	for _, c := range []struct {
		keys, cache int
		alpha       float64
		che         float64 // as published
	}{{1000, 100, 0.8, 0.378}, {1000, 100, 1, 0.577}, {10_000, 100, 0.8, 0.157}, {10_000, 1000, 1, 0.676}} {
		p := zipf(c.keys, c.alpha)
		require.InDelta(t, c.che, che(p, c.cache), 0.0006)
		keys := requests(p, 500_000, 11)
		got := map[string]float64{}
		for _, name := range eviction.Names() {
			got[name] = measure(t, name, c.cache, keys)
		}
		t.Logf("%d keys, %d held, α %v: %v; LRU %.3f, FIFO and random %.3f, ideal %.3f", c.keys, c.cache, c.alpha, got,
			che(p, c.cache), gelenbe(p, c.cache), ideal(p, c.cache))
		require.InDelta(t, che(p, c.cache), got["lru"], 0.004)
		require.InDelta(t, gelenbe(p, c.cache), got["fifo"], 0.004)
		require.InDelta(t, gelenbe(p, c.cache), got["random"], 0.004)
		require.InDelta(t, ideal(p, c.cache), got["perfect-lfu"], 0.004)
		for _, name := range []string{"lfu", "perfect-lfu", "2q", "arc", "tinylfu"} {
			require.Greater(t, got[name], got["lru"]+0.02, name)
			require.Less(t, got[name], ideal(p, c.cache)+0.003, name)
		}
	}
}

// Perfect LFU comes to hold the most popular keys, but for one place, which the last newcomer has: its hit ratio is the sum of their
// probabilities. LFU that forgets does not get there: who came first stays.
func TestPerfectLFUIsIdeal(t *testing.T) {
	p := zipf(100, 1)
	keys := requests(p, 3_000_000, 12)
	got, forgetful := measure(t, "perfect-lfu", 10, keys), measure(t, "lfu", 10, keys)
	t.Logf("perfect %.4f, in-cache %.4f; of 9 keys %.4f, of 10 %.4f", got, forgetful, ideal(p, 9), ideal(p, 10))
	require.InDelta(t, ideal(p, 9), got, 0.012)
	require.Less(t, got, ideal(p, 10))
	require.Less(t, forgetful, got-0.02)
}

// A scan is a loop over keys that are asked for once: it clears FIFO and LRU and leaves what 2Q, ARC, LFU and TinyLFU know to be in use.
func TestScan(t *testing.T) {
	const held, scanned = 100, 1000
	for _, c := range []struct {
		policy string
		least  int // of the 50 favourites that are still there after the scan
		most   int
	}{{"fifo", 0, 0}, {"lru", 0, 0}, {"lfu", 50, 50}, {"perfect-lfu", 50, 50}, {"2q", 50, 50}, {"arc", 50, 50}, {"tinylfu", 50, 50}} {
		p, err := eviction.New[int](c.policy, held, nil)
		require.NoError(t, err)
		random := rand.New(rand.NewPCG(1, 9))
		for range 20_000 { // the favourites, and passers-by between them
			request(p, random.IntN(50))
			if random.IntN(3) == 0 {
				request(p, 1000+random.IntN(100_000))
			}
		}
		for i := range scanned {
			request(p, 1_000_000+i)
		}
		left := 0
		for k := range 50 {
			if p.Contains(k) {
				left++
			}
		}
		require.GreaterOrEqual(t, left, c.least, c.policy)
		require.LessOrEqual(t, left, c.most, c.policy)
	}
}

func BenchmarkRequest(b *testing.B) {
	for _, name := range eviction.Names() {
		b.Run(name, func(b *testing.B) {
			keys := requests(zipf(10_000, 0.8), 1<<16, 1)
			p, err := eviction.New[int](name, 1000, rand.New(rand.NewPCG(1, 1)))
			require.NoError(b, err)
			hits := 0
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if request(p, keys[i&(len(keys)-1)]) {
					hits++
				}
			}
			b.ReportMetric(float64(hits)/float64(b.N), "hits/op")
		})
	}
}
