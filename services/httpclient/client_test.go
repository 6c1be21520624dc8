package httpclient_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	nethttp "net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/http"
	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/services"
	"netlab/services/failures"
	"netlab/services/httpclient"
	"netlab/services/secure"
	"netlab/tcp"
	"netlab/units"
)

const (
	ms  = time.Millisecond
	rtt = 20 * ms
)

// env returns an Env of a workload on a.
func env(l *testlab.Lab) *services.Env {
	e := services.NewEnv(l.A, slog.New(slog.DiscardHandler), services.Workload, "load", 0, 1)
	e.Authority = l.Authority
	return e
}

// serve serves a handler on b: over TLS on port 443, without on port 80.
func serve(t *testing.T, l *testlab.Lab, h nethttp.HandlerFunc) {
	e := services.NewEnv(l.B, slog.New(slog.DiscardHandler), services.Service, "web", 0, 1)
	e.Authority = l.Authority
	config, err := (&secure.Server{On: true}).Config(e, "h2", "http/1.1")
	require.NoError(t, err)
	for address, o := range map[string]*http.ServerOptions{":80": {H2C: true}, ":443": {TLS: config}} {
		listener, err := tcp.Listen(l.B, address)
		require.NoError(t, err)
		l.B.Go(func() { http.Serve(l.Context(), listener, h, o) })
	}
}

// run runs a client on a against a handler on b.
func run(t *testing.T, h nethttp.HandlerFunc, change func(*httpclient.Config), body func(l *testlab.Lab, c *httpclient.Client)) {
	config := httpclient.NewConfig()
	if change != nil {
		change(&config)
	}
	require.NoError(t, config.Validate())
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(rtt/2, 0)}, func(t *testing.T, l *testlab.Lab) {
		serve(t, l, h)
		c, err := httpclient.New(l.Context(), env(l), config, httpclient.Options{})
		require.NoError(t, err)
		body(l, c)
		c.Close()
	})
}

func hello(w nethttp.ResponseWriter, r *nethttp.Request) { io.WriteString(w, "hello") }

func TestPhases(t *testing.T) {
	run(t, hello, nil, func(l *testlab.Lab, c *httpclient.Client) {
		want := httpclient.Outcome{Status: 200, Bytes: 5, Target: "10.0.1.2:80", Protocol: "HTTP/1.1", Attempts: 1, Hops: 1,
			Dialed: true, Connect: rtt, Wait: rtt, Answered: true, FirstByte: 2 * rtt, Total: 2 * rtt}
		require.Equal(t, want, c.Do(l.Context(), "http://b/"))
		want.Dialed, want.Connect, want.FirstByte, want.Total = false, 0, rtt, rtt
		require.Equal(t, want, c.Do(l.Context(), "http://b/"))
		want = httpclient.Outcome{Status: 200, Bytes: 5, Target: "10.0.1.2:443", Protocol: "HTTP/2.0", Attempts: 1, Hops: 1,
			Dialed: true, Secured: true, Connect: rtt, TLS: rtt, Wait: rtt, Answered: true, FirstByte: 3 * rtt, Total: 3 * rtt}
		require.Equal(t, want, c.Do(l.Context(), "https://b/"))
		var body bytes.Buffer
		o := c.Read(l.Context(), "https://b/", &body)
		require.Equal(t, rtt, o.Total)
		require.Equal(t, "hello", body.String())
	})
}

