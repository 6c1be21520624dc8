// Package forward is the service "http-proxy": a forward proxy, which asks servers in its clients' stead.
//
// A client sends requests for http URLs to it with the whole URL in the first line (absolute form, RFC 9112, section 3.2.2). The proxy
// makes a request of its own for each, over a connection of its own, and passes the response on. For everything else the client asks for
// a tunnel (CONNECT, RFC 9110, section 9.3.6): the proxy connects to the host and port and copies bytes there and back, so TLS reaches
// from the client to the server, and the proxy sees who talks to whom and how much, but not what.
//
// Either way the server sees the proxy's address. Unless "forwarded" says otherwise it is not told the client's: no field is added, and
// those that the client sent are removed. Via (RFC 9110, section 7.6.3) tells that there is a proxy, and finds loops of proxies.
//
// Filters and users are those of package access. What the proxy answers itself has a field Proxy-Status (RFC 9209) and a text that says
// why.
//
// The proxy speaks HTTP/1.1 without TLS with its clients, and with servers of http URLs; inside of tunnels anything may be spoken. Left
// out: TLS to the proxy, HTTP/2 to the proxy, the methods of authentication other than Basic, proxies behind proxies, taking TLS apart in
// the middle, intercepting clients that don't know of it.
package forward

import (
	"context"
	"fmt"
	"net"
	nethttp "net/http"
	"net/http/httputil"
	"time"

	"netlab/http"
	"netlab/services"
	"netlab/services/httpcache"
	"netlab/services/proxy/access"
	"netlab/tcp"
	"netlab/units"
)

// Type describes the service.
var Type = services.Type{
	Name: "http-proxy", Role: services.Service,
	Doc: "A forward proxy: it asks HTTP servers in its clients' stead, and leads tunnels to others (CONNECT), so that servers see its " +
		"address and not the client's. Lists of hosts, ports and paths say what it leads to, users who may use it. It records who " +
		"asked for what, and may have a cache. Clients are told to use it with \"proxy\": \"http://proxy:3128\".",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		return &runner{config: *config.(*Config)}, nil
	},
}

// Result is what the proxy reports. Connections and requests that a crash of the host cut off are counted too.
type Result struct {
	access.Record
	// Denied, Unauthorized, Limited and Malformed are the parts of Refused: for the filter (status 403), for want of a user (407),
	// because of too many connections (503), and because the request made no sense for a proxy (400 and others).
	Denied       uint64 `json:"denied"`
	Unauthorized uint64 `json:"unauthorized"`
	Limited      uint64 `json:"limited"`
	Malformed    uint64 `json:"malformed"`
	// Connections counts those of clients, MaxConnections how many there were at once, tunnels included.
	Connections    uint64 `json:"connections"`
	MaxConnections int    `json:"max_connections"`
	// Status counts responses by status code, those of servers and the proxy's own; 200 also stands for a tunnel.
	Status map[string]uint64 `json:"status"`
	// Cache is what the cache did, nil without one.
	Cache *httpcache.Result `json:"cache"`
}

// runner is the service. What it counts outlives a crash of the host.
type runner struct {
	config Config
	counts counts
	cached httpcache.Counters
}

// Result implements services.Runner.
func (r *runner) Result() any {
	all := r.counts.result()
	if r.config.Cache.On {
		found := r.cached.Result()
		all.Cache = &found
	}
	return all
}

// startCache puts a cache in front of a transport, if there is to be one.
func (r *runner) startCache(ctx context.Context, env *services.Env, next nethttp.RoundTripper) (nethttp.RoundTripper, error) {
	if !r.config.Cache.On {
		return next, nil
	}
	o := httpcache.Host(ctx, env, "cache")
	o.Next, o.Shared, o.Name, o.Counters = next, true, env.Host.Name(), &r.cached
	return httpcache.New(r.config.Cache.Config, o)
}

// asked says in responses, also those from a cache, what they answer.
type asked struct{ next nethttp.RoundTripper }

// RoundTrip implements net/http's RoundTripper.
func (a asked) RoundTrip(r *nethttp.Request) (*nethttp.Response, error) {
	response, err := a.next.RoundTrip(r)
	if err == nil {
		response.Request = r
	}
	return response, err
}

