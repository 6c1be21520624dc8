package ip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// Names is a lab's hosts table: the addresses of each node by name. All hosts of a lab share it.
type Names struct {
	addrs map[string][]netip.Addr
	names map[netip.Addr]string
	order []string
}

// Add gives a name further addresses.
func (t *Names) Add(name string, addrs ...netip.Addr) {
	if t.addrs == nil {
		t.addrs, t.names = map[string][]netip.Addr{}, map[netip.Addr]string{}
	}
	if _, known := t.addrs[name]; !known {
		t.order = append(t.order, name)
	}
	t.addrs[name] = append(t.addrs[name], addrs...)
	for _, a := range addrs {
		t.names[a] = name
	}
}

// Lookup returns the addresses of a name in the order of the node's interfaces.
func (t *Names) Lookup(name string) []netip.Addr { return t.addrs[name] }

// Name returns the name that has an address, or "".
func (t *Names) Name(a netip.Addr) string { return t.names[a] }

// All returns the names in the order in which they were added.
func (t *Names) All() []string { return t.order }

// Resolver finds the addresses of names over the network. Package netlab/dns has one.
type Resolver interface {
	// Lookup returns the addresses of a name in the order of the answer, of the IP versions that the host speaks. The error
	// is a *net.DNSError.
	Lookup(ctx context.Context, name string) ([]netip.Addr, error)
}

// SetResolver makes the host ask r for names; nil, which is the default, means the lab's hosts table. It is to be called before
// anything runs on the host.
func (h *Host) SetResolver(r Resolver) { h.resolver = r }

// Resolver returns what the host asks for names, nil if that is the lab's hosts table.
func (h *Host) Resolver() Resolver { return h.resolver }

// Resolve returns the addresses that a host tries for a name or a literal address, best first: those of a family that the
// host speaks, and of the one that it prefers first. Its own name and "localhost" are known to it. For others it asks its
// resolver, which may take time, or the lab's hosts table. The error is a *net.DNSError.
func (h *Host) Resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	addrs, err := h.resolve(ctx, name)
	for _, a := range addrs {
		h.Reach(a)
	}
	return addrs, err
}

func (h *Host) resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(name); err == nil {
		if !h.speaks(a) {
			return nil, &net.AddrError{Err: "the host has no address of this family", Addr: name}
		}
		return []netip.Addr{a}, nil
	}
	if name == "localhost" || name == h.name {
		return h.ownAddresses(name), nil
	}
	found := h.names.Lookup(name)
	if h.resolver != nil {
		var err error
		if found, err = h.resolver.Lookup(ctx, name); err != nil {
			return nil, err
		}
	}
	var first, second []netip.Addr
	for _, a := range found {
		switch {
		case !h.speaks(a):
		case a.Is4() != h.preferIPv6:
			first = append(first, a)
		default:
			second = append(second, a)
		}
	}
	addrs := append(first, second...)
	if len(addrs) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return addrs, nil
}

func (h *Host) ownAddresses(name string) []netip.Addr {
	var v4, v6 []netip.Addr
	if name == "localhost" {
		v4, v6 = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, []netip.Addr{netip.IPv6Loopback()}
	} else {
		for _, a := range h.Addresses() {
			if a.Is4() {
				v4 = append(v4, a)
			} else {
				v6 = append(v6, a)
			}
		}
	}
	if !h.ipv4 {
		v4 = nil
	}
	if !h.ipv6 {
		v6 = nil
	}
	if h.preferIPv6 {
		return append(v6, v4...)
	}
	return append(v4, v6...)
}

// Names returns the lab's hosts table.
func (h *Host) Names() *Names { return h.names }

// SplitHostPort splits "host:port". network is for the error.
func SplitHostPort(network, address string) (host string, port uint16, err error) {
	host, p, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return "", 0, &net.AddrError{Err: fmt.Sprintf("port %q of %s is not a number from 0 to 65535", p, network), Addr: address}
	}
	return host, uint16(n), nil
}
