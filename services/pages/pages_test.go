package pages_test

import (
	"io"
	nethttp "net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/http"
	"netlab/internal/testlab"
	"netlab/services"
	"netlab/services/pages"
	"netlab/services/web"
	"netlab/tcp"
	"netlab/units"
)

const ms = time.Millisecond

// config returns a configuration with changes.
func config(change func(c *pages.Config)) *pages.Config {
	c := pages.NewConfig()
	c.URL = "http://b/items"
	if change != nil {
		change(c)
	}
	return c
}

// run walks through what servers on b have.
func run(t *testing.T, servers []*web.ServerConfig, c *pages.Config) (result *pages.Result, took time.Duration) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		for i, s := range servers {
			l.Start(web.Server, "web"+string(rune('0'+i)), s, l.B)
		}
		start := l.Elapsed()
		found, err := l.Workload(pages.Type, c, l.A)
		require.NoError(t, err)
		result, took = found.(*pages.Result), l.Elapsed()-start
	})
	return result, took
}

func server(h web.Handler) []*web.ServerConfig {
	c := web.NewServerConfig()
	h.Handler = "collection"
	c.Handlers = map[string]web.Handler{"/items": h}
	return []*web.ServerConfig{c}
}

func TestWalks(t *testing.T) {
	for _, c := range []struct {
		server  web.Handler
		change  func(c *pages.Config)
		pages   uint64
		took    time.Duration
		connect uint64
	}{
		{web.Handler{}, nil, 5, 6 * 20 * ms, 1},
		{web.Handler{}, func(c *pages.Config) { c.Style = pages.Token }, 5, 6 * 20 * ms, 1},
		{web.Handler{}, func(c *pages.Config) { c.Limit = 30 }, 4, 5 * 20 * ms, 1},
		{web.Handler{}, func(c *pages.Config) { c.KeepAlive = false }, 5, 10 * 20 * ms, 5},
		{web.Handler{}, func(c *pages.Config) { c.Pause = units.Duration(time.Second) }, 5, 6*20*ms + 4*time.Second, 1},
		{web.Handler{Versions: []string{"v1", "v2"}}, func(c *pages.Config) { c.URL = "http://b/v2/items" }, 5, 6 * 20 * ms, 1},
		{web.Handler{Stateful: true}, nil, 5, 6 * 20 * ms, 1}, // one server: nobody notices
		{web.Handler{Stateful: true}, func(c *pages.Config) { c.Cookies, c.KeepAlive = true, false }, 5, 10 * 20 * ms, 5},
	} {
		r, took := run(t, server(c.server), config(c.change))
		require.True(t, r.Complete)
		require.EqualValues(t, 100, r.Items)
		require.Equal(t, c.pages, r.Pages)
		require.Equal(t, c.connect, r.Connections)
		require.Equal(t, c.took, took)
		require.Zero(t, r.Missing+r.Duplicates+r.Failed+r.Invalid+r.Pending)
	}
}

// Requests go to two servers in turn. If these keep no state it doesn't matter; if they do, the first page comes again and what is
// behind the middle never does.
func TestTwoServers(t *testing.T) {
	for _, stateful := range []bool{false, true} {
		for _, style := range []string{pages.Offset, pages.Token} {
			testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
				for _, listen := range []services.ListenTCP{":81", ":82"} {
					c := server(web.Handler{Stateful: stateful})[0]
					c.Listen = listen
					l.Start(web.Server, "web"+string(listen[1:]), c, l.B)
				}
				// A balancer that sends each request to the other server.
				listener, err := tcp.Listen(l.B, ":80")
				require.NoError(t, err)
				transport := http.NewTransport(l.B, nil)
				var turn atomic.Int32
				l.B.Go(func() {
					http.Serve(l.Context(), listener, nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
						out := r.Clone(r.Context())
						out.URL.Scheme, out.URL.Host = "http", []string{"b:81", "b:82"}[turn.Add(1)%2]
						out.RequestURI = ""
						response, err := transport.RoundTrip(out)
						require.NoError(t, err)
						defer response.Body.Close()
						for k, v := range response.Header {
							w.Header()[k] = v
						}
						w.WriteHeader(response.StatusCode)
						io.Copy(w, response.Body)
					}), nil)
				})
				found, err := l.Workload(pages.Type, config(func(c *pages.Config) { c.Style = style }), l.A)
				require.NoError(t, err)
				transport.CloseIdleConnections()
				r := found.(*pages.Result)
				require.Equal(t, !stateful, r.Complete)
				if stateful {
					require.NotZero(t, r.Duplicates)
				}
			})
		}
	}
}

