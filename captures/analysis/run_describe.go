package analysis

import (
	"net/netip"

	"netlab/captures"
	"netlab/netem"
)

func inbound(p *captures.Packet) bool { return p.Directed && p.Direction == netem.Inbound }

// Protocol numbers of IP.
const (
	ipICMP   = 1
	ipTCP    = 6
	ipUDP    = 17
	ipICMPv6 = 58
)

// Types of neighbour discovery (RFC 4861).
const (
	neighbourSolicitation  = 135
	neighbourAdvertisement = 136
)

// addressesOf returns between which addresses a packet goes. One that looks for a neighbour goes to the one it looks for. ok is false if
// it has no addresses of IP.
func addressesOf(h *captures.Headers) (src, dst netip.Addr, ok bool) {
	src, dst = h.Src(), h.Dst()
	if target, ok := neighbourTarget(h); ok && dst.IsMulticast() {
		dst = target
	}
	return src, dst, src.IsValid() && dst.IsValid()
}

// neighbourTarget returns whom an IPv6 neighbour solicitation or advertisement is about.
func neighbourTarget(h *captures.Headers) (netip.Addr, bool) {
	if h.IPVersion() != 6 || h.Protocol() != ipICMPv6 {
		return netip.Addr{}, false
	}
	_, offset, _ := h.Fragment()
	b, _ := h.Transport()
	if offset > 0 || len(b) < 24 || b[0] != neighbourSolicitation && b[0] != neighbourAdvertisement {
		return netip.Addr{}, false
	}
	return netip.AddrFrom16([16]byte(b[8:])), true
}

// protocolOf names what a frame is, in the words of Wireshark's frame.protocols.
func protocolOf(f *Frame) string {
	if n := len(f.Messages); n > 0 {
		return f.Messages[n-1].Protocol
	}
	h := f.Headers
	switch version := h.IPVersion(); {
	case version == 0 && h.EtherType() == 0x0806:
		return "arp"
	case version == 0:
		return "eth"
	case h.Protocol() == ipTCP:
		return "tcp"
	case h.Protocol() == ipUDP:
		if src, dst, ok := h.Ports(); ok && (src == 53 || dst == 53) {
			return "dns"
		}
		return "udp"
	case h.Protocol() == ipICMP:
		return "icmp"
	case h.Protocol() == ipICMPv6:
		return "icmpv6"
	case version == 6:
		return "ipv6"
	}
	return "ip"
}
