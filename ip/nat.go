package ip

import (
	"fmt"
	"net/netip"
	"slices"
)

// NATKind says which ports a NAT gives to the connections of an inside host, and who outside may send to them. The names are those
// of RFC 3489, section 5; RFC 4787 tells the two properties apart.
type NATKind string

// The kinds of NAT.
const (
	// FullCone gives an inside address and port one external port, whatever the destination, and lets anybody send to it:
	// endpoint-independent mapping and filtering.
	FullCone NATKind = "full-cone"
	// RestrictedCone lets only those addresses send to the port that the inside host has a connection to, from any port:
	// endpoint-independent mapping, address-dependent filtering.
	RestrictedCone NATKind = "restricted-cone"
	// PortRestrictedCone lets only those addresses and ports send to it that the inside host has a connection to:
	// endpoint-independent mapping, address and port-dependent filtering.
	PortRestrictedCone NATKind = "port-restricted-cone"
	// Symmetric gives each destination address and port an external port of its own, and lets only that destination send to it:
	// address and port-dependent mapping and filtering.
	Symmetric NATKind = "symmetric"
)

// PortRange is a range of ports, both ends included.
type PortRange struct{ First, Last uint16 }

func (r PortRange) contains(port uint16) bool { return r.First <= port && port <= r.Last }

func (r PortRange) validate() error {
	if r.First > r.Last {
		return fmt.Errorf("ports %d-%d: the first is greater than the last", r.First, r.Last)
	}
	return nil
}

// PortForward leads an external port to an inside host for good (a port map, also called destination NAT). Anybody may send to it,
// whatever the NAT's kind, and what the inside host sends from there leaves from the external port.
type PortForward struct {
	Protocol Protocol // TCP or UDP
	External uint16
	To       netip.AddrPort
}

// NATConfig describes network address and port translation for IPv4 (RFC 3022) at a router. IPv6 is routed, not translated.
//
// A packet is translated that comes in by an inside interface and leaves by the outside one, and what comes back to its external
// address and port: TCP, UDP, echo requests and replies (by their identifiers), and ICMP errors with the packet that they quote
// (RFC 5508). Other protocols have no ports to tell them apart and are dropped. TCP and UDP that comes for the external address and
// has no mapping is dropped without an answer (RFC 5382, REQ-4); pings for it are answered by the router. What comes from outside
// for an inside address isn't NAT's business: it is routed, unless a firewall stops it.
//
// An external port stays the inside port's as long as one of its connections lasts. Checksums are updated, not computed anew
// (RFC 1624), so that a corrupted packet stays corrupted. Not done: IP identifications aren't changed, ports keep neither parity
// nor neighbourhood, and addresses inside of payloads stay as they are (there are no application-level gateways).
type NATConfig struct {
	// Inside are the numbers of the interfaces whose hosts are translated, from 0 in the order of AddInterface.
	Inside []int
	// Outside is the number of the interface to the outer world.
	Outside int
	// Kind is how connections are mapped and filtered; empty means PortRestrictedCone.
	Kind NATKind
	// External is the address that hosts outside see, one of the outside interface's. The zero value means its first one.
	External netip.Addr
	// Ports are those that may be given out; the zero value means 1024-65535. A mapping gets the inside host's own port if that is
	// free and among them, otherwise the next free one above it, and after the last the first. Echo identifiers are chosen in
	// the same way among all 65536.
	Ports PortRange
	// RandomPorts has ports drawn at random (RFC 6056) instead: the next free one from a number that the router's random stream
	// gives.
	RandomPorts bool
	// Forwards are the ports that lead inside for good. Their external ports needn't be in Ports and are given to nobody else.
	Forwards []PortForward
	// Hairpin lets inside hosts reach each other by their external addresses and ports (RFC 4787, REQ-9: the receiver sees the
	// sender's external address and port). Otherwise such packets are the router's own, and it refuses them.
	Hairpin bool
	// RejectExhausted tells hosts whose packets are dropped because all ports are taken: destination unreachable,
	// communication administratively prohibited (RFC 5508, REQ-8).
	RejectExhausted bool
	// Tracking says how long mappings last and how many connections there may be. If the router has a firewall too, both share
	// one table, and one of them says so: the other one's is zero, or the same.
	Tracking Tracking
}

