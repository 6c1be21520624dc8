package backend_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/services"
	"netlab/services/backend"
	"netlab/services/balance"
	"netlab/units"
)

func count(names []string) map[string]int {
	n := map[string]int{}
	for _, name := range names {
		n[name]++
	}
	return n
}

// A backend that comes back has a tenth of its weight for a tenth of the window, and then as much as of the window is over. With
// weights 1 and w it gets w/(1+w) of the requests, which smooth weighted round robin gives exactly.
func TestSlowStartWeights(t *testing.T) {
	c := config("b1:80", "b2:80")
	c.Algorithm = balance.WeightedRoundRobin
	c.SlowStart = &backend.SlowStart{Window: duration(10 * time.Second)}
	until20 := duration(20 * time.Second)
	c.Drain = []backend.Drain{{Backend: "b2", At: duration(10 * time.Second), Until: &until20}}
	inPool(t, c, func(l *testlab.Lab, p *pool) {
		require.Equal(t, map[string]int{"b1": 50, "b2": 50}, count(p.names(100)), "none is new at the start")
		until(l, 15*time.Second)
		require.Equal(t, map[string]int{"b1": 100}, count(p.names(100)))
		for _, c := range []struct {
			at            time.Duration
			first, second int
		}{
			{20*time.Second + ms, 100, 10}, {20999 * ms, 100, 10}, {22500 * ms, 100, 25}, {25 * time.Second, 100, 50},
			{29999 * ms, 100, 99}, {30 * time.Second, 100, 100}, {40 * time.Second, 100, 100},
		} {
			until(l, c.at)
			require.Equal(t, map[string]int{"b1": c.first, "b2": c.second}, count(p.names(c.first+c.second)), "%s", c.at)
		}
	})
}

// Of four backends b1 and b2 are down. With a threshold of 50% that is enough, with one of 51% all are used.
func TestPanicThreshold(t *testing.T) {
	one, all := 1, units.Probability(1)
	for _, c := range []struct {
		threshold units.Probability
		bad       []string
		want      string
	}{
		{0.5, []string{"b1", "b2"}, "b3 b4 b3 b4"},
		{0.51, []string{"b1", "b2"}, "b1 b2 b3 b4"},
		{0.01, []string{"b1", "b2", "b3", "b4"}, "b1 b2 b3 b4"},
	} {
		config := config("b1:80", "b2:80", "b3:80", "b4:80")
		config.PanicThreshold = c.threshold
		config.Outlier = &backend.Outlier{Consecutive5xx: &one, MaxEjected: &all}
		result := inPool(t, config, func(l *testlab.Lab, p *pool) {
			for _, name := range c.bad {
				p.answer(name, 500)
			}
			names := p.names(8)
			require.Equal(t, count(strings.Fields(c.want+" "+c.want)), count(names), "%v", names)
		})
		require.Equal(t, strings.HasPrefix(c.want, "b1"), result.PanicPicked > 0)
	}
}

// Backups are used when no other may be; then the checks are not mistrusted.
func TestBackups(t *testing.T) {
	one, all := 1, units.Probability(1)
	c := config("b1:80", "b2:80", "b3:80")
	c.Backends[2].Backup = true
	c.PanicThreshold = 0.5
	c.Outlier = &backend.Outlier{Consecutive5xx: &one, MaxEjected: &all, BaseEjection: duration(time.Second)}
	result := inPool(t, c, func(l *testlab.Lab, p *pool) {
		require.Equal(t, map[string]int{"b1": 2, "b2": 2}, count(p.names(4)))
		p.answer("b1", 500)
		p.answer("b2", 500)
		require.Equal(t, []string{"b3", "b3"}, p.names(2))
		until(l, 2*time.Second)
		require.Equal(t, map[string]int{"b1": 2, "b2": 2}, count(p.names(4)))
	})
	require.Equal(t, uint64(2), result.BackupPicked)
	require.Zero(t, result.PanicPicked)
}

