package topology

import (
	"netlab/services"
	"netlab/units"
)

// Firewall is a stateful packet filter at a router, for IPv4 and IPv6. Only the first packet of a connection is judged by the
// rules: the others, answers and ICMP errors about it pass as well.
type Firewall struct {
	Default RuleAction     `json:"default,omitempty" jsonschema_description:"What happens to packets that no rule matches. Default accept; it must be given where all rules accept." jsonschema:"enum=accept,enum=drop,enum=reject,default=accept"`
	Rules   []FirewallRule `json:"rules,omitempty" jsonschema_description:"Rules in the order in which they are tried: the first one that matches a packet decides. Only the first packet of a connection is judged, what belongs to it passes."`
	Input   bool           `json:"input,omitempty" jsonschema_description:"Whether packets for the router itself are filtered too, each for itself." jsonschema:"default=false"`
	Tracking
}

// RuleAction is what a router does with a packet.
type RuleAction string

// The actions.
const (
	AcceptPackets RuleAction = "accept"
	DropPackets   RuleAction = "drop"
	RejectPackets RuleAction = "reject"
)

// RuleProtocol is a protocol that rules and forwards name; empty means any.
type RuleProtocol string

// The protocols.
const (
	RuleTCP  RuleProtocol = "tcp"
	RuleUDP  RuleProtocol = "udp"
	RuleICMP RuleProtocol = "icmp" // ICMP for IPv4 and ICMPv6 for IPv6
)

// FirewallRule matches packets that have all of the properties that it names. In the file it may also be a text:
//
//	accept|drop|reject [tcp|udp|icmp] [from PLACES] [source-port PORTS] [to PLACES] [port PORTS] [in NEIGHBOURS] [out NEIGHBOURS] [as NAME]
//
// Several places, ports or neighbours are parted by commas. A place is a node, which means all of its addresses, a switch, which
// means the networks behind it, a pattern of these, an address or a network.
type FirewallRule struct {
	Action      RuleAction   `json:"action" jsonschema_description:"What happens to packets that match: drop lets them vanish, reject tells the sender, by a reset for TCP and an ICMP error for anything else." jsonschema:"required,enum=accept,enum=drop,enum=reject"`
	Protocol    RuleProtocol `json:"protocol,omitempty" jsonschema_description:"Protocol. Default: any." jsonschema:"enum=tcp,enum=udp,enum=icmp"`
	From        Patterns     `json:"from,omitzero" jsonschema_description:"Where packets come from: nodes by name, range or glob (a switch means the networks behind it), addresses or networks. Default: anywhere."`
	SourcePorts []PortRange  `json:"source_ports,omitzero" jsonschema_description:"Ports that they come from. Default: any."`
	To          Patterns     `json:"to,omitzero" jsonschema_description:"Where they go, named in the same way; behind a NAT that is the address inside. Default: anywhere."`
	Ports       []PortRange  `json:"ports,omitzero" jsonschema_description:"Ports that they go to. Default: any."`
	In          Patterns     `json:"in,omitzero" jsonschema_description:"Interfaces by which they come, each named by the neighbour at its other end or by its link. Default: any."`
	Out         Patterns     `json:"out,omitzero" jsonschema_description:"Interfaces by which they leave, named in the same way. Default: any."`
	Name        string       `json:"name,omitempty" jsonschema_description:"Name of the rule in results and expectations. Default: rule and its place in the list, from rule1 on."`
}

// PortRange is a port, or a range of ports with both ends included. In the file it is a number, or a text such as "8000-8100".
type PortRange struct{ First, Last uint16 }

// Tracking says how a router tracks connections. A firewall and a NAT of one router share one table of connections: what either
// says holds for both.
type Tracking struct {
	OutOfState     RuleAction `json:"out_of_state,omitempty" jsonschema_description:"What happens to TCP segments that belong to no connection and don't open one, and to echo replies that nobody asked for. With accept, rules decide: connections go on that the router forgot. Default drop." jsonschema:"enum=accept,enum=drop,enum=reject,default=drop"`
	Timeouts       Timeouts   `json:"timeouts,omitzero" jsonschema_description:"How long connections without a packet are remembered, and so mappings of a NAT."`
	MaxConnections int        `json:"max_connections,omitempty" jsonschema_description:"How many connections are tracked at a time; packets that would open another one are dropped. Default 65536." jsonschema:"minimum=1,default=65536"`
}

