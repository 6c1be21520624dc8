package cdn

import (
	"context"
	nethttp "net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"netlab/http"
	"netlab/services"
	"netlab/services/backend"
	"netlab/services/httpcache"
	"netlab/services/limits"
	"netlab/services/upstream"
	"netlab/tcp"
)

// Edge describes the service.
var Edge = services.Type{
	Name: "cdn-edge", Role: services.Service,
	Doc: "A server of a content delivery network: a shared HTTP cache near users, in front of an origin that is far away. Edges may ask a " +
		"shield instead of the origin, divide objects among the servers of one place, take objects that are pushed, remove those that " +
		"are purged, and serve signed URLs only.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		c := *config.(*Config)
		return &runner{config: c, count: &counters{status: map[int]uint64{}}, asked: upstream.NewCounters(),
			limiter: limits.New(c.Limits)}, nil
	},
}

// runner is the service. What it counts outlives a crash of the host.
type runner struct {
	config  Config
	count   *counters
	cached  httpcache.Counters
	asked   *upstream.Counters
	limiter *limits.Limiter                 // nil without limits
	store   atomic.Pointer[httpcache.Cache] // of the last incarnation; nil before the first
}

// edge is the service on one incarnation of its host.
type edge struct {
	*runner
	env     *services.Env
	origin  *url.URL
	cache   *httpcache.Cache
	peers   *peers // nil without a cluster
	handler *upstream.Handler
}

// Run implements services.Runner.
func (r *runner) Run(ctx context.Context, env *services.Env) error {
	life, end := context.WithCancel(ctx)
	err := r.serve(life, env)
	end()
	env.Wait()
	if env.Over(ctx) {
		return nil
	}
	return err
}

func (r *runner) serve(ctx context.Context, env *services.Env) error {
	e := &edge{runner: r, env: env, origin: r.config.origin()}
	pool, err := backend.New(env, r.config.pool(), backend.Options{Port: r.upPort()})
	if err != nil {
		return err
	}
	env.Go(func() { pool.Run(ctx) })
	up := r.config.upstream()
	forward, err := upstream.New(ctx, env, up, pool, upstream.Options{Balancing: r.config.pool().Balancing, Counters: r.asked})
	if err != nil {
		return err
	}
	defer forward.Close()
	o := httpcache.Host(ctx, env, "cache")
	o.Next, o.Shared, o.Counters = forward, true, &r.cached
	if e.cache, err = httpcache.New(r.config.Cache, o); err != nil {
		return err
	}
	r.store.Store(e.cache)
	if e.peers, err = newPeers(ctx, env, r); err != nil {
		return err
	}
	defer e.peers.close()
	if e.handler, err = upstream.NewHandler(ctx, env, e, upstream.HandlerOptions{Config: up, Rewrite: e.rewrite, Response: e.response}); err != nil {
		return err
	}
	options := &http.ServerOptions{Host: env.Host, Log: env.Log, Panicked: env.Panicked, NoHTTP2: !r.config.HTTP2, Strict: true}
	if r.config.TLS.On {
		protocols := []string{"h2", "http/1.1"}
		if !r.config.HTTP2 {
			protocols = protocols[1:]
		}
		if options.TLS, err = r.config.TLS.Config(env, protocols...); err != nil {
			return err
		}
	}
	listener, err := tcp.Listen(env.Host, string(r.config.Listen))
	if err != nil {
		return err
	}
	r.limiter.Start(env)
	return http.Serve(ctx, r.limiter.Listener(listener), e, options)
}

// upPort is the port of parents that have none.
func (r *runner) upPort() uint16 {
	up := r.config.upstream()
	return up.Port()
}

// visit is a request, and what was done with it.
type visit struct {
	peer   bool   // it comes from another server of the cluster
	query  string // without the signature
	cached string // for X-Cache; empty leaves that of a peer
}

type visitKey struct{}

