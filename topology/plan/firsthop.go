package plan

import "net/netip"

// FirstHop returns the neighbour to which a node sends packets for an address: the node that has the address, or the next router, which
// may be a host that forwards. ok is false when there is no route. Links count as up. Not for concurrent use.
func (p *Plan) FirstHop(from int, to netip.Addr) (node int, ok bool) {
	if p.owners == nil {
		p.index()
	}
	via, ok := p.table(from).lookup(to)
	if !ok {
		return 0, false
	}
	if !via.IsValid() {
		via = to
	}
	node, ok = p.owners[via]
	return node, ok
}
