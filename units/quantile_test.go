package units

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestQuantileInvertsTheDistributionFunction: at F(x) it is x, to within the
// nanosecond and the digits that F(x) has.
func TestQuantileInvertsTheDistributionFunction(t *testing.T) {
	for text, cdf := range distributionFunctions() {
		d := must(t, text)
		for i := 1; i < 2000; i++ {
			x := float64(d.Quantile(float64(i) / 2000))
			require.InDelta(t, float64(i)/2000, cdf(x), 1.3e-6, "%s at %d", text, i) // 0.5 ns, and at most 2.5 in a ms
			require.InDelta(t, x, float64(d.Quantile(cdf(x))), 1, "%s at %v", text, x)
		}
	}
}

// TestQuantileIsDistributedAsSample compares the quantiles of uniform numbers with
// the distribution function, and with samples: the distance between the functions
// of two times n samples is below 1.628 sqrt(2/n) in 99 of 100 cases (Smirnov
// 1948, as for one).
func TestQuantileIsDistributedAsSample(t *testing.T) {
	for text, cdf := range distributionFunctions() {
		t.Run(text, func(t *testing.T) {
			d := must(t, text)
			r := rand.New(rand.NewPCG(5, 6))
			drawn := make([]time.Duration, samples)
			for i := range drawn {
				drawn[i] = d.Quantile(r.Float64())
			}
			requireDistribution(t, cdf, drawn)
			sampled := draw(d, samples)
			slices.Sort(sampled)
			distance, below := 0, 0
			for i, v := range drawn { // sorted by now
				for below < samples && sampled[below] <= v {
					below++
				}
				distance = max(distance, i+1-below, below-i-1)
			}
			require.Less(t, float64(distance)/samples, 1.628*math.Sqrt(2.0/samples))
		})
	}
}

func TestQuantileOfUniformIsExact(t *testing.T) {
	d := must(t, "uniform(3ns, 6ns)")
	for p, want := range map[float64]time.Duration{0: 3, 0.25: 3, 0.2500001: 4, 0.5: 4, 0.75: 5, 0.7500001: 6, 1: 6} {
		require.Equal(t, want, d.Quantile(p), p)
	}
	all, err := Uniform(0, math.MaxInt64)
	require.NoError(t, err)
	require.Equal(t, time.Duration(math.MaxInt64), all.Quantile(1))
	require.Equal(t, time.Duration(1<<62-1), all.Quantile(0.5))
}

func TestQuantileAtTheEnds(t *testing.T) {
	const longest = time.Duration(math.MaxInt64)
	for _, test := range []struct {
		text        string
		first, last time.Duration
	}{
		{"20ms", 20 * ms, 20 * ms},
		{"uniform(1ms, 5ms)", ms, 5 * ms},
		{"normal(20ms, 3ms)", 0, longest},
		{"normal(0s, 3ms)", 0, longest},
		{"normal(1s, 1ns)", 0, longest}, // nothing that a float64 knows is below 0
		{"normal(20ms, 0s)", 20 * ms, 20 * ms},
		{"lognormal(20ms, 3ms)", 0, longest},
		{"laplace(20ms, 3ms)", 0, longest},
		{"laplace(0s, 3ms)", 0, longest},
		{"exponential(8ms)", 0, longest},
		{"pareto(1ms, 2.5)", ms, longest},
	} {
		d := must(t, test.text)
		require.Equal(t, test.first, d.Quantile(0), test.text)
		require.Equal(t, test.last, d.Quantile(1), test.text)
		before := d.Quantile(0)
		for _, p := range []float64{1e-300, 1e-100, 1e-17, 1e-9, 1e-5, 0.001, 0.3, 0.4999999, 0.5, 0.5000001, 0.9, 1 - 1e-9, math.Nextafter(1, 0)} {
			v := d.Quantile(p)
			require.GreaterOrEqual(t, v, before, "%s at %v", test.text, p)
			before = v
		}
		if !d.IsConstant() && test.last == longest {
			require.Less(t, before, 24*time.Hour, test.text)
		}
		for _, p := range []float64{-1e-9, 1.0000001, math.NaN()} {
			require.Panics(t, func() { d.Quantile(p) })
		}
	}
}

func TestQuantileOfFile(t *testing.T) {
	d := Empirical("rtt.txt", table(t, "30ms 2\n10ms 1\n20ms 1"))
	for p, want := range map[float64]time.Duration{0: 10 * ms, 0.25: 10 * ms, 0.26: 20 * ms, 0.5: 20 * ms, 0.51: 30 * ms, 1: 30 * ms} {
		require.Equal(t, want, d.Quantile(p), p)
	}
}

// TestNormalQuantile compares with math.Erfc, which is exact to the last digits
// for small values too.
func TestNormalQuantile(t *testing.T) {
	for exponent := -320.0; exponent < -0.31; exponent += 0.1 {
		p := math.Pow(10, exponent)
		z := normalQuantile(p)
		if p > 1e-307 { // below that a float64 has fewer digits
			require.InEpsilon(t, p, math.Erfc(-z/math.Sqrt2)/2, 1e-9, "%v", p)
		}
		require.Less(t, z, 0.0)
		require.Greater(t, z, -39.0)
	}
	require.InDelta(t, -1.959963984540054, normalQuantile(0.025), 1e-12)
	require.InDelta(t, -6.361340902404056, normalQuantile(1e-10), 1e-12)
	require.Zero(t, normalQuantile(0.5))
	require.Equal(t, math.Inf(-1), normalQuantile(0))
	require.Equal(t, math.Inf(1), normalQuantile(1))
}

func BenchmarkQuantile(b *testing.B) {
	for _, text := range []string{"uniform(1ms, 5ms)", "normal(20ms, 3ms)", "lognormal(20ms, 3ms)", "laplace(20ms, 3ms)", "exponential(8ms)", "pareto(1ms, 2.5)"} {
		d := must(b, text)
		r := rand.New(rand.NewPCG(1, 2))
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d.Quantile(r.Float64())
			}
		})
	}
}
