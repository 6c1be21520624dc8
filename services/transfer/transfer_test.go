package transfer_test

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"hash"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/netem"
	"netlab/services"
	"netlab/services/transfer"
	"netlab/tcp"
	"netlab/units"
)

const ms = time.Millisecond

func config(change func(c *transfer.Config)) *transfer.Config {
	c := transfer.NewConfig()
	c.To = "b"
	change(c)
	return c
}

// lab runs one transfer from a to b and returns what both ends report.
func lab(t *testing.T, c testlab.Config, config *transfer.Config) (client *transfer.Result, sink *transfer.SinkResult) {
	testlab.Run(t, c, func(t *testing.T, l *testlab.Lab) {
		server := l.Service(l.B, transfer.Sink, &transfer.SinkConfig{Listen: ":5001"})
		found, err := l.Workload(transfer.Type, config, l.A)
		require.NoError(t, err)
		client = found.(*transfer.Result)
		l.Sleep(time.Minute)
		found, err = server.Stop()
		require.NoError(t, err)
		sink = found.(*transfer.SinkResult)
	})
	return client, sink
}

func TestRoundTrips(t *testing.T) {
	const rtt = units.Duration(20 * ms)
	wire := testlab.Config{Forward: testlab.Wire(10*ms, 0)}
	up, sink := lab(t, wire, config(func(c *transfer.Config) { c.Bytes = 1000 }))
	require.True(t, up.Intact)
	require.Equal(t, rtt, *up.Connect)
	require.Equal(t, 2*rtt, *up.Duration) // handshake, data and answer
	require.EqualValues(t, 1000*8*25, *up.Goodput)
	require.EqualValues(t, 1, *up.Fairness)
	require.Nil(t, up.FirstByte)
	require.Equal(t, &transfer.SinkResult{Connections: 1, Received: 1000}, sink)

	down, sink := lab(t, wire, config(func(c *transfer.Config) { c.Bytes, c.Direction = 1000, transfer.Download }))
	require.True(t, down.Intact)
	require.Equal(t, rtt, *down.Connect)
	require.Equal(t, 2*rtt, *down.FirstByte)
	require.Equal(t, 2*rtt, *down.Duration)
	require.Equal(t, &transfer.SinkResult{Connections: 1, Sent: 1000}, sink)
}

// A full frame of 1486 bytes carries 1420 bytes of data, so no flow gets more than 1420/1486 of the link's rate.
func TestBulkFillsTheLink(t *testing.T) {
	for _, direction := range []string{transfer.Upload, transfer.Download} {
		r, _ := lab(t, testlab.Config{Forward: testlab.Wire(10*ms, 10e6)}, config(func(c *transfer.Config) {
			c.Bytes, c.Direction = 10e6, direction
		}))
		require.True(t, r.Intact)
		require.Equal(t, units.Bytes(10e6), r.Bytes)
		limit := 10e6 * 1420 / 1486.
		require.Less(t, float64(*r.Goodput), limit)
		require.Greater(t, float64(*r.Goodput), 0.98*limit)
		require.Zero(t, r.Retransmits)
		require.Equal(t, 20*ms+2*59200, r.Connect.Std()) // SYN and SYN-ACK are frames of 74 bytes
	}
}

func TestLossIsRepaired(t *testing.T) {
	wire := testlab.Wire(10*ms, 100e6)
	wire.Loss = testlab.Loss(0.01)
	for _, direction := range []string{transfer.Upload, transfer.Download} {
		testlab.Run(t, testlab.Config{Forward: wire}, func(t *testing.T, l *testlab.Lab) {
			server := l.Service(l.B, transfer.Sink, &transfer.SinkConfig{Listen: ":5001"})
			found, err := l.Workload(transfer.Type, config(func(c *transfer.Config) { c.Bytes, c.Direction = 2e6, direction }), l.A)
			require.NoError(t, err)
			r := found.(*transfer.Result)
			require.True(t, r.Intact)
			require.Equal(t, units.Bytes(2e6), r.Bytes)
			l.Sleep(time.Minute)
			found, err = server.Stop()
			require.NoError(t, err)
			s := found.(*transfer.SinkResult)
			require.NotZero(t, r.Retransmits+s.Retransmits)
			require.Equal(t, l.A.Stats().TCP.Retransmits, r.Retransmits)
			require.Equal(t, l.B.Stats().TCP.Retransmits, s.Retransmits)
			require.Zero(t, s.Errors)
		})
	}
}

