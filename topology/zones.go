package topology

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"netlab/services"
)

// zone is what a name server of the lab answers for.
type zone struct {
	server int // the node that it runs on
	origin string
	names  map[string][]int // the nodes behind each name
}

// given says whether the file says anything.
func (d *DNS) given() bool { return !reflect.ValueOf(*d).IsZero() }

// over returns the settings with those of base where they give nothing.
func (d DNS) over(base DNS) DNS {
	if d.Servers == nil {
		d.Servers = base.Servers
	}
	if d.Search == nil {
		d.Search = base.Search
	}
	fill(&d.Timeout, base.Timeout)
	fill(&d.Attempts, base.Attempts)
	fill(&d.Cache, base.Cache)
	return d
}

// hostsOfEntries returns the nodes of each entry of the file.
func (c *checker) hostsOfEntries() [][]int {
	hosts := make([][]int, c.t.Nodes.Len())
	for n, entry := range c.lab.entry {
		hosts[entry] = append(hosts[entry], n)
	}
	return hosts
}

// clients returns the nodes that patterns stand for, as far as they stand for any.
func (c *checker) clients(from Patterns) []int {
	found, _, err := c.lab.nodes.MatchAll(from)
	if err != nil {
		return nil
	}
	return found
}

// dns returns the settings of a host and its servers in order.
func (c *checker) dns(n int) (d DNS, servers []int) {
	if c.lab.kind(n) != Host {
		return d, nil
	}
	d = c.lab.node(n).DNS.over(c.t.Defaults.DNS)
	for _, p := range d.Servers {
		found, err := c.lab.nodes.Match(p)
		if err != nil {
			continue
		}
		for _, s := range found {
			if !slices.Contains(servers, s) {
				servers = append(servers, s)
			}
		}
	}
	return d, servers
}

// search returns the domains that complete the names that a host looks up.
func (c *checker) search(d DNS, servers []int) []string {
	if d.Search != nil {
		return d.Search
	}
	list := []string{}
	for _, s := range servers {
		for _, z := range c.zonesOf(s) {
			if !slices.Contains(list, z.origin) {
				list = append(list, z.origin)
			}
		}
	}
	return list
}

// zonesOf returns what the name servers of a node answer for.
func (c *checker) zonesOf(n int) []*zone {
	if c.zones == nil {
		c.zones = map[int][]*zone{}
		for i, hosts := range c.hostsOfEntries() {
			for _, s := range c.t.Nodes.entries[i].Value.Services.All() {
				if server, ok := c.expanded(s.Config).(services.NameServer); ok {
					c.addZone(server, hosts)
				}
			}
		}
	}
	return c.zones[n]
}

func (c *checker) addZone(server services.NameServer, hosts []int) {
	names := map[string][]int{}
	for name, nodes := range server.ZoneNames() {
		found := make([]int, 0, len(nodes))
		for _, n := range nodes {
			if i, ok := c.lab.nodes.Index(n); ok {
				found = append(found, i)
			}
		}
		names[name] = found
	}
	for _, n := range hosts {
		c.zones[n] = append(c.zones[n], &zone{n, server.Origin(), names})
	}
}

// find returns the nodes behind an absolute name, and whether the zone has addresses for it.
func (z *zone) find(name string) (nodes []int, ok bool) {
	if nodes, ok = z.names[name]; ok {
		return nodes, true
	}
	for above := name; strings.HasSuffix(above, "."+z.origin); {
		_, above, _ = strings.Cut(above, ".")
		if nodes, ok = z.names["*."+above]; ok {
			return nodes, true
		}
	}
	return nil, false
}

// zoneOf returns a zone of the lab that has an absolute name.
func (c *checker) zoneOf(name string) *zone {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for n := range c.lab.nodes.names {
		for _, z := range c.zonesOf(n) {
			if _, ok := z.find(name); ok {
				return z
			}
		}
	}
	return nil
}

// lookup finds what a name means to the hosts that use it; message says why it means nothing to one of them.
func (c *checker) lookup(name string) (t target, message string) {
	if n, ok := c.lab.nodes.Index(name); ok && c.lab.kind(n) == Switch {
		return t, fmt.Sprintf("%s is a switch, which has no address: want a host or a router", name)
	}
	from := c.from
	if len(from) == 0 {
		from = []int{-1}
	}
	for i, client := range from {
		nodes, message := c.lookupFrom(client, name)
		if message != "" {
			return t, message
		}
		found := target{node: -1}
		if len(nodes) == 1 {
			found.node = nodes[0]
		}
		if i == 0 {
			t = found
		} else if t != found {
			t = target{node: -1}
		}
	}
	return t, ""
}

