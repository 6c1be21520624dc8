package ip_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/netem"
	"netlab/tcp"
	"netlab/udp"
)

// segment is a frame that left a port.
type segment struct {
	at   time.Duration
	port netem.PortID
	tcp  *layers.TCP // nil for another protocol
	data string      // the frame
}

// record keeps all frames that leave ports.
type record struct{ sent []segment }

func (r *record) Frame(at time.Duration, port netem.PortID, dir netem.Direction, _ uint64, data []byte, _ string) {
	if dir != netem.Outbound {
		return
	}
	p := gopacket.NewPacket([]byte(string(data)), layers.LayerTypeEthernet, gopacket.Default)
	s := segment{at: at, port: port, data: string(data)}
	s.tcp, _ = p.TransportLayer().(*layers.TCP)
	r.sent = append(r.sent, s)
}

// after returns what a port sent after a time.
func (r *record) after(port netem.PortID, at time.Duration) []segment {
	var found []segment
	for _, s := range r.sent {
		if s.port == port && s.at > at {
			found = append(found, s)
		}
	}
	return found
}

// pair connects a to port 80 of b.
func pair(t *testing.T, l *testlab.Lab) (a, b *tcp.Conn) {
	listener, err := tcp.Listen(l.B, ":80")
	require.NoError(t, err)
	defer listener.Close()
	a, err = tcp.Dial(l.Context(), l.A, "b:80")
	require.NoError(t, err)
	b, err = listener.AcceptTCP()
	require.NoError(t, err)
	return a, b
}

// do runs fn in the engine's loop now.
func do(l *testlab.Lab, fn func()) {
	done := make(chan struct{})
	l.Net.AfterFunc(0, netem.KindControl, 0, func() { fn(); close(done) })
	<-done
}

// A host that crashes says nothing to its peer, who finds out by its own timers: the connection is there until a write isn't
// acknowledged for too long.
func TestCrashIsSilent(t *testing.T) {
	tap := &record{}
	c := testlab.Config{Forward: testlab.Wire(10*ms, 0), Tap: tap, TCP: ip.TCPConfig{UserTimeout: 5 * time.Second}}
	testlab.Run(t, c, func(t *testing.T, l *testlab.Lab) {
		a, b := pair(t, l)
		l.Sleep(time.Second)
		sentBefore := l.B.Stats().IP.Sent
		do(l, l.B.Crash)
		crashed := l.Elapsed()
		require.False(t, l.B.Alive())
		require.ErrorIs(t, l.B.Err(), ip.ErrHostDown)
		require.NoError(t, b.Close())
		_, err := a.Write([]byte("is anybody there?"))
		require.NoError(t, err)
		_, err = a.Read(make([]byte, 1))
		require.ErrorContains(t, err, "timed out")
		require.Greater(t, l.Elapsed(), crashed+5*time.Second)
		require.Empty(t, tap.after(1, crashed))
		require.Equal(t, sentBefore, l.B.Stats().IP.Sent, "what nobody sends doesn't count")
		require.NotZero(t, l.Links[0].Stats(netem.Forward).Dropped[netem.DropNodeDown])
	})
}

// Keep-alive finds a dead peer without data: after the idle time nine probes go unanswered.
func TestKeepAliveFindsCrashedPeer(t *testing.T) {
	c := testlab.Config{Forward: testlab.Wire(10*ms, 0), TCP: ip.TCPConfig{KeepAlive: time.Second}}
	testlab.Run(t, c, func(t *testing.T, l *testlab.Lab) {
		a, _ := pair(t, l)
		do(l, l.B.Crash)
		_, err := a.Read(make([]byte, 1))
		require.ErrorContains(t, err, "timed out")
		require.InDelta(t, 10, l.Elapsed().Seconds(), 0.2)
	})
}

// restart crashes b, if it hasn't yet, and starts it again.
func restart(t *testing.T, l *testlab.Lab) {
	do(l, func() {
		l.B.Crash()
		reborn, err := l.B.Reborn()
		require.NoError(t, err)
		l.B = reborn
	})
}

