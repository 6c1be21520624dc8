package balancer_test

import (
	"fmt"
	"io"
	nethttp "net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
)

// shows is a web server whose pages say what it saw.
const shows = `{"type": "http-server", "handlers": {"/": {"handler": "request"}}}`

// Backends see the balancer as their client and learn of the true one from the header; what belongs to a connection doesn't pass.
func TestHeaders(t *testing.T) {
	var first, forged, both string
	play(t, file("", shows, ""), func(run *netlab.Run) {
		c := asker(run)
		defer c.CloseIdleConnections()
		response, text := get(t, c, "GET", "http://lb/a?b=%2f&c", nil, "X-Own", "1", "Connection", "X-Hop", "X-Hop", "2", "Keep-Alive", "3", "Te", "gzip")
		first = text
		require.Equal(t, "1.1 lb", response.Header.Get("Via"))
		_, forged = get(t, c, "GET", "http://lb/", nil, "X-Forwarded-For", "1.2.3.4", "Forwarded", "for=1.2.3.4", "X-Forwarded-Proto", "https", "Via", "1.0 before")
	})
	lines := strings.Split(first, "\n")
	require.Equal(t, "GET /a?b=%2f&c HTTP/1.1", lines[0])
	require.Regexp(t, `^client: 10\.`, lines[1])
	require.Equal(t, "host: lb", lines[2])
	require.Regexp(t, `^user-agent: Go-http-client/1.1\nvia: 1.1 lb\nx-forwarded-for: 10\.\d+\.\d+\.\d+\nx-forwarded-host: lb\nx-forwarded-proto: http\nx-own: 1\n$`,
		strings.Join(lines[3:], "\n"))
	require.NotContains(t, forged, "1.2.3.4")
	require.NotContains(t, forged, "\nforwarded:")
	require.Contains(t, forged, "\nvia: 1.0 before, 1.1 lb\n")
	require.Contains(t, forged, "\nx-forwarded-proto: http\n")

	play(t, file(`, "upstream": {"forwarded": "both", "trusted_proxies": "client", "preserve_host": false}`, shows, ""), func(run *netlab.Run) {
		c := asker(run)
		defer c.CloseIdleConnections()
		_, both = get(t, c, "GET", "http://lb:80/", nil, "X-Forwarded-For", "1.2.3.4", "Forwarded", "for=1.2.3.4", "X-Forwarded-Proto", "https")
	})
	require.Regexp(t, `\nhost: web1(:80)?\n`, both)
	require.Regexp(t, `\nx-forwarded-for: 1\.2\.3\.4, 10\.\d+\.\d+\.\d+\n`, both)
	require.Regexp(t, `\nforwarded: for=1\.2\.3\.4, for=10\.\d+\.\d+\.\d+;host="?lb(:80)?"?;proto=http;by=_lb\n`, both)
	require.Contains(t, both, "\nx-forwarded-proto: https\n")
}

// Routes look at host, path, method, header and cookie, the first that fits counts.
func TestRoutes(t *testing.T) {
	routes := `, "pools": {"api": {"backends": "web2"}, "beta": {"backends": "web3"}},
		"routes": [
			{"host": "old.lab", "redirect": {"scheme": "https", "host": "new.lab", "status": 301}},
			{"path": "/moved", "redirect": {"path": "/here"}},
			{"path_prefix": "/api", "methods": ["GET"], "pool": "api", "rewrite_prefix": "/v2"},
			{"path_prefix": "/strip/", "pool": "api", "rewrite_prefix": "/"},
			{"headers": {"X-Beta": "yes"}, "pool": "beta"}, {"headers": {"X-Any": "*"}, "pool": "beta"},
			{"cookies": {"beta": "1"}, "pool": "beta"},
			{"host": "*.beta.lab", "pool": "beta"}
		]`
	text := strings.Replace(file(routes, shows, ""), `"backends": "web[1..3]:80"`, `"backends": "web1"`, 1)
	p := play(t, text, func(run *netlab.Run) {
		c := asker(run)
		defer c.CloseIdleConnections()
		for _, q := range []struct {
			name, method, path string
			header             []string
			want               string // request line, or Location
		}{
			{"default", "GET", "/", nil, "GET / "},
			{"prefix", "GET", "/api/items?x=1", nil, "GET /v2/items?x=1 "},
			{"prefix alone", "GET", "/api", nil, "GET /v2 "},
			{"escaped", "GET", "/api/a%2fb", nil, "GET /v2/a%2fb "},
			{"no prefix", "GET", "/apix", nil, "GET /apix "},
			{"method", "POST", "/api/items", nil, "POST /api/items "},
			{"strip", "GET", "/strip/a", nil, "GET /a "},
			{"header", "GET", "/h", []string{"X-Beta", "yes"}, "GET /h "},
			{"other header", "GET", "/", []string{"X-Beta", "no"}, "GET / "},
			{"any header", "GET", "/", []string{"X-Any", "no"}, "GET / "},
			{"cookie", "GET", "/", []string{"Cookie", "a=b; beta=1"}, "GET / "},
			{"host", "GET", "/", []string{"Host", "x.BETA.lab:80"}, "GET / "},
			{"host itself", "GET", "/", []string{"Host", "beta.lab"}, "GET / "},
			{"redirect", "GET", "/x%20y?q=1", []string{"Host", "old.lab"}, "https://new.lab/x%20y?q=1"},
			{"redirect path", "GET", "/moved?q=1", nil, "http://lb/here?q=1"},
		} {
			response, text := get(t, c, q.method, "http://lb"+q.path, nil, q.header...)
			if strings.HasPrefix(q.want, "http") {
				require.Equal(t, q.want, response.Header.Get("Location"), q.name)
				continue
			}
			require.True(t, strings.HasPrefix(text, q.want), "%s: %s", q.name, text)
		}
	})
	r := p.front(t)
	require.EqualValues(t, 5, r.Pool.Backends["web1"].Picked)
	require.EqualValues(t, 4, r.Pools["api"].Backends["web2"].Picked)
	require.EqualValues(t, 4, r.Pools["beta"].Backends["web3"].Picked)
	require.EqualValues(t, 2, r.Layer7.Redirects)
	require.EqualValues(t, map[string]uint64{"200": 13, "301": 1, "308": 1}, r.Layer7.Status)
}

