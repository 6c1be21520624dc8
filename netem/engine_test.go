package netem

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Events that are due at one instant run by owner, then by kind, then as they were scheduled, whoever did it when.
func TestOrderOfCoincidentEvents(t *testing.T) {
	type label struct {
		owner Owner
		kind  Kind
		n     int
	}
	var want []label
	for owner := range Owner(4) {
		for kind := KindControl; kind <= KindWake; kind++ {
			want = append(want, label{owner, kind, 0}, label{owner, kind, 1})
		}
	}
	for seed := range uint64(10) {
		var got []label
		var at []time.Duration
		bubble(t, Config{}, func(n *Network) {
			for round := range 2 {
				r := rand.New(rand.NewPCG(seed, uint64(round)))
				for _, i := range r.Perm(len(want) / 2) {
					l := want[2*i]
					l.n = round
					n.At(l.owner, l.kind, time.Second, func() {
						got = append(got, l)
						at = append(at, n.Elapsed())
					})
				}
			}
		})
		require.Equal(t, want, got)
		require.Equal(t, slices.Repeat([]time.Duration{time.Second}, len(want)), at, "the nominal time of all of them")
	}
}

// Of events that touch goroutines no two run at one reading of the machine's clock, and of the engine's no two readings
// are equal, wherever they are taken.
func TestReadingsIncrease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEngine(Config{})
		var readings, clock []time.Duration
		for range 100 {
			e.At(1, KindTimer, time.Second, func() {
				clock = append(clock, time.Since(e.start))
				readings = append(readings, e.Reading(), e.Reading())
			})
		}
		var group sync.WaitGroup
		shared := make(chan time.Duration, 1000)
		for range 10 {
			group.Go(func() {
				for range 100 {
					shared <- e.Reading()
				}
			})
		}
		group.Wait()
		require.ErrorIs(t, e.Run(context.Background()), ErrStandstill)
		close(shared)
		seen := map[time.Duration]bool{}
		for r := range shared {
			require.False(t, seen[r])
			seen[r] = true
		}
		for _, list := range [][]time.Duration{readings, clock} {
			for i := 1; i < len(list); i++ {
				require.Greater(t, list[i], list[i-1])
			}
		}
		require.GreaterOrEqual(t, readings[0], time.Second)
		require.Equal(t, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), e.Epoch().UTC())
	})
}

// What is put off until everybody is blocked is done by owner and key, before those who wait are woken, who then run one
// after the other.
func TestLaterAndWake(t *testing.T) {
	var log []string
	synctest.Test(t, func(t *testing.T) {
		e := NewEngine(Config{})
		wait := map[string]chan struct{}{}
		for _, name := range []string{"a", "b", "c"} {
			c := make(chan struct{}, 1)
			wait[name] = c
			go func() {
				<-c
				log = append(log, name+" wakes")
				e.Later(0, 0, func() { log = append(log, "after "+name) })
				for range 3 {
					synctestYield(e)
					log = append(log, name+" works")
				}
			}()
		}
		e.At(0, KindControl, ms, func() {
			for _, name := range []string{"b", "a", "c", "b"} { // a channel that is full already is left alone
				e.Wake(wait[name])
			}
			e.Later(2, 0, func() { log = append(log, "later 2 0") })
			e.Later(1, 7, func() {
				log = append(log, "later 1 7")
				e.Later(0, 0, func() { log = append(log, "later 0 0") })
			})
			e.Later(1, 3, func() { log = append(log, "later 1 3") })
			log = append(log, "event")
		})
		e.At(0, KindControl, ms, func() { log = append(log, "next event") })
		require.ErrorIs(t, e.Run(context.Background()), ErrStandstill)
	})
	works := func(name string) []string {
		return []string{name + " wakes", name + " works", name + " works", name + " works", "after " + name}
	}
	require.Equal(t, slices.Concat([]string{"event", "later 1 3", "later 1 7", "later 2 0", "later 0 0"},
		works("b"), works("a"), works("c"), []string{"next event"}), log)
}

