package units

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	ms      = time.Millisecond
	samples = 100_000
)

// must returns the distribution that a text stands for.
func must(t testing.TB, text string) Distribution {
	t.Helper()
	d, err := ParseDistribution(text)
	require.NoError(t, err)
	return d
}

func draw(d Distribution, n int) []time.Duration {
	r := rand.New(rand.NewPCG(1, 2))
	drawn := make([]time.Duration, n)
	for i := range drawn {
		drawn[i] = d.Sample(r)
	}
	return drawn
}

// TestSampleMean: the mean of n samples is normally distributed around the mean
// of the distribution with a standard deviation of s/sqrt(n). Four of these
// contain it in all but 1 of 16,000 cases; the seed is fixed.
func TestSampleMean(t *testing.T) {
	const rootTwoOverPi = 0.7978845608028654
	for _, test := range []struct {
		text   string
		mean   time.Duration
		stddev float64 // of the samples, in ns
	}{
		{"uniform(1ms, 5ms)", 3 * ms, 4e6 / math.Sqrt(12)},
		{"normal(20ms, 3ms)", 20 * ms, 3e6},
		// Half a bell: the mean is s sqrt(2/π), the variance s²(1 - 2/π).
		{"normal(0s, 3ms)", time.Duration(math.Round(3e6 * rootTwoOverPi)), 3e6 * math.Sqrt(1-2/math.Pi)},
		// Truncated at one standard deviation: m + s φ(1)/Φ(1) by the tables
		// 0.2419707/0.8413447 = 0.2876000, variance s²(1 - 0.2876 - 0.2876²).
		{"normal(3ms, 3ms)", 3_862_800, 3e6 * math.Sqrt(1-0.2876-0.2876*0.2876)},
		{"lognormal(20ms, 3ms)", 20 * ms, 3e6},
		{"lognormal(20ms, 20ms)", 20 * ms, 20e6},
		// With one scale between 0 and the mean, the part below 0 is q = exp(-1)/2.
		// By integration the mean of the rest is m + 2b q/(1-q), and its second
		// moment around m is b²(2 - 5q)/(1-q), which makes the deviation 1.0586 b.
		{"laplace(3ms, 3ms)", 3*ms + time.Duration(math.Round(6e6*math.Exp(-1)/2/(1-math.Exp(-1)/2))), 1.0586 * 3e6},
		{"laplace(0s, 3ms)", 3 * ms, 3e6}, // half of it: exponential
		{"laplace(1s, 3ms)", time.Second, 3e6 * math.Sqrt2},
		{"exponential(8ms)", 8 * ms, 8e6},
		{"pareto(1ms, 5)", 1250 * time.Microsecond, 1e6 * math.Sqrt(5.0/(4*4*3))},
	} {
		t.Run(test.text, func(t *testing.T) {
			d := must(t, test.text)
			require.InDelta(t, float64(test.mean), float64(d.Mean()), 5)
			sum, squares := 0.0, 0.0
			for _, v := range draw(d, samples) {
				require.GreaterOrEqual(t, v, time.Duration(0))
				sum += float64(v)
				squares += float64(v-test.mean) * float64(v-test.mean)
			}
			require.InDelta(t, float64(test.mean), sum/samples, 4*test.stddev/math.Sqrt(samples))
			// Wide, because of the heavy tails: it tells the parameters apart.
			require.InEpsilon(t, test.stddev, math.Sqrt(squares/samples), 0.05)
		})
	}
}

// distributionFunctions returns F(x) of distributions, with x in nanoseconds.
func distributionFunctions() map[string]func(x float64) float64 {
	normalCDF := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	laplaceCDF := func(x float64) float64 {
		if x < 0 {
			return math.Exp(x) / 2
		}
		return 1 - math.Exp(-x)/2
	}
	return map[string]func(x float64) float64{
		"uniform(1ms, 5ms)": func(x float64) float64 { return (x - 1e6) / 4e6 },
		"exponential(8ms)":  func(x float64) float64 { return -math.Expm1(-x / 8e6) },
		"normal(20ms, 3ms)": func(x float64) float64 { return normalCDF((x - 20e6) / 3e6) },
		"normal(3ms, 3ms)": func(x float64) float64 {
			return (normalCDF((x-3e6)/3e6) - normalCDF(-1)) / normalCDF(1)
		},
		"lognormal(20ms, 20ms)": func(x float64) float64 { // s² = ln 2
			return normalCDF((math.Log(x/20e6) + math.Ln2/2) / math.Sqrt(math.Ln2))
		},
		"laplace(1s, 3ms)": func(x float64) float64 { return laplaceCDF((x - 1e9) / 3e6) },
		"laplace(3ms, 3ms)": func(x float64) float64 {
			return (laplaceCDF((x-3e6)/3e6) - laplaceCDF(-1)) / (1 - laplaceCDF(-1))
		},
		"pareto(1ms, 2.5)": func(x float64) float64 { return 1 - math.Pow(1e6/x, 2.5) },
	}
}

