package balancer

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"netlab/services"
	"netlab/services/backend"
	"netlab/services/balancer/l4"
	"netlab/services/limits"
	"netlab/services/secure"
	"netlab/services/upstream"
	"netlab/units"
)

// The embedded configurations, under names of their own.
type (
	// Pool is the backends of a pool and how they are used.
	Pool = backend.Config
	// Layer4 is what only a balancer of layer 4 has.
	Layer4 = l4.Config
)

// Config configures the service "balancer".
type Config struct {
	Listen services.ListenBoth `json:"listen" jsonschema_description:"Where it listens." jsonschema:"default=:80"`
	Layer  int                 `json:"layer" jsonschema_description:"7 reads requests of HTTP and gives each to a backend; 4 gives connections to backends, whatever they carry." jsonschema:"default=7"`
	Pool

	Routes   []Route         `json:"routes,omitempty" jsonschema_description:"Layer 7: which requests go to which pool. The first that fits counts. Default: all go to backends."`
	Pools    map[string]Pool `json:"pools,omitempty" jsonschema_description:"Layer 7: further backends by the name of their pool, for routes."`
	Sticky   *Sticky         `json:"sticky,omitempty" jsonschema_description:"Layer 7: whether a client stays with its backend. {} adds a cookie. Default: it doesn't."`
	Upstream upstream.Config `json:"upstream,omitzero" jsonschema_description:"Layer 7: connections to backends, timeouts, retries, hedging. Of these layer 4 has connect_timeout and proxy_protocol."`

	TLS            secure.Server  `json:"tls,omitzero" jsonschema_description:"Layer 7: TLS towards clients, which ends here: true, or an object with details. Default false. The port is still that of listen; that of https is 443."`
	TLSPassthrough bool           `json:"tls_passthrough,omitempty" jsonschema_description:"Layer 7: whether connections of TLS go through to a backend unread. Routes may look at the host alone, which the client names in the clear (SNI). Default false."`
	HTTP2          *bool          `json:"http2,omitempty" jsonschema_description:"Layer 7: whether HTTP/2 is offered over TLS. HTTP/1.1 always is. Default true."`
	H2C            bool           `json:"h2c,omitempty" jsonschema_description:"Layer 7: whether clients may speak HTTP/2 without TLS, if they know that they can. Default false."`
	MaxStreams     int            `json:"max_streams,omitempty" zero:"refused" jsonschema_description:"Layer 7: how many requests of one HTTP/2 connection are under way at most. Default 250."`
	MaxHeader      units.Bytes    `json:"max_header,omitempty" zero:"refused" jsonschema_description:"Layer 7: largest header of a request; one that is larger gets status 431. Default 1MiB."`
	HeaderTimeout  units.Duration `json:"header_timeout,omitempty" zero:"refused" jsonschema_description:"Layer 7: how long a client may take to send the header of a request, or for a TLS handshake, or a proxy for its header. Default: no limit; 5s for the PROXY protocol and tls_passthrough."`
	KeepAlive      units.Duration `json:"keepalive_timeout,omitempty" zero:"refused" jsonschema_description:"Layer 7: how long a client's connection is kept without a request; of tls_passthrough, without a byte. Default: until the end."`
	Limits         limits.Config  `json:"limits,omitzero" jsonschema_description:"Layer 7: what is too much: connections, requests of one client or of all in a time, requests under way at once. Default: nothing."`
	From           services.Nodes `json:"proxy_protocol_from,omitempty" jsonschema_description:"Layer 7: nodes whose connections begin with a header of the PROXY protocol (v1 or v2), which is believed. Default: none."`
	Layer4
}

// NewConfig returns the defaults.
func NewConfig() *Config { return &Config{Listen: ":80", Layer: 7, Pool: backend.NewConfig()} }

// Endless implements services.Config.
func (c *Config) Endless() bool { return true }

// Expand implements [services.Expander].
func (c *Config) Expand(names func(services.Nodes) services.Nodes) services.Config {
	out := *c
	out.Pool = c.Pool.ExpandTargets(names)
	if c.Pools != nil {
		out.Pools = map[string]Pool{}
		for name, p := range c.Pools {
			out.Pools[name] = p.ExpandTargets(names)
		}
	}
	out.Upstream = c.Upstream.Expand(names)
	if c.From != nil {
		out.From = names(c.From)
	}
	return &out
}

// Calls implements [services.Caller].
func (c *Config) Calls() []services.Call {
	protocol := services.TCP
	if c.Layer == 4 && c.Protocol == l4.UDP {
		protocol = services.UDP
	}
	calls := c.Pool.Calls(protocol, c.backendPort())
	for _, name := range c.poolNames() {
		p := c.Pools[name]
		for _, call := range p.Calls(protocol, c.backendPort()) {
			call.Field = "pools." + name + "." + call.Field
			calls = append(calls, call)
		}
	}
	return calls
}

// GatewayOf implements [services.Gateway].
func (c *Config) GatewayOf() (field string, hosts []string, instead string) {
	if c.Layer != 4 {
		return "", nil, ""
	}
	return c.GatewayFor(&c.Pool)
}

// port is the one that it listens on, 0 if that makes no sense.
func (c *Config) port() uint16 {
	_, port, _ := strings.Cut(string(c.Listen), ":")
	n, _ := strconv.ParseUint(port, 10, 16)
	return uint16(n)
}

// backendPort is that of backends that have none.
func (c *Config) backendPort() uint16 {
	switch {
	case c.Layer == 4:
		return c.port()
	case c.TLSPassthrough:
		return 443
	}
	return c.Upstream.Port()
}

// poolNames are the names of the pools in order.
func (c *Config) poolNames() []string { return slices.Sorted(maps.Keys(c.Pools)) }

func (c *Config) http2() bool { return c.HTTP2 == nil || *c.HTTP2 }

func (c *Config) headerTimeout(other time.Duration) time.Duration {
	if c.HeaderTimeout == 0 {
		return other
	}
	return c.HeaderTimeout.Std()
}
