package ws_test

import (
	"context"
	"errors"
	"fmt"
	nethttp "net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/http"
	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/tcp"
	"netlab/tls"
	"netlab/units"
	"netlab/ws"
)

const ms = time.Millisecond

// serve serves WebSocket on b, port 80, until the test is over. The function owns the connection, which is closed after it.
func serve(t *testing.T, l *testlab.Lab, o *ws.AcceptOptions, talk func(r *nethttp.Request, c *ws.Conn)) {
	serveHTTP(t, l, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		c, err := ws.Accept(l.B, w, r, o)
		if err != nil {
			return
		}
		defer c.CloseNow()
		talk(r, c)
	}, nil)
}

func serveHTTP(t *testing.T, l *testlab.Lab, h nethttp.HandlerFunc, o *http.ServerOptions) {
	listener, err := tcp.Listen(l.B, ":80")
	require.NoError(t, err)
	l.B.Go(func() {
		if err := http.Serve(l.Context(), listener, h, o); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
}

// echo sends back what comes, until the connection is closed.
func echo(_ *nethttp.Request, c *ws.Conn) {
	for {
		kind, message, err := c.Read(context.Background())
		if err != nil || c.Write(context.Background(), kind, message) != nil {
			return
		}
	}
}

func dial(t *testing.T, l *testlab.Lab, o *ws.DialOptions) *ws.Conn {
	c, err := ws.Dial(l.Context(), l.A, "ws://b/chat", o)
	require.NoError(t, err)
	return c
}

func wire(latency time.Duration) testlab.Config {
	return testlab.Config{Forward: testlab.Wire(latency, 0)}
}

// The TCP handshake is one round trip, the upgrade another; a message takes the latency.
func TestTimes(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		arrived := make(chan time.Duration, 1)
		serve(t, l, nil, func(_ *nethttp.Request, c *ws.Conn) {
			kind, message, err := c.Read(context.Background())
			require.NoError(t, err)
			require.Equal(t, ws.Text, kind)
			require.Equal(t, "hello", string(message))
			arrived <- l.Elapsed()
			_, _, err = c.Read(context.Background())
			require.Equal(t, ws.NormalClosure, ws.CloseStatus(err))
		})
		c := dial(t, l, nil)
		require.Equal(t, 40*ms, l.Elapsed())
		require.NoError(t, c.Write(l.Context(), ws.Text, []byte("hello")))
		require.Equal(t, 50*ms, <-arrived)
		require.Zero(t, c.Status())
		require.NoError(t, c.Close(ws.NormalClosure, "bye"))
		require.Equal(t, 70*ms, l.Elapsed()) // sent at 50 ms, answered at 60 ms
		require.Equal(t, ws.NormalClosure, c.Status())
	})
}

func TestUpgrade(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		serveHTTP(t, l, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			if r.URL.Path != "/chat" {
				nethttp.NotFound(w, r)
				return
			}
			require.Equal(t, "HTTP/1.1", r.Proto)
			require.Equal(t, "netlab", r.UserAgent())
			require.Equal(t, "blue", r.Header.Get("X-Colour"))
			c, err := ws.Accept(l.B, w, r, &ws.AcceptOptions{Options: ws.Options{Subprotocols: []string{"chat.v2", "chat.v1"}}})
			require.NoError(t, err)
			echo(r, c)
			c.CloseNow()
		}, nil)
		c := dial(t, l, &ws.DialOptions{Header: nethttp.Header{"X-Colour": {"blue"}},
			Options: ws.Options{Subprotocols: []string{"chat.v1", "chat.v0"}}})
		require.Equal(t, "chat.v1", c.Subprotocol())
		require.NoError(t, c.Close(ws.NormalClosure, ""))

		_, err := ws.Dial(l.Context(), l.A, "ws://b/elsewhere", nil)
		var refused *ws.HandshakeError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, 404, refused.Status)
		_, err = ws.Dial(l.Context(), l.A, "ws://b:81/", nil)
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		_, err = ws.Dial(l.Context(), l.A, "ws://nobody/", nil)
		require.ErrorContains(t, err, "lookup nobody: no such host")
		_, err = ws.Dial(l.Context(), l.A, "wss://b/", nil)
		require.ErrorContains(t, err, "no TLS is configured")
	})
}

