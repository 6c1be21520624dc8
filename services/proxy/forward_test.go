package proxy_test

import (
	"bytes"
	"encoding/base64"
	"io"
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services/failures"
	"netlab/services/proxy/access"
	"netlab/services/proxy/forward"
	"netlab/services/web"
	"netlab/tcp"
)

// lab runs body with an HTTP proxy on b and returns what it reports.
func lab(t *testing.T, change func(c *forward.Config), body func(l *testlab.Lab)) (r *forward.Result) {
	testlab.Run(t, wire, func(t *testing.T, l *testlab.Lab) {
		i := l.Service(l.B, forward.Type, forwardConfig(change))
		l.Sleep(ms)
		body(l)
		l.Sleep(time.Minute)
		found, err := i.Stop()
		require.NoError(t, err)
		r = found.(*forward.Result)
	})
	return r
}

func TestPlainRequest(t *testing.T) {
	r := lab(t, nil, func(l *testlab.Lab) {
		o := serve(l, ":80", func(w nethttp.ResponseWriter, r *nethttp.Request) { io.WriteString(w, "hello") })
		response, body := ask(l, block("GET http://a/x?q=1;2 HTTP/1.1", "Host: other", "X-Forwarded-For: 192.0.2.9", "Forwarded: for=192.0.2.9",
			"Proxy-Connection: keep-alive", "Connection: X-Hop", "X-Hop: 1", "X-End: 2"))
		require.Equal(t, 200, response.StatusCode)
		require.Equal(t, "hello", body)
		require.Equal(t, "1.1 b", response.Header.Get("Via"))
		seen := o.seen[0]
		require.Equal(t, "/x?q=1;2", seen.RequestURI, "the server gets the path alone")
		require.Equal(t, "a", seen.Host, "that of the URL counts")
		require.True(t, strings.HasPrefix(seen.RemoteAddr, "10.0.1.2:"), "the proxy's address")
		require.Equal(t, nethttp.Header{"Via": {"1.1 b"}, "X-End": {"2"}}, seen.Header)
	})
	require.Equal(t, access.Record{
		Usage:   access.Usage{Requests: 1, Received: 5},
		Clients: map[string]access.Usage{"a": {Requests: 1, Received: 5}},
		Hosts:   map[string]access.Usage{"a": {Requests: 1, Received: 5}},
	}, r.Record)
	require.Equal(t, map[string]uint64{"200": 1}, r.Status)
	require.EqualValues(t, 1, r.Connections)
}

func TestForwarded(t *testing.T) {
	const sent = "X-Forwarded-For: 192.0.2.9"
	for mode, want := range map[string]nethttp.Header{
		"":                {"Via": {"1.0 x, 1.1 b"}},
		forward.Off:       {"Via": {"1.0 x, 1.1 b"}},
		forward.Anonymous: {"Via": {"1.0 x, 1.1 b"}, "Forwarded": {"for=_hidden"}},
		forward.On:        {"Via": {"1.0 x, 1.1 b"}, "Forwarded": {"for=10.0.1.1"}, "X-Forwarded-For": {"192.0.2.9, 10.0.1.1"}},
	} {
		lab(t, func(c *forward.Config) { c.Forwarded = mode }, func(l *testlab.Lab) {
			o := serve(l, ":80", nil)
			ask(l, block("GET http://a/ HTTP/1.1", "Host: a", "Via: 1.0 x", sent))
			require.Equal(t, want, o.seen[0].Header, mode)
		})
	}
}

// Content goes both ways in full, and the next request takes the same connections.
func TestContent(t *testing.T) {
	r := lab(t, nil, func(l *testlab.Lab) {
		s := l.Start(web.Server, "web", &web.ServerConfig{Listen: ":80", HTTP2: true, Objects: 1 << 20, ContentType: "text/plain",
			Handlers: map[string]web.Handler{"/echo": {Handler: "echo"}}}, l.A)
		l.Sleep(ms)
		found, err := l.Workload(web.Fetch, fetch("http://a/echo", "http://b", func(c *web.Config) {
			c.Method, c.Body, c.Count = "POST", 1<<20, 2
		}), l.A)
		require.NoError(t, err)
		got := found.(*web.Result)
		require.True(t, got.Intact)
		require.EqualValues(t, 2<<20, got.Bytes)
		require.EqualValues(t, 1, got.Connections)
		served, err := s.Stop()
		require.NoError(t, err)
		require.EqualValues(t, 1, served.(*web.ServerResult).Connections)
	})
	require.EqualValues(t, 2<<20, r.Sent)
	require.EqualValues(t, 2<<20, r.Received)
}