// A restarted host knows nothing of old connections: it answers their segments with RST.
func TestReborn(t *testing.T) {
	tap := &record{}
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0), Tap: tap}, func(t *testing.T, l *testlab.Lab) {
		a, _ := pair(t, l)
		l.Sleep(time.Second)
		before, old := l.B.Stats(), l.B
		restart(t, l)
		at := l.Elapsed()
		require.EqualValues(t, 1, l.B.Incarnation())
		require.Equal(t, old.Owner(), l.B.Owner())
		require.Equal(t, old.Addresses(), l.B.Addresses())
		require.True(t, l.B.Alive())
		require.False(t, old.Alive())
		require.Equal(t, before, l.B.Stats())
		_, err := old.Reborn()
		require.EqualError(t, err, "host b was started again already")
		_, err = l.A.Reborn()
		require.EqualError(t, err, "host a can't be started again: it has not crashed")
		_, err = a.Write([]byte("hello again"))
		require.NoError(t, err)
		_, err = a.Read(make([]byte, 1))
		require.ErrorContains(t, err, "connection reset")
		require.Equal(t, at+20*ms, l.Elapsed().Round(time.Microsecond))
		sent := tap.after(1, at)
		require.Len(t, sent, 1)
		require.True(t, sent[0].tcp.RST)
		require.Equal(t, before.TCP.ResetsSent+1, l.B.Stats().TCP.ResetsSent)
		// It is a host like any other.
		a, b := pair(t, l)
		go func() { a.Write([]byte("x")); a.Close() }()
		got, err := io.ReadAll(b)
		require.NoError(t, err)
		require.Equal(t, "x", string(got))
	})
}

// Whatever waits on a host that crashes ends at once, with an error that says why.
func TestCrashEndsWaits(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		_, conn := pair(t, l)
		listener, err := tcp.Listen(l.B, ":81")
		require.NoError(t, err)
		socket, err := udp.Listen(l.B, ":9")
		require.NoError(t, err)
		echo, err := ip.DialEcho(l.B, l.A.Addresses()[0])
		require.NoError(t, err)
		icmp, err := ip.ListenErrors(l.B, false)
		require.NoError(t, err)
		limited, _ := pairFromB(t, l)
		limited.SetUnsentLimit(1000)
		ctx := context.Background()
		buffer := make([]byte, 100)
		calls := map[string]func() error{
			"dial":        func() error { _, err := tcp.Dial(ctx, l.B, "10.0.1.99:80"); return err },
			"accept":      func() error { _, err := listener.Accept(); return err },
			"read":        func() error { _, err := conn.Read(buffer); return err },
			"second read": func() error { _, err := conn.Read(buffer); return err },
			"write":       func() error { _, err := conn.Write(make([]byte, 100<<20)); return err },
			"limited":     func() error { _, err := limited.Write(make([]byte, 100<<20)); return err },
			"udp read":    func() error { _, _, err := socket.ReadFrom(buffer); return err },
			"echo":        func() error { _, err := echo.Receive(time.Time{}); return err },
			"icmp errors": func() error { _, err := icmp.Read(time.Time{}); return err },
			"sleep":       func() error { return l.B.Sleep(ctx, time.Hour) },
			"sleep until": func() error { return l.B.SleepUntil(ctx, time.Hour) },
		}
		results := map[string]error{}
		ended := map[string]time.Duration{}
		var mu sync.Mutex
		for name, call := range calls {
			l.B.Go(func() {
				err := call()
				mu.Lock()
				defer mu.Unlock()
				results[name], ended[name] = err, l.Elapsed()
			})
		}
		l.Sleep(time.Second)
		require.Empty(t, results)
		do(l, l.B.Crash)
		crashed := l.Elapsed()
		l.B.Wait()
		for name := range calls {
			require.ErrorIs(t, results[name], ip.ErrHostDown, name)
			require.ErrorIs(t, results[name], net.ErrClosed, name)
			require.ErrorContains(t, results[name], "host is down", name)
			require.LessOrEqual(t, ended[name], crashed, name)
		}
		// And so do calls afterwards.
		for name, call := range calls {
			require.ErrorIs(t, call(), ip.ErrHostDown, name)
		}
		_, err = socket.WriteTo(buffer, &net.UDPAddr{IP: l.A.Addresses()[0].AsSlice(), Port: 9})
		require.ErrorIs(t, err, ip.ErrHostDown)
		require.ErrorIs(t, echo.Send(1, nil), ip.ErrHostDown)
		_, err = tcp.Listen(l.B, ":82")
		require.ErrorIs(t, err, ip.ErrHostDown)
		// Closing is harmless.
		conn.SetDeadline(time.Now().Add(time.Second))
		conn.Info()
		conn.SetUnsentLimit(100)
		require.NoError(t, conn.CloseWrite())
		conn.CloseRead()
		for _, c := range []io.Closer{conn, listener, socket, echo, icmp} {
			require.NoError(t, c.Close())
		}
		require.NoError(t, limited.Abort())
		l.B.Kick()
		l.B.Crash()
		l.B.Pause()
		require.False(t, l.B.Paused())
		l.Sleep(time.Minute)
	})
}

