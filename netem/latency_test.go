package netem

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// latencyGap is the time between two frames in these tests.
const latencyGap = time.Microsecond

// latencies sends n frames that may overtake each other, in groups, and returns the latency of each, in milliseconds.
func latencies(t *testing.T, latency units.Distribution, correlation float64, n int) []float64 {
	t.Helper()
	const together = 100
	w := onWire(t, Params{Latency: latency, LatencyCorrelation: correlation, Overtaking: true}, func(w *wire) {
		w.SetTap(nil)
		for i := 0; i < n; i += together {
			w.At(0, KindControl, time.Duration(i)*latencyGap, func() {
				for j := i; j < min(n, i+together); j++ {
					f := w.NewFrame(60)
					clear(f.Data)
					f.ID = uint64(j + 1)
					w.a.Forward(w.Elapsed(), f)
				}
			})
		}
	})
	list := make([]float64, n)
	for _, a := range w.arrivals {
		sent := time.Duration((a.id-1)/together*together) * latencyGap
		list[a.id-1] = (a.at - sent).Seconds() * 1000
	}
	require.Len(t, w.arrivals, n)
	return list
}

// The distribution functions, in milliseconds, written as textbooks have them, not as units has them.
func phi(z float64) float64 { return 0.5 * (1 + math.Erf(z/math.Sqrt2)) }

var latencyDistributions = map[string]func(x float64) float64{
	"uniform(5ms, 9ms)":   func(x float64) float64 { return (x - 5) / 4 },
	"normal(100ms, 10ms)": func(x float64) float64 { return phi((x - 100) / 10) },
	"normal(5ms, 10ms)":   func(x float64) float64 { return (phi((x-5)/10) - phi(-0.5)) / (1 - phi(-0.5)) },
	"exponential(8ms)":    func(x float64) float64 { return 1 - math.Exp(-x/8) },
	"pareto(3ms, 2.5)":    func(x float64) float64 { return 1 - math.Pow(3/x, 2.5) },
	"lognormal(8ms, 6ms)": lognormalShare(8, 6),
	"laplace(50ms, 4ms)":  func(x float64) float64 { return laplaceShare((x - 50) / 4) },
	"laplace(4ms, 5ms)": func(x float64) float64 {
		return (laplaceShare((x-4)/5) - laplaceShare(-0.8)) / (1 - laplaceShare(-0.8))
	},
}

func lognormalShare(mean, stddev float64) func(x float64) float64 {
	variance := math.Log(1 + stddev*stddev/mean/mean)
	mu := math.Log(mean) - variance/2
	return func(x float64) float64 { return phi((math.Log(x) - mu) / math.Sqrt(variance)) }
}

func laplaceShare(x float64) float64 {
	if x < 0 {
		return math.Exp(x) / 2
	}
	return 1 - math.Exp(-x)/2
}

// kolmogorovSmirnov checks samples against a distribution function.
func kolmogorovSmirnov(t *testing.T, samples []float64, share func(x float64) float64) {
	t.Helper()
	sorted := slices.Sorted(slices.Values(samples))
	distance, n := 0.0, float64(len(sorted))
	for i, x := range sorted {
		p := share(x)
		distance = max(distance, p-float64(i)/n, float64(i+1)/n-p)
	}
	require.Less(t, distance*math.Sqrt(n), ksBound)
}

// Frames have the latencies that were asked for, independent of each other.
func TestLatencyHasItsDistribution(t *testing.T) {
	large(t)
	const n = 100000
	for text, share := range latencyDistributions {
		t.Run(text, func(t *testing.T) {
			d, err := units.ParseDistribution(text)
			require.NoError(t, err)
			samples := latencies(t, d, 0, n)
			kolmogorovSmirnov(t, samples, share)
			requireCorrelation(t, 0, normalValues(samples, share))
		})
	}
}

// A table is discrete: each value has its share.
func TestLatencyFromATable(t *testing.T) {
	large(t)
	const n = 100000
	table, err := units.ParseTable(strings.NewReader("1ms 1\n2ms 3\n10ms 6\n"))
	require.NoError(t, err)
	d := units.Empirical("x", table)
	for _, correlation := range []float64{0, 0.2} {
		counts := map[float64]int{}
		samples := latencies(t, d, correlation, n)
		for i := 0; i < n; i += 10 { // far enough apart to be independent
			counts[samples[i]]++
		}
		require.Len(t, counts, 3)
		chiSquare(t, []int{counts[1], counts[2], counts[10]}, []float64{n / 100, n * 3 / 100, n * 6 / 100}, 1)
	}
}

// normalValues undoes the copula: what Φ⁻¹ makes of each sample's place in its distribution.
func normalValues(samples []float64, share func(x float64) float64) []float64 {
	z := make([]float64, len(samples))
	for i, x := range samples {
		u := min(max(share(x), 1e-12), 1-1e-12)
		z[i] = math.Sqrt2 * math.Erfinv(2*u-1)
	}
	return z
}

