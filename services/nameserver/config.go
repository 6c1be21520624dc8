// Package nameserver is the service "dns-server": a name server that is authoritative for a zone of the lab (package
// netlab/dns). Every node has its own name in the zone unless the file says otherwise.
package nameserver

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"netlab/dns"
	"netlab/services"
	"netlab/units"
)

// Config configures the service.
type Config struct {
	Listen      services.ListenBoth `json:"listen" jsonschema_description:"Where it listens, over UDP and TCP." jsonschema:"default=:53"`
	Zone        string              `json:"zone" jsonschema_description:"The zone that it answers for, such as lab: its names end so." jsonschema:"default=lab"`
	TTL         units.Duration      `json:"ttl" jsonschema_description:"How long clients may keep answers, in whole seconds; 0s means not at all." jsonschema:"default=1m"`
	NegativeTTL units.Duration      `json:"negative_ttl" jsonschema_description:"How long clients may remember that a name or a record does not exist (RFC 2308), in whole seconds." jsonschema:"default=1m"`
	Rotation    dns.Rotation        `json:"rotation" jsonschema_description:"In which order the addresses of a name are given: each answer begins with the next one, always as they are written, or shuffled." jsonschema:"enum=round-robin,enum=fixed,enum=random,default=round-robin"`
	Nodes       services.Nodes      `json:"nodes,omitzero" jsonschema_description:"Hosts and routers that have their own name in the zone: web1 is web1.lab. Default: all. An empty list means none."`
	Records     map[string]Record   `json:"records,omitempty" jsonschema_description:"What the zone knows besides, by name: www is www.lab, @ the zone itself, * every name without a record. A name here replaces that of a node."`
}

// Record is what the zone knows of a name.
type Record struct {
	A        []netip.Addr    `json:"a,omitempty" jsonschema_description:"IPv4 addresses."`
	AAAA     []netip.Addr    `json:"aaaa,omitempty" jsonschema_description:"IPv6 addresses."`
	Nodes    services.Nodes  `json:"nodes,omitempty" jsonschema_description:"Nodes whose addresses the name has: names, ranges, globs."`
	ByClient []View          `json:"by_client,omitempty" jsonschema_description:"Other addresses for some clients. The first entry that fits the client counts; for all others the record's own addresses do."`
	Geo      bool            `json:"geo,omitempty" jsonschema_description:"Whether a client that no entry of by_client fits is told only those of nodes that are nearest to it, by the locations of both; several at one place are all told. Clients whose location isn't known are told all."`
	CNAME    string          `json:"cname,omitempty" jsonschema_description:"The name is an alias of this one; it then has nothing else."`
	SRV      []SRV           `json:"srv,omitempty" jsonschema_description:"Where a service is (RFC 2782); the record's name is one such as _http._tcp."`
	TXT      []string        `json:"txt,omitempty" jsonschema_description:"Texts, a record each."`
	TTL      *units.Duration `json:"ttl,omitempty" jsonschema_description:"How long clients may keep it. Default: the zone's."`
	Rotation dns.Rotation    `json:"rotation,omitempty" jsonschema_description:"The order of the addresses. Default: the zone's." jsonschema:"enum=round-robin,enum=fixed,enum=random"`
}

// View is what some clients are told.
type View struct {
	Clients  services.Nodes `json:"clients,omitempty" jsonschema_description:"Hosts that are told this: names, ranges, globs."`
	Networks []netip.Prefix `json:"networks,omitempty" jsonschema_description:"Networks whose hosts are told this."`
	A        []netip.Addr   `json:"a,omitempty" jsonschema_description:"IPv4 addresses."`
	AAAA     []netip.Addr   `json:"aaaa,omitempty" jsonschema_description:"IPv6 addresses."`
	Nodes    services.Nodes `json:"nodes,omitempty" jsonschema_description:"Nodes whose addresses are given."`
}

// SRV says where a service is.
type SRV struct {
	Target   string `json:"target" jsonschema_description:"Name of the host that runs it." jsonschema:"required"`
	Port     uint16 `json:"port" jsonschema_description:"Port that it listens on." jsonschema:"required"`
	Priority uint16 `json:"priority,omitempty" jsonschema_description:"Clients try the lowest first. Default 0."`
	Weight   uint16 `json:"weight,omitempty" jsonschema_description:"Share among those of one priority. Default 0."`
}

// everything is the pattern that all nodes match.
const everything = "*"

// NewConfig returns the defaults.
func NewConfig() *Config {
	return &Config{Listen: ":53", Zone: "lab", TTL: units.Duration(dns.DefaultTTL), NegativeTTL: units.Duration(dns.DefaultTTL),
		Rotation: dns.RoundRobin}
}

