package l4

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"

	"netlab/services/backend"
	"netlab/services/proxyprotocol"
	"netlab/tcp"
)

// bufferSize is what a proxy reads at once, and about what waits to be sent to a side that is slower than the other.
const bufferSize = 32 << 10

// serveTCP takes connections until ctx ends.
func (p *proxy) serveTCP(ctx context.Context) error {
	return p.env.ServeTCP(ctx, p.listen, func(client *tcp.Conn) {
		if !p.admit() {
			client.Abort()
			return
		}
		p.serve(ctx, client)
	})
}

// serve joins a client's connection to a backend's.
func (p *proxy) serve(ctx context.Context, client *tcp.Conn) {
	source := client.RemoteAddr().(*net.TCPAddr).AddrPort()
	source = netip.AddrPortFrom(source.Addr().Unmap(), source.Port())
	var server *tcp.Conn
	local := client.LocalAddr().(*net.TCPAddr).AddrPort()
	l, err := p.choose(ctx, p.request(source, local), func(l *backend.Lease) error {
		dialing, cancel := p.env.WithTimeout(ctx, p.connectTimeout())
		defer cancel()
		var err error
		server, err = tcp.Dial(dialing, p.env.Host, l.Address())
		return err
	})
	if err != nil {
		p.leave()
		client.Abort()
		return
	}
	reset := func() {
		client.Abort()
		server.Abort()
	}
	m := p.members[l.Index()]
	_, end := p.begin(m, reset)
	l.OnCut(reset)
	defer end()
	defer context.AfterFunc(ctx, func() { server.Abort() })()
	defer server.Close()
	watch := newIdle(p.env.Host, p.options.Config.idleTimeout(), func() {
		p.counters.add(func(r *Result) { r.Expired++ })
		client.Close()
		server.Close()
	})
	defer watch.stop()
	header, err := proxyprotocol.Encode(p.options.ProxyProtocol, source, local)
	if err == nil && len(header) > 0 {
		_, err = server.Write(header)
	}
	if err != nil {
		l.Done(p.outcome(ctx, true))
		reset()
		return
	}
	client.SetUnsentLimit(bufferSize)
	server.SetUnsentLimit(bufferSize)
	var pumps sync.WaitGroup
	pumps.Add(1)
	p.env.Go(func() {
		defer pumps.Done()
		p.pump(client, server, m, backward, watch)
	})
	broken := p.pump(server, client, m, forward, watch)
	pumps.Wait()
	l.Done(p.outcome(ctx, broken))
}

// outcome is what came of a session for the pool.
func (p *proxy) outcome(ctx context.Context, failed bool) backend.Outcome {
	over := p.env.Over(ctx)
	return backend.Outcome{Failed: failed && !over, Abandoned: over}
}

// pump carries what comes from one connection to the other, and its end too: a stream that ends is ended, a connection that is reset
// is reset. It reads on only when what it read has been taken, so that a slow receiver slows its sender down. It says whether the
// connection that it writes to broke.
func (p *proxy) pump(to, from *tcp.Conn, m *member, direction int, watch *idle) (broken bool) {
	buffer := make([]byte, bufferSize)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			watch.heard()
			if _, failed := to.Write(buffer[:n]); failed != nil {
				from.Abort()
				return !errors.Is(failed, net.ErrClosed)
			}
			p.counters.mu.Lock()
			p.counters.passed(m.counters, direction, 0, n)
			p.counters.mu.Unlock()
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			to.CloseWrite()
			return false
		default:
			if !errors.Is(err, net.ErrClosed) {
				to.Abort()
			}
			return false
		}
	}
}