// requireCorrelation checks that z is a first-order autoregressive series of standard normal values: the correlation of values k
// apart is ρ^k. The variance of its estimate is Bartlett's (1946), ((1+ρ²)(1-ρ^2k)/(1-ρ²) - 2kρ^2k)/n; that of the mean
// is (1+ρ)/(1-ρ)/n, that of the variance 2(1+ρ²)/(1-ρ²)/n.
func requireCorrelation(t *testing.T, rho float64, z []float64) {
	t.Helper()
	n := float64(len(z))
	mean, variance := 0.0, 0.0
	for _, v := range z {
		mean += v / n
	}
	for _, v := range z {
		variance += (v - mean) * (v - mean) / n
	}
	require.InDelta(t, 0, mean, deviations*math.Sqrt((1+rho)/(1-rho)/n))
	require.InDelta(t, 1, variance, deviations*math.Sqrt(2*(1+rho*rho)/(1-rho*rho)/n))
	for k := 1; k <= 3; k++ {
		sum := 0.0
		for i := k; i < len(z); i++ {
			sum += (z[i] - mean) * (z[i-k] - mean)
		}
		power := math.Pow(rho, float64(2*k))
		deviation := math.Sqrt(((1+rho*rho)*(1-power)/(1-rho*rho) - 2*float64(k)*power) / n)
		require.InDelta(t, math.Pow(rho, float64(k)), sum/n/variance, deviations*deviation, "lag %d", k)
	}
}

// With a correlation, neighbours are alike, and the distribution is still the one that was asked for.
func TestCorrelatedLatency(t *testing.T) {
	large(t)
	const n = 100000
	for _, c := range []struct {
		latency string
		rho     float64
		far     int // frames so far apart are independent: |ρ|^far < 1e-4
	}{
		{"normal(100ms, 10ms)", 0.5, 14},
		{"normal(5ms, 10ms)", -0.6, 18},
		{"exponential(8ms)", 0.9, 90},
		{"uniform(5ms, 9ms)", 0.3, 8},
		{"pareto(3ms, 2.5)", -0.3, 8},
		{"lognormal(8ms, 6ms)", 0.5, 14},
		{"laplace(4ms, 5ms)", 0.5, 14},
	} {
		t.Run(c.latency, func(t *testing.T) {
			d, err := units.ParseDistribution(c.latency)
			require.NoError(t, err)
			share := latencyDistributions[c.latency]
			samples := latencies(t, d, c.rho, n)
			requireCorrelation(t, c.rho, normalValues(samples, share))
			var apart []float64
			for i := 0; i < n; i += c.far {
				apart = append(apart, samples[i])
			}
			kolmogorovSmirnov(t, apart, share)
		})
	}
}

// The extremes: all latencies are one, or lie on either side of the median by turns.
func TestFullCorrelation(t *testing.T) {
	d, err := units.Uniform(0, 10*time.Millisecond)
	require.NoError(t, err)
	same := latencies(t, d, 1, 100)
	turns := latencies(t, d, -1, 100)
	for i := range same {
		require.Equal(t, same[0], same[i])
		require.InDelta(t, 10-turns[0], turns[(i/2)*2+1], 1e-5)
		require.InDelta(t, turns[0], turns[(i/2)*2], 1e-5)
	}
}

// The series goes on when parameters change, also its own.
func TestCorrelationSurvivesChanges(t *testing.T) {
	d, err := units.Uniform(0, 10*time.Millisecond)
	require.NoError(t, err)
	p := Params{Latency: d, LatencyCorrelation: 1, Overtaking: true}
	w := flood(t, p, 100, latencyGap, func(w *wire) {
		w.At(0, KindControl, 50*latencyGap, func() {
			q := w.link.Params(Forward)
			q.Latency, err = units.Uniform(10*time.Millisecond, 20*time.Millisecond)
			require.NoError(t, err)
			require.NoError(t, w.link.Set(Forward, q))
		})
	})
	first := w.arrivals[0].at
	for _, a := range w.arrivals {
		want := first + time.Duration(a.id-1)*latencyGap
		if a.id > 50 {
			want += 10 * time.Millisecond
		}
		require.Equal(t, want, a.at)
	}
}

// Frames overtake each other only when that is allowed, and not those that left before it was.
func TestOvertaking(t *testing.T) {
	d, err := units.Uniform(0, 10*time.Millisecond)
	require.NoError(t, err)
	w := flood(t, Params{Latency: d, Overtaking: true}, 1000, time.Microsecond, nil)
	require.False(t, slices.IsSorted(w.ids()))
	w = flood(t, Params{Latency: d}, 1000, time.Microsecond, nil)
	require.True(t, slices.IsSorted(w.ids()))

	w = onWire(t, Params{Latency: units.Constant(10 * time.Millisecond), Overtaking: true}, func(w *wire) {
		set := func(at, latency time.Duration, overtaking bool) {
			w.At(0, KindControl, at, func() {
				require.NoError(t, w.link.Set(Forward, Params{Latency: units.Constant(latency), Overtaking: overtaking, MTU: DefaultMTU}))
			})
		}
		w.send(0, 60)
		set(time.Millisecond, 2*time.Millisecond, true)
		w.send(2*time.Millisecond, 60)
		set(3*time.Millisecond, 2*time.Millisecond, false)
		w.send(4*time.Millisecond, 60)
	})
	require.Equal(t, []arrival{{4 * time.Millisecond, 2}, {10 * time.Millisecond, 1}, {10 * time.Millisecond, 3}}, w.arrivals)
}

// A latency beyond the end of time doesn't come round to the beginning.
func TestLater(t *testing.T) {
	require.Equal(t, maxTime, later(time.Hour, maxTime))
	require.Equal(t, maxTime, later(0, maxTime))
	require.Equal(t, 3*time.Second, later(time.Second, 2*time.Second))
	require.Less(t, normalShare(40), 1.0)
	require.Zero(t, normalShare(-40))
}
