package tcp

import (
	"context"
	"net"
	"net/netip"
	"os"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"

	"netlab/ip"
)

// Listener accepts TCP connections. It implements net.Listener.
type Listener struct {
	sockets []*ip.Socket // one for each IP version
	addr    net.Addr
	arrived chan struct{}
}

var _ net.Listener = (*Listener)(nil)

// Listen waits for connections at ":port", "address:port" or "name:port" of a host. Without an address it listens on both IP
// versions, as far as the host speaks them. Port 0 lets the stack choose.
func Listen(h *ip.Host, address string) (*Listener, error) {
	fail := func(err error) (*Listener, error) { return nil, ip.OpError("listen", "tcp", nil, nil, err) }
	name, port, err := ip.SplitHostPort("tcp", address)
	if err != nil {
		return fail(err)
	}
	addrs, err := listenAddresses(h, name)
	if err != nil {
		return fail(err)
	}
	l := &Listener{arrived: make(chan struct{}, 1)}
	for _, a := range addrs {
		s, err := listen(h, netip.AddrPortFrom(a, port))
		if err != nil {
			l.Close()
			return fail(err)
		}
		l.sockets = append(l.sockets, s)
		port = s.Local().Port() // both versions share a port that the stack chose
	}
	l.addr = tcpAddr(netip.AddrPortFrom(addrs[0], port))
	for _, s := range l.sockets {
		s.Notify(waiter.ReadableEvents, l.arrived)
	}
	return l, nil
}

// listenAddresses returns the addresses to bind: one for each IP version when no name is given.
func listenAddresses(h *ip.Host, name string) ([]netip.Addr, error) {
	if name != "" {
		addrs, err := h.Resolve(context.Background(), name)
		if err != nil {
			return nil, err
		}
		return addrs[:1], nil
	}
	var addrs []netip.Addr
	v4, v6 := h.Speaks()
	if v4 {
		addrs = append(addrs, netip.IPv4Unspecified())
	}
	if v6 {
		addrs = append(addrs, netip.IPv6Unspecified())
	}
	return addrs, nil
}

func listen(h *ip.Host, a netip.AddrPort) (*ip.Socket, error) {
	s, err := h.NewSocket(tcp.ProtocolNumber, a.Addr().Is6())
	if err != nil {
		return nil, err
	}
	if a.Addr().Is6() {
		s.Endpoint.SocketOptions().SetV6Only(true)
	}
	s.Endpoint.SocketOptions().SetReuseAddress(true)
	if err := s.Endpoint.Bind(ip.FullAddress(a)); err != nil {
		s.Close()
		return nil, ip.Errno(err)
	}
	// The stack keeps one half-open connection fewer than it is told.
	if err := s.Endpoint.Listen(h.TCP().ListenBacklog() + 1); err != nil {
		s.Close()
		return nil, ip.Errno(err)
	}
	return s, nil
}

// Accept implements net.Listener; the connection is a *Conn.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptTCP is [Listener.Accept] with the concrete type.
func (l *Listener) AcceptTCP() (*Conn, error) {
	fail := func(err error) (*Conn, error) { return nil, ip.OpError("accept", "tcp", nil, l.addr, err) }
	first := l.sockets[0]
	for {
		for _, s := range l.sockets {
			if err := s.Err(); err != nil {
				return fail(err)
			}
			ep, q, err := s.Endpoint.Accept(nil)
			if _, block := err.(*tcpip.ErrWouldBlock); block {
				continue
			}
			if err != nil {
				return fail(ip.Errno(err))
			}
			l.signal() // there may be more, for somebody else who waits
			accepted := s.Host.Wrap(ep, q)
			c, failed := newConn(accepted)
			if failed != nil {
				accepted.Close()
				return fail(failed)
			}
			return c, nil
		}
		select {
		case <-l.arrived:
		case <-first.ReadDeadline().Done():
			return fail(os.ErrDeadlineExceeded)
		case <-first.Closed():
		case <-first.Host.Gone():
		}
	}
}

func (l *Listener) signal() {
	select {
	case l.arrived <- struct{}{}:
	default:
	}
}

// SetDeadline makes Accept fail with os.ErrDeadlineExceeded from then on; the zero time means that there is no deadline.
func (l *Listener) SetDeadline(t time.Time) error {
	l.sockets[0].ReadDeadline().Set(t)
	return nil
}

// Close stops listening. Connections that were accepted live on.
func (l *Listener) Close() error {
	var err error
	for _, s := range l.sockets {
		if !s.Close() {
			err = ip.OpError("close", "tcp", nil, l.addr, net.ErrClosed)
		}
	}
	return err
}

// Addr implements net.Listener. Without an address given to Listen it is the unspecified one.
func (l *Listener) Addr() net.Addr { return l.addr }
