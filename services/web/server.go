package web

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net"
	nethttp "net/http"
	"net/netip"
	"slices"
	"strings"

	"netlab/http"
	"netlab/ip"
	"netlab/services"
	"netlab/services/capacity"
	"netlab/services/limits"
	"netlab/services/proxyprotocol"
	"netlab/services/secure"
	"netlab/tcp"
	"netlab/units"
)

// maxObject is the largest object that a server makes.
const maxObject units.Bytes = 1 << 40

// maxHeader is the largest limit of a request's header.
const maxHeader units.Bytes = 1 << 30

// Capacity is how much a server can do, a [capacity.Config], under a name of its own.
type Capacity = capacity.Config

// ServerConfig configures the service "http-server".
type ServerConfig struct {
	Listen      services.ListenTCP `json:"listen" jsonschema_description:"Where it listens." jsonschema:"default=:80"`
	TLS         secure.Server      `json:"tls,omitzero" jsonschema_description:"TLS, so that the server's URLs begin with https: true, or an object with details. Default false. The port is still that of listen; that of https is 443."`
	HTTP2       bool               `json:"http2" jsonschema_description:"Whether HTTP/2 is offered over TLS. HTTP/1.1 always is." jsonschema:"default=true"`
	H2C         bool               `json:"h2c,omitempty" jsonschema_description:"Whether clients may speak HTTP/2 without TLS, if they know that they can." jsonschema:"default=false"`
	MaxStreams  int                `json:"max_streams,omitempty" jsonschema_description:"How many requests of one HTTP/2 connection are under way at most. Default 250."`
	Objects     units.Bytes        `json:"objects" jsonschema_description:"Size of the object at every path that no handler has, but for /bytes/<n>, where one of n bytes is." jsonschema:"default=10kB"`
	ContentType string             `json:"content_type" jsonschema_description:"Media type of the objects." jsonschema:"default=application/octet-stream"`
	Handlers    map[string]Handler `json:"handlers,omitempty" jsonschema_description:"What answers by path: /items is this path alone, /items/ all paths below as well. The longest path wins."`
	Capacity
	ErrorRate     units.Probability `json:"error_rate,omitempty" jsonschema_description:"Share of requests that fail at once, before they need a core. Default 0%."`
	ErrorStatus   int               `json:"error_status,omitempty" jsonschema_description:"Status of requests that fail. Default 500."`
	HeaderTimeout units.Duration    `json:"header_timeout,omitempty" jsonschema_description:"How long a client may take to send the header of a request, or for a TLS handshake. Default: no limit."`
	IdleTimeout   units.Duration    `json:"idle_timeout,omitempty" jsonschema_description:"How long a connection is kept without a request. Default: until the end."`
	Limits        limits.Config     `json:"limits,omitzero" jsonschema_description:"What is too much: connections, requests of one client or of all in a time, requests under way at once. Default: nothing."`
	ProxyProtocol services.Nodes    `json:"proxy_protocol,omitempty" jsonschema_description:"Nodes whose connections begin with a header of the PROXY protocol (v1 or v2), whose word about the client is believed. Default: none."`
	MaxHeader     units.Bytes       `json:"max_header,omitempty" jsonschema_description:"Largest header of a request; one that is larger gets status 431. Default 1MiB."`
}

// NewServerConfig returns the defaults.
func NewServerConfig() *ServerConfig {
	return &ServerConfig{Listen: ":80", HTTP2: true, Objects: 10_000, ContentType: "application/octet-stream"}
}

// Endless implements services.Config.
func (c *ServerConfig) Endless() bool { return true }

