package clients_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services"
	"netlab/services/failures"
	"netlab/services/load"
	"netlab/services/load/clients"
	"netlab/services/web"
	"netlab/units"
)

func webServer(l *testlab.Lab) { l.Service(l.B, web.Server, web.NewServerConfig()) }

func httpLoad(change func(c *clients.HTTPConfig)) *clients.HTTPConfig {
	c := clients.NewHTTPConfig()
	c.URL = "http://b/page"
	change(c)
	return c
}

func TestHTTPClosedLoop(t *testing.T) {
	r := run(t, wire, webServer, clients.HTTPLoad, httpLoad(func(c *clients.HTTPConfig) {
		c.Users, c.ThinkTime, c.Duration = 10, units.Constant(80*ms), u(10*time.Second)
	}))
	// The first request of each user takes 20 ms more for the handshake; the last one starts at 9920 ms.
	require.EqualValues(t, 10*100, r.Requests)
	require.EqualValues(t, 1000, r.Succeeded)
	require.Equal(t, units.Rate(100), *r.Rate)
	require.Equal(t, u(20*ms), r.Latency.P99)
	require.Equal(t, u(40*ms), r.Latency.Max)
	require.EqualValues(t, 10, r.Phases.Connect.Count)
	require.Equal(t, u(20*ms), r.Phases.Connect.P50)
	require.Equal(t, u(20*ms), r.Phases.Wait.Max)
	require.Nil(t, r.Phases.DNS)
	require.Nil(t, r.Phases.TLS)
	require.Equal(t, map[string]uint64{"200": 1000}, r.Status)
	require.EqualValues(t, 1000, r.ByTarget["b"].Succeeded)
	require.EqualValues(t, 10_000_000, r.Bytes)
}

func TestHTTPConnections(t *testing.T) {
	count := func(change func(c *clients.HTTPConfig)) uint64 {
		r := run(t, wire, webServer, clients.HTTPLoad, httpLoad(func(c *clients.HTTPConfig) {
			c.Duration = u(5 * time.Second)
			change(c)
		}))
		require.Zero(t, r.Failed)
		return r.Phases.Connect.Count
	}
	// Users take turns: one connection is enough for those who share. The first two start within 20 ms of each other.
	closed := func(c *clients.HTTPConfig) {
		c.Users, c.ThinkTime, c.RampUp = 10, units.Constant(480*ms), u(500*time.Millisecond)
	}
	require.EqualValues(t, 10, count(closed))
	require.EqualValues(t, 1, count(func(c *clients.HTTPConfig) { closed(c); c.Connections = clients.Shared }))
	// A request each 10 ms takes 20 ms.
	open := func(c *clients.HTTPConfig) { c.Rate, c.Arrivals = 100, load.Constant }
	require.LessOrEqual(t, count(open), uint64(5))
	require.LessOrEqual(t, count(func(c *clients.HTTPConfig) { open(c); c.Connections = clients.PerUser }), uint64(5))
}

func TestHTTPPages(t *testing.T) {
	r := run(t, wire, webServer, clients.HTTPLoad, httpLoad(func(c *clients.HTTPConfig) {
		c.URL, c.Users, c.Requests = "", 1, 30
		c.URLs = []clients.Page{{URL: "http://b/bytes/10"}, {URL: "http://b/bytes/20"}, {URL: "http://b/bytes/x"}}
	}))
	require.Equal(t, map[string]uint64{"200": 20, "404": 10}, r.Status)
	require.Equal(t, failures.Counts{Status: 10}, r.Errors)
	require.EqualValues(t, 20, r.Succeeded)
	require.EqualValues(t, 300+10*len("not found\n"), r.Bytes)

	r = run(t, wire, webServer, clients.HTTPLoad, httpLoad(func(c *clients.HTTPConfig) {
		c.URL, c.Users, c.Requests = "", 4, 4000
		c.URLs = []clients.Page{{URL: "http://b/bytes/10", Weight: 3}, {URL: "http://b/bytes/x", Weight: 1}}
	}))
	require.InDelta(t, 1000, r.Failed, 4*27.4) // sqrt(4000 · 1/4 · 3/4)
}

func TestHTTPFailures(t *testing.T) {
	r := run(t, wire, nothing, clients.HTTPLoad, httpLoad(func(c *clients.HTTPConfig) { c.Users, c.Requests = 2, 10 }))
	require.Equal(t, failures.Counts{Refused: 10}, r.Errors)
	require.EqualValues(t, 10, r.ByTarget["b"].Failed)
	require.Empty(t, r.Status)
	require.Equal(t, units.Rate(0), *r.Rate)
}

func TestHTTPValidate(t *testing.T) {
	require.NoError(t, httpLoad(func(c *clients.HTTPConfig) { c.Users = 1 }).Validate())
	for field, change := range map[string]func(c *clients.HTTPConfig){
		"users":       func(c *clients.HTTPConfig) { c.Users = 0 },
		"url":         func(c *clients.HTTPConfig) { c.URL = "" },
		"urls":        func(c *clients.HTTPConfig) { c.URLs = []clients.Page{{URL: "http://b/"}} },
		"connections": func(c *clients.HTTPConfig) { c.Connections = "two" },
		"timeout":     func(c *clients.HTTPConfig) { c.Timeout = 0 },
	} {
		c := httpLoad(func(c *clients.HTTPConfig) { c.Users = 1 })
		change(c)
		var wrong *services.FieldError
		require.ErrorAs(t, c.Validate(), &wrong)
		require.Equal(t, field, wrong.Field)
	}
	for _, pages := range [][]clients.Page{{{URL: "http://b/", Weight: 1}, {URL: "http://b/2"}}, {{URL: "ftp://b/"}}, {{URL: "http://b/", Weight: -1}}} {
		c := httpLoad(func(c *clients.HTTPConfig) { c.URL, c.URLs, c.Users = "", pages, 1 })
		var wrong *services.FieldError
		require.ErrorAs(t, c.Validate(), &wrong)
		require.Equal(t, "urls", wrong.Field)
	}
}

// Random arrivals over a link that loses packets: the same results in two runs.
func TestHTTPRunsRepeat(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes with the race detector")
	}
	lossy := testlab.Config{Forward: testlab.Wire(10*ms, 10e6)}
	lossy.Forward.Loss = testlab.Loss(0.01)
	config := httpLoad(func(c *clients.HTTPConfig) { c.Rate, c.Duration = 200, u(5*time.Second) })
	first := run(t, lossy, webServer, clients.HTTPLoad, config)
	require.Positive(t, first.Succeeded)
	require.Equal(t, first, run(t, lossy, webServer, clients.HTTPLoad, config))
}