// lookupFrom returns the nodes that a name stands for on a host; -1 is one without a name server.
func (c *checker) lookupFrom(client int, name string) (nodes []int, message string) {
	n, isNode := c.lab.nodes.Index(name)
	var d DNS
	var servers []int
	if client >= 0 {
		d, servers = c.dns(client)
	}
	if isNode && (n == client || len(servers) == 0) {
		return []int{n}, ""
	}
	if _, shared := c.t.Addresses.Get(name); shared && len(servers) == 0 {
		return nil, ""
	}
	if len(servers) == 0 {
		if z := c.zoneOf(name); z != nil && client >= 0 {
			server := c.lab.name(z.server)
			return nil, fmt.Sprintf("%s is a name of the DNS zone of %s, and %s asks no name server: give it \"dns\": %q",
				quote(name), server, c.lab.name(client), server)
		}
		return nil, fmt.Sprintf("no node is called %s%s", quote(name), c.lab.nodes.suggest(name, c.lab.nodes.names))
	}
	var absolute []string
	full := strings.ToLower(strings.TrimSuffix(name, "."))
	if strings.Contains(name, ".") {
		absolute = append(absolute, full)
	}
	if search := c.search(d, servers); !strings.HasSuffix(name, ".") {
		if len(search) == 0 {
			absolute = []string{full}
		}
		for _, domain := range search {
			absolute = append(absolute, full+"."+strings.ToLower(strings.TrimSuffix(domain, ".")))
		}
	}
	for _, a := range absolute {
		for _, s := range servers {
			for _, z := range c.zonesOf(s) {
				if nodes, ok := z.find(a); ok {
					return nodes, ""
				}
			}
		}
	}
	asked := strings.Join(c.lab.nodes.selectNames(servers), ", ")
	if isNode {
		return nil, fmt.Sprintf("%s asks %s for names, which has none for %s in its zone", c.lab.name(client), asked, name)
	}
	return nil, fmt.Sprintf("%s asks %s for names, which has none called %s%s", c.lab.name(client), asked, quote(name),
		c.lab.nodes.suggest(full, c.knownNames(servers, c.search(d, servers))))
}

// knownNames returns the names of servers' zones, absolute and as a host may shorten them, sorted.
func (c *checker) knownNames(servers []int, search []string) []string {
	var list []string
	for _, s := range servers {
		for _, z := range c.zonesOf(s) {
			for name := range z.names {
				list = append(list, name)
				for _, domain := range search {
					if short, ok := strings.CutSuffix(name, "."+domain); ok {
						list = append(list, short)
					}
				}
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// expanded returns a configuration with names instead of patterns of nodes. Patterns that mean nothing are left out.
func (c *checker) expanded(config services.Config) services.Config {
	e, ok := config.(services.Expander)
	if !ok {
		return config
	}
	return e.Expand(func(patterns services.Nodes) services.Nodes {
		out := services.Nodes{}
		seen := map[int]bool{}
		for _, p := range patterns {
			found, err := c.lab.nodes.Match(p)
			if err != nil {
				continue
			}
			for _, n := range found {
				if !seen[n] && c.lab.kind(n) != Switch {
					seen[n] = true
					out = append(out, c.lab.name(n))
				}
			}
		}
		return out
	})
}

// expandServices returns the services of a node with names instead of patterns of nodes.
func (c *checker) expandServices(m Map[Service]) Map[Service] {
	var out Map[Service]
	for name, s := range m.All() {
		s.Config = c.expanded(s.Config)
		out.Set(name, s)
	}
	return out
}

// resolveDNS returns the settings of a host with the servers and domains by name; nothing when it asks no server.
func (c *checker) resolveDNS(n int) DNS {
	d, servers := c.dns(n)
	if len(servers) == 0 {
		return DNS{}
	}
	yes := true
	out := d.over(DNS{Timeout: defaultDNSTimeout, Attempts: defaultDNSAttempts, Cache: &yes})
	out.Servers = c.lab.nodes.selectNames(servers)
	out.Search = c.search(d, servers)
	return out
}

// The defaults of resolv.conf(5).
const (
	defaultDNSTimeout  = 5e9
	defaultDNSAttempts = 2
)
