// Package reverse is the service "reverse-proxy": a server in front of servers, which clients take for the site itself.
//
// It is the balancer of layer 7 (package netlab/services/balancer: routes, pools, health checks, retries, TLS towards clients and
// backends, the fields that tell backends of the client) with what a proxy at the edge of a site does besides. In this order:
//
//   - Rules: which requests are let in, by client, method, path, host and header. The first rule that fits decides; a request that is
//     denied gets 403, and no backend hears of it.
//   - MaxBody: a request whose content is larger gets 413. One that doesn't say how long it is is cut off there.
//   - Limits: connections, rates and load (package netlab/services/limits).
//   - Header fields of requests and responses are set, added and removed.
//   - Cache: a shared cache (package netlab/services/httpcache, RFC 9111) for each pool.
//
// Headers that are too large get 431 (max_header). Paths are rewritten by routes (rewrite_prefix).
//
// Left out: compression, changing content, what web application firewalls look for inside of it.
package reverse

import (
	"context"
	"errors"
	"maps"
	nethttp "net/http"
	"slices"
	"sync"

	"netlab/services"
	"netlab/services/backend"
	"netlab/services/balancer"
	"netlab/services/httpcache"
	"netlab/services/limits"
	"netlab/services/secure"
	"netlab/services/upstream"
	"netlab/units"
)

// Pool is the backends of a pool and how they are used, under a name of its own.
type Pool = backend.Config

// Config configures the service "reverse-proxy".
type Config struct {
	Listen services.ListenTCP `json:"listen" jsonschema_description:"Where it listens." jsonschema:"default=:80"`
	Pool
	Routes          []balancer.Route `json:"routes,omitempty" jsonschema_description:"Which requests go to which pool, and how their paths are rewritten. The first that fits counts. Default: all go to backends."`
	Pools           map[string]Pool  `json:"pools,omitempty" jsonschema_description:"Further backends by the name of their pool, for routes."`
	Upstream        upstream.Config  `json:"upstream,omitzero" jsonschema_description:"Connections to backends, timeouts, retries, and what backends are told of the client."`
	TLS             secure.Server    `json:"tls,omitzero" jsonschema_description:"TLS towards clients, which ends here: true, or an object with details. Default false. The port is still that of listen; that of https is 443."`
	HTTP2           *bool            `json:"http2,omitempty" jsonschema_description:"Whether HTTP/2 is offered over TLS. HTTP/1.1 always is. Default true."`
	Sticky          *balancer.Sticky `json:"sticky,omitempty" jsonschema_description:"Whether a client stays with its backend. {} adds a cookie. Default: it doesn't."`
	Limits          limits.Config    `json:"limits,omitzero" jsonschema_description:"What is too much, of the requests that rules let in: connections, requests of one client or of all in a time, requests under way at once. Default: nothing."`
	Rules           []Rule           `json:"rules,omitempty" jsonschema_description:"Which requests are let in: the first rule that fits decides, and a request that none fits is let in. Those that are denied get status 403."`
	RequestHeaders  Headers          `json:"request_headers,omitzero" jsonschema_description:"Changes of the header fields that backends get. Default: none but those of a proxy."`
	ResponseHeaders Headers          `json:"response_headers,omitzero" jsonschema_description:"Changes of the header fields that clients get. Default: none but those of a proxy."`
	MaxBody         units.Bytes      `json:"max_body,omitempty" zero:"refused" jsonschema_description:"Largest content of a request; one that is larger gets status 413. Default: no limit."`
	MaxHeader       units.Bytes      `json:"max_header,omitempty" zero:"refused" jsonschema_description:"Largest header of a request; one that is larger gets status 431. Default 1MiB."`
	HeaderTimeout   units.Duration   `json:"header_timeout,omitempty" zero:"refused" jsonschema_description:"How long a client may take to send the header of a request, or for a TLS handshake. Default: no limit."`
	KeepAlive       units.Duration   `json:"keepalive_timeout,omitempty" zero:"refused" jsonschema_description:"How long a client's connection is kept without a request. Default: until the end."`
	Cache           httpcache.Toggle `json:"cache,omitzero" jsonschema_description:"A cache that all clients share, one for each pool: true, or an object that configures it. Default false."`
}

// NewConfig returns the defaults.
func NewConfig() *Config { return &Config{Listen: ":80", Pool: backend.NewConfig()} }

// Endless implements services.Config.
func (c *Config) Endless() bool { return true }

