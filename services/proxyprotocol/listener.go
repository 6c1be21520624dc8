package proxyprotocol

import (
	"bufio"
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"netlab/services"
	"netlab/tcp"
)

// DefaultTimeout is how long a proxy may take to send its header.
const DefaultTimeout = 5 * time.Second

// Listener takes the header off connections that come from trusted proxies. Others are left as they are.
type Listener struct {
	inner   *tcp.Listener
	env     *services.Env
	trusted []netip.Addr
	timeout time.Duration
	ready   chan net.Conn
	done    chan struct{} // closed when nothing is accepted any more
	once    sync.Once
	err     error
	refused func()
}

// Listen returns a listener of an address of the host. Headers are awaited for timeout, 0 means DefaultTimeout; a connection without
// a proper one is reset, and refused, unless it is nil, is called. The end of ctx, or Close, ends it.
func Listen(ctx context.Context, env *services.Env, address string, trusted []netip.Addr, timeout time.Duration, refused func()) (*Listener, error) {
	inner, err := tcp.Listen(env.Host, address)
	if err != nil {
		return nil, err
	}
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	l := &Listener{inner: inner, env: env, trusted: trusted, timeout: timeout, ready: make(chan net.Conn), done: make(chan struct{}), refused: refused}
	env.Go(func() { l.run(ctx) })
	return l, nil
}

// run accepts until the listener is closed.
func (l *Listener) run(ctx context.Context) {
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		conn, err := l.inner.AcceptTCP()
		if err != nil {
			l.err = err
			close(l.done)
			return
		}
		from := conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap()
		if !slices.Contains(l.trusted, from) {
			l.give(conn)
			continue
		}
		l.env.Go(func() {
			stop := context.AfterFunc(ctx, func() { conn.Abort() })
			told, err := l.introduced(conn)
			stop()
			if err != nil {
				conn.Abort()
				if l.refused != nil && !l.env.Over(ctx) {
					l.refused()
				}
				return
			}
			l.give(told)
		})
	}
}

// give hands a connection to Accept.
func (l *Listener) give(conn net.Conn) {
	select {
	case l.ready <- conn:
	case <-l.done:
		conn.Close()
	}
}

// introduced reads the header of a connection.
func (l *Listener) introduced(conn *tcp.Conn) (*Conn, error) {
	conn.SetReadDeadline(time.Now().Add(l.timeout))
	c := &Conn{Conn: conn, in: bufio.NewReader(conn)}
	source, destination, err := Read(c.in)
	if err != nil {
		return nil, err
	}
	conn.SetReadDeadline(time.Time{})
	if source.IsValid() {
		c.source, c.destination = net.TCPAddrFromAddrPort(source), net.TCPAddrFromAddrPort(destination)
	}
	return c, nil
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.done:
		return nil, l.err
	}
}

// Close implements net.Listener.
func (l *Listener) Close() (err error) {
	l.once.Do(func() { err = l.inner.Close() })
	return err
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// Conn is a connection whose header is read: its addresses are those that the proxy told of.
type Conn struct {
	*tcp.Conn
	in                  *bufio.Reader
	source, destination net.Addr // nil: the connection's own
}

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	if c.in != nil {
		if n := c.in.Buffered(); n > 0 {
			return c.in.Read(b[:min(len(b), n)])
		}
		c.in = nil
	}
	return c.Conn.Read(b)
}

// RemoteAddr returns the client's address.
func (c *Conn) RemoteAddr() net.Addr {
	if c.source == nil {
		return c.Conn.RemoteAddr()
	}
	return c.source
}

// LocalAddr returns the address that the client connected to.
func (c *Conn) LocalAddr() net.Addr {
	if c.destination == nil {
		return c.Conn.LocalAddr()
	}
	return c.destination
}

// NetConn returns the connection below, as that of crypto/tls's Conn does.
func (c *Conn) NetConn() net.Conn { return c.Conn }