func TestRefusals(t *testing.T) {
	filtered := func(c *forward.Config) {
		c.Allow.Hosts, c.Deny.Hosts, c.Deny.Paths = []string{"a", "*.lab"}, []string{".ads.lab"}, []string{"/private*"}
	}
	users := func(c *forward.Config) { c.Users = access.Users{"ada": "secret"} }
	login := func(text string) string {
		return "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(text))
	}
	for _, c := range []struct {
		name, request string
		change        func(c *forward.Config)
		status        int
		kind, why     string
	}{
		{"denied host", block("GET http://x.ADS.lab./ HTTP/1.1", "Host: x"), filtered, 403, "http_request_denied", `host x.ads.lab is denied by ".ads.lab"`},
		{"denied path", block("GET http://a/%70rivate/x HTTP/1.1", "Host: a"), filtered, 403, "http_request_denied", `path /private/x is denied by "/private*"`},
		{"hidden path", block("GET http://a/x/..//private HTTP/1.1", "Host: a"), filtered, 403, "http_request_denied", `path /private is denied`},
		{"not allowed", block("GET http://elsewhere/ HTTP/1.1", "Host: a"), filtered, 403, "http_request_denied", "not one of those that are allowed"},
		{"not allowed by address", block("GET http://10.0.1.1/ HTTP/1.1", "Host: a"), filtered, 403, "http_request_denied", "host 10.0.1.1 is not one"},
		{"tunnel to a denied host", block("CONNECT ads.lab:443 HTTP/1.1", "Host: x"), filtered, 403, "http_request_denied", "denied"},
		{"tunnel to a port", block("CONNECT a:22 HTTP/1.1", "Host: a"), nil, 403, "http_request_denied", "tunnels to port 22 are not allowed"},
		{"no user", block("GET http://a/ HTTP/1.1", "Host: a"), users, 407, "http_request_denied", "wants a user's name"},
		{"wrong password", block("GET http://a/ HTTP/1.1", "Host: a", login("ada:wrong")), users, 407, "", ""},
		{"unknown user", block("CONNECT a:443 HTTP/1.1", "Host: a", login("bob:secret")), users, 407, "", ""},
		{"two logins", block("GET http://a/ HTTP/1.1", "Host: a", login("ada:secret"), login("ada:secret")), users, 407, "", ""},
		{"no login at all", block("GET http://a/ HTTP/1.1", "Host: a", "Proxy-Authorization: Basic !"), users, 407, "", ""},
		{"user", block("GET http://a/ HTTP/1.1", "Host: a", login("ada:secret")), users, 200, "", ""},
		{"path alone", block("GET / HTTP/1.1", "Host: a"), nil, 400, "http_request_error", "want a request with a whole URL"},
		{"other scheme", block("GET ftp://a/ HTTP/1.1", "Host: a"), nil, 400, "http_request_error", `"ftp" is not a scheme`},
		{"https", block("GET https://a/ HTTP/1.1", "Host: a"), nil, 400, "http_request_error", "a tunnel (CONNECT)"},
		{"user in the URL", block("GET http://u:p@a/ HTTP/1.1", "Host: a"), nil, 400, "http_request_error", "user's name"},
		{"port", block("GET http://a:0/ HTTP/1.1", "Host: a"), nil, 400, "http_request_error", `"0" is not a port`},
		{"trace", block("TRACE http://a/ HTTP/1.1", "Host: a"), nil, 400, "http_request_error", "TRACE"},
		{"tunnel without a port", block("CONNECT a HTTP/1.1", "Host: a"), nil, 400, "http_request_error", `"" is not a port`},
		{"tunnel to a path", block("CONNECT /x HTTP/1.1", "Host: a:443"), nil, 400, "http_request_error", "a host and a port"},
		{"tunnel with content", block("CONNECT a:443 HTTP/1.1", "Host: a", "Content-Length: 3") + "abc", nil, 400, "http_request_error", "no content"},
		{"loop", block("GET http://a/ HTTP/1.1", "Host: a", "Via: 1.1 x, 1.1 b (netlab)"), nil, 502, "proxy_loop_detected", "before"},
		{"asked for itself", block("GET http://b:3128/ HTTP/1.1", "Host: b"), nil, 400, "http_request_error", "this is a proxy"},
		{"unknown name", block("GET http://nowhere/ HTTP/1.1", "Host: a"), nil, 502, "dns_error", "unknown"},
		{"nobody listens", block("GET http://a:81/ HTTP/1.1", "Host: a"), nil, 502, "connection_refused", "refuses"},
		{"tunnel to nobody", block("CONNECT a:443 HTTP/1.1", "Host: a"), nil, 502, "connection_refused", "refuses"},
		{"last hop", block("OPTIONS http://a/ HTTP/1.1", "Host: a", "Max-Forwards: 0"), nil, 204, "", ""},

		// What two readers could read differently (RFC 9112, section 11.2) is refused, or made unambiguous.
		{"two lengths", block("POST http://a/ HTTP/1.1", "Host: a", "Content-Length: 3", "Content-Length: 4") + "abcd", nil, 400, "", ""},
		{"list of lengths", block("POST http://a/ HTTP/1.1", "Host: a", "Content-Length: 3, 4") + "abcd", nil, 400, "", ""},
		{"sign", block("POST http://a/ HTTP/1.1", "Host: a", "Content-Length: +3") + "abc", nil, 400, "", ""},
		{"odd coding", block("POST http://a/ HTTP/1.1", "Host: a", "Transfer-Encoding: xchunked") + "0\r\n\r\n", nil, 501, "", ""},
		{"coding twice", block("POST http://a/ HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + "0\r\n\r\n", nil, 501, "", ""},
		{"space before the colon", block("GET http://a/ HTTP/1.1", "Host: a", "X : 1"), nil, 400, "", ""},
		{"folded line", block("GET http://a/ HTTP/1.1", " Host: a", "Host: a"), nil, 400, "", ""},
		{"no host", block("GET http://a/ HTTP/1.1"), nil, 400, "", ""},
		{"two hosts", block("GET http://a/ HTTP/1.1", "Host: a", "Host: b"), nil, 400, "", ""},
		{"control character", "GET http://a/\x00 HTTP/1.1\r\nHost: a\r\n\r\n", nil, 400, "", ""},
		{"other version", block("GET http://a/ HTTP/3.7", "Host: a"), nil, 505, "", ""},
		{"no HTTP", "\x16\x03\x01\x00\x05hello\r\n\r\n", nil, 400, "", ""},
		{"large header", block("GET http://a/ HTTP/1.1", "Host: a", "X: "+strings.Repeat("x", 6000)),
			func(c *forward.Config) { c.MaxHeader = 1000 }, 431, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			lab(t, c.change, func(l *testlab.Lab) {
				o := serve(l, ":80", nil)
				response, body := ask(l, c.request)
				require.Equal(t, c.status, response.StatusCode, body)
				require.Contains(t, body, c.why)
				if c.kind != "" {
					require.Equal(t, "b; error="+c.kind, response.Header.Get("Proxy-Status"))
				}
				if c.status == 407 {
					require.Equal(t, `Basic realm="b", charset="UTF-8"`, response.Header.Get("Proxy-Authenticate"))
				}
				require.Equal(t, c.status == 200, len(o.seen) > 0, "nothing gets through")
				for _, r := range o.seen {
					require.Empty(t, r.Header.Get("Proxy-Authorization"), "the password is for the proxy")
				}
			})
		})
	}
}

// A request with both a length and chunks goes on with chunks alone, and what follows is a request of its own.
func TestSmuggling(t *testing.T) {
	lab(t, nil, func(l *testlab.Lab) {
		var bodies []string
		o := serve(l, ":80", func(_ nethttp.ResponseWriter, r *nethttp.Request) {
			b, _ := io.ReadAll(r.Body)
			bodies = append(bodies, string(b))
		})
		c := dial(l, ":3128")
		defer c.Close()
		io.WriteString(c, block("POST http://a/1 HTTP/1.1", "Host: a", "Content-Length: 6", "Transfer-Encoding: chunked")+"0\r\n\r\nGET http://a/2 HTTP/1.1\r\nHost: a\r\n\r\n")
		l.Sleep(time.Second)
		require.LessOrEqual(t, len(o.seen), 2)
		for _, r := range o.seen {
			require.False(t, r.ContentLength > 0 && len(r.TransferEncoding) > 0)
		}
		require.Equal(t, "", bodies[0])
	})
	// A chunk that is none breaks the request off, and the server never sees the end of it.
	for _, chunk := range []string{"z\r\nabc\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n", "ffffffffffffffffff\r\nabc\r\n0\r\n\r\n", "3\r\nabcX\r\n0\r\n\r\n"} {
		lab(t, nil, func(l *testlab.Lab) {
			whole := false
			serve(l, ":80", func(_ nethttp.ResponseWriter, r *nethttp.Request) {
				_, err := io.ReadAll(r.Body)
				whole = err == nil
			})
			c := dial(l, ":3128")
			defer c.Close()
			io.WriteString(c, block("POST http://a/ HTTP/1.1", "Host: a", "Transfer-Encoding: chunked")+chunk)
			l.Sleep(time.Second)
			require.False(t, whole, "%q", chunk)
		})
	}
}

func TestTunnel(t *testing.T) {
	data := bytes.Repeat([]byte("netlab tunnels "), 1<<20/15)
	r := lab(t, func(c *forward.Config) { c.ConnectPorts = []uint16{7} }, func(l *testlab.Lab) {
		echoes(l, ":7")
		c := connected(l, "a:7")
		l.A.Go(func() {
			c.Write(data)
			c.CloseWrite()
		})
		back, err := io.ReadAll(c)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, back), "1 MB there and back after a half-close")
		c.Close()
	})
	require.EqualValues(t, 1, r.Tunnels)
	require.EqualValues(t, len(data), r.Sent)
	require.EqualValues(t, len(data), r.Received)
	require.Zero(t, r.Failed)
	require.Equal(t, map[string]uint64{"200": 1}, r.Status)
}

