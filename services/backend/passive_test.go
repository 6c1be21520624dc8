package backend_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services/backend"
	"netlab/units"
)

// Five errors in a row eject a backend. The n-th ejection takes n times the base, up to the maximum, and n is lower by one for each
// interval without an ejection.
func TestEjectionTimesGrow(t *testing.T) {
	c := config("b1:80", "b2:80")
	c.Outlier = &backend.Outlier{BaseEjection: duration(3 * time.Second), MaxEjection: duration(8 * time.Second), Interval: duration(5 * time.Second)}
	result := inPool(t, c, func(l *testlab.Lab, p *pool) {
		eject := func() {
			for range 5 {
				p.answer("b1", 500)
			}
		}
		until(l, 10*time.Second)
		eject() // for 3 s, until 13 s
		require.Equal(t, []string{"b2", "b2", "b2"}, p.names(3))
		until(l, 14*time.Second)
		eject() // for 6 s, until 20 s
		until(l, 21*time.Second)
		eject() // for 8 s instead of 9 s, until 29 s
		until(l, 39500*ms)
		eject() // after two intervals: 3 - 2 + 1 = 2, for 6 s
		until(l, 60*time.Second)
	})
	b := result.Backends["b1"]
	const reason = "consecutive errors"
	at := func(ms int) units.Duration { return duration(time.Duration(ms) * time.Millisecond) }
	require.Equal(t, []backend.Transition{
		{T: at(10_000), From: "up", To: "ejected", Reason: reason}, {T: at(13_000), From: "ejected", To: "up", Reason: "ejected for 3s"},
		{T: at(14_000), From: "up", To: "ejected", Reason: reason}, {T: at(20_000), From: "ejected", To: "up", Reason: "ejected for 6s"},
		{T: at(21_000), From: "up", To: "ejected", Reason: reason}, {T: at(29_000), From: "ejected", To: "up", Reason: "ejected for 8s"},
		{T: at(39_500), From: "up", To: "ejected", Reason: reason}, {T: at(45_500), From: "ejected", To: "up", Reason: "ejected for 6s"},
	}, times(b))
	require.Equal(t, uint64(4), b.Ejections)
	require.Equal(t, at(3_000+6_000+8_000+6_000), b.Ejected)
	require.Equal(t, at(23_000), rounded(b.Out))
	require.Equal(t, uint64(20), b.Failed)
}

func TestWhatEjects(t *testing.T) {
	zero := 0
	for _, c := range []struct {
		name     string
		outlier  backend.Outlier
		statuses []int
		ejected  bool
	}{
		{"four errors", backend.Outlier{}, []int{500, 502, 0, 503}, false},
		{"five errors", backend.Outlier{}, []int{500, 502, 0, 503, 599}, true},
		{"errors with a success among them", backend.Outlier{}, []int{500, 500, 500, 500, 404, 500}, false},
		{"gateway failures", backend.Outlier{ConsecutiveGateway: 3}, []int{502, 0, 504}, true},
		{"gateway failures with another error among them", backend.Outlier{ConsecutiveGateway: 3}, []int{502, 503, 500, 504}, false},
		{"gateway failures alone", backend.Outlier{ConsecutiveGateway: 2, Consecutive5xx: &zero}, []int{500, 500, 500, 500, 500, 500, 502}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := config("b1:80", "b2:80")
			config.Outlier = &c.outlier
			result := inPool(t, config, func(l *testlab.Lab, p *pool) {
				for _, status := range c.statuses {
					p.answer("b1", status)
				}
			})
			require.Equal(t, c.ejected, result.Backends["b1"].Ejections == 1)
		})
	}
}

