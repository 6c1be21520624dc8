package l4

import (
	"errors"
	"net/netip"
	"time"

	"netlab/services"
	"netlab/services/backend"
	"netlab/units"
)

// The modes.
const (
	Proxy  = "proxy"
	NAT    = "nat"
	Direct = "direct"
)

// The transport protocols.
const (
	TCP = "tcp"
	UDP = "udp"
)

// What becomes of the connections of a backend that is found dead.
const (
	Keep  = "keep"
	Reset = "reset"
)

// What becomes of a new flow that finds the table full.
const (
	Refuse = "refuse"
	Oldest = "oldest"
)

// Config says how packets get to a backend.
type Config struct {
	Mode          string          `json:"mode,omitempty" jsonschema_description:"How packets get to a backend: proxy ends the client's connection and makes another one; nat rewrites the destination of each packet and the source of each answer; direct changes nothing but the MAC address, and answers go straight to the client. Default proxy." jsonschema:"enum=proxy,enum=nat,enum=direct"`
	Protocol      string          `json:"protocol,omitempty" jsonschema_description:"Transport protocol that is balanced. Default tcp." jsonschema:"enum=tcp,enum=udp"`
	Address       services.Target `json:"address,omitempty" jsonschema_description:"Virtual address of the service in the modes nat and direct: a name of the file's addresses, or an address. The host holds it; in the mode direct the backends hold it too and are silent about it. Default: every address of the host; direct needs a virtual one."`
	SourceNAT     bool            `json:"source_nat,omitempty" jsonschema_description:"In the mode nat the client's address is replaced by the balancer's (full NAT), so that answers come back whatever the backends' routes are; backends then see the balancer as the client. Default false."`
	OnBackendDown string          `json:"on_backend_down,omitempty" jsonschema_description:"What becomes of a backend's connections when the backend is found dead: keep leaves them alone until they end or time out, reset resets them. Default keep." jsonschema:"enum=keep,enum=reset"`
	IdleTimeout   units.Duration  `json:"idle_timeout,omitempty" zero:"refused" jsonschema_description:"In the mode proxy, a connection over which nothing came for so long is closed, and a flow of UDP forgotten. Default 5m."`
	Table         Table           `json:"table,omitzero" jsonschema_description:"Table of connections of the modes nat and direct, and how many connections or flows a proxy has at a time."`
}

// Table bounds the connections that are known at a time. The timeouts' defaults are those of IPVS in Linux.
type Table struct {
	Entries     int            `json:"entries,omitempty" zero:"refused" jsonschema_description:"Largest number of connections at a time, 1 to 1048576. Default 65536."`
	WhenFull    string         `json:"when_full,omitempty" jsonschema_description:"What happens to a new connection that finds the table full: refuse drops its packets (a proxy resets it), oldest gives it the place of the one that would time out first (not in the mode proxy). Default refuse." jsonschema:"enum=refuse,enum=oldest"`
	SYN         units.Duration `json:"syn,omitempty" zero:"refused" jsonschema_description:"How long an opening TCP connection is remembered after its last packet. Default 1m."`
	Established units.Duration `json:"established,omitempty" zero:"refused" jsonschema_description:"The same for an established one. Default 15m."`
	FIN         units.Duration `json:"fin,omitempty" zero:"refused" jsonschema_description:"The same for one of which an end was seen, by FIN or RST. Default 2m."`
	UDP         units.Duration `json:"udp,omitempty" zero:"refused" jsonschema_description:"The same for a flow of UDP in the modes nat and direct. Default 5m."`
}

const (
	defaultEntries = 1 << 16
	maxEntries     = 1 << 20
	maxTimeout     = units.Duration(365 * 24 * time.Hour)
)

