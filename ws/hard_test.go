package ws_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	nethttp "net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/http"
	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/tcp"
	"netlab/tls"
	"netlab/ws"
)

func TestPing(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		serve(t, l, nil, echo)
		c := dial(t, l, nil)
		closed := make(chan error, 1)
		l.A.Go(func() {
			_, _, err := c.Read(l.Context())
			closed <- err
		})
		start := l.Elapsed()
		require.NoError(t, c.Ping(l.Context()))
		require.Equal(t, 20*ms, l.Elapsed()-start)
		require.NoError(t, c.Close(ws.NormalClosure, ""))
		require.Equal(t, ws.NormalClosure, ws.CloseStatus(<-closed))
	})
}

// Pings go out at multiples of the interval; the one that finds the link cut is missed after the timeout, to the nanosecond.
func TestDeadPeerIsFound(t *testing.T) {
	o := ws.Options{PingInterval: 10 * time.Second, PingTimeout: 3 * time.Second}
	for _, who := range []string{"client", "server"} {
		testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
			var client, server ws.Options
			if who == "client" {
				client = o
			} else {
				server = o
			}
			type ending struct {
				err    error
				at     time.Duration
				pings  uint64
				status ws.StatusCode
			}
			ended := make(chan ending, 1)
			wait := func(c *ws.Conn) {
				_, _, err := c.Read(context.Background())
				ended <- ending{err, l.Elapsed(), c.Pings(), c.Status()}
				require.ErrorIs(t, c.Write(l.Context(), ws.Text, nil), ws.ErrPingTimeout)
				require.ErrorIs(t, c.Ping(l.Context()), ws.ErrPingTimeout)
			}
			serve(t, l, &ws.AcceptOptions{Options: server}, func(r *nethttp.Request, c *ws.Conn) {
				if who == "server" {
					wait(c)
					return
				}
				echo(r, c)
			})
			c := dial(t, l, &ws.DialOptions{Options: client})
			since := l.Elapsed() // of the client's connection; the server's is 10 ms older
			if who == "server" {
				since -= 10 * ms
				l.A.Go(func() { c.Read(l.Context()) })
			}
			l.At(25*time.Second, func() {
				down := l.Links[0].Params(netem.Forward)
				down.Down = true
				require.NoError(t, l.Links[0].Set(netem.Forward, down))
				require.NoError(t, l.Links[0].Set(netem.Backward, down))
			})
			if who == "client" {
				l.A.Go(func() { wait(c) })
			}
			end := <-ended
			require.ErrorIs(t, end.err, ws.ErrPingTimeout)
			require.Equal(t, since+33*time.Second, end.at)
			require.EqualValues(t, 2, end.pings)
			require.Equal(t, ws.Abnormal, end.status)
			l.Sleep(time.Second)
			c.CloseNow()
		})
	}
}

// A peer that doesn't answer a close frame is given up after CloseTimeout.
func TestCloseTimeout(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		serve(t, l, nil, func(r *nethttp.Request, _ *ws.Conn) { <-r.Context().Done() })
		c := dial(t, l, nil)
		start := l.Elapsed()
		require.ErrorIs(t, c.Close(ws.NormalClosure, ""), ws.ErrCloseTimeout)
		require.Equal(t, ws.CloseTimeout, l.Elapsed()-start)
		require.Equal(t, ws.Abnormal, c.Status())
	})
}

// A peer that reads nothing stops the writer, pings, and close frames, but not time; and at the end nothing is left.
func TestPeerThatReadsNothing(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, end := range []string{"close", "now", "ping", "server stops", "context"} {
			t.Run(fmt.Sprintf("%s tls=%v", end, secure), func(t *testing.T) {
				testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 1e9)}, func(t *testing.T, l *testlab.Lab) {
					stuck(t, l, secure, end)
				})
			})
		}
	}
}

