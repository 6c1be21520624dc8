package load

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/services/failures"
	"netlab/units"
)

func TestWidthsAreMultiples(t *testing.T) {
	for i := range widths[1:] {
		require.Zero(t, widths[i+1]%widths[i])
	}
}

// A timeline gets wider as time goes on and loses nothing.
func TestTimelineWidens(t *testing.T) {
	var line timeline
	at := time.Duration(0)
	n := uint64(0)
	for step := 10 * ms; at < 10_000*24*time.Hour; step += step / 20 {
		line.at(at, 0).begin(n%7 + 1)
		o := Outcome{Bytes: 10}
		if n%10 == 0 {
			o.Failure = failures.Timeout
		}
		line.at(at, 1).finish(time.Duration(n)*ms, &o)
		n++
		at += step
		require.LessOrEqual(t, len(line.buckets), maxBuckets)
	}
	var sum bucket
	for i := range line.buckets {
		sum.merge(&line.buckets[i])
	}
	require.Equal(t, n, sum.started)
	require.Equal(t, n, sum.succeeded+sum.failed)
	require.Equal(t, 10*n, sum.bytes)
	require.EqualValues(t, 7, sum.inFlight)
	require.Equal(t, sum.succeeded, sum.latency.Count())
}

func TestTimelineOfAMinute(t *testing.T) {
	var line timeline
	line.at(0, 0).begin(1)
	line.at(0, 1).begin(2)
	o := Outcome{Bytes: 7}
	line.at(45*time.Second, 2).finish(45*time.Second, &o)
	list := line.seconds()
	require.Equal(t, time.Second, line.width())
	require.Len(t, list, 46)
	second := units.Duration(time.Second)
	for i, s := range list {
		require.Equal(t, units.Duration(i)*second, s.T)
		require.EqualValues(t, 2, s.InFlight) // also while nothing happened
	}
	require.EqualValues(t, 2, list[0].Started)
	require.Nil(t, list[0].P50)
	late := 45 * second
	require.Equal(t, Second{T: late, Succeeded: 1, Bytes: 7, InFlight: 2, P50: &late, P99: &late, Max: &late}, list[45])
}
