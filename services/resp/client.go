package resp

import (
	"bufio"
	"context"
	"errors"
	"sync"
	"time"

	"netlab/services"
	"netlab/tcp"
)

// maxReply is the longest string that a client takes.
const maxReply = 1 << 30

// Client sends requests to one server and keeps the connections that are idle, as many as have been needed at once. Several
// goroutines may use it. Its requests are such that they may be sent twice: one that fails on a connection that was idle, which
// the server may have closed meanwhile, is sent once more on a new one.
type Client struct {
	env     *services.Env
	address string
	timeout time.Duration

	mu     sync.Mutex
	idle   []*conn
	closed bool
	dialed uint64
}

// conn is a connection.
type conn struct {
	*tcp.Conn
	reader *bufio.Reader
	buffer []byte
}

// NewClient returns a client of the server at "name:port". A request, with its dial, may take as long as timeout.
func NewClient(env *services.Env, address string, timeout time.Duration) *Client {
	return &Client{env: env, address: address, timeout: timeout}
}

// Do sends a request and returns the reply. The error is why there is none, or a [ServerError]. The end of ctx breaks it off.
func (c *Client) Do(ctx context.Context, args ...string) (Reply, error) {
	ctx, cancel := c.env.WithTimeout(ctx, c.timeout)
	defer cancel()
	k, used := c.take()
	for {
		var err error
		if k == nil {
			if k, err = c.dial(ctx); err != nil {
				return Reply{}, because(ctx, err)
			}
		}
		reply, err := k.do(ctx, args)
		if err == nil {
			c.put(k)
			return reply, reply.Err()
		}
		k.Abort()
		if !used || ctx.Err() != nil {
			return Reply{}, because(ctx, err)
		}
		k, used = nil, false
		c.forget() // the others were idle for longer
	}
}

// because returns why ctx ended if it did, and else the error.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// take returns the connection that has been idle for the shortest time.
func (c *Client) take() (k *conn, used bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.idle)
	if n == 0 {
		return nil, false
	}
	k = c.idle[n-1]
	c.idle = c.idle[:n-1]
	return k, true
}

func (c *Client) put(k *conn) {
	c.mu.Lock()
	closed := c.closed
	if !closed {
		c.idle = append(c.idle, k)
	}
	c.mu.Unlock()
	if closed {
		k.Close()
	}
}

func (c *Client) dial(ctx context.Context) (*conn, error) {
	t, err := tcp.Dial(ctx, c.env.Host, c.address)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.dialed++
	c.mu.Unlock()
	return &conn{Conn: t, reader: bufio.NewReader(t)}, nil
}

// forget closes the idle connections.
func (c *Client) forget() {
	c.mu.Lock()
	list := c.idle
	c.idle = nil
	c.mu.Unlock()
	for _, k := range list {
		k.Close()
	}
}

// Close closes the idle connections, and those that are in use once they are not.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.forget()
}

// Dialed is how many connections were made.
func (c *Client) Dialed() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dialed
}

// do sends a request and waits for the reply.
func (k *conn) do(ctx context.Context, args []string) (Reply, error) {
	stop := context.AfterFunc(ctx, func() { k.Abort() })
	defer stop()
	k.buffer = AppendRequest(k.buffer[:0], args...)
	if _, err := k.Write(k.buffer); err != nil {
		return Reply{}, err
	}
	reply, err := ReadReply(k.reader, maxReply)
	if err == nil && k.reader.Buffered() > 0 {
		err = errors.New("the server sent more than one reply to a request")
	}
	return reply, err
}
