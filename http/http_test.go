package http_test

import (
	"context"
	"errors"
	"io"
	"net"
	nethttp "net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/http"
	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/netem"
	"netlab/tcp"
)

const ms = time.Millisecond

// serve serves a handler on b, port 80, until stop is called, which returns Serve's error.
func serve(t *testing.T, l *testlab.Lab, h nethttp.HandlerFunc, o *http.ServerOptions) (stop func() error) {
	listener, err := tcp.Listen(l.B, ":80")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(l.Context())
	result := make(chan error, 1)
	l.B.Go(func() { result <- http.Serve(ctx, listener, h, o) })
	return func() error {
		cancel()
		return <-result
	}
}

func get(t *testing.T, c *nethttp.Client, url string) string {
	response, err := c.Get(url)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}

func hello(w nethttp.ResponseWriter, r *nethttp.Request) { io.WriteString(w, "hello "+r.URL.Path) }

func TestRoundTrips(t *testing.T) {
	t.Setenv("http_proxy", "http://192.0.2.1:8080") // not ours
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		stop := serve(t, l, hello, nil)
		transport := http.NewTransport(l.A, nil)
		client := &nethttp.Client{Transport: transport}
		require.Equal(t, "hello /1", get(t, client, "http://b/1"))
		require.Equal(t, 40*ms, l.Elapsed()) // handshake and request
		require.Equal(t, "hello /2", get(t, client, "http://b/2"))
		require.Equal(t, 60*ms, l.Elapsed()) // the connection was kept
		require.Equal(t, "hello /3", get(t, client, "http://10.0.1.2/3"))
		require.Equal(t, 100*ms, l.Elapsed()) // another server, as far as the client knows
		transport.CloseIdleConnections()
		require.NoError(t, stop())
	})
}

func TestNoKeepAlive(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		stop := serve(t, l, hello, nil)
		client := &nethttp.Client{Transport: http.NewTransport(l.A, &http.TransportOptions{NoKeepAlive: true})}
		get(t, client, "http://b/1")
		get(t, client, "http://b/2")
		require.Equal(t, 80*ms, l.Elapsed())
		require.NoError(t, stop())
	})
}

func TestLargeBodiesOverLoss(t *testing.T) {
	wire := testlab.Wire(10*ms, 100e6)
	wire.Loss = testlab.Loss(0.01)
	testlab.Run(t, testlab.Config{Forward: wire, TCP: ip.TCPConfig{SendBuffer: 64 << 10}}, func(t *testing.T, l *testlab.Lab) {
		stop := serve(t, l, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			io.Copy(w, r.Body) // sent back while it still comes
		}, nil)
		transport := http.NewTransport(l.A, nil)
		body := strings.Repeat("0123456789", 100_000)
		response, err := (&nethttp.Client{Transport: transport}).Post("http://b/", "text/plain", strings.NewReader(body))
		require.NoError(t, err)
		back, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.True(t, body == string(back))
		require.NotZero(t, l.Dropped(0, netem.Forward))
		transport.CloseIdleConnections()
		require.NoError(t, stop())
	})
}

func TestPanics(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		stop := serve(t, l, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			if r.URL.Path == "/abort" {
				panic(nethttp.ErrAbortHandler)
			}
			panic("boom")
		}, nil)
		transport := http.NewTransport(l.A, nil)
		client := &nethttp.Client{Transport: transport}
		for _, path := range []string{"/abort", "/x"} {
			_, err := client.Get("http://b" + path)
			require.ErrorIs(t, err, io.EOF)
		}
		err := stop()
		var found *http.PanicError
		require.ErrorAs(t, err, &found)
		require.Equal(t, "GET /x", found.Request)
		require.Equal(t, "boom", found.Value)
		require.Contains(t, string(found.Stack), "TestPanics")

		var told any
		stop = serve(t, l, func(nethttp.ResponseWriter, *nethttp.Request) { panic("again") },
			&http.ServerOptions{Panicked: func(v any, _ []byte) { told = v }})
		_, err = client.Get("http://b/")
		require.Error(t, err)
		require.NoError(t, stop())
		require.Equal(t, "again", told)
	})
}

// The end of a server cuts off handlers that write, handlers that wait, and idle connections.
func TestServeEnds(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 1e6)}, func(t *testing.T, l *testlab.Lab) {
		var ended atomic.Int32
		stop := serve(t, l, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			switch r.URL.Path {
			case "/idle":
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
		}, nil)
		failed := make(chan error, 3)
		for _, path := range []string{"/idle", "/wait", "/write"} {
			transport := http.NewTransport(l.A, nil)
			l.A.Go(func() {
				response, err := (&nethttp.Client{Transport: transport}).Get("http://b" + path)
				if err == nil {
					_, err = io.Copy(io.Discard, response.Body)
				}
				failed <- err
			})
		}
		l.Sleep(10 * time.Second)
		require.NoError(t, stop())
		require.EqualValues(t, 2, ended.Load())
		require.Less(t, l.Elapsed(), 11*time.Second)
		require.NoError(t, <-failed)
		require.Error(t, <-failed)
		require.Error(t, <-failed)
	})
}

// broken is a listener that fails.
type broken struct{ net.Listener }

func (broken) Accept() (net.Conn, error) { return nil, errors.New("out of order") }

func TestListenerFails(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		listener, err := tcp.Listen(l.B, ":80")
		require.NoError(t, err)
		require.EqualError(t, http.Serve(l.Context(), broken{listener}, nethttp.NotFoundHandler(), nil), "out of order")
		_, err = listener.Accept()
		require.ErrorIs(t, err, net.ErrClosed)
	})
}

func TestUnknownHost(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		_, err := (&nethttp.Client{Transport: http.NewTransport(l.A, nil)}).Get("http://nobody/")
		require.ErrorContains(t, err, "lookup nobody: no such host")
	})
}
