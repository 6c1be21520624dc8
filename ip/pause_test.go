package ip_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/netem"
	"netlab/tcp"
	"netlab/udp"
)

// pausedTransfer sends a megabyte from a to b while one of them is paused for a time, and returns the frames, when all had arrived
// and a's counters.
func pausedTransfer(t *testing.T, pauses func(l *testlab.Lab) *ip.Host, at, d time.Duration) (sent []segment, end time.Duration, stats ip.TCPStats) {
	const size = 1 << 20
	tap := &record{}
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 10e6), Tap: tap}, func(t *testing.T, l *testlab.Lab) {
		a, b := pair(t, l)
		if d > 0 {
			l.At(at, pauses(l).Pause)
			l.At(at+d, pauses(l).Resume)
		}
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(i * i >> 8)
		}
		l.A.Go(func() {
			a.Write(data)
			a.Close()
		})
		got, err := io.ReadAll(b)
		require.NoError(t, err)
		require.Equal(t, data, got)
		end, stats = l.Elapsed(), *l.A.Stats().TCP
		b.Close()
	})
	return tap.sent, end, stats
}

// A receiver that stands still for 300 ms in the middle of a transfer acknowledges nothing meanwhile, so that the sender's timer
// expires; afterwards all arrives.
func TestPausedReceiver(t *testing.T) {
	const at, d = 400 * ms, 300 * ms
	receiver := func(l *testlab.Lab) *ip.Host { return l.B }
	_, undisturbed, before := pausedTransfer(t, receiver, 0, 0)
	require.Zero(t, before.Retransmits)
	frames, end, stats := pausedTransfer(t, receiver, at, d)
	require.NotZero(t, stats.Retransmits)
	require.Greater(t, end, undisturbed)
	for _, s := range frames {
		if s.port == 1 {
			require.False(t, s.at > at && s.at < at+d, "the paused host sent something at %v", s.at)
		}
	}
	again, _, _ := pausedTransfer(t, receiver, at, d)
	require.Equal(t, len(frames), len(again))
	for i := range frames {
		require.Equal(t, frames[i].data, again[i].data)
		require.Equal(t, frames[i].at, again[i].at)
	}
}

// A sender that stands still goes on where it was. Its retransmission timer is overdue then, but the acknowledgements that have waited are
// older than that, so that nothing is sent again.
func TestPausedSender(t *testing.T) {
	const at, d = 400 * ms, 300 * ms
	frames, _, stats := pausedTransfer(t, func(l *testlab.Lab) *ip.Host { return l.A }, at, d)
	require.Zero(t, stats.Timeouts)
	for _, s := range frames {
		if s.port == 0 {
			// The transmitter may have been given a queue of frames before.
			require.False(t, s.at > at+250*ms && s.at < at+d, "the paused host sent something at %v", s.at)
		}
	}
}

// Timers of a paused host's stack fire when it goes on: a retransmission that is due in the pause leaves at its end.
func TestTimersOfPausedHostAreLate(t *testing.T) {
	tap := &record{}
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0), Tap: tap, TCP: ip.TCPConfig{NoRACK: true}}, func(t *testing.T, l *testlab.Lab) {
		a, _ := pair(t, l)
		l.At(time.Second, func() {
			p := l.Links[0].Params(netem.Forward)
			p.Down = true
			require.NoError(t, l.Links[0].Set(netem.Forward, p))
		})
		l.Net.SleepUntil(l.Context(), 0, 1100*ms)
		start := l.Elapsed()
		a.Write([]byte("lost")) // the timer of 200 ms is due in the pause
		l.Sleep(50 * ms)
		do(l, l.A.Pause)
		l.Sleep(time.Second)
		var resumed time.Duration
		do(l, func() { resumed = l.Elapsed(); l.A.Resume() })
		l.Sleep(ms)
		sent := tap.after(0, start+ms)
		require.Len(t, sent, 1)
		require.Equal(t, resumed, sent[0].at)
		require.EqualValues(t, 1, l.A.Stats().TCP.Timeouts)
	})
}