func TestFlowsShareTheLink(t *testing.T) {
	r, s := lab(t, testlab.Config{Forward: testlab.Wire(10*ms, 10e6)}, config(func(c *transfer.Config) { c.Bytes, c.Flows = 1e6, 4 }))
	require.True(t, r.Intact)
	require.Len(t, r.Flows, 4)
	require.Equal(t, units.Bytes(4e6), r.Bytes)
	require.Equal(t, units.Bytes(4e6), s.Received)
	require.EqualValues(t, 4, s.Connections)
	require.Greater(t, float64(*r.Fairness), 0.5)
	require.LessOrEqual(t, float64(*r.Fairness), 1.)
}

// share is how much of a link's rate is data: frames of 1486 bytes carry 1420.
const share = 1420. / 1486

// On a clean link a download for a time gives the link's rate, but for the headers and the last segment.
func TestDownloadForATime(t *testing.T) {
	const warmup, duration, segment = time.Second, 10 * time.Second, 1420
	r, s := lab(t, testlab.Config{Forward: testlab.Wire(10*ms, 10e6), TCP: ip.TCPConfig{ReceiveBuffer: 64 << 10}}, config(func(c *transfer.Config) {
		c.Direction, c.Duration, c.Warmup = transfer.Download, units.Duration(duration), units.Duration(warmup)
	}))
	require.True(t, r.Intact)
	require.Zero(t, r.Cut)
	require.Equal(t, duration, r.Duration.Std())
	require.Greater(t, s.Sent, r.Bytes)
	require.Zero(t, s.Errors)
	require.InDelta(t, 10e6*share, float64(*r.Goodput), segment*8/(duration-warmup).Seconds())
	require.Equal(t, r.Goodput, r.Flows[0].Goodput)
	require.EqualValues(t, 1, *r.Fairness)
}

// A flow with a duration is over after it, an upload when the answer has come too, and counts what arrived within it: without the
// time for the handshake and the request, all that the link carries.
func TestDuration(t *testing.T) {
	const duration = 2 * time.Second
	for _, ipv6 := range []bool{false, true} {
		for _, direction := range []string{transfer.Upload, transfer.Download} {
			c := testlab.Config{Forward: testlab.Wire(10*ms, 10e6), PreferIPv6: ipv6, TCP: ip.TCPConfig{ReceiveBuffer: 64 << 10}}
			r, s := lab(t, c, config(func(c *transfer.Config) { c.Duration, c.Direction = units.Duration(duration), direction }))
			require.True(t, r.Intact)
			payload, idle := 1420., 40*ms // of 1486 bytes; until the first byte of a download comes, two round trips
			if ipv6 {
				payload = 1400
			}
			if direction == transfer.Upload {
				require.Equal(t, r.Bytes, s.Received)
				require.Equal(t, duration+10*ms, r.Duration.Std().Round(ms)) // the answer's way
				idle = 30 * ms                                               // the handshake and the data's way
			} else {
				require.Equal(t, duration, r.Duration.Std())
			}
			require.Zero(t, s.Errors)
			// The first window is sent before the link is filled.
			want := 10e6 * payload / 1486 / 8 * (duration - idle).Seconds()
			require.InDelta(t, want, float64(r.Bytes), 20e-3*10e6/8, "%s ipv6=%v", direction, ipv6)
			require.EqualValues(t, r.Bytes*4, *r.Goodput)
		}
	}
}

// A connection that takes longer than the duration carries nothing.
func TestDurationOfAHandshake(t *testing.T) {
	for _, direction := range []string{transfer.Upload, transfer.Download} {
		r, _ := lab(t, testlab.Config{Forward: testlab.Wire(10*ms, 10e6)}, config(func(c *transfer.Config) {
			c.Duration, c.Direction = units.Duration(15*ms), direction
		}))
		require.False(t, r.Intact)
		require.Zero(t, r.Errors)
		require.Zero(t, r.Bytes)
		require.Zero(t, *r.Goodput)
	}
}

