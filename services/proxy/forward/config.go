package forward

import (
	"errors"
	"slices"

	"netlab/services"
	"netlab/services/httpcache"
	"netlab/services/proxy/access"
	"netlab/units"
)

// What servers are told of clients.
const (
	Off       = "off"
	On        = "on"
	Anonymous = "anonymous"
)

// maxHeader is the largest limit of a request's header.
const maxHeader units.Bytes = 1 << 30

// Config configures the service "http-proxy".
type Config struct {
	Listen services.ListenTCP `json:"listen" jsonschema_description:"Where it listens." jsonschema:"default=:3128"`
	access.Filter
	Users           access.Users   `json:"users,omitempty" jsonschema_description:"Who may use it: names and passwords (Basic, RFC 7617). Anybody else gets status 407. Default: everybody may."`
	ConnectPorts    []uint16       `json:"connect_ports,omitempty" jsonschema_description:"Ports to which tunnels lead (CONNECT). Default: 443 alone, because a proxy that leads anywhere is a way into a network for everyone."`
	Forwarded       string         `json:"forwarded,omitempty" jsonschema_description:"What servers of plain requests are told of the client in Forwarded (RFC 7239) and X-Forwarded-For. off: nothing, and what clients say of themselves there is removed. on: its address, behind what is there already. anonymous: that there is one. Default off." jsonschema:"enum=off,enum=on,enum=anonymous"`
	ConnectTimeout  units.Duration `json:"connect_timeout" jsonschema_description:"How long it may take to connect to a host; then the client gets status 504." jsonschema:"default=10s"`
	ResponseTimeout units.Duration `json:"response_timeout,omitempty" zero:"refused" jsonschema_description:"How long a server may take from a request to the header of its response; then the client gets status 504. Default: no limit."`
	HeaderTimeout   units.Duration `json:"header_timeout,omitempty" zero:"refused" jsonschema_description:"How long a client may take to send the header of a request. Default: no limit."`
	IdleTimeout     units.Duration `json:"idle_timeout,omitempty" zero:"refused" jsonschema_description:"How long a client's connection is kept without a request, and a tunnel in which nothing moves. Default: until the end."`
	access.Limits
	Cache     httpcache.Toggle `json:"cache,omitzero" jsonschema_description:"A cache for plain requests that all clients share: true, or an object that configures it. Default false."`
	MaxHeader units.Bytes      `json:"max_header,omitempty" zero:"refused" jsonschema_description:"Largest header of a request; one that is more than 4 kB larger gets status 431. Default 1MiB."`
}

// Endless implements services.Config.
func (c *Config) Endless() bool { return true }

// Validate implements services.Config.
func (c *Config) Validate() error {
	list := []error{c.Filter.Validate(true), c.Users.Validate("users"), c.Limits.Validate(), c.Cache.Validate("cache")}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.Listen == "" {
		add("listen", "missing: want a colon and a port, such as \":3128\"")
	}
	if slices.Contains(c.ConnectPorts, 0) {
		add("connect_ports", "found 0, wanted 1 to 65535")
	}
	switch c.Forwarded {
	case "", Off, On, Anonymous:
	default:
		add("forwarded", "%q is not one of %s, %s, %s", c.Forwarded, Off, On, Anonymous)
	}
	if c.ConnectTimeout <= 0 {
		add("connect_timeout", "found %s, wanted more than 0s", c.ConnectTimeout)
	}
	for _, f := range []struct {
		name string
		d    units.Duration
	}{{"response_timeout", c.ResponseTimeout}, {"header_timeout", c.HeaderTimeout}, {"idle_timeout", c.IdleTimeout}} {
		if f.d < 0 {
			add(f.name, "found %s, wanted 0s or more", f.d)
		}
	}
	if c.MaxHeader < 0 || c.MaxHeader > maxHeader {
		add("max_header", "found %s, wanted 1B to %s", c.MaxHeader, maxHeader)
	}
	return errors.Join(list...)
}

// mayConnect says whether tunnels lead to a port.
func (c *Config) mayConnect(port uint16) bool {
	if len(c.ConnectPorts) == 0 {
		const https = 443
		return port == https
	}
	return slices.Contains(c.ConnectPorts, port)
}
