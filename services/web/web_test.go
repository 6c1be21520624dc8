package web_test

import (
	"io"
	nethttp "net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/http"
	"netlab/internal/testlab"
	"netlab/services"
	"netlab/services/failures"
	"netlab/services/figures"
	"netlab/services/web"
	"netlab/tcp"
	"netlab/units"
)

const ms = time.Millisecond

func config(change func(c *web.Config)) *web.Config {
	c := web.NewConfig()
	c.URL = "http://b/page"
	if change != nil {
		change(c)
	}
	return c
}

// lab runs one fetch from a to a server on b.
func lab(t *testing.T, c testlab.Config, server *web.ServerConfig, config *web.Config) (client *web.Result, s *web.ServerResult) {
	testlab.Run(t, c, func(t *testing.T, l *testlab.Lab) {
		running := l.Service(l.B, web.Server, server)
		found, err := l.Workload(web.Fetch, config, l.A)
		require.NoError(t, err)
		client = found.(*web.Result)
		l.Sleep(time.Minute)
		found, err = running.Stop()
		require.NoError(t, err)
		s = found.(*web.ServerResult)
	})
	return client, s
}

// same is the distribution of durations that are all alike.
func same(d time.Duration) *figures.Latency {
	u := units.Duration(d)
	return &figures.Latency{Min: u, Avg: u, Max: u, P50: u, P99: u}
}

func TestFirstByteTakesTwoRoundTrips(t *testing.T) {
	r, s := lab(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, web.NewServerConfig(), config(nil))
	require.Equal(t, &web.Result{Requests: 1, Succeeded: 1, Intact: true, Bytes: 10_000, Status: map[string]uint64{"200": 1},
		Protocols: map[string]uint64{"http1": 1}, Took: units.Duration(40 * ms),
		Latency: same(40 * ms), TTFB: same(40 * ms), Connect: same(20 * ms), Connections: 1,
		Histogram: []figures.Bin{{LE: units.Duration(40 * ms), Count: 1}}}, r)
	require.Equal(t, &web.ServerResult{Connections: 1, Requests: 1, Bytes: 10_000, Status: map[string]uint64{"200": 1},
		Protocols: map[string]uint64{"http1": 1}}, s)
}

// 100 kB do not fit into the initial window of ten segments: slow start takes three more round trips.
func TestSlowStart(t *testing.T) {
	server := web.NewServerConfig()
	server.Objects = 100_000
	r, _ := lab(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, server, config(nil))
	require.Equal(t, same(40*ms), r.TTFB)
	require.Equal(t, same(100*ms), r.Latency)
	require.True(t, r.Intact)
}

func TestKeepAlive(t *testing.T) {
	wire := testlab.Config{Forward: testlab.Wire(10*ms, 0)}
	r, s := lab(t, wire, web.NewServerConfig(), config(func(c *web.Config) { c.Count = 10 }))
	require.EqualValues(t, 10, r.Succeeded)
	require.EqualValues(t, 1, r.Connections)
	require.Equal(t, units.Duration(20*ms), r.Latency.P50)
	require.Equal(t, units.Duration(40*ms), r.Latency.Max)
	require.EqualValues(t, 1, s.Connections)

	r, s = lab(t, wire, web.NewServerConfig(), config(func(c *web.Config) { c.Count, c.KeepAlive = 10, false }))
	require.Equal(t, same(40*ms), r.Latency)
	require.EqualValues(t, 10, r.Connections)
	require.EqualValues(t, 10, s.Connections)
	require.Equal(t, same(20*ms), r.Connect)
}

func TestConcurrencyAndInterval(t *testing.T) {
	wire := testlab.Config{Forward: testlab.Wire(10*ms, 0)}
	r, _ := lab(t, wire, web.NewServerConfig(), config(func(c *web.Config) { c.Count, c.Concurrency = 40, 4 }))
	require.EqualValues(t, 40, r.Succeeded)
	require.EqualValues(t, 4, r.Connections)

	testlab.Run(t, wire, func(t *testing.T, l *testlab.Lab) {
		l.Service(l.B, web.Server, web.NewServerConfig())
		// The last request starts after 19 × 5 ms and takes one round trip more: four are always under way.
		c := config(func(c *web.Config) { c.Count, c.Concurrency, c.Interval = 20, 10, units.Duration(5*ms) })
		found, err := l.Workload(web.Fetch, c, l.A)
		require.NoError(t, err)
		require.EqualValues(t, 20, found.(*web.Result).Succeeded)
		require.Equal(t, 19*5*ms+20*ms, l.Elapsed().Round(time.Microsecond))
	})
}

