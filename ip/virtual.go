package ip

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// VirtualAddress is an address that a host has beside those of its interfaces, for a time: the shared address of a pair of
// balancers, or that of a balancer on the servers that answer in its place (direct server return). Sockets that listen on all
// addresses serve it at once. It is never the source of what the host sends of its own accord.
type VirtualAddress struct {
	Address netip.Addr
	// MAC, when not zero, is a virtual MAC address (RFC 9568, section 7.3): the interface takes frames for it as it does those for its
	// own, and what leaves from the address leaves from it, also in answers of ARP and neighbour discovery.
	MAC [6]byte
	// Silent makes the host keep the address to itself: it doesn't answer for it by ARP or neighbour discovery, nor does it mention it
	// when it asks itself (Linux's arp_ignore=1 and arp_announce=2). Somebody else on the segment has the address too.
	Silent bool
}

// virtual is a virtual address on an interface.
type virtual struct {
	VirtualAddress
	nic *nic
}

// InterfaceFor returns the number of the interface on whose network an address lies, from 0 in the order of
// [Host.Interfaces].
func (h *Host) InterfaceFor(a netip.Addr) (number int, ok bool) {
	id, ok := h.nicFor(a)
	return int(id) - 2, ok
}

// AddAddress gives an interface, counted from 0, another address. Nobody is told: see [Host.Announce]. It lasts until
// [Host.RemoveAddress] or the host's crash; the next incarnation begins without. An address that the host has already, that it
// doesn't speak or that is not a unicast one is an error. Any goroutine of the host may call it.
func (h *Host) AddAddress(number int, a VirtualAddress) error {
	h.virtualMu.Lock()
	defer h.virtualMu.Unlock()
	fail := func(err error) error { return fmt.Errorf("host %s: address %s: %w", h.name, a.Address, err) }
	switch {
	case h.Err() != nil:
		return fail(h.Err())
	case number < 0 || number >= len(h.nics):
		return fail(fmt.Errorf("there is no interface %d: the host has %d, counted from 0", number, len(h.nics)))
	case !a.Address.IsValid() || a.Address.IsUnspecified() || a.Address.IsMulticast() || a.Address.IsLoopback() || a.Address.Is4In6():
		return fail(errors.New("want a unicast address"))
	case !h.speaks(a.Address):
		return fail(errors.New("the host doesn't speak this IP version"))
	case h.owns(a.Address):
		return fail(errors.New("the host has it already"))
	}
	n := h.nics[number]
	if err := h.stack.AddProtocolAddress(n.id, protocolAddress(a.Address),
		stack.AddressProperties{PEB: stack.NeverPrimaryEndpoint}); err != nil {
		return fail(errors.New(err.String()))
	}
	if h.stack.HasNIC(loopbackID) {
		h.loopbackAddress(a.Address)
	}
	h.setVirtual(append(slices.Clone(h.virtual()), virtual{a, n}))
	return nil
}

// RemoveAddress takes an address away that [Host.AddAddress] gave. Connections at it stay in the stack, but nothing reaches them
// any more. Any goroutine of the host may call it.
func (h *Host) RemoveAddress(a netip.Addr) error {
	h.virtualMu.Lock()
	defer h.virtualMu.Unlock()
	if err := h.Err(); err != nil {
		return fmt.Errorf("host %s: address %s: %w", h.name, a, err)
	}
	list := h.virtual()
	i := slices.IndexFunc(list, func(v virtual) bool { return v.Address == a })
	if i < 0 {
		return fmt.Errorf("host %s: address %s: it is no virtual address of the host", h.name, a)
	}
	if err := h.stack.RemoveAddress(list[i].nic.id, fromNetip(a)); err != nil {
		return fmt.Errorf("host %s: address %s: %s", h.name, a, err)
	}
	if h.stack.HasNIC(loopbackID) {
		own := subnet(netip.PrefixFrom(a, a.BitLen()))
		h.stack.RemoveRoutes(func(r tcpip.Route) bool { return r.NIC == loopbackID && r.Destination == own })
		h.stack.RemoveAddress(loopbackID, fromNetip(a))
	}
	h.setVirtual(slices.Delete(slices.Clone(list), i, i+1))
	return nil
}

// Chooses says whether an address is one of several that the host has of its IP version, so that it makes a difference from which one
// it answers. Any goroutine may call it.
func (h *Host) Chooses(a netip.Addr) bool {
	own, others := false, false
	note := func(b netip.Addr) {
		own = own || b == a
		others = others || b != a && b.Is6() == a.Is6()
	}
	for _, i := range h.interfaces {
		for _, p := range i.Addresses {
			note(p.Addr())
		}
	}
	for _, v := range h.virtual() {
		note(v.Address)
	}
	return own && others
}

// VirtualAddresses returns the host's virtual addresses in the order in which they were added.
func (h *Host) VirtualAddresses() []VirtualAddress {
	var list []VirtualAddress
	for _, v := range h.virtual() {
		list = append(list, v.VirtualAddress)
	}
	return list
}

// virtual returns the virtual addresses, which are not to be changed.
func (h *Host) virtual() []virtual {
	if list := h.virtuals.Load(); list != nil {
		return *list
	}
	return nil
}

func (h *Host) setVirtual(list []virtual) {
	if len(list) == 0 {
		h.virtuals.Store(nil)
		return
	}
	h.virtuals.Store(&list)
}

// protocolAddress is a single address for the stack: one that brings no network with it.
func protocolAddress(a netip.Addr) tcpip.ProtocolAddress {
	return tcpip.ProtocolAddress{
		Protocol:          networkProtocol(a.Is6()),
		AddressWithPrefix: tcpip.AddressWithPrefix{Address: fromNetip(a), PrefixLen: a.BitLen()},
	}
}
