package topology

import (
	"net/netip"
	"slices"

	"netlab/services"
	"netlab/topology/plan"
)

// checkGateways reports hosts whose answers don't come back through a service that wants them to (see [services.Gateway]): the first
// one of each service that answers some client in another way.
func (c *checker) checkGateways() {
	hosts := c.hostsOfEntries()
	for i, e := range c.t.Nodes.Entries() {
		for name, s := range c.expandServices(e.Value.Services).All() {
			g, ok := s.Config.(services.Gateway)
			if !ok {
				continue
			}
			field, backends, instead := g.GatewayOf()
			at := c.root.field("nodes").field(e.Name).field("services").field(name).field(field)
			for _, gateway := range hosts[i] {
				if c.checkGateway(at, gateway, backends, instead) {
					break
				}
			}
		}
	}
}

// checkGateway reports the first backend that answers a client of a gateway in another way.
func (c *checker) checkGateway(at place, gateway int, backends []string, instead string) (found bool) {
	for _, backend := range backends {
		b, message := c.lookup(backend)
		if message != "" || b.node < 0 {
			continue
		}
		for _, client := range c.callersOf(gateway) {
			if client == gateway || client == b.node {
				continue
			}
			to, v6 := c.commonAddress(b.node, client)
			if !to.IsValid() {
				continue
			}
			next, ok := c.plan.FirstHop(b.node, to)
			if ok && next == gateway {
				continue
			}
			way := "have no route"
			if ok {
				way = "go to " + c.lab.name(next)
			}
			network := "0.0.0.0/0"
			own, _ := c.commonAddress(gateway, gateway)
			if v6 {
				network, own = "::/0", c.addressOf(gateway, plan.IPv6)
			}
			c.addf(at, "answers of %s to %s must come back through %s, but %s: give %s the route {\"to\": %q, \"via\": %q}%s", backend,
				c.lab.name(client), c.lab.name(gateway), way, backend, network, own, instead)
			return true
		}
	}
	return false
}

// callersOf returns the hosts of workloads and services that talk to a node, in the order of the file.
func (c *checker) callersOf(node int) (list []int) {
	add := func(config services.Config, from []int) {
		caller, ok := config.(services.Caller)
		if !ok {
			return
		}
		for _, call := range caller.Calls() {
			if to, message := c.lookup(call.Host); message == "" && to.node == node {
				list = append(list, from...)
				return
			}
		}
	}
	for _, w := range c.t.Workloads.All() {
		add(c.expanded(w.Config), c.clients(w.From))
	}
	hosts := c.hostsOfEntries()
	for i, e := range c.t.Nodes.Entries() {
		for _, s := range c.expandServices(e.Value.Services).All() {
			add(s.Config, hosts[i])
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// commonAddress returns an address of a node that another one can send to: of IPv4 if both speak it.
func (c *checker) commonAddress(from, to int) (a netip.Addr, v6 bool) {
	for _, f := range []plan.Family{plan.IPv4, plan.IPv6} {
		if c.addressOf(from, f).IsValid() && c.addressOf(to, f).IsValid() {
			return c.addressOf(to, f), f == plan.IPv6
		}
	}
	return netip.Addr{}, false
}

// addressOf returns a node's first address of an IP version, invalid if it has none.
func (c *checker) addressOf(node int, f plan.Family) netip.Addr {
	for _, port := range c.plan.Ports[node] {
		if a := c.plan.Interfaces[port.Link][port.End].Address(f); a.IsValid() {
			return a.Addr()
		}
	}
	return netip.Addr{}
}
