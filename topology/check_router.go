package topology

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// checkRouters checks what routers do beside forwarding. It comes after the links, by whose ends interfaces are named.
func (c *checker) checkRouters() {
	members := make([][]int, c.t.Nodes.Len())
	for n, entry := range c.lab.entry {
		members[entry] = append(members[entry], n)
	}
	c.from = nil // names are those of nodes: a router asks no name server
	for i := range c.t.Nodes.entries {
		e := &c.t.Nodes.entries[i]
		if e.Value.Kind != Router {
			continue // that only routers have this was said where nodes are checked
		}
		at := c.root.field("nodes").field(e.Name)
		firewall, nat := e.Value.Firewall, e.Value.NAT
		if firewall != nil {
			c.checkFirewall(at.field("firewall"), firewall, members[i])
		}
		if nat != nil {
			c.checkNAT(at.field("nat"), nat, members[i])
		}
		if firewall != nil && nat != nil {
			c.checkSharedTable(at.field("nat"), &firewall.Tracking, &nat.Tracking)
		}
	}
}

// checkFirewall checks the firewall of some routers.
func (c *checker) checkFirewall(at place, f *Firewall, routers []int) {
	c.checkTracking(at, &f.Tracking)
	accepts := func(r FirewallRule) bool { return r.Action == AcceptPackets }
	if f.Default == "" && !at.field("default").given() && !slices.ContainsFunc(f.Rules, func(r FirewallRule) bool { return !accepts(r) }) {
		c.addf(at, `nothing is filtered: no rule drops or rejects, and the default is to accept; did you mean "default": "drop"?`)
	}
	names := map[string]int{}
	for i := range f.Rules {
		name := f.Rules[i].nameAt(i)
		if first, taken := names[name]; taken {
			c.addf(at.field("rules").item(i).field("name"), "%q is already the name of rules[%d]", name, first)
		}
		names[name] = i
		c.checkFirewallRule(at.field("rules").item(i), f, i, routers)
	}
}

// nameAt returns the rule's name; i is its place among the rules.
func (r *FirewallRule) nameAt(i int) string {
	if r.Name != "" {
		return r.Name
	}
	return fmt.Sprintf("rule%d", i+1)
}

// checkFirewallRule checks a rule of a firewall.
func (c *checker) checkFirewallRule(at place, f *Firewall, i int, routers []int) {
	r := &f.Rules[i]
	if r.Action == "" && c.root.v == nil {
		c.addf(at.field("action"), "missing, wanted accept, drop or reject")
	}
	if r.Name != "" || at.field("name").given() {
		if message := checkLabel(r.Name, maxLabel); message != "" {
			c.addf(at.field("name"), "%s", message)
		}
	}
	for _, ports := range []struct {
		field  string
		ranges []PortRange
	}{{"source_ports", r.SourcePorts}, {"ports", r.Ports}} {
		at := at.field(ports.field)
		c.notEmpty(at, ports.ranges != nil, len(ports.ranges))
		for k, p := range ports.ranges {
			c.checkPorts(at.item(k), p)
		}
		if len(ports.ranges) > 0 && r.Protocol != RuleTCP && r.Protocol != RuleUDP {
			c.addf(at, "only tcp and udp have ports: want one of them as the rule's protocol")
		}
	}
	c.checkPlaces(at.field("from"), r.From, f.Input, "from", routers)
	c.checkPlaces(at.field("to"), r.To, f.Input, "to", routers)
	c.checkInterfaces(at.field("in"), r.In, routers)
	c.checkInterfaces(at.field("out"), r.Out, routers)
}

// notEmpty reports a list that is given and names nothing.
func (c *checker) notEmpty(at place, set bool, length int) {
	if (set || at.given()) && length == 0 {
		c.addf(at, "the list is empty, so nothing would match; leave the field out for any")
	}
}

// checkPorts checks a range of ports that a program may have made.
func (c *checker) checkPorts(at place, r PortRange) {
	if c.root.v == nil && (r.First == 0 || r.First > r.Last) {
		c.addf(at, "%s is no range of ports: want 1 to 65535, the smaller one first", r)
	}
}

