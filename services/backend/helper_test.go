package backend_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/services"
	"netlab/services/backend"
	"netlab/services/balance"
	"netlab/units"
)

const ms = time.Millisecond

func duration(d time.Duration) units.Duration { return units.Duration(d) }

// config returns a configuration with backends.
func config(to ...string) backend.Config {
	c := backend.NewConfig()
	for _, t := range to {
		c.Backends = append(c.Backends, backend.Spec{To: services.TargetPattern(t)})
	}
	return c
}

// pool is a pool that runs on host a of a lab until the test is over.
type pool struct {
	*backend.Pool
	t     *testing.T
	lab   *testlab.Lab
	count *backend.Counters
}

// inPool runs body with a pool on host a. Host b is on a wire of 1 ms.
func inPool(t *testing.T, c backend.Config, body func(l *testlab.Lab, p *pool)) *backend.Result {
	t.Helper()
	require.NoError(t, c.Validate())
	count := backend.NewCounters()
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		env := envOf(l)
		p, err := backend.New(env, c, backend.Options{Port: 80, Counters: count})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(l.Context())
		ended := make(chan struct{})
		env.Go(func() {
			defer close(ended)
			p.Run(ctx)
		})
		body(l, &pool{p, t, l, count})
		cancel()
		<-ended
		env.Wait()
	})
	return count.Result()
}

// envOf returns what a service finds on host a.
func envOf(l *testlab.Lab) *services.Env {
	env := services.NewEnv(l.A, slog.New(slog.DiscardHandler), services.Service, "lb", 0, 1)
	env.Authority = l.Authority
	return env
}

// pick gets a backend or fails the test.
func (p *pool) pick() *backend.Lease {
	l, err := p.Pick(p.lab.Context(), balance.Request{})
	require.NoError(p.t, err)
	return l
}

// names picks n backends, each for a request that succeeds at once.
func (p *pool) names(n int) (names []string) {
	for range n {
		l := p.pick()
		names = append(names, l.Name())
		l.Done(backend.Outcome{Status: 200})
	}
	return names
}

// answer lets one backend answer with a status; others that are picked meanwhile succeed.
func (p *pool) answer(name string, status int) {
	for {
		l := p.pick()
		if l.Name() == name {
			l.Done(backend.Outcome{Status: status, Failed: status == 0})
			return
		}
		l.Done(backend.Outcome{Status: 200})
	}
}

// until waits until a time.
func until(l *testlab.Lab, at time.Duration) { l.Sleep(at - l.Elapsed()) }

func rounded(d units.Duration) units.Duration { return duration(d.Std().Round(time.Microsecond)) }

// times returns the transitions of a backend, rounded to microseconds: each frame comes a nanosecond after another.
func times(u *backend.Usage) (list []backend.Transition) {
	for _, t := range u.Transitions {
		t.T = rounded(t.T)
		list = append(list, t)
	}
	return list
}

func request() balance.Request { return balance.Request{} }

// cutOff loses every frame of the wire, or none.
func cutOff(l *testlab.Lab, lost bool) {
	p := testlab.Wire(ms, 0)
	if lost {
		p.Loss = testlab.Loss(1)
	}
	l.Do(func() {
		for _, direction := range []int{netem.Forward, netem.Backward} {
			require.NoError(l.T, l.Links[0].Set(direction, p))
		}
	})
}