var _ services.NameServer = (*Config)(nil)

// Endless implements services.Config.
func (c *Config) Endless() bool { return true }

// Origin implements services.NameServer.
func (c *Config) Origin() string { return strings.ToLower(strings.TrimSuffix(c.Zone, ".")) }

// Validate implements services.Config.
func (c *Config) Validate() error {
	var list []error
	if c.Listen == "" {
		list = append(list, services.Fieldf("listen", "missing: want a colon and a port, such as \":53\""))
	}
	if err := dns.CheckName(c.Zone); err != nil {
		list = append(list, services.Fieldf("zone", "%s", err))
	} else if strings.HasPrefix(c.Zone, "*") {
		list = append(list, services.Fieldf("zone", "%q is not a domain name: want one such as \"lab\"", c.Zone))
	}
	list = append(list, checkTTL("ttl", c.TTL), checkTTL("negative_ttl", c.NegativeTTL), checkRotation("rotation", c.Rotation))
	if c.Rotation == "" {
		list = append(list, services.Fieldf("rotation", "missing: want one of %s, %s, %s", dns.RoundRobin, dns.Fixed, dns.Shuffled))
	}
	if err := errors.Join(list...); err != nil {
		return err
	}
	owners := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Records)) {
		at, r := "records."+name, c.Records[name]
		if err := c.checkOwner(name); err != nil {
			list = append(list, services.Fieldf(at, "%s", err))
			continue
		}
		full := dns.Absolute(name, c.Zone)
		if other, ok := owners[full]; ok {
			list = append(list, services.Fieldf(at, "%q is the same name as %q", name, other))
		}
		owners[full] = name
		list = append(list, r.validate(at), c.checkAlias(at, name, &r), c.checkTargets(at, &r))
	}
	return errors.Join(list...)
}

func (c *Config) checkOwner(name string) error {
	if name == "@" {
		return nil
	}
	if err := dns.CheckName(name); err != nil {
		return err
	}
	full := strings.TrimSuffix(dns.Absolute(name, c.Zone), ".")
	if full != c.Origin() && !strings.HasSuffix(full, "."+c.Origin()) {
		return fmt.Errorf("%q is outside of the zone %s", name, c.Origin())
	}
	return nil
}

func (r *Record) validate(at string) error {
	list := []error{checkFamilies(at, r.A, r.AAAA), checkRotation(at+".rotation", r.Rotation)}
	if r.TTL != nil {
		list = append(list, checkTTL(at+".ttl", *r.TTL))
	}
	addresses := len(r.A) + len(r.AAAA) + len(r.Nodes)
	for i, v := range r.ByClient {
		at := fmt.Sprintf("%s.by_client[%d]", at, i)
		list = append(list, checkFamilies(at, v.A, v.AAAA))
		if len(v.Clients)+len(v.Networks) == 0 {
			list = append(list, services.Fieldf(at, "says for no clients: want \"clients\" or \"networks\""))
		}
		if len(v.A)+len(v.AAAA)+len(v.Nodes) == 0 {
			list = append(list, services.Fieldf(at, "gives no addresses: want \"a\", \"aaaa\" or \"nodes\""))
		}
	}
	others := addresses + len(r.ByClient) + len(r.SRV) + len(r.TXT)
	switch {
	case r.CNAME != "" && others > 0:
		list = append(list, services.Fieldf(at+".cname", "an alias has nothing else (RFC 1034), and this name has other records"))
	case r.CNAME != "" && r.Rotation != "":
		list = append(list, services.Fieldf(at+".rotation", "an alias has no addresses that could rotate"))
	case r.CNAME != "" && r.Geo:
		list = append(list, services.Fieldf(at+".geo", "an alias has no addresses that could be near"))
	case r.CNAME != "":
		if err := dns.CheckName(r.CNAME); err != nil {
			list = append(list, services.Fieldf(at+".cname", "%s", err))
		}
	case others == 0:
		list = append(list, services.Fieldf(at, "has nothing: want one of a, aaaa, nodes, by_client, cname, srv, txt"))
	}
	if r.Geo && r.CNAME == "" {
		switch {
		case len(r.Nodes) == 0:
			list = append(list, services.Fieldf(at+".geo", "wanted \"nodes\" to choose from: where addresses are isn't known"))
		case len(r.A)+len(r.AAAA) > 0:
			list = append(list, services.Fieldf(at+".geo", "wanted \"nodes\" and no other addresses: where those are isn't known"))
		}
	}
	for i, s := range r.SRV {
		at := fmt.Sprintf("%s.srv[%d]", at, i)
		if err := dns.CheckName(s.Target); err != nil {
			list = append(list, services.Fieldf(at+".target", "%s", err))
		}
		if s.Port == 0 {
			list = append(list, services.Fieldf(at+".port", "0 is not a port: want 1 to 65535"))
		}
	}
	return errors.Join(list...)
}