// Validate implements services.Config.
func (c *ServerConfig) Validate() error {
	list := []error{c.TLS.Validate("tls"), c.Capacity.Validate(), checkErrors(nil, c.ErrorRate, c.ErrorStatus), c.validateHandlers(),
		c.Limits.Validate("limits")}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.Listen == "" {
		add("listen", "missing: want a colon and a port, such as \":80\"")
	}
	if c.H2C && c.TLS.On {
		add("h2c", "found true, but it is HTTP/2 without TLS, and the server has TLS: http2 is for that")
	}
	if c.MaxStreams < 0 || c.MaxStreams > 1<<31-1 {
		add("max_streams", "found %d, wanted 1 to %d", c.MaxStreams, 1<<31-1)
	}
	if c.Objects < 0 || c.Objects > maxObject {
		add("objects", "found %s, wanted 0B to %s", c.Objects, maxObject)
	}
	if !mediaType(c.ContentType) {
		add("content_type", "%q is not a media type: want one such as \"text/html\"", c.ContentType)
	}
	if c.HeaderTimeout < 0 {
		add("header_timeout", "found %s, wanted 0s or more", c.HeaderTimeout)
	}
	if c.IdleTimeout < 0 {
		add("idle_timeout", "found %s, wanted 0s or more", c.IdleTimeout)
	}
	if c.MaxHeader < 0 || c.MaxHeader > maxHeader {
		add("max_header", "found %s, wanted 1B to %s", c.MaxHeader, maxHeader)
	}
	return errors.Join(list...)
}

// Expand implements [services.Expander].
func (c *ServerConfig) Expand(names func(services.Nodes) services.Nodes) services.Config {
	out := *c
	if c.ProxyProtocol != nil {
		out.ProxyProtocol = names(c.ProxyProtocol)
	}
	return &out
}

var _ services.Storer = (*ServerConfig)(nil)

// Stores implements services.Storer.
func (c *ServerConfig) Stores() bool {
	for _, h := range c.Handlers {
		if h.Handler == "files" {
			return true
		}
	}
	return false
}

// mediaType says whether s is a media type (RFC 9110, section 8.3.1).
func mediaType(s string) bool {
	_, _, err := mime.ParseMediaType(s)
	return err == nil && strings.Contains(s, "/")
}

// Server describes the service.
var Server = services.Type{
	Name: "http-server", Role: services.Service,
	Doc: "Serves HTTP/1.1, and HTTP/2 over TLS or without. By default there are objects of a fixed size, the same bytes for the " +
		"same path in every run, with their SHA-256 in the header; an object of n bytes is at /bytes/<n>. Handlers give " +
		"paths something else: delays, errors, redirects, streams, collections. With cores and service_time it is a model of a " +
		"server that can do only so much.",
	Config: func() services.Config { return NewServerConfig() },
	Result: func() any { return new(ServerResult) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		return newServer(*config.(*ServerConfig)), nil
	},
}

// server is the runner. What it counts outlives a crash of the host; the rest is made anew in each run.
type server struct {
	config  ServerConfig
	count   *counters
	cores   *capacity.Cores // nil without a model
	limiter *limits.Limiter // nil without limits
	places  []*place        // of the handlers, by path
	host    *ip.Host
	mux     *nethttp.ServeMux
	errors  *chance
	objects *objects
}

func newServer(config ServerConfig) *server {
	return &server{config: config, count: newCounters(), limiter: limits.New(config.Limits)}
}

// Run implements services.Runner.
func (s *server) Run(ctx context.Context, env *services.Env) error {
	o := &http.ServerOptions{
		Host: env.Host, Log: env.Log, Panicked: env.Panicked, ConnState: s.state, NoHTTP2: !s.config.HTTP2, H2C: s.config.H2C,
		MaxConcurrentStreams: s.config.MaxStreams, ReadHeaderTimeout: s.config.HeaderTimeout.Std(),
		IdleTimeout: s.config.IdleTimeout.Std(), MaxHeaderBytes: int(s.config.MaxHeader),
	}
	if s.config.TLS.On {
		protocols := []string{"h2", "http/1.1"}
		if !s.config.HTTP2 {
			protocols = protocols[1:]
		}
		var err error
		if o.TLS, err = s.config.TLS.Config(env, protocols...); err != nil {
			return err
		}
	}
	if err := s.prepare(ctx, env); err != nil {
		return ended(ctx, env, err)
	}
	listener, err := s.listen(ctx, env)
	if err == nil {
		s.limiter.Start(env)
		err = http.Serve(ctx, s.limiter.Listener(listener), s, o)
		env.Wait()
	}
	s.stop()
	return ended(ctx, env, err)
}

