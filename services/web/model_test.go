package web_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services"
	"netlab/services/web"
	"netlab/units"
)

// With one core the requests of one connection after the other take what they wait and what they work, to the nanosecond.
func TestServerModel(t *testing.T) {
	one := 1
	model := func(c *web.ServerConfig) {
		c.Cores, c.ServiceTime, c.Queue = 1, units.Constant(100*ms), &one
	}
	r := with(t, model, func(a *asker) {
		a.do("GET", "/", "")
		done := make(chan string, 4)
		start := a.l.Elapsed()
		for i := range 4 {
			a.l.A.Go(func() {
				a.l.A.SleepUntil(a.l.Context(), start+time.Duration(i)*ms)
				began := a.l.Elapsed()
				response := a.open("GET", "/", "")
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
				done <- fmt.Sprint(i, " ", response.StatusCode, " ", (a.l.Elapsed() - began).Round(time.Microsecond))
			})
		}
		var got []string
		for range 4 {
			got = append(got, <-done)
		}
		// The first has a connection; two of the others find the queue full.
		require.ElementsMatch(t, []string{"0 200 120ms", "1 200 219ms", "2 503 40ms", "3 503 40ms"}, got)
	})
	require.EqualValues(t, 2, r.Capacity.Rejected)
	require.EqualValues(t, 3, r.Capacity.Served)
	require.Equal(t, units.Duration(79*ms), r.Capacity.Waiting.Max)
}

// A run over TLS: what the workload says is what the wire took.
func TestFetchOverTLS(t *testing.T) {
	server := web.NewServerConfig()
	server.Listen, server.TLS.On = ":443", true
	server.Handlers = map[string]web.Handler{"/img/": {Handler: "static", Size: size(100), Count: 30}}
	fetch := func(change func(*web.Config)) (*web.Result, *web.ServerResult) {
		return lab(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, server, config(func(c *web.Config) {
			c.URL, c.Objects, c.Concurrency = "https://b/img", 30, 30
			change(c)
		}))
	}
	r, s := fetch(func(c *web.Config) {})
	require.EqualValues(t, 30, r.Succeeded)
	require.EqualValues(t, 1, r.Connections)
	require.Equal(t, map[string]uint64{"http2": 30}, r.Protocols)
	require.Equal(t, map[string]uint64{"http2": 30}, s.Protocols)
	require.EqualValues(t, 30, s.Handlers["/img/"].Requests)
	require.Equal(t, same(20*ms), r.TLS)
	require.Equal(t, same(20*ms), r.Connect)
	for connections, took := range map[int]time.Duration{1: 640 * ms, 6: 140 * ms} {
		r, _ = fetch(func(c *web.Config) { c.HTTPVersion, c.MaxConnections = "http/1.1", connections })
		require.EqualValues(t, connections, r.Connections)
		require.Equal(t, took, r.Took.Std().Round(time.Microsecond))
	}
	r, _ = fetch(func(c *web.Config) { c.KeepAlive, c.Concurrency = false, 1 })
	require.EqualValues(t, 30, r.Connections)
	require.EqualValues(t, 29, r.Resumed)
	r, _ = fetch(func(c *web.Config) { c.URL = "https://10.0.1.2/img" })
	require.EqualValues(t, 30, r.Succeeded)
	server.TLS.Certificate = "expired"
	r, _ = fetch(func(c *web.Config) { c.Concurrency = 1 })
	require.EqualValues(t, 30, r.Errors.TLS)
}

func TestSeveralURLs(t *testing.T) {
	r, s := lab(t, testlab.Config{}, web.NewServerConfig(), config(func(c *web.Config) {
		c.URL, c.URLs, c.Count = "", []services.URL{"http://b/bytes/1", "http://b/bytes/10", "http://b/bytes/x"}, 2
	}))
	require.EqualValues(t, 6, r.Requests)
	require.Equal(t, map[string]uint64{"200": 4, "404": 2}, s.Status)
	require.EqualValues(t, 22+2*len("Not Found\n"), int(r.Bytes))
	for want, change := range map[string]func(c *web.Config){
		"found url and urls":  func(c *web.Config) { c.URLs = []services.URL{"http://b/"} },
		"urls: \"x\" is not":  func(c *web.Config) { c.URL, c.URLs = "", []services.URL{"x"} },
		"has a query":         func(c *web.Config) { c.URL, c.Objects = "http://b/?x", 3 },
		"want an https URL":   func(c *web.Config) { c.HTTPVersion = "h2" },
		"objects: found -1":   func(c *web.Config) { c.Objects = -1 },
		"retry.on: found 200": func(c *web.Config) { c.Retry.Attempts, c.Retry.On = 2, []int{200} },
	} {
		require.ErrorContains(t, config(change).Validate(), want)
	}
}
