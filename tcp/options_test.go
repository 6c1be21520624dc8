package tcp_test

import (
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/netem"
	"netlab/tcp"
)

// sent is a segment that left a host.
type sent struct {
	at time.Duration
	*layers.TCP
}

// tap keeps the segments that leave a, and those that leave b.
type tap struct{ a, b []sent }

func (p *tap) Frame(at time.Duration, port netem.PortID, dir netem.Direction, _ uint64, data []byte, _ string) {
	if dir != netem.Outbound {
		return
	}
	s := sent{at, gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.Default).Layer(layers.LayerTypeTCP).(*layers.TCP)}
	if port == 0 {
		p.a = append(p.a, s)
	} else {
		p.b = append(p.b, s)
	}
}

// reset forgets what has been seen.
func (p *tap) reset() { *p = tap{} }

// since returns when the segments left, since a time and in whole microseconds: timers fire some nanoseconds late.
func since(start time.Duration, list []sent) []time.Duration {
	var out []time.Duration
	for _, s := range list {
		out = append(out, (s.at - start).Round(time.Microsecond))
	}
	return out
}

// connected runs a test with a connection from a to b over a wire of 10 ms.
func connected(t *testing.T, config ip.TCPConfig, test func(t *testing.T, l *testlab.Lab, seen *tap, c1, c2 *tcp.Conn)) {
	seen := new(tap)
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0), TCP: config, Tap: seen}, func(t *testing.T, l *testlab.Lab) {
		c1, c2, err := pipe(l.A, l.B)
		require.NoError(t, err)
		defer c1.Abort()
		defer c2.Abort()
		l.Sleep(50 * ms)
		test(t, l, seen, c1, c2)
	})
}

// cut takes the link down in both directions.
func cut(t *testing.T, l *testlab.Lab) {
	t.Helper()
	for direction := range 2 {
		p := l.Links[0].Params(direction)
		p.Down = true
		require.NoError(t, l.Links[0].Set(direction, p))
	}
}

// Probes go out when nothing has come for the configured time, which the answer to a probe starts again. They are ACKs of one byte
// before what is expected (RFC 9293, section 3.8.4).
func TestKeepAlive(t *testing.T) {
	const idle = 10 * time.Second
	connected(t, ip.TCPConfig{KeepAlive: idle}, func(t *testing.T, l *testlab.Lab, seen *tap, c1, c2 *tcp.Conn) {
		var probes []sent
		quiet := 20 * ms // the SYN-ACK came then
		l.Sleep(time.Minute)
		for _, s := range seen.a[2:] { // after the handshake
			if s.Seq == seen.a[0].Seq {
				require.Empty(t, s.Payload)
				require.True(t, s.ACK)
				probes = append(probes, s)
			}
		}
		require.Len(t, probes, 5)
		for i, at := range since(quiet, probes) {
			require.Equal(t, idle+time.Duration(i)*(idle+20*ms), at)
		}

		// Nobody answers any more: nine probes, and as long again after the last.
		last := (probes[4].at + 20*ms).Round(time.Microsecond)
		cut(t, l)
		seen.reset()
		_, err := c1.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ETIMEDOUT)
		require.Equal(t, last+10*idle, l.Elapsed().Round(time.Microsecond))
		require.Len(t, seen.a, 9)
		for i, at := range since(last, seen.a) {
			require.Equal(t, time.Duration(i+1)*idle, at)
		}
	})
}

func TestNoKeepAliveByDefault(t *testing.T) {
	connected(t, ip.TCPConfig{}, func(t *testing.T, l *testlab.Lab, seen *tap, c1, c2 *tcp.Conn) {
		seen.reset()
		l.Sleep(23 * time.Hour)
		require.Empty(t, seen.a)
		require.Equal(t, "ESTABLISHED", c1.Info().State)
	})
}