func stuck(t *testing.T, l *testlab.Lab, secure bool, end string) {
	var server *http.ServerOptions
	dialing := &ws.DialOptions{}
	url := "ws://b:80/"
	if secure {
		config, err := l.Authority.Server(tls.Server{Party: tls.Party{Name: "b", Now: l.B.Now, Protocols: []string{"http/1.1"}},
			Subject: tls.Subject{Names: []string{"b"}}})
		require.NoError(t, err)
		server, url = &http.ServerOptions{TLS: config}, "wss://b:80/"
		dialing.TLS, err = l.Authority.Client(tls.Client{Party: tls.Party{Name: "a", Now: l.A.Now}})
		require.NoError(t, err)
	}
	var options ws.AcceptOptions
	if end == "ping" {
		options.PingInterval = 20 * time.Second
	}
	ctx, cancel := context.WithCancel(l.Context())
	wrote, read, served := make(chan error, 1), make(chan error, 1), make(chan error, 1)
	conns := make(chan *ws.Conn, 1)
	var accepted time.Duration
	listener, err := tcp.Listen(l.B, ":80")
	require.NoError(t, err)
	l.B.Go(func() {
		served <- http.Serve(ctx, listener, nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
			c, err := ws.Accept(l.B, w, r, &options)
			require.NoError(t, err)
			defer c.CloseNow()
			accepted = l.Elapsed()
			conns <- c
			l.B.Go(func() {
				for err := error(nil); ; {
					if err = c.Write(context.Background(), ws.Binary, make([]byte, 1<<20)); err != nil {
						wrote <- err
						return
					}
				}
			})
			defer context.AfterFunc(r.Context(), func() { c.Close(ws.GoingAway, "") })()
			readContext := context.Background()
			if end == "context" {
				var cancel context.CancelFunc
				readContext, cancel = context.WithCancel(readContext)
				l.At(30*time.Second, cancel)
			}
			_, _, err = c.Read(readContext)
			read <- err
		}), server)
	})
	c, err := ws.Dial(l.Context(), l.A, url, dialing)
	require.NoError(t, err)
	defer c.CloseNow()
	l.Sleep(30*time.Second - l.Elapsed())
	s := <-conns
	over := 30 * time.Second
	switch end {
	case "close":
		require.Error(t, s.Close(ws.PolicyViolation, "too slow"))
		over += ws.CloseTimeout
	case "now":
		s.CloseNow()
	case "ping":
		over = accepted + 2*options.PingInterval // the second is never sent
	case "server stops":
		cancel()
	}
	require.Error(t, <-wrote)
	require.Error(t, <-read)
	require.Equal(t, over.Round(time.Microsecond), l.Elapsed().Round(time.Microsecond))
	cancel()
	require.NoError(t, <-served)
	require.Equal(t, over.Round(time.Microsecond), l.Elapsed().Round(time.Microsecond))
}

// By hand: a message in three fragments with a ping between them, and a frame that isn't masked.
func TestFragments(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		serve(t, l, nil, echo)
		conn, err := tcp.Dial(l.Context(), l.A, "b:80")
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
		require.NoError(t, err)
		r := bufio.NewReader(conn)
		response, err := nethttp.ReadResponse(r, nil)
		require.NoError(t, err)
		require.Equal(t, nethttp.StatusSwitchingProtocols, response.StatusCode)
		require.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", response.Header.Get("Sec-WebSocket-Accept")) // RFC 6455, section 1.3
		const zeroMask = "\x00\x00\x00\x00"
		_, err = io.WriteString(conn, "\x01\x83"+zeroMask+"one"+"\x00\x83"+zeroMask+"two"+"\x89\x82"+zeroMask+"hi"+"\x80\x85"+zeroMask+"three")
		require.NoError(t, err)
		expect := func(want string) {
			got := make([]byte, len(want))
			_, err := io.ReadFull(r, got)
			require.NoError(t, err)
			require.Equal(t, want, string(got))
		}
		expect("\x8a\x02hi")
		expect("\x81\x0bonetwothree")
		_, err = io.WriteString(conn, "\x81\x03abc")
		require.NoError(t, err)
		_, err = r.ReadByte()
		require.Error(t, err)
	})
}

// sum hashes all frames and their times.
type sum struct{ hash.Hash }

func (s sum) Frame(at time.Duration, port netem.PortID, dir netem.Direction, _ uint64, data []byte, _ string) {
	fmt.Fprintln(s.Hash, at, port, dir, len(data))
	s.Hash.Write(data)
}

// Masking keys and all else are the same in every run.
func TestRunsAreEqual(t *testing.T) {
	once := func(seed uint64) string {
		s := sum{sha256.New()}
		config := testlab.Config{Forward: testlab.Wire(10*ms, 10e6), Tap: s, Seed: seed}
		config.Forward.Loss = testlab.Loss(0.02)
		testlab.Run(t, config, func(t *testing.T, l *testlab.Lab) {
			o := ws.Options{Compression: ws.ContextTakeover, PingInterval: 5 * time.Second}
			serve(t, l, &ws.AcceptOptions{Options: o}, echo)
			done := make(chan error, 30)
			for i := range cap(done) {
				l.A.Go(func() { done <- talk(l, i, o) })
			}
			for range cap(done) {
				require.NoError(t, <-done)
			}
		})
		return hex.EncodeToString(s.Sum(nil))
	}
	first := once(7)
	for range 3 {
		require.Equal(t, first, once(7))
	}
	require.NotEqual(t, first, once(8))
}

func talk(l *testlab.Lab, i int, o ws.Options) error {
	c, err := ws.Dial(l.Context(), l.A, "ws://b/", &ws.DialOptions{Options: o})
	if err != nil {
		return err
	}
	defer c.CloseNow()
	for n := range 10 {
		if err := l.A.Sleep(l.Context(), time.Second); err != nil {
			return err
		}
		message := fmt.Sprintf("message %d of %d: %s", n, i, make([]byte, 200*n))
		if err := c.Write(l.Context(), ws.Text, []byte(message)); err != nil {
			return err
		}
		if _, back, err := c.Read(l.Context()); err != nil || string(back) != message {
			return errors.Join(err, errors.New("another message"))
		}
	}
	return c.Close(ws.NormalClosure, "")
}
