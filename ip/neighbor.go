package ip

import (
	"encoding/binary"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

// What a router's neighbour table is like (RFC 1122, section 2.3.2; RFC 4861, section 10).
const (
	neighborLifetime = 5 * time.Minute // how long an answer is believed
	neighborRetry    = time.Second     // between requests
	neighborRequests = 3
	neighborPending  = 64 // packets that wait for one answer; the oldest goes when there are more
)

// resolver finds MAC addresses behind a switch: by ARP for IPv4, by neighbour discovery for IPv6.
type resolver struct {
	iface   *routerInterface
	entries map[netip.Addr]*neighbor
}

// neighbor is what is known of one address.
type neighbor struct {
	mac     [6]byte
	until   time.Duration // until when mac holds; 0 means that it isn't known
	asked   int
	pending []pendingPacket
	timer   *netem.Timer
}

type pendingPacket struct {
	in    *routerInterface
	frame *netem.Frame
}

// send sends a packet to a neighbour, after asking for its MAC address if need be.
func (s *resolver) send(at time.Duration, in *routerInterface, f *netem.Frame, to netip.Addr) {
	n := s.entries[to]
	if n == nil {
		n = &neighbor{}
		s.entries[to] = n
	}
	if n.until > at {
		s.transmit(at, f, n.mac)
		return
	}
	n.until = 0
	if len(n.pending) == neighborPending {
		s.iface.router.stats.Unresolved++
		n.pending[0].frame.Release()
		n.pending = n.pending[1:]
	}
	n.pending = append(n.pending, pendingPacket{in, f})
	if n.asked == 0 {
		s.ask(at, to, n)
	}
}

func (s *resolver) transmit(at time.Duration, f *netem.Frame, mac [6]byte) {
	copy(f.Data[0:6], mac[:])
	s.iface.router.stats.Sent++
	s.iface.port.Forward(at, f)
}

func (s *resolver) ask(at time.Duration, to netip.Addr, n *neighbor) {
	r := s.iface.router
	n.asked++
	if n.timer == nil {
		n.timer = r.net.NewTimer(r.owner, netem.KindTimer, func() { s.timeout(r.net.Elapsed(), to, n) })
	}
	n.timer.ResetAt(at + neighborRetry)
	if to.Is4() {
		s.iface.sendARP(at, header.ARPRequest, [6]byte{}, to)
	} else {
		s.iface.sendNDP(at, header.ICMPv6NeighborSolicit, solicitedNode(to), to, multicastMAC(solicitedNode(to)))
	}
}

func (s *resolver) timeout(at time.Duration, to netip.Addr, n *neighbor) {
	if n.asked < neighborRequests {
		s.ask(at, to, n)
		return
	}
	delete(s.entries, to)
	for _, p := range n.pending {
		s.iface.router.unreachable(at, p.in, p.frame)
	}
}

// learn takes in that an address has a MAC address. create says whether to remember an address that nobody asked for.
func (s *resolver) learn(at time.Duration, a netip.Addr, mac [6]byte, create bool) {
	n := s.entries[a]
	if n == nil {
		if !create {
			return
		}
		n = &neighbor{}
		s.entries[a] = n
	}
	n.mac, n.until, n.asked = mac, at+neighborLifetime, 0
	if n.timer != nil {
		n.timer.Stop()
	}
	pending := n.pending
	n.pending = nil
	for _, p := range pending {
		s.transmit(at, p.frame, mac)
	}
}

// receiveARP answers requests for the interface's addresses and learns from requests and replies.
func (i *routerInterface) receiveARP(at time.Duration, f *netem.Frame) {
	defer f.Release()
	a := header.ARP(f.Data[header.EthernetMinimumSize:])
	if !a.IsValid() || i.resolver == nil && i.neighbors == nil {
		return
	}
	sender, _ := netip.AddrFromSlice(a.ProtocolAddressSender())
	target, _ := netip.AddrFromSlice(a.ProtocolAddressTarget())
	mine := i.has(target)
	if i.resolver != nil && sender.IsValid() && !sender.IsUnspecified() {
		i.resolver.learn(at, sender, [6]byte(a.HardwareAddressSender()), mine)
	}
	if mine && a.Op() == header.ARPRequest {
		i.sendARPFrom(at, header.ARPReply, target, [6]byte(a.HardwareAddressSender()), sender)
	}
}

func (i *routerInterface) has(a netip.Addr) bool {
	for _, p := range i.addresses {
		if p.Addr() == a {
			return true
		}
	}
	return false
}

func (i *routerInterface) sendARP(at time.Duration, op header.ARPOp, to [6]byte, target netip.Addr) {
	from := target
	for _, p := range i.addresses {
		if p.Contains(target) {
			from = p.Addr()
		}
	}
	i.sendARPFrom(at, op, from, to, target)
}

func (i *routerInterface) sendARPFrom(at time.Duration, op header.ARPOp, from netip.Addr, to [6]byte, target netip.Addr) {
	f := i.router.net.NewFrame(header.EthernetMinimumSize + header.ARPSize)
	src := i.port.MAC()
	dst := to
	if op == header.ARPRequest {
		dst = [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	}
	copy(f.Data[0:6], dst[:])
	copy(f.Data[6:12], src[:])
	binary.BigEndian.PutUint16(f.Data[12:], netem.EtherTypeARP)
	a := header.ARP(f.Data[header.EthernetMinimumSize:])
	a.SetIPv4OverEthernet()
	a.SetOp(op)
	copy(a.HardwareAddressSender(), src[:])
	copy(a.ProtocolAddressSender(), from.AsSlice())
	copy(a.HardwareAddressTarget(), to[:])
	copy(a.ProtocolAddressTarget(), target.AsSlice())
	i.port.Forward(at, f)
}

// receiveNDP answers neighbour solicitations for the interface's addresses and learns from them and from advertisements.
func (i *routerInterface) receiveNDP(at time.Duration, f *netem.Frame) {
	defer f.Release()
	h := header.IPv6(f.Data[header.EthernetMinimumSize:])
	m := header.ICMPv6(h.Payload())
	if len(m) < header.ICMPv6NeighborSolicitMinimumSize || h.HopLimit() != header.NDPHopLimit {
		return
	}
	target, _ := netip.AddrFromSlice(m[8:24])
	link, hasLink := linkOption(m[24:])
	if m.Type() == header.ICMPv6NeighborAdvert {
		if i.resolver != nil && hasLink {
			i.resolver.learn(at, target, link, false)
		}
		return
	}
	if !i.has(target) {
		return
	}
	sender := toNetip(h.SourceAddress())
	if !hasLink {
		link = [6]byte(f.Data[6:12])
	}
	if i.resolver != nil && !sender.IsUnspecified() {
		i.resolver.learn(at, sender, link, true)
	}
	i.sendNDP(at, header.ICMPv6NeighborAdvert, sender, target, link)
}

// linkOption returns the link-layer address among the options of a neighbour discovery message.
func linkOption(options []byte) (mac [6]byte, ok bool) {
	for len(options) >= 8 {
		n := int(options[1]) * 8
		if n == 0 || n > len(options) {
			return mac, false
		}
		if options[0] == 1 || options[0] == 2 {
			return [6]byte(options[2:8]), true
		}
		options = options[n:]
	}
	return mac, false
}

// sendNDP sends a neighbour solicitation or advertisement about target.
func (i *routerInterface) sendNDP(at time.Duration, kind header.ICMPv6Type, to, target netip.Addr, mac [6]byte) {
	from, ok := i.address(false)
	if !ok {
		return
	}
	const size = header.ICMPv6NeighborSolicitMinimumSize + 8
	f := i.router.net.NewFrame(header.EthernetMinimumSize + header.IPv6MinimumSize + size)
	src := i.port.MAC()
	copy(f.Data[0:6], mac[:])
	copy(f.Data[6:12], src[:])
	binary.BigEndian.PutUint16(f.Data[12:], netem.EtherTypeIPv6)
	h := header.IPv6(f.Data[header.EthernetMinimumSize:])
	h.Encode(&header.IPv6Fields{PayloadLength: size, HopLimit: header.NDPHopLimit,
		TransportProtocol: header.ICMPv6ProtocolNumber, SrcAddr: fromNetip(from), DstAddr: fromNetip(to)})
	m := header.ICMPv6(h[header.IPv6MinimumSize:])
	clear(m)
	m.SetType(kind)
	copy(m[8:24], target.AsSlice())
	m[24], m[25] = 1, 1 // source link-layer address
	if kind == header.ICMPv6NeighborAdvert {
		m[4] = 0xe0 // router, solicited, override
		m[24] = 2   // target link-layer address
	}
	copy(m[26:32], src[:])
	sumICMPv6(m, h)
	i.router.stats.ICMPSent++
	i.port.Forward(at, f)
}

func solicitedNode(a netip.Addr) netip.Addr {
	return toNetip(header.SolicitedNodeAddr(fromNetip(a)))
}

func multicastMAC(a netip.Addr) [6]byte {
	return [6]byte([]byte(header.EthernetAddressFromMulticastIPv6Address(fromNetip(a))))
}
