package httpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"

	"netlab/ip"
	"netlab/tcp"
)

// conn is a connection with a record of how it was made, which is complete when net/http gets it.
type conn struct {
	*tcp.Conn
	owner *call // whose request dialled it
	made  Connection
}

// dial makes a connection without TLS.
func (c *Client) dial(ctx context.Context, address string) (net.Conn, error) {
	owner, ctx, done := c.watch(ctx)
	defer done()
	conn, err := c.through(ctx, owner, address, false)
	if err != nil {
		return nil, err
	}
	c.connected(conn)
	return conn, nil
}

// dialTLS makes a connection and runs the handshake.
func (c *Client) dialTLS(ctx context.Context, address string, config *tls.Config) (*tls.Conn, error) {
	owner, ctx, done := c.watch(ctx)
	defer done()
	conn, err := c.through(ctx, owner, address, true)
	if err != nil {
		return nil, err
	}
	start := c.env.Elapsed()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	conn.made.TLS, conn.made.Secure = c.env.Elapsed()-start, true
	conn.made.Resumed = secure.ConnectionState().DidResume
	c.connected(conn)
	return secure, nil
}

func (c *Client) connected(conn *conn) {
	if c.options.Connected != nil {
		c.options.Connected(conn.made)
	}
}

// watch finds the call that a connection is dialled for. ctx has the values of its request, but doesn't end with it: a request
// that has got another connection meanwhile leaves the new one to others. The context that watch returns ends with the client,
// and when the request has waited in vain, so that nobody goes on waiting for a server that doesn't answer.
func (c *Client) watch(ctx context.Context) (*call, context.Context, func()) {
	owner := ctx.Value(callKey{}).(*call)
	ctx, cancel := context.WithCancelCause(ctx)
	forget := context.AfterFunc(c.life, func() { cancel(context.Cause(c.life)) })
	leave := context.AfterFunc(owner.ctx, func() {
		if cause := context.Cause(owner.ctx); errors.Is(cause, os.ErrDeadlineExceeded) {
			cancel(cause)
		}
	})
	return owner, ctx, func() {
		forget()
		leave()
		cancel(nil)
	}
}

// connect resolves a name and tries its addresses one after the other, each for as long as [Config].ConnectTimeout says. The error
// is that of the first one.
func (c *Client) connect(ctx context.Context, owner *call, address string) (*conn, error) {
	name, port, err := ip.SplitHostPort("tcp", address)
	if err != nil {
		return nil, ip.OpError("dial", "tcp", nil, nil, err)
	}
	start := c.env.Elapsed()
	addrs, err := c.env.Host.Resolve(ctx, name)
	if err != nil {
		return nil, ip.OpError("dial", "tcp", nil, nil, err)
	}
	resolved := c.env.Elapsed()
	var first error
	for _, a := range addrs {
		target := netip.AddrPortFrom(a, port).String()
		raw, err := c.connectTo(ctx, target)
		if err == nil {
			made := Connection{Target: target, DNS: resolved - start, Connect: c.env.Elapsed() - resolved}
			return &conn{Conn: raw, owner: owner, made: made}, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// connectTo connects to one address, within the time that it may take.
func (c *Client) connectTo(ctx context.Context, target string) (*tcp.Conn, error) {
	if limit := c.config.ConnectTimeout.Std(); limit > 0 {
		limited, cancel := c.env.WithTimeout(ctx, limit)
		defer cancel()
		ctx = limited
	}
	return tcp.Dial(ctx, c.env.Host, target)
}
