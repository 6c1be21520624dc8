package netlab

import (
	"fmt"
	"slices"

	"netlab/ip"
	"netlab/netem"
	"netlab/services"
	"netlab/topology"
)

// nameAddresses makes the lab's hosts table know the addresses that have a name of their own.
func (w *world) nameAddresses() {
	for name, a := range w.lab.topology.Addresses.All() {
		w.names.Add(name, a.Addresses...)
	}
}

// giveAddresses gives a host those that it has from its start.
func (w *world) giveAddresses(n *worldNode) error {
	h := n.host()
	if h == nil {
		return nil
	}
	for name, a := range w.lab.topology.Addresses.All() {
		silent := a.Anycast != nil && slices.Contains(a.Anycast, n.name) || slices.Contains(a.Silent, n.name)
		if a.Host != n.name && !silent {
			continue
		}
		for _, address := range a.Addresses {
			if err := w.giveAddress(n, &a, ip.VirtualAddress{Address: address, Silent: silent}); err != nil {
				return fmt.Errorf("address %s: %w", name, err)
			}
		}
	}
	return nil
}

// giveAddress gives a host one address, on the interface that is on the segment, or the first one.
func (w *world) giveAddress(n *worldNode, a *topology.Address, v ip.VirtualAddress) error {
	h := n.host()
	v4, v6 := h.Speaks()
	if v.Address.Is4() && !v4 || v.Address.Is6() && !v6 {
		return nil
	}
	number := 0
	if a.Segment != "" {
		var ok bool
		if number, ok = h.InterfaceFor(v.Address); !ok {
			return fmt.Errorf("%s is on no network of %s", v.Address, n.name)
		}
	}
	if a.Host == n.name {
		i := h.Interfaces()[number]
		w.net.SetAddress(v.Address, netem.NodeID(w.byName[n.name]))
		if i.Neighbors != nil {
			i.Neighbors.Add(v.Address, i.Port.MAC())
		}
	}
	return h.AddAddress(number, v)
}

// addressNames returns the names of the addresses that a host has or may have, for which its certificates are good too.
func (l *Lab) addressNames(node string) (names []string) {
	for name, a := range l.topology.Addresses.All() {
		if a.Host == node || slices.Contains(a.Silent, node) || slices.Contains(a.Anycast, node) || l.holds(node, name) {
			names = append(names, name)
		}
	}
	return names
}

// holds says whether a service of a node takes an address.
func (l *Lab) holds(node, address string) bool {
	n, _ := l.topology.Nodes.Get(node)
	for _, s := range n.Services.All() {
		if holder, ok := s.Config.(services.AddressHolder); ok {
			if _, names := holder.HeldAddresses(); slices.Contains(names, address) {
				return true
			}
		}
	}
	return false
}
