package ip

import (
	"net/netip"
	"sort"

	"gvisor.dev/gvisor/pkg/tcpip"
)

func fromNetip(a netip.Addr) tcpip.Address { return tcpip.AddrFromSlice(a.AsSlice()) }

func toNetip(a tcpip.Address) netip.Addr {
	addr, _ := netip.AddrFromSlice(a.AsSlice())
	return addr
}

// FullAddress converts an address and port for the network stack. An invalid address stands for any.
func FullAddress(a netip.AddrPort) tcpip.FullAddress {
	full := tcpip.FullAddress{Port: a.Port()}
	if a.Addr().IsValid() && !a.Addr().IsUnspecified() {
		full.Addr = fromNetip(a.Addr().Unmap())
	}
	return full
}

// AddrPort converts an address and port of the network stack.
func AddrPort(a tcpip.FullAddress) netip.AddrPort { return netip.AddrPortFrom(toNetip(a.Addr), a.Port) }

func subnet(p netip.Prefix) tcpip.Subnet {
	return tcpip.AddressWithPrefix{Address: fromNetip(p.Masked().Addr()), PrefixLen: p.Bits()}.Subnet()
}

// hop is a routing table entry before it becomes gVisor's.
type hop struct {
	to  netip.Prefix
	nic tcpip.NICID
	via netip.Addr
}

// sortHops puts the longest prefixes first and keeps the order among equals: gVisor takes the first that matches.
func sortHops(list []hop) {
	sort.SliceStable(list, func(i, j int) bool { return list[i].to.Bits() > list[j].to.Bits() })
}