// One request at a time; two wait, the third is refused. Who waits is served in order, until its time is over.
func TestQueue(t *testing.T) {
	c := config("b:80")
	c.MaxConnections = 1
	c.Queue = &backend.Queue{Length: 2, Timeout: duration(5 * time.Second)}
	result := inPool(t, c, func(l *testlab.Lab, p *pool) {
		var said []string
		ended := make(chan struct{}, 4)
		ask := func(at time.Duration, ctx context.Context, name string) {
			l.A.Go(func() {
				defer func() { ended <- struct{}{} }()
				l.A.SleepUntil(l.Context(), at)
				lease, err := p.Pick(ctx, request())
				said = append(said, fmt.Sprintf("%s %s %v", name, l.Elapsed().Round(time.Microsecond), err))
				if err == nil {
					l.A.Sleep(l.Context(), 4*time.Second)
					lease.Done(backend.Outcome{Status: 200})
				}
			})
		}
		gone, leave := context.WithCancel(l.Context())
		lease := p.pick()
		ask(1*time.Second, l.Context(), "first")
		ask(2*time.Second, l.Context(), "second")
		ask(2500*ms, l.Context(), "third")
		until(l, 3*time.Second)
		lease.Done(backend.Outcome{Status: 200})
		ask(4*time.Second, gone, "fourth")
		until(l, 5*time.Second)
		leave()
		for range 4 {
			<-ended
		}
		require.Equal(t, []string{
			"third 2.5s " + backend.ErrFull.Error(), "first 3s <nil>", "fourth 5s context canceled", "second 7s " + backend.ErrQueueTimeout.Error(),
		}, said)
	})
	require.Equal(t, uint64(1), result.Full)
	require.Equal(t, backend.Queued{Waited: 3, TimedOut: 1, Longest: 2, Wait: result.Queue.Wait}, result.Queue)
	require.Equal(t, duration(2*time.Second), rounded(result.Queue.Wait.Avg))
	require.Equal(t, uint64(1), result.Backends["b"].MaxInFlight)
}

// Who waits for a backend is told at once when none is left.
func TestQueueOfABackendThatGoes(t *testing.T) {
	c := config("b:80")
	c.MaxConnections = 1
	c.Queue = &backend.Queue{Length: 2}
	c.Drain = []backend.Drain{{Backend: "b", At: duration(time.Second)}}
	inPool(t, c, func(l *testlab.Lab, p *pool) {
		p.pick()
		_, err := p.Pick(l.Context(), request())
		require.ErrorIs(t, err, backend.ErrNone)
		require.Equal(t, time.Second, l.Elapsed().Round(time.Microsecond))
	})
}

// Draining: no new requests but those of sessions, and what takes too long is cut off, in the order in which it began.
func TestDrain(t *testing.T) {
	c := config("b1:80", "b2:80")
	two, until5 := duration(2*time.Second), duration(5*time.Second)
	c.Drain = []backend.Drain{{Backend: "b1", At: duration(time.Second), Timeout: &two, Until: &until5}}
	result := inPool(t, c, func(l *testlab.Lab, p *pool) {
		var cut []string
		var leases []*backend.Lease
		for i := range 6 {
			lease := p.pick()
			leases = append(leases, lease)
			lease.OnCut(func() {
				cut = append(cut, fmt.Sprint(i, " ", l.Elapsed().Round(time.Microsecond)))
				lease.Done(backend.Outcome{Abandoned: true})
			})
		}
		until(l, 1500*ms)
		leases[2].Done(backend.Outcome{Status: 200})
		require.Equal(t, []string{"b2", "b2"}, p.names(2))
		session, err := p.Take("b1")
		require.NoError(t, err)
		session.Done(backend.Outcome{Status: 200})
		until(l, 4*time.Second)
		require.Equal(t, []string{"0 3s", "4 3s"}, cut)
		until(l, 6*time.Second)
		require.Equal(t, map[string]int{"b1": 2, "b2": 2}, count(p.names(4)))
		undo, ok := p.Drain("b2")
		require.True(t, ok)
		require.Equal(t, map[string]int{"b1": 4}, count(p.names(4)))
		undo()
		require.Equal(t, map[string]int{"b1": 2, "b2": 2}, count(p.names(4)))
		_, ok = p.Drain("b3")
		require.False(t, ok)
	})
	require.Equal(t, uint64(2), result.Backends["b1"].Cut)
	require.Equal(t, []backend.Transition{
		{T: duration(time.Second), From: "up", To: "draining", Reason: "drained"},
		{T: duration(5 * time.Second), From: "draining", To: "up", Reason: "no longer drained"},
	}, times(result.Backends["b1"]))
}