// What the client sends right behind its CONNECT gets through.
func TestEarlyData(t *testing.T) {
	lab(t, func(c *forward.Config) { c.ConnectPorts = []uint16{7} }, func(l *testlab.Lab) {
		echoes(l, ":7")
		c := dial(l, ":3128")
		defer c.Close()
		io.WriteString(c, block("CONNECT a:7 HTTP/1.1", "Host: a:7")+"early")
		expectBytes(t, c, "HTTP/1.1 200 Connection established\r\n\r\nearly")
	})
}

// A side that doesn't read stops the other one: what the tunnel holds is bounded.
func TestBackPressure(t *testing.T) {
	lab(t, func(c *forward.Config) { c.ConnectPorts = []uint16{7} }, func(l *testlab.Lab) {
		read := make(chan struct{})
		accept(l, ":7", func(c *tcp.Conn) {
			<-read
			n, err := io.Copy(io.Discard, c)
			require.NoError(t, err)
			require.EqualValues(t, 24<<20, n)
			c.Write([]byte("done"))
		})
		c := connected(l, "a:7")
		defer c.Close()
		sent := 0
		finished := make(chan struct{})
		l.A.Go(func() {
			defer close(finished)
			piece := make([]byte, 1<<20)
			for range 24 {
				n, err := c.Write(piece)
				require.NoError(t, err)
				sent += n
			}
			c.CloseWrite()
		})
		l.Sleep(30 * time.Second)
		held := sent - 4<<20 // that fit into the client's own connection
		require.Less(t, held, 16<<20, "in the buffers of two connections")
		before := sent
		l.Sleep(30 * time.Second)
		require.Equal(t, before, sent)
		close(read)
		<-finished
		expectBytes(t, c, "done")
	})
}