// Validate returns errors about the fields.
func (c *Config) Validate() error {
	var list []error
	add := func(field, format string, args ...any) {
		list = append(list, services.Fieldf(field, format, args...))
	}
	one := func(field, value string, all ...string) {
		if value == "" {
			return
		}
		for _, a := range all {
			if a == value {
				return
			}
		}
		add(field, "%q is not one of %s", value, join(all))
	}
	one("mode", c.Mode, Proxy, NAT, Direct)
	one("protocol", c.Protocol, TCP, UDP)
	one("on_backend_down", c.OnBackendDown, Keep, Reset)
	one("table.when_full", c.Table.WhenFull, Refuse, Oldest)
	mode := c.mode()
	switch a, err := netip.ParseAddr(string(c.Address)); {
	case err == nil && (a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() || a.Is4In6() || a.Zone() != ""):
		add("address", "%s can't be the address of a service: want one of a host", a)
	case c.Address == "" && mode == Direct:
		add("address", "missing: in the mode direct the backends answer from the service's address, so it must be one besides the hosts' own; name one of the file's addresses, which has this host as host and the backends as silent")
	case c.Address != "" && mode == Proxy:
		add("address", "a proxy listens on all addresses of its host, virtual ones too: want nothing")
	}
	if c.SourceNAT && mode != NAT {
		add("source_nat", "only the mode nat has it: found mode %s", mode)
	}
	if c.IdleTimeout != 0 && mode != Proxy {
		add("idle_timeout", "only the mode proxy has it: the mode %s has table.established and its like", mode)
	}
	if c.OnBackendDown == Reset && c.protocol() == UDP {
		add("on_backend_down", "UDP knows no reset: want keep or nothing")
	}
	if c.OnBackendDown == Reset && mode == Direct {
		add("on_backend_down", "in the mode direct the balancer doesn't see what backends send, so it can't say what a reset must say: want keep or nothing")
	}
	t := c.Table
	if t.Entries < 0 || t.Entries > maxEntries {
		add("table.entries", "found %d, wanted 1 to %d", t.Entries, maxEntries)
	}
	if t.WhenFull == Oldest && mode == Proxy {
		add("table.when_full", "a proxy has no table to take a connection from: want refuse or nothing")
	}
	for _, f := range []struct {
		name     string
		value    units.Duration
		protocol string
	}{{"syn", t.SYN, TCP}, {"established", t.Established, TCP}, {"fin", t.FIN, TCP}, {"udp", t.UDP, UDP}} {
		switch {
		case f.value < 0 || f.value > maxTimeout:
			add("table."+f.name, "found %s, wanted more than 0s and at most a year", f.value)
		case f.value != 0 && mode == Proxy:
			add("table."+f.name, "the mode proxy has idle_timeout instead")
		case f.value != 0 && f.protocol != c.protocol():
			add("table."+f.name, "it is for %s, and this balancer is for %s", f.protocol, c.protocol())
		}
	}
	if c.IdleTimeout < 0 || c.IdleTimeout > maxTimeout {
		add("idle_timeout", "found %s, wanted more than 0s and at most a year", c.IdleTimeout)
	}
	return errors.Join(list...)
}

// GatewayFor is [services.Gateway]'s GatewayOf for the backends of a pool: in the mode nat their answers must come back.
func (c *Config) GatewayFor(pool *backend.Config) (field string, hosts []string, instead string) {
	if c.mode() == NAT && !c.SourceNAT {
		for _, s := range pool.Backends {
			hosts = append(hosts, s.To.Host())
		}
	}
	return "mode", hosts, ", or say \"source_nat\": true"
}

func join(all []string) string {
	s := all[0]
	for _, a := range all[1:] {
		s += ", " + a
	}
	return s
}

func (c *Config) mode() string {
	if c.Mode == "" {
		return Proxy
	}
	return c.Mode
}

func (c *Config) protocol() string {
	if c.Protocol == "" {
		return TCP
	}
	return c.Protocol
}

// Rewrites says whether packets are taken before the host's stack sees them, so that nothing listens on the port.
func (c *Config) Rewrites() bool { return c.mode() != Proxy }

// or returns a duration or the default.
func or(d units.Duration, standard time.Duration) time.Duration {
	if d == 0 {
		return standard
	}
	return d.Std()
}

func (c *Config) idleTimeout() time.Duration { return or(c.IdleTimeout, 5*time.Minute) }

func (t *Table) entries() int {
	if t.Entries == 0 {
		return defaultEntries
	}
	return t.Entries
}
