// Package plan gives the nodes of a lab what an administrator would give them before the first packet: interface names,
// MAC addresses, IP addresses and routes.
//
// Addresses are computed from names alone, never from what else is in the lab, so that they stay as they are when a file
// grows:
//
//   - A link between two hosts or routers is a network of two addresses: a /31 (RFC 3021) of 10.128.0.0/9 and a /127
//     (RFC 6164) of fd00:1::/64. Which one is a hash of the link's id; the first end has the even address.
//   - Switches that are joined by links form one segment, named after the first of them in the lab. Its networks are
//     10.x.0.0/16 and fd00:0:0:x::/64 with x after a hash of that name, or what the switches' subnets say. The hosts'
//     numbers in it are hashes of the hosts' names, the same for both IP versions.
//   - A MAC address is 02 and a hash of the interface's name.
//
// A hash may meet another one. Then [Make] names the two and says what to pin. Names that differ in their numbers only,
// web1 and web2, get neighbouring slots and so don't meet; see slot.go.
//
// Routes are shortest paths by the mean latency of each direction. A host never forwards. Big labs keep small tables
// because hosts with one way out and routers with one neighbour get default routes.
//
// With ECMP, routers have several routes to the same destination where paths are equal: in latency and in hops.
//
// Left out: routing protocols ([Plan.Reroute] computes what they would agree on), spanning trees (a loop of
// switches is an error), link-local addresses (the IP stacks make their own).
package plan

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Kind is what a node is.
type Kind uint8

// The kinds of nodes.
const (
	Host Kind = iota
	Router
	Switch
)

// Family is an IP version.
type Family uint8

// The IP versions.
const (
	IPv4 Family = iota
	IPv6
)

// String returns "IPv4" or "IPv6".
func (f Family) String() string {
	if f == IPv4 {
		return "IPv4"
	}
	return "IPv6"
}

// Lab is what is planned: nodes and links in file order, ranges expanded, names unique.
type Lab struct {
	Nodes []Node
	Links []Link
	// Shared are the addresses that belong to no interface.
	Shared []Shared
	// ECMP makes routers have routes by all shortest paths of the same latency and as many hops.
	ECMP bool
}

// Node is a host, a router or a switch.
type Node struct {
	Name string
	Kind Kind
	// IPv4 and IPv6 say what a host or router speaks; a switch passes everything.
	IPv4, IPv6 bool
	// Subnets are the networks of the segment behind a switch, at most one of each IP version. A version that is missing
	// gets a network after the hash of the segment's name.
	Subnets []netip.Prefix
	// Routes replace the computed ones. Nil means compute them; an empty slice means no routes.
	Routes []Route
}

func (n *Node) speaks(f Family) bool {
	return n.Kind != Switch && (f == IPv4 && n.IPv4 || f == IPv6 && n.IPv6)
}

// Route is one entry of a routing table: packets to To go to the neighbour Via.
type Route struct {
	To  netip.Prefix
	Via netip.Addr
}

// Link joins two nodes.
type Link struct {
	// ID is the link's name: "a--b" after its ends, or what the file calls it.
	ID   string
	Ends [2]End
	// Latency is the mean propagation delay forward, from Ends[0] to Ends[1], and backward.
	Latency [2]time.Duration
}

// End is one end of a link.
type End struct {
	// Node is an index into Lab.Nodes.
	Node int
	// Addresses are pinned addresses with prefix length, at most one of each IP version.
	Addresses []netip.Prefix
	// MAC is the pinned MAC address, or "".
	MAC string
}

// Plan is the result of [Make].
type Plan struct {
	// Interfaces holds both ends of each link, by the link's index.
	Interfaces [][2]Interface
	// Ports holds the ends of links at each node in link order: Ports[n][0] is eth0 of node n.
	Ports [][]Port
	// Routes holds each node's routing table, sorted by destination, without the networks that the node is on itself.
	// Nodes may share one table: treat it as read-only.
	Routes [][]Route
	// Segments are the groups of connected switches.
	Segments []Segment
	// Shared holds the addresses of each entry of Lab.Shared: the IPv4 address and then the IPv6 address, as far as there are any.
	Shared [][]netip.Addr

	lab    *Lab
	tables map[int]*table // lookup tables for Reachable, made when first asked for
	owners map[netip.Addr]int
}

// Port is one end of a link: Plan.Interfaces[Link][End].
type Port struct {
	Link int
	End  int // 0 or 1
}

