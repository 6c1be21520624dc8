package balancer_test

import (
	"bytes"
	stdtls "crypto/tls"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/captures"
)

// load is a workload of 60 requests by six users.
func load(url, more string) string {
	return fmt.Sprintf(`"workloads": {"load": {"type": "http-load", "from": "client", "url": %q, "users": 6, "requests": 60 %s}}, "expect": ["load.succeeded == 60"]`, url, more)
}

// versions are balancers and loads over all versions of HTTP, with TLS on neither, one or both sides.
var versions = map[string]string{
	"http/1.1":     file("", `{"type": "http-server"}`, load("http://lb/", "")),
	"h2c in front": file(`, "h2c": true`, `{"type": "http-server"}`, load("http://lb/", `, "http_version": "h2c"`)),
	"h2c behind":   file(`, "upstream": {"http_version": "h2c", "forwarded": "none"}`, `{"type": "http-server", "h2c": true}`, load("http://lb/", "")),
	"h2c on both sides": file(`, "h2c": true, "upstream": {"http_version": "h2c", "forwarded": "none"}`,
		`{"type": "http-server", "h2c": true}`, load("http://lb/", `, "http_version": "h2c"`)),
	"TLS ends here": file(`, "listen": ":443", "tls": true`, `{"type": "http-server"}`, load("https://lb/", "")),
	"TLS, HTTP/1.1": file(`, "listen": ":443", "tls": true, "http2": false`, `{"type": "http-server"}`, load("https://lb/", "")),
	"TLS behind":    file(`, "upstream": {"tls": true}`, `{"type": "http-server", "listen": ":80", "tls": true}`, load("http://lb/", "")),
	"TLS on both sides": file(`, "listen": ":443", "tls": true, "upstream": {"tls": true, "http_version": "auto", "forwarded": "none"}`,
		`{"type": "http-server", "listen": ":80", "tls": true}`, load("https://lb/", "")),
	"hedged, retried": file(`, "listen": ":443", "tls": true, "algorithm": "power-of-two", "upstream": {"hedge": {"delay": "10ms"}, "retry": {"attempts": 3}}`,
		`{"type": "http-server", "error_rate": "10%", "error_status": 503, "cores": 1, "service_time": "exponential(8ms)"}`, load("https://lb/", "")),
	"PROXY protocol": file(`, "upstream": {"proxy_protocol": "v2"}`, `{"type": "http-server", "proxy_protocol": "lb"}`, load("http://lb/", "")),
	"passed through": strings.ReplaceAll(file(`, "listen": ":443", "tls_passthrough": true`,
		`{"type": "http-server", "listen": ":443", "tls": {"names": ["lb"]}}`, load("https://lb/", "")), "web[1..3]:80", "web[1..3]"),
}

// All versions of HTTP work on both sides, and every run has the same packets, with several processors too. With HTTP/2 towards
// backends they have the same times and lengths.
func TestVersionsRepeat(t *testing.T) {
	for name, text := range versions {
		t.Run(name, func(t *testing.T) {
			first := play(t, text, nil)
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
			second := play(t, text, nil)
			a, b := first.files(t), second.files(t)
			require.Len(t, b, len(a))
			// Requests that one HTTP/2 connection to a backend answers in one event write to a client's in the order of goroutines, which the
			// race detector shuffles.
			shuffled := raceEnabled && (strings.Contains(text, "h2c") || strings.Contains(text, `"http_version": "auto"`))
			for file := range a {
				if shuffled {
					continue
				}
				if strings.HasPrefix(file, "captures/") && file != "captures/client.pcapng" && strings.Contains(text, `"forwarded": "none"`) {
					sameShape(t, filepath.Join(first.dir, file), filepath.Join(second.dir, file))
					continue
				}
				require.True(t, a[file] == b[file], "%s differs", file)
			}
		})
	}
}

