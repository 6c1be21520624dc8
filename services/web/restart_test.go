package web_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services/capacity"
	"netlab/services/web"
	"netlab/units"
)

// A crash takes what a server had in memory: positions of clients, messages of rooms. What it counted goes on.
func TestRestartForgets(t *testing.T) {
	r := with(t, handlers(map[string]web.Handler{
		"/items": {Handler: "collection", Items: 30, Stateful: true}, "/chat": {Handler: "chat"},
	}), func(a *asker) {
		offset := func() int {
			var p page
			require.NoError(t, json.Unmarshal([]byte(a.status(200, "GET", "/items?limit=10", "")), &p))
			return p.Offset
		}
		require.Equal(t, 0, offset())
		require.Equal(t, 10, offset())
		require.Equal(t, `{"number":1}`, a.status(201, "POST", "/chat/messages", `{"text":"hello"}`))
		require.Contains(t, a.status(200, "GET", "/chat/messages", ""), "hello")
		a.restart()
		require.Equal(t, 0, offset())
		// Whoever knows message 1 gets what comes after the restart.
		require.Equal(t, `{"last":4294967296,"messages":[]}`+"\n", a.status(200, "GET", "/chat/messages?after=1", ""))
		start := a.l.Elapsed()
		a.status(200, "GET", "/chat/messages?after=1&wait=1s", "")
		require.Equal(t, time.Second+20*ms, a.l.Elapsed()-start, "a long poll still waits")
		require.Equal(t, `{"number":4294967297}`, a.status(201, "POST", "/chat/messages", `{"text":"again"}`))
		require.Contains(t, a.status(200, "GET", "/chat/messages?after=1", ""), "again")
	})
	require.EqualValues(t, 9, r.Requests)
	require.EqualValues(t, 2, r.Connections)
	require.EqualValues(t, 3, r.Handlers["/items"].Requests)
	require.EqualValues(t, 2, r.Handlers["/chat"].Room.Messages)
	require.EqualValues(t, 4, r.Handlers["/chat"].Room.Polls)
}

// The errors of a server follow another stream of random numbers in each incarnation, the same one in each run.
func TestErrorsOfTheNextIncarnation(t *testing.T) {
	errors := func() (list [2][]int) {
		with(t, func(c *web.ServerConfig) { c.ErrorRate = 0.5 }, func(a *asker) {
			for i := range list {
				for range 30 {
					response, _ := a.do("GET", "/", "")
					list[i] = append(list[i], response.StatusCode)
				}
				a.restart()
			}
		})
		return list
	}
	first := errors()
	require.NotEqual(t, first[0], first[1])
	require.Equal(t, first, errors())
}

// A restarted server has new keys for tickets: it resumes no session of before.
func TestRestartForgetsSessions(t *testing.T) {
	for _, c := range []struct {
		crash   bool
		resumed uint64
	}{{false, 5}, {true, 4}} {
		testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
			server := web.NewServerConfig()
			server.Listen, server.TLS.On = ":443", true
			running := l.Service(l.B, web.Server, server)
			client := l.Start(web.Fetch, "fetch", config(func(c *web.Config) {
				c.URL, c.Count, c.Interval, c.KeepAlive = "https://b/", 6, units.Duration(time.Second), false
			}), l.A)
			l.Sleep(2500 * ms)
			if c.crash {
				l.Crash(l.B)
				l.Sleep(10 * ms)
				l.Restart(l.B)
			}
			found, err := client.Wait()
			require.NoError(t, err)
			require.EqualValues(t, 6, found.(*web.Result).Succeeded)
			require.Equal(t, c.resumed, found.(*web.Result).Resumed)
			found, err = running.Stop()
			require.NoError(t, err)
			require.EqualValues(t, 6, found.(*web.ServerResult).Requests)
		})
	}
}

// The queue of a server is empty after a restart, and what its model counts goes on.
func TestRestartForgetsTheQueue(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		server := web.NewServerConfig()
		server.Capacity = capacity.Config{Cores: 1, ServiceTime: units.Constant(10 * time.Second)}
		running := l.Service(l.B, web.Server, server)
		fetch := config(func(c *web.Config) { c.Count, c.Concurrency, c.Timeout = 3, 3, units.Duration(15*time.Second) })
		client := l.Start(web.Fetch, "fetch", fetch, l.A)
		l.Sleep(5 * time.Second)
		l.Crash(l.B)
		l.Sleep(5 * time.Second)
		l.Restart(l.B)
		_, err := client.Wait()
		require.NoError(t, err)
		fetch.Count, fetch.Concurrency = 1, 1
		start := l.Elapsed()
		found, err := l.Workload(web.Fetch, fetch, l.A)
		require.NoError(t, err)
		require.EqualValues(t, 1, found.(*web.Result).Succeeded)
		require.Equal(t, 10*time.Second+40*ms, l.Elapsed()-start)
		found, err = running.Stop()
		require.NoError(t, err)
		r := found.(*web.ServerResult).Capacity
		require.EqualValues(t, 4, r.Arrived)
		require.EqualValues(t, 1, r.Served)
		require.EqualValues(t, 3, r.Cancelled)
		require.Equal(t, 2, r.QueueMax)
	})
}

// A server stamps its responses by its own date.
func TestDateOfAWrongClock(t *testing.T) {
	const skew = 400 * 24 * time.Hour
	with(t, handlers(map[string]web.Handler{"/static": {Handler: "static"}, "/nothing": {Handler: "status", Status: 204}}), func(a *asker) {
		date := func(path, field string) time.Time {
			response, _ := a.do("GET", path, "")
			at, err := time.Parse(time.RFC1123, response.Header.Get(field))
			require.NoError(t, err)
			return at.UTC()
		}
		epoch := a.l.Net.Epoch().UTC()
		require.Equal(t, epoch, date("/", "Date"))
		a.l.B.SetSkew(skew)
		for _, path := range []string{"/", "/static", "/nothing", "/none/"} {
			require.Equal(t, epoch.Add(skew), date(path, "Date"), path)
		}
		require.Equal(t, epoch, date("/static", "Last-Modified"))
		a.restart()
		require.Equal(t, epoch.Add(skew+time.Second), date("/static", "Last-Modified"))
		a.l.B.SetSkew(0)
		require.Equal(t, epoch.Add(time.Second), date("/", "Date"))
	})
}

// Certificates are valid for 398 days, from an hour before the run on. A client whose clock is beyond that refuses the server's.
func TestClockOfAClient(t *testing.T) {
	for _, c := range []struct {
		skew    time.Duration
		refused bool
	}{{0, false}, {365 * 24 * time.Hour, false}, {400 * 24 * time.Hour, true}, {-time.Minute, false}, {-2 * time.Hour, true}} {
		testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
			server := web.NewServerConfig()
			server.Listen, server.TLS.On = ":443", true
			l.Service(l.B, web.Server, server)
			l.A.SetSkew(c.skew)
			found, err := l.Workload(web.Fetch, config(func(c *web.Config) { c.URL = "https://b/" }), l.A)
			require.NoError(t, err)
			r := found.(*web.Result)
			require.Equal(t, !c.refused, r.Intact, "%v", c.skew)
			if c.refused {
				require.EqualValues(t, 1, r.Errors.TLS)
			}
		})
	}
}