// A connection whose data nobody acknowledges is given up after the user timeout. The retransmissions before double their distance,
// from the minimum of 200 ms on (RFC 6298); with RACK-TLP the first is the probe, 2 × 20 ms and the 200 ms that an ACK of a
// single segment may be delayed after it was sent (RFC 8985, section 7.2).
func TestUserTimeout(t *testing.T) {
	const timeout = 5 * time.Second
	for name, c := range map[string]struct {
		config ip.TCPConfig
		sent   []time.Duration
		end    time.Duration
	}{
		"RACK":    {ip.TCPConfig{UserTimeout: timeout}, []time.Duration{0, 240 * ms, 440 * ms, 840 * ms, 1640 * ms, 3240 * ms}, 240*ms + timeout},
		"no RACK": {ip.TCPConfig{UserTimeout: timeout, NoRACK: true}, []time.Duration{0, 200 * ms, 600 * ms, 1400 * ms, 3000 * ms}, timeout},
	} {
		t.Run(name, func(t *testing.T) {
			connected(t, c.config, func(t *testing.T, l *testlab.Lab, seen *tap, c1, c2 *tcp.Conn) {
				cut(t, l)
				seen.reset()
				start := l.Elapsed()
				_, err := c1.Write([]byte("x"))
				require.NoError(t, err)
				_, err = c1.Read(make([]byte, 1))
				require.ErrorIs(t, err, syscall.ETIMEDOUT)
				require.Equal(t, c.end, (l.Elapsed() - start).Round(time.Microsecond))
				require.Equal(t, c.sent, since(start, seen.a))
				require.EqualValues(t, len(c.sent)-1, c1.Info().Retransmits)
				_, err = c1.Write([]byte("x"))
				require.ErrorIs(t, err, syscall.ETIMEDOUT)
			})
		})
	}
}

// With keep-alive, the user timeout also ends a connection on which nothing is sent, counted from the last segment that came.
func TestUserTimeoutOfAnIdleConnection(t *testing.T) {
	config := ip.TCPConfig{UserTimeout: 5 * time.Second, KeepAlive: time.Second}
	connected(t, config, func(t *testing.T, l *testlab.Lab, seen *tap, c1, c2 *tcp.Conn) {
		cut(t, l)
		_, err := c1.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ETIMEDOUT)
		require.Equal(t, 20*ms+5*time.Second, l.Elapsed().Round(time.Microsecond))
	})
}

// With Nagle's algorithm, a small segment waits until everything before it is acknowledged; meanwhile others join it. Without it
// they join only what was written at the same instant.
func TestNagle(t *testing.T) {
	type segments map[time.Duration][]string
	at := func(nagle, off bool) segments {
		out := segments{}
		connected(t, ip.TCPConfig{Nagle: nagle}, func(t *testing.T, l *testlab.Lab, seen *tap, c1, c2 *tcp.Conn) {
			if off {
				require.NoError(t, c1.SetNoDelay(true))
			}
			seen.reset()
			start := l.Elapsed()
			for _, text := range []string{"one", "two", "three"} {
				_, err := c1.Write([]byte(text))
				require.NoError(t, err)
			}
			_, err := io.ReadFull(c2, make([]byte, len("onetwothree")))
			require.NoError(t, err)
			for i, at := range since(start, seen.a) {
				out[at] = append(out[at], string(seen.a[i].Payload))
			}
		})
		return out
	}
	require.Equal(t, segments{0: {"one", "twothree"}}, at(false, false))
	require.Equal(t, segments{0: {"one"}, 20 * ms: {"twothree"}}, at(true, false))
	require.Equal(t, segments{0: {"one", "twothree"}}, at(true, true))
}

// Both SYNs offer SACK, unless it is switched off; then no ACK tells of what came behind a gap.
func TestSACK(t *testing.T) {
	has := func(s sent, kind layers.TCPOptionKind) bool {
		for _, o := range s.Options {
			if o.OptionType == kind {
				return true
			}
		}
		return false
	}
	for _, off := range []bool{false, true} {
		connected(t, ip.TCPConfig{NoSACK: off}, func(t *testing.T, l *testlab.Lab, seen *tap, c1, c2 *tcp.Conn) {
			require.True(t, seen.a[0].SYN && seen.b[0].SYN)
			require.Equal(t, !off, has(seen.a[0], layers.TCPOptionKindSACKPermitted))
			require.Equal(t, !off, has(seen.b[0], layers.TCPOptionKindSACKPermitted))
			loseFirst(l)
			send(t, c1, c2, 5*segment)
			l.Sleep(time.Second)
			blocks := 0
			for _, s := range seen.b {
				if has(s, layers.TCPOptionKindSACK) {
					blocks++
				}
			}
			if off {
				require.Zero(t, blocks)
			} else {
				require.Equal(t, 4, blocks) // one for each segment behind the gap
			}
			require.EqualValues(t, 1, c1.Info().Retransmits)
		})
	}
}
