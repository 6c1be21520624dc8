package ip

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/gaissmai/bart"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

// Router forwards IPv4 and IPv6 packets between its interfaces: longest-prefix match, TTL and hop limit, fragmentation of
// IPv4 packets that may be fragmented, and the ICMP errors that belong to it (RFC 1812, RFC 4443). It answers pings, and may have
// a stateful firewall and NAT. Where several routes lead to the same network, each flow takes one of them, by a hash of its addresses,
// protocol and ports that differs from router to router (equal-cost multipath). It has neither queues (links have them) nor a processing time of its own. ICMP errors aren't
// rate-limited.
type Router struct {
	name       string
	net        *netem.Network
	node       netem.NodeID
	owner      netem.Owner
	interfaces []*routerInterface
	table      *bart.Table[*nextHop]
	own        map[netip.Addr]bool
	stats      IPStats
	nextID     uint16 // of IPv4 packets that the router makes
	routes     []Route
	down       bool
	hashSeed   uint64 // of equal-cost multipath; 0 until there is some

	// With a firewall or NAT the router tracks connections.
	tracker              *tracker // nil without both
	firewall             *Firewall
	nat                  *NAT
	inspects4, inspects6 bool // whether forwarded packets of that version are tracked
}

// routerInterface is a NIC of a router.
type routerInterface struct {
	router    *Router
	index     int
	port      *netem.Port
	addresses []netip.Prefix
	peer      [6]byte // of the other end of a point-to-point link
	resolver  *resolver
	neighbors *Neighbors
	nic       *nic // of a host that forwards, which knows its neighbours itself; or nil
}

// nextHop is where a route leads: out of an interface, to a router or, when via is invalid, to the destination itself.
type nextHop struct {
	out *routerInterface
	via netip.Addr
	// equal are all hops that share the traffic, this one among them; nil if there is no other.
	equal []*nextHop
}

// NewRouter returns a router without interfaces.
func NewRouter(n *netem.Network, name string, node netem.NodeID) *Router {
	return &Router{name: name, net: n, node: node, owner: n.NewOwner(), own: map[netip.Addr]bool{}, table: &bart.Table[*nextHop]{}}
}

// Name returns the router's name.
func (r *Router) Name() string { return r.name }

// Stats returns the router's counters.
func (r *Router) Stats() Stats {
	s := Stats{IP: r.stats}
	if r.tracker != nil {
		r.tracker.expire(r.net.Elapsed())
		tracking := r.tracker.stats
		tracking.Connections = r.tracker.count
		s.Tracking = &tracking
	}
	if r.firewall != nil {
		s.Firewall = r.firewall.read()
	}
	if r.nat != nil {
		s.NAT = r.nat.read()
	}
	return s
}

// Addresses returns the router's addresses in the order of its interfaces.
func (r *Router) Addresses() []netip.Addr {
	var list []netip.Addr
	for _, i := range r.interfaces {
		for _, p := range i.addresses {
			list = append(list, p.Addr())
		}
	}
	return list
}

// AddInterface adds a NIC, after its port was joined to its link. The port must be Passive.
func (r *Router) AddInterface(c Interface) {
	i := &routerInterface{router: r, index: len(r.interfaces), port: c.Port, addresses: c.Addresses, neighbors: c.Neighbors}
	switch {
	case !c.Switched:
		if peer := c.Port.Peer(); peer != nil {
			i.peer = peer.MAC()
		}
	case c.Neighbors == nil:
		i.resolver = &resolver{iface: i, entries: map[netip.Addr]*neighbor{}}
	}
	for _, p := range c.Addresses {
		r.own[p.Addr()] = true
	}
	i.addNetworks(r.table)
	c.Port.SetReceive(i.receive)
	r.interfaces = append(r.interfaces, i)
}

// receive takes a frame from the network.
func (i *routerInterface) receive(at time.Duration, f *netem.Frame) {
	if len(f.Data) < header.EthernetMinimumSize || !i.accepts(f) {
		f.Release()
		return
	}
	switch f.EtherType() {
	case netem.EtherTypeIPv4:
		i.router.receive4(at, i, f)
	case netem.EtherTypeIPv6:
		i.router.receive6(at, i, f)
	case netem.EtherTypeARP:
		i.receiveARP(at, f)
	default:
		f.Release()
	}
}

// accepts says whether a frame is for this interface; a switch floods others too.
func (i *routerInterface) accepts(f *netem.Frame) bool {
	return f.Data[0]&1 == 1 || [6]byte(f.Data[0:6]) == i.port.MAC()
}

func (r *Router) receive4(at time.Duration, in *routerInterface, f *netem.Frame) {
	r.stats.Received++
	h := header.IPv4(f.Data[header.EthernetMinimumSize:])
	if !h.IsValid(len(h)) || !h.IsChecksumValid() {
		r.stats.Malformed++
		f.Release()
		return
	}
	f.Data = f.Data[:header.EthernetMinimumSize+int(h.TotalLength())] // cut the padding off
	h = header.IPv4(f.Data[header.EthernetMinimumSize:])
	if r.inspects4 {
		r.inspect4(at, in, f, h)
		return
	}
	dst := netip.AddrFrom4([4]byte(h[16:20]))
	switch {
	case r.own[dst]:
		r.stats.Delivered++
		r.answer4(at, in, f)
	case dst.IsMulticast() || f.Data[0]&1 == 1:
		f.Release() // group addresses aren't routed
	default:
		r.forward4(at, in, f, h, dst)
	}
}

func (r *Router) forward4(at time.Duration, in *routerInterface, f *netem.Frame, h header.IPv4, dst netip.Addr) {
	if hop, ok := r.next4(at, in, f, h, dst); ok {
		r.pass4(at, in, hop, f, h, dst)
	}
}

