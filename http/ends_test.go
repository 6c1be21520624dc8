package http_test

import (
	"io"
	nethttp "net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/http"
	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/tcp"
)

// A handler's panic resets its stream of HTTP/2 and nothing else, and is reported.
func TestPanicsOverHTTP2(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		s := serveTLS(t, l, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			if r.URL.Path == "/x" {
				panic("boom")
			}
			hello(w, r)
		}, http.ServerOptions{}, nil)
		transport := s.transport(t, http.TransportOptions{Version: http.HTTP2})
		client := &nethttp.Client{Transport: transport}
		get(t, client, "https://b/")
		_, err := client.Get("https://b/x")
		require.ErrorContains(t, err, "stream error")
		require.Equal(t, 20*ms, took(l, func() { get(t, client, "https://b/") })) // on the same connection
		transport.CloseIdleConnections()
		var found *http.PanicError
		require.ErrorAs(t, s.stop(), &found)
		require.Equal(t, "GET /x", found.Request)
		require.Equal(t, "boom", found.Value)
	})
}

// The end of a server with TLS cuts off handlers that write, handlers that wait, idle connections and handshakes, also where the
// client reads nothing.
func TestServeEndsWithTLS(t *testing.T) {
	for _, version := range []http.Version{http.HTTP1, http.HTTP2} {
		testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
			var ended atomic.Int32
			s := serveTLS(t, l, func(w nethttp.ResponseWriter, r *nethttp.Request) {
				switch r.URL.Path {
				case "/wait":
					<-r.Context().Done()
					ended.Add(1)
				case "/write":
					for {
						if _, err := w.Write(make([]byte, 1<<20)); err != nil {
							ended.Add(1)
							return
						}
					}
				}
			}, http.ServerOptions{}, nil)
			failed := make(chan error, 4)
			for i, path := range []string{"/idle", "/wait", "/write"} {
				l.A.Go(func() {
					response, err := (&nethttp.Client{Transport: s.transport(t, http.TransportOptions{Version: version})}).Get("https://b" + path)
					if i == 2 {
						l.A.SleepUntil(l.Context(), 10*time.Second+900*ms) // reads nothing until the server is gone
					}
					if err == nil {
						_, err = io.Copy(io.Discard, response.Body)
						response.Body.Close()
					}
					failed <- err
				})
			}
			l.Sleep(10 * time.Second)
			blackhole := testlab.Wire(10*ms, 0)
			blackhole.Loss = testlab.Loss(1)
			l.A.Go(func() { // a handshake that comes to nothing
				response, err := (&nethttp.Client{Transport: s.transport(t, http.TransportOptions{Version: version})}).Get("https://b/late")
				if err == nil {
					response.Body.Close()
				}
				failed <- err
			})
			l.At(10*time.Second+25*ms, func() { l.Links[0].Set(netem.Forward, blackhole) })
			l.At(10*time.Second+500*ms, func() { l.Links[0].Set(netem.Forward, testlab.Wire(10*ms, 0)) })
			l.Sleep(100 * ms)
			require.NoError(t, s.stop())
			require.EqualValues(t, 2, ended.Load())
			require.Less(t, l.Elapsed(), 11*time.Second)
			results := map[bool]int{}
			for range 4 {
				results[<-failed == nil]++
			}
			require.Equal(t, map[bool]int{true: 1, false: 3}, results)
		})
	}
}

// A connection that a handler has taken over is closed when the handler returns, or when the server ends.
func TestHijack(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		var ended atomic.Int32
		stop := serve(t, l, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			conn, _, err := nethttp.NewResponseController(w).Hijack()
			require.NoError(t, err)
			io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			if r.URL.Path == "/stay" {
				io.Copy(io.Discard, conn)
			}
			ended.Add(1)
		}, nil)
		open := func(path string) io.ReadWriteCloser {
			r, err := nethttp.NewRequest("GET", "http://b"+path, nil)
			require.NoError(t, err)
			r.Header.Set("Connection", "Upgrade")
			r.Header.Set("Upgrade", "x")
			response, err := http.NewTransport(l.A, nil).RoundTrip(r)
			require.NoError(t, err)
			return response.Body.(io.ReadWriteCloser)
		}
		first, second := open("/go"), open("/stay")
		_, err := io.ReadAll(first)
		require.NoError(t, err)
		l.Sleep(time.Second)
		require.EqualValues(t, 1, ended.Load())
		require.NoError(t, stop())
		require.EqualValues(t, 2, ended.Load())
		_, err = io.ReadAll(second)
		require.NoError(t, err)
		require.NoError(t, first.Close())
		require.NoError(t, second.Close())
	})
}

func TestLimits(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		stop := serve(t, l, hello, &http.ServerOptions{ReadHeaderTimeout: time.Second, IdleTimeout: 2 * time.Second, MaxHeaderBytes: 1000})
		transport := http.NewTransport(l.A, nil)
		r, err := nethttp.NewRequest("GET", "http://b/", nil)
		require.NoError(t, err)
		for i := range 2 {
			r.Header.Set("X-Long", strings.Repeat("x", i*10_000))
			response, err := transport.RoundTrip(r)
			require.NoError(t, err)
			require.Equal(t, []int{200, 431}[i], response.StatusCode)
			_, err = io.Copy(io.Discard, response.Body)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
		}
		// A connection without a request is closed when the time for the header is over.
		conn, err := tcp.Dial(l.Context(), l.A, "b:80")
		require.NoError(t, err)
		require.Equal(t, time.Second+20*ms, took(l, func() { io.ReadAll(conn) }).Round(ms)) // from the ACK on
		require.NoError(t, conn.Close())
		transport.CloseIdleConnections()
		require.NoError(t, stop())
	})
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		var most, now atomic.Int32
		s := serveTLS(t, l, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			most.Store(max(most.Load(), now.Add(1)))
			l.B.Sleep(r.Context(), ms)
			now.Add(-1)
		}, http.ServerOptions{MaxConcurrentStreams: 2}, nil)
		transport := s.transport(t, http.TransportOptions{Version: http.HTTP2})
		client := &nethttp.Client{Transport: transport}
		get(t, client, "https://b/")
		getAll(t, l, client, 2)
		require.EqualValues(t, 2, most.Load())
		transport.CloseIdleConnections()
		require.NoError(t, s.stop())
	})
}
