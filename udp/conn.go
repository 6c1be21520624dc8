package udp

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"

	"netlab/ip"
)

// Conn is a UDP socket. It implements net.PacketConn, and net.Conn when it has a peer.
type Conn struct {
	s       *ip.Socket
	own     netip.Addr // that it is bound to; invalid means any
	local   net.Addr
	remote  net.Addr // nil without a peer
	reading chan struct{}
}

var (
	_ net.Conn       = (*Conn)(nil)
	_ net.PacketConn = (*Conn)(nil)
)

// Listen opens a socket at ":port", "address:port" or "name:port" of a host. Without an address it receives on both IP
// versions if the host speaks IPv6, on IPv4 otherwise; [Conn.ReadOrigin] and [Conn.Answer] make it answer from the address that was
// asked. Port 0 lets the stack choose.
func Listen(h *ip.Host, address string) (*Conn, error) {
	fail := func(err error) (*Conn, error) { return nil, ip.OpError("listen", "udp", nil, nil, err) }
	name, port, err := ip.SplitHostPort("udp", address)
	if err != nil {
		return fail(err)
	}
	_, v6 := h.Speaks()
	local := netip.AddrPortFrom(netip.Addr{}, port)
	if name != "" {
		addrs, err := h.Resolve(context.Background(), name)
		if err != nil {
			return fail(err)
		}
		v6 = addrs[0].Is6()
		local = netip.AddrPortFrom(addrs[0], port)
	}
	s, err := newSocket(h, v6)
	if err != nil {
		return fail(err)
	}
	if err := s.Endpoint.Bind(ip.FullAddress(local)); err != nil {
		s.Close()
		return fail(ip.Errno(err))
	}
	a := s.Local().Addr()
	if !a.IsValid() {
		a = netip.IPv4Unspecified()
		if v6 {
			a = netip.IPv6Unspecified()
		}
	}
	c := newConn(s, netip.AddrPortFrom(a, s.Local().Port()), nil)
	if name == "" {
		c.receiveDestination()
	} else {
		c.own = local.Addr()
	}
	return c, nil
}

// Dial opens a socket whose peer is "name:port" or "address:port". No packet is sent to it; ctx is for the lookup of the name.
func Dial(ctx context.Context, h *ip.Host, address string) (*Conn, error) {
	return DialFrom(ctx, h, 0, address)
}

// DialFrom is [Dial] from a port of the host; 0 lets the stack choose.
func DialFrom(ctx context.Context, h *ip.Host, local uint16, address string) (*Conn, error) {
	fail := func(err error) (*Conn, error) { return nil, ip.OpError("dial", "udp", nil, nil, err) }
	name, port, err := ip.SplitHostPort("udp", address)
	if err != nil {
		return fail(err)
	}
	addrs, err := h.Resolve(ctx, name)
	if err != nil {
		return fail(err)
	}
	s, err := newSocket(h, addrs[0].Is6())
	if err != nil {
		return fail(err)
	}
	if local != 0 {
		if err := s.Endpoint.Bind(ip.FullAddress(netip.AddrPortFrom(netip.Addr{}, local))); err != nil {
			s.Close()
			return fail(ip.Errno(err))
		}
	}
	remote := netip.AddrPortFrom(addrs[0], port)
	if err := s.Endpoint.Connect(ip.FullAddress(remote)); err != nil {
		s.Close()
		return fail(ip.Errno(err))
	}
	return newConn(s, s.Local(), net.UDPAddrFromAddrPort(remote)), nil
}

// newSocket makes a socket whose IPv4 datagrams routers may fragment. The stack keeps no path MTU for UDP, so with DF set a
// datagram that is too big for a link on the way would be lost every time.
func newSocket(h *ip.Host, v6 bool) (*ip.Socket, error) {
	s, err := h.NewSocket(udp.ProtocolNumber, v6)
	if err != nil {
		return nil, err
	}
	if err := s.Endpoint.SetSockOptInt(tcpip.MTUDiscoverOption, int(tcpip.PMTUDiscoveryDont)); err != nil {
		s.Close()
		return nil, ip.Errno(err)
	}
	return s, nil
}

func newConn(s *ip.Socket, local netip.AddrPort, remote net.Addr) *Conn {
	return &Conn{s: s, local: net.UDPAddrFromAddrPort(local), remote: remote, reading: make(chan struct{}, 1)}
}

// ReadFrom implements net.PacketConn; the address is a *net.UDPAddr. What doesn't fit into b is lost.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// ReadFromAddrPort is [Conn.ReadFrom] with an address that needs no allocation.
func (c *Conn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, _, err := c.ReadECN(b)
	return n, from, err
}

// read reads a datagram.
func (c *Conn) read(b []byte) (result tcpip.ReadResult, err error) {
	if err := c.s.Acquire(c.reading, c.s.ReadDeadline()); err != nil {
		return result, c.opError("read", err)
	}
	defer func() { <-c.reading }()
	err = c.s.Do(waiter.ReadableEvents|waiter.EventErr, c.s.ReadDeadline(), func() tcpip.Error {
		w := tcpip.SliceWriter(b)
		var err tcpip.Error
		result, err = c.s.Endpoint.Read(&w, tcpip.ReadOptions{NeedRemoteAddr: true})
		if _, block := err.(*tcpip.ErrWouldBlock); block {
			if failed := c.s.Endpoint.LastError(); failed != nil {
				return failed
			}
		}
		return err
	})
	if err != nil {
		return result, c.opError("read", err)
	}
	return result, nil
}

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	n, _, err := c.ReadFromAddrPort(b)
	return n, err
}

// WriteTo implements net.PacketConn; addr is a *net.UDPAddr or prints as "address:port".
func (c *Conn) WriteTo(b []byte, addr net.Addr) (int, error) {
	var to netip.AddrPort
	if a, ok := addr.(*net.UDPAddr); ok {
		to = a.AddrPort()
	} else {
		var err error
		if to, err = netip.ParseAddrPort(addr.String()); err != nil {
			return 0, c.opError("write", err)
		}
	}
	return c.WriteToAddrPort(b, to)
}

// WriteToAddrPort is [Conn.WriteTo] with an address that needs no allocation.
func (c *Conn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	c.s.Host.Reach(to.Addr())
	full := ip.FullAddress(to)
	if c.own.IsValid() {
		full.NIC = c.s.Host.Egress(c.own, to.Addr().Unmap())
	}
	return c.write(b, &full)
}

// Write implements net.Conn.
func (c *Conn) Write(b []byte) (int, error) { return c.write(b, nil) }

func (c *Conn) write(b []byte, to *tcpip.FullAddress) (int, error) {
	n := 0
	err := c.s.Do(waiter.WritableEvents, c.s.WriteDeadline(), func() tcpip.Error {
		m, err := c.s.Endpoint.Write(bytes.NewReader(b), tcpip.WriteOptions{To: to})
		n = int(m)
		return err
	})
	if err != nil {
		return n, c.opError("write", err)
	}
	return n, nil
}

// Close implements net.Conn and net.PacketConn.
func (c *Conn) Close() error {
	if !c.s.Close() {
		return c.opError("close", net.ErrClosed)
	}
	return nil
}

// LocalAddr implements net.Conn and net.PacketConn; it is a *net.UDPAddr.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn; it is nil for a socket without a peer.
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

func (c *Conn) opError(op string, err error) error {
	return ip.OpError(op, "udp", c.local, c.remote, err)
}
