package capacity_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services"
	"netlab/services/capacity"
	"netlab/services/figures"
	"netlab/units"
)

const ms = time.Millisecond

func env(l *testlab.Lab) *services.Env {
	return services.NewEnv(l.B, slog.New(slog.DiscardHandler), services.Service, "web", 0, 1)
}

// arrivals lets requests arrive at times and returns when each was done, or -1 if it was refused.
func arrivals(l *testlab.Lab, c *capacity.Cores, at ...time.Duration) []time.Duration {
	done := make([]time.Duration, len(at))
	ended := make(chan struct{}, len(at))
	for i := range at {
		l.B.Go(func() {
			defer func() { ended <- struct{}{} }()
			if l.B.SleepUntil(l.Context(), at[i]) != nil {
				return
			}
			if errors.Is(c.Do(l.Context()), capacity.ErrFull) {
				done[i] = -1
				return
			}
			done[i] = l.Elapsed()
		})
	}
	for range at {
		<-ended
	}
	return done
}

func TestWaitsAreExact(t *testing.T) {
	queue := func(n int) *int { return &n }
	for _, c := range []struct {
		name   string
		config capacity.Config
		at     []time.Duration
		done   []time.Duration
	}{
		{"one core", capacity.Config{Cores: 1}, []time.Duration{0, 2 * ms, 4 * ms, 50 * ms}, []time.Duration{10 * ms, 20 * ms, 30 * ms, 60 * ms}},
		{"two cores", capacity.Config{Cores: 2}, []time.Duration{0, 2 * ms, 4 * ms, 5 * ms}, []time.Duration{10 * ms, 12 * ms, 20 * ms, 22 * ms}},
		{"any number", capacity.Config{}, []time.Duration{0, 2 * ms, 4 * ms, 5 * ms}, []time.Duration{10 * ms, 12 * ms, 14 * ms, 15 * ms}},
		{"short queue", capacity.Config{Cores: 1, Queue: queue(1)}, []time.Duration{0, ms, 2 * ms, 11 * ms}, []time.Duration{10 * ms, 20 * ms, -1, 30 * ms}},
		{"no queue", capacity.Config{Cores: 1, Queue: queue(0)}, []time.Duration{0, ms, 12 * ms}, []time.Duration{10 * ms, -1, 22 * ms}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.config.ServiceTime = units.Constant(10 * ms)
			require.NoError(t, c.config.Validate())
			testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
				require.Equal(t, c.done, arrivals(l, capacity.New(env(l), c.config, "cores"), c.at...))
			})
		})
	}
}

func TestResult(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		c := capacity.New(env(l), capacity.Config{Cores: 1, ServiceTime: units.Constant(10 * ms)}, "cores")
		arrivals(l, c, 0, 2*ms, 4*ms)
		l.Sleep(30 * ms) // 60 ms since the start, of which 30 are busy; 8 + 16 ms of waiting
		half := units.Probability(0.5)
		r := c.Result()
		require.InDelta(t, 24.0/60, r.QueueMean, 1e-9)
		r.QueueMean = 0
		require.Equal(t, &capacity.Result{Cores: 1, Arrived: 3, Served: 3, Utilisation: &half, QueueMax: 2,
			Waiting: spread(0, 8*ms, 16*ms), Service: spread(10*ms, 10*ms, 10*ms)}, r)
	})
}

func spread(min, avg, max time.Duration) *figures.Spread {
	return &figures.Spread{Min: units.Duration(min), Avg: units.Duration(avg), Max: units.Duration(max)}
}

// Who leaves the queue makes room; who leaves a core does not.
func TestCancelled(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		e := env(l)
		one := 1
		c := capacity.New(e, capacity.Config{Cores: 1, ServiceTime: units.Constant(10 * ms), Queue: &one}, "cores")
		errs := make(chan error, 2)
		for i := range 2 { // the first has the core, the second waits
			ctx, cancel := context.WithCancelCause(l.Context())
			l.At(4*ms, func() { cancel(io.ErrClosedPipe) })
			l.B.Go(func() {
				l.B.SleepUntil(l.Context(), time.Duration(i)*ms)
				errs <- c.Do(ctx)
			})
		}
		require.Equal(t, []time.Duration{-1, 20 * ms}, arrivals(l, c, 3*ms, 5*ms))
		require.ErrorIs(t, <-errs, io.ErrClosedPipe)
		require.ErrorIs(t, <-errs, io.ErrClosedPipe)
		r := c.Result()
		require.EqualValues(t, 2, r.Cancelled)
		require.EqualValues(t, 2, r.Served)
		require.EqualValues(t, 1, r.Rejected)
	})
}

// With Poisson arrivals the mean wait is ρ/(1-ρ) service times if these are exponential (M/M/1), and half of that if they are
// constant (M/D/1). Waits are correlated, so the interval comes from batch means: the mean of 20 batches of 2,000 requests, with
// Student's t at 99.9 % (3.88 for 19 degrees of freedom).
func TestQueueingTheory(t *testing.T) {
	const mean, batches, size = 10 * ms, 20, 2000
	exponential, err := units.Exponential(mean)
	require.NoError(t, err)
	for _, c := range []struct {
		name    string
		service units.Distribution
		factor  float64
	}{{"M/M/1", exponential, 1}, {"M/D/1", units.Constant(mean), 0.5}} {
		for _, rho := range []float64{0.5, 0.8} {
			t.Run(fmt.Sprintf("%s %.1f", c.name, rho), func(t *testing.T) {
				var means [batches]float64 // wait and service time in mean service times
				testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
					e := env(l)
					cores := capacity.New(e, capacity.Config{Cores: 1, ServiceTime: c.service}, "cores")
					random := e.Stream("arrivals")
					at := time.Duration(0)
					for i := range (batches + 1) * size { // the first batch starts with an empty queue and doesn't count
						at += time.Duration(random.ExpFloat64() * float64(mean) / rho)
						l.B.SleepUntil(l.Context(), at)
						e.Go(func() {
							arrived := l.Elapsed()
							cores.Do(l.Context())
							if b := i/size - 1; b >= 0 {
								means[b] += float64(l.Elapsed()-arrived) / float64(mean) / size
							}
						})
					}
					e.Wait()
					r := cores.Result()
					require.InDelta(t, rho, r.Utilisation.Float(), 0.03)
					// Little's law: what waits on average is what arrives in a mean wait.
					require.InEpsilon(t, float64(r.Waiting.Avg)*float64(r.Arrived)/float64(l.Elapsed()), r.QueueMean, 1e-6)
				})
				average, deviation := 0.0, 0.0
				for _, m := range means {
					average += m / batches
				}
				for _, m := range means {
					deviation += (m - average) * (m - average) / (batches - 1)
				}
				require.InDelta(t, 1+c.factor*rho/(1-rho), average, 3.88*math.Sqrt(deviation/batches))
			})
		}
	}
}

func TestValidate(t *testing.T) {
	negative, one := -1, 1
	for field, c := range map[string]capacity.Config{
		"cores":        {Cores: -1},
		"service_time": {Cores: 1},
		"queue":        {Queue: &one},
	} {
		var wrong *services.FieldError
		require.ErrorAs(t, c.Validate(), &wrong)
		require.Equal(t, field, wrong.Field)
	}
	c := capacity.Config{Cores: 1, ServiceTime: units.Constant(ms), Queue: &negative}
	require.ErrorContains(t, c.Validate(), "queue: found -1, wanted 0 to")
	require.NoError(t, new(capacity.Config).Validate())
}
