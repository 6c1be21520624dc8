package ip

import (
	"fmt"

	"netlab/netem"
)

// Crash takes the host down as a power failure does, from this moment on: it sends nothing any more, no FIN and no RST either; what
// reaches its ports is dropped; what its disk has not synced is lost. Frames that its links have taken already still go on.
// Goroutines of the host are not killed: every call and every wait on its sockets, its disk and its Sleep ends with [ErrHostDown],
// and what they close later does nothing. A goroutine that waits for something else has to watch [Host.Gone], or a context that its
// owner ends with the host.
//
// A host that is paused may crash: frames that have waited for it are dropped. Crash does nothing to a host that isn't
// alive. Only the engine's loop may call it, and not while it hands something to the host's stack.
func (h *Host) Crash() {
	if h.stack == nil || !h.state.CompareAndSwap(hostUp, hostCrashed) {
		return
	}
	for _, i := range h.interfaces {
		i.Port.SetDead(true)
		i.Port.Discard()
	}
	final := h.Stats() // before the stack counts resets that nobody sends
	h.final = &final
	h.machine.disk.fence(h)
	close(h.gone)
	h.destroy()
	h.net.Forget(h.owner, netem.KindTimer, netem.KindArrival)
	h.Resume()
}

// Reborn starts a host that has crashed again: it returns the host that takes its place, on the same ports and at the same
// addresses, with the routes that were given to Start. Events have the same [Host.Owner]. Its stack is new and knows nothing of the
// old connections, whose segments it answers with RST (RFC 9293, section 3.10.7.1), and of its neighbours; its streams of random
// numbers are those of the next incarnation. The disk, the clock with its skew and drift, the slowdown and the counters go on. It has no
// [Resolver] yet. Its goroutines have to be started by the caller, who may still wait for those of the old one.
//
// It is an error if the host hasn't crashed, or was replaced already. Only the engine's loop may call it.
func (h *Host) Reborn() (*Host, error) {
	switch {
	case !h.crashed():
		return nil, fmt.Errorf("host %s can't be started again: it has not crashed", h.name)
	case h.replaced:
		return nil, fmt.Errorf("host %s was started again already", h.name)
	}
	n := &Host{name: h.name, net: h.net, node: h.node, owner: h.owner, ipv4: h.ipv4, ipv6: h.ipv6, preferIPv6: h.preferIPv6,
		names: h.names, tcp: h.tcp, machine: h.machine, incarnation: h.incarnation + 1, earlier: *h.final,
		interfaces: h.interfaces, gone: make(chan struct{})}
	n.disk.host = n
	n.syns = n.tcp.newSYNQueue()
	if h.probe != nil {
		n.probe = newHostProbe(h.probe.probe, n)
	}
	if err := n.Start(h.given); err != nil {
		return nil, err
	}
	h.replaced = true
	for _, i := range n.interfaces {
		i.Port.SetDead(false)
	}
	return n, nil
}

// Incarnation counts how many times the host was started again, from 0. Streams of random numbers that belong to something on the
// host begin anew with each.
func (h *Host) Incarnation() uint64 { return h.incarnation }