// Requests that start together make one connection where it may be one of HTTP/2, and each its own where it isn't.
func TestConnectionsOfRequestsThatStartTogether(t *testing.T) {
	for _, c := range []struct {
		version, url string
		max, want    int
		took         time.Duration
	}{
		{"auto", "https://b/", 0, 1, 3 * rtt},
		{"h2", "https://b/", 0, 1, 3 * rtt},
		{"h2c", "http://b/", 0, 1, 2 * rtt},
		{"http/1.1", "https://b/", 0, 30, 3 * rtt},
		{"http/1.1", "https://b/", 6, 6, 2*rtt + 5*rtt},
		{"http/1.1", "https://b/", 1, 1, 2*rtt + 30*rtt},
		{"auto", "http://b/", 0, 30, 2 * rtt},
	} {
		config := httpclient.NewConfig()
		config.HTTPVersion, config.MaxConnections = c.version, c.max
		require.NoError(t, config.CheckURL("url", services.URL(c.url)))
		testlab.Run(t, testlab.Config{Forward: testlab.Wire(rtt/2, 0)}, func(t *testing.T, l *testlab.Lab) {
			var mu sync.Mutex
			var paths []string
			serve(t, l, func(w nethttp.ResponseWriter, r *nethttp.Request) {
				mu.Lock()
				paths = append(paths, r.URL.Path)
				mu.Unlock()
				hello(w, r)
			})
			var made []httpclient.Connection
			client, err := httpclient.New(l.Context(), env(l), config,
				httpclient.Options{Connected: func(c httpclient.Connection) {
					mu.Lock()
					made = append(made, c)
					mu.Unlock()
				}})
			require.NoError(t, err)
			done := make(chan httpclient.Outcome, 30)
			var want []string
			for i := range 30 {
				path := strings.Repeat("x", i)
				want = append(want, "/"+path)
				l.A.Go(func() { done <- client.Do(l.Context(), c.url+path) })
			}
			dialed := 0
			for range 30 {
				o := <-done
				require.True(t, o.OK())
				if o.Dialed {
					dialed++
				}
			}
			require.Equal(t, c.took, l.Elapsed().Round(time.Microsecond), c.version)
			require.Len(t, made, c.want)
			require.Equal(t, c.want, dialed)
			require.ElementsMatch(t, want, paths)
			client.Close()
		})
	}
}

func TestRedirects(t *testing.T) {
	h := func(w nethttp.ResponseWriter, r *nethttp.Request) {
		switch r.URL.Path {
		case "/once":
			nethttp.Redirect(w, r, "/end", nethttp.StatusFound)
		case "/keep":
			nethttp.Redirect(w, r, "https://b/end", nethttp.StatusTemporaryRedirect)
		case "/loop":
			nethttp.Redirect(w, r, "/loop", nethttp.StatusFound)
		default:
			io.WriteString(w, r.Method)
		}
	}
	run(t, h, func(c *httpclient.Config) { c.Method, c.Body = "POST", 10 }, func(l *testlab.Lab, c *httpclient.Client) {
		var body bytes.Buffer
		o := c.Read(l.Context(), "http://b/once", &body)
		require.Equal(t, "GET", body.String())
		require.Equal(t, 2, o.Hops)
		require.Equal(t, 3*rtt, o.Total)
		require.Equal(t, 2*rtt, o.Wait)
		require.Equal(t, 3*rtt, o.FirstByte)
		o = c.Read(l.Context(), "http://b/keep", &body)
		require.Equal(t, "POST", body.String())
		require.Equal(t, "10.0.1.2:443", o.Target)
		o = c.Do(l.Context(), "http://b/loop")
		require.Equal(t, failures.Redirects, failures.Of(o.Err))
		require.Equal(t, 11, o.Hops)
	})
	run(t, h, func(c *httpclient.Config) { c.Redirects = 0 }, func(l *testlab.Lab, c *httpclient.Client) {
		o := c.Do(l.Context(), "http://b/once")
		require.Equal(t, 302, o.Status)
		require.True(t, o.OK())
	})
}

func TestRetry(t *testing.T) {
	var at []time.Duration
	statuses := func(l **testlab.Lab, list ...int) nethttp.HandlerFunc {
		return func(w nethttp.ResponseWriter, r *nethttp.Request) {
			at = append(at, (*l).Elapsed())
			status := list[min(len(at), len(list))-1]
			if status == 0 {
				panic(nethttp.ErrAbortHandler)
			}
			w.WriteHeader(status)
		}
	}
	retry := httpclient.Retry{Attempts: 4, Backoff: units.Duration(100 * ms), MaxBackoff: units.Duration(300 * ms), On: []int{503}}
	for _, c := range []struct {
		method   string
		statuses []int
		any      bool
		status   int
		attempts int
	}{
		{"GET", []int{503, 503, 200}, false, 200, 3},
		{"GET", []int{503}, false, 503, 4},
		{"GET", []int{500, 200}, false, 500, 1},
		{"GET", []int{0, 0, 0, 200}, false, 200, 4},
		{"POST", []int{503, 200}, false, 503, 1},
		{"POST", []int{503, 200}, true, 200, 2},
	} {
		at = nil
		var lab *testlab.Lab
		run(t, statuses(&lab, c.statuses...), func(config *httpclient.Config) {
			config.Retry, config.Method = retry, c.method
			config.Retry.AnyMethod = c.any
		}, func(l *testlab.Lab, client *httpclient.Client) {
			lab = l
			o := client.Do(l.Context(), "http://b/")
			require.Equal(t, c.status, o.Status)
			require.Equal(t, c.attempts, o.Attempts)
			want, wait := 2*rtt, 100*ms
			for range c.attempts - 1 {
				want += wait + rtt
				if c.statuses[0] == 0 {
					want += rtt // a new connection
				}
				wait = min(2*wait, 300*ms)
			}
			require.Equal(t, want, o.Total)
		})
	}
}