// ServeHTTP implements net/http's Handler.
func (e *edge) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	rec := &recorder{ResponseWriter: w}
	defer func() { e.count.answered(rec.status, rec.bytes) }()
	leave, ok := e.limiter.Admit(rec, r)
	if !ok {
		return
	}
	defer leave()
	v := &visit{peer: e.peers.sent(r), query: r.URL.RawQuery}
	if v.peer {
		e.count.add(func(r *Result) { r.FromPeers++ })
	}
	switch {
	case strings.HasPrefix(r.URL.Path, controlPath):
		e.control(rec, r, v)
	case r.Method == nethttp.MethodConnect:
		upstream.Answer(rec, e.env, nethttp.StatusMethodNotAllowed, "an edge is no forward proxy")
	case slices.Contains(loops(r.Header), e.env.Host.Name()):
		e.count.add(func(r *Result) { r.Loops++ })
		upstream.Answer(rec, e.env, nethttp.StatusLoopDetected, "the request has been here before")
	default:
		if e.admits(rec, r, v) {
			e.handler.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
		}
	}
}

// admits checks the signature of a request and refuses one without. A peer has done so already.
func (e *edge) admits(w nethttp.ResponseWriter, r *nethttp.Request, v *visit) bool {
	s := e.config.Signed
	if s == nil || v.peer || !s.needs(r.URL.Path) && !s.needs(path.Clean(r.URL.Path)) {
		return true
	}
	query, err := Verify(s.Key, r.URL.RequestURI(), e.env.Host.Now())
	if err == nil {
		v.query = query
		return true
	}
	e.count.add(func(all *Result) {
		switch err {
		case ErrUnsigned:
			all.Unsigned++
		case ErrExpired:
			all.Expired++
		default:
			all.BadSignature++
		}
	})
	upstream.Answer(w, e.env, nethttp.StatusForbidden, err.Error())
	return false
}

// loops returns the servers that a request has passed (RFC 8586).
func loops(h nethttp.Header) (names []string) {
	for _, line := range h["Cdn-Loop"] {
		for _, member := range strings.Split(line, ",") {
			name, _, _ := strings.Cut(member, ";")
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

// rewrite makes the request that may leave the edge: it is for the origin's object, whoever is asked for it.
func (e *edge) rewrite(out, in *nethttp.Request) {
	v := in.Context().Value(visitKey{}).(*visit)
	out.URL.Scheme, out.URL.Host, out.Host, out.URL.RawQuery = e.origin.Scheme, e.origin.Host, e.origin.Host, v.query
	out.Header.Set("CDN-Loop", strings.Join(append(loops(in.Header), e.env.Host.Name()), ", "))
}

// RoundTrip implements net/http's RoundTripper: the owner of the object answers, this server or a peer.
func (e *edge) RoundTrip(r *nethttp.Request) (*nethttp.Response, error) {
	v := r.Context().Value(visitKey{}).(*visit)
	if !v.peer && (r.Method == nethttp.MethodGet || r.Method == nethttp.MethodHead) {
		if owner := e.peers.owner(httpcache.URLOf(r)); owner != nil {
			response, err := e.peers.ask(owner, r)
			if err == nil {
				e.count.add(func(r *Result) { r.ToPeers++ })
				return response, nil
			}
			if r.Context().Err() != nil {
				return nil, context.Cause(r.Context())
			}
		}
	}
	response, status, err := e.cache.Fetch(r)
	v.cached = word(&status)
	return response, err
}

// word is what X-Cache says of a request.
func word(s *httpcache.Status) string {
	switch {
	case s.Hit && s.Stale:
		return "STALE"
	case s.Hit:
		return "HIT"
	case s.Validated:
		return "REVALIDATED"
	case s.Forward == httpcache.Method, s.Forward == httpcache.Bypass:
		return "BYPASS"
	}
	return "MISS"
}

// response says what was done with a request.
func (e *edge) response(r *nethttp.Response, _ *upstream.Call) error {
	if v := r.Request.Context().Value(visitKey{}).(*visit); v.cached != "" {
		r.Header.Set("X-Cache", v.cached+" from "+e.env.Host.Name())
	}
	return nil
}

// recorder takes down what was answered.
type recorder struct {
	nethttp.ResponseWriter
	status int
	bytes  int64
}

// Unwrap is for net/http's ResponseController.
func (w *recorder) Unwrap() nethttp.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements net/http's ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status < 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements net/http's ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	if w.status < 200 {
		w.status = nethttp.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// addressOf returns the address of a request's client.
func addressOf(r *nethttp.Request) netip.Addr {
	a, _ := netip.ParseAddrPort(r.RemoteAddr) // net/http made it
	return a.Addr().Unmap()
}
