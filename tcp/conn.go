package tcp

import (
	"io"
	"net"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"

	"netlab/ip"
	"netlab/units"
)

// Conn is a TCP connection. It implements net.Conn.
type Conn struct {
	s             *ip.Socket
	local, remote net.Addr
	readable      *ip.Watcher
	reading       chan struct{} // semaphore of the one that reads
	writing       chan struct{} // semaphore of the one that writes
	backlog       *backlog
}

var _ net.Conn = (*Conn)(nil)

func newConn(s *ip.Socket) (*Conn, error) {
	if err := configure(s); err != nil {
		return nil, err
	}
	return &Conn{s: s, readable: s.NewWatcher(waiter.ReadableEvents), local: tcpAddr(s.Local()), remote: tcpAddr(s.Remote()),
		reading: make(chan struct{}, 1), writing: make(chan struct{}, 1), backlog: newBacklog(s)}, nil
}

func tcpAddr(a netip.AddrPort) net.Addr { return net.TCPAddrFromAddrPort(a) }

// configure sets the options of a connection that the host's settings ask for.
func configure(s *ip.Socket) error {
	c := s.Host.TCP()
	opts := s.Endpoint.SocketOptions()
	opts.SetDelayOption(c.Nagle)
	if c.KeepAlive > 0 {
		idle, interval := tcpip.KeepaliveIdleOption(c.KeepAlive), tcpip.KeepaliveIntervalOption(c.KeepAlive)
		if err := s.Endpoint.SetSockOpt(&idle); err != nil {
			return ip.Errno(err)
		}
		if err := s.Endpoint.SetSockOpt(&interval); err != nil {
			return ip.Errno(err)
		}
		opts.SetKeepAlive(true)
	}
	if c.UserTimeout > 0 {
		timeout := tcpip.TCPUserTimeoutOption(c.UserTimeout)
		if err := s.Endpoint.SetSockOpt(&timeout); err != nil {
			return ip.Errno(err)
		}
	}
	return nil
}

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	if err := c.s.Acquire(c.reading, c.s.ReadDeadline()); err != nil {
		return 0, c.opError("read", err)
	}
	defer func() { <-c.reading }()
	if len(b) == 0 {
		return 0, nil
	}
	n, eof := 0, false
	err := c.readable.Do(c.s.ReadDeadline(), func() tcpip.Error {
		w := tcpip.SliceWriter(b)
		result, err := c.s.Endpoint.Read(&w, tcpip.ReadOptions{})
		if _, closed := err.(*tcpip.ErrClosedForReceive); closed {
			eof = true
			return nil
		}
		n = result.Count
		return err
	})
	switch {
	case err != nil:
		return 0, c.opError("read", err)
	case eof:
		if err := c.backlog.broken(); err != nil {
			return 0, c.opError("read", err)
		}
		return 0, io.EOF
	}
	return n, nil
}

// Write implements net.Conn. It returns when the connection has taken all of b: 4 MiB more than fit into the stack's send
// buffer, unless [Conn.SetUnsentLimit] says otherwise.
func (c *Conn) Write(b []byte) (int, error) {
	if err := c.s.Acquire(c.writing, c.s.WriteDeadline()); err != nil {
		return 0, c.opError("write", err)
	}
	defer func() { <-c.writing }()
	written := 0
	for written < len(b) {
		n, err := c.backlog.write(b[written:])
		written += n
		if err != nil {
			return written, c.opError("write", err)
		}
	}
	return written, nil
}

// Close closes the connection: what was written is still delivered, and the peer then reads the end of the stream.
func (c *Conn) Close() error {
	if !c.s.Release() {
		return c.opError("close", net.ErrClosed)
	}
	c.backlog.shutdown(true)
	return nil
}

// CloseWrite ends the stream to the peer and leaves the other direction open.
func (c *Conn) CloseWrite() error {
	if c.s.IsClosed() {
		return c.opError("close", net.ErrClosed)
	}
	c.backlog.shutdown(false)
	return nil
}

// CloseRead refuses what the peer still sends.
func (c *Conn) CloseRead() error {
	if err := c.s.Endpoint.Shutdown(tcpip.ShutdownRead); err != nil {
		return c.opError("close", ip.Errno(err))
	}
	return nil
}

// Abort throws away what was not delivered yet and resets the connection.
func (c *Conn) Abort() error {
	c.s.Endpoint.SocketOptions().SetLinger(tcpip.LingerOption{Enabled: true})
	c.backlog.discard()
	if !c.s.Close() {
		return c.opError("close", net.ErrClosed)
	}
	return nil
}

// LocalAddr implements net.Conn; it is a *net.TCPAddr.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn; it is a *net.TCPAddr.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if c.s.IsClosed() {
		return c.opError("set", net.ErrClosed)
	}
	c.s.ReadDeadline().Set(t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if c.s.IsClosed() {
		return c.opError("set", net.ErrClosed)
	}
	c.s.WriteDeadline().Set(t)
	return nil
}

// SetNoDelay switches Nagle's algorithm (RFC 896) off or on.
func (c *Conn) SetNoDelay(noDelay bool) error {
	c.s.Endpoint.SocketOptions().SetDelayOption(!noDelay)
	return nil
}

// SetDSCP sets what the packets say that the connection's own end sends from now on.
func (c *Conn) SetDSCP(dscp units.DSCP) error {
	if err := c.s.SetTrafficClass(dscp, ip.NotECT); err != nil {
		return c.opError("set", err)
	}
	return nil
}

func (c *Conn) opError(op string, err error) error {
	return ip.OpError(op, "tcp", c.local, c.remote, err)
}
