package balancer_test

import (
	"io"
	"net"
	nethttp "net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/services/balancer"
	"netlab/services/web"
)

// counted serves the same on all backends and counts requests of each.
type counted [3]atomic.Int64

func (c *counted) handler(do func(host int, w nethttp.ResponseWriter, r *nethttp.Request)) func(string) nethttp.HandlerFunc {
	return func(host string) nethttp.HandlerFunc {
		i := int(host[len(host)-1] - '1')
		return func(w nethttp.ResponseWriter, r *nethttp.Request) {
			c[i].Add(1)
			io.Copy(io.Discard, r.Body)
			do(i, w, r)
		}
	}
}

func (c *counted) list() []int64 { return []int64{c[0].Load(), c[1].Load(), c[2].Load()} }

// Retries go to another backend, but a request that may have done something is sent once.
func TestRetries(t *testing.T) {
	hang := func(run *netlab.Run, r *nethttp.Request) { <-r.Context().Done() }
	for _, q := range []struct {
		name, upstream, method string
		trouble                func(run *netlab.Run, w nethttp.ResponseWriter, r *nethttp.Request) // of web1
		status                 int
		took                   time.Duration
		seen                   []int64 // requests that backends got
		check                  func(r *balancer.Result)
	}{
		{"status", `{"retry": {}}`, "GET", func(_ *netlab.Run, w nethttp.ResponseWriter, _ *nethttp.Request) { w.WriteHeader(503) },
			200, 20*ms + 2*2*ms + 2*2*ms, []int64{1, 1, 0}, func(r *balancer.Result) {
				require.EqualValues(t, 1, r.Layer7.Upstream.Retries)
				require.EqualValues(t, map[string]uint64{"200": 1, "503": 1}, r.Layer7.Upstream.Status)
			}},
		{"status of a POST", `{"retry": {}}`, "POST", func(_ *netlab.Run, w nethttp.ResponseWriter, _ *nethttp.Request) { w.WriteHeader(503) },
			503, 20*ms + 2*2*ms, []int64{1, 0, 0}, nil},
		{"any method", `{"retry": {"any_method": true}}`, "POST", func(_ *netlab.Run, w nethttp.ResponseWriter, _ *nethttp.Request) { w.WriteHeader(503) },
			200, 20*ms + 2*2*ms + 2*2*ms, []int64{1, 1, 0}, nil},
		{"no retry", `{}`, "GET", func(_ *netlab.Run, w nethttp.ResponseWriter, _ *nethttp.Request) { w.WriteHeader(503) },
			503, 20*ms + 2*2*ms, []int64{1, 0, 0}, nil},
		{"broken off", `{"retry": {}}`, "PUT", func(*netlab.Run, nethttp.ResponseWriter, *nethttp.Request) { panic(nethttp.ErrAbortHandler) },
			200, 20*ms + 2*2*ms + 2*2*ms, []int64{1, 1, 0}, nil},
		{"broken off POST", `{"retry": {}}`, "POST", func(*netlab.Run, nethttp.ResponseWriter, *nethttp.Request) { panic(nethttp.ErrAbortHandler) },
			502, 20*ms + 2*2*ms, []int64{1, 0, 0}, nil},
		{"hangs", `{"first_byte_timeout": "50ms"}`, "GET", func(run *netlab.Run, _ nethttp.ResponseWriter, r *nethttp.Request) { hang(run, r) },
			504, 20*ms + 50*ms, []int64{1, 0, 0}, nil},
		{"hangs, retry", `{"first_byte_timeout": "50ms", "retry": {"backoff": "10ms"}}`, "GET", func(run *netlab.Run, _ nethttp.ResponseWriter, r *nethttp.Request) { hang(run, r) },
			200, 20*ms + 50*ms + 10*ms + 2*2*ms, []int64{1, 1, 0}, nil},
		{"total", `{"timeout": "70ms", "first_byte_timeout": "50ms", "retry": {"attempts": 3, "backoff": "30ms"}}`, "GET",
			func(run *netlab.Run, _ nethttp.ResponseWriter, r *nethttp.Request) { hang(run, r) }, 504, 20*ms + 70*ms, []int64{1, 0, 0}, nil},
		{"hedge", `{"hedge": {"delay": "30ms"}}`, "GET", func(run *netlab.Run, _ nethttp.ResponseWriter, r *nethttp.Request) { hang(run, r) },
			200, 20*ms + 30*ms + 2*2*ms, []int64{1, 1, 0}, func(r *balancer.Result) {
				require.EqualValues(t, 1, r.Layer7.Upstream.Hedges)
				require.EqualValues(t, 1, r.Layer7.Upstream.HedgesWon)
				require.EqualValues(t, 1, r.Layer7.Upstream.Cancelled)
				require.EqualValues(t, 1, r.Pool.Backends["web1"].Abandoned)
			}},
		{"hedge of a POST", `{"hedge": {"delay": "30ms"}, "first_byte_timeout": "50ms"}`, "POST",
			func(run *netlab.Run, _ nethttp.ResponseWriter, r *nethttp.Request) { hang(run, r) }, 504, 20*ms + 50*ms, []int64{1, 0, 0}, nil},
		{"hedge not needed", `{"hedge": {"delay": "30ms"}}`, "GET", func(_ *netlab.Run, w nethttp.ResponseWriter, _ *nethttp.Request) { w.WriteHeader(204) },
			204, 20*ms + 2*2*ms, []int64{1, 0, 0}, nil},
	} {
		var seen counted
		p := play(t, file(`, "upstream": `+q.upstream, "", ""), func(run *netlab.Run) {
			defer serve(t, run, seen.handler(func(host int, w nethttp.ResponseWriter, r *nethttp.Request) {
				if host == 0 {
					q.trouble(run, w, r)
				}
			}), "web1", "web2", "web3")()
			c := asker(run)
			defer c.CloseIdleConnections()
			var body io.Reader
			if q.method != "GET" {
				body = strings.NewReader("content")
			}
			// The balancer and its backends learn each other's hardware addresses.
			for _, host := range []string{"web1", "web2", "web3"} {
				conn, err := run.Host("lb").Dial("tcp", net.JoinHostPort(host, "80"))
				require.NoError(t, err)
				conn.Close()
			}
			conn, err := run.Host("client").Dial("tcp", "lb:80")
			require.NoError(t, err)
			c.Transport.(*nethttp.Transport).DialContext = nil
			c.Transport.(*nethttp.Transport).Dial = func(string, string) (net.Conn, error) { return conn, nil }
			start := run.Elapsed()
			response, _ := get(t, c, q.method, "http://lb/", body)
			require.Equal(t, q.status, response.StatusCode, q.name)
			require.Equal(t, q.took, (run.Elapsed() - start).Round(time.Microsecond), q.name)
		})
		require.Equal(t, q.seen, seen.list(), q.name)
		if q.check != nil {
			q.check(p.front(t))
		}
	}
}