// A quarter of eight may be ejected: two. One may be in any case.
func TestMaxEjected(t *testing.T) {
	for _, c := range []struct {
		share   units.Probability
		ejected uint64
	}{{0, 1}, {0.1, 1}, {0.25, 2}, {0.3, 2}, {1, 4}} {
		config := config("b1:80", "b2:80", "b3:80", "b4:80", "b5:80", "b6:80", "b7:80", "b8:80")
		one := 1
		config.Outlier = &backend.Outlier{MaxEjected: &c.share, Consecutive5xx: &one}
		result := inPool(t, config, func(l *testlab.Lab, p *pool) {
			for _, name := range []string{"b1", "b2", "b3", "b4"} {
				p.answer(name, 500)
			}
		})
		var ejected, refused uint64
		for _, b := range result.Backends {
			ejected += b.Ejections
			refused += b.EjectionsRefused
		}
		require.Equal(t, c.ejected, ejected, "%v", c.share)
		require.Equal(t, 4-c.ejected, refused)
	}
}

// Three failures in a row open the breaker for 5 s. Then two trials go, no more; a failure opens it again, two successes close it.
func TestBreakerStates(t *testing.T) {
	c := config("b:80")
	c.Breaker = &backend.Breaker{Failures: 3, OpenTime: duration(5 * time.Second), Trials: 2}
	none := func(l *testlab.Lab, p *pool) {
		_, err := p.Pick(l.Context(), request())
		require.ErrorIs(t, err, backend.ErrNone)
		_, err = p.Take("b")
		require.ErrorIs(t, err, backend.ErrNone)
	}
	result := inPool(t, c, func(l *testlab.Lab, p *pool) {
		for _, status := range []int{500, 500, 200, 500, 0} {
			p.answer("b", status)
		}
		late := p.pick()
		until(l, time.Second)
		p.answer("b", 503)
		none(l, p)
		until(l, 5999*ms)
		none(l, p)
		until(l, 6*time.Second+ms)
		first, second := p.pick(), p.pick()
		none(l, p)
		late.Done(backend.Outcome{Failed: true}) // it began before the breaker opened: it says nothing
		second.Done(backend.Outcome{Abandoned: true})
		p.pick().Done(backend.Outcome{Status: 200})
		none(l, p)
		until(l, 7*time.Second)
		first.Done(backend.Outcome{Failed: true})
		none(l, p)
		until(l, 13*time.Second)
		p.answer("b", 200)
		p.answer("b", 404)
		p.answer("b", 200)
	})
	b := result.Backends["b"]
	require.Equal(t, []backend.Transition{
		{T: duration(time.Second), From: "up", To: "open", Reason: "status 503"},
		{T: duration(6 * time.Second), From: "open", To: "half-open", Reason: "open for 5s"},
		{T: duration(7 * time.Second), From: "half-open", To: "open", Reason: "a request failed"},
		{T: duration(12 * time.Second), From: "open", To: "half-open", Reason: "open for 5s"},
		{T: duration(13 * time.Second), From: "half-open", To: "up", Reason: "a request succeeded"},
	}, times(b))
	require.Equal(t, uint64(2), b.BreakerOpened)
	require.Equal(t, uint64(1), b.Abandoned)
	require.Equal(t, duration(10*time.Second), rounded(b.Out))
	require.Equal(t, duration(time.Second), rounded(b.Detection.Max), "from the first failure of the row")
}

// Half of the requests of the last 10 s have to fail, if there are ten at least.
func TestBreakerFailureRate(t *testing.T) {
	c := config("b:80")
	c.Breaker = &backend.Breaker{FailureRate: 0.5}
	result := inPool(t, c, func(l *testlab.Lab, p *pool) {
		for range 4 { // four of eight: too few
			p.answer("b", 500)
			p.answer("b", 200)
			until(l, l.Elapsed()+ms)
		}
		until(l, 12*time.Second) // all are forgotten
		for range 5 {
			p.answer("b", 200)
		}
		for range 4 {
			p.answer("b", 500)
		}
		require.Equal(t, backend.Up, p.Members()[0].State)
		p.answer("b", 500)
		require.Equal(t, backend.Open, p.Members()[0].State)
	})
	require.Equal(t, uint64(1), result.Backends["b"].BreakerOpened)
}
