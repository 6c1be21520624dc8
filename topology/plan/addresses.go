package plan

import (
	"fmt"
	"net/netip"
)

// pin is a pinned address and where it is given.
type pin struct {
	address netip.Prefix
	field   string
}

// pinned returns the checked pinned addresses of an end by IP version. why says why the network can't have a version that
// the end's node speaks, or returns "".
func (p *planner) pinned(port Port, why func(Family) string) (pins [2]pin) {
	node := p.node(port)
	for i, a := range p.lab.Links[port.Link].Ends[port.End].Addresses {
		field := fmt.Sprintf("addresses.%s[%d]", node.Name, i)
		if node.Kind == Switch {
			p.linkError(port.Link, field, "%s is a switch and has no address; its hosts have", node.Name)
			return pins
		}
		if message := checkAddress(a); message != "" {
			p.linkError(port.Link, field, "%s", message)
			continue
		}
		f := family(a.Addr())
		switch {
		case !node.speaks(f):
			p.linkError(port.Link, field, "%s is an %s address, which %s doesn't speak", a, f, node.Name)
		case why(f) != "":
			p.linkError(port.Link, field, "%s is an %s address, %s", a, f, why(f))
		case pins[f].field != "":
			p.linkError(port.Link, field, "%s is the second %s address of this end, after %s: want at most one",
				a, f, pins[f].address)
		default:
			pins[f] = pin{a, field}
		}
	}
	return pins
}

// checkUnicast returns what is wrong with an address that a node is to have, or "". loose allows everything that may be
// the destination of a route.
func checkUnicast(a netip.Addr, loose bool) string {
	switch {
	case a.Is4In6():
		return fmt.Sprintf("is an IPv4 address written as IPv6: write %s", a.Unmap())
	case a.Zone() != "":
		return "has a zone: want an address without %"
	case a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "is for several receivers: want a unicast address"
	case loose:
		return ""
	case a.IsUnspecified() || a.Is4() && a.As4()[0] == 0:
		return "means no address: want one such as 192.0.2.1 or 2001:db8::1"
	case a.IsLoopback():
		return "is a loopback address, which never leaves a host"
	case a.IsLinkLocalUnicast():
		return "is a link-local address, which the stacks choose themselves"
	case a.Is4() && a.As4()[0] >= 240:
		return "is reserved (RFC 1112): want a unicast address"
	}
	return ""
}

// checkAddress returns what is wrong with a pinned address taken by itself, or "".
func checkAddress(a netip.Prefix) string {
	if !a.IsValid() {
		return "want an address with prefix length such as 192.0.2.1/24"
	}
	if message := checkUnicast(a.Addr(), false); message != "" {
		return fmt.Sprintf("%s %s", a, message)
	}
	full, widest := 32, 8
	if family(a.Addr()) == IPv6 {
		full, widest = 128, 16
	}
	if a.Bits() == full {
		return fmt.Sprintf("%s leaves no room for a neighbour: want a prefix length of %d or less", a, full-1)
	}
	if a.Bits() < widest {
		return fmt.Sprintf("%s has a prefix length of %d: want %d or more", a, a.Bits(), widest)
	}
	if a.Bits() == full-1 {
		return ""
	}
	network := a.Masked()
	if a.Addr() == network.Addr() {
		return fmt.Sprintf("%s is the address of the network itself: the first one for a node is %s", a, plus(network, 1))
	}
	if a.Addr() == broadcast(network) {
		return fmt.Sprintf("%s is the broadcast address of %s: the last one for a node is %s", a, network, a.Addr().Prev())
	}
	return ""
}

// broadcast returns the last address of an IPv4 network; IPv6 has no broadcast, so the result is the zero Addr.
func broadcast(network netip.Prefix) netip.Addr {
	if !network.Addr().Is4() || network.Bits() >= 31 {
		return netip.Addr{}
	}
	return plus(network, 1<<(32-network.Bits())-1)
}

// peer returns the other address of a network that has room for two nodes only (/31, /30 and their like of IPv6).
func peer(a netip.Prefix) (other netip.Prefix, ok bool) {
	room := a.Addr().BitLen() - a.Bits()
	if room > 2 {
		return netip.Prefix{}, false
	}
	first := plus(a.Masked(), uint64(room-1)) // ….0 of a /31, ….1 of a /30
	second := first.Next()
	if a.Addr() == first {
		return netip.PrefixFrom(second, a.Bits()), true
	}
	return netip.PrefixFrom(first, a.Bits()), true
}

