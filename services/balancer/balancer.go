package balancer

import (
	"context"
	nethttp "net/http"

	"netlab/services"
	"netlab/services/backend"
	"netlab/services/balance"
	"netlab/services/balancer/l4"
	"netlab/services/limits"
	"netlab/services/upstream"
)

// Type describes the service.
var Type = services.Type{
	Name: "balancer", Role: services.Service,
	Doc: "Spreads work over backends. On layer 7 it takes requests of HTTP/1.1, HTTP/2 and WebSocket, ends TLS or passes it through by " +
		"SNI, routes by host, path, method, header and cookie, keeps clients with their backends, retries, hedges, and tells backends of " +
		"the client. On layer 4 it takes connections of TCP or flows of UDP, as a proxy, by NAT, or with answers that go to the client " +
		"directly. Health checks, outlier ejection, circuit breakers, slow start and draining decide which backends may be used; " +
		"the algorithm chooses among them.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		return newRunner(*config.(*Config)), nil
	},
}

// runner is the service. What it counts outlives a crash of the host; the rest is made anew in each run.
type runner struct {
	config Config
	layer4 *l4.Balancer // nil on layer 7
	limits *limits.Limiter
	count  *counters
	pools  []*pool // the balancer's own backends, and then the others by name
	hooks  Hooks
}

// pool is one of the pools. Its parts are those of the present incarnation of the host.
type pool struct {
	name     string // "" is the balancer's own backends
	config   Pool
	count    *backend.Counters
	sent     *upstream.Counters
	backends *backend.Pool
	forward  *upstream.Forwarder  // nil where no requests are read
	way      nethttp.RoundTripper // to forward
}

func newRunner(c Config) *runner {
	r := &runner{config: c, limits: limits.New(c.Limits), count: &counters{total: Layer7Result{Protocols: map[string]uint64{}}, status: map[int]uint64{}}}
	if c.Layer == 4 {
		key, _ := c.Key()
		r.layer4 = l4.New(l4.Options{Config: c.Layer4, Listen: string(c.Listen), FlowKey: key == balance.KeyFlow, ProxyProtocol: c.Upstream.ProxyProtocol,
			ConnectTimeout: c.Upstream.ConnectTimeout})
	}
	add := func(name string, p Pool) {
		r.pools = append(r.pools, &pool{name: name, config: p, count: backend.NewCounters(), sent: upstream.NewCounters()})
	}
	add("", c.Pool)
	for _, name := range c.poolNames() {
		add(name, c.Pools[name])
	}
	return r
}

// Run implements services.Runner.
func (r *runner) Run(ctx context.Context, env *services.Env) error {
	life, end := context.WithCancel(ctx)
	defer func() {
		end()
		env.Wait()
	}()
	for _, p := range r.pools {
		if err := r.start(life, env, p); err != nil {
			return ended(ctx, env, err)
		}
	}
	var err error
	switch {
	case r.layer4 != nil:
		err = r.layer4.Run(ctx, env, r.pools[0].backends)
	case r.config.TLSPassthrough:
		err = r.pass(ctx, env)
	default:
		err = r.serve(ctx, env)
	}
	for _, p := range r.pools {
		if p.forward != nil {
			p.forward.Close()
		}
	}
	return ended(ctx, env, err)
}

// start makes a pool for an incarnation of the host, and begins its health checks.
func (r *runner) start(ctx context.Context, env *services.Env, p *pool) (err error) {
	part := ""
	if p.name != "" {
		part = "." + p.name
	}
	p.backends, err = backend.New(env, p.config, backend.Options{Port: r.config.backendPort(), Counters: p.count, Part: part})
	if err != nil {
		return err
	}
	env.Go(func() { p.backends.Run(ctx) })
	if r.layer4 != nil || r.config.TLSPassthrough {
		return nil
	}
	p.forward, err = upstream.New(ctx, env, r.config.Upstream, p.backends, upstream.Options{Part: part, Balancing: p.config.Balancing, Counters: p.sent})
	if p.way = p.forward; err == nil && r.hooks.Forward != nil {
		p.way, err = r.hooks.Forward(ctx, env, p.name, p.forward)
	}
	return err
}

// ended returns an error unless it comes from the end of ctx or of the host.
func ended(ctx context.Context, env *services.Env, err error) error {
	if env.Over(ctx) {
		return nil
	}
	return err
}

// pool finds a pool that there is.
func (r *runner) pool(name string) *pool {
	for _, p := range r.pools {
		if p.name == name {
			return p
		}
	}
	return r.pools[0]
}

// Result implements services.Runner.
func (r *runner) Result() any {
	all := &Result{}
	if r.layer4 != nil {
		all.Layer4 = r.layer4.Result()
	} else {
		all.Layer7 = r.count.result()
		all.Layer7.Limits = r.limits.Result()
	}
	for _, p := range r.pools {
		if p.name == "" {
			all.Pool = p.count.Result()
			if all.Layer7 != nil {
				all.Layer7.Upstream = p.sent.Result()
			}
			continue
		}
		if all.Pools == nil {
			all.Pools = map[string]*backend.Result{}
			all.Layer7.Pools = map[string]*upstream.Result{}
		}
		all.Pools[p.name] = p.count.Result()
		all.Layer7.Pools[p.name] = p.sent.Result()
	}
	return all
}
