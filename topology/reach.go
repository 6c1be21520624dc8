package topology

import (
	"net/netip"
	"reflect"
	"slices"

	"netlab/services"
	"netlab/topology/plan"
)

// checkReachable reports targets to which no packet gets from a host that wants to talk to them.
func (c *checker) checkReachable() {
	for name, w := range c.t.Workloads.All() {
		from, _, err := c.lab.nodes.MatchAll(w.From)
		if err != nil {
			continue
		}
		c.from = from
		c.checkPaths(c.root.field("workloads").field(name), from, w.Config)
	}
	c.checkServersReachable()
	hosts := c.hostsOfEntries()
	for i, e := range c.t.Nodes.Entries() {
		c.from = hosts[i]
		for name, s := range e.Value.Services.All() {
			c.checkPaths(c.root.field("nodes").field(e.Name).field("services").field(name), hosts[i], s.Config)
		}
	}
}

// checkPaths checks each target of a configuration from each of the hosts; the first that fails is reported.
func (c *checker) checkPaths(at place, from []int, config services.Config) {
	if config == nil {
		return
	}
	client, proxied := config.(services.Proxied)
	proxied = proxied && client.ThroughProxy()
	eachString(at, config, func(at place, v reflect.Value) {
		if v.String() == "" {
			return
		}
		var targets []target
		var message string
		switch v.Type() {
		case targetType, urlType, proxyURLType:
			if proxied && v.Type() == urlType {
				return // the proxy goes there
			}
			targets = make([]target, 1)
			targets[0], message = c.named(v)
		case patternType:
			targets, message = c.targets(services.TargetPattern(v.String()))
		}
		if message != "" {
			return
		}
		for _, to := range targets {
			for _, n := range from {
				if to.node < 0 {
					continue
				}
				if message := c.path(n, to.node); message != "" {
					c.addf(at, "%s", message)
					return
				}
			}
		}
	})
}

// reaches says whether packets of IPv4 get from one node to another and answers back. Answers go to the last router on the way that
// translates addresses, from there to the one before it, and so on.
func (c *checker) reaches(from, to int) bool {
	if c.plan.Reachable(from, to, plan.IPv4) {
		return true
	}
	way := c.plan.Way(from, to, plan.IPv4)
	for i := range way {
		if i > 0 && c.translates(way[i-1].Next, way[i]) {
			if !c.plan.Reachable(from, way[i].Node, plan.IPv4) {
				return false
			}
			from = way[i].Node
		}
	}
	return way != nil && c.plan.Reachable(from, to, plan.IPv4)
}

// translates says whether a router's NAT changes a packet that arrives at one of its addresses and leaves as the step says.
func (c *checker) translates(arrives netip.Addr, step plan.Step) bool {
	nat := c.lab.node(step.Node).NAT
	if nat == nil {
		return false
	}
	ports := c.lab.portsOf(step.Node)
	out, _ := ports.match(nat.Outside)
	inside := nat.Inside
	if inside == nil {
		inside = ports.allBut(out[0])
	}
	in, _ := ports.matchAll(inside)
	leads := func(interfaces []int, to netip.Addr) bool {
		return slices.ContainsFunc(interfaces, func(i int) bool {
			at := c.plan.Ports[step.Node][i]
			network := c.plan.Interfaces[at.Link][at.End].Address(plan.IPv4)
			return network.Masked().Contains(to)
		})
	}
	return leads(in, arrives) && leads(out, step.Next)
}

// path returns why no packet gets from one node to another, or "".
func (c *checker) path(from, to int) string {
	a, b := c.lab.name(from), c.lab.name(to)
	if from == to || c.reaches(from, to) || c.plan.Reachable(from, to, plan.IPv6) {
		return ""
	}
	from4, from6 := c.lab.families(from)
	to4, to6 := c.lab.families(to)
	switch {
	case len(c.plan.Ports[from]) == 0:
		return "there is no way from " + a + " to " + b + ": " + a + " has no link"
	case len(c.plan.Ports[to]) == 0:
		return "there is no way from " + a + " to " + b + ": " + b + " has no link"
	case !(from4 && to4) && !(from6 && to6):
		return "there is no way from " + a + " to " + b + ": one speaks only IPv4 and the other only IPv6"
	}
	return "there is no way from " + a + " to " + b + ": " + c.obstacle(from, to)
}

// obstacle says what is in the way between two nodes that have links.
func (c *checker) obstacle(from, to int) string {
	came := map[int]int{from: from}
	queue := []int{from}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, port := range c.plan.Ports[n] {
			next := c.lab.links[port.Link].ends[1-port.End]
			if _, seen := came[next]; !seen {
				came[next] = n
				queue = append(queue, next)
			}
		}
	}
	if _, ok := came[to]; !ok {
		return "no links lead there"
	}
	for n := came[to]; n != from; n = came[n] {
		if c.lab.kind(n) == Host {
			return c.lab.name(n) + " on the way is a host, and only routers and switches forward"
		}
	}
	return "the routes don't lead there and back"
}