func TestNotWebSocket(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		serveHTTP(t, l, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			_, err := ws.Accept(l.B, w, r, nil)
			require.Error(t, err)
		}, nil)
		response, err := (&nethttp.Client{Transport: http.NewTransport(l.A, &http.TransportOptions{NoKeepAlive: true})}).Get("http://b/chat")
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, nethttp.StatusUpgradeRequired, response.StatusCode)
	})
}

func TestDialEndsWithItsContext(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		serveHTTP(t, l, func(_ nethttp.ResponseWriter, r *nethttp.Request) { <-r.Context().Done() }, nil)
		over := errors.New("enough")
		ctx, cancel := context.WithCancelCause(l.Context())
		l.At(time.Second, func() { cancel(over) })
		_, err := ws.Dial(ctx, l.A, "ws://b/", nil)
		require.ErrorIs(t, err, over)
		require.Equal(t, time.Second, l.Elapsed())
		_, err = ws.Dial(ctx, l.A, "ws://b/", nil)
		require.ErrorIs(t, err, over)
	})
}

func TestCloseCodes(t *testing.T) {
	codes := []ws.StatusCode{ws.NormalClosure, ws.GoingAway, ws.UnsupportedData, ws.PolicyViolation, ws.InternalError, ws.TryAgainLater, 4321}
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		seen := make(chan ws.StatusCode, 1)
		serve(t, l, nil, func(r *nethttp.Request, c *ws.Conn) {
			var code ws.StatusCode
			if n, _ := fmt.Sscanf(r.Header.Get("X-Close"), "%d", &code); n == 1 {
				require.NoError(t, c.Close(code, "the server says"))
			} else {
				_, _, err := c.Read(context.Background())
				require.Equal(t, c.Status(), ws.CloseStatus(err))
			}
			seen <- c.Status()
		})
		for _, code := range codes {
			c := dial(t, l, &ws.DialOptions{Header: nethttp.Header{"X-Close": {fmt.Sprint(int(code))}}})
			_, _, err := c.Read(l.Context())
			var closed ws.CloseError
			require.ErrorAs(t, err, &closed)
			require.Equal(t, ws.CloseError{Code: code, Reason: "the server says"}, closed)
			require.Equal(t, code, c.Status())
			require.NoError(t, c.Close(ws.NormalClosure, ""))
			require.Equal(t, code, <-seen)

			c = dial(t, l, nil)
			require.NoError(t, c.Close(code, "the client says"))
			require.Equal(t, code, c.Status())
			require.Equal(t, code, <-seen)
		}
		c := dial(t, l, nil)
		c.CloseNow()
		require.Equal(t, ws.Abnormal, c.Status())
		require.Equal(t, ws.Abnormal, <-seen)
		_, _, err := c.Read(l.Context())
		require.Error(t, err)
		require.Error(t, c.Write(l.Context(), ws.Text, nil))
		require.NoError(t, c.Close(ws.NormalClosure, ""))
	})
}

// A message beyond the limit closes the connection with 1009; the sender, which is still sending, sees that.
func TestReadLimit(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 100e6)}, func(t *testing.T, l *testlab.Lab) {
		server := make(chan error, 1)
		serve(t, l, &ws.AcceptOptions{Options: ws.Options{ReadLimit: 1000}}, func(_ *nethttp.Request, c *ws.Conn) {
			for {
				kind, message, err := c.Read(context.Background())
				if err != nil {
					server <- err
					require.Equal(t, ws.MessageTooBig, c.Status())
					return
				}
				require.NoError(t, c.Write(context.Background(), kind, message))
			}
		})
		c := dial(t, l, nil)
		require.NoError(t, c.Write(l.Context(), ws.Binary, make([]byte, 1000)))
		_, message, err := c.Read(l.Context())
		require.NoError(t, err)
		require.Len(t, message, 1000)
		require.NoError(t, c.Write(l.Context(), ws.Binary, make([]byte, 3_000_000)))
		_, _, err = c.Read(l.Context())
		require.Equal(t, ws.MessageTooBig, ws.CloseStatus(err))
		require.ErrorIs(t, <-server, ws.ErrMessageTooBig)
		c.CloseNow()
	})
}

