package tcp

import (
	"context"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"

	"netlab/ip"
	"netlab/units"
)

// Dial connects a host to "name:port" or "address:port". It tries the addresses of the name one after the other and returns
// the first error when none answers. A name that nobody answers takes 127 s per address, unless ctx ends first.
func Dial(ctx context.Context, h *ip.Host, address string) (*Conn, error) {
	return DialFrom(ctx, h, netip.AddrPort{}, address)
}

// DialFrom is [Dial] from a local address and port; a zero address or port is chosen by the stack.
func DialFrom(ctx context.Context, h *ip.Host, local netip.AddrPort, address string) (*Conn, error) {
	return (&Dialer{Local: local}).Dial(ctx, h, address)
}

// Dialer says how connections are made. The zero value makes them as [Dial] does.
type Dialer struct {
	// Local is the address and port to connect from; a zero address or port is chosen by the stack.
	Local netip.AddrPort
	// DSCP is what all packets of the connection's own end say, the first SYN included.
	DSCP units.DSCP
}

// Dial is [Dial] as the dialer says.
func (d *Dialer) Dial(ctx context.Context, h *ip.Host, address string) (*Conn, error) {
	name, port, err := ip.SplitHostPort("tcp", address)
	if err != nil {
		return nil, ip.OpError("dial", "tcp", nil, nil, err)
	}
	addrs, err := h.Resolve(ctx, name)
	if err != nil {
		return nil, ip.OpError("dial", "tcp", nil, nil, err)
	}
	var first error
	for _, a := range addrs {
		c, err := d.dial(ctx, h, netip.AddrPortFrom(a, port))
		if err == nil {
			return c, nil
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

func (d *Dialer) dial(ctx context.Context, h *ip.Host, remote netip.AddrPort) (*Conn, error) {
	fail := func(err error) (*Conn, error) { return nil, ip.OpError("dial", "tcp", nil, tcpAddr(remote), err) }
	if ctx.Err() != nil {
		return fail(context.Cause(ctx))
	}
	s, err := h.NewSocket(tcp.ProtocolNumber, remote.Addr().Is6())
	if err != nil {
		return fail(err)
	}
	if d.Local.IsValid() {
		local := ip.FullAddress(d.Local)
		if local.Addr.Len() != 0 {
			local.NIC = h.Egress(d.Local.Addr().Unmap(), remote.Addr())
		}
		if err := s.Endpoint.Bind(local); err != nil {
			s.Close()
			return fail(ip.Errno(err))
		}
	}
	if d.DSCP != 0 {
		if err := s.SetTrafficClass(d.DSCP, ip.NotECT); err != nil {
			s.Close()
			return fail(err)
		}
	}
	if err := connect(ctx, s, remote); err != nil {
		s.Close()
		return fail(err)
	}
	c, err := newConn(s)
	if err != nil {
		s.Close()
		return fail(err)
	}
	return c, nil
}

func connect(ctx context.Context, s *ip.Socket, remote netip.AddrPort) error {
	ready, done := s.Watch(waiter.WritableEvents | waiter.EventErr | waiter.EventHUp)
	defer done()
	err := s.Endpoint.Connect(ip.FullAddress(remote))
	if _, started := err.(*tcpip.ErrConnectStarted); !started {
		return ip.Errno(err)
	}
	select {
	case <-ready:
		return ip.Errno(s.Endpoint.LastError())
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.Host.Gone():
		return s.Host.Err()
	}
}