func TestPathsAndMethods(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		l.Service(l.B, web.Server, &web.ServerConfig{Listen: ":8080", Objects: 5, ContentType: "text/plain"})
		l.Sleep(ms)
		transport := http.NewTransport(l.A, nil)
		defer transport.CloseIdleConnections()
		do := func(method, path string) (*nethttp.Response, string) {
			r, err := nethttp.NewRequest(method, "http://b:8080"+path, nil)
			require.NoError(t, err)
			response, err := transport.RoundTrip(r)
			require.NoError(t, err)
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			return response, string(body)
		}
		response, one := do("GET", "/one")
		require.Len(t, one, 5)
		require.Equal(t, "text/plain", response.Header.Get("Content-Type"))
		_, again := do("GET", "/one")
		require.Equal(t, one, again)
		_, long := do("GET", "/bytes/300000")
		require.Len(t, long, 300_000)
		response, empty := do("HEAD", "/bytes/300000")
		require.Empty(t, empty)
		require.EqualValues(t, 300_000, response.ContentLength)
		_, empty = do("GET", "/bytes/0")
		require.Empty(t, empty)
		for path, status := range map[string]int{"/bytes/x": 404, "/bytes/-1": 404, "/bytes/9999999999999": 404} {
			response, _ = do("GET", path)
			require.Equal(t, status, response.StatusCode)
		}
		response, _ = do("POST", "/one")
		require.Equal(t, 405, response.StatusCode)
		require.Equal(t, "GET, HEAD", response.Header.Get("Allow"))
	})
}

func TestFailures(t *testing.T) {
	wire := testlab.Config{Forward: testlab.Wire(10*ms, 0)}
	// fetch serves with a handler and fetches.
	fetch := func(h nethttp.HandlerFunc, c *web.Config) (r *web.Result) {
		testlab.Run(t, wire, func(t *testing.T, l *testlab.Lab) {
			if h != nil {
				listener, err := tcp.Listen(l.B, ":80")
				require.NoError(t, err)
				done := make(chan struct{})
				l.B.Go(func() { http.Serve(l.Context(), listener, h, nil); close(done) })
			}
			found, err := l.Workload(web.Fetch, c, l.A)
			require.NoError(t, err)
			r = found.(*web.Result)
			require.False(t, r.Intact)
			require.EqualValues(t, 1, r.Failed)
			require.Nil(t, r.Latency)
		})
		return r
	}
	require.Equal(t, failures.Counts{Refused: 1}, fetch(nil, config(nil)).Errors)
	r := fetch(nethttp.NotFound, config(nil))
	require.Equal(t, failures.Counts{Status: 1}, r.Errors)
	require.Equal(t, map[string]uint64{"404": 1}, r.Status)
	r = fetch(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Content-Digest", "sha-256=:AAAA:")
		io.WriteString(w, "hello")
	}, config(nil))
	require.Equal(t, failures.Counts{Digest: 1}, r.Errors)
	r = fetch(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "hello")
		panic(nethttp.ErrAbortHandler)
	}, config(nil))
	require.EqualValues(t, 1, r.Errors.Closed+r.Errors.Reset)
	r = fetch(func(w nethttp.ResponseWriter, r *nethttp.Request) { <-r.Context().Done() },
		config(func(c *web.Config) { c.Timeout = units.Duration(3 * time.Second) }))
	require.Equal(t, failures.Counts{Timeout: 1}, r.Errors)
}

func TestTheEndOfTheRunIsNoFailure(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 1e6)}, func(t *testing.T, l *testlab.Lab) {
		server := l.Service(l.B, web.Server, web.NewServerConfig())
		i := l.Start(web.Fetch, "x", config(func(c *web.Config) { c.URL, c.Count, c.Concurrency = "http://b/bytes/50000000", 0, 3 }), l.A)
		l.Sleep(10 * time.Second)
		found, err := i.Stop()
		require.NoError(t, err)
		r := found.(*web.Result)
		require.True(t, r.Intact)
		require.EqualValues(t, 3, r.Pending)
		require.Zero(t, r.Failed)
		found, err = server.Stop()
		require.NoError(t, err)
		require.Less(t, l.Elapsed(), 11*time.Second)
		require.EqualValues(t, 3, found.(*web.ServerResult).Aborted)
	})
}

func TestValidate(t *testing.T) {
	require.NoError(t, config(nil).Validate())
	for field, change := range map[string]func(*web.Config){
		"url":         func(c *web.Config) { c.URL = "" },
		"count":       func(c *web.Config) { c.Count = -1 },
		"concurrency": func(c *web.Config) { c.Concurrency = 0 },
		"interval":    func(c *web.Config) { c.Interval = -1 },
		"timeout":     func(c *web.Config) { c.Timeout = 0 },
	} {
		var wrong *services.FieldError
		require.ErrorAs(t, config(change).Validate(), &wrong)
		require.Equal(t, field, wrong.Field)
	}
	require.ErrorContains(t, config(func(c *web.Config) { c.URL = "ftp://b/" }).Validate(), "is not a URL of http or https")
	require.NoError(t, web.NewServerConfig().Validate())
	for field, change := range map[string]func(*web.ServerConfig){
		"listen":       func(c *web.ServerConfig) { c.Listen = "" },
		"objects":      func(c *web.ServerConfig) { c.Objects = -1 },
		"content_type": func(c *web.ServerConfig) { c.ContentType = "html" },
	} {
		var wrong *services.FieldError
		c := web.NewServerConfig()
		change(c)
		require.ErrorAs(t, c.Validate(), &wrong)
		require.Equal(t, field, wrong.Field)
	}
}

// A request that fails in no time doesn't make time stand still.
func TestEndlessFailures(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		i := l.Start(web.Fetch, "x", config(func(c *web.Config) { c.URL, c.Count = "http://nobody/", 0 }), l.A)
		l.Sleep(1050 * ms)
		found, err := i.Stop()
		require.NoError(t, err)
		require.Equal(t, failures.Counts{Name: 11}, found.(*web.Result).Errors)
	})
}
