package plan

import (
	"iter"
	"net/netip"
)

// table is a node's routing table made for looking up, its own networks included.
type table struct {
	routes map[netip.Prefix]netip.Addr // the zero Addr means on-link
	bits   [2][]int                    // the prefix lengths in the table, longest first
}

// maxHops is the time to live of packets: 64 is what hosts send (RFC 1700).
const maxHops = 64

// Reachable says whether a packet of node a gets to some address of node b by the planned routes, and an answer back to
// the address that it came from. Links count as up. A switch isn't reachable, and a node reaches itself. Not for
// concurrent use.
func (p *Plan) Reachable(a, b int, f Family) bool {
	if !p.lab.Nodes[a].speaks(f) || !p.lab.Nodes[b].speaks(f) {
		return false
	}
	if a == b {
		return true
	}
	for to := range p.addressesOf(b, f) {
		if source, ok := p.walk(a, to, nil); ok {
			if _, ok := p.walk(b, source, nil); ok {
				return true
			}
		}
	}
	return false
}

// Step is a node that sends a packet on its way, and the address of the neighbour that it sends it to.
type Step struct {
	Node int
	Next netip.Addr
}

// Way returns the steps by which a packet of node a gets to some address of node b, whether or not an answer would get back: the
// first is a, the last one sends it to b. It is nil if there is no way. Not for concurrent use.
func (p *Plan) Way(a, b int, f Family) []Step {
	for to := range p.addressesOf(b, f) {
		var steps []Step
		if _, ok := p.walk(a, to, func(s Step) { steps = append(steps, s) }); ok {
			return steps
		}
	}
	return nil
}

// addressesOf returns a node's addresses of an IP version.
func (p *Plan) addressesOf(n int, f Family) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for _, port := range p.Ports[n] {
			if a := p.Interfaces[port.Link][port.End].Address(f); a.IsValid() && !yield(a.Addr()) {
				return
			}
		}
	}
}

// index finds out who has which address.
func (p *Plan) index() {
	p.owners, p.tables = map[netip.Addr]int{}, map[int]*table{}
	for n, ports := range p.Ports {
		for _, port := range ports {
			for _, address := range p.Interfaces[port.Link][port.End].Addresses {
				p.owners[address.Addr()] = n
			}
		}
	}
}

// walk follows the routes from a node to an address, and returns the node's address on the first network of the way. visit is
// called with each step, if it isn't nil.
func (p *Plan) walk(from int, to netip.Addr, visit func(Step)) (source netip.Addr, ok bool) {
	if p.owners == nil {
		p.index()
	}
	n := from
	for range maxHops {
		via, ok := p.table(n).lookup(to)
		if !ok {
			return source, false
		}
		if !via.IsValid() {
			via = to
		}
		if n == from {
			source = p.sourceTo(n, via)
		}
		if visit != nil {
			visit(Step{n, via})
		}
		next, exists := p.owners[via]
		switch {
		case !exists:
			return source, false
		case via == to:
			return source, true
		case p.lab.Nodes[next].Kind != Router: // a host takes packets only where they are addressed to
			return source, false
		case p.owners[to] == next:
			return source, true
		}
		n = next
	}
	return source, false
}

// sourceTo returns the node's address on the network of a neighbour.
func (p *Plan) sourceTo(node int, neighbour netip.Addr) netip.Addr {
	for _, port := range p.Ports[node] {
		if a := p.Interfaces[port.Link][port.End].Address(family(neighbour)); a.IsValid() && a.Contains(neighbour) {
			return a.Addr()
		}
	}
	return netip.Addr{}
}

// table returns a node's table for looking up.
func (p *Plan) table(node int) *table {
	if t := p.tables[node]; t != nil {
		return t
	}
	t := &table{routes: map[netip.Prefix]netip.Addr{}}
	var present [2][129]bool
	add := func(to netip.Prefix, via netip.Addr) {
		t.routes[to] = via
		present[family(to.Addr())][to.Bits()] = true
	}
	for _, r := range p.Routes[node] {
		add(r.To, r.Via)
	}
	for _, port := range p.Ports[node] {
		for _, a := range p.Interfaces[port.Link][port.End].Addresses {
			add(a.Masked(), netip.Addr{})
		}
	}
	for f := range present {
		for bits := 128; bits >= 0; bits-- {
			if present[f][bits] {
				t.bits[f] = append(t.bits[f], bits)
			}
		}
	}
	p.tables[node] = t
	return t
}

// lookup finds the longest prefix that holds an address.
func (t *table) lookup(to netip.Addr) (via netip.Addr, ok bool) {
	for _, bits := range t.bits[family(to)] {
		if network, err := to.Prefix(bits); err == nil {
			if via, ok = t.routes[network]; ok {
				return via, true
			}
		}
	}
	return netip.Addr{}, false
}