// With full jitter waits are spread evenly over what they would be without.
func TestJitter(t *testing.T) {
	var waits []time.Duration
	last := time.Duration(0)
	var lab *testlab.Lab
	run(t, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if last > 0 {
			waits = append(waits, lab.Elapsed()-last-rtt)
		}
		last = lab.Elapsed()
		w.WriteHeader(503)
	}, func(c *httpclient.Config) {
		c.Retry = httpclient.Retry{Attempts: 1000, Backoff: units.Duration(time.Second), Multiplier: 1, Jitter: 1, On: []int{503}}
	}, func(l *testlab.Lab, c *httpclient.Client) {
		lab = l
		require.Equal(t, 1000, c.Do(l.Context(), "http://b/").Attempts)
	})
	var sum time.Duration
	for _, w := range waits {
		require.GreaterOrEqual(t, w, time.Duration(0))
		require.LessOrEqual(t, w, time.Second)
		sum += w
	}
	// The mean of 999 uniform values has a deviation of 1/√(12·999) = 0.0091.
	require.InDelta(t, 0.5, sum.Seconds()/999, 4*0.0091)
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		url    string
		change func(*httpclient.Config)
		want   failures.Kind
		took   time.Duration
	}{
		{"http://nobody/", nil, failures.Name, 0},
		{"http://10.0.1.2:81/", nil, failures.Refused, rtt},
		{"http://b:81/", nil, failures.Refused, 2 * rtt}, // two addresses
		{"http://10.0.99.1/", nil, failures.Unreachable, 0},
		{"http://b/wait", func(c *httpclient.Config) { c.Timeout = units.Duration(time.Second) }, failures.Timeout, time.Second},
		{"https://b/wait", func(c *httpclient.Config) { c.Timeout = units.Duration(time.Second) }, failures.Timeout, time.Second},
		{"http://b/abort", nil, failures.Closed, 2 * rtt},
		{"https://b/abort", nil, failures.Reset, 3 * rtt},
		{"http://b/digest", nil, failures.Digest, 2 * rtt},
		{"https://b:80/", nil, failures.TLS, 2 * rtt},
		{"https://10.0.1.2/", nil, "", 3 * rtt},
	} {
		run(t, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			switch r.URL.Path {
			case "/wait":
				<-r.Context().Done()
			case "/abort":
				panic(nethttp.ErrAbortHandler)
			case "/digest":
				w.Header().Set("Content-Digest", "sha-256=:AAAA:")
				io.WriteString(w, "hello")
			}
		}, c.change, func(l *testlab.Lab, client *httpclient.Client) {
			o := client.Do(l.Context(), c.url)
			if c.want == "" {
				require.NoError(t, o.Err)
			} else {
				require.Error(t, o.Err)
				require.Equal(t, c.want, failures.Of(o.Err), "%s: %v", c.url, o.Err)
			}
			require.False(t, o.Cut)
			require.Equal(t, c.took, o.Total.Round(time.Microsecond), "%s", c.url)
		})
	}
}

