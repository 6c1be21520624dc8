package nameserver

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"netlab/dns"
	"netlab/ip"
	"netlab/services"
)

// Expand implements services.Expander.
func (c *Config) Expand(names func(services.Nodes) services.Nodes) services.Config {
	out := *c
	if out.Nodes == nil {
		out.Nodes = services.Nodes{everything}
	}
	expand := func(n services.Nodes) services.Nodes {
		if len(n) == 0 {
			return n
		}
		return names(n)
	}
	out.Nodes = expand(out.Nodes)
	if c.Records != nil {
		out.Records = map[string]Record{}
	}
	for name, r := range c.Records {
		r.Nodes = expand(r.Nodes)
		r.ByClient = slices.Clone(r.ByClient)
		for i := range r.ByClient {
			v := &r.ByClient[i]
			v.Nodes, v.Clients = expand(v.Nodes), expand(v.Clients)
		}
		out.Records[name] = r
	}
	return &out
}

// expanded says whether the nodes are names and no patterns.
func (c *Config) expanded() bool {
	plain := func(n services.Nodes) bool {
		return !slices.ContainsFunc(n, func(s string) bool { return strings.ContainsAny(s, "*[") })
	}
	return c.Nodes != nil && plain(c.Nodes)
}

// ZoneNames implements services.Zone. Names that are aliases have the nodes of what they lead to.
func (c *Config) ZoneNames() map[string][]string {
	out := map[string][]string{}
	for _, n := range c.Nodes {
		out[absolute(n+"."+c.Origin()+".", c.Zone)] = []string{n}
	}
	for name, r := range c.Records {
		target, owner := &r, name
		for range len(c.Records) {
			if target.CNAME == "" {
				break
			}
			owner = absolute(target.CNAME, c.Zone)
			next := c.record(owner)
			if next == nil {
				target = nil
				break
			}
			target = next
		}
		full := absolute(name, c.Zone)
		switch {
		case target == nil:
			out[full] = slices.Clone(out[owner])
			if len(out[full]) == 0 && !c.inside(owner+".") {
				delete(out, full) // another zone's, if anybody's
			}
		case target.CNAME != "":
		case len(target.A)+len(target.AAAA)+len(target.Nodes)+len(target.ByClient) > 0:
			nodes := slices.Clone([]string(target.Nodes))
			for _, v := range target.ByClient {
				nodes = append(nodes, v.Nodes...)
			}
			slices.Sort(nodes)
			out[full] = slices.Compact(nodes)
		default:
			delete(out, full) // it has no addresses
		}
	}
	return out
}

// record returns the record of an absolute name.
func (c *Config) record(full string) *Record {
	for name, r := range c.Records {
		if absolute(name, c.Zone) == full {
			return &r
		}
	}
	return nil
}

func absolute(name, zone string) string { return strings.TrimSuffix(dns.Absolute(name, zone), ".") }

// newZone makes the zone on a host, whose table of names has the addresses of the nodes.
func (c *Config) newZone(env *services.Env) (*dns.Zone, error) {
	h := env.Host
	z := dns.ZoneConfig{Origin: c.Origin(), TTL: c.TTL.Std(), NegativeTTL: c.NegativeTTL.Std(), Rotation: c.Rotation,
		Servers: []string{h.Name()}, Stream: env.Stream}
	nodes := c.Nodes
	if nodes == nil {
		nodes = h.Names().All()
	}
	replaced := map[string]bool{}
	for name := range c.Records {
		replaced[absolute(name, c.Zone)] = true
	}
	for _, n := range nodes {
		full := n + "." + c.Origin()
		if !replaced[full] {
			z.Records = append(z.Records, dns.Record{Name: full + ".", Addresses: h.Names().Lookup(n)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Records)) {
		r := c.Records[name]
		made := dns.Record{Name: name, CNAME: r.CNAME, TXT: r.TXT, Rotation: r.Rotation, Addresses: addresses(h, r.A, r.AAAA, r.Nodes)}
		if name != "@" {
			made.Name = absolute(name, c.Zone) + "."
		}
		if r.TTL != nil {
			ttl := time.Duration(*r.TTL)
			made.TTL = &ttl
		}
		for _, v := range r.ByClient {
			made.Views = append(made.Views, dns.View{For: v.match(h.Names()), Addresses: addresses(h, v.A, v.AAAA, v.Nodes)})
		}
		if r.Geo {
			made.Views = append(made.Views, r.geoViews(env)...)
		}
		for _, s := range r.SRV {
			made.SRV = append(made.SRV, dns.SRV{Priority: s.Priority, Weight: s.Weight, Port: s.Port, Target: s.Target})
		}
		z.Records = append(z.Records, made)
	}
	return dns.NewZone(z)
}

// addresses returns addresses that are given and those of nodes.
func addresses(h *ip.Host, v4, v6 []netip.Addr, nodes services.Nodes) []netip.Addr {
	list := slices.Concat(v4, v6)
	for _, n := range nodes {
		list = append(list, h.Names().Lookup(n)...)
	}
	return list
}

// match says which clients the view is for: those with an address of one of its nodes or in one of its networks.
func (v View) match(names *ip.Names) func(netip.Addr) bool {
	return func(client netip.Addr) bool {
		if slices.Contains(v.Clients, names.Name(client)) {
			return true
		}
		return slices.ContainsFunc(v.Networks, func(p netip.Prefix) bool { return p.Contains(client) })
	}
}