// A client stays with its backend: by the balancer's cookie, the application's, or its address.
func TestSticky(t *testing.T) {
	app := func(host string) nethttp.HandlerFunc {
		return func(w nethttp.ResponseWriter, r *nethttp.Request) {
			if r.URL.Path == "/login" {
				nethttp.SetCookie(w, &nethttp.Cookie{Name: "session", Value: "s1"})
			}
			io.WriteString(w, host)
		}
	}
	for name, q := range map[string]struct {
		sticky string
		path   string
		cookie string // that the client gets
		stuck  bool   // without the cookie too
	}{
		"cookie":     {`{}`, "/", "backend=web1; Path=/; HttpOnly", false},
		"app-cookie": {`{"by": "app-cookie", "cookie": "session"}`, "/login", "session=s1", false},
		"source":     {`{"by": "source"}`, "/", "", true},
	} {
		p := play(t, file(`, "sticky": `+q.sticky, "", ""), func(run *netlab.Run) {
			defer serve(t, run, app, "web1", "web2", "web3")()
			c := asker(run)
			defer c.CloseIdleConnections()
			response, host := get(t, c, "GET", "http://lb"+q.path, nil)
			require.Equal(t, "web1", host)
			require.Equal(t, q.cookie, response.Header.Get("Set-Cookie"))
			cookie, _, _ := strings.Cut(q.cookie, ";")
			for range 4 {
				_, host = get(t, c, "GET", "http://lb/", nil, "Cookie", cookie)
				require.Equal(t, "web1", host, name)
			}
			_, host = get(t, c, "GET", "http://lb/", nil)
			require.Equal(t, q.stuck, host == "web1")
		})
		want := 4
		if q.stuck {
			want = 5
		}
		require.EqualValues(t, want, p.front(t).Layer7.Stuck, name)
	}
}

// When a client's backend goes, the client gets another one and stays there.
func TestStickyMoves(t *testing.T) {
	health := `, "sticky": {}, "health": {"interval": "1s", "timeout": "500ms", "fall": 2}`
	p := play(t, file(health, `{"type": "http-server", "objects": "1kB"}`,
		`"workloads": {"load": {"type": "http-load", "from": "client", "url": "http://lb/", "users": 1, "think_time": "100ms", "duration": "10s", "cookies": true, "timeout": "1s"}},
		"faults": [{"at": "4s", "crash": "web1"}]`), nil)
	r := p.front(t)
	require.EqualValues(t, 0, r.Pool.Backends["web3"].Picked)
	require.Positive(t, r.Pool.Backends["web1"].Picked)
	require.Positive(t, r.Pool.Backends["web2"].Picked)
}

// A message of WebSocket and what else follows an upgrade pass in both directions, and ends do.
func TestUpgrade(t *testing.T) {
	p := play(t, file("", `{"type": "http-server", "handlers": {"/ws": {"handler": "websocket-echo"}}}`,
		`"workloads": {"ws": {"type": "websocket", "from": "client", "url": "ws://lb/ws", "count": 5}}`), nil)
	r := p.front(t)
	require.EqualValues(t, 1, r.Layer7.Upstream.Tunnels)
	require.EqualValues(t, map[string]uint64{"101": 1}, r.Layer7.Status)
	require.Positive(t, r.Layer7.Upstream.Sent)
	require.EqualValues(t, 1, r.Pool.Backends["web1"].Succeeded)
}

// Trailers pass both ways, and a body that streams arrives as it is sent.
func TestStreamingAndTrailers(t *testing.T) {
	var got sync.Map
	play(t, file("", "", ""), func(run *netlab.Run) {
		defer serve(t, run, func(string) nethttp.HandlerFunc {
			return func(w nethttp.ResponseWriter, r *nethttp.Request) {
				body, _ := io.ReadAll(r.Body)
				got.Store("body", string(body))
				got.Store("trailer", r.Trailer.Get("X-Sum"))
				w.Header().Set("Trailer", "X-Count")
				for i := range 3 {
					fmt.Fprint(w, i)
					w.(nethttp.Flusher).Flush()
					run.Sleep(time.Second)
				}
				w.Header().Set("X-Count", "3")
			}
		}, "web1")()
		c := asker(run)
		defer c.CloseIdleConnections()
		r, err := nethttp.NewRequest("POST", "http://lb/", io.MultiReader(strings.NewReader("hello")))
		require.NoError(t, err)
		r.Trailer = nethttp.Header{"X-Sum": {"5"}}
		start := run.Elapsed()
		response, err := c.Do(r)
		require.NoError(t, err)
		defer response.Body.Close()
		one := make([]byte, 1)
		var at []time.Duration
		for {
			n, err := response.Body.Read(one)
			if n > 0 {
				at = append(at, (run.Elapsed() - start).Round(time.Microsecond))
			}
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
		}
		require.Len(t, at, 3)
		require.Equal(t, time.Second, at[1]-at[0])
		require.Equal(t, time.Second, at[2]-at[1])
		require.Equal(t, "3", response.Trailer.Get("X-Count"))
	})
	body, _ := got.Load("body")
	trailer, _ := got.Load("trailer")
	require.Equal(t, "hello", body)
	require.Equal(t, "5", trailer)
}
