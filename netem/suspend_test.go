package netem

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// What was due while its owner stood still happens at its end, in the order that it would have had; what others do isn't disturbed.
func TestSuspend(t *testing.T) {
	var log []string
	bubble(t, Config{}, func(n *Network) {
		note := func(what string) func() {
			return func() { log = append(log, fmt.Sprintf("%v %s", n.Elapsed(), what)) }
		}
		for owner := range Owner(4) {
			for i, kind := range []Kind{KindWake, KindArrival, KindTimer, KindControl, KindTransmit} {
				n.At(owner, kind, time.Duration(20+10*i), note(fmt.Sprintf("%d/%d", owner, kind)))
			}
		}
		moved := n.At(1, KindTimer, 35, note("moved"))
		stopped := n.At(1, KindTimer, 36, note("stopped"))
		n.At(0, KindControl, 10, func() {
			n.Suspend(1, 3)
			n.Suspend(1)
		})
		n.At(0, KindControl, 37, func() {
			stopped.Stop()
			moved.ResetAt(45)
		})
		n.At(0, KindControl, 38, func() { n.AfterFunc(1, KindWake, 0, note("new")) })
		n.At(0, KindControl, 100, func() { n.Unsuspend(1) })
		n.At(0, KindControl, 200, func() { n.Unsuspend(1, 2, 3) })
		n.At(1, KindTimer, 150, note("afterwards"))
	})
	require.Equal(t, []string{
		"20ns 0/5", "20ns 2/5", "30ns 0/1", "30ns 2/1", "40ns 0/3", "40ns 2/3",
		"50ns 0/0", "50ns 1/0", "50ns 2/0", "50ns 3/0",
		"60ns 0/2", "60ns 1/2", "60ns 2/2", "60ns 3/2",
		"100ns 1/5", "100ns 1/1", "100ns new", "100ns 1/3", "100ns moved",
		"150ns afterwards",
		"200ns 3/5", "200ns 3/1", "200ns 3/3",
	}, log)
}

// Frames for a port that stands still are in flight, and those that it sends wait; what it gave to the transmitter before goes on.
func TestSuspendPort(t *testing.T) {
	type arrival struct {
		at   time.Duration
		port string
		data byte
	}
	var got []arrival
	bubble(t, Config{}, func(n *Network) {
		ports := map[string]*Port{}
		for _, name := range []string{"a", "b"} {
			ports[name] = n.NewPort(PortConfig{Name: name, Host: name, Passive: true, Receive: func(at time.Duration, f *Frame) {
				got = append(got, arrival{at, name, f.Data[20]})
				f.Release()
			}})
		}
		p := Params{MTU: DefaultMTU, Latency: units.Constant(10), Rate: units.FixedRate(8e9)} // a byte in a nanosecond
		_, err := n.Connect("a--b", ports["a"], ports["b"], p, p)
		require.NoError(t, err)
		send := func(port string, at time.Duration, data byte) {
			n.At(0, KindControl, at, func() {
				f := n.NewFrame(100)
				f.Data[20] = data
				ports[port].Send(f)
			})
		}
		send("b", 10, 1)
		send("b", 11, 2) // waits for the transmitter
		n.At(0, KindControl, 50, func() { n.Suspend(ports["b"].Owner()) })
		send("b", 60, 3)
		send("a", 70, 4)
		send("a", 300, 5)
		n.At(0, KindControl, 900, func() { require.Equal(t, 2, n.InFlight()) })
		n.At(0, KindControl, 1000, func() { n.Unsuspend(ports["b"].Owner()) })
		send("a", 1001, 6)
	})
	require.Equal(t, []arrival{{120, "a", 1}, {220, "a", 2}, {1000, "b", 4}, {1000, "b", 5}, {1110, "a", 3}, {1111, "b", 6}}, got)
}

// With everybody suspended nothing can happen any more.
func TestSuspendedForEver(t *testing.T) {
	bubble(t, Config{Limit: time.Hour}, func(n *Network) {
		n.At(1, KindTimer, 20, func() { t.Error("ran") })
		n.At(0, KindControl, 10, func() { n.Suspend(1) })
	})
}

// Timers of an owner that is no more don't fire, wherever they wait; others do, and forgotten ones may be set again.
func TestForget(t *testing.T) {
	var log []string
	bubble(t, Config{}, func(n *Network) {
		note := func(what string) func() { return func() { log = append(log, what) } }
		again := n.At(1, KindTimer, 20, note("again"))
		n.At(1, KindTimer, 30, note("forgotten"))
		n.At(1, KindArrival, 40, note("forgotten"))
		n.At(1, KindWake, 40, note("wake"))
		n.At(2, KindTimer, 40, note("other"))
		n.At(0, KindControl, 10, func() { n.Suspend(1) })
		stale := n.At(1, KindTimer, 500, note("forgotten"))
		n.At(0, KindControl, 25, func() {
			stale.ResetAt(400) // leaves a stale event
			n.Forget(1, KindTimer, KindArrival)
			require.False(t, again.Stop())
			require.Zero(t, n.stale)
			again.ResetAt(60)
		})
		n.At(0, KindControl, 50, func() { n.Unsuspend(1) })
	})
	require.Equal(t, []string{"other", "wake", "again"}, log)
}

// BenchmarkTimers lets a thousand timers fire and sets them again, while nobody or one more owner stands still.
func BenchmarkTimers(b *testing.B) {
	for _, suspended := range []bool{false, true} {
		b.Run(fmt.Sprintf("suspended=%v", suspended), func(b *testing.B) {
			e := NewEngine(Config{RealTime: true}) // all of them are overdue all the time
			left := b.N
			for i := range 1000 {
				var t *Timer
				t = e.NewTimer(Owner(i+1), KindTimer, func() {
					if left--; left <= 0 {
						e.Stop()
						return
					}
					t.Reset(time.Duration(1 + i%7))
				})
				t.inert = true
				t.Reset(time.Duration(i))
			}
			if suspended {
				e.Suspend(2000)
			}
			b.ReportAllocs()
			b.ResetTimer()
			require.NoError(b, e.Run(context.Background()))
		})
	}
}
