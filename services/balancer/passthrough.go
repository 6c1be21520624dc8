package balancer

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"netlab/services"
	"netlab/services/backend"
	"netlab/services/balance"
	"netlab/services/proxy/tunnel"
	"netlab/services/proxyprotocol"
	"netlab/services/upstream"
	"netlab/tcp"
	"netlab/units"
)

// pass serves TLS that it doesn't end.
func (r *runner) pass(ctx context.Context, env *services.Env) error {
	listener, err := r.listen(ctx, env)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	var open sync.WaitGroup
	defer open.Wait()
	for {
		conn, err := listener.Accept()
		if err != nil {
			listener.Close()
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		open.Add(1)
		env.Go(func() {
			defer open.Done()
			stop := context.AfterFunc(ctx, func() { abort(conn) })
			defer stop()
			r.carry(ctx, env, conn.(tunnel.Conn))
		})
	}
}

// helloTimeout is how long a client may take for its ClientHello, unless header_timeout says otherwise.
const helloTimeout = 5 * time.Second

// carry joins a client with a backend.
func (r *runner) carry(ctx context.Context, env *services.Env, client tunnel.Conn) {
	client.SetReadDeadline(time.Now().Add(r.config.headerTimeout(helloTimeout)))
	name, early, err := readHello(client)
	if err != nil {
		if !env.Over(ctx) {
			r.count.add(func(all *Layer7Result) { all.Malformed++ })
		}
		abort(client)
		return
	}
	client.SetReadDeadline(time.Time{})
	lease, server, err := r.connect(ctx, env, client, name)
	if err != nil {
		env.WarnOnce("passthrough", "no backend for a connection", "name", name, "error", err)
		abort(client)
		return
	}
	cut, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	lease.OnCut(func() { cancel(upstream.ErrDrained) })
	flow, err := tunnel.Join(cut, env, client, server, early, r.config.KeepAlive.Std())
	r.count.add(func(all *Layer7Result) {
		all.Bytes += units.Bytes(flow.Up + flow.Down)
		if err != nil {
			all.Aborted++
		}
	})
	lease.Done(backend.Outcome{Abandoned: err != nil && env.Over(ctx)})
}

// connect finds a backend for the client of a name.
func (r *runner) connect(ctx context.Context, env *services.Env, client net.Conn, name string) (*backend.Lease, *tcp.Conn, error) {
	to := r.pools[0]
	for i := range r.config.Routes {
		if route := &r.config.Routes[i]; name != "" && route.fitsHost(name) {
			to = r.pool(route.Pool)
			break
		}
	}
	from, at := source(client), netip.AddrPort{}
	at, _ = netip.ParseAddrPort(client.LocalAddr().String())
	want := balance.Request{Source: from.Addr()}
	want.Location, want.HasLocation = env.LocationOf(from.Addr())
	switch kind, _ := to.config.Key(); kind {
	case balance.KeyHost:
		want.Key = strings.ToLower(name)
	case balance.KeyFlow:
		want.Key = from.String() + " " + at.String()
	}
	attempts, backoff := 1, time.Duration(0)
	if retry := r.config.Upstream.Retry; retry != nil {
		attempts, backoff = max(retry.Attempts, 1), retry.Backoff.Std()
		if retry.Attempts == 0 {
			attempts = 2
		}
	}
	var tried []int
	for {
		if len(tried) > 0 {
			want.Exclude = func(i int) bool { return slices.Contains(tried, i) }
		}
		lease, err := to.backends.Pick(ctx, want)
		if err != nil {
			return nil, nil, err
		}
		server, err := r.dial(ctx, env, lease, from, at)
		if err == nil {
			return lease, server, nil
		}
		lease.Done(backend.Outcome{Failed: true, Abandoned: env.Over(ctx)})
		if tried = append(tried, lease.Index()); len(tried) >= attempts || ctx.Err() != nil {
			return nil, nil, err
		}
		if err := env.Sleep(ctx, backoff); err != nil {
			return nil, nil, err
		}
	}
}

// dial connects to a backend and introduces the client to it if that is wanted.
func (r *runner) dial(ctx context.Context, env *services.Env, lease *backend.Lease, from, at netip.AddrPort) (*tcp.Conn, error) {
	timeout := r.config.Upstream.ConnectTimeout.Std()
	if timeout == 0 {
		timeout = upstream.DefaultConnectTimeout
	}
	ctx, cancel := env.WithTimeout(ctx, timeout)
	defer cancel()
	server, err := tcp.Dial(ctx, env.Host, lease.Address())
	if err != nil {
		return nil, err
	}
	header, err := proxyprotocol.Encode(r.config.Upstream.ProxyProtocol, from, at)
	if err == nil {
		_, err = server.Write(header)
	}
	if err != nil {
		server.Close()
		return nil, err
	}
	return server, nil
}
