package upstream

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"

	"netlab/ip"
	"netlab/services/proxyprotocol"
	"netlab/tcp"
)

// dial makes a connection to a backend.
func (f *Forwarder) dial(ctx context.Context, address string) (net.Conn, error) {
	ctx, done := f.limit(ctx)
	defer done()
	conn, err := f.connect(ctx, address)
	if err != nil {
		return nil, err
	}
	f.count.add(func(r *Result) { r.Connections++ })
	return conn, nil
}

// dialTLS makes a connection and runs the handshake.
func (f *Forwarder) dialTLS(ctx context.Context, address string, config *tls.Config) (*tls.Conn, error) {
	ctx, done := f.limit(ctx)
	defer done()
	conn, err := f.connect(ctx, address)
	if err != nil {
		return nil, err
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	f.count.add(func(r *Result) { r.Connections++ })
	return secure, nil
}

// limit returns the context of a dial. It has the values of its request, but doesn't end with it: a request that has got another
// connection meanwhile leaves the new one to others.
func (f *Forwarder) limit(ctx context.Context) (context.Context, func()) {
	ctx, cancel := f.env.WithTimeout(ctx, or(f.config.ConnectTimeout, DefaultConnectTimeout))
	forget := context.AfterFunc(f.life, cancel)
	return ctx, func() {
		forget()
		cancel()
	}
}

// connect resolves a name and tries its addresses one after the other. The error is that of the first one.
func (f *Forwarder) connect(ctx context.Context, address string) (*tcp.Conn, error) {
	name, port, err := ip.SplitHostPort("tcp", address)
	if err != nil {
		return nil, ip.OpError("dial", "tcp", nil, nil, err)
	}
	addrs, err := f.env.Host.Resolve(ctx, name)
	if err != nil {
		return nil, ip.OpError("dial", "tcp", nil, nil, err)
	}
	var first error
	for _, a := range addrs {
		conn, err := tcp.Dial(ctx, f.env.Host, netip.AddrPortFrom(a, port).String())
		if err == nil {
			if err = f.introduce(ctx, conn); err == nil {
				return conn, nil
			}
			conn.Close()
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

// introduce sends the header of the PROXY protocol, if one is wanted. The client of a call of which nothing is known is the
// balancer itself, and so is one of the other IP version, which the header can't tell of.
func (f *Forwarder) introduce(ctx context.Context, conn *tcp.Conn) error {
	if f.config.ProxyProtocol == "" {
		return nil
	}
	source, destination := conn.LocalAddr().(*net.TCPAddr).AddrPort(), conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	if call := CallOf(ctx); call != nil && call.Source.IsValid() && call.Destination.IsValid() {
		source, destination = call.Source, call.Destination
	}
	header, err := proxyprotocol.Encode(f.config.ProxyProtocol, source, destination)
	if err != nil {
		return err
	}
	_, err = conn.Write(header)
	return err
}
