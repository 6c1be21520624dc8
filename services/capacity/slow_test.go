package capacity_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services/capacity"
	"netlab/units"
)

// On a slow host work takes its service time times the factor that holds when it begins, whenever its request came.
func TestSlowHost(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		c := capacity.New(env(l), capacity.Config{Cores: 1, ServiceTime: units.Constant(10 * ms)}, "x")
		l.At(5*ms, func() { require.NoError(t, l.B.SetSlowdown(2.5)) })
		l.At(30*ms, func() { require.NoError(t, l.B.SetSlowdown(1)) })
		done := arrivals(l, c, 0, ms, 2*ms)
		require.Equal(t, []time.Duration{10 * ms, 35 * ms, 45 * ms}, done)
		r := c.Result()
		require.Equal(t, units.Duration(25*ms), r.Service.Max)
		require.Equal(t, units.Duration(10*ms), r.Service.Min)
	})
}

// Without cores nothing waits, but a slow host still takes longer.
func TestSlowHostWithoutCores(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		c := capacity.New(env(l), capacity.Config{ServiceTime: units.Constant(10 * ms)}, "x")
		require.NoError(t, l.B.SetSlowdown(3))
		require.Equal(t, []time.Duration{30 * ms, 31 * ms}, arrivals(l, c, 0, ms))
	})
}

// While the host stands still no work ends, and the next begins when it goes on.
func TestPausedHost(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		c := capacity.New(env(l), capacity.Config{Cores: 1, ServiceTime: units.Constant(10 * ms)}, "x")
		l.At(5*ms, l.B.Pause)
		l.At(95*ms, l.B.Resume)
		for i, done := range arrivals(l, c, 0, ms, 2*ms) {
			require.Equal(t, time.Duration(95+10*i)*ms, done.Round(time.Microsecond))
		}
		r := c.Result()
		require.EqualValues(t, 3, r.Served)
		require.EqualValues(t, 1, *r.Utilisation)
	})
}

// A model that starts again has an empty queue and free cores; work of before never ends, and the time between doesn't count.
func TestStopAndStart(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		c := capacity.New(env(l), capacity.Config{Cores: 1, ServiceTime: units.Constant(10 * ms)}, "x")
		ctx, end := context.WithCancel(l.Context())
		ended := make(chan error, 2)
		for range 2 {
			l.B.Go(func() { ended <- c.Do(ctx) })
		}
		l.Sleep(4 * ms)
		end()
		require.Error(t, <-ended)
		require.Error(t, <-ended)
		c.Stop()
		l.Sleep(4 * ms)
		stopped := c.Result()
		c.Start(env(l))
		// The work of before would have ended at 10 ms, in the middle of this.
		require.Equal(t, []time.Duration{18 * ms, 28 * ms}, arrivals(l, c, 8*ms, 9*ms))
		c.Stop()
		l.Sleep(time.Second)
		r := c.Result()
		require.Equal(t, uint64(2), stopped.Arrived)
		require.Equal(t, uint64(4), r.Arrived)
		require.Equal(t, uint64(2), r.Served)
		require.Equal(t, uint64(2), r.Cancelled)
		require.EqualValues(t, 1, *r.Utilisation, "of the 24 ms that it ran")
	})
}

// A distribution whose file has not been read yet can be checked.
func TestValidateAFileWithoutData(t *testing.T) {
	d, err := units.ParseDistribution(`file("work.txt")`)
	require.NoError(t, err)
	c := capacity.Config{Cores: 1, ServiceTime: d}
	require.NoError(t, c.Validate())
	require.False(t, c.Empty())
}
