package balancer

import (
	"bufio"
	"context"
	"fmt"
	"net"
	nethttp "net/http"
	"net/netip"
	"strings"

	"netlab/http"
	"netlab/services"
	"netlab/services/proxyprotocol"
	"netlab/services/upstream"
	"netlab/tcp"
	"netlab/units"
)

// listen returns the listener of clients.
func (r *runner) listen(ctx context.Context, env *services.Env) (net.Listener, error) {
	r.limits.Start(env)
	if len(r.config.From) == 0 {
		listener, err := tcp.Listen(env.Host, string(r.config.Listen))
		if err != nil {
			return nil, err
		}
		return r.limits.Listener(counting{listener, r.count}), nil
	}
	trusted, err := upstream.Resolve(ctx, env, r.config.From)
	if err != nil {
		return nil, fmt.Errorf("proxy_protocol_from: %w", err)
	}
	listener, err := proxyprotocol.Listen(ctx, env, string(r.config.Listen), trusted, r.config.HeaderTimeout.Std(), func() {
		r.count.add(func(all *Layer7Result) { all.Malformed++ })
	})
	if err != nil {
		return nil, err
	}
	return r.limits.Listener(counting{listener, r.count}), nil
}

// serve serves HTTP.
func (r *runner) serve(ctx context.Context, env *services.Env) error {
	c := &r.config
	o := &http.ServerOptions{
		Host: env.Host, Log: env.Log, Panicked: env.Panicked, NoHTTP2: !c.http2(), H2C: c.H2C, MaxConcurrentStreams: c.MaxStreams,
		ReadHeaderTimeout: c.HeaderTimeout.Std(), IdleTimeout: c.KeepAlive.Std(), MaxHeaderBytes: int(c.MaxHeader), Strict: true,
	}
	if c.TLS.On {
		protocols := []string{"h2", "http/1.1"}
		if !c.http2() {
			protocols = protocols[1:]
		}
		var err error
		if o.TLS, err = c.TLS.Config(env, protocols...); err != nil {
			return err
		}
	}
	f := &front{runner: r, env: env}
	if c.Sticky != nil {
		f.stick = newStick(*c.Sticky, env)
	}
	var err error
	f.handler, err = upstream.NewHandler(ctx, env, f, upstream.HandlerOptions{Config: c.Upstream, Call: f.call, Rewrite: f.rewrite, Response: f.response})
	if err != nil {
		return fmt.Errorf("upstream.trusted_proxies: %w", err)
	}
	listener, err := r.listen(ctx, env)
	if err != nil {
		return err
	}
	var handler nethttp.Handler = f
	if r.hooks.Serve != nil {
		if handler, err = r.hooks.Serve(ctx, env, f); err != nil {
			listener.Close()
			return err
		}
	}
	return http.Serve(ctx, listener, handler, o)
}

// counting counts the connections of clients.
type counting struct {
	net.Listener
	count *counters
}

// Accept implements net.Listener.
func (l counting) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.count.add(func(all *Layer7Result) { all.Connections++ })
	}
	return conn, err
}

// abort resets a connection.
func abort(conn net.Conn) {
	if c, ok := conn.(interface{ Abort() error }); ok {
		c.Abort()
		return
	}
	conn.Close()
}

// front is what clients' requests come to, in one incarnation of the host.
type front struct {
	*runner
	env     *services.Env
	stick   *stick // nil without
	handler *upstream.Handler
}

// way is where a request goes.
type way struct {
	route *Route // nil: none fits
	pool  *pool
}

// wayKey is the key of a request's way in its context.
type wayKey struct{}

func wayOf(ctx context.Context) *way { return ctx.Value(wayKey{}).(*way) }

// ServeHTTP implements net/http's Handler.
func (f *front) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	rec := &recorder{ResponseWriter: w}
	defer func() {
		v := recover()
		f.done(rec, r, v != nil)
		if v != nil {
			panic(v)
		}
	}()
	switch {
	case r.Method == nethttp.MethodConnect:
		upstream.Answer(rec, f.env, nethttp.StatusMethodNotAllowed, "a balancer is no forward proxy")
		return
	case r.ProtoAtLeast(1, 1) && r.Host == "":
		upstream.Answer(rec, f.env, nethttp.StatusBadRequest, "the request names no host")
		return
	}
	leave, ok := f.limits.Admit(rec, r)
	if !ok {
		return
	}
	defer leave()
	to := &way{pool: f.pools[0]}
	for i := range f.config.Routes {
		if route := &f.config.Routes[i]; route.fits(r) {
			to.route, to.pool = route, f.pool(route.Pool)
			break
		}
	}
	if to.route != nil && to.route.Redirect != nil {
		location, status := to.route.Redirect.location(r)
		f.count.add(func(all *Layer7Result) { all.Redirects++ })
		rec.Header().Set("Location", location)
		upstream.Answer(rec, f.env, status, location)
		return
	}
	f.handler.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), wayKey{}, to)))
}

// RoundTrip implements http.RoundTripper: the request goes to its pool.
func (f *front) RoundTrip(r *nethttp.Request) (*nethttp.Response, error) {
	return wayOf(r.Context()).pool.way.RoundTrip(r)
}

// call completes what is known of a request.
func (f *front) call(r *nethttp.Request, call *upstream.Call) {
	if f.stick != nil {
		call.Prefer = f.stick.prefer(wayOf(r.Context()).pool.name, r, call)
	}
}

// rewrite changes the path of a request.
func (f *front) rewrite(out, in *nethttp.Request) {
	if route := wayOf(in.Context()).route; route != nil {
		route.rewrite(out.URL)
	}
	if f.hooks.Request != nil {
		f.hooks.Request(out, in)
	}
}

// response keeps the client with its backend.
func (f *front) response(r *nethttp.Response, call *upstream.Call) error {
	if f.hooks.Response != nil {
		f.hooks.Response(r)
	}
	if f.stick == nil {
		return nil
	}
	if call.Prefer != "" && call.Prefer == call.Backend() {
		f.count.add(func(all *Layer7Result) { all.Stuck++ })
	}
	f.stick.answered(wayOf(r.Request.Context()).pool.name, r, call)
	return nil
}

// done counts a request that is over.
func (f *front) done(rec *recorder, r *nethttp.Request, aborted bool) {
	f.count.mu.Lock()
	defer f.count.mu.Unlock()
	all := &f.count.total
	all.Requests++
	all.Bytes += units.Bytes(rec.bytes)
	name, _, _ := strings.Cut(strings.ToLower(r.Proto), ".")
	all.Protocols[strings.ReplaceAll(name, "/", "")]++
	if aborted || rec.err != nil {
		all.Aborted++
	}
	if rec.status > 0 {
		f.count.status[rec.status]++
	}
}

// recorder sees what is answered.
type recorder struct {
	nethttp.ResponseWriter
	status int
	bytes  int64
	err    error
}

// WriteHeader implements net/http's ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && (status >= nethttp.StatusOK || status == nethttp.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements net/http's ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = nethttp.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	if err != nil {
		w.err = err
	}
	return n, err
}

// Hijack implements net/http's Hijacker: it is what an upgrade ends in, whose response goes past WriteHeader.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := nethttp.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.status = nethttp.StatusSwitchingProtocols
	}
	return conn, rw, err
}

// Unwrap lets net/http's ResponseController find what it looks for.
func (w *recorder) Unwrap() nethttp.ResponseWriter { return w.ResponseWriter }

// source returns the address of a connection's client.
func source(conn net.Conn) netip.AddrPort {
	a, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
	return a
}
