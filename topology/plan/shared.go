package plan

import (
	"fmt"
	"net/netip"
	"slices"
)

// Shared is an address that belongs to no interface: a virtual address in a segment, which moves among its hosts, or an anycast
// address, which several hosts have at once.
type Shared struct {
	Name string
	// Switch is a switch of the segment in whose networks a virtual address lies; -1 for an anycast address.
	Switch int
	// Members are the hosts that have an anycast address.
	Members []int
	// Given are pinned addresses, at most one of each IP version. A version that is missing gets one after the hash of the name: in the
	// segment's network as a host called so would, or in 172.16.0.0/16 and fd00:2::/64 for an anycast address.
	Given []netip.Addr
}

// Where anycast addresses lie that aren't pinned.
var anycastNetworks = [2]netip.Prefix{netip.MustParsePrefix("172.16.0.0/16"), netip.MustParsePrefix("fd00:2::/64")}

func (p *planner) sharedError(i int, field, format string, args ...any) {
	p.errs = append(p.errs, &Error{Shared: p.lab.Shared[i].Name, Field: field, Message: fmt.Sprintf(format, args...)})
}

// givenShared returns the pinned addresses by IP version, and their places.
func (p *planner) givenShared(i int) (given [2]netip.Addr, fields [2]string) {
	for k, a := range p.lab.Shared[i].Given {
		field := fmt.Sprintf("addresses[%d]", k)
		if message := checkUnicast(a, false); message != "" {
			p.sharedError(i, field, "%s %s", a, message)
			continue
		}
		f := family(a)
		if given[f].IsValid() {
			p.sharedError(i, field, "%s is the second %s address, after %s: want at most one", a, f, given[f])
			continue
		}
		given[f], fields[f] = a, field
	}
	return given, fields
}

// sharedIn gives the virtual addresses of a segment. taken holds the addresses of its ports, used which IP versions they speak.
func (p *planner) sharedIn(segment int, taken map[netip.Addr]Port, used [2]bool) {
	s := &p.plan.Segments[segment]
	others := map[netip.Addr]string{}
	for i, shared := range p.lab.Shared {
		if shared.Switch < 0 || p.segmentOf[shared.Switch] != segment {
			continue
		}
		given, fields := p.givenShared(i)
		number := hostNumber(shared.Name, s.Networks)
		for f := IPv4; f <= IPv6; f++ {
			a, field := given[f], fields[f]
			switch {
			case !used[f] && a.IsValid():
				p.sharedError(i, field, "%s is an %s address, which nobody in the segment of switch %s speaks", a, f, p.lab.Nodes[shared.Switch].Name)
				continue
			case !used[f]:
				continue
			case !a.IsValid():
				a, field = plus(s.Networks[f], number), "addresses"
			case !s.Networks[f].Contains(a) || a == s.Networks[f].Addr() || a == broadcast(s.Networks[f]):
				p.sharedError(i, field, "%s is no host's address in %s, the network of the segment of switch %s", a, s.Networks[f],
					p.lab.Nodes[shared.Switch].Name)
				continue
			}
			owner := others[a]
			if port, clash := taken[a]; clash {
				owner = p.plan.Interfaces[port.Link][port.End].Name
			}
			if owner != "" {
				p.sharedError(i, field, "%s has the address %s already: give one of them another one", owner, a)
				break // the other IP version has the same number
			}
			others[a] = shared.Name
			p.plan.Shared[i] = append(p.plan.Shared[i], a)
		}
	}
}

// anycast gives the anycast addresses. Each is a network of its own.
func (p *planner) anycast() {
	others := map[netip.Addr]string{}
	for i, shared := range p.lab.Shared {
		if shared.Switch >= 0 {
			continue
		}
		given, fields := p.givenShared(i)
		for f := IPv4; f <= IPv6; f++ {
			mute := slices.IndexFunc(shared.Members, func(n int) bool { return !p.lab.Nodes[n].speaks(f) })
			a, field := given[f], fields[f]
			switch {
			case mute >= 0 && a.IsValid():
				p.sharedError(i, field, "%s is an %s address, which %s doesn't speak", a, f, p.lab.Nodes[shared.Members[mute]].Name)
				continue
			case mute >= 0:
				continue
			case !a.IsValid():
				a, field = plus(anycastNetworks[f], hostNumber(shared.Name, anycastNetworks)), "addresses"
			}
			if owner := others[a]; owner != "" {
				p.sharedError(i, field, "%s has the address %s already: give one of them another one", owner, a)
				break
			}
			others[a] = shared.Name
			p.plan.Shared[i] = append(p.plan.Shared[i], a)
			p.networks[f] = append(p.networks[f], network{prefix: netip.PrefixFrom(a, a.BitLen()), link: -1, segment: -1, shared: i, pinned: given[f].IsValid()})
		}
		if len(p.plan.Shared[i]) == 0 && len(p.errs) == 0 {
			p.sharedError(i, "anycast", "there is no IP version that all of its hosts speak")
		}
	}
}

// anycast says whether it is an anycast address and not the network of a link or segment.
func (n *network) anycast() bool { return n.link < 0 && n.segment < 0 }

// toMembers finds how the latest search's source reaches the hosts that have an anycast address: a reach for each of their ports.
func (g *graph) toMembers(n *network, take func(r reach)) {
	for _, member := range g.lab.Shared[n.shared].Members {
		if g.goneNode(member) {
			continue
		}
		for _, port := range g.plan.Ports[member] {
			far := Port{port.Link, 1 - port.End}
			if !g.at(port) || !g.at(far) {
				continue
			}
			at := g.lab.Links[far.Link].Ends[far.End].Node
			last := g.lab.Links[far.Link].Latency[far.End]
			direct := reach{latency: last, hops: 1, router: member, link: far.Link, via: g.address(g.family, port).Addr()}
			switch {
			case at == g.source:
				take(direct)
			case g.reached[at] != g.search || g.node(far).Kind == Host:
			case g.found[at].router < 0: // only switches are between them
				direct.latency += g.found[at].latency
				take(direct)
			default:
				r := g.found[at]
				r.latency += last
				r.hops++
				r.at = at
				take(r)
			}
		}
	}
}

// Anycast returns the lab's anycast addresses.
func (p *Plan) Anycast() (list []Shared) {
	for _, s := range p.lab.Shared {
		if s.Switch < 0 {
			list = append(list, s)
		}
	}
	return list
}

func (g *graph) goneNode(n int) bool { return g.gone != nil && g.gone[n] }

// anycasts returns the routes to anycast addresses that default routes don't cover.
func (g *graph) anycasts(node int, defaults []Route) (routes []Route) {
	all, _ := g.specifics(func(i int) bool {
		n := &g.networks[g.family][i]
		return !n.anycast() || slices.Contains(g.lab.Shared[n.shared].Members, node)
	})
	for _, r := range all {
		if !slices.ContainsFunc(defaults, func(d Route) bool { return d.Via == r.Via }) {
			routes = append(routes, r)
		}
	}
	return routes
}
