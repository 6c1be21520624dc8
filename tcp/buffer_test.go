package tcp_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/netem"
	"netlab/services/content"
	"netlab/tcp"
	"netlab/units"
)

// sentUntil is what came of a sender that wrote for some time and then ended its stream.
type sentUntil struct {
	written, arrived int64         // bytes
	inTime           int64         // of these, at the peer when the sender stopped
	end              time.Duration // when the peer read the end of the stream, since the sender began
	short            int           // segments with less than 1420 bytes of data
}

// sendFor writes from a to b for d over a wire, with an unsent limit or without.
func sendFor(t *testing.T, wire netem.Params, config ip.TCPConfig, limit int, d time.Duration) (r sentUntil) {
	seen := new(tap)
	testlab.Run(t, testlab.Config{Forward: wire, TCP: config, Tap: seen}, func(t *testing.T, l *testlab.Lab) {
		c1, c2, err := pipe(l.A, l.B)
		require.NoError(t, err)
		start, seed := l.Elapsed(), uint64(7)
		done := make(chan struct{})
		l.B.Go(func() {
			defer close(done)
			buffer, want := make([]byte, 1<<16), content.New(seed)
			for {
				n, err := c2.Read(buffer)
				r.arrived += int64(n)
				if !want.Matches(buffer[:n]) {
					t.Error("wrong data")
				}
				if l.Elapsed()-start <= d {
					r.inTime = r.arrived
				}
				if err != nil {
					break
				}
			}
			r.end = l.Elapsed() - start
		})
		c1.SetUnsentLimit(limit)
		require.NoError(t, c1.SetWriteDeadline(l.Net.Epoch().Add(start+d)))
		for data := content.New(seed); err == nil; {
			var n int
			n, err = c1.Write(data.Peek(content.BlockSize))
			data.Advance(n)
			r.written += int64(n)
		}
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, d, l.Elapsed()-start)
		if limit == 0 { // much is left, and nobody wants to know
			require.NoError(t, c1.Abort())
			require.NoError(t, c2.Abort())
		} else {
			require.NoError(t, c1.CloseWrite())
		}
		<-done
		c1.Close()
		c2.Close()
	})
	for _, s := range seen.a {
		if n := len(s.LayerPayload()); n > 0 && n < 1420 {
			r.short++
		}
	}
	return r
}

// unsentPiece is five segments.
const unsentPiece = 5 * 1420

// A limit changes nothing of what is sent while there is data: the goodput is within 2 % of that without one. And little is
// left to send when the sender stops.
func TestUnsentLimitIsFast(t *testing.T) {
	if testing.Short() {
		t.Skip("gigabits")
	}
	for _, c := range []struct {
		name  string
		queue int
		loss  units.Probability
		size  ip.TCPConfig
		left  time.Duration // to send when the sender stops, and the way of the last segment
	}{
		{name: "long queue", queue: 1000, left: 3200 * ms}, // nothing is dropped: see SetUnsentLimit
		{name: "short queue", queue: 100, left: 600 * ms},
		{name: "very short queue", queue: 30, left: 500 * ms},
		{name: "losses", queue: 1000, loss: 0.001, left: 400 * ms},
		{name: "small send buffer", queue: 1000, size: ip.TCPConfig{SendBuffer: 64 << 10}, left: 200 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			const d = 10 * time.Second
			wire := testlab.Wire(50*ms, 100e6)
			wire.Queue.Limit.Packets, wire.Loss = c.queue, testlab.Loss(c.loss)
			free, r := sendFor(t, wire, c.size, 0, d), sendFor(t, wire, c.size, unsentPiece, d)
			t.Logf("in time: %d bytes without a limit, %d with one, which ends after %v", free.inTime, r.inTime, r.end)
			require.Equal(t, r.written, r.arrived)
			require.InEpsilon(t, free.inTime, r.inTime, 0.02)
			require.Less(t, r.end, d+c.left)
		})
	}
}

// Pieces of whole segments make whole segments, and the stack holds at most three windows and a piece.
func TestUnsentLimit(t *testing.T) {
	// 64 KiB of window hold the link's 20 ms and 41 ms in its queue.
	wire, config := testlab.Wire(10*ms, 10e6), ip.TCPConfig{ReceiveBuffer: 64 << 10}
	free, r := sendFor(t, wire, config, 0, time.Second), sendFor(t, wire, config, unsentPiece, time.Second)
	require.Equal(t, free.inTime, r.inTime)
	require.Equal(t, r.written, r.arrived)
	require.Zero(t, r.short)
	require.GreaterOrEqual(t, free.written, int64(8<<20))
	require.Less(t, r.end, 2*time.Second)
}

// After the deadline the connection goes on as if nothing had been withdrawn.
func TestWithdrawn(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 1e6)}, func(t *testing.T, l *testlab.Lab) {
		c1, c2, err := pipe(l.A, l.B)
		require.NoError(t, err)
		data := bytes.Repeat([]byte("0123456789"), 10_000)
		c1.SetUnsentLimit(unsentPiece)
		require.NoError(t, c1.SetWriteDeadline(l.A.Now().Add(100*ms)))
		n, err := c1.Write(data)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Positive(t, n)
		require.Less(t, n, len(data))
		require.NoError(t, c1.SetWriteDeadline(time.Time{}))
		_, err = c1.Write([]byte("with a limit, "))
		require.NoError(t, err)
		c1.SetUnsentLimit(0)
		_, err = c1.Write([]byte("without"))
		require.NoError(t, err)
		require.NoError(t, c1.Close())
		got, err := io.ReadAll(c2)
		require.NoError(t, err)
		require.Equal(t, string(data[:n])+"with a limit, without", string(got))
		require.NoError(t, c2.Close())
	})
}

// A Write that waits for the stack ends with the connection.
func TestWriteEndsWithTheConnection(t *testing.T) {
	for name, end := range map[string]func(c1, c2 *tcp.Conn) error{
		"closed":  func(c1, c2 *tcp.Conn) error { return c1.Close() },
		"aborted": func(c1, c2 *tcp.Conn) error { return c1.Abort() },
		"reset":   func(c1, c2 *tcp.Conn) error { return c2.Abort() },
	} {
		t.Run(name, func(t *testing.T) {
			testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 1e6)}, func(t *testing.T, l *testlab.Lab) {
				c1, c2, err := pipe(l.A, l.B)
				require.NoError(t, err)
				c1.SetUnsentLimit(unsentPiece)
				done := make(chan error, 1)
				l.A.Go(func() {
					_, err := c1.Write(make([]byte, 1e6))
					done <- err
				})
				l.Sleep(time.Second)
				require.NoError(t, end(c1, c2))
				err = <-done
				if name == "reset" {
					require.ErrorIs(t, err, syscall.ECONNRESET)
				} else {
					require.ErrorIs(t, err, net.ErrClosed)
				}
				c1.Abort()
				c2.Abort()
			})
		})
	}
}
