package tcp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/tcp"
	"netlab/units"
)

// flights returns how many bytes a sent per instant, and the most that were on the way and not acknowledged, as a saw it.
func flights(t *testing.T, seen *tap, wire time.Duration) (list []int, most int) {
	t.Helper()
	first := seen.a[0].Seq
	acked, acks := first, seen.b
	for i, s := range seen.a {
		for len(acks) > 0 && acks[0].at+wire <= s.at {
			acked, acks = acks[0].Ack, acks[1:]
		}
		if i == 0 || s.at.Round(time.Microsecond) != seen.a[i-1].at.Round(time.Microsecond) {
			list = append(list, 0)
		}
		list[len(list)-1] += len(s.Payload)
		most = max(most, int(s.Seq-acked)+len(s.Payload))
	}
	return list, most
}

// A send buffer smaller than the congestion window is what is on the way at most.
func TestSendBufferLimitsTheFlight(t *testing.T) {
	const buffer = 8 << 10
	connected(t, ip.TCPConfig{SendBuffer: buffer}, func(t *testing.T, l *testlab.Lab, seen *tap, c1, c2 *tcp.Conn) {
		seen.reset()
		send(t, c1, c2, 200_000)
		list, most := flights(t, seen, 10*ms)
		require.Equal(t, buffer, list[0])
		require.Equal(t, buffer, most)
	})
}

// The window that is offered is the receive buffer without what was not read yet.
func TestReceiveBufferLimitsTheFlight(t *testing.T) {
	const buffer = 16 << 10
	connected(t, ip.TCPConfig{ReceiveBuffer: buffer}, func(t *testing.T, l *testlab.Lab, seen *tap, c1, c2 *tcp.Conn) {
		seen.reset()
		start := l.Elapsed()
		send(t, c1, c2, 140*segment)
		for _, s := range seen.b {
			require.LessOrEqual(t, int(s.Window), buffer)
		}
		// An ACK leaves before its segment is read, so it offers 16384 - 1420 bytes: ten full segments in each round trip.
		list, most := flights(t, seen, 10*ms)
		require.Equal(t, 10*segment, most)
		require.Len(t, list, 14)
		for _, n := range list {
			require.Equal(t, 10*segment, n)
		}
		require.Equal(t, 13*20*ms+10*ms, (l.Elapsed() - start).Round(time.Microsecond))
	})
}

// A peer that doesn't read takes exactly its receive buffer.
func TestReceiveBufferOfAPeerThatDoesNotRead(t *testing.T) {
	for _, buffer := range []units.Bytes{4 << 10, 16 << 10, 100_000} {
		connected(t, ip.TCPConfig{ReceiveBuffer: buffer}, func(t *testing.T, l *testlab.Lab, seen *tap, c1, c2 *tcp.Conn) {
			first := seen.a[0].Seq + 1
			_, err := c1.Write(make([]byte, 1e6))
			require.NoError(t, err)
			l.Sleep(10 * time.Second)
			last := seen.b[len(seen.b)-1]
			require.EqualValues(t, buffer, last.Ack-first)
			require.Zero(t, last.Window)
		})
	}
}
