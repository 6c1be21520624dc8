package dns

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"

	"netlab/ip"
)

// ServerAddress returns the address at which a host asks a name server that the lab's hosts table knows by this name, or whose
// address it is: the first that the host can use. Names of servers can't be asked for.
func ServerAddress(h *ip.Host, name string) (addr netip.Addr, ok bool) {
	if a, err := netip.ParseAddr(name); err == nil {
		return a, true
	}
	v4, v6 := h.Speaks()
	for _, a := range h.Names().Lookup(name) {
		if a.Is4() && v4 || a.Is6() && v6 {
			return a, true
		}
	}
	return addr, false
}

// AddressFor returns the address at which a client should ask a name server: the one from which the server's packets to the
// client come, which matters when it has several. Both hosts must have been started.
func AddressFor(client, server *ip.Host) (addr netip.Addr, ok bool) {
	first, ok := ServerAddress(client, server.Name())
	if !ok || client == server {
		return first, ok
	}
	for _, a := range client.Addresses() {
		protocol := ipv4.ProtocolNumber
		if a.Is6() {
			protocol = ipv6.ProtocolNumber
		}
		route, err := server.Stack().FindRoute(0, tcpip.Address{}, tcpip.AddrFromSlice(a.AsSlice()), protocol, false)
		if err != nil {
			continue
		}
		local := route.LocalAddress()
		route.Release()
		if source, ok := netip.AddrFromSlice(local.AsSlice()); ok && a.Is4() == first.Is4() {
			return source, true
		}
	}
	return first, true
}
