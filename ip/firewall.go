package ip

import (
	"fmt"
	"net/netip"
)

// Protocol is a transport protocol, as rules name it.
type Protocol string

// The protocols.
const (
	TCP  Protocol = "tcp"
	UDP  Protocol = "udp"
	ICMP Protocol = "icmp" // ICMP for IPv4 and ICMPv6 for IPv6
)

// number is the protocol's number in packets of an IP version.
func (p Protocol) number(version uint8) uint8 {
	switch {
	case p == TCP:
		return protocolTCP
	case p == UDP:
		return protocolUDP
	case version == 4:
		return protocolICMP
	}
	return protocolICMPv6
}

// FirewallConfig describes a stateful firewall at a router, for IPv4 and IPv6. The zero value accepts everything but TCP segments
// and echo replies that belong to no connection.
//
// The first rule that matches a packet decides. Packets of connections of which the first packet was accepted pass without a look
// at the rules, in both directions, and so do ICMP errors about them; a rule that is added later doesn't stop them, see
// [Firewall.Clear]. Rules see the addresses that a packet has inside: where the router translates addresses as well, after the
// destination was translated and before the source is. What is wrong with a packet otherwise (its TTL, its size, no route) comes
// first. What the router sends itself isn't filtered.
type FirewallConfig struct {
	// Default is what happens to packets that no rule matches; empty means accept.
	Default Action
	// Rules in the order in which they are tried.
	Rules []FirewallRule
	// Input applies the firewall to packets for the router itself too, each for itself, because a router has no connections. A
	// rule that names outgoing interfaces doesn't match them. Neighbour discovery and ARP always pass.
	Input bool
	// Tracking says how connections are tracked, and what becomes of segments out of state. If the router has a NAT too, both
	// share one table, and one of them says so: the other one's is zero, or the same.
	Tracking Tracking
}

// FirewallRule matches packets that have all of the properties that it names.
type FirewallRule struct {
	// Name is for the counters; it may be empty.
	Name   string
	Action Action
	// Protocol is tcp, udp or icmp; empty means any.
	Protocol Protocol
	// Sources and Destinations hold the packet's addresses; empty means any. A prefix matches packets of its own IP version.
	Sources, Destinations []netip.Prefix
	// SourcePorts and DestinationPorts hold the packet's ports; empty means any. They need a Protocol of tcp or udp.
	SourcePorts, DestinationPorts []PortRange
	// In and Out are the numbers of the interfaces that the packet comes in and leaves by, from 0 in the order of
	// [Router.AddInterface]; empty means any.
	In, Out []int
}

// validate checks a rule of a firewall on r.
func (c FirewallRule) validate(r *Router) error {
	if err := c.Action.validate(false); err != nil {
		return err
	}
	switch c.Protocol {
	case TCP, UDP, ICMP, "":
	default:
		return fmt.Errorf("there is no protocol %q: say tcp, udp or icmp, or nothing for any", c.Protocol)
	}
	for _, list := range [][]netip.Prefix{c.Sources, c.Destinations} {
		for _, p := range list {
			if !p.IsValid() || p.Addr().Is4In6() {
				return fmt.Errorf("%s is no IPv4 or IPv6 prefix such as 10.0.0.0/8", p)
			}
		}
	}
	for _, list := range [][]PortRange{c.SourcePorts, c.DestinationPorts} {
		if len(list) > 0 && c.Protocol != TCP && c.Protocol != UDP {
			return fmt.Errorf("it has ports, but no protocol that has them: say tcp or udp")
		}
		for _, p := range list {
			if err := p.validate(); err != nil {
				return err
			}
		}
	}
	for _, list := range [][]int{c.In, c.Out} {
		for _, i := range list {
			if i < 0 || i >= len(r.interfaces) {
				return r.noInterface(i)
			}
		}
	}
	return nil
}

// title names a rule in errors; i is its place.
func (c FirewallRule) title(i int) string {
	if c.Name != "" {
		return fmt.Sprintf("rule %d (%s)", i+1, c.Name)
	}
	return fmt.Sprintf("rule %d", i+1)
}

// validate checks the configuration of a firewall on r and fills in the default.
func (c FirewallConfig) validate(r *Router) (FirewallConfig, error) {
	if err := c.Default.validate(true); err != nil {
		return c, fmt.Errorf("default: %w", err)
	}
	if c.Default == "" {
		c.Default = Accept
	}
	for i, rule := range c.Rules {
		if err := rule.validate(r); err != nil {
			return c, fmt.Errorf("%s: %w", rule.title(i), err)
		}
	}
	return c, nil
}

// FirewallStats are the counters of a router's firewall, in packets. Those that the tracking of connections drops before it are in
// [TrackingStats].
type FirewallStats struct {
	Accepted FirewallAccepted `json:"accepted"`
	Dropped  FirewallDecided  `json:"dropped"`
	Rejected FirewallDecided  `json:"rejected"`
	Rules    []RuleStats      `json:"rules"` // in the order in which they are tried, without those removed
}

// FirewallAccepted counts packets by what accepted them.
type FirewallAccepted struct {
	Established uint64 `json:"established"` // they belonged to a connection, or followed a first fragment
	Related     uint64 `json:"related"`     // ICMP errors about a connection
	FirewallDecided
}

// FirewallDecided counts packets by what decided.
type FirewallDecided struct {
	Rule    uint64 `json:"rule"`
	Default uint64 `json:"default"`
}

// RuleStats are the counters of a rule.
type RuleStats struct {
	Name   string `json:"name,omitempty"`
	Action Action `json:"action"`
	Hits   uint64 `json:"hits"` // packets that it decided about
}