// pointToPoint gives addresses to the links that have no switch at either end. A link has an IP version if both ends
// speak it.
func (p *planner) pointToPoint() {
	for f := range p.addresses {
		p.addresses[f] = make([][2]netip.Prefix, len(p.lab.Links))
	}
	for l, link := range p.lab.Links {
		if p.linkSegment[l] >= 0 || link.Ends[0].Node == link.Ends[1].Node {
			continue
		}
		var pins [2][2]pin // by end, by version
		for e := range pins {
			other := p.node(Port{l, 1 - e})
			pins[e] = p.pinned(Port{l, e}, func(f Family) string {
				if other.speaks(f) {
					return ""
				}
				return fmt.Sprintf("which %s at the other end doesn't speak", other.Name)
			})
		}
		networks := linkNetworks(link.ID)
		for f := IPv4; f <= IPv6; f++ {
			if !p.node(Port{l, 0}).speaks(f) || !p.node(Port{l, 1}).speaks(f) {
				continue
			}
			a, b := pins[0][f], pins[1][f]
			if a.field == "" && b.field == "" {
				bits := networks[f].Bits()
				p.setLink(f, l, networks[f], netip.PrefixFrom(plus(networks[f], 1), bits), false)
				continue
			}
			p.pinnedLink(f, l, a, b)
		}
	}
}

// pinnedLink gives a point-to-point link the addresses that were pinned at one end or both.
func (p *planner) pinnedLink(f Family, l int, a, b pin) {
	switch {
	case a.field != "" && b.field != "":
		if a.address.Masked() != b.address.Masked() {
			p.linkError(l, b.field, "%s isn't in the network of the other end, %s of %s: want both in one network",
				b.address, a.address.Masked(), a.address)
			return
		}
		if a.address == b.address {
			p.linkError(l, b.field, "both ends have the address %s", b.address.Addr())
			return
		}
		p.setLink(f, l, a.address, b.address, true)
	default:
		have, end := a, 0
		if a.field == "" {
			have, end = b, 1
		}
		other, ok := peer(have.address)
		if !ok {
			p.linkError(l, have.field, "%s leaves open which address of %s the other end has: pin one for %s too",
				have.address, have.address.Masked(), p.node(Port{l, 1 - end}).Name)
			return
		}
		if end == 0 {
			p.setLink(f, l, have.address, other, true)
		} else {
			p.setLink(f, l, other, have.address, true)
		}
	}
}

func (p *planner) setLink(f Family, l int, a, b netip.Prefix, pinned bool) {
	p.addresses[f][l] = [2]netip.Prefix{a, b}
	p.networks[f] = append(p.networks[f], network{prefix: a.Masked(), link: l, segment: -1, pinned: pinned})
}

// switched gives addresses to the hosts and routers behind switches.
func (p *planner) switched() {
	for n, node := range p.lab.Nodes {
		if node.Kind != Switch && len(node.Subnets) > 0 {
			p.nodeError(n, "subnets", "only a switch has subnets; the addresses of other nodes belong to their links")
		}
	}
	for i := range p.plan.Segments {
		s := &p.plan.Segments[i]
		given := p.subnets(s)
		var used [2]bool
		taken := map[netip.Addr]Port{}
		for _, port := range s.Ports {
			p.member(s, port, taken, &used)
		}
		p.sharedIn(i, taken, used)
		for f := IPv4; f <= IPv6; f++ {
			if used[f] || given[f] {
				p.networks[f] = append(p.networks[f], network{prefix: s.Networks[f], link: -1, segment: i, pinned: given[f]})
			}
		}
	}
	// A switch's own ports can't have addresses, whatever is at the other end.
	for l, link := range p.lab.Links {
		for e, end := range link.Ends {
			if p.lab.Nodes[end.Node].Kind == Switch && len(end.Addresses) > 0 {
				p.pinned(Port{l, e}, nil)
			}
		}
	}
}

// member gives addresses to one port of a segment. taken holds the addresses of the ports before it.
func (p *planner) member(s *Segment, port Port, taken map[netip.Addr]Port, used *[2]bool) {
	node, first := p.node(port), p.lab.Nodes[s.Switches[0]].Name
	pins := p.pinned(port, func(Family) string { return "" })
	number := hostNumber(node.Name, s.Networks)
	for f := IPv4; f <= IPv6; f++ {
		if !node.speaks(f) {
			continue
		}
		used[f] = true
		network, field := s.Networks[f], "addresses."+node.Name
		a := netip.PrefixFrom(plus(network, number), network.Bits())
		if pins[f].field != "" {
			a, field = pins[f].address, pins[f].field
			if a.Masked() != network {
				p.linkError(port.Link, field, "%s isn't in %s, the network of the segment of switch %s: give the switch "+
					"\"subnets\": [%q] or pin another address", a, network, first, a.Masked().String())
				continue
			}
		}
		other, clash := taken[a.Addr()]
		if !clash {
			taken[a.Addr()] = port
			p.addresses[f][port.Link][port.End] = a
			continue
		}
		one, two := p.plan.Interfaces[other.Link][other.End].Name, p.plan.Interfaces[port.Link][port.End].Name
		if pins[f].field != "" {
			p.linkError(port.Link, field, "%s and %s have the same address %s: give one of them another one", one, two, a.Addr())
			continue
		}
		p.linkError(port.Link, field, "%s and %s get the same address %s in the segment of switch %s after their names: "+
			"give one of them addresses", one, two, a.Addr(), first)
		return // the other IP version has the same number
	}
}