// Interface is what an end of a link looks like to its node.
type Interface struct {
	// Name is the node's name and the number of the port: "client-eth0".
	Name string
	MAC  MAC
	// Addresses are the IPv4 address and then the IPv6 address, as far as there are any; a switch's port has none.
	Addresses []netip.Prefix
}

// Address returns the interface's address of an IP version, or the zero Prefix.
func (i *Interface) Address(f Family) netip.Prefix {
	for _, a := range i.Addresses {
		if family(a.Addr()) == f {
			return a
		}
	}
	return netip.Prefix{}
}

// Segment is a group of switches that are joined by links: one broadcast domain.
type Segment struct {
	// Switches are node indices in lab order; the first one names the segment.
	Switches []int
	// Ports are the ends of hosts and routers at the segment, in link order.
	Ports []Port
	// Networks are the segment's IPv4 and IPv6 network, whether or not a host uses them.
	Networks [2]netip.Prefix
}

// Error is one thing that is wrong with a lab and where.
type Error struct {
	// Node, Link or Shared is the name of what the error is about, the others are "". Errors about nodes are about Field
	// "subnets[0]" or "routes[2].via"; errors about links about "addresses.client[0]", "macs.client" or "between"; errors about shared
	// addresses about "addresses[0]", "addresses" or "anycast".
	Node, Link, Shared, Field string
	// Message says what was found and what was wanted.
	Message string
}

// Error returns the place and the message.
func (e *Error) Error() string {
	switch {
	case e.Node != "":
		return fmt.Sprintf("nodes.%s.%s: %s", e.Node, e.Field, e.Message)
	case e.Link != "":
		return fmt.Sprintf("links.%s.%s: %s", e.Link, e.Field, e.Message)
	case e.Shared != "":
		return fmt.Sprintf("addresses.%s.%s: %s", e.Shared, e.Field, e.Message)
	}
	return e.Message
}

// Make plans a lab. Its errors are values of type *[Error], several of them joined with [errors.Join]; then the plan is
// nil. The lab must not be changed as long as the plan is in use. A link whose ends don't exist is a panic.
func Make(lab *Lab) (*Plan, error) {
	p := &planner{lab: lab, plan: &Plan{lab: lab}}
	p.addressed()
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	p.routes()
	return p.plan, nil
}

// addressed gives everything but the computed routes.
func (p *planner) addressed() {
	p.plan.Shared = make([][]netip.Addr, len(p.lab.Shared))
	p.ports()
	p.segments()
	p.hardware()
	p.pointToPoint()
	p.switched()
	p.anycast()
	p.overlaps()
	p.interfaces()
	p.givenRoutes()
}

// planner holds what is known while a plan is made.
type planner struct {
	lab  *Lab
	plan *Plan
	errs []error
	// segmentOf holds for each node that is a switch the index of its segment, -1 for others.
	segmentOf []int
	// linkSegment holds for each link the index of its segment, -1 for point-to-point links.
	linkSegment []int
	// addresses holds the address of each end of each link by IP version; the zero Prefix is none.
	addresses [2][][2]netip.Prefix
	networks  [2][]network
	// down says of each link that it carries nothing, nil that all do; gone says of each node that it is down, nil that none is.
	down, gone []bool
}

// network is what routes lead to: a point-to-point link or a segment.
type network struct {
	prefix  netip.Prefix
	link    int // of a point-to-point link; else -1
	segment int // else -1
	shared  int // of an anycast address, where both are -1
	pinned  bool
}

func (p *planner) nodeError(node int, field, format string, args ...any) {
	p.errs = append(p.errs, &Error{Node: p.lab.Nodes[node].Name, Field: field, Message: fmt.Sprintf(format, args...)})
}

func (p *planner) linkError(link int, field, format string, args ...any) {
	p.errs = append(p.errs, &Error{Link: p.lab.Links[link].ID, Field: field, Message: fmt.Sprintf(format, args...)})
}

// node returns the node at an end of a link.
func (p *planner) node(port Port) *Node {
	return &p.lab.Nodes[p.lab.Links[port.Link].Ends[port.End].Node]
}

func (p *planner) address(f Family, port Port) netip.Prefix {
	return p.addresses[f][port.Link][port.End]
}

func family(a netip.Addr) Family {
	if a.Is4() {
		return IPv4
	}
	return IPv6
}
