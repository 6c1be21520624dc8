package ip_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
)

// The host's date is the lab's plus its skew plus what drift has added up to, to the nanosecond.
func TestSkewAndDrift(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		off := func() time.Duration { return l.B.Now().Sub(l.Net.Epoch()) - l.Elapsed() }
		until := func(at time.Duration) { require.NoError(t, l.Net.SleepUntil(l.Context(), 0, at)) }
		require.Zero(t, off())
		require.Equal(t, l.Net.Epoch(), l.B.Now())
		l.B.SetSkew(-5 * time.Second)
		require.Equal(t, -5*time.Second, off())
		require.NoError(t, l.B.SetDrift(100e-6))
		until(10 * time.Second)
		require.Equal(t, -5*time.Second+ms, off())
		// 123.456789 s at 100 ppm are 12,345,678.9 ns.
		until(10*time.Second + 123456789*time.Microsecond)
		require.Equal(t, -5*time.Second+ms+12345678, off())
		until(1000 * time.Second)
		l.B.SetSkew(time.Hour)
		require.Equal(t, time.Hour+100*ms, off(), "a new skew replaces the old one, and the drift stays")
		require.NoError(t, l.B.SetDrift(-0.5))
		until(1001 * time.Second)
		require.Equal(t, time.Hour+100*ms-500*ms, off())
		require.NoError(t, l.B.SetDrift(0))
		until(1010 * time.Second)
		require.Equal(t, time.Hour+100*ms-500*ms, off(), "what has added up stays")
		restart(t, l)
		require.Equal(t, time.Hour+100*ms-500*ms, off(), "it is the machine's clock")
		require.Zero(t, l.A.Now().Sub(l.Net.Epoch())-l.Elapsed())
		// Centuries of the largest drift don't overflow.
		l.B.SetSkew(0)
		require.NoError(t, l.B.SetDrift(1))
		for _, wrong := range []float64{-1, -2, 1.001, math.Inf(1), math.NaN()} {
			require.ErrorContains(t, l.B.SetDrift(wrong), "want more than -1, and 1 at most")
		}
	})
}

// The date never goes back while only time passes, however slow the clock is.
func TestDateGoesOn(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		for _, ratio := range []float64{-0.999999999999, -0.7, -1e-12, 1e-12, 0.3, 1} {
			require.NoError(t, l.B.SetDrift(ratio))
			before := l.B.Now()
			for range 1000 {
				l.Sleep(1)
				now := l.B.Now()
				require.False(t, now.Before(before))
				before = now
			}
		}
	})
}

func TestSlowdown(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		require.Equal(t, 1.0, l.B.Slowdown())
		require.Equal(t, time.Duration(1<<62+1), l.B.Slowed(1<<62+1), "exact")
		require.NoError(t, l.B.SetSlowdown(2.5))
		require.Equal(t, 25*ms, l.B.Slowed(10*ms))
		require.Equal(t, time.Duration(math.MaxInt64), l.B.Slowed(1<<62))
		require.NoError(t, l.B.SetSlowdown(0.5))
		require.Equal(t, 5*ms, l.B.Slowed(10*ms))
		restart(t, l)
		require.Equal(t, 0.5, l.B.Slowdown())
		for _, wrong := range []float64{0, -1, math.Inf(1), math.NaN()} {
			require.ErrorContains(t, l.B.SetSlowdown(wrong), "want a number above 0")
		}
	})
}