// listen returns the listener, which takes the PROXY protocol's header off connections of those who send it.
func (s *server) listen(ctx context.Context, env *services.Env) (net.Listener, error) {
	if len(s.config.ProxyProtocol) == 0 {
		return tcp.Listen(env.Host, string(s.config.Listen))
	}
	var trusted []netip.Addr
	for _, name := range s.config.ProxyProtocol {
		found, err := env.Host.Resolve(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("proxy_protocol: %w", err)
		}
		trusted = append(trusted, found...)
	}
	return proxyprotocol.Listen(ctx, env, string(s.config.Listen), trusted, s.config.HeaderTimeout.Std(), s.count.malformed)
}

// ended returns an error unless it comes from the end of ctx or of the host.
func ended(ctx context.Context, env *services.Env, err error) error {
	if env.Over(ctx) {
		return nil
	}
	return err
}

// prepare makes the handlers, also those of the host's next incarnation.
func (s *server) prepare(ctx context.Context, env *services.Env) error {
	s.host = env.Host
	s.objects = newObjects(s.config.ContentType)
	s.errors = newChance(env, "errors", s.config.ErrorRate, s.config.ErrorStatus)
	s.cores = startCores(s.cores, env, &s.config.Capacity, "service_time")
	if s.places == nil {
		for _, path := range slices.Sorted(maps.Keys(s.config.Handlers)) {
			s.places = append(s.places, &place{path: path, config: s.config.Handlers[path]})
		}
	}
	s.mux = nethttp.NewServeMux()
	for _, p := range s.places {
		if err := p.start(ctx, env); err != nil {
			return err
		}
		for _, pattern := range p.config.patterns(p.path) {
			s.mux.Handle(pattern, p)
		}
	}
	if _, taken := s.config.Handlers["/"]; !taken {
		s.mux.HandleFunc("/", s.object)
	}
	return nil
}

// startCores returns the model of a capacity: a new one, or the one that there is, which begins anew and goes on counting. It is nil
// if nothing limits the server.
func startCores(c *capacity.Cores, env *services.Env, config *Capacity, part string) *capacity.Cores {
	switch {
	case config.Empty():
		return nil
	case c == nil:
		return capacity.New(env, *config, part)
	}
	c.Start(env)
	return c
}

// stop ends the models, so that time that passes when the server has ended doesn't count.
func (s *server) stop() {
	if s.cores != nil {
		s.cores.Stop()
	}
	for _, p := range s.places {
		if p.cores != nil {
			p.cores.Stop()
		}
	}
}

func (s *server) state(_ net.Conn, state nethttp.ConnState) {
	if state == nethttp.StateNew {
		s.count.connection()
	}
}

// ServeHTTP implements net/http's Handler.
func (s *server) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	rec := &recorder{ResponseWriter: w, host: s.host}
	defer func() {
		rec.date()
		s.count.request(r, rec)
	}()
	leave, ok := s.limiter.Admit(rec, r)
	if !ok {
		return
	}
	defer leave()
	if s.errors.hit() {
		fail(rec, s.errors.status)
		return
	}
	if s.cores != nil && !work(s.cores, rec, r) {
		return
	}
	s.mux.ServeHTTP(rec, r)
}

// work has a model work on a request. If it returns false the request is over.
func work(c *capacity.Cores, w *recorder, r *nethttp.Request) bool {
	err := c.Do(r.Context())
	switch {
	case errors.Is(err, capacity.ErrFull):
		fail(w, nethttp.StatusServiceUnavailable)
	case err != nil:
		w.err = err
	}
	return err == nil
}

// fail answers with a status and its name.
func fail(w nethttp.ResponseWriter, status int) { nethttp.Error(w, nethttp.StatusText(status), status) }

// object serves the object at a path.
func (s *server) object(w nethttp.ResponseWriter, r *nethttp.Request) {
	if !readOnly(w, r) {
		return
	}
	size, ok := objectSize(r.URL.Path, s.config.Objects)
	if !ok {
		fail(w, nethttp.StatusNotFound)
		return
	}
	s.objects.plain(w, r, r.URL.Path, size)
}

// readOnly says whether a request only reads. Otherwise it is answered with status 405.
func readOnly(w nethttp.ResponseWriter, r *nethttp.Request) bool {
	if r.Method == nethttp.MethodGet || r.Method == nethttp.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	fail(w, nethttp.StatusMethodNotAllowed)
	return false
}
