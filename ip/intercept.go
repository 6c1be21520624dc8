package ip

import (
	"net/netip"
	"slices"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"netlab/netem"
)

// interception shows the IP packets that reach a host's NICs to those who asked for it. It doesn't change: another one takes its
// place when somebody comes or goes.
type interception struct {
	router *Router
	see    []*interceptor
	// packet is used again for each packet; only the engine's loop has packets.
	packet *Packet
}

type interceptor struct{ see func(p *Packet) bool }

// forwarding is what a host needs to pass packets on as a router does: routes, TTL, fragments, ICMP errors. It is made when
// somebody intercepts packets for the first time.
type forwarding struct {
	host   *Host
	router *Router
	// translated and delivered are the ways of packets in fragments, by [Packet.Forward] and [Packet.Deliver].
	translated, delivered fragments
}

// Intercept shows each IP packet that is sent to one of the host's NICs to see, before the host's stack gets it: packets for the
// host's addresses, and those for others that somebody's route leads to the host. Frames to group addresses, malformed packets, and
// packets that the host sends to itself aren't shown. When see returns true it has taken the packet: it must have called one of
// [Packet.Forward], [Packet.Deliver], [Packet.Refuse] and [Packet.Drop], and the packet is no longer its own. Otherwise the next one
// who intercepts sees it, and after the last one the stack. The packet is valid during the call only. The engine's loop calls see.
//
// It ends with stop, or with the host: the one that takes its place after a crash intercepts nothing.
//
// A later fragment goes where the first one of its packet went and isn't shown; one whose first isn't known is shown.
func (h *Host) Intercept(see func(p *Packet) bool) (stop func()) {
	h.forwards()
	h.intercepting.Lock()
	defer h.intercepting.Unlock()
	one := &interceptor{see}
	h.setInterceptors(append(h.interceptors(), one))
	return func() {
		h.intercepting.Lock()
		defer h.intercepting.Unlock()
		h.setInterceptors(slices.DeleteFunc(h.interceptors(), func(i *interceptor) bool { return i == one }))
	}
}

// forwards returns the host's forwarding, and makes it the first time.
func (h *Host) forwards() *forwarding {
	h.intercepting.Lock()
	defer h.intercepting.Unlock()
	if h.forwarding.Load() == nil {
		h.forwarding.Store(h.newForwarding())
	}
	return h.forwarding.Load()
}

// interceptors returns a copy of the list.
func (h *Host) interceptors() []*interceptor {
	if i := h.intercepted.Load(); i != nil {
		return slices.Clone(i.see)
	}
	return nil
}

func (h *Host) setInterceptors(list []*interceptor) {
	if len(list) == 0 {
		h.intercepted.Store(nil)
		return
	}
	w := h.forwarding.Load()
	h.intercepted.Store(&interception{router: w.router, see: list, packet: &Packet{forwarding: w}})
}

// newForwarding makes a router of the host's NICs. It has neither a table of neighbours nor addresses of its own to answer for:
// those are the stack's.
func (h *Host) newForwarding() *forwarding {
	r := NewRouter(h.net, h.name, h.node)
	r.owner = h.owner
	for k, c := range h.interfaces {
		i := &routerInterface{router: r, index: k, port: c.Port, addresses: c.Addresses, neighbors: c.Neighbors}
		switch n := h.nics[k]; {
		case n.asks():
			i.nic = n
		case n.peer != "":
			i.peer = [6]byte([]byte(n.peer))
		}
		r.interfaces = append(r.interfaces, i)
	}
	if err := r.ReplaceRoutes(h.current, h.withdrawn...); err != nil {
		panic("ip: a host's routes are none for a router: " + err.Error()) // the host's own check is the same
	}
	return &forwarding{host: h, router: r}
}

// setForwardingRoutes gives the forwarding the host's routes.
func (h *Host) setForwardingRoutes(routes []Route, down []int) error {
	h.intercepting.Lock()
	defer h.intercepting.Unlock()
	h.current, h.withdrawn = routes, down
	if w := h.forwarding.Load(); w != nil {
		return w.router.ReplaceRoutes(routes, down...)
	}
	return nil
}

// take shows a frame's packet to the interceptors. It returns true when one of them has taken it.
func (i *interception) take(at time.Duration, n *nic, f *netem.Frame) bool {
	if len(f.Data) < header.EthernetMinimumSize || !n.host.Alive() ||
		string(f.Data[0:6]) != string(n.mac) && !n.takesFor(f.Data[0:6]) {
		return false
	}
	p := i.packet
	p.at, p.in, p.frame, p.packet = at, i.router.interfaces[n.id-2], f, packet{}
	if !p.read() {
		return false
	}
	if p.follow() {
		i.router.stats.Received++
		return true
	}
	for _, one := range i.see {
		if one.see(p) {
			i.router.stats.Received++
			return true
		}
	}
	return false
}

// resolve sends a packet to a neighbour of a NIC that finds MAC addresses itself, in the host's own table of neighbours. While it is
// looked for, as many packets wait as do in a router. Nobody is told of packets for a neighbour who doesn't answer.
func (n *nic) resolve(i *routerInterface, f *netem.Frame, hop netip.Addr) {
	r := i.router
	if n.waiting[hop] >= neighborPending {
		r.stats.Unresolved++
		f.Release()
		return
	}
	var local tcpip.Address
	if a, ok := i.address(hop.Is4()); ok {
		local = fromNetip(a)
	}
	waits := false
	err := n.host.stack.GetLinkAddress(n.id, fromNetip(hop), local, networkProtocol(hop.Is6()), func(found stack.LinkResolutionResult) {
		if waits {
			n.waiting[hop]--
		}
		if found.Err != nil || !n.host.Alive() {
			r.stats.Unresolved++
			f.Release()
			return
		}
		copy(f.Data[0:6], found.LinkAddress)
		r.stats.Sent++
		i.port.Forward(r.net.Elapsed(), f)
	})
	switch err.(type) {
	case nil:
	case *tcpip.ErrWouldBlock:
		waits = true
		if n.waiting == nil {
			n.waiting = map[netip.Addr]int{}
		}
		n.waiting[hop]++
	default:
		r.stats.Unresolved++
		f.Release()
	}
}
