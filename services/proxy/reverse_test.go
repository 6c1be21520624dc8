package proxy_test

import (
	"bufio"
	"io"
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services"
	"netlab/services/balancer"
	"netlab/services/proxy/reverse"
	"netlab/services/web"
	"netlab/tcp"
)

func reverseConfig(change func(c *reverse.Config)) *reverse.Config {
	c := reverse.NewConfig()
	c.Backends.SetString("a:8080")
	if change != nil {
		change(c)
	}
	return c
}

// reverseLab runs body with a reverse proxy on b, whose backend is on a, and returns what it reports.
func reverseLab(t *testing.T, change func(c *reverse.Config), body func(l *testlab.Lab)) (r *reverse.Result) {
	testlab.Run(t, wire, func(t *testing.T, l *testlab.Lab) {
		i := l.Service(l.B, reverse.Type, reverseConfig(change))
		l.Sleep(ms)
		body(l)
		l.Sleep(time.Second)
		found, err := i.Stop()
		require.NoError(t, err)
		r = found.(*reverse.Result)
	})
	return r
}

// get sends text to the reverse proxy and returns the response's status and header, and its content.
func get(l *testlab.Lab, text string) (*nethttp.Response, string) {
	c, err := tcp.Dial(l.Context(), l.A, "b:80")
	require.NoError(l.T, err)
	defer c.Close()
	_, err = io.WriteString(c, text)
	require.NoError(l.T, err)
	response, err := nethttp.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return &nethttp.Response{}, "the connection was closed: " + err.Error()
	}
	body, _ := io.ReadAll(response.Body)
	return response, string(body)
}

func TestReverseRules(t *testing.T) {
	rules := func(c *reverse.Config) {
		c.Rules = []reverse.Rule{
			{Action: reverse.Allow, Paths: []string{"/admin/health"}},
			{Action: reverse.Deny, Paths: []string{"/admin"}},
			{Action: reverse.Deny, Methods: []string{"DELETE", "PUT"}},
			{Action: reverse.Deny, Headers: map[string]string{"User-Agent": "bad"}},
			{Action: reverse.Allow, Hosts: []string{"www.lab"}, Clients: services.Nodes{"a"}},
			{Action: reverse.Deny, Clients: services.Nodes{"a"}},
		}
		c.MaxBody, c.MaxHeader = 10, 2000
	}
	for _, test := range []struct {
		name, request string
		status        int
	}{
		{"allowed", block("GET / HTTP/1.1", "Host: www.lab"), 200},
		{"other host", block("GET / HTTP/1.1", "Host: other"), 403},
		{"path", block("GET /admin/x HTTP/1.1", "Host: www.lab"), 403},
		{"hidden path", block("GET /x/%2e%2e//admin HTTP/1.1", "Host: www.lab"), 403},
		{"exception", block("GET /admin/health HTTP/1.1", "Host: www.lab"), 200},
		{"other path", block("GET /administrator HTTP/1.1", "Host: www.lab"), 200},
		{"method", block("DELETE / HTTP/1.1", "Host: www.lab"), 403},
		{"header", block("GET / HTTP/1.1", "Host: www.lab", "User-Agent: bad"), 403},
		{"content", block("POST / HTTP/1.1", "Host: www.lab", "Content-Length: 10") + "0123456789", 200},
		{"large content", block("POST / HTTP/1.1", "Host: www.lab", "Content-Length: 11") + "0123456789x", 413},
		{"large content in chunks", block("POST / HTTP/1.1", "Host: www.lab", "Transfer-Encoding: chunked") + "b\r\n0123456789x\r\n0\r\n\r\n", 413},
		{"large header", block("GET / HTTP/1.1", "Host: www.lab", "X: "+strings.Repeat("x", 8000)), 431},
		{"two lengths", block("POST / HTTP/1.1", "Host: www.lab", "Content-Length: 3", "Content-Length: 4") + "abcd", 400},
		{"length and chunks", block("POST / HTTP/1.1", "Host: www.lab", "Content-Length: 3", "Transfer-Encoding: chunked") + "0\r\n\r\n", 400},
		{"bad chunk", block("POST / HTTP/1.1", "Host: www.lab", "Transfer-Encoding: chunked") + "z\r\nabc\r\n0\r\n\r\n", 400},
		{"space before the colon", block("GET / HTTP/1.1", "Host: www.lab", "X : 1"), 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			reverseLab(t, rules, func(l *testlab.Lab) {
				whole := 0
				serve(l, ":8080", func(w nethttp.ResponseWriter, r *nethttp.Request) {
					if _, err := io.ReadAll(r.Body); err == nil {
						whole++
					}
				})
				response, body := get(l, test.request)
				require.Equal(t, test.status, response.StatusCode, body)
				require.Equal(t, test.status == 200, whole > 0, "backends hear of it")
			})
		})
	}
}

