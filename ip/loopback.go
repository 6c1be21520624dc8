package ip

import (
	"fmt"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"netlab/netem"
)

// loopback is a host's lo: what is sent there comes back in an event of its own, so that a host talks to itself in the
// same order in every run. It is no port of the network and isn't captured.
type loopback struct {
	host       *Host
	dispatcher stack.NetworkDispatcher
}

const loopbackMTU = 65536

var _ stack.LinkEndpoint = (*loopback)(nil)

func (l *loopback) MTU() uint32                               { return loopbackMTU }
func (l *loopback) SetMTU(uint32)                             {}
func (l *loopback) MaxHeaderLength() uint16                   { return 0 }
func (l *loopback) LinkAddress() tcpip.LinkAddress            { return "" }
func (l *loopback) SetLinkAddress(tcpip.LinkAddress)          {}
func (l *loopback) Attach(dispatcher stack.NetworkDispatcher) { l.dispatcher = dispatcher }
func (l *loopback) IsAttached() bool                          { return l.dispatcher != nil }
func (l *loopback) Wait()                                     {}
func (l *loopback) ARPHardwareType() header.ARPHardwareType   { return header.ARPHardwareLoopback }
func (l *loopback) AddHeader(*stack.PacketBuffer)             {}
func (l *loopback) ParseHeader(*stack.PacketBuffer) bool      { return true }
func (l *loopback) Close()                                    {}
func (l *loopback) SetOnCloseAction(func())                   {}

func (l *loopback) Capabilities() stack.LinkEndpointCapabilities {
	return stack.CapabilityRXChecksumOffload | stack.CapabilityTXChecksumOffload | stack.CapabilityLoopback
}

func (l *loopback) WritePackets(list stack.PacketBufferList) (int, tcpip.Error) {
	packets := list.AsSlice()
	for _, pkt := range packets {
		if !l.host.Alive() {
			continue
		}
		back := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: pkt.ToBuffer()})
		proto := pkt.NetworkProtocolNumber
		l.host.net.AfterFunc(l.host.owner, netem.KindArrival, 0, func() {
			l.host.awake(func() {
				if l.dispatcher != nil {
					l.dispatcher.DeliverNetworkPacket(proto, back)
				}
			})
			back.DecRef()
		})
	}
	return len(packets), nil
}

// loopbackID is the NIC of the loopback interface.
const loopbackID = 1

// Reach prepares the host for sending to an address: it makes the loopback interface when the address is one of its own. Most
// hosts never talk to themselves and go without. [Host.Resolve] does it for the addresses that it returns.
func (h *Host) Reach(a netip.Addr) {
	if (a.IsLoopback() || h.owns(a)) && h.Alive() {
		h.lo.Do(h.addLoopback)
	}
}

func (h *Host) owns(a netip.Addr) bool {
	for _, i := range h.interfaces {
		for _, p := range i.Addresses {
			if p.Addr() == a {
				return true
			}
		}
	}
	for _, v := range h.virtual() {
		if v.Address == a {
			return true
		}
	}
	return false
}

// addLoopback adds lo with its own addresses and all those of the other NICs, so that a host reaches itself by any of its
// addresses without a frame on the wire.
func (h *Host) addLoopback() {
	if err := h.stack.CreateNICWithOptions(loopbackID, &loopback{host: h}, stack.NICOptions{Name: "lo"}); err != nil {
		panic(fmt.Sprintf("ip: host %s: interface lo: %s", h.name, err))
	}
	var table []tcpip.Route
	add := func(p, route netip.Prefix) {
		if err := h.addAddress(loopbackID, p); err != nil {
			panic(fmt.Sprintf("ip: host %s: interface lo: %v", h.name, err))
		}
		table = append(table, tcpip.Route{Destination: subnet(route), NIC: loopbackID, SourceHint: fromNetip(p.Addr())})
	}
	for _, a := range h.Addresses() {
		own := netip.PrefixFrom(a, a.BitLen())
		add(own, own)
	}
	if h.ipv4 {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 8)
		add(p, p)
	}
	if h.ipv6 {
		p := netip.PrefixFrom(netip.IPv6Loopback(), 128)
		add(p, p)
	}
	h.stack.SetRouteTable(append(table, h.stack.GetRouteTable()...))
	for _, v := range h.virtual() {
		h.loopbackAddress(v.Address)
	}
}

// loopbackAddress makes lo lead to another address of the host.
func (h *Host) loopbackAddress(a netip.Addr) {
	if err := h.stack.AddProtocolAddress(loopbackID, protocolAddress(a), stack.AddressProperties{}); err != nil {
		panic(fmt.Sprintf("ip: host %s: interface lo: address %s: %s", h.name, a, err))
	}
	own := tcpip.Route{Destination: subnet(netip.PrefixFrom(a, a.BitLen())), NIC: loopbackID, SourceHint: fromNetip(a)}
	h.stack.SetRouteTable(append([]tcpip.Route{own}, h.stack.GetRouteTable()...))
}