// Run implements services.Runner.
func (r *runner) Run(ctx context.Context, env *services.Env) error {
	p := &proxy{config: &r.config, counts: &r.counts, env: env, ctx: ctx, name: env.Host.Name(), clients: access.NewConnections(r.config.Limits)}
	transport := http.NewTransport(env.Host, &http.TransportOptions{
		Version: http.HTTP1, IdlePerServer: maxIdle,
		Dial: func(_ context.Context, address string) (net.Conn, error) {
			c, err := p.dial(ctx, address)
			if err != nil {
				return nil, err // not a nil *tcp.Conn
			}
			return c, nil
		},
	})
	defer transport.CloseIdleConnections()
	cached, err := r.startCache(ctx, env, &timed{env: env, limit: r.config.ResponseTimeout.Std(), next: transport})
	if err != nil {
		return err
	}
	p.forward = &httputil.ReverseProxy{Rewrite: p.rewrite, ModifyResponse: p.returning, ErrorHandler: p.failed, Transport: asked{cached}}
	listener, err := tcp.Listen(env.Host, string(r.config.Listen))
	if err == nil {
		err = http.Serve(ctx, listener, p, &http.ServerOptions{
			Host: env.Host, Log: env.Log, Panicked: env.Panicked, ConnState: p.state,
			ReadHeaderTimeout: r.config.HeaderTimeout.Std(), IdleTimeout: r.config.IdleTimeout.Std(),
			MaxHeaderBytes: int(r.config.MaxHeader),
		})
		env.Wait()
	}
	if env.Over(ctx) {
		return nil
	}
	return err
}

// maxIdle is how many idle connections the proxy keeps to a server.
const maxIdle = 100

// proxy is the running service on one incarnation of its host.
type proxy struct {
	config  *Config
	counts  *counts
	env     *services.Env
	ctx     context.Context // of the run
	clients *access.Connections
	name    string // in Via and Proxy-Status
	forward *httputil.ReverseProxy
}

// dial connects to a host within the time for that. ctx is that of the run: a connection that a request doesn't wait for any more is there
// for the next one.
func (p *proxy) dial(ctx context.Context, address string) (*tcp.Conn, error) {
	ctx, cancel := p.env.WithTimeout(ctx, p.config.ConnectTimeout.Std())
	defer cancel()
	c, err := tcp.Dial(ctx, p.env.Host, address)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return c, err
}

// ServeHTTP implements net/http's Handler.
func (p *proxy) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	x := &exchange{proxy: p, ResponseWriter: w, client: access.Client(p.env.Host, r.RemoteAddr)}
	x.usage.Requests = 1
	defer x.count()
	to, wrong := target(r)
	if wrong == nil {
		x.host = to.Host
	}
	switch {
	case p.clients.TooMany(r.RemoteAddr):
		x.part = &p.counts.limited
		w.Header().Set("Connection", "close")
		x.refuse(nethttp.StatusServiceUnavailable, "connection_limit_reached", "there are too many connections to this proxy")
		return
	case !p.authorized(r):
		x.part = &p.counts.unauthorized
		w.Header().Set("Proxy-Authenticate", fmt.Sprintf(`Basic realm=%q, charset="UTF-8"`, p.name))
		x.refuse(nethttp.StatusProxyAuthRequired, "http_request_denied", "this proxy wants a user's name and password that it knows")
		return
	case wrong != nil:
		x.part = &p.counts.malformed
		x.refuse(nethttp.StatusBadRequest, "http_request_error", wrong.Error())
		return
	}
	if r.Method == nethttp.MethodConnect && !p.config.mayConnect(to.Port) {
		x.part = &p.counts.denied
		x.refuse(nethttp.StatusForbidden, "http_request_denied", fmt.Sprintf("tunnels to port %d are not allowed", to.Port))
		return
	}
	if reason := p.config.Check(to); reason != "" {
		x.part = &p.counts.denied
		x.refuse(nethttp.StatusForbidden, "http_request_denied", reason)
		return
	}
	if r.Method == nethttp.MethodConnect {
		x.tunnel(r, to)
		return
	}
	x.plain(r)
}

// NewConfig returns the defaults.
func NewConfig() *Config {
	return &Config{Listen: ":3128", ConnectTimeout: units.Duration(10 * time.Second)}
}