func TestReverseHeadersAndRoutes(t *testing.T) {
	prefix := "/v2"
	reverseLab(t, func(c *reverse.Config) {
		c.Routes = []balancer.Route{{PathPrefix: "/api", RewritePrefix: &prefix}}
		c.RequestHeaders = reverse.Headers{Remove: []string{"Cookie"}, Set: map[string]string{"X-Site": "lab"}, Add: map[string]string{"X-Tag": "2"}}
		c.ResponseHeaders = reverse.Headers{Remove: []string{"Server"}, Set: map[string]string{"X-Frame-Options": "DENY"}}
	}, func(l *testlab.Lab) {
		o := serve(l, ":8080", func(w nethttp.ResponseWriter, r *nethttp.Request) { w.Header().Set("Server", "secret/1.0") })
		response, _ := get(l, block("GET /api/items HTTP/1.1", "Host: www.lab", "Cookie: a=b", "X-Site: mine", "X-Tag: 1", "X-Forwarded-For: 192.0.2.9"))
		require.Equal(t, 200, response.StatusCode)
		require.Empty(t, response.Header.Get("Server"))
		require.Equal(t, "DENY", response.Header.Get("X-Frame-Options"))
		seen := o.seen[0]
		require.Equal(t, "/v2/items", seen.URL.Path)
		require.Empty(t, seen.Header.Get("Cookie"))
		require.Equal(t, []string{"lab"}, seen.Header["X-Site"])
		require.Equal(t, []string{"1", "2"}, seen.Header["X-Tag"])
		require.Equal(t, "10.0.1.1", seen.Header.Get("X-Forwarded-For"), "not what the client says")
		require.Equal(t, "www.lab", seen.Host)
	})
}

// TLS ends at the proxy, and what may be kept comes from its cache, also after the backend has gone.
func TestReverseCacheAndTLS(t *testing.T) {
	for _, crash := range []bool{false, true} {
		var all [2]string
		for i := range all {
			w := newWitness()
			c := wire
			c.Tap = w
			testlab.Run(t, c, func(t *testing.T, l *testlab.Lab) {
				o := serve(l, ":8080", func(w nethttp.ResponseWriter, r *nethttp.Request) {
					w.Header().Set("Cache-Control", "max-age=3600")
					io.WriteString(w, "hello")
				})
				p := l.Service(l.B, reverse.Type, reverseConfig(func(c *reverse.Config) { c.Listen, c.TLS.On, c.Cache.On = ":443", true, true }))
				l.Sleep(ms)
				f := l.Start(web.Fetch, "fetch", fetch("https://b/page", "", func(c *web.Config) { c.Count, c.Interval = 10, u(time.Second) }), l.A)
				if crash {
					l.Sleep(4500 * ms)
					l.Crash(l.B)
					l.Sleep(300 * ms)
					l.Restart(l.B)
				}
				found, err := f.Wait()
				require.NoError(t, err)
				got := found.(*web.Result)
				reported, err := p.Stop()
				require.NoError(t, err)
				r := reported.(*reverse.Result)
				if crash {
					require.Len(t, o.seen, 2, "a crash empties the cache")
				} else {
					require.True(t, got.Intact)
					require.Len(t, o.seen, 1)
					require.EqualValues(t, 9, r.Cache.Hits)
				}
				require.EqualValues(t, r.Received, r.Layer7.Requests)
				all[i] = text(t, []any{got, r}) + string(w.Sum(nil))
			})
		}
		require.Equal(t, all[0], all[1])
	}
}

func TestReverseValidate(t *testing.T) {
	require.NoError(t, reverseConfig(nil).Validate())
	for field, change := range map[string]func(c *reverse.Config){
		"listen":           func(c *reverse.Config) { c.Listen = "" },
		"backends":         func(c *reverse.Config) { c.Backends = nil },
		"max_body":         func(c *reverse.Config) { c.MaxBody = -1 },
		"rules[0].action":  func(c *reverse.Config) { c.Rules = []reverse.Rule{{}} },
		"rules[0].paths":   func(c *reverse.Config) { c.Rules = []reverse.Rule{{Action: "deny", Paths: []string{"x"}}} },
		"rules[0].methods": func(c *reverse.Config) { c.Rules = []reverse.Rule{{Action: "deny", Methods: []string{"get"}}} },
		"rules[0].hosts":   func(c *reverse.Config) { c.Rules = []reverse.Rule{{Action: "deny", Hosts: []string{"a:80"}}} },
		"rules[0].headers": func(c *reverse.Config) {
			c.Rules = []reverse.Rule{{Action: "deny", Headers: map[string]string{"a b": "c"}}}
		},
		"request_headers.set":  func(c *reverse.Config) { c.RequestHeaders.Set = map[string]string{"Content-Length": "1"} },
		"response_headers.add": func(c *reverse.Config) { c.ResponseHeaders.Add = map[string]string{"X": "a\nb"} },
	} {
		require.ErrorContains(t, reverseConfig(change).Validate(), field)
	}
}

// Limits hold for requests that rules let in, also for those that the cache would answer, and each request counts once.
func TestReverseLimits(t *testing.T) {
	r := reverseLab(t, func(c *reverse.Config) {
		c.Limits.Rate, c.Limits.Burst = 1, 2
		c.Cache.SetBool(true)
	}, func(l *testlab.Lab) {
		serve(l, ":8080", func(w nethttp.ResponseWriter, _ *nethttp.Request) { w.Header().Set("Cache-Control", "max-age=60") })
		for _, want := range []int{200, 200, nethttp.StatusTooManyRequests} {
			response, _ := get(l, "GET / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n")
			require.Equal(l.T, want, response.StatusCode)
		}
	})
	require.EqualValues(t, 2, r.Layer7.Limits.Passed)
	require.EqualValues(t, 1, r.Layer7.Limits.RateLimited)
	require.EqualValues(t, 1, r.Cache.Hits)
}
