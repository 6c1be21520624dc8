package ws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/coder/websocket"

	"netlab/ip"
	"netlab/tcp"
)

// CloseTimeout is how long [Conn.Close] waits for the peer's close frame. It is less than the 5 s of the library, whose timer is not
// on the engine's queue.
const CloseTimeout = 4 * time.Second

// Conn is a WebSocket connection. One goroutine reads; any number may call the other methods. Every connection has to be closed.
type Conn struct {
	lib  *websocket.Conn
	host *ip.Host
	raw  *tcp.Conn // below TLS; nil if the connection is of some other kind
	run  func(func())

	life    context.Context // until the connection is closed
	end     context.CancelCauseFunc
	pinging sync.WaitGroup

	mu      sync.Mutex
	closing bool // Close will know the status
	over    bool // the library has closed the connection, or is about to
	status  StatusCode
	pings   uint64
}

// newConn takes over a connection of the library.
func newConn(h *ip.Host, lib *websocket.Conn, raw *tcp.Conn, o *Options) *Conn {
	c := &Conn{lib: lib, host: h, raw: raw, run: o.Go}
	if c.run == nil {
		c.run = h.Go
	}
	c.life, c.end = context.WithCancelCause(context.Background())
	limit := o.ReadLimit
	if limit == 0 {
		limit = DefaultReadLimit
	}
	lib.SetReadLimit(limit)
	if o.PingInterval > 0 {
		timeout := o.PingTimeout
		if timeout == 0 {
			timeout = o.PingInterval
		}
		c.pinging.Add(1)
		c.run(func() {
			defer c.pinging.Done()
			c.keepAlive(o.PingInterval, timeout)
		})
	}
	return c
}

// Subprotocol returns what both sides agreed on, or "".
func (c *Conn) Subprotocol() string { return c.lib.Subprotocol() }

// Read returns the next message. When the connection is closed or breaks the error holds a [CloseError] if the peer said why, and
// otherwise the reason; either way [Conn.Close] has still to be called. If ctx ends the connection is closed.
func (c *Conn) Read(ctx context.Context) (MessageType, []byte, error) {
	kind, message, err := c.lib.Read(ctx)
	if err == nil {
		return kind, message, nil
	}
	switch {
	case websocket.CloseStatus(err) >= 0:
		c.note(websocket.CloseStatus(err))
		c.done()
	case errors.Is(err, ErrMessageTooBig):
		c.note(MessageTooBig)
		c.Close(MessageTooBig, "message too big") // the library has sent the frame: this takes what the peer still sends
	default:
		c.lost()
	}
	return 0, nil, c.why(ctx, err)
}

// Write sends a message. It returns when the host has taken all of it, which is at once unless 4 MiB wait already. If ctx ends
// meanwhile the connection is closed.
func (c *Conn) Write(ctx context.Context, kind MessageType, message []byte) error {
	if err := c.lib.Write(ctx, kind, message); err != nil {
		return c.why(ctx, err)
	}
	return nil
}

// Ping sends a ping and returns when the pong is there, or with an error when ctx ends. Somebody has to read meanwhile.
func (c *Conn) Ping(ctx context.Context) error {
	if err := c.lib.Ping(ctx); err != nil {
		return c.why(ctx, err)
	}
	return nil
}

// why adds the reason for an error of the library, if there is one that it doesn't know.
func (c *Conn) why(ctx context.Context, err error) error {
	if cause := context.Cause(c.life); cause != nil && cause != net.ErrClosed && websocket.CloseStatus(err) < 0 {
		return fmt.Errorf("websocket: %w", cause)
	}
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("websocket: %w", cause)
	}
	return fmt.Errorf("websocket: %w", err)
}

// Close sends a close frame, waits for the peer's at most CloseTimeout, and closes the connection. A connection whose peer does not
// answer is reset, and the error is ErrCloseTimeout. On a connection that the peer has closed, or that is closed, it does
// nothing but free what is left. The reason is at most 123 bytes.
func (c *Conn) Close(code StatusCode, reason string) error {
	ctx, cancel := context.WithCancel(c.life)
	defer cancel()
	c.run(func() {
		if c.host.Sleep(ctx, CloseTimeout) == nil {
			c.abort(ErrCloseTimeout)
		}
	})
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	err := c.lib.Close(code, reason)
	c.done()
	if cause := context.Cause(c.life); cause != nil && cause != net.ErrClosed {
		err = cause
	}
	if err == nil {
		c.note(code)
	}
	c.note(Abnormal)
	c.end(net.ErrClosed)
	c.pinging.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("websocket: %w", err)
	}
	return nil
}

// CloseNow resets the connection if it is still open, without a close frame.
func (c *Conn) CloseNow() {
	c.note(Abnormal)
	c.abort(net.ErrClosed)
	c.pinging.Wait()
}

// Status says how the connection was closed: with the code of the first close frame that was received or, if the peer answered it,
// sent; Abnormal if there was none; 0 while it is open.
func (c *Conn) Status() StatusCode {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// Pings is how many pings of the keep-alive were answered.
func (c *Conn) Pings() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pings
}

// note keeps the first status.
func (c *Conn) note(code StatusCode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == 0 {
		c.status = code
	}
}

// lost notes that the connection broke, unless it is being closed and Close will tell how that ended.
func (c *Conn) lost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == 0 && !c.closing {
		c.status = Abnormal
	}
}

// done notes that there is nothing left to reset.
func (c *Conn) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
}

// abort gives the connection up. Whoever waits on it wakes up and learns the cause.
func (c *Conn) abort(cause error) {
	c.end(cause)
	c.mu.Lock()
	over := c.over
	c.mu.Unlock()
	if c.raw != nil && !over {
		c.raw.Abort() // what was written before the library closed the connection must not get lost
	}
	c.lib.CloseNow()
}
