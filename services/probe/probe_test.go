package probe

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/services/figures"
	"netlab/units"
)

const ms = time.Millisecond

func TestTally(t *testing.T) {
	p := NewProber(Schedule{Timeout: units.Duration(100 * ms)})
	y := &p.tally
	for i := range 6 {
		y.send(time.Duration(i) * 10 * ms)
	}
	y.fail()                                   // 5
	require.True(t, p.Reply(0, 99*ms))         // in time
	require.False(t, p.Reply(0, 99*ms))        // a duplicate
	require.False(t, p.Reply(1, 110*ms))       // late by a hair
	require.False(t, p.Reply(1, 111*ms))       // a duplicate too
	require.False(t, p.Reply(5, 111*ms))       // never sent
	require.False(t, p.Reply(6, 111*ms))       // never asked
	require.True(t, p.Reply(3, 3*10*ms+20*ms)) // in time
	require.Equal(t, 3, y.open())              // 1, 2 and 4
	require.Equal(t, 50*ms, y.lastSent())      // also of one that failed
	y.finish(130 * ms)                         // 2 is over, 4 is not
	require.Equal(t, Result{Sent: 6, Received: 2, Lost: 3, Pending: 1, Loss: figures.Share(3, 5), Duplicates: 2, Late: 1, Errors: 1,
		RTT: &figures.RTT{Min: units.Duration(20 * ms), Avg: units.Duration(119 * ms / 2), Max: units.Duration(99 * ms),
			Mdev: units.Duration(79 * ms / 2)}}, Sum([]*Prober{p, nil}))
}

func TestTallyForgetsOldRequests(t *testing.T) {
	p := NewProber(Schedule{Timeout: units.Duration(ms)})
	for i := range uint64(3 * sequences) {
		p.tally.send(time.Duration(i) * ms)
		if i%2 == 0 {
			require.True(t, p.Reply(i, time.Duration(i)*ms+1))
		}
	}
	require.Equal(t, sequences/2, p.tally.open())
	p.tally.finish(time.Hour)
	r := Sum([]*Prober{p})
	require.EqualValues(t, 3*sequences/2, r.Received)
	require.EqualValues(t, 3*sequences/2, r.Lost)
}