// Flows over links of their own are alike, so they get the same.
func TestFairnessOfEqualFlows(t *testing.T) {
	if testing.Short() {
		t.Skip("many flows")
	}
	for _, direction := range []string{transfer.Upload, transfer.Download} {
		r, s := lab(t, testlab.Config{Forward: testlab.Wire(10*ms, 0), TCP: ip.TCPConfig{ReceiveBuffer: 16 << 10}}, config(func(c *transfer.Config) {
			c.Duration, c.Flows, c.Direction = units.Duration(time.Second), 50, direction
		}))
		require.True(t, r.Intact)
		require.EqualValues(t, 1, *r.Fairness)
		require.Zero(t, s.Errors)
		for _, f := range r.Flows {
			require.Equal(t, r.Flows[0].Goodput, f.Goodput)
		}
	}
}

func TestWarmupIsLeftOut(t *testing.T) {
	c := testlab.Config{Forward: testlab.Wire(100*ms, 10e6)}
	cold, _ := lab(t, c, config(func(c *transfer.Config) { c.Bytes, c.Direction = 5e6, transfer.Download }))
	warm, _ := lab(t, c, config(func(c *transfer.Config) {
		c.Bytes, c.Direction, c.Warmup = 5e6, transfer.Download, units.Duration(2*time.Second)
	}))
	require.Equal(t, cold.Duration, warm.Duration)
	require.Equal(t, cold.Bytes, warm.Bytes)
	require.Less(t, *cold.Goodput, *warm.Goodput)
	require.InDelta(t, 10e6*1420/1486, float64(*warm.Goodput), 20e3)
}

func TestRefused(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		found, err := l.Workload(transfer.Type, config(func(c *transfer.Config) { c.Bytes, c.Flows = 1000, 2 }), l.A)
		require.NoError(t, err)
		r := found.(*transfer.Result)
		require.False(t, r.Intact)
		require.EqualValues(t, 2, r.Errors)
		require.Nil(t, r.Goodput)
		require.Nil(t, r.Fairness)
		require.Equal(t, "dial tcp 10.0.1.2:5001: connection refused", r.Flows[0].Error)
		require.Equal(t, 40*ms, l.Elapsed().Round(time.Microsecond)) // IPv4 and then IPv6
	})
}

func TestServerGoes(t *testing.T) {
	for _, direction := range []string{transfer.Upload, transfer.Download} {
		testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 10e6)}, func(t *testing.T, l *testlab.Lab) {
			server := l.Service(l.B, transfer.Sink, &transfer.SinkConfig{Listen: ":5001"})
			i := l.Start(transfer.Type, "x", config(func(c *transfer.Config) { c.Bytes, c.Direction = 10e6, direction }), l.A)
			l.Sleep(time.Second)
			_, err := server.Stop()
			require.NoError(t, err)
			found, err := i.Wait()
			require.NoError(t, err)
			r := found.(*transfer.Result)
			require.False(t, r.Intact)
			require.EqualValues(t, 1, r.Errors)
			require.Contains(t, r.Flows[0].Error, "connection reset by peer")
		})
	}
}

// The end of the run cuts flows off. Of a download what arrived counts: with a window of 64 KiB all of it came at the link's
// rate. Of an upload nothing is known.
func TestRunEndsFirst(t *testing.T) {
	for _, direction := range []string{transfer.Upload, transfer.Download} {
		c := testlab.Config{Forward: testlab.Wire(10*ms, 10e6), TCP: ip.TCPConfig{ReceiveBuffer: 64 << 10}}
		testlab.Run(t, c, func(t *testing.T, l *testlab.Lab) {
			server := l.Service(l.B, transfer.Sink, &transfer.SinkConfig{Listen: ":5001"})
			i := l.Start(transfer.Type, "x", config(func(c *transfer.Config) { c.Bytes, c.Direction, c.Flows = 10e6, direction, 2 }), l.A)
			l.Sleep(time.Second)
			found, err := i.Stop()
			require.NoError(t, err)
			r := found.(*transfer.Result)
			require.Zero(t, r.Errors)
			require.EqualValues(t, 2, r.Cut)
			require.Equal(t, direction == transfer.Download, r.Intact)
			require.Equal(t, time.Second, r.Duration.Std().Round(time.Microsecond))
			sum := units.Bytes(0)
			for _, f := range r.Flows {
				require.True(t, f.Cut)
				require.Empty(t, f.Error)
				require.Equal(t, r.Intact, f.Intact)
				sum += f.Bytes
			}
			require.Equal(t, sum, r.Bytes)
			if direction == transfer.Download {
				// Nothing comes in the first two round trips but the handshake and the request.
				require.InDelta(t, 10e6*share*(1-0.04)/8, float64(r.Bytes), 2*1420)
				require.EqualValues(t, r.Bytes*8, *r.Goodput)
				require.Greater(t, float64(*r.Fairness), 0.99)
			} else {
				require.Zero(t, r.Bytes)
				require.Nil(t, r.Goodput)
				require.Nil(t, r.Fairness)
			}
			found, err = server.Stop()
			require.NoError(t, err)
			require.Zero(t, found.(*transfer.SinkResult).Errors)
			require.Equal(t, time.Second, l.Elapsed().Round(time.Microsecond))
		})
	}
}

