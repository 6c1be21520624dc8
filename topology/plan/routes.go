package plan

import (
	"net/netip"
	"slices"
)

// routes computes the tables of all hosts and routers that don't give theirs.
func (p *planner) routes() {
	for f := IPv4; f <= IPv6; f++ {
		g := p.newGraph(f)
		single := make([]bool, len(p.lab.Nodes)) // routers with exactly one neighbouring router
		for n, node := range p.lab.Nodes {
			if node.Kind == Router {
				_, single[n] = g.neighbour(n)
			}
		}
		shared := map[int][]Route{} // tables of the hosts with one link by the switch that they hang on
		for n := range p.lab.Nodes {
			node := &p.lab.Nodes[n]
			if node.Routes != nil || !node.speaks(f) {
				continue
			}
			switch node.Kind {
			case Host:
				p.addRoutes(n, g.host(n, shared))
			case Router:
				p.addRoutes(n, g.router(n, single))
			}
		}
	}
}

// addRoutes appends the routes of one IP version to a node's table. A table may be shared, so it isn't changed in place.
func (p *planner) addRoutes(node int, routes []Route) {
	if have := p.plan.Routes[node]; len(have) == 0 {
		p.plan.Routes[node] = slices.Clip(routes)
	} else {
		p.plan.Routes[node] = append(have, routes...)
	}
}

// neighbour returns a router that shares a network with a node, or -1, and whether it is the only one.
func (g *graph) neighbour(node int) (router int, only bool) {
	router = -1
	other := func(n int) bool {
		if n == node || n == router {
			return false
		}
		second := router >= 0
		router = n
		return second
	}
	for _, port := range g.plan.Ports[node] {
		if !g.at(port) {
			continue
		}
		if s := g.linkSegment[port.Link]; s >= 0 {
			for _, m := range g.members[s] {
				if other(g.lab.Links[m.Link].Ends[m.End].Node) {
					return router, false
				}
			}
			continue
		}
		far := Port{port.Link, 1 - port.End}
		if g.node(far).Kind == Router && g.at(far) && other(g.lab.Links[far.Link].Ends[far.End].Node) {
			return router, false
		}
	}
	return router, router >= 0
}

// defaultRoute is the route of everything by the shortest path of the latest search to a neighbouring router, none if the switches
// between them are parted.
func (g *graph) defaultRoute(router int) (routes []Route) {
	if g.reached[router] != g.search {
		return nil
	}
	best := g.found[router]
	best.at = router
	for _, f := range g.ways(best) {
		routes = append(routes, g.toAll(f.via)...)
	}
	return routes
}

func (g *graph) toAll(via netip.Addr) []Route {
	to := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if g.family == IPv6 {
		to = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return []Route{{To: to, Via: via}}
}

// specifics returns a route for every network but those that skip holds, and how many next hops they have.
func (g *graph) specifics(skip func(network int) bool) (routes []Route, nextHops int) {
	var first netip.Addr
	routes = make([]Route, 0, len(g.networks[g.family]))
	for i := range g.networks[g.family] {
		n := &g.networks[g.family][i]
		if skip(i) || n.link >= 0 && g.down != nil && g.down[n.link] {
			continue
		}
		for _, f := range g.nearest(n) {
			routes = append(routes, Route{To: n.prefix, Via: f.via})
			switch {
			case nextHops == 0:
				first, nextHops = f.via, 1
			case f.via != first:
				nextHops = 2
			}
		}
	}
	return routes, nextHops
}

// own returns the networks that a node is on.
func (g *graph) own(node int) func(network int) bool {
	own := map[int]bool{}
	for _, port := range g.plan.Ports[node] {
		if g.at(port) {
			own[g.network(port)] = true
		}
	}
	return func(i int) bool {
		n := &g.networks[g.family][i]
		return own[i] || n.anycast() && slices.Contains(g.lab.Shared[n.shared].Members, node)
	}
}

// router returns a router's table: a default route for a stub, else a route for every network that it isn't on. A stub
// has one neighbouring router, which has others: if both had only each other, packets to nowhere would go to and fro.
func (g *graph) router(node int, single []bool) []Route {
	neighbour, only := g.neighbour(node)
	g.from(node)
	if neighbour < 0 {
		return g.anycasts(node, nil)
	}
	if g.lab.ECMP {
		g.multipath = true
		defer func() { g.multipath = false }()
		g.equals()
	}
	if only && !single[neighbour] {
		routes := g.defaultRoute(neighbour)
		if routes == nil {
			return nil
		}
		return append(routes, g.anycasts(node, routes)...)
	}
	routes, _ := g.specifics(g.own(node))
	return routes
}

// host returns a host's table: none without a router next to it, a default route if there is one way out, else a route
// for every network that it isn't on.
func (g *graph) host(node int, shared map[int][]Route) []Route {
	neighbour, only := g.neighbour(node)
	if neighbour < 0 {
		return nil
	}
	if ports := g.plan.Ports[node]; len(ports) == 1 {
		port := ports[0]
		far := Port{port.Link, 1 - port.End}
		if g.node(far).Kind != Switch {
			return g.toAll(g.address(g.family, far).Addr())
		}
		// What is best from a switch is best for all hosts that hang on it alone.
		sw := g.lab.Links[far.Link].Ends[far.End].Node
		if _, done := shared[sw]; !done {
			shared[sw] = g.table(sw, neighbour, only, func(i int) bool { return i == g.network(port) })
		}
		return shared[sw]
	}
	return g.table(node, neighbour, only, g.own(node))
}

func (g *graph) table(source, neighbour int, only bool, own func(network int) bool) []Route {
	g.from(source)
	if only {
		return g.defaultRoute(neighbour)
	}
	routes, nextHops := g.specifics(own)
	if nextHops == 1 {
		return g.toAll(routes[0].Via)
	}
	return routes
}
