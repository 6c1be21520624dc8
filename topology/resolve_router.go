package topology

import (
	"net/netip"
	"slices"

	"netlab/services"
)

// The defaults of [Tracking]: RFC 4787 (REQ-5), RFC 5382 (REQ-5) and RFC 5508 (REQ-1).
var defaultTracking = Tracking{
	OutOfState:     DropPackets,
	Timeouts:       Timeouts{UDP: 300e9, TCPEstablished: 7440e9, TCPTransitory: 240e9, ICMP: 60e9},
	MaxConnections: 65536,
}

// over returns what is given, and where nothing is, what base gives.
func (t Tracking) over(base Tracking) Tracking {
	fill(&t.OutOfState, base.OutOfState)
	fill(&t.Timeouts.UDP, base.Timeouts.UDP)
	fill(&t.Timeouts.TCPEstablished, base.Timeouts.TCPEstablished)
	fill(&t.Timeouts.TCPTransitory, base.Timeouts.TCPTransitory)
	fill(&t.Timeouts.ICMP, base.Timeouts.ICMP)
	fill(&t.MaxConnections, base.MaxConnections)
	return t
}

// resolveRouter fills in the firewall and the NAT of a router.
func (c *checker) resolveRouter(n int, node *Node) {
	var tracking Tracking
	if node.Firewall != nil {
		tracking = node.Firewall.Tracking
	}
	if node.NAT != nil {
		tracking = tracking.over(node.NAT.Tracking)
	}
	tracking = tracking.over(defaultTracking)
	if node.Firewall != nil {
		f := *node.Firewall
		f.Tracking = tracking
		fill(&f.Default, AcceptPackets)
		f.Rules = c.resolveRules(n, f.Rules)
		node.Firewall = &f
	}
	if node.NAT != nil {
		nat := c.resolveNAT(n, *node.NAT)
		nat.Tracking = tracking
		node.NAT = &nat
	}
}

func (c *checker) resolveRules(n int, rules []FirewallRule) []FirewallRule {
	ports := c.lab.portsOf(n)
	rules = slices.Clone(rules)
	for i := range rules {
		r := &rules[i]
		r.Name = r.nameAt(i)
		r.From, r.To = c.resolvePlaces(r.From), c.resolvePlaces(r.To)
		r.In, r.Out = ports.resolve(r.In), ports.resolve(r.Out)
	}
	return rules
}

// resolvePlaces replaces patterns by the names of nodes.
func (c *checker) resolvePlaces(places Patterns) Patterns {
	var out Patterns
	add := func(name string) {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, text := range places {
		if network, err := netip.ParsePrefix(text); err == nil {
			add(network.String())
		} else if a, err := netip.ParseAddr(text); err == nil {
			add(a.String())
		} else {
			for _, name := range c.names([]string{text}) {
				add(name)
			}
		}
	}
	return out
}

func (c *checker) resolveNAT(n int, nat NAT) NAT {
	ports := c.lab.portsOf(n)
	nat.Outside = ports.resolve([]string{nat.Outside})[0]
	if nat.Inside == nil {
		out, _ := ports.match(nat.Outside)
		nat.Inside = ports.allBut(out[0])
	} else {
		nat.Inside = ports.resolve(nat.Inside)
	}
	fill(&nat.Kind, PortRestrictedCone)
	fill(&nat.Ports, PortRange{1024, 65535})
	nat.Forward = slices.Clone(nat.Forward)
	for i := range nat.Forward {
		f := &nat.Forward[i]
		f.To = services.Target(f.target())
	}
	return nat
}