// Those who begin something together run one after the other, and what all of them put off comes after the last of them.
func TestWakeTogether(t *testing.T) {
	var log []string
	synctest.Test(t, func(t *testing.T) {
		e := NewEngine(Config{})
		var list []chan struct{}
		for _, name := range []string{"a", "b", "c"} {
			c := make(chan struct{}, 1)
			list = append(list, c)
			go func() {
				<-c
				e.Later(0, 0, func() { log = append(log, "after "+name) })
				synctestYield(e)
				log = append(log, name)
			}()
		}
		e.At(0, KindControl, ms, func() {
			e.Later(0, 0, func() { log = append(log, "later") })
			e.WakeTogether(list)
		})
		require.ErrorIs(t, e.Run(context.Background()), ErrStandstill)
	})
	require.Equal(t, []string{"a", "b", "c", "later", "after a", "after b", "after c"}, log)
}

// Turns are taken by name and number, whoever asked first, before what was put off.
func TestTurns(t *testing.T) {
	var log []string
	synctest.Test(t, func(t *testing.T) {
		e := NewEngine(Config{})
		e.At(0, KindControl, ms, func() {
			e.Later(0, 0, func() { log = append(log, "later") })
			for _, who := range []struct {
				name   string
				number uint64
			}{{"b", 1}, {"a", 10}, {"a", 9}} {
				c := make(chan struct{}, 1)
				go func() {
					e.Turn(who.name, who.number, c)
					<-c
					synctestYield(e)
					log = append(log, fmt.Sprint(who.name, who.number))
				}()
			}
		})
		require.ErrorIs(t, e.Run(context.Background()), ErrStandstill)
	})
	require.Equal(t, []string{"a9", "a10", "b1", "later"}, log)
}

// synctestYield gives other goroutines the chance to run.
func synctestYield(e *Engine) {
	done := make(chan struct{})
	go close(done)
	<-done
	e.Reading()
}

// Goroutines that send at one instant, in any order, put the same sequence of frames on the wire.
func TestSendersLeaveInCanonicalOrder(t *testing.T) {
	var first []byte
	for seed := range uint64(20) {
		var arrived []byte
		bubble(t, Config{}, func(n *Network) {
			sink := func(_ time.Duration, f *Frame) {
				arrived = append(arrived, f.Data[len(f.Data)-1])
				f.Release()
			}
			var ports []*Port
			for i := range 3 {
				p, q := n.NewPort(PortConfig{Node: NodeID(i)}), n.NewPort(PortConfig{Node: 9, Passive: true, Receive: sink})
				_, err := n.Connect(string(rune('a'+i)), p, q, latency(ms), latency(ms))
				require.NoError(t, err)
				ports = append(ports, p)
			}
			start := make(chan struct{})
			r := rand.New(rand.NewPCG(seed, 0))
			for _, i := range r.Perm(12) {
				go func() {
					<-start
					for k := range 3 {
						p := packet{protocol: protocolUDP, ports: [4]byte{byte(i / 3)}, number: byte(10*i + k)}
						f := n.NewFrame(len(p.data()))
						copy(f.Data, p.data())
						ports[i%3].Send(f)
						synctestYield(n.Engine)
					}
				}()
			}
			n.At(0, KindControl, ms, func() { close(start) })
		})
		require.Len(t, arrived, 36)
		if first == nil {
			first = arrived
		}
		require.Equal(t, first, arrived)
	}
	for i := range first { // ports one after the other, in each the flows, in each as they were sent
		port, flow, number := i/12, i/3%4, i%3
		require.EqualValues(t, 10*(3*flow+port)+number, first[i])
	}
}

// A run ends by Stop after the present event, and by its context; then it can go on.
func TestStopAndContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEngine(Config{})
		ran := 0
		for i := range 4 {
			e.At(0, KindControl, time.Duration(i)*ms, func() {
				ran++
				if ran == 2 {
					e.Stop()
				}
			})
		}
		require.NoError(t, e.Run(context.Background()))
		require.Equal(t, 2, ran)
		require.NoError(t, e.Run(context.Background()), "it stays stopped")

		e.stopped.Store(false)
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(context.Background())
		e.At(0, KindControl, 2*ms+1, func() { cancel(cause) })
		require.ErrorIs(t, e.Run(ctx), cause)
		require.Equal(t, 3, ran)
		require.ErrorIs(t, e.Run(context.Background()), ErrStandstill)
		require.Equal(t, 4, ran)
		at, steps := e.Progress()
		require.Equal(t, 3*ms, at)
		require.EqualValues(t, 5, steps)
		require.EqualValues(t, 5, e.Step())
	})
}