// A backend that refuses connections has seen nothing, so a POST is tried again; and one that dies with connections open breaks
// nothing that is idempotent.
func TestUnsentIsRetried(t *testing.T) {
	var seen counted
	p := play(t, file(`, "upstream": {"retry": {"attempts": 3}}`, "", ""), func(run *netlab.Run) {
		defer serve(t, run, seen.handler(func(int, nethttp.ResponseWriter, *nethttp.Request) {}), "web3")()
		c := asker(run)
		defer c.CloseIdleConnections()
		response, _ := get(t, c, "POST", "http://lb/", strings.NewReader("content"))
		require.Equal(t, 200, response.StatusCode)
		response, _ = get(t, c, "POST", "http://lb/", io.LimitReader(zeros{}, 1<<20))
		require.Equal(t, 200, response.StatusCode)
	})
	require.Equal(t, []int64{0, 0, 2}, seen.list())
	r := p.front(t).Layer7.Upstream
	require.EqualValues(t, 2+2, r.Retries, "both requests begin with web1")
	require.EqualValues(t, r.Retries, r.Unsent)
	require.EqualValues(t, len("content")+1<<20, r.Sent)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// The budget lets ten retries pass at once, and then as many as requests pay in.
func TestRetryBudget(t *testing.T) {
	p := play(t, file(`, "upstream": {"retry": {"budget": "25%"}}`,
		`{"type": "http-server", "error_rate": "100%", "error_status": 503}`,
		`"workloads": {"load": {"type": "http-load", "from": "client", "url": "http://lb/", "users": 1, "requests": 100}}`), nil)
	r := p.front(t).Layer7.Upstream
	// 10 at the start; each request pays a quarter in, of which the first can't be saved.
	require.EqualValues(t, 10+(100-1)/4, r.Retries)
	require.EqualValues(t, 100, r.Retries+r.RetriesDenied)
	require.EqualValues(t, 100+r.Retries, r.Status["503"])
}

// With a quantile hedges go out once it is known, for those that are slower.
func TestHedgeQuantile(t *testing.T) {
	var n atomic.Int64
	p := play(t, file(`, "upstream": {"hedge": {"quantile": "90%"}}`, "", ""), func(run *netlab.Run) {
		defer serve(t, run, func(string) nethttp.HandlerFunc {
			return func(w nethttp.ResponseWriter, r *nethttp.Request) {
				if n.Add(1)%10 == 5 {
					run.Sleep(time.Second)
				}
			}
		}, "web1", "web2", "web3")()
		c := asker(run)
		defer c.CloseIdleConnections()
		for range 100 {
			response, _ := get(t, c, "GET", "http://lb/", nil)
			require.Equal(t, 200, response.StatusCode)
		}
	})
	r := p.front(t).Layer7.Upstream
	require.Positive(t, r.Hedges)
	require.Equal(t, r.Hedges, r.HedgesWon)
	require.Less(t, r.Hedges, uint64(20))
}

// What two programs may read differently is refused with 400 and reaches no backend, also behind a good request.
func TestSmuggling(t *testing.T) {
	const head = "POST / HTTP/1.1\r\nHost: lb\r\n"
	for name, text := range map[string]string{
		"both lengths":           head + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
		"both lengths, reversed": head + "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG",
		"two lengths":            head + "Content-Length: 6\r\nContent-Length: 5\r\n\r\nhello!",
		"the same length twice":  head + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
		"list of lengths":        head + "Content-Length: 5, 5\r\n\r\nhello",
		"signed length":          head + "Content-Length: +5\r\n\r\nhello",
		"two codings":            head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
		"unknown coding":         head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"list of codings":        head + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
		"space before colon":     head + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		"folded":                 head + "X-A: b\r\n c: d\r\n\r\n",
		"folded coding":          head + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
		"folded first":           head[:17] + " X-A: b\r\nHost: lb\r\n\r\n",
		"bare LF":                "GET / HTTP/1.1\nHost: lb\n\n",
		"bare CR":                head + "X-A: b\rX-B: c\r\n\r\n",
		"NUL":                    head + "X-A: b\x00\r\n\r\n",
		"control character":      head + "X-A: b\x01\r\n\r\n",
		"no host":                "GET / HTTP/1.1\r\n\r\n",
		"two hosts":              "GET / HTTP/1.1\r\nHost: lb\r\nHost: other\r\n\r\n",
		"host with a space":      "GET / HTTP/1.1\r\nHost: l b\r\n\r\n",
		"coding in HTTP/1.0":     "POST / HTTP/1.0\r\nHost: lb\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunk size":             head + "Transfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n",
		"chunk size with prefix": head + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
		"chunk too long":         head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n",
		"chunk with bare LF":     head + "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
		"huge chunk":             head + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n",
	} {
		var seen counted
		p := play(t, file("", "", ""), func(run *netlab.Run) {
			defer serve(t, run, seen.handler(func(int, nethttp.ResponseWriter, *nethttp.Request) {}), "web1", "web2", "web3")()
			require.Regexp(t, "^400 Bad Request", status(raw(t, run, "lb:80", text)), name)
			require.Equal(t, []int64{0, 0, 0}, seen.list(), name)
			// Behind a request that is fine, on the same connection, and that one is answered.
			both := raw(t, run, "lb:80", "POST / HTTP/1.1\r\nHost: lb\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"+
				"POST / HTTP/1.1\r\nHost: lb\r\nContent-Length: 3\r\n\r\nabc"+text)
			require.Equal(t, 2, strings.Count(both, "HTTP/1.1 200 OK\r\n"), name)
			require.Equal(t, 1, strings.Count(both, "HTTP/1.1 400 Bad Request"), name)
			require.Equal(t, []int64{1, 1, 0}, seen.list(), name)
			require.Contains(t, raw(t, run, "lb:80", "GET / HTTP/1.1\r\nHost: lb\r\n\r\n"), "200 OK", "others are unaffected")
		})
		require.EqualValues(t, 3, p.front(t).Layer7.Connections, name)
	}
}

// Headers that are too slow or too large, and bodies that break off, are refused.
func TestLimits(t *testing.T) {
	var seen counted
	p := play(t, file(`, "header_timeout": "2s", "max_header": "8KiB", "keepalive_timeout": "3s", "limits": {"max_connections": 2}`, "", ""), func(run *netlab.Run) {
		defer serve(t, run, seen.handler(func(int, nethttp.ResponseWriter, *nethttp.Request) {}), "web1", "web2", "web3")()
		large := "GET / HTTP/1.1\r\nHost: lb\r\nX-A: " + strings.Repeat("a", 20<<10) + "\r\n\r\n"
		require.Equal(t, "431 Request Header Fields Too Large", status(raw(t, run, "lb:80", large)))
		conn, err := run.Host("client").Dial("tcp", "lb:80")
		require.NoError(t, err)
		start := run.Elapsed()
		for _, piece := range []string{"GET / HTTP/1.1\r\n", "Host: lb\r\n", "X-A: ", "a", "b"} {
			io.WriteString(conn, piece)
			run.Sleep(600 * ms)
		}
		io.ReadAll(conn)
		require.Less(t, run.Elapsed()-start, 3100*ms, "the balancer has closed it after 2 s")
		conn.Close()
		require.Equal(t, []int64{0, 0, 0}, seen.list())

		var open [3]net.Conn
		for i := range open {
			open[i], err = run.Host("client").Dial("tcp", "lb:80")
			require.NoError(t, err)
			defer open[i].Close()
			run.Sleep(time.Second / 10)
		}
		_, err = open[2].Read(make([]byte, 1))
		require.Error(t, err, "one too many")
	})
	r := p.front(t).Layer7
	require.EqualValues(t, 0, r.Requests)
	require.EqualValues(t, 1, r.Limits.ConnectionsRefused)
}

// Without a backend the answer says so.
func TestUnavailable(t *testing.T) {
	play(t, file("", "", ""), func(run *netlab.Run) {
		c := asker(run)
		defer c.CloseIdleConnections()
		response, text := get(t, c, "GET", "http://lb/", nil)
		require.Equal(t, 502, response.StatusCode)
		require.Equal(t, "502 Bad Gateway: the backend refuses connections\n", text)
	})
	play(t, file(`, "health": {"initial": "down"}`, "", ""), func(run *netlab.Run) {
		c := asker(run)
		defer c.CloseIdleConnections()
		response, text := get(t, c, "GET", "http://lb/", nil)
		require.Equal(t, 503, response.StatusCode)
		require.Equal(t, "503 Service Unavailable: no backend is available\n", text)
		response, _ = get(t, c, "CONNECT", "http://lb:80", nil)
		require.Equal(t, 405, response.StatusCode)
	})
}

// A request crosses the FIN with which the backend closes the kept connection that it goes over. Whether the backend did anything
// with it can't be known: a GET is sent again, a POST is not.
func TestClosedMeanwhile(t *testing.T) {
	for method, want := range map[string]int{"GET": 200, "POST": 502} {
		text := strings.Replace(file("", `{"type": "http-server", "idle_timeout": "1s", "handlers": {"/": {"handler": "echo"}}}`, ""), "web[1..3]:80", "web1", 1)
		p := play(t, text, func(run *netlab.Run) {
			c := asker(run)
			defer c.CloseIdleConnections()
			get(t, c, "GET", "http://lb/", nil)
			// The answer took 11 ms. A second after the backend sent it the connection is closed, and 1 ms later the balancer knows.
			run.Sleep(time.Second - 11*ms - 10*ms + ms/2)
			var body io.Reader
			if method == "POST" {
				body = strings.NewReader("content")
			}
			response, _ := get(t, c, method, "http://lb/", body)
			require.Equal(t, want, response.StatusCode, method)
		})
		r := p.front(t).Layer7.Upstream
		require.EqualValues(t, 2, r.Tries)
		n, _ := p.Nodes.Get("web1")
		s, _ := n.Services.Get("web")
		if method == "GET" {
			require.EqualValues(t, 1, r.Reconnects)
			require.EqualValues(t, 2, s.Report.(*web.ServerResult).Requests)
		} else {
			require.EqualValues(t, 0, r.Reconnects)
			require.EqualValues(t, 1, r.Errors.Total())
			require.EqualValues(t, 1, s.Report.(*web.ServerResult).Requests)
		}
	}
}
