package load

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

const ms = time.Millisecond

func seconds(n float64) units.Duration { return units.Duration(n * float64(time.Second)) }

// all returns the times of all requests of one host.
func all(c *Config, index, count int) (out []time.Duration) {
	a := newArrivals(c, index, count, rand.New(rand.NewPCG(1, uint64(index))))
	for {
		at, ok := a.next()
		if !ok {
			return out
		}
		out = append(out, at)
	}
}

func TestConstantArrivals(t *testing.T) {
	found := all(&Config{Rate: 50, Arrivals: Constant, Duration: seconds(10)}, 0, 1)
	require.Len(t, found, 500)
	for i, at := range found {
		require.Equal(t, time.Duration(i)*20*ms, at)
	}
	// Thirds of a second, to the nanosecond, after a day as well.
	found = all(&Config{Rate: 3, Arrivals: Constant, Requests: 3 * 86400}, 0, 1)
	require.Equal(t, 333333333*time.Nanosecond, found[1])
	require.Equal(t, 24*time.Hour-time.Second+666666667, found[3*86400-1])
}

func TestTotalRateIsShared(t *testing.T) {
	c := &Config{TotalRate: 50, Arrivals: Constant, Duration: seconds(10)}
	seen := map[time.Duration]bool{}
	for host := range 4 {
		found := all(c, host, 4)
		require.Len(t, found, 125)
		for i, at := range found {
			require.Equal(t, time.Duration(4*i+host)*20*ms, at)
			seen[at] = true
		}
	}
	require.Len(t, seen, 500)
}

// A ramp from a to b over T has had a t + (b-a) t²/(2T) requests after t.
func TestRamps(t *testing.T) {
	for _, c := range []struct {
		schedule []Step
		count    int
	}{
		{[]Step{{For: seconds(30), Rate: 10, To: 200}}, 3150},
		{[]Step{{For: seconds(30), Rate: 200, To: 10}}, 3150},
		{[]Step{{For: seconds(30), To: 200}}, 3000},
		{[]Step{{For: seconds(10), Rate: 10}, {For: seconds(10), To: 30}}, 300},
	} {
		found := all(&Config{Schedule: c.schedule, Arrivals: Constant}, 0, 1)
		require.Len(t, found, c.count)
		last := c.schedule[len(c.schedule)-1]
		from, start, before := last.Rate.PerSecond(), 0., 0
		if len(c.schedule) == 2 {
			from, start, before = 10, 10, 100
		}
		for k := before; k < c.count; k++ {
			at := found[k].Seconds() - start
			so := from*at + (last.To.PerSecond()-from)*at*at/(2*last.For.Std().Seconds())
			require.InDelta(t, float64(k-before), so, 1e-6)
		}
	}
}

func TestSchedule(t *testing.T) {
	c := &Config{Arrivals: Constant, Schedule: []Step{
		{For: seconds(2)}, // quiet
		{For: seconds(1), Rate: 10},
		{For: seconds(5)}, // quiet
		{For: seconds(1), Rate: 4},
		{For: seconds(5)},
	}}
	require.NoError(t, c.Validate())
	var want []time.Duration
	for i := range 10 {
		want = append(want, 2*time.Second+time.Duration(i)*100*ms)
	}
	for i := range 4 {
		want = append(want, 8*time.Second+time.Duration(i)*250*ms)
	}
	require.Equal(t, want, all(c, 0, 1))
	c.Requests = 3
	require.Equal(t, want[:3], all(c, 0, 1))
}

// Counts in equal times are Poisson: mean and variance are equal. Those of the parts of a ramp follow its integral.
func TestPoisson(t *testing.T) {
	const n = 10_000
	counts := make([]float64, n)
	for _, at := range all(&Config{Rate: 20, Duration: seconds(n)}, 0, 1) {
		counts[at/time.Second]++
	}
	mean, variance := moments(counts)
	// Standard errors: sqrt(20/n) of the mean, sqrt((20 + 2·20²)/n) of the variance; four of them.
	require.InDelta(t, 20, mean, 4*math.Sqrt(20./n))
	require.InDelta(t, 20, variance, 4*math.Sqrt((20.+2*400)/n))

	// Independent of each other, and twenty together in all.
	both := make([]float64, n)
	for host := range 4 {
		for _, at := range all(&Config{TotalRate: 20, Duration: seconds(n)}, host, 4) {
			both[at/time.Second]++
		}
	}
	mean, variance = moments(both)
	require.InDelta(t, 20, mean, 4*math.Sqrt(20./n))
	require.InDelta(t, 20, variance, 4*math.Sqrt((20.+2*400)/n))

	ramp := all(&Config{Schedule: []Step{{For: seconds(1000), To: 200}}}, 0, 1)
	require.InDelta(t, 100_000, len(ramp), 4*math.Sqrt(100_000))
	quarter := 0
	for _, at := range ramp {
		if at < 500*time.Second {
			quarter++
		}
	}
	require.InDelta(t, 25_000, quarter, 4*math.Sqrt(25_000))
}

func moments(list []float64) (mean, variance float64) {
	for _, x := range list {
		mean += x / float64(len(list))
	}
	for _, x := range list {
		variance += (x - mean) * (x - mean) / float64(len(list)-1)
	}
	return mean, variance
}

func TestArrivalsEnd(t *testing.T) {
	// So slow that the second one would come after the end of time.
	require.Len(t, all(&Config{Rate: 1e-12, Arrivals: Constant}, 0, 1), 1)
	require.Empty(t, all(&Config{Rate: 1e-12, Duration: seconds(1), Arrivals: Poisson}, 0, 1))
}