// next4 returns where a packet for dst goes. If it can't go there, the packet is answered by an error.
func (r *Router) next4(at time.Duration, in *routerInterface, f *netem.Frame, h header.IPv4, dst netip.Addr) (*nextHop, bool) {
	if h.TTL() <= 1 {
		r.stats.TTLExceeded++
		r.error4(at, in, f, header.ICMPv4TimeExceeded, header.ICMPv4TTLExceeded, 0)
		return nil, false
	}
	hop, ok := r.table.Lookup(dst)
	if !ok {
		r.stats.NoRoute++
		r.error4(at, in, f, header.ICMPv4DstUnreachable, header.ICMPv4NetUnreachable, 0)
		return nil, false
	}
	if hop.equal != nil {
		hop = hop.choose(r, h, false)
	}
	if mtu := hop.out.port.MTU(); len(h) > mtu && h.Flags()&header.IPv4FlagDontFragment != 0 {
		r.stats.TooBig++
		r.error4(at, in, f, header.ICMPv4DstUnreachable, header.ICMPv4FragmentationNeeded, uint16(mtu))
		return nil, false
	}
	return hop, true
}

// pass4 sends a packet on its way, in pieces if need be.
func (r *Router) pass4(at time.Duration, in *routerInterface, hop *nextHop, f *netem.Frame, h header.IPv4, dst netip.Addr) {
	// The TTL has the upper byte of its word; the checksum is right and follows (RFC 1624).
	var c sumChange
	c.set16(h[8:10], binary.BigEndian.Uint16(h[8:10])-1<<8)
	c.follow(h[10:12], nil)
	r.stats.Forwarded++
	if mtu := hop.out.port.MTU(); len(h) > mtu {
		r.fragment4(at, in, hop, f, h, dst, mtu)
		return
	}
	hop.send(at, in, f, dst)
}

func (r *Router) receive6(at time.Duration, in *routerInterface, f *netem.Frame) {
	r.stats.Received++
	h := header.IPv6(f.Data[header.EthernetMinimumSize:])
	if !h.IsValid(len(h)) {
		r.stats.Malformed++
		f.Release()
		return
	}
	f.Data = f.Data[:header.EthernetMinimumSize+header.IPv6MinimumSize+int(h.PayloadLength())]
	h = header.IPv6(f.Data[header.EthernetMinimumSize:])
	if r.inspects6 {
		r.inspect6(at, in, f, h)
		return
	}
	dst := netip.AddrFrom16([16]byte(h[24:40]))
	if r.own[dst] || dst.IsMulticast() {
		r.stats.Delivered++
		r.answer6(at, in, f)
		return
	}
	if hop, ok := r.next6(at, in, f, h, dst); ok {
		r.pass6(at, in, hop, f, h, dst)
	}
}

// next6 is next4 for IPv6.
func (r *Router) next6(at time.Duration, in *routerInterface, f *netem.Frame, h header.IPv6, dst netip.Addr) (*nextHop, bool) {
	if h.HopLimit() <= 1 {
		r.stats.TTLExceeded++
		r.error6(at, in, f, header.ICMPv6TimeExceeded, header.ICMPv6HopLimitExceeded, 0)
		return nil, false
	}
	hop, ok := r.table.Lookup(dst)
	if !ok {
		r.stats.NoRoute++
		r.error6(at, in, f, header.ICMPv6DstUnreachable, header.ICMPv6NetworkUnreachable, 0)
		return nil, false
	}
	if hop.equal != nil {
		hop = hop.choose(r, h, true)
	}
	if mtu := hop.out.port.MTU(); len(h) > mtu {
		r.stats.TooBig++
		r.error6(at, in, f, header.ICMPv6PacketTooBig, header.ICMPv6UnusedCode, uint32(mtu))
		return nil, false
	}
	return hop, true
}

// pass6 sends a packet on its way.
func (r *Router) pass6(at time.Duration, in *routerInterface, hop *nextHop, f *netem.Frame, h header.IPv6, dst netip.Addr) {
	h.SetHopLimit(h.HopLimit() - 1)
	r.stats.Forwarded++
	hop.send(at, in, f, dst)
}

// send puts a packet on the wire towards dst. in is where it came from, nil if the router made it.
func (n *nextHop) send(at time.Duration, in *routerInterface, f *netem.Frame, dst netip.Addr) {
	if n.via.IsValid() {
		dst = n.via
	}
	i := n.out
	src := i.port.MAC()
	copy(f.Data[6:12], src[:])
	switch {
	case i.resolver != nil:
		i.resolver.send(at, in, f, dst)
		return
	case i.neighbors != nil:
		mac, ok := i.neighbors.lookup(dst)
		if !ok {
			i.router.unreachable(at, in, f)
			return
		}
		copy(f.Data[0:6], mac[:])
	case i.nic != nil:
		i.nic.resolve(i, f, dst)
		return
	default:
		copy(f.Data[0:6], i.peer[:])
	}
	i.router.stats.Sent++
	i.port.Forward(at, f)
}

// unreachable answers a packet whose next hop has no MAC address.
func (r *Router) unreachable(at time.Duration, in *routerInterface, f *netem.Frame) {
	r.stats.Unresolved++
	switch {
	case in == nil:
		f.Release()
	case f.EtherType() == netem.EtherTypeIPv4:
		if r.nat != nil {
			r.nat.restore(header.IPv4(f.Data[header.EthernetMinimumSize:]))
		}
		r.error4(at, in, f, header.ICMPv4DstUnreachable, header.ICMPv4HostUnreachable, 0)
	default:
		r.error6(at, in, f, header.ICMPv6DstUnreachable, header.ICMPv6AddressUnreachable, 0)
	}
}