// Requests that exclude a backend, because they have tried it, get another one, or none.
func TestExclude(t *testing.T) {
	inPool(t, config("b1:80", "b2:80"), func(l *testlab.Lab, p *pool) {
		for range 4 {
			lease, err := p.Pick(l.Context(), balance.Request{Exclude: func(i int) bool { return i == 0 }})
			require.NoError(t, err)
			require.Equal(t, "b2", lease.Name())
			require.Equal(t, "b2:80", lease.Address())
		}
		_, err := p.Pick(l.Context(), balance.Request{Exclude: func(int) bool { return true }})
		require.ErrorIs(t, err, backend.ErrNone)
	})
}

// A host that crashed begins with healthy backends; what was counted goes on.
func TestCountersGoOn(t *testing.T) {
	c := config("b1:80", "b2:80")
	counters := backend.NewCounters()
	one := 1
	c.Outlier = &backend.Outlier{Consecutive5xx: &one}
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		for range 2 {
			env := envOf(l)
			p, err := backend.New(env, c, backend.Options{Counters: counters})
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(l.Context())
			env.Go(func() { p.Run(ctx) })
			lease, err := p.Pick(ctx, request())
			require.NoError(t, err)
			require.Equal(t, "b1", lease.Name())
			lease.Done(backend.Outcome{Failed: true})
			l.Sleep(time.Second)
			require.Equal(t, backend.Ejected, counters.Result().Backends["b1"].State)
			cancel()
			env.Wait()
			l.Sleep(time.Second)
		}
	})
	b := counters.Result().Backends["b1"]
	require.Equal(t, uint64(2), b.Picked)
	require.Equal(t, uint64(2), b.Ejections)
	require.Equal(t, duration(2*time.Second), rounded(b.Out))
}

// The nearest backend is chosen by the client's address, as far as it is known where that is.
func TestGeographic(t *testing.T) {
	c := config("a:80", "b:80")
	c.Algorithm = balance.Geographic
	dublin, _ := services.ParseLocation("eu-west")
	tokyo, _ := services.ParseLocation("ap-northeast")
	require.NoError(t, c.ValidateLocations(map[string]services.Location{"a": dublin, "b": tokyo}))
	require.EqualError(t, c.ValidateLocations(map[string]services.Location{"a": dublin}), "backends[1]: b has no location, and geographic chooses by it: give the node one, "+
		`such as "location": "eu-west" or "location": "52.5,13.4" (latitude and longitude)`)
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		env := envOf(l)
		env.Locations = map[string]services.Location{"a": dublin, "b": tokyo}
		p, err := backend.New(env, c, backend.Options{})
		require.NoError(t, err)
		for _, h := range []*ip.Host{l.A, l.B} {
			lease, err := p.Pick(l.Context(), balance.Request{Source: h.Addresses()[0]})
			require.NoError(t, err)
			require.Equal(t, h.Name(), lease.Name())
		}
		c.Backends[1].To = "192.0.2.1:80"
		_, err = backend.New(env, c, backend.Options{})
		require.ErrorContains(t, err, "backends[1]: 192.0.2.1 is the address of no node with a location")
	})
}
