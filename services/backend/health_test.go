package backend_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/services"
	"netlab/services/backend"
	"netlab/services/secure"
	"netlab/services/web"
	"netlab/units"
)

// The backend is checked every second from 0s on, with a timeout of 300 ms. What happens to it does so at 2.5s, so that the checks of
// 3s, 4s and 5s fail, and is over at 10.5s, so that those of 11s and 12s pass. A connection takes 2 ms, a request 2 ms more.
func TestDetectionIsArithmetic(t *testing.T) {
	const fall, rise = "3 checks failed: ", "2 checks passed"
	server := func(errors units.Probability) *web.ServerConfig {
		c := web.NewServerConfig()
		c.Objects, c.Cores, c.ServiceTime, c.ErrorRate = 10, 100, units.Constant(10*ms), errors
		return c
	}
	var service *testlab.Instance
	serve := func(l *testlab.Lab, errors units.Probability) { service = l.Service(l.B, web.Server, server(errors)) }
	crash := func(l *testlab.Lab) { l.Crash(l.B) }
	restart := func(l *testlab.Lab) { l.Restart(l.B) }
	for _, c := range []struct {
		name, typ  string
		begin, end func(l *testlab.Lab)
		reason     string
		late, back time.Duration // after the check's beginning
	}{
		{"crash, tcp", "tcp", crash, restart, "timeout", 300 * ms, 2 * ms},
		{"crash, http", "http", crash, restart, "timeout", 300 * ms, 14 * ms},
		{"hang", "tcp", func(l *testlab.Lab) { l.Do(l.B.Pause) }, func(l *testlab.Lab) { l.Do(l.B.Resume) }, "timeout", 300 * ms, 2 * ms},
		{"cut off", "http", func(l *testlab.Lab) { cutOff(l, true) }, func(l *testlab.Lab) { cutOff(l, false) }, "timeout", 300 * ms, 14 * ms},
		{"slow", "http", func(l *testlab.Lab) { l.Do(func() { l.B.SetSlowdown(50) }) },
			func(l *testlab.Lab) { l.Do(func() { l.B.SetSlowdown(1) }) }, "timeout", 300 * ms, 14 * ms},
		{"errors", "http", func(l *testlab.Lab) { service.Stop(); serve(l, 1) },
			func(l *testlab.Lab) { service.Stop(); serve(l, 0) }, "check failed: status 500", 4 * ms, 14 * ms},
		{"stopped", "tcp", func(*testlab.Lab) { service.Stop() }, func(l *testlab.Lab) { serve(l, 0) }, "refused", 4 * ms, 2 * ms}, // over IPv4 and then over IPv6
	} {
		t.Run(c.name, func(t *testing.T) {
			config := config("b")
			config.Health = &backend.Health{Type: c.typ, Interval: duration(time.Second), Timeout: duration(300 * ms)}
			result := inPool(t, config, func(l *testlab.Lab, p *pool) {
				serve(l, 0)
				until(l, 2500*ms)
				c.begin(l)
				until(l, 10500*ms)
				c.end(l)
				until(l, 20*time.Second)
			})
			b := result.Backends["b"]
			require.Equal(t, []backend.Transition{
				{T: duration(5*time.Second + c.late), From: backend.Up, To: backend.Down, Reason: fall + c.reason},
				{T: duration(12*time.Second + c.back), From: backend.Down, To: backend.Up, Reason: rise},
			}, times(b))
			require.Equal(t, duration(2*time.Second+c.late), rounded(b.Detection.Avg))
			require.Equal(t, duration(7*time.Second+c.back-c.late), rounded(b.Out))
			require.Equal(t, uint64(1), b.Downs)
			require.Equal(t, uint64(8), b.Checks.Failed)
			require.Equal(t, b.Checks.Failed, b.Checks.Timeout+b.Checks.Refused+b.Checks.Status)
			require.InDelta(t, 20.5, b.Checks.Made, 0.5, "that of 20s may have begun")
		})
	}
}

func TestWhatAnHTTPCheckAsksFor(t *testing.T) {
	plain := func(*web.ServerConfig) {}
	for _, c := range []struct {
		name   string
		health backend.Health
		server func(*web.ServerConfig)
		state  backend.State
	}{
		{"a status that passes", backend.Health{Path: "/x", Status: []int{200}}, plain, backend.Up},
		{"a status that doesn't", backend.Health{Path: "/x", Status: []int{204}}, plain, backend.Down},
		{"a text that isn't there", backend.Health{Match: "healthy"}, plain, backend.Down},
		{"another port, where nobody listens", backend.Health{Port: 81}, plain, backend.Down},
		{"HEAD", backend.Health{Method: "HEAD", Host: "www.example"}, plain, backend.Up},
		{"TLS", backend.Health{TLS: &secure.Client{}}, func(c *web.ServerConfig) { c.TLS.On = true }, backend.Up},
		{"TLS from a server that has none", backend.Health{TLS: &secure.Client{}}, plain, backend.Down},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := config("b:80")
			c.health.Type, c.health.Fall = "http", 1
			config.Health = &c.health
			result := inPool(t, config, func(l *testlab.Lab, p *pool) {
				s := web.NewServerConfig()
				c.server(s)
				l.Service(l.B, web.Server, s)
				l.Sleep(5 * time.Second)
			})
			require.Equal(t, c.state, result.Backends["b"].State)
		})
	}
}

// A check of the type tcp over TLS makes a handshake.
func TestTLSCheckWithoutHTTP(t *testing.T) {
	config := config("b:80")
	config.Health = &backend.Health{TLS: &secure.Client{}, Fall: 1}
	result := inPool(t, config, func(l *testlab.Lab, p *pool) {
		s := web.NewServerConfig()
		s.TLS.On = true
		l.Service(l.B, web.Server, s)
		l.Sleep(3 * time.Second)
	})
	require.Empty(t, result.Backends["b"].Transitions)
}

// A backend that is down to begin with is up after so many checks, and a jitter delays each by less than its share.
func TestInitiallyDownWithJitter(t *testing.T) {
	config := config("b:80")
	half := units.Probability(0.5)
	config.Health = &backend.Health{Initial: "down", Rise: 2, Interval: duration(time.Second), Jitter: half}
	var first error
	result := inPool(t, config, func(l *testlab.Lab, p *pool) {
		l.Service(l.B, web.Server, web.NewServerConfig())
		_, first = p.Pick(l.Context(), request())
		l.Sleep(5 * time.Second)
	})
	require.ErrorIs(t, first, backend.ErrNone)
	up := result.Backends["b"].Transitions[0].T.Std()
	require.Greater(t, up, 1002*ms)
	require.Less(t, up, 1502*ms)
	require.Equal(t, uint64(1), result.Unavailable)
}

// A host that stands still makes the checks that it has missed not up for: it goes on with the next one.
func TestCheckerThatStoodStill(t *testing.T) {
	config := config("b:80")
	config.Health = &backend.Health{Interval: duration(time.Second)}
	result := inPool(t, config, func(l *testlab.Lab, p *pool) {
		l.Service(l.B, web.Server, web.NewServerConfig())
		var a *ip.Host = l.A
		until(l, 2500*ms)
		l.Do(a.Pause)
		until(l, 7500*ms)
		l.Do(a.Resume)
		until(l, 9500*ms)
	})
	require.Equal(t, uint64(3+1+2), result.Backends["b"].Checks.Made, "at 0, 1, 2, 7.5, 8 and 9 s")
	require.Empty(t, result.Backends["b"].Transitions)
}

var _ services.Shorthand = (*backend.Backends)(nil)
