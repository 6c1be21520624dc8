package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
)

// overlaps sorts the networks and reports those that contain one another.
func (p *planner) overlaps() {
	// A pair whose IPv4 networks meet by hash has the same IPv6 networks too. And one network that contains a thousand
	// others is one mistake.
	reported, tooWide := map[[2]string]bool{}, map[netip.Prefix]bool{}
	for f := range p.networks {
		slices.SortStableFunc(p.networks[f], func(a, b network) int { return a.prefix.Compare(b.prefix) })
		var open []*network // networks that contain the current one
		for i := range p.networks[f] {
			n := &p.networks[f][i]
			for len(open) > 0 && !open[len(open)-1].prefix.Overlaps(n.prefix) {
				open = open[:len(open)-1]
			}
			if len(open) > 0 {
				outer := open[len(open)-1]
				if pair := [2]string{p.title(outer), p.title(n)}; !reported[pair] && !tooWide[outer.prefix] {
					reported[pair] = true
					tooWide[outer.prefix] = outer.prefix != n.prefix
					p.overlap(outer, n)
				}
			}
			open = append(open, n)
		}
	}
}

// title returns "link a--b" or "segment sw".
func (p *planner) title(n *network) string {
	if n.anycast() {
		return "address " + p.lab.Shared[n.shared].Name
	}
	if n.link >= 0 {
		return "link " + p.lab.Links[n.link].ID
	}
	return "segment " + p.lab.Nodes[p.plan.Segments[n.segment].Switches[0]].Name
}

// overlap reports that a network contains another one, or is the same.
func (p *planner) overlap(outer, inner *network) {
	var message string
	switch {
	case outer.prefix == inner.prefix && !outer.pinned && !inner.pinned && outer.link >= 0:
		message = fmt.Sprintf("links %s and %s hash to the same network %s: give one of them addresses",
			p.lab.Links[outer.link].ID, p.lab.Links[inner.link].ID, inner.prefix)
	case outer.prefix == inner.prefix && !outer.pinned && !inner.pinned && outer.segment >= 0 && inner.segment >= 0:
		message = fmt.Sprintf("switches %s and %s hash to the same network %s: give one of them subnets",
			p.lab.Nodes[p.plan.Segments[outer.segment].Switches[0]].Name,
			p.lab.Nodes[p.plan.Segments[inner.segment].Switches[0]].Name, inner.prefix)
	case outer.prefix == inner.prefix:
		message = fmt.Sprintf("%s and %s have the same network %s: give one of them another one",
			p.title(outer), p.title(inner), inner.prefix)
	default:
		message = fmt.Sprintf("network %s of %s is a part of %s of %s: give one of them another one",
			inner.prefix, p.title(inner), outer.prefix, p.title(outer))
	}
	// The error is about the one that was given, the later one if both or none were.
	if outer.pinned && !inner.pinned {
		inner = outer
	}
	if outer.anycast() || inner.anycast() {
		if !inner.anycast() {
			inner = outer
		}
		p.sharedError(inner.shared, "addresses", "%s", message)
		return
	}
	if inner.link >= 0 {
		p.linkError(inner.link, "addresses", "%s", message)
		return
	}
	p.nodeError(p.plan.Segments[inner.segment].Switches[0], "subnets", "%s", message)
}

// interfaces puts the addresses into the plan.
func (p *planner) interfaces() {
	for l := range p.plan.Interfaces {
		for e := range p.plan.Interfaces[l] {
			itf := &p.plan.Interfaces[l][e]
			for f := IPv4; f <= IPv6; f++ {
				if a := p.address(f, Port{l, e}); a.IsValid() {
					itf.Addresses = append(itf.Addresses, a)
				}
			}
		}
	}
}

// givenRoutes checks the routes that replace computed ones and puts them into the plan.
func (p *planner) givenRoutes() {
	p.plan.Routes = make([][]Route, len(p.lab.Nodes))
	for n := range p.lab.Nodes {
		node := &p.lab.Nodes[n]
		if len(node.Routes) > 0 && node.Kind == Switch {
			p.nodeError(n, "routes", "a switch has no routes: it passes frames by their MAC addresses")
			continue
		}
		seen := map[netip.Prefix]int{}
		twice := map[Route]int{}
		for i, r := range node.Routes {
			field := fmt.Sprintf("routes[%d].", i)
			if message := p.checkTo(node, r.To); message != "" {
				p.nodeError(n, field+"to", "%s", message)
				continue
			}
			if first, dup := seen[r.To]; dup && node.Kind == Host {
				p.nodeError(n, field+"to", "%s is the destination of routes[%d] already: only routers share traffic among several next hops",
					r.To, first)
				continue
			}
			if first, dup := twice[r]; dup {
				p.nodeError(n, field+"via", "routes[%d] says the same", first)
				continue
			}
			twice[r] = i
			seen[r.To] = i
			if message := p.checkVia(n, r); message != "" {
				p.nodeError(n, field+"via", "%s", message)
			}
		}
		if node.Routes != nil {
			p.plan.Routes[n] = slices.Clone(node.Routes)
			slices.SortStableFunc(p.plan.Routes[n], compareRoutes)
		}
	}
}

func compareRoutes(a, b Route) int {
	return cmp.Or(cmp.Compare(family(a.To.Addr()), family(b.To.Addr())), a.To.Compare(b.To))
}

// checkTo returns what is wrong with a route's destination, or "".
func (p *planner) checkTo(node *Node, to netip.Prefix) string {
	if !to.IsValid() {
		return "want a network such as 10.2.0.0/16, or 0.0.0.0/0 for all"
	}
	if message := checkUnicast(to.Addr(), true); message != "" {
		return fmt.Sprintf("%s %s", to, message)
	}
	if to != to.Masked() {
		return fmt.Sprintf("%s has bits set behind its prefix: write %s", to, to.Masked())
	}
	if f := family(to.Addr()); !node.speaks(f) {
		return fmt.Sprintf("%s is an %s network, and %s doesn't speak %s", to, f, node.Name, f)
	}
	return ""
}

// checkVia returns what is wrong with a route's next hop, or "".
func (p *planner) checkVia(node int, r Route) string {
	if !r.Via.IsValid() {
		return "want the address of the next router"
	}
	if message := checkUnicast(r.Via, false); message != "" {
		return fmt.Sprintf("%s %s", r.Via, message)
	}
	f := family(r.Via)
	if f != family(r.To.Addr()) {
		return fmt.Sprintf("%s is an %s address and the destination %s is not", r.Via, f, r.To)
	}
	var networks []netip.Prefix
	for _, port := range p.plan.Ports[node] {
		a := p.address(f, port)
		switch {
		case !a.IsValid():
		case a.Addr() == r.Via:
			return fmt.Sprintf("%s is an address of %s itself: want its neighbour's", r.Via, p.lab.Nodes[node].Name)
		case a.Masked().Contains(r.Via):
			return ""
		default:
			networks = append(networks, a.Masked())
		}
	}
	if len(networks) > 4 {
		return fmt.Sprintf("%s isn't on a network of %s, which is on %v and %d more",
			r.Via, p.lab.Nodes[node].Name, networks[:3], len(networks)-3)
	}
	return fmt.Sprintf("%s isn't on a network of %s, which is on %v", r.Via, p.lab.Nodes[node].Name, networks)
}
