package ip

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// Egress returns the NIC by which packets from one of the host's addresses to another address leave. It is 0, which leaves the choice to
// the stack, where there is no route and as long as there is no lo.
//
// Whoever sends from an endpoint that is bound to an address has to say it: lo has all addresses of the host, so there are two NICs with
// the address, and the stack takes that of either, in any order, for the one that all packets of the endpoint leave by.
func (h *Host) Egress(local, remote netip.Addr) tcpip.NICID {
	if h.stack == nil || !h.stack.HasNIC(loopbackID) {
		return 0
	}
	route, err := h.stack.FindRoute(0, fromNetip(local), fromNetip(remote), networkProtocol(remote.Is6()), false)
	if err != nil {
		return 0
	}
	defer route.Release()
	return route.NICID()
}