// A server that is gone in the middle of a handshake doesn't hold up those who come later for longer than the timeout.
func TestTheWayToTheServerBreaks(t *testing.T) {
	for _, url := range []string{"https://b/", "http://b/"} {
		run(t, hello, func(c *httpclient.Config) {
			c.Timeout, c.MaxConnections = units.Duration(time.Second), 1
		}, func(l *testlab.Lab, c *httpclient.Client) {
			for at, loss := range map[time.Duration]units.Probability{rtt - 5*ms: 1, 1500 * ms: 0} {
				l.At(at, func() {
					wire := testlab.Wire(rtt/2, 0)
					wire.Loss = testlab.Loss(loss)
					require.NoError(t, l.Links[0].Set(netem.Forward, wire))
				})
			}
			for _, want := range []failures.Kind{failures.Timeout, failures.Timeout} {
				o := c.Do(l.Context(), url)
				require.Equal(t, want, failures.Of(o.Err))
				require.Equal(t, time.Second, o.Total)
			}
			o := c.Do(l.Context(), url)
			require.NoError(t, o.Err)
			require.Less(t, o.Total, 4*rtt)
		})
	}
}

func TestTheEndOfTheRunIsNoFailure(t *testing.T) {
	for _, url := range []string{"https://b/", "http://b/"} {
		run(t, func(_ nethttp.ResponseWriter, r *nethttp.Request) { <-r.Context().Done() }, nil, func(l *testlab.Lab, c *httpclient.Client) {
			for _, end := range []time.Duration{0, rtt / 2, rtt + rtt/2, 10 * rtt} {
				ctx, cancel := context.WithCancelCause(l.Context())
				l.At(l.Elapsed()+end, func() { cancel(io.ErrClosedPipe) })
				o := c.Do(ctx, url)
				require.True(t, o.Cut, end)
				require.ErrorIs(t, o.Err, io.ErrClosedPipe)
			}
		})
	}
}

func TestCookies(t *testing.T) {
	for _, cookies := range []bool{false, true} {
		run(t, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			if c, err := r.Cookie("id"); err == nil {
				io.WriteString(w, c.Value)
			}
			nethttp.SetCookie(w, &nethttp.Cookie{Name: "id", Value: "7"})
		}, func(c *httpclient.Config) { c.Cookies = cookies }, func(l *testlab.Lab, c *httpclient.Client) {
			require.Zero(t, c.Do(l.Context(), "http://b/").Bytes)
			require.Equal(t, cookies, c.Do(l.Context(), "http://b/").Bytes == 1)
		})
	}
}

func TestValidate(t *testing.T) {
	for field, change := range map[string]func(*httpclient.Config){
		"http_version":     func(c *httpclient.Config) { c.HTTPVersion = "h3" },
		"max_connections":  func(c *httpclient.Config) { c.MaxConnections = -1 },
		"timeout":          func(c *httpclient.Config) { c.Timeout = 0 },
		"redirects":        func(c *httpclient.Config) { c.Redirects = -1 },
		"method":           func(c *httpclient.Config) { c.Method = "get" },
		"body":             func(c *httpclient.Config) { c.Body = -1 },
		"headers.Host":     func(c *httpclient.Config) { c.Headers = map[string]string{"Host": "x"} },
		"headers.a b":      func(c *httpclient.Config) { c.Headers = map[string]string{"a b": "x"} },
		"headers.X-A":      func(c *httpclient.Config) { c.Headers = map[string]string{"X-A": "x\n"} },
		"retry.attempts":   func(c *httpclient.Config) { c.Retry.On = []int{503} },
		"retry.backoff":    func(c *httpclient.Config) { c.Retry.Backoff = -1 },
		"retry.multiplier": func(c *httpclient.Config) { c.Retry.Multiplier = 0.5 },
		"retry.on":         func(c *httpclient.Config) { c.Retry.Attempts, c.Retry.On = 2, []int{200} },
		"retry.jitter":     func(c *httpclient.Config) { c.Retry.Jitter = 2 },
		"tls.min_version":  func(c *httpclient.Config) { c.TLS.MinVersion = "1.1" },
	} {
		c := httpclient.NewConfig()
		require.NoError(t, c.Validate())
		change(&c)
		var wrong *services.FieldError
		require.ErrorAs(t, c.Validate(), &wrong, field)
		require.Equal(t, field, wrong.Field)
	}
	for version, url := range map[string]services.URL{"h2": "http://b/", "h2c": "https://b/", "auto": "ftp://b/", "http/1.1": ""} {
		c := httpclient.NewConfig()
		c.HTTPVersion = version
		require.Error(t, c.CheckURL("url", url))
	}
	c := httpclient.NewConfig()
	c.Method = "PSOT"
	require.ErrorContains(t, c.Validate(), "did you mean POST?")
}