// pairFromB connects b to port 80 of a and returns the end at b first.
func pairFromB(t *testing.T, l *testlab.Lab) (b, a *tcp.Conn) {
	listener, err := tcp.Listen(l.A, ":80")
	require.NoError(t, err)
	defer listener.Close()
	b, err = tcp.Dial(l.Context(), l.B, "a:80")
	require.NoError(t, err)
	a, err = listener.AcceptTCP()
	require.NoError(t, err)
	return b, a
}

// storm crashes b again and again while connections of all kinds are open, and returns all that was sent.
func storm(t *testing.T, seed uint64, cycles int) []segment {
	tap := &record{}
	testlab.Run(t, testlab.Config{Seed: seed, Forward: testlab.Wire(5*ms, 10e6), Tap: tap}, func(t *testing.T, l *testlab.Lab) {
		var over atomic.Bool
		l.A.Go(func() {
			for !over.Load() {
				c, err := tcp.Dial(l.Context(), l.A, "b:80")
				if err != nil {
					l.A.Sleep(l.Context(), 3*ms)
					continue
				}
				c.SetDeadline(time.Now().Add(200 * ms))
				l.A.Go(func() { io.Copy(c, neverEnding('a')) })
				io.Copy(io.Discard, c)
				c.Close()
			}
		})
		hosts := []*ip.Host{}
		for i := range cycles {
			h := l.B
			hosts = append(hosts, h)
			h.Go(func() { serve(h) })
			h.Go(func() {
				h.Resolve(context.Background(), "b")
				if c, err := tcp.Dial(context.Background(), h, "b:80"); err == nil { // by the loopback interface
					defer c.Close()
					c.Write(make([]byte, 100000))
					io.Copy(io.Discard, c)
				}
			})
			l.Sleep(time.Duration(10+7*(i%13)) * ms)
			restart(t, l)
		}
		over.Store(true)
		for _, h := range hosts {
			h.Wait()
		}
		l.A.Wait()
		require.EqualValues(t, cycles, l.B.Incarnation())
		require.GreaterOrEqual(t, l.B.Stats().TCP.PassiveOpens, uint64(cycles))
	})
	return tap.sent
}

type neverEnding byte

func (b neverEnding) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

// serve answers on port 80 with what comes in until the host is down.
func serve(h *ip.Host) {
	l, err := tcp.Listen(h, ":80")
	if err != nil {
		return
	}
	defer l.Close()
	for {
		c, err := l.Accept()
		if errors.Is(err, ip.ErrHostDown) {
			return
		}
		if err != nil {
			continue
		}
		h.Go(func() {
			defer c.Close()
			io.Copy(c, c)
		})
	}
}

// A hundred crashes with connections open leave no goroutine (testlab looks), and the same seed gives the same frames.
func TestCrashAgainAndAgain(t *testing.T) {
	crashes := 100
	if testing.Short() {
		crashes = 20
	}
	first := storm(t, 1, crashes)
	require.Greater(t, len(first), 50*crashes)
	second := storm(t, 1, crashes)
	require.Equal(t, len(first), len(second))
	for i := range first {
		require.Equal(t, first[i].at, second[i].at)
		require.Equal(t, first[i].data, second[i].data)
	}
	require.NotEqual(t, first[0].data, storm(t, 2, 1)[0].data)
}