func TestLargeMessage(t *testing.T) {
	const size = 10 << 20
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 1e9)}, func(t *testing.T, l *testlab.Lab) {
		o := ws.Options{ReadLimit: size}
		serve(t, l, &ws.AcceptOptions{Options: o}, echo)
		c := dial(t, l, &ws.DialOptions{Options: o})
		message := []byte(strings.Repeat("0123456789abcdef", size/16))
		require.NoError(t, c.Write(l.Context(), ws.Text, message))
		_, back, err := c.Read(l.Context())
		require.NoError(t, err)
		require.True(t, string(message) == string(back))
		require.NoError(t, c.Close(ws.NormalClosure, ""))
	})
}

func TestCompression(t *testing.T) {
	carried := map[ws.Compression]uint64{}
	for _, mode := range ws.Compressions {
		testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
			serve(t, l, &ws.AcceptOptions{Options: ws.Options{Compression: mode}}, echo)
			c := dial(t, l, &ws.DialOptions{Options: ws.Options{Compression: mode}})
			for i := range 20 {
				message := fmt.Sprintf("%d %s", i, strings.Repeat("all work and no play ", 50))
				require.NoError(t, c.Write(l.Context(), ws.Text, []byte(message)))
				_, back, err := c.Read(l.Context())
				require.NoError(t, err)
				require.Equal(t, message, string(back))
			}
			require.NoError(t, c.Close(ws.NormalClosure, ""))
			carried[mode] = uint64(l.Links[0].Stats(netem.Forward).Delivered.Bytes)
		})
	}
	require.Less(t, carried[ws.NoContextTakeover], carried[ws.NoCompression]/4)
	require.Less(t, carried[ws.ContextTakeover], carried[ws.NoContextTakeover])
}

// Only one side wants to compress: nobody does.
func TestCompressionIsNegotiated(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		serve(t, l, nil, echo)
		c := dial(t, l, &ws.DialOptions{Options: ws.Options{Compression: ws.ContextTakeover}})
		require.NoError(t, c.Write(l.Context(), ws.Text, make([]byte, 5000)))
		_, _, err := c.Read(l.Context())
		require.NoError(t, err)
		require.Greater(t, l.Links[0].Stats(netem.Forward).Delivered.Bytes, units.Bytes(5000))
		require.NoError(t, c.Close(ws.NormalClosure, ""))
	})
}

func TestOptionsAreChecked(t *testing.T) {
	testlab.Run(t, wire(0), func(t *testing.T, l *testlab.Lab) {
		for want, o := range map[string]ws.Options{
			"compression":  {Compression: "zip"},
			"read limit":   {ReadLimit: -1},
			"pings":        {PingInterval: -1},
			"ping timeout": {PingInterval: time.Second, PingTimeout: 2 * time.Second},
		} {
			_, err := ws.Dial(l.Context(), l.A, "ws://b/", &ws.DialOptions{Options: o})
			require.ErrorContains(t, err, want)
		}
	})
}

func TestTLS(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		server, err := l.Authority.Server(tls.Server{Party: tls.Party{Name: "b", Now: l.B.Now, Protocols: []string{"h2", "http/1.1"}},
			Subject: tls.Subject{Names: []string{"b"}}})
		require.NoError(t, err)
		serveHTTP(t, l, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			c, err := ws.Accept(l.B, w, r, nil)
			require.NoError(t, err)
			defer c.CloseNow()
			echo(r, c)
		}, &http.ServerOptions{TLS: server})
		client, err := l.Authority.Client(tls.Client{Party: tls.Party{Name: "a", Now: l.A.Now}})
		require.NoError(t, err)
		c, err := ws.Dial(l.Context(), l.A, "wss://b:80/", &ws.DialOptions{TLS: client})
		require.NoError(t, err)
		require.Equal(t, 60*ms, l.Elapsed()) // TCP, TLS 1.3, upgrade
		require.NoError(t, c.Write(l.Context(), ws.Text, []byte("secret")))
		_, back, err := c.Read(l.Context())
		require.NoError(t, err)
		require.Equal(t, "secret", string(back))
		require.NoError(t, c.Close(ws.NormalClosure, ""))
	})
}