// A flow that the end of the run cuts off before anything arrived is not intact, and not an error.
func TestRunEndsBeforeData(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 10e6)}, func(t *testing.T, l *testlab.Lab) {
		l.Service(l.B, transfer.Sink, &transfer.SinkConfig{Listen: ":5001"})
		i := l.Start(transfer.Type, "x", config(func(c *transfer.Config) { c.Bytes, c.Direction = 10e6, transfer.Download }), l.A)
		l.Sleep(15 * ms)
		found, err := i.Stop()
		require.NoError(t, err)
		r := found.(*transfer.Result)
		require.False(t, r.Intact)
		require.EqualValues(t, 1, r.Cut)
		require.Zero(t, r.Errors)
		require.Zero(t, *r.Goodput)
		require.Nil(t, r.Fairness)
		require.Nil(t, r.Connect)
	})
}

// A server that lies about what arrived.
func TestWrongSum(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		listener, err := tcp.Listen(l.B, ":5001")
		require.NoError(t, err)
		l.B.Go(func() {
			conn, err := listener.AcceptTCP()
			if err != nil {
				return
			}
			bufio.NewReader(conn).ReadString('\n')
			fmt.Fprintf(conn, "OK 1000 crc32c %08x\n", 0)
			conn.Close()
			listener.Close()
		})
		found, err := l.Workload(transfer.Type, config(func(c *transfer.Config) { c.Bytes = 1000 }), l.A)
		require.NoError(t, err)
		require.False(t, found.(*transfer.Result).Intact)
		require.Contains(t, found.(*transfer.Result).Flows[0].Error, "the sums differ")
	})
}

// trace sums up all frames.
type trace struct{ hash hash.Hash }

func (s *trace) Frame(at time.Duration, port netem.PortID, dir netem.Direction, _ uint64, data []byte, comment string) {
	fmt.Fprintf(s.hash, "%d %d %d %x %s\n", at, port, dir, data, comment)
}

func TestSameSeedSameFrames(t *testing.T) {
	wire := testlab.Wire(10*ms, 10e6)
	wire.Loss = testlab.Loss(0.005)
	run := func(seed uint64) string {
		tap := &trace{sha256.New()}
		lab(t, testlab.Config{Forward: wire, Seed: seed, Tap: tap}, config(func(c *transfer.Config) { c.Bytes, c.Flows = 500e3, 8 }))
		return fmt.Sprintf("%x", tap.hash.Sum(nil))
	}
	first := run(1)
	for range 5 {
		require.Equal(t, first, run(1))
	}
	require.NotEqual(t, first, run(2))
}

func TestValidate(t *testing.T) {
	require.NoError(t, config(func(c *transfer.Config) { c.Bytes = 1 }).Validate())
	require.EqualError(t, config(func(*transfer.Config) {}).Validate(), "how much? want bytes or duration")
	for field, change := range map[string]func(*transfer.Config){
		"to":        func(c *transfer.Config) { c.To = "b:x"; c.Bytes = 1 },
		"bytes":     func(c *transfer.Config) { c.Bytes = -1 },
		"duration":  func(c *transfer.Config) { c.Bytes, c.Duration = 1, 1 },
		"flows":     func(c *transfer.Config) { c.Bytes, c.Flows = 1, 0 },
		"direction": func(c *transfer.Config) { c.Bytes, c.Direction = 1, "up" },
		"warmup":    func(c *transfer.Config) { c.Bytes, c.Warmup = 1, 1 },
	} {
		var wrong *services.FieldError
		require.ErrorAs(t, config(change).Validate(), &wrong)
		require.Equal(t, field, wrong.Field)
	}
	var wrong *services.FieldError
	require.ErrorAs(t, (&transfer.SinkConfig{}).Validate(), &wrong)
	require.Equal(t, "listen", wrong.Field)
}