// sameShape requires that two captures have packets of the same times and lengths. net/http's HTTP/2 client writes the fields of a
// header in the order of a map, which is another one in each run; nothing else may differ.
func sameShape(t *testing.T, one, two string) {
	t.Helper()
	type shape struct {
		at     time.Time
		length int
	}
	var shapes [2][]shape
	for i, name := range []string{one, two} {
		file, err := captures.ReadFile(name)
		require.NoError(t, err)
		for _, p := range file.Packets {
			shapes[i] = append(shapes[i], shape{p.Time, len(p.Data)})
		}
	}
	require.NotEmpty(t, shapes[0], one)
	require.Equal(t, shapes[0], shapes[1], one)
}

// On each side the balancer is an end: there are connections of its own, and TLS where it was asked for.
func TestConnections(t *testing.T) {
	for name, want := range map[string]struct {
		clients, backends uint64
	}{
		"http/1.1": {6, 6}, "TLS ends here": {6, 6}, "h2c on both sides": {6, 3},
	} {
		r := play(t, versions[name], nil).front(t).Layer7
		require.Equal(t, want.clients, r.Connections, name)
		require.Equal(t, want.backends, r.Upstream.Connections, name)
	}
}

// With pass-through the name in the ClientHello chooses the pool, and the balancer has no key: clients see the backends' certificates.
func TestPassthrough(t *testing.T) {
	text := strings.NewReplacer(`"backends": "web[1..3]:80"`, `"listen": ":443", "backends": "web1"`).Replace(file(
		`, "tls_passthrough": true, "pools": {"two": {"backends": "web2"}, "three": {"backends": "web3"}},
		"routes": [{"host": "two.lab", "pool": "two"}, {"host": "*.three.lab", "pool": "three"}]`, "", ""))
	p := play(t, text, func(run *netlab.Run) {
		for i := 1; i <= 3; i++ {
			host := run.Host(fmt.Sprintf("web%d", i))
			l, err := host.Listen("tcp", ":443")
			require.NoError(t, err)
			defer l.Close()
			config, err := host.ServerTLS()
			require.NoError(t, err)
			run.Go(func() error {
				for {
					c, err := l.Accept()
					if err != nil {
						return nil
					}
					secure := stdtls.Server(c, config)
					if secure.Handshake() == nil {
						io.WriteString(secure, host.Name())
					}
					secure.Close()
				}
			})
		}
		for sni, want := range map[string]string{"two.lab": "web2", "x.three.lab": "web3", "other.lab": "web1", "three.lab": "web1", "": "web1"} {
			conn, err := run.Host("client").Dial("tcp", "lb:443")
			require.NoError(t, err)
			config, err := run.Host("client").ClientTLS()
			require.NoError(t, err)
			config = config.Clone()
			config.ServerName, config.InsecureSkipVerify = sni, true
			secure := stdtls.Client(conn, config)
			text, err := io.ReadAll(secure)
			require.NoError(t, err)
			require.Equal(t, want, string(text), sni)
			require.Contains(t, secure.ConnectionState().PeerCertificates[0].DNSNames, want)
			secure.Close()
		}
		for _, nonsense := range []string{"GET / HTTP/1.1\r\nHost: lb\r\n\r\n", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", "\x16\x03"} {
			raw(t, run, "lb:443", nonsense)
		}
	})
	r := p.front(t)
	require.EqualValues(t, 3, r.Layer7.Malformed)
	require.EqualValues(t, 1, r.Pools["two"].Picked)
	require.EqualValues(t, 3, r.Pool.Picked)
}

