package netem

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// A frame is sent at the rate that there is when its first bit leaves.
func TestRateFollowsItsSchedule(t *testing.T) {
	for text, c := range map[string]struct {
		send func(w *wire)
		want []time.Duration
	}{
		// 1000 bytes take 1 ms, then 10 ms, then 100 µs.
		"steps(0s 8Mbit/s, 10ms 800kbit/s, 20ms 80Mbit/s)": {func(w *wire) {
			w.send(0, 1000)
			w.send(9500*us, 1000, 1000) // the second begins at 10.5 ms
			w.send(10*ms, 1000)
		}, []time.Duration{ms, 10500 * us, 20500 * us, 20600 * us}},
		"steps(0s 8Mbit/s, 10ms 800kbit/s)": {func(w *wire) { w.send(10*ms-1, 1000); w.send(20*ms, 1000) },
			[]time.Duration{11*ms - 1, 30 * ms}},
		"steps(0s 8Mbit/s, 10ms 80Mbit/s, every 20ms)": {func(w *wire) { w.send(30*ms, 1000); w.send(40*ms, 1000) },
			[]time.Duration{30100 * us, 41 * ms}},
		"ramp(0s 10Mbit/s, 5s 0.1kbit/s)": {func(w *wire) { w.send(0, 1000) }, []time.Duration{800 * us}},
		// After 2 s 6 Mbit/s, when the first has left 5997334 bit/s: 8000 bits take 1333334 ns and 1333927 ns, rounded up.
		"ramp(0s 10Mbit/s, 4s 2Mbit/s)": {func(w *wire) { w.send(2*time.Second, 1000); w.send(2*time.Second+ms, 1000) },
			[]time.Duration{2*time.Second + 1333334, 2*time.Second + 1333334 + 1333927}},
		"ramp(0s 1Mbit/s, 1s 9Mbit/s)": {func(w *wire) { w.send(500*ms, 1000); w.send(5*time.Second, 1000) },
			[]time.Duration{501600 * us, 5*time.Second + 888889}},
	} {
		t.Run(text, func(t *testing.T) {
			rate, err := units.ParseLinkRate(text)
			require.NoError(t, err)
			require.Equal(t, c.want, onWire(t, Params{Rate: rate}, c.send).times())
		})
	}
}

// The time of a schedule is that of the run, also when it is set later; what is being sent stays as it is.
func TestScheduleSetLater(t *testing.T) {
	rate, err := units.ParseLinkRate("steps(0s 8Mbit/s, 10ms 80Mbit/s)")
	require.NoError(t, err)
	w := onWire(t, Params{Rate: units.FixedRate(800e3)}, func(w *wire) {
		w.send(5*ms, 1000, 1000)
		w.At(0, KindControl, 6*ms, func() { require.NoError(t, w.link.Set(Forward, Params{Rate: rate, MTU: DefaultMTU})) })
		w.send(20*ms, 1000)
	})
	require.Equal(t, []time.Duration{15 * ms, 15100 * us, 20100 * us}, w.times())
}
