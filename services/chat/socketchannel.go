package chat

import (
	"context"
	stdtls "crypto/tls"
	"strconv"
	"sync"
	"time"

	"netlab/services"
	"netlab/services/secure"
	"netlab/units"
	"netlab/ws"
)

// socketChannel is a user's WebSocket connection, or one after the other.
type socketChannel struct {
	*user
	join    time.Duration
	options *ws.DialOptions
	ready   chan struct{} // gets a token when there is a connection
	over    chan struct{} // closed when there will be none any more

	mu   sync.Mutex
	conn *ws.Conn // nil while there is none
}

func newSocketChannel(u *user, join time.Duration) (*socketChannel, error) {
	c := &u.runner.config
	config, err := clientTLS(u.env, c.URL, &c.TLS, u.index)
	if err != nil {
		return nil, err
	}
	return &socketChannel{user: u, join: join, ready: make(chan struct{}, 1), over: make(chan struct{}),
		options: &ws.DialOptions{TLS: config, Options: ws.Options{
			Compression: c.Compression, ReadLimit: readLimit(c.Size), Go: u.env.Go,
			PingInterval: c.PingInterval.Std(), PingTimeout: c.PingTimeout.Std()}}}, nil
}

// readLimit is more than a message with a text of a size takes.
func readLimit(size units.Bytes) int64 { return 2*int64(size) + 1<<20 }

// clientTLS returns the TLS settings of a user, or nil if the URL asks for none.
func clientTLS(env *services.Env, u services.URL, c *secure.Client, index int) (*stdtls.Config, error) {
	if !u.Secure() {
		return nil, nil
	}
	return c.Config(env, "."+strconv.Itoa(index), "http/1.1")
}

// watch implements channel.
func (s *socketChannel) watch(ctx context.Context) {
	defer close(s.over)
	if s.env.SleepUntil(ctx, s.join) != nil {
		return
	}
	for failures := 0; ; {
		conn, err := s.dial(ctx)
		if err == nil {
			failures = 0
			err = s.use(ctx, conn)
		}
		if s.complete() || s.env.Over(ctx) {
			return
		}
		s.tally.failed(err)
		s.env.Log.Debug("chat connection broke", "user", s.name, "error", err)
		failures++
		if s.runner.config.Reconnect.Off || s.env.Sleep(ctx, s.backOff(failures)) != nil {
			return
		}
		s.tally.count(func(r *Result) { r.Reconnects++ })
	}
}

// dial opens a connection that goes on where the last one broke.
func (s *socketChannel) dial(ctx context.Context) (*ws.Conn, error) {
	ctx, cancel := s.env.WithTimeout(ctx, s.runner.config.Timeout.Std())
	defer cancel()
	u := below(s.runner.config.URL, "ws", "ws")
	u.RawQuery = "after=" + strconv.FormatInt(s.last, 10)
	return ws.Dial(ctx, s.env.Host, u.String(), s.options)
}

// use receives messages until the connection breaks or there are no more to come.
func (s *socketChannel) use(ctx context.Context, conn *ws.Conn) error {
	s.tally.count(func(r *Result) { r.Connections++ })
	s.set(conn)
	s.env.Host.Network().Wake(s.ready)
	defer func() {
		s.set(nil)
		conn.CloseNow()
		s.tally.closed(conn, s.env.Over(ctx))
	}()
	for !s.complete() {
		_, text, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		s.bytes += units.Bytes(len(text))
		m, err := decodeMessage(text)
		if err != nil {
			conn.Close(ws.InvalidPayload, "not a chat message")
			return err
		}
		s.take(&m)
	}
	return conn.Close(ws.NormalClosure, "")
}

func (s *socketChannel) set(conn *ws.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = conn
}

// send implements channel.
func (s *socketChannel) send(ctx context.Context, text []byte) bool {
	for {
		s.mu.Lock()
		conn := s.conn
		s.mu.Unlock()
		if conn != nil && conn.Write(ctx, ws.Text, text) == nil {
			s.sent(text)
			return true
		}
		select { // for the next connection
		case <-s.ready:
		case <-s.over:
			return false
		case <-ctx.Done():
			return false
		}
	}
}