// Two balancers in a row: the PROXY protocol carries the client's address through both, and only from those who are trusted.
func TestProxyProtocol(t *testing.T) {
	for _, version := range []string{"v1", "v2"} {
		text := fmt.Sprintf(`{
			"nodes": {
				"client": {}, "sw": {"kind": "switch"},
				"edge": {"services": {"front": {"type": "balancer", "layer": 4, "backends": "lb:80", "upstream": {"proxy_protocol": %[1]q}}}},
				"lb": {"services": {"front": {"type": "balancer", "backends": "web", "proxy_protocol_from": "edge", "header_timeout": "2s",
					"upstream": {"proxy_protocol": %[1]q}}}},
				"web": {"services": {"web": {"type": "http-server", "proxy_protocol": "lb", "handlers": {"/": {"handler": "request"}}}}}
			},
			"links": ["client - sw", "edge - sw", "lb - sw", "web - sw"]}`, version)
		p := play(t, text, func(run *netlab.Run) {
			c := asker(run)
			defer c.CloseIdleConnections()
			_, text := get(t, c, "GET", "http://edge/", nil)
			address := run.Host("client").Addresses()[0].String()
			require.Contains(t, text, "\nclient: "+address+":", version)
			require.Contains(t, text, "\nx-forwarded-for: "+address+"\n", version)
			// The client is no proxy: its header is no request.
			require.Equal(t, "400 Bad Request", status(raw(t, run, "lb:80", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\nGET / HTTP/1.1\r\nHost: lb\r\n\r\n")))
			// A proxy without a header is refused.
			conn, err := run.Host("edge").Dial("tcp", "lb:80")
			require.NoError(t, err)
			io.WriteString(conn, "GET / HTTP/1.1\r\nHost: lb\r\n\r\n")
			_, err = conn.Read(make([]byte, 1))
			require.Error(t, err)
			conn.Close()
		})
		require.EqualValues(t, 1, p.front(t).Layer7.Malformed)
	}
}

// A request with Expect: 100-continue sends its body only when the backend asks for it.
func TestExpectContinue(t *testing.T) {
	play(t, file("", "", ""), func(run *netlab.Run) {
		defer serve(t, run, func(string) nethttp.HandlerFunc {
			return func(w nethttp.ResponseWriter, r *nethttp.Request) {
				if r.URL.Path == "/no" {
					w.WriteHeader(417)
					return
				}
				n, _ := io.Copy(io.Discard, r.Body)
				fmt.Fprint(w, n)
			}
		}, "web1", "web2", "web3")()
		ask := func(path string) (first string, conn net.Conn) {
			conn, err := run.Host("client").Dial("tcp", "lb:80")
			require.NoError(t, err)
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: lb\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", path)
			buffer := make([]byte, 1000)
			n, err := conn.Read(buffer)
			require.NoError(t, err)
			return string(buffer[:n]), conn
		}
		first, conn := ask("/no")
		require.Equal(t, "417 Expectation Failed", status(first))
		conn.Close()
		first, conn = ask("/yes")
		require.Equal(t, "HTTP/1.1 100 Continue\r\n\r\n", first)
		io.WriteString(conn, "hello")
		buffer := make([]byte, 1000)
		n, _ := conn.Read(buffer)
		require.True(t, bytes.HasSuffix(buffer[:n], []byte("\r\n\r\n5")), "%s", buffer[:n])
		conn.Close()
	})
}

// A backend that is taken out finishes what it has, within its time.
func TestDraining(t *testing.T) {
	text := file(`, "drain": [{"backend": "web1", "at": "1s", "timeout": "2s"}]`,
		`{"type": "http-server", "handlers": {"/short": {"handler": "stream", "size": "20kB"}, "/long": {"handler": "stream", "size": "100kB"}}}`,
		`"workloads": {
			"short": {"type": "http-fetch", "from": "client", "url": "http://lb/short", "start": "100ms"},
			"web2": {"type": "http-fetch", "from": "client", "url": "http://lb/short", "start": "200ms"},
			"web3": {"type": "http-fetch", "from": "client", "url": "http://lb/short", "start": "300ms"},
			"long": {"type": "http-fetch", "from": "client", "url": "http://lb/long", "start": "400ms"},
			"after": {"type": "http-fetch", "from": "client", "url": "http://lb/", "start": "1.5s", "count": 6, "interval": "1ms"}},
		"expect": ["short.succeeded == 1", "long.failed == 1", "after.succeeded == 6"]`)
	r := play(t, text, nil).front(t)
	require.EqualValues(t, 2, r.Pool.Backends["web1"].Picked)
	require.EqualValues(t, 1, r.Pool.Backends["web1"].Cut)
	require.EqualValues(t, 4, r.Pool.Backends["web2"].Picked)
	require.EqualValues(t, 4, r.Pool.Backends["web3"].Picked)
	require.EqualValues(t, 1, r.Layer7.Aborted)
}
