package ip

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"netlab/netem"
)

// Announce tells everybody on the segment that a virtual address is here now: by a gratuitous ARP request (the ARP announcement of
// RFC 5227, section 2.3) or an unsolicited neighbour advertisement that overrides what others know (RFC 4861, section 7.2.6).
// Neighbours that know the address take the new MAC address over; those that don't learn nothing. Switches learn on which port its
// MAC address is. It is an error if the host doesn't have the address or keeps it silent. Any goroutine of the host may call it.
func (h *Host) Announce(a netip.Addr) error {
	for _, v := range h.virtual() {
		if v.Address != a {
			continue
		}
		if v.Silent {
			return fmt.Errorf("host %s: address %s is silent: others must not know that it is here", h.name, a)
		}
		if h.Alive() {
			v.nic.announce(a, v.mac())
		}
		return nil
	}
	return fmt.Errorf("host %s: address %s: it is no virtual address of the host", h.name, a)
}

// mac returns the MAC address that others are to use for the address.
func (v *virtual) mac() [6]byte {
	if v.MAC == [6]byte{} {
		return v.nic.port.MAC()
	}
	return v.MAC
}

func (n *nic) announce(a netip.Addr, mac [6]byte) {
	if a.Is4() {
		f := n.newFrame(header.EthernetBroadcastAddress, mac, netem.EtherTypeARP, header.ARPSize)
		p := header.ARP(f.Data[header.EthernetMinimumSize:])
		p.SetIPv4OverEthernet()
		p.SetOp(header.ARPRequest)
		copy(p.HardwareAddressSender(), mac[:])
		copy(p.ProtocolAddressSender(), a.AsSlice())
		clear(p.HardwareAddressTarget())
		copy(p.ProtocolAddressTarget(), a.AsSlice())
		n.port.Send(f)
		return
	}
	const size = header.ICMPv6NeighborAdvertMinimumSize + 8
	all := netip.IPv6LinkLocalAllNodes()
	f := n.newFrame(header.EthernetAddressFromMulticastIPv6Address(fromNetip(all)), mac, netem.EtherTypeIPv6, header.IPv6MinimumSize+size)
	h := header.IPv6(f.Data[header.EthernetMinimumSize:])
	h.Encode(&header.IPv6Fields{PayloadLength: size, HopLimit: header.NDPHopLimit, TransportProtocol: header.ICMPv6ProtocolNumber,
		SrcAddr: fromNetip(a), DstAddr: fromNetip(all)})
	m := header.ICMPv6(h[header.IPv6MinimumSize:])
	clear(m)
	m.SetType(header.ICMPv6NeighborAdvert)
	m[4] = 0x20 // override
	copy(m[8:24], a.AsSlice())
	m[24], m[25] = 2, 1 // target link-layer address
	copy(m[26:32], mac[:])
	sumICMPv6(m, h)
	n.port.Send(f)
}

// newFrame makes a frame of the NIC with so many bytes behind the Ethernet header.
func (n *nic) newFrame(to tcpip.LinkAddress, from [6]byte, etherType uint16, size int) *netem.Frame {
	f := n.host.net.NewFrame(header.EthernetMinimumSize + size)
	copy(f.Data[0:6], to)
	copy(f.Data[6:12], from[:])
	binary.BigEndian.PutUint16(f.Data[12:], etherType)
	return f
}

// arpProtocol is the stack's ARP, from which it takes the tables of neighbours: the stack's own ARP doesn't learn from gratuitous
// requests.
type arpProtocol struct {
	stack.NetworkProtocol
	host *Host
}

func (h *Host) newARP(s *stack.Stack) stack.NetworkProtocol {
	return &arpProtocol{arp.NewProtocol(s), h}
}

// NewEndpoint implements stack.NetworkProtocol.
func (p *arpProtocol) NewEndpoint(n stack.NetworkInterface, d stack.TransportDispatcher) stack.NetworkEndpoint {
	if p.host.tables == nil {
		p.host.tables = map[tcpip.NICID]stack.NetworkInterface{}
	}
	p.host.tables[n.ID()] = n
	return p.NetworkProtocol.NewEndpoint(n, d)
}

// learnAnnounced takes the MAC address of a frame that announces over, if its address is known already (RFC 826: "merge").
func (n *nic) learnAnnounced(frame []byte) {
	a := header.ARP(frame[header.EthernetMinimumSize:])
	table := n.host.tables[n.id]
	if table == nil {
		return
	}
	known, err := n.host.stack.Neighbors(n.id, ipv4.ProtocolNumber)
	if err != nil {
		return // the NIC asks nobody
	}
	sender := tcpip.AddrFrom4Slice(a.ProtocolAddressSender())
	for _, e := range known {
		if e.Addr == sender && (e.State == stack.Reachable || e.State == stack.Stale || e.State == stack.Delay || e.State == stack.Probe) {
			table.HandleNeighborProbe(ipv4.ProtocolNumber, sender, tcpip.LinkAddress(bytes.Clone(a.HardwareAddressSender())))
		}
	}
}
