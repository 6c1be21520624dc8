package ip

import (
	"encoding/binary"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

// virtualAt returns the NIC's virtual address that is a, or nil.
func (n *nic) virtualAt(a netip.Addr) *virtual {
	list := n.host.virtual()
	for i := range list {
		if list[i].nic == n && list[i].Address == a {
			return &list[i]
		}
	}
	return nil
}

// takesFor says whether the NIC takes frames for a virtual MAC address.
func (n *nic) takesFor(mac []byte) bool {
	for _, v := range n.host.virtual() {
		if v.nic == n && v.MAC != [6]byte{} && [6]byte(mac) == v.MAC {
			return true
		}
	}
	return false
}

// unanswered says whether a frame asks who has a virtual address that the host is silent about, or is another host's announcement of
// one, which is no question.
func (n *nic) unanswered(frame []byte) bool {
	if n.host.virtuals.Load() == nil {
		return false
	}
	target, ok := asked(frame)
	if !ok {
		return false
	}
	v := n.virtualAt(target)
	return v != nil && (v.Silent || announces(frame))
}

// announces says whether a frame is a gratuitous ARP packet: about its sender's own address.
func announces(frame []byte) bool {
	a := header.ARP(frame[header.EthernetMinimumSize:])
	return binary.BigEndian.Uint16(frame[12:]) == netem.EtherTypeARP && a.IsValid() &&
		string(a.ProtocolAddressSender()) == string(a.ProtocolAddressTarget())
}

// asked returns the address that an ARP request or a neighbour solicitation asks for.
func asked(frame []byte) (netip.Addr, bool) {
	d := frame[header.EthernetMinimumSize:]
	switch binary.BigEndian.Uint16(frame[12:]) {
	case netem.EtherTypeARP:
		if a := header.ARP(d); a.IsValid() && a.Op() == header.ARPRequest {
			return netip.AddrFrom4([4]byte(a.ProtocolAddressTarget())), true
		}
	case netem.EtherTypeIPv6:
		if m, ok := discovery(d); ok && m.Type() == header.ICMPv6NeighborSolicit {
			return netip.AddrFrom16([16]byte(m[8:24])), true
		}
	}
	return netip.Addr{}, false
}

// discovery returns the neighbour solicitation or advertisement in an IPv6 packet.
func discovery(d []byte) (header.ICMPv6, bool) {
	if len(d) < header.IPv6MinimumSize+header.ICMPv6NeighborSolicitMinimumSize || d[header.IPv6NextHeaderOffset] != uint8(header.ICMPv6ProtocolNumber) {
		return nil, false
	}
	m := header.ICMPv6(d[header.IPv6MinimumSize:])
	return m, m.Type() == header.ICMPv6NeighborSolicit || m.Type() == header.ICMPv6NeighborAdvert
}

// dress makes a frame that leaves from a virtual address leave from its MAC address, and hides silent addresses from those who
// are asked for their own.
func (n *nic) dress(frame []byte) {
	d := frame[header.EthernetMinimumSize:]
	switch binary.BigEndian.Uint16(frame[12:]) {
	case netem.EtherTypeIPv4:
		if len(d) >= header.IPv4MinimumSize {
			n.dressSource(frame, netip.AddrFrom4([4]byte(d[12:16])))
		}
	case netem.EtherTypeARP:
		n.dressARP(frame, header.ARP(d))
	case netem.EtherTypeIPv6:
		if len(d) < header.IPv6MinimumSize {
			return
		}
		n.dressSource(frame, netip.AddrFrom16([16]byte(d[8:24])))
		if m, ok := discovery(d); ok {
			n.dressDiscovery(frame, header.IPv6(d), m)
		}
	}
}

func (n *nic) dressSource(frame []byte, source netip.Addr) {
	if v := n.virtualAt(source); v != nil && v.MAC != [6]byte{} {
		copy(frame[6:12], v.MAC[:])
	}
}

func (n *nic) dressARP(frame []byte, a header.ARP) {
	if !a.IsValid() {
		return
	}
	v := n.virtualAt(netip.AddrFrom4([4]byte(a.ProtocolAddressSender())))
	switch {
	case v == nil:
	case v.Silent:
		if own, ok := n.ownAddress(true); ok {
			copy(a.ProtocolAddressSender(), own.AsSlice())
		}
	case v.MAC != [6]byte{}:
		copy(frame[6:12], v.MAC[:])
		copy(a.HardwareAddressSender(), v.MAC[:])
	}
}

func (n *nic) dressDiscovery(frame []byte, h header.IPv6, m header.ICMPv6) {
	speaker := toNetip(h.SourceAddress())
	if m.Type() == header.ICMPv6NeighborAdvert {
		speaker = netip.AddrFrom16([16]byte(m[8:24]))
	}
	v := n.virtualAt(speaker)
	switch {
	case v == nil:
		return
	case v.Silent:
		own, ok := n.ownAddress(false)
		if !ok || m.Type() != header.ICMPv6NeighborSolicit {
			return
		}
		h.SetSourceAddress(fromNetip(own))
	case v.MAC != [6]byte{}:
		copy(frame[6:12], v.MAC[:])
		for options := m[header.ICMPv6NeighborSolicitMinimumSize:]; len(options) >= 8; {
			if options[0] == 1 || options[0] == 2 { // link-layer address of the source or of the target
				copy(options[2:8], v.MAC[:])
			}
			size := int(options[1]) * 8
			if size == 0 || size > len(options) {
				break
			}
			options = options[size:]
		}
	}
	m = header.ICMPv6(h.Payload())
	sumICMPv6(m, h)
}

// ownAddress returns the interface's own address of an IP version.
func (n *nic) ownAddress(v4 bool) (netip.Addr, bool) {
	for _, p := range n.host.interfaces[n.id-2].Addresses {
		if p.Addr().Is4() == v4 {
			return p.Addr(), true
		}
	}
	return netip.Addr{}, false
}
