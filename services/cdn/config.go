package cdn

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"netlab/services"
	"netlab/services/backend"
	"netlab/services/balance"
	"netlab/services/httpcache"
	"netlab/services/httpclient"
	"netlab/services/limits"
	"netlab/services/secure"
	"netlab/services/target"
	"netlab/services/upstream"
	"netlab/units"
)

// The defaults of an edge.
const (
	// DefaultPeerTimeout is how long a server of the cluster may take until its response begins.
	DefaultPeerTimeout = 5 * time.Second
	// PeerPause is how long a server of the cluster that didn't answer isn't asked.
	PeerPause = 10 * time.Second
)

// Config configures the service "cdn-edge".
type Config struct {
	Listen      services.ListenTCP `json:"listen" jsonschema_description:"Where it listens." jsonschema:"default=:80"`
	TLS         secure.Server      `json:"tls,omitzero" jsonschema_description:"TLS towards users and other servers of the cluster: true, or an object with details. Default false. The port is still that of listen; that of https is 443."`
	HTTP2       bool               `json:"http2" jsonschema_description:"Whether HTTP/2 is offered over TLS. HTTP/1.1 always is." jsonschema:"default=true"`
	Origin      services.URL       `json:"origin" jsonschema_description:"Whose objects these are, such as http://origin. Objects go by its URL also where parents are asked for them." jsonschema:"required"`
	Parents     services.Targets   `json:"parents,omitempty" jsonschema_description:"Edges that are asked instead of the origin, such as a shield, with ports. Of several each object has its own, by consistent hashing; upstream.retry goes to another one. Default: none, the origin is asked."`
	Upstream    upstream.Config    `json:"upstream,omitzero" jsonschema_description:"How the parents, or without them the origin, are asked: timeouts, retries, connections. TLS is on for an https origin."`
	Cluster     services.Targets   `json:"cluster,omitempty" jsonschema_description:"The servers of this place, with ports, among whom objects are divided by consistent hashing. This one may be among them or not. Default: there is one."`
	PeerTimeout units.Duration     `json:"peer_timeout,omitempty" zero:"refused" jsonschema_description:"How long another server of the cluster may take until its response begins; then the object is fetched without it, and it isn't asked for 10s. Default 5s."`
	Cache       httpcache.Config   `json:"cache,omitzero" jsonschema_description:"The store: size, eviction, lifetimes of what says nothing about them, stale responses, coalescing."`
	Token       string             `json:"token,omitempty" jsonschema_description:"What those who push and purge must know, by Authorization: Bearer. Default: nobody may."`
	Signed      *Signed            `json:"signed,omitempty" jsonschema_description:"Paths that are served only for signed URLs. Default: none."`
	Limits      limits.Config      `json:"limits,omitzero" jsonschema_description:"What is too much: connections, requests of one client or of all in a time, requests under way at once. Default: nothing."`
}

// Signed says which URLs need a signature.
type Signed struct {
	Key   string   `json:"key" jsonschema_description:"The key of HMAC-SHA256 that the edge shares with those who sign." jsonschema:"required"`
	Paths []string `json:"paths,omitempty" jsonschema_description:"Beginnings of the paths that need a signature, such as /video/. Default: all."`
}

// NewConfig returns the defaults.
func NewConfig() *Config { return &Config{Listen: ":80", HTTP2: true} }

// Endless implements services.Config.
func (c *Config) Endless() bool { return true }

// Validate implements services.Config.
func (c *Config) Validate() error {
	list := []error{c.TLS.Validate("tls"), c.Upstream.Validate("upstream."), c.Cache.Validate("cache"), c.Limits.Validate("limits"),
		validateTargets("parents", c.Parents), validateTargets("cluster", c.Cluster), c.validateOrigin()}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.Listen == "" {
		add("listen", "missing: want a colon and a port, such as \":80\"")
	}
	if c.PeerTimeout < 0 {
		add("peer_timeout", "found %s, wanted more than 0s", c.PeerTimeout)
	}
	if c.PeerTimeout != 0 && len(c.Cluster) == 0 {
		add("peer_timeout", "found %s, but there is no cluster", c.PeerTimeout)
	}
	if !printable(c.Token) {
		add("token", "want letters, digits and punctuation: it travels in a header field")
	}
	if c.Signed != nil {
		if c.Signed.Key == "" {
			add("signed.key", "missing: want a secret text")
		}
		for i, p := range c.Signed.Paths {
			if !strings.HasPrefix(p, "/") {
				add("signed.paths["+strconv.Itoa(i)+"]", "%q does not begin with a slash", p)
			}
		}
	}
	return errors.Join(list...)
}