// validate checks the configuration of a NAT on r and fills in defaults, but for those of Tracking.
func (c NATConfig) validate(r *Router) (NATConfig, error) {
	if c.Outside < 0 || c.Outside >= len(r.interfaces) {
		return c, fmt.Errorf("outside: %w", r.noInterface(c.Outside))
	}
	if len(c.Inside) == 0 {
		return c, fmt.Errorf("there is no inside interface: name one or more")
	}
	for i, n := range c.Inside {
		switch {
		case n < 0 || n >= len(r.interfaces):
			return c, fmt.Errorf("inside: %w", r.noInterface(n))
		case n == c.Outside:
			return c, fmt.Errorf("interface %d is both inside and outside: it can be one of them", n)
		case slices.Contains(c.Inside[:i], n):
			return c, fmt.Errorf("interface %d is named twice as inside", n)
		}
	}
	switch c.Kind {
	case FullCone, RestrictedCone, PortRestrictedCone, Symmetric:
	case "":
		c.Kind = PortRestrictedCone
	default:
		return c, fmt.Errorf("there is no kind %q: say full-cone, restricted-cone, port-restricted-cone or symmetric", c.Kind)
	}
	outside := r.interfaces[c.Outside]
	if c.External == (netip.Addr{}) {
		first, ok := outside.address(true)
		if !ok {
			return c, fmt.Errorf("outside interface %s has no IPv4 address: NAT needs one", outside.port)
		}
		c.External = first
	}
	if !c.External.Is4() || !outside.has(c.External) {
		return c, fmt.Errorf("external address %s isn't an IPv4 address of the outside interface %s: add it there", c.External, outside.port)
	}
	if c.Ports == (PortRange{}) {
		c.Ports = PortRange{1024, 65535}
	}
	if err := c.Ports.validate(); err != nil {
		return c, err
	}
	if c.Ports.First == 0 {
		return c, fmt.Errorf("ports %d-%d: port 0 can't be given out, begin with 1", c.Ports.First, c.Ports.Last)
	}
	for i, f := range c.Forwards {
		if err := c.validateForward(r, f, c.Forwards[:i]); err != nil {
			return c, fmt.Errorf("forward of %s port %d: %w", f.Protocol, f.External, err)
		}
	}
	return c, nil
}

func (c NATConfig) validateForward(r *Router, f PortForward, before []PortForward) error {
	switch {
	case f.Protocol != TCP && f.Protocol != UDP:
		return fmt.Errorf("there is no protocol %q to forward: say tcp or udp", f.Protocol)
	case f.External == 0 || f.To.Port() == 0:
		return fmt.Errorf("it leads to %s: both ports must be from 1 to 65535", f.To)
	case !f.To.Addr().Is4() || f.To.Addr().IsUnspecified() || f.To.Addr().IsMulticast():
		return fmt.Errorf("it leads to %s: it must be the IPv4 address of a host", f.To)
	case r.own[f.To.Addr()]:
		return fmt.Errorf("it leads to %s, the router itself: it must lead to a host", f.To)
	}
	for _, b := range before {
		if b.Protocol != f.Protocol {
			continue
		}
		if b.External == f.External {
			return fmt.Errorf("this port is forwarded to %s already", b.To)
		}
		if b.To == f.To {
			return fmt.Errorf("%s has external port %d already, and can have one only", b.To, b.External)
		}
	}
	return nil
}

// noInterface says that the router has no interface of a number.
func (r *Router) noInterface(n int) error {
	return fmt.Errorf("there is no interface %d: the router has %d, counted from 0", n, len(r.interfaces))
}

// NATStats are the counters of a router's NAT.
type NATStats struct {
	Outbound   uint64 `json:"outbound"`   // packets translated on their way out
	Inbound    uint64 `json:"inbound"`    // packets translated on their way in
	Hairpinned uint64 `json:"hairpinned"` // packets from inside to inside by external addresses
	Errors     uint64 `json:"errors"`     // of all these, ICMP errors, translated with what they quote
	Mappings   int    `json:"mappings"`   // now, without forwards
	Created    uint64 `json:"created"`    // mappings made
	// Packets dropped.
	Exhausted      uint64 `json:"exhausted"`      // no external port was free
	Filtered       uint64 `json:"filtered"`       // the mapping was there, but not for this sender
	Unsolicited    uint64 `json:"unsolicited"`    // they came for the external address, and there was no mapping
	Untranslatable uint64 `json:"untranslatable"` // they went out and were neither TCP, UDP nor echo, nor an error about a connection
}