// requireDistribution is the test of Kolmogorov and Smirnov: the largest distance
// between the distribution function and that of n samples is below 1.628/sqrt(n)
// in 99 of 100 cases (Smirnov 1948, "Table for Estimating the Goodness of Fit of
// Empirical Distributions"); the seed is fixed.
func requireDistribution(t *testing.T, cdf func(x float64) float64, drawn []time.Duration) {
	t.Helper()
	slices.Sort(drawn)
	n, distance := float64(len(drawn)), 0.0
	for i, v := range drawn {
		p := cdf(float64(v))
		distance = max(distance, p-float64(i)/n, float64(i+1)/n-p)
	}
	require.Less(t, distance, 1.628/math.Sqrt(n))
}

func TestKolmogorovSmirnov(t *testing.T) {
	for text, cdf := range distributionFunctions() {
		t.Run(text, func(t *testing.T) { requireDistribution(t, cdf, draw(must(t, text), samples)) })
	}
}

// source counts how often it is asked.
type source struct{ drawn int }

func (s *source) Uint64() uint64 { s.drawn++; return 0 }

func TestConstantDrawsNothing(t *testing.T) {
	for _, text := range []string{"20ms", "uniform(20ms, 20ms)", "normal(20ms, 0s)", "lognormal(20ms, 0s)", "laplace(20ms, 0s)"} {
		d, s := must(t, text), new(source)
		require.True(t, d.IsConstant())
		require.Equal(t, 20*ms, d.Sample(rand.New(s)))
		require.Equal(t, 20*ms, d.Sample(nil))
		require.Equal(t, 20*ms, d.Mean())
		require.Zero(t, s.drawn)
	}
	for _, text := range []string{"uniform(1ms, 2ms)", "normal(0s, 1ms)", "lognormal(1ms, 1ns)", "laplace(1ms, 1ns)", "exponential(1ms)", "pareto(1ms, 3)"} {
		require.False(t, must(t, text).IsConstant())
	}
}

// TestExtremes: the ends of the uniform distribution occur, and nothing
// overflows where a duration ends.
func TestExtremes(t *testing.T) {
	seen := map[time.Duration]int{}
	for _, v := range draw(must(t, "uniform(1ns, 3ns)"), 3000) {
		seen[v]++
	}
	require.Len(t, seen, 3)
	require.Equal(t, time.Duration(2), must(t, "uniform(1ns, 3ns)").Mean())

	all, err := Uniform(0, math.MaxInt64)
	require.NoError(t, err)
	require.Equal(t, time.Duration(1<<62), all.Mean())
	same, err := Normal(math.MaxInt64, 0)
	require.NoError(t, err)
	require.Equal(t, time.Duration(math.MaxInt64), same.Mean())
	wide, err := Exponential(math.MaxInt64)
	require.NoError(t, err)
	for _, d := range []Distribution{all, wide} {
		for _, v := range draw(d, 1000) {
			require.GreaterOrEqual(t, v, time.Duration(0))
		}
	}
	require.Contains(t, draw(wide, 1000), time.Duration(math.MaxInt64))

	_, err = Normal(math.MaxInt64, math.MaxInt64)
	require.EqualError(t, err, "the mean is too large")
	_, err = Pareto(time.Hour, 1+1e-15)
	require.EqualError(t, err, "the mean is too large")
}

func TestZeroDistribution(t *testing.T) {
	require.True(t, Distribution{}.IsZero())
	require.Equal(t, Distribution{}, Constant(0))
	require.Equal(t, "0s", Distribution{}.String())
	require.False(t, Constant(1).IsZero())
	require.Panics(t, func() { Constant(-1) })
}

func TestSampleAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, text := range []string{"20ms", "uniform(1ms, 5ms)", "normal(20ms, 3ms)", "lognormal(20ms, 3ms)", "laplace(20ms, 3ms)", "exponential(8ms)", "pareto(1ms, 2.5)"} {
		d := must(t, text)
		require.Zero(t, testing.AllocsPerRun(100, func() { d.Sample(r) }), text)
		require.Zero(t, testing.AllocsPerRun(100, func() { d.Quantile(0.3) }), text)
	}
}

func BenchmarkSample(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, text := range []string{"20ms", "uniform(1ms, 5ms)", "normal(20ms, 3ms)", "lognormal(20ms, 3ms)", "laplace(20ms, 3ms)", "exponential(8ms)", "pareto(1ms, 2.5)"} {
		d := must(b, text)
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d.Sample(r)
			}
		})
	}
}
