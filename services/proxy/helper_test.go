package proxy_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"net"
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/http"
	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/netem"
	"netlab/services"
	"netlab/services/proxy/forward"
	"netlab/services/proxy/socks"
	"netlab/services/web"
	"netlab/tcp"
	"netlab/units"
)

const ms = time.Millisecond

func u(d time.Duration) units.Duration { return units.Duration(d) }

// In these labs the clients and the servers are on a and the proxy on b, 10 ms away. So what a server gets from b came through the proxy.
var wire = testlab.Config{Forward: testlab.Wire(10*ms, 100e6)}

func forwardConfig(change func(c *forward.Config)) *forward.Config {
	c := forward.NewConfig()
	if change != nil {
		change(c)
	}
	return c
}

func socksConfig(change func(c *socks.Config)) *socks.Config {
	c := socks.NewConfig()
	if change != nil {
		change(c)
	}
	return c
}

// origin serves a handler on a port of a, and keeps what it was asked.
type origin struct{ seen []*nethttp.Request }

func serve(l *testlab.Lab, port string, handler nethttp.HandlerFunc) *origin {
	o := &origin{}
	listener, err := tcp.Listen(l.A, port)
	require.NoError(l.T, err)
	l.A.Go(func() {
		http.Serve(l.Context(), listener, nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
			o.seen = append(o.seen, r)
			if handler != nil {
				handler(w, r)
			}
		}), &http.ServerOptions{Host: l.A})
	})
	l.Sleep(ms)
	return o
}

// echoes accepts connections on a port of a and sends everything back.
func echoes(l *testlab.Lab, port string) {
	accept(l, port, func(c *tcp.Conn) {
		io.Copy(c, c)
		c.CloseWrite()
	})
}

// accept calls fn for each connection to a port of a, and closes it.
func accept(l *testlab.Lab, port string, fn func(c *tcp.Conn)) { acceptAt(l, l.A, port, fn) }

func acceptAt(l *testlab.Lab, h *ip.Host, port string, fn func(c *tcp.Conn)) {
	listener, err := tcp.Listen(h, port)
	require.NoError(l.T, err)
	context.AfterFunc(l.Context(), func() { listener.Close() })
	h.Go(func() {
		for {
			c, err := listener.AcceptTCP()
			if err != nil {
				return
			}
			h.Go(func() {
				defer context.AfterFunc(l.Context(), func() { c.Abort() })()
				defer c.Close()
				fn(c)
			})
		}
	})
}

// dial connects to a port of the proxy.
func dial(l *testlab.Lab, port string) *tcp.Conn {
	c, err := tcp.Dial(l.Context(), l.A, "b"+port)
	require.NoError(l.T, err)
	return c
}

// ask sends text to the HTTP proxy and returns the response, with its content.
func ask(l *testlab.Lab, text string) (*nethttp.Response, string) {
	c := dial(l, ":3128")
	defer c.Close()
	_, err := io.WriteString(c, text)
	require.NoError(l.T, err)
	response, err := nethttp.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(l.T, err, text)
	body, err := io.ReadAll(response.Body)
	require.NoError(l.T, err)
	return response, string(body)
}

// connected asks the HTTP proxy for a tunnel that it gives.
func connected(l *testlab.Lab, to string) *tcp.Conn {
	c := dial(l, ":3128")
	_, err := fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %[1]s\r\n\r\n", to)
	require.NoError(l.T, err)
	expectBytes(l.T, c, "HTTP/1.1 200 Connection established\r\n\r\n")
	return c
}

// expectBytes requires that a connection brings this next.
func expectBytes(t testing.TB, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	_, err := io.ReadFull(c, got)
	require.NoError(t, err, "%q", got)
	require.Equal(t, want, string(got))
}

// block returns the lines of a request with a header.
func block(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n\r\n" }

// fetch returns the workload http-fetch for a URL.
func fetch(url services.URL, proxy services.ProxyURL, change func(c *web.Config)) *web.Config {
	c := web.NewConfig()
	c.URL, c.Proxy = url, proxy
	if change != nil {
		change(c)
	}
	return c
}

// sites starts a web server with and without TLS on a host.
func sites(l *testlab.Lab) (plain, secure *testlab.Instance) {
	c := web.NewServerConfig()
	plain = l.Start(web.Server, "plain", c, l.A)
	s := web.NewServerConfig()
	s.Listen, s.TLS.On = ":443", true
	secure = l.Start(web.Server, "secure", s, l.A)
	l.Sleep(ms)
	return plain, secure
}

// witness hashes all frames.
type witness struct{ hash.Hash }

func newWitness() *witness { return &witness{sha256.New()} }

// Frame implements netem.Tap.
func (w *witness) Frame(at time.Duration, port netem.PortID, dir netem.Direction, _ uint64, data []byte, _ string) {
	fmt.Fprintln(w.Hash, at, port, dir)
	w.Hash.Write(data)
}

func text(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}