// A reset is passed on as one, and so is silence that lasts too long as an end.
func TestTunnelEnds(t *testing.T) {
	r := lab(t, func(c *forward.Config) { c.ConnectPorts = []uint16{7} }, func(l *testlab.Lab) {
		accept(l, ":7", func(c *tcp.Conn) {
			io.ReadFull(c, make([]byte, 1))
			c.Abort()
		})
		c := connected(l, "a:7")
		c.Write([]byte("x"))
		_, err := c.Read(make([]byte, 1))
		require.Equal(t, failures.Reset, failures.Of(err))
	})
	require.EqualValues(t, 1, r.Failed)

	r = lab(t, func(c *forward.Config) { c.ConnectPorts, c.IdleTimeout = []uint16{7}, u(10*time.Second) }, func(l *testlab.Lab) {
		echoes(l, ":7")
		c := connected(l, "a:7")
		l.Sleep(8 * time.Second)
		c.Write([]byte("x"))
		expectBytes(t, c, "x")
		start := l.Elapsed()
		_, err := c.Read(make([]byte, 1))
		require.Error(t, err)
		require.InDelta(t, 10*time.Second, l.Elapsed()-start, float64(20*ms))
	})
	require.Zero(t, r.Failed)
}

func TestTimeouts(t *testing.T) {
	r := lab(t, func(c *forward.Config) { c.ResponseTimeout, c.ConnectTimeout = u(2*time.Second), u(3*time.Second) }, func(l *testlab.Lab) {
		serve(l, ":80", func(w nethttp.ResponseWriter, r *nethttp.Request) { <-r.Context().Done() })
		start := l.Elapsed()
		response, body := ask(l, block("GET http://a/ HTTP/1.1", "Host: a"))
		require.Equal(t, 504, response.StatusCode, body)
		require.Equal(t, "b; error=http_response_timeout", response.Header.Get("Proxy-Status"))
		require.InDelta(t, 2*time.Second, l.Elapsed()-start, float64(100*ms))

		start = l.Elapsed()
		response, _ = ask(l, block("CONNECT 10.0.1.77:443 HTTP/1.1", "Host: a"))
		require.Equal(t, 504, response.StatusCode)
		require.Equal(t, "b; error=connection_timeout", response.Header.Get("Proxy-Status"))
		require.InDelta(t, 3*time.Second, l.Elapsed()-start, float64(100*ms))
	})
	require.EqualValues(t, 2, r.Failed)
}