func (c *Config) validateOrigin() error {
	if c.Origin == "" {
		return services.Fieldf("origin", "missing: want one such as \"http://origin\"")
	}
	u, err := c.Origin.Parse()
	switch {
	case err != nil:
		return services.Fieldf("origin", "%s", err)
	case u.Path != "" && u.Path != "/", u.RawQuery != "":
		return services.Fieldf("origin", "%q has a path or a query, but objects have the path that users ask for: want %q", string(c.Origin),
			u.Scheme+"://"+u.Host)
	case len(c.Parents) == 0 && c.Upstream.TLS.On && u.Scheme == "http":
		return services.Fieldf("upstream.tls", "found true, but the origin's URL has no TLS: want %q", "https://"+u.Host)
	}
	return nil
}

// validateTargets checks targets. Patterns are checked when they are expanded.
func validateTargets(field string, list services.Targets) error {
	var errs []error
	for _, t := range list {
		if !t.IsPattern() {
			errs = append(errs, target.CheckPort(field, t.Target()))
		}
	}
	return errors.Join(errs...)
}

// printable says whether text can be a part of a header field without spaces.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// Expand implements services.Expander.
func (c *Config) Expand(names func(services.Nodes) services.Nodes) services.Config {
	out := *c
	out.Parents, out.Cluster, out.Upstream = c.Parents.Expand(names), c.Cluster.Expand(names), c.Upstream.Expand(names)
	return &out
}

// Calls implements services.Caller.
func (c *Config) Calls() []services.Call {
	up := c.upstream()
	var list []services.Call
	for _, t := range c.Parents {
		list = append(list, call("parents", t, up.Port()))
	}
	if len(c.Parents) == 0 {
		list = append(list, httpclient.Call("origin", c.Origin))
	}
	for _, t := range c.Cluster {
		list = append(list, call("cluster", t, c.peerPort()))
	}
	return list
}

// call is target.Call for what may be a pattern.
func call(field string, t services.TargetPattern, port uint16) services.Call {
	if n, err := strconv.ParseUint(t.Port(), 10, 16); err == nil {
		port = uint16(n)
	}
	return services.Call{Field: field, Host: t.Host(), Protocol: services.TCP, Port: port}
}

// upstream is how the next tier is asked.
func (c *Config) upstream() upstream.Config {
	up := c.Upstream
	if len(c.Parents) == 0 {
		up.TLS.On = c.Origin.Secure()
	}
	return up
}

// pool is the next tier.
func (c *Config) pool() backend.Config {
	pool := backend.NewConfig()
	for _, p := range c.Parents {
		pool.Backends = append(pool.Backends, backend.Spec{To: p})
	}
	if len(c.Parents) == 0 {
		address := net.JoinHostPort(c.Origin.Host(), strconv.Itoa(int(c.Origin.Port())))
		pool.Backends = backend.Backends{{To: services.TargetPattern(address)}}
	}
	pool.Balancing = balance.Config{Algorithm: "consistent-hash", HashKey: "uri"}
	return pool
}

// peerPort is that of servers of the cluster that have none.
func (c *Config) peerPort() uint16 {
	if c.TLS.On {
		return 443
	}
	return 80
}

func (c *Config) peerTimeout() time.Duration {
	if c.PeerTimeout == 0 {
		return DefaultPeerTimeout
	}
	return c.PeerTimeout.Std()
}

// origin returns the origin's URL.
func (c *Config) origin() *url.URL {
	u, _ := c.Origin.Parse() // it was checked
	return u
}

// needs says whether a path needs a signature.
func (s *Signed) needs(path string) bool {
	if len(s.Paths) == 0 {
		return true
	}
	for _, p := range s.Paths {
		if strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}
