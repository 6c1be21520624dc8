package analysis

import (
	"bytes"
	"slices"
)

// EndedAt returns the router at which a packet ended, or "": it came in there on its way to another node and never left, because its time
// to live was over, there was no route, a firewall or NAT didn't let it through, or the next hop didn't answer. routers are the nodes that
// forward, with the names of all of their interfaces.
//
// It is "" wherever captures can't prove it: if not all of the router's interfaces were captured, or not all frames; for fragments and what
// a router may have cut into some; for multicast and link-local addresses, and for frames that were not sent to the router's interface.
func (r *Run) EndedAt(j *Journey, routers map[string][]string) string {
	if j.Lost != nil || len(j.Hops) == 0 {
		return ""
	}
	last := &j.Hops[len(j.Hops)-1]
	if !last.Inbound || last.Dropped || !last.entrusted {
		return ""
	}
	c := r.Captures[last.Capture]
	interfaces, forwards := routers[c.Node]
	if !forwards || j.To == c.Node {
		return ""
	}
	for _, name := range interfaces {
		if !slices.ContainsFunc(c.Interfaces, func(i Interface) bool { return i.Name == name }) {
			return ""
		}
	}
	elsewhere := func(h Hop) bool {
		return h.Capture == last.Capture && !h.Inbound && h.At >= last.At || h.Inbound && !h.Dropped && r.Captures[h.Capture].Node == j.To
	}
	if slices.ContainsFunc(j.Hops, elsewhere) {
		return ""
	}
	return c.Node
}

// entrusted says whether a frame was sent to the interface that it reached, and holds a packet that a router there would send on as it is:
// a whole datagram to a unicast address beyond the link that must not be fragmented.
func (v *captureState) entrusted(f *Frame) bool {
	if n := f.Packet.Interface; !inbound(f.Packet) || n >= len(v.macs) || len(v.macs[n]) != 6 || !bytes.HasPrefix(f.Packet.Data, v.macs[n]) {
		return false
	}
	h := f.Headers
	_, offset, more := h.Fragment()
	if offset > 0 || more || !h.Dst().IsGlobalUnicast() {
		return false
	}
	switch network := h.Network(); h.IPVersion() {
	case 4:
		const dontFragment, smallest = 0x40, 68 // the least that every link carries (RFC 791, section 3.2)
		return len(network) > 6 && network[6]&dontFragment != 0 || len(network) <= smallest
	case 6:
		return true
	}
	return false
}
