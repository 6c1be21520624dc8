package tcp_test

import (
	"io"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/tcp"
)

const (
	ms      = time.Millisecond
	segment = 1420 // bytes of a full segment: 1500 without the headers and the room that the stack keeps for options
)

// send writes n bytes into one end of a connection and reads them at the other.
func send(t *testing.T, from, to *tcp.Conn, n int64) {
	t.Helper()
	_, err := from.Write(make([]byte, n))
	require.NoError(t, err)
	_, err = io.CopyN(io.Discard, to, n)
	require.NoError(t, err)
}

// loseFirst loses the next segment with data on its way to b.
func loseFirst(l *testlab.Lab) {
	_, b := l.Links[0].Ports()
	lost := false
	b.Intercept(func(_ time.Duration, f *netem.Frame) bool {
		if s := segmentOf(f); s != nil && len(s.Payload) > 0 && !lost {
			lost = true
			return false
		}
		return true
	})
}

// On a clean link the figures are exact: slow start adds a segment to the window for each that is acknowledged (RFC 5681), and
// the smoothed round trip is the only one that there is.
func TestInfo(t *testing.T) {
	const segments = 500
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		c1, c2, err := pipe(l.A, l.B)
		require.NoError(t, err)
		require.Equal(t, "ESTABLISHED", c1.Info().State)
		require.Equal(t, 10, c1.Info().Cwnd) // RFC 6928
		send(t, c1, c2, segments*segment)
		l.Sleep(50 * ms)
		i := c1.Info()
		require.InDelta(t, 20*ms, i.RTT, float64(time.Microsecond))
		require.Less(t, i.RTTVar, ms)
		require.Equal(t, 200*ms, i.RTO) // no less than the stack's minimum
		require.Equal(t, 10+segments, i.Cwnd)
		require.EqualValues(t, math.MaxUint32, i.Ssthresh)
		require.Equal(t, "open", i.CongestionState)
		require.EqualValues(t, 2+segments, i.SegmentsSent) // with the SYN and its ACK
		require.Zero(t, i.Retransmits+i.FastRetransmits+i.Timeouts)
		require.False(t, i.Reordering)

		// The first of 20 further segments is lost. CUBIC goes on with 0.7 of the window (RFC 9438, section 4.6).
		loseFirst(l)
		send(t, c1, c2, 20*segment)
		l.Sleep(50 * ms)
		i = c1.Info()
		require.EqualValues(t, 1, i.Retransmits)
		require.EqualValues(t, 1, i.FastRetransmits)
		require.Zero(t, i.Timeouts)
		require.Equal(t, (10+segments)*7/10, i.Ssthresh)
		require.Equal(t, i.Ssthresh, i.Cwnd)

		require.NoError(t, c1.Close())
		l.Sleep(50 * ms)
		require.Equal(t, "FIN-WAIT2", c1.Info().State)
		require.Equal(t, "CLOSE-WAIT", c2.Info().State)
		require.NoError(t, c2.Close())
		l.Sleep(50 * ms)
		require.Equal(t, "TIME-WAIT", c1.Info().State)
		require.Equal(t, "CLOSED", c2.Info().State)
	})
}