func TestLimits(t *testing.T) {
	r := lab(t, func(c *forward.Config) { c.MaxPerClient, c.ConnectPorts = 2, []uint16{7} }, func(l *testlab.Lab) {
		echoes(l, ":7")
		one, two := connected(l, "a:7"), connected(l, "a:7")
		response, body := ask(l, block("GET http://a/ HTTP/1.1", "Host: a"))
		require.Equal(t, 503, response.StatusCode)
		require.Contains(t, body, "too many connections")
		require.True(t, response.Close)
		one.Close()
		l.Sleep(time.Second)
		three := connected(l, "a:7")
		two.Close()
		three.Close()
	})
	require.EqualValues(t, 1, r.Limited)
	require.EqualValues(t, 3, r.Tunnels)
	require.Equal(t, 3, r.MaxConnections)
}

func TestForwardValidate(t *testing.T) {
	require.NoError(t, forwardConfig(nil).Validate())
	for field, change := range map[string]func(c *forward.Config){
		"listen":           func(c *forward.Config) { c.Listen = "" },
		"allow.hosts":      func(c *forward.Config) { c.Allow.Hosts = []string{"a:80"} },
		"deny.hosts":       func(c *forward.Config) { c.Deny.Hosts = []string{""} },
		"deny.ports":       func(c *forward.Config) { c.Deny.Ports = []uint16{0} },
		"deny.paths":       func(c *forward.Config) { c.Deny.Paths = []string{"private"} },
		"users.a:b":        func(c *forward.Config) { c.Users = access.Users{"a:b": "x"} },
		"users.ada":        func(c *forward.Config) { c.Users = access.Users{"ada": ""} },
		"connect_ports":    func(c *forward.Config) { c.ConnectPorts = []uint16{0} },
		"forwarded":        func(c *forward.Config) { c.Forwarded = "yes" },
		"connect_timeout":  func(c *forward.Config) { c.ConnectTimeout = 0 },
		"response_timeout": func(c *forward.Config) { c.ResponseTimeout = -1 },
		"header_timeout":   func(c *forward.Config) { c.HeaderTimeout = -1 },
		"idle_timeout":     func(c *forward.Config) { c.IdleTimeout = -1 },
		"max_connections":  func(c *forward.Config) { c.MaxConnections = -1 },
		"max_per_client":   func(c *forward.Config) { c.MaxPerClient = -1 },
		"max_header":       func(c *forward.Config) { c.MaxHeader = -1 },
	} {
		require.ErrorContains(t, forwardConfig(change).Validate(), field)
	}
}