// checkAlias reports an alias of itself, and one that leads to a name of the zone that isn't there.
func (c *Config) checkAlias(at, name string, r *Record) error {
	if r.CNAME == "" || dns.CheckName(r.CNAME) != nil {
		return nil
	}
	if name == "@" {
		return services.Fieldf(at+".cname", "the zone itself can't be an alias: it has name servers")
	}
	known := c.owners()
	seen := map[string]bool{dns.Absolute(name, c.Zone): true}
	for target := r.CNAME; target != ""; {
		full := dns.Absolute(target, c.Zone)
		if seen[full] {
			return services.Fieldf(at+".cname", "%q leads back to itself", r.CNAME)
		}
		seen[full] = true
		if problem := c.missing(target, known); problem != "" && target == r.CNAME {
			return services.Fieldf(at+".cname", "%s", problem)
		}
		target = c.Records[known[full]].CNAME
	}
	return nil
}

// checkTargets reports services on hosts that the zone should know and doesn't.
func (c *Config) checkTargets(at string, r *Record) error {
	var list []error
	for i, s := range r.SRV {
		if dns.CheckName(s.Target) != nil {
			continue
		}
		if problem := c.missing(s.Target, c.owners()); problem != "" {
			list = append(list, services.Fieldf(fmt.Sprintf("%s.srv[%d].target", at, i), "%s", problem))
		}
	}
	return errors.Join(list...)
}

// owners returns what names the zone has by themselves: the name in the file by the absolute name.
func (c *Config) owners() map[string]string {
	known := map[string]string{dns.Absolute("@", c.Zone): "@"}
	for _, n := range c.Nodes {
		known[dns.Absolute(n+"."+c.Origin()+".", c.Zone)] = n
	}
	for name := range c.Records {
		known[dns.Absolute(name, c.Zone)] = name
	}
	return known
}

// missing says that a name is in the zone and isn't there, as far as it is known what is; otherwise it is empty.
func (c *Config) missing(target string, known map[string]string) string {
	full := dns.Absolute(target, c.Zone)
	if _, ok := known[full]; ok || !c.expanded() || !c.inside(full) || c.wild(full, known) {
		return ""
	}
	hint := ""
	if s := units.Suggest(target, slices.Sorted(maps.Values(known))); s != "" {
		hint = fmt.Sprintf("; did you mean %q?", s)
	}
	return fmt.Sprintf("the zone has no %q%s", strings.TrimSuffix(full, "."), hint)
}

func (c *Config) inside(full string) bool {
	return full == c.Origin()+"." || strings.HasSuffix(full, "."+c.Origin()+".")
}

// wild says whether a wildcard stands for a name.
func (c *Config) wild(full string, known map[string]string) bool {
	for {
		_, above, ok := strings.Cut(full, ".")
		if !ok || !c.inside(above) {
			return false
		}
		if _, ok := known["*."+above]; ok {
			return true
		}
		full = above
	}
}

func checkTTL(field string, d units.Duration) error {
	if err := dns.CheckTTL(d.Std()); err != nil {
		return services.Fieldf(field, "found %s, wanted whole seconds from 0s to %s", d, units.Duration(dns.MaxTTL/time.Second*time.Second))
	}
	return nil
}

func checkRotation(field string, r dns.Rotation) error {
	switch r {
	case "", dns.RoundRobin, dns.Fixed, dns.Shuffled:
		return nil
	}
	return services.Fieldf(field, "%q is not one of %s, %s, %s", r, dns.RoundRobin, dns.Fixed, dns.Shuffled)
}

func checkFamilies(at string, v4, v6 []netip.Addr) error {
	var list []error
	for i, a := range v4 {
		if !a.Is4() {
			list = append(list, services.Fieldf(fmt.Sprintf("%s.a[%d]", at, i), "%s is not an IPv4 address; those of IPv6 are in \"aaaa\"", a))
		}
	}
	for i, a := range v6 {
		if !a.Is6() || a.Is4In6() {
			list = append(list, services.Fieldf(fmt.Sprintf("%s.aaaa[%d]", at, i), "%s is not an IPv6 address; those of IPv4 are in \"a\"", a))
		}
	}
	return errors.Join(list...)
}