// Timeouts say how long connections without a packet are remembered. Zero means the default.
type Timeouts struct {
	UDP            units.Duration `json:"udp,omitempty" jsonschema_description:"UDP, and protocols other than TCP and ICMP. Default 5m (RFC 4787)."`
	TCPEstablished units.Duration `json:"tcp_established,omitempty" jsonschema_description:"TCP connections that are established. Default 2h4m (RFC 5382)."`
	TCPTransitory  units.Duration `json:"tcp_transitory,omitempty" jsonschema_description:"TCP connections that are being opened or closed. Default 4m (RFC 5382)."`
	ICMP           units.Duration `json:"icmp,omitempty" jsonschema_description:"Pings. Default 1m (RFC 5508)."`
}

// NAT is network address and port translation at a router (RFC 3022), for IPv4; IPv6 is routed as without it. Packets that come
// in by an inside interface and leave by the outside one get that one's address, and a port of their own.
//
// It hides the inside and doesn't guard it: a packet from outside for an inside address is routed, if somebody outside has a route
// there. All nodes do by default, because routes are computed for the whole lab. Give the next router outside "routes" without the
// inside networks, as a provider's router has, or the NAT's router a firewall.
type NAT struct {
	Outside        string        `json:"outside" jsonschema_description:"Interface to the outer world, named by the neighbour at its other end or by its link." jsonschema:"required"`
	Inside         Patterns      `json:"inside,omitzero" jsonschema_description:"Interfaces whose packets are translated, named in the same way. Default: all others."`
	Kind           NATKind       `json:"kind,omitempty" jsonschema_description:"Which ports connections get, and who outside may send to them (RFC 3489). All kinds but symmetric give an inside port one external port, whatever the destination. Anybody may send to it with full-cone, the hosts that it sent to with restricted-cone, and only the ports of these that it sent to with port-restricted-cone. symmetric gives each destination a port of its own, and lets only that destination send to it. Default port-restricted-cone." jsonschema:"enum=full-cone,enum=restricted-cone,enum=port-restricted-cone,enum=symmetric,default=port-restricted-cone"`
	Ports          PortRange     `json:"ports,omitzero" jsonschema_description:"External ports that are given out; the inside port is kept where it is among them and free. Default 1024-65535."`
	RandomPorts    bool          `json:"random_ports,omitempty" jsonschema_description:"Draw external ports at random (RFC 6056) in place of keeping the inside port." jsonschema:"default=false"`
	Forward        []PortForward `json:"forward,omitempty" jsonschema_description:"Port maps: external ports that lead to an inside host for good, whoever sends to them."`
	Hairpin        bool          `json:"hairpin,omitempty" jsonschema_description:"Whether inside hosts reach each other by external address and port." jsonschema:"default=false"`
	RejectWhenFull bool          `json:"reject_when_full,omitempty" jsonschema_description:"Tell senders by an ICMP error that no external port is free, in place of dropping their packets without a word." jsonschema:"default=false"`
	Tracking
}

// NATKind says which ports a NAT gives to connections, and who outside may send to them.
type NATKind string

// The kinds of NAT (RFC 3489, section 5).
const (
	FullCone           NATKind = "full-cone"
	RestrictedCone     NATKind = "restricted-cone"
	PortRestrictedCone NATKind = "port-restricted-cone"
	SymmetricNAT       NATKind = "symmetric"
)

// PortForward is a port map. In the file it may also be a text: "tcp 8080 to web:80".
type PortForward struct {
	Protocol RuleProtocol    `json:"protocol" jsonschema_description:"Protocol." jsonschema:"required,enum=tcp,enum=udp"`
	Port     uint16          `json:"port" jsonschema_description:"External port." jsonschema:"required,minimum=1,maximum=65535"`
	To       services.Target `json:"to" jsonschema_description:"Inside host, by name or address, and its port. Of a host with several addresses it is the first IPv4 address. The port is the external one when it is left out." jsonschema:"required"`
}
