package ip

import (
	"fmt"
	"slices"

	"github.com/gaissmai/bart"
)

// SetRoutes adds routes beyond the router's own networks.
func (r *Router) SetRoutes(routes []Route) error {
	return r.ReplaceRoutes(append(slices.Clone(r.routes), routes...))
}

// ReplaceRoutes makes these the router's routes beyond its own networks, all at once. Several to the same network share its traffic: each
// flow takes one of them (equal-cost multipath, see [Router]). down names interfaces by their numbers, from
// 0 in the order of AddInterface, whose networks are withdrawn too; every other interface's networks are there. The router goes on
// answering at the addresses of interfaces that are down. After an error the routes are as before. Only the engine's loop may call
// it while the network runs.
func (r *Router) ReplaceRoutes(routes []Route, down ...int) error {
	for _, i := range down {
		if i < 0 || i >= len(r.interfaces) {
			return fmt.Errorf("router %s: down: %w", r.name, r.noInterface(i))
		}
	}
	// Own networks first: a route may hide the network that another one's next hop is on.
	table := &bart.Table[*nextHop]{}
	for _, i := range r.interfaces {
		if !slices.Contains(down, i.index) {
			i.addNetworks(table)
		}
	}
	hops := make([]*nextHop, len(routes))
	for i, route := range routes {
		if err := route.validate(); err != nil {
			return fmt.Errorf("router %s: %w", r.name, err)
		}
		direct, ok := table.Lookup(route.Via)
		if !ok {
			return fmt.Errorf("router %s: %w", r.name, route.noInterface(len(down) > 0))
		}
		hops[i] = &nextHop{out: direct.out, via: route.Via}
	}
	for i, route := range routes {
		to := route.To.Masked()
		if old, ok := table.Get(to); ok && old.via.IsValid() {
			hops[i] = old.with(hops[i])
		}
		table.Insert(to, hops[i])
	}
	r.table, r.routes = table, slices.Clone(routes)
	return nil
}

// with returns the hop that shares what it is given with another one.
func (n *nextHop) with(other *nextHop) *nextHop {
	if n.equal == nil {
		return &nextHop{out: n.out, via: n.via, equal: []*nextHop{n, other}}
	}
	n.equal = append(n.equal, other)
	return n
}

// addNetworks adds the networks that the interface is on.
func (i *routerInterface) addNetworks(table *bart.Table[*nextHop]) {
	for _, p := range i.addresses {
		table.Insert(p.Masked(), &nextHop{out: i})
	}
}

// validate checks that a route makes sense by itself.
func (r Route) validate() error {
	switch {
	case !r.To.IsValid():
		return fmt.Errorf("route via %s: it leads to no network: name one, such as 10.0.0.0/8", r.Via)
	case !r.Via.IsValid():
		return fmt.Errorf("route to %s: it has no next hop: name a router on one of the own networks", r.To)
	case r.To.Addr().Is4() != r.Via.Is4():
		return fmt.Errorf("route to %s via %s: they are of two IP versions", r.To, r.Via)
	}
	return nil
}

// noInterface says that the next hop isn't on any network.
func (r Route) noInterface(some bool) error {
	if some {
		return fmt.Errorf("route to %s via %s: no interface that is up is on a network with that address", r.To, r.Via)
	}
	return fmt.Errorf("route to %s via %s: no interface is on a network with that address", r.To, r.Via)
}