func TestFailures(t *testing.T) {
	answer := func(status int, text string) *pages.Result {
		var result *pages.Result
		testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
			listener, err := tcp.Listen(l.B, ":80")
			require.NoError(t, err)
			l.B.Go(func() {
				http.Serve(l.Context(), listener, nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
					w.WriteHeader(status)
					io.WriteString(w, text)
				}), nil)
			})
			found, err := l.Workload(pages.Type, config(func(c *pages.Config) { c.Pages = 7 }), l.A)
			require.NoError(t, err)
			result = found.(*pages.Result)
		})
		require.False(t, result.Complete)
		return result
	}
	require.EqualValues(t, 1, answer(500, "").Errors.Status)
	for _, text := range []string{"", "{}", "[]", `{"items": [{}], "total": 1}`, `{"items": [{"id": null}], "total": 1}`, `{"items": []}`,
		`{"items": [], "total": -1}`} {
		require.EqualValues(t, 1, answer(200, text).Invalid, text)
	}
	// It goes on for ever.
	r := answer(200, `{"items": [{"id": 1}], "total": 2, "next": "/x"}`)
	require.EqualValues(t, 1, r.Invalid)
	require.EqualValues(t, 7, r.Pages)
	require.EqualValues(t, 6, r.Duplicates)
	// It ends early.
	r = answer(200, `{"items": [{"id": "a"}], "total": 3}`)
	require.EqualValues(t, 2, r.Missing)
	r, _ = run(t, nil, config(nil))
	require.EqualValues(t, 1, r.Errors.Refused)
}

// An endless walk ends with the run, also where every request fails at once.
func TestEndless(t *testing.T) {
	for _, servers := range [][]*web.ServerConfig{server(web.Handler{}), nil} {
		testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
			for _, s := range servers {
				l.Service(l.B, web.Server, s)
			}
			i := l.Start(pages.Type, "walk", config(func(c *pages.Config) {
				c.Walks, c.Pause = 0, units.Duration(10*ms)
			}), l.A)
			l.Sleep(time.Second)
			found, err := i.Stop()
			require.NoError(t, err)
			r := found.(*pages.Result)
			require.Equal(t, servers != nil, r.Pages > 50)
			require.Less(t, r.Failed, uint64(3))
		})
	}
}

func TestValidate(t *testing.T) {
	require.NoError(t, config(nil).Validate())
	for field, change := range map[string]func(c *pages.Config){
		"url":       func(c *pages.Config) { c.URL = "http://b/?limit=2" },
		"style":     func(c *pages.Config) { c.Style = "cursor" },
		"limit":     func(c *pages.Config) { c.Limit = 0 },
		"pause":     func(c *pages.Config) { c.Pause = -1 },
		"walks":     func(c *pages.Config) { c.Walks = -1 },
		"max_pages": func(c *pages.Config) { c.Pages = 0 },
		"method":    func(c *pages.Config) { c.Method = "POST" },
		"timeout":   func(c *pages.Config) { c.Timeout = 0 },
	} {
		var wrong *services.FieldError
		require.ErrorAs(t, config(change).Validate(), &wrong)
		require.Equal(t, field, wrong.Field)
	}
}