// Datagrams for a paused host are in flight until it goes on and are received in order then; those that it sends meanwhile, woken by
// a timer that isn't the lab's, leave then. What the lab's clock wakes is late.
func TestPausedHost(t *testing.T) {
	tap := &record{}
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0), Tap: tap}, func(t *testing.T, l *testlab.Lab) {
		a, err := udp.Listen(l.A, ":9")
		require.NoError(t, err)
		b, err := udp.Listen(l.B, ":9")
		require.NoError(t, err)
		to := func(h *ip.Host) net.Addr { return &net.UDPAddr{IP: h.Addresses()[0].AsSlice(), Port: 9} }
		var log []string
		note := func(format string, args ...any) {
			log = append(log, fmt.Sprintf("%v "+format, append([]any{l.Elapsed().Round(time.Microsecond)}, args...)...))
		}
		l.B.Go(func() {
			buffer := make([]byte, 100)
			for {
				n, _, err := b.ReadFrom(buffer)
				if err != nil {
					note("read: %v", err)
					return
				}
				note("read %s", buffer[:n])
			}
		})
		l.At(100*ms, func() {
			l.B.Pause()
			l.B.Pause()
			require.True(t, l.B.Paused())
			l.B.Go(func() { note("go") })
		})
		l.B.Go(func() { l.B.Sleep(context.Background(), 150*ms); note("slept") })
		time.AfterFunc(160*ms, func() { b.WriteTo([]byte("from the pause"), to(l.A)) })
		l.B.Go(func() {
			b2, _ := udp.Listen(l.B, ":10")
			b2.SetReadDeadline(time.Now().Add(170 * ms))
			b2.ReadFrom(nil)
			note("deadline")
			b2.Close()
		})
		for i := range 3 {
			l.At(time.Duration(110+20*i)*ms, func() { a.WriteTo(fmt.Append(nil, i), to(l.B)) })
		}
		l.At(200*ms, func() { require.Equal(t, 3, l.Net.InFlight()); require.Empty(t, log) })
		l.At(300*ms, func() { l.B.Resume(); l.B.Resume() })
		l.Sleep(400 * ms)
		require.Equal(t, []string{"300ms go", "300ms read 0", "300ms read 1", "300ms slept", "300ms read 2", "300ms deadline"}, log)
		require.Zero(t, l.Net.InFlight())
		sent := tap.after(1, 0)
		require.Len(t, sent, 1)
		require.Equal(t, 300*ms, sent[0].at.Round(time.Microsecond))
		b.Close()
	})
}

// What has waited for a host that crashes in its pause is dropped, and its goroutines end.
func TestCrashInPause(t *testing.T) {
	tap := &record{}
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0), Tap: tap}, func(t *testing.T, l *testlab.Lab) {
		a, b := pair(t, l)
		old := l.B
		do(l, l.B.Pause)
		paused := l.Elapsed()
		a.Write([]byte("too late"))
		b.Write([]byte("never"))
		started := false
		l.B.Go(func() { started = true })
		l.B.Go(func() {
			_, err := b.Read(make([]byte, 10))
			require.ErrorIs(t, err, ip.ErrHostDown)
		})
		l.Sleep(100 * ms)
		require.False(t, started)
		require.NotZero(t, l.Net.InFlight())
		require.Zero(t, l.Dropped(0, netem.Forward))
		do(l, l.B.Crash)
		old.Wait()
		l.Sleep(ms)
		require.NotZero(t, l.Links[0].Stats(netem.Forward).Dropped[netem.DropNodeDown])
		restart(t, l)
		require.True(t, started)
		require.False(t, old.Paused())
		require.False(t, l.B.Paused())
		l.Sleep(ms)
		require.Empty(t, tap.after(1, paused))
	})
}

// That is so too for a host that is started again in the instant of its crash: it doesn't answer what the old one had not read yet.
func TestCrashInPauseAndRebornAtOnce(t *testing.T) {
	tap := &record{}
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0), Tap: tap}, func(t *testing.T, l *testlab.Lab) {
		a, _ := pair(t, l)
		do(l, l.B.Pause)
		paused := l.Elapsed()
		a.Write([]byte("too late"))
		l.Sleep(100 * ms)
		restart(t, l)
		l.Sleep(ms)
		require.EqualValues(t, 1, l.Links[0].Stats(netem.Forward).Dropped[netem.DropNodeDown])
		require.Empty(t, tap.after(1, paused))
	})
}

// A run may end while a host is paused.
func TestEndInPause(t *testing.T) {
	for _, crash := range []bool{false, true} {
		testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
			a, b := pair(t, l)
			do(l, l.B.Pause)
			a.Write([]byte("x"))
			l.B.Go(func() { b.Read(make([]byte, 10)); b.Read(make([]byte, 10)) })
			l.B.Go(func() { tcp.Dial(context.Background(), l.B, "a:81") })
			l.B.Go(func() { l.B.Sleep(context.Background(), time.Hour) })
			l.Sleep(time.Second)
			require.NotZero(t, l.Net.InFlight())
			if crash {
				do(l, l.B.Crash)
			}
			l.B.Close()
			l.B.Wait()
			l.Sleep(0)
			require.Zero(t, l.Net.InFlight())
		})
	}
}
