package topology

import (
	"fmt"
	"reflect"
	"strings"

	"netlab/services"
)

// checkDNS checks the name servers of hosts.
func (c *checker) checkDNS(at place, d *DNS) {
	if !d.given() {
		return
	}
	positive(c, at.field("timeout"), d.Timeout)
	if at := at.field("attempts"); d.Attempts < 0 || d.Attempts == 0 && at.given() {
		c.addf(at, "found %d, wanted 1 or more", d.Attempts)
	}
	for i, domain := range d.Search {
		for label := range strings.SplitSeq(strings.TrimSuffix(domain, "."), ".") {
			if message := checkLabel(label, maxLabel); message != "" {
				c.addf(at.field("search").item(i), "%s is no domain: %s", quote(domain), message)
				break
			}
		}
	}
	if !c.nodesKnown {
		return
	}
	list := at
	if !at.given() || at.v.kind == objectKind {
		list = at.field("servers")
	}
	for i, p := range d.Servers {
		found, err := c.lab.nodes.Match(p)
		if err != nil {
			c.addf(list.item(i), "%s", err)
			continue
		}
		for _, n := range found {
			if message := c.checkServer(n); message != "" {
				c.addf(list.item(i), "%s", message)
				break
			}
		}
	}
}

// checkServer returns why a node can't be asked for names, or "".
func (c *checker) checkServer(n int) string {
	if len(c.zonesOf(n)) > 0 {
		there, listens := c.listeners(n, listener{services.UDP, "53"})
		if !listens {
			return fmt.Sprintf("%s has no dns-server on port 53, where hosts ask; its services listen on %s", c.lab.name(n), there)
		}
		return ""
	}
	var others []string
	for n, name := range c.lab.nodes.names {
		if len(c.zonesOf(n)) > 0 {
			others = append(others, name)
		}
	}
	hint := "; no node has one"
	if len(others) > 0 {
		const few = 3
		hint = "; one runs on " + strings.Join(others[:min(few, len(others))], ", ")
	}
	return fmt.Sprintf("%s has no service of the type dns-server%s", c.lab.name(n), hint)
}

// checkAsker reports workloads that ask for what only a name server knows, on hosts that ask none.
func (c *checker) checkAsker(at place, config services.Config) {
	asker, ok := config.(services.Asker)
	if !ok || !asker.AsksServers() {
		return
	}
	for _, n := range c.from {
		if _, servers := c.dns(n); len(servers) == 0 && c.lab.kind(n) == Host {
			c.addf(at, "%s asks no name server: give it \"dns\", or the workload a \"server\"", c.lab.name(n))
			return
		}
	}
}

// checkNodePatterns checks the patterns of nodes in a configuration.
func (c *checker) checkNodePatterns(at place, config services.Config) {
	walk(at, reflect.ValueOf(config), func(at place, v reflect.Value, _ structField) bool {
		if v.Type() != nodesListType || !c.nodesKnown {
			return true
		}
		for i := range v.Len() {
			found, err := c.lab.nodes.Match(v.Index(i).String())
			if err != nil {
				c.addf(at.item(i), "%s", err)
			} else if len(found) == 1 && c.lab.kind(found[0]) == Switch {
				c.addf(at.item(i), "%s is a switch, which has no address: want a host or a router", c.lab.name(found[0]))
			}
		}
		return true
	})
}

// checkExpanded checks configurations that name nodes by patterns once these are known to be right: only then it is known which
// names a name server has, and which targets are there twice.
func (c *checker) checkExpanded() {
	if c.broken || len(c.problems.list) > 0 || !c.nodesKnown {
		return
	}
	hosts := c.hostsOfEntries()
	for i, e := range c.t.Nodes.Entries() {
		for name, s := range e.Value.Services.All() {
			if _, ok := s.Config.(services.Expander); ok {
				c.from = hosts[i]
				c.checkConfig(c.root.field("nodes").field(e.Name).field("services").field(name), s.Type, c.expanded(s.Config))
			}
		}
	}
	for name, w := range c.t.Workloads.All() {
		if _, ok := w.Config.(services.Expander); ok {
			c.from = c.clients(w.From)
			c.checkConfig(c.root.field("workloads").field(name), w.Type, c.expanded(w.Config))
		}
	}
}

// checkServersReachable reports name servers to which no packet gets from a host that asks them.
func (c *checker) checkServersReachable() {
	hosts := c.hostsOfEntries()
	for i, e := range c.t.Nodes.Entries() {
		at := c.root.field("nodes").field(e.Name).field("dns")
		if !e.Value.DNS.given() {
			at = c.root.field("defaults").field("dns")
		}
		for _, n := range hosts[i] {
			_, servers := c.dns(n)
			for _, s := range servers {
				if message := c.path(n, s); message != "" {
					c.addf(at, "%s", message)
					return
				}
			}
		}
	}
}