// checkPlaces checks where packets come from or go to.
func (c *checker) checkPlaces(at place, places Patterns, input bool, field string, routers []int) {
	c.notEmpty(at, places != nil, len(places))
	if !c.nodesKnown {
		return
	}
	self := len(places) > 0 && len(routers) > 0
	for i, text := range places {
		nodes, message := c.place(text)
		if message != "" {
			if _, known := c.lab.nodes.Index(text); !known && (text == "any" || text == "all") {
				message = fmt.Sprintf("no node is called %q: leave %q out for any place", text, field)
			}
			c.addf(at.item(i), "%s", message)
			return
		}
		self = self && len(nodes) == 1 && len(routers) == 1 && nodes[0] == routers[0]
	}
	switch {
	case !self:
	case field == "from":
		c.addf(at, "this is the router itself, and what it sends isn't filtered")
	case !input:
		c.addf(at, `this is the router itself: packets for it are filtered only if the firewall has "input": true`)
	}
}

// place returns the nodes that a place in a rule stands for, none for an address or a network; message says what is wrong.
func (c *checker) place(text string) (nodes []int, message string) {
	if strings.Contains(text, "/") {
		network, err := netip.ParsePrefix(text)
		switch {
		case err != nil || network.Addr().Is4In6():
			return nil, fmt.Sprintf(`%s is no network: want one such as "192.0.2.0/24"`, quote(text))
		case network != network.Masked():
			return nil, fmt.Sprintf("%s has bits behind its prefix; did you mean %q?", quote(text), network.Masked())
		}
		return nil, ""
	}
	if a, err := netip.ParseAddr(text); err == nil {
		if a.Is4In6() || a.Zone() != "" {
			return nil, fmt.Sprintf(`%s is no address of a packet: want one such as "192.0.2.1"`, quote(text))
		}
		return nil, ""
	}
	nodes, err := c.lab.nodes.Match(text)
	if err != nil {
		return nil, err.Error()
	}
	if c.linksKnown {
		for _, n := range nodes {
			if ipv4, ipv6 := c.lab.addressed(n); !ipv4 && !ipv6 && c.lab.kind(n) != Switch {
				return nodes, fmt.Sprintf("%s has no address, as no link gives it one", c.lab.name(n))
			}
		}
	}
	return nodes, ""
}

// linked says whether a node has an address: whether it has a link to somebody who speaks one of its IP versions.
func (l *lab) linked(n int) bool {
	for i := range l.links {
		for end, node := range l.links[i].ends {
			ipv4, ipv6 := l.families(l.links[i].ends[1-end])
			own4, own6 := l.families(n)
			if node == n && (own4 && ipv4 || own6 && ipv6) {
				return true
			}
		}
	}
	return false
}

// checkTracking checks how connections are tracked.
func (c *checker) checkTracking(at place, t *Tracking) {
	timeouts := at.field("timeouts")
	positive(c, timeouts.field("udp"), t.Timeouts.UDP)
	positive(c, timeouts.field("tcp_established"), t.Timeouts.TCPEstablished)
	positive(c, timeouts.field("tcp_transitory"), t.Timeouts.TCPTransitory)
	positive(c, timeouts.field("icmp"), t.Timeouts.ICMP)
	if at := at.field("max_connections"); t.MaxConnections < 0 || t.MaxConnections == 0 && at.given() {
		c.addf(at, "found %d, wanted 1 or more", t.MaxConnections)
	}
}

// checkSharedTable reports what a router's NAT says otherwise than its firewall about the table of connections that they share.
func (c *checker) checkSharedTable(at place, firewall, nat *Tracking) {
	differ := func(at place, nat, firewall any, both bool) {
		if both && nat != firewall {
			c.addf(at, "found %v, but the firewall says %v; both have one table of connections, so say it once", nat, firewall)
		}
	}
	f, n, timeouts := &firewall.Timeouts, &nat.Timeouts, at.field("timeouts")
	differ(at.field("out_of_state"), nat.OutOfState, firewall.OutOfState, nat.OutOfState != "" && firewall.OutOfState != "")
	differ(timeouts.field("udp"), n.UDP, f.UDP, n.UDP != 0 && f.UDP != 0)
	differ(timeouts.field("tcp_established"), n.TCPEstablished, f.TCPEstablished, n.TCPEstablished != 0 && f.TCPEstablished != 0)
	differ(timeouts.field("tcp_transitory"), n.TCPTransitory, f.TCPTransitory, n.TCPTransitory != 0 && f.TCPTransitory != 0)
	differ(timeouts.field("icmp"), n.ICMP, f.ICMP, n.ICMP != 0 && f.ICMP != 0)
	differ(at.field("max_connections"), nat.MaxConnections, firewall.MaxConnections, nat.MaxConnections != 0 && firewall.MaxConnections != 0)
}