// balancer is the part of the configuration that is a balancer's.
func (c *Config) balancer() *balancer.Config {
	b := balancer.NewConfig()
	b.Listen, b.Pool, b.Routes, b.Pools, b.Upstream = services.ListenBoth(c.Listen), c.Pool, c.Routes, c.Pools, c.Upstream
	b.TLS, b.HTTP2, b.MaxHeader, b.HeaderTimeout, b.KeepAlive = c.TLS, c.HTTP2, c.MaxHeader, c.HeaderTimeout, c.KeepAlive
	b.Sticky, b.Limits = c.Sticky, c.Limits
	return b
}

// Expand implements [services.Expander].
func (c *Config) Expand(names func(services.Nodes) services.Nodes) services.Config {
	out := *c
	b := c.balancer().Expand(names).(*balancer.Config)
	out.Pool, out.Pools, out.Upstream = b.Pool, b.Pools, b.Upstream
	out.Rules = slices.Clone(c.Rules)
	for i := range out.Rules {
		if r := &out.Rules[i]; r.Clients != nil {
			r.Clients = names(r.Clients)
		}
	}
	return &out
}

// Calls implements [services.Caller].
func (c *Config) Calls() []services.Call { return c.balancer().Calls() }

// ValidateLocations implements services.Placed.
func (c *Config) ValidateLocations(locations map[string]services.Location) error {
	return c.balancer().ValidateLocations(locations)
}

// Validate implements services.Config.
func (c *Config) Validate() error {
	list := []error{c.balancer().Validate(), c.validateRules(), c.RequestHeaders.validate("request_headers."),
		c.ResponseHeaders.validate("response_headers."), c.Cache.Validate("cache")}
	if c.MaxBody < 0 {
		list = append(list, services.Fieldf("max_body", "found %s, wanted 1B or more", c.MaxBody))
	}
	return errors.Join(list...)
}

// Type describes the service.
var Type = services.Type{
	Name: "reverse-proxy", Role: services.Service,
	Doc: "A server in front of servers, which clients take for the site itself: it ends TLS, lets requests in or not by rules, limits and " +
		"rewrites them, answers what it can from a cache, and gives the rest to its backends, as a balancer of layer 7 does.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		r := &runner{config: *config.(*Config), cached: map[string]*httpcache.Counters{}}
		r.inner = balancer.New(*r.config.balancer(), balancer.Hooks{Serve: r.serve, Forward: r.forward, Request: r.request, Response: r.response})
		return r, nil
	},
}

// Result is what the proxy reports.
type Result struct {
	balancer.Result
	// Received counts all requests; those in Layer7 are the ones that were let in.
	Received uint64 `json:"received"`
	// Denied counts requests that a rule denied (403), TooLarge those whose content said that it was too large (413).
	Denied   uint64 `json:"denied"`
	TooLarge uint64 `json:"too_large"`
	// Cache is what the caches of all pools did, nil without.
	Cache *httpcache.Result `json:"cache"`
}

// runner is the service. What it counts outlives a crash of the host.
type runner struct {
	config Config
	inner  services.Runner

	mu                         sync.Mutex
	received, denied, tooLarge uint64
	cached                     map[string]*httpcache.Counters // by the name of the pool
}

// Run implements services.Runner.
func (r *runner) Run(ctx context.Context, env *services.Env) error { return r.inner.Run(ctx, env) }

// Result implements services.Runner.
func (r *runner) Result() any {
	all := &Result{Result: *r.inner.Result().(*balancer.Result)}
	r.mu.Lock()
	defer r.mu.Unlock()
	all.Received, all.Denied, all.TooLarge = r.received, r.denied, r.tooLarge
	if r.config.Cache.On {
		all.Cache = &httpcache.Result{}
		for _, name := range slices.Sorted(maps.Keys(r.cached)) {
			found := r.cached[name].Result()
			all.Cache.Add(&found)
		}
	}
	return all
}

// forward puts a cache in front of a pool.
func (r *runner) forward(ctx context.Context, env *services.Env, pool string, next nethttp.RoundTripper) (nethttp.RoundTripper, error) {
	if !r.config.Cache.On {
		return next, nil
	}
	r.mu.Lock()
	counters := r.cached[pool]
	if counters == nil {
		counters = new(httpcache.Counters)
		r.cached[pool] = counters
	}
	r.mu.Unlock()
	o := httpcache.Host(ctx, env, "cache."+pool)
	o.Next, o.Shared, o.Counters = next, true, counters
	cache, err := httpcache.New(r.config.Cache.Config, o)
	return asked{cache}, err
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
