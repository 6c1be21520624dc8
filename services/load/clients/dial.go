package clients

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"time"

	"netlab/services"
	"netlab/services/load"
	"netlab/tcp"
)

// resolve returns the addresses of a name and notes how long the lookup took, if it went over the network.
func resolve(ctx context.Context, env *services.Env, name string, o *load.Outcome) ([]netip.Addr, error) {
	start := env.Elapsed()
	addrs, err := env.Host.Resolve(ctx, name)
	if _, literal := netip.ParseAddr(name); literal != nil && env.Host.Resolver() != nil {
		o.Set(load.DNS, env.Elapsed()-start)
	}
	return addrs, err
}

// dial connects to a server within a time and notes how long the phases took.
func dial(ctx context.Context, env *services.Env, name string, port uint16, timeout time.Duration, o *load.Outcome) (*tcp.Conn, error) {
	ctx, cancel := env.WithTimeout(ctx, timeout)
	defer cancel()
	addrs, err := resolve(ctx, env, name, o)
	if err != nil {
		return nil, err
	}
	start := env.Elapsed()
	var first error
	for _, a := range addrs {
		conn, err := tcp.Dial(ctx, env.Host, net.JoinHostPort(a.String(), strconv.Itoa(int(port))))
		if err == nil {
			o.Set(load.Dial, env.Elapsed()-start)
			return conn, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, because(ctx, first)
}

// because returns why ctx ended if it did, and else the error.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// in returns the date after a time, for deadlines of sockets.
func in(env *services.Env, d time.Duration) time.Time {
	return env.Host.Network().Epoch().Add(env.Elapsed() + d)
}

// nameOf returns the name of the node that has an address, or the address.
func nameOf(env *services.Env, a net.Addr) string {
	var at netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		at = a.AddrPort()
	case *net.UDPAddr:
		at = a.AddrPort()
	default:
		return ""
	}
	addr := at.Addr().Unmap()
	if name := env.Host.Names().Name(addr); name != "" {
		return name
	}
	return addr.String()
}
