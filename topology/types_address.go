package topology

import "net/netip"

// Address is an address that has a name of its own, because it belongs to no single interface. It is one of two kinds.
//
// A virtual address lies in the network of a segment and is had by one of its hosts at a time: by Host for good, or by whoever a
// service such as vrrp gives it to. An anycast address is had by several hosts at once, and routers send to the nearest.
type Address struct {
	Segment   string       `json:"segment,omitempty" jsonschema_description:"Switch of the segment in whose networks a virtual address lies."`
	Host      string       `json:"host,omitempty" jsonschema_description:"Host of the segment that has a virtual address from the start and for good. Default: nobody has it until a service such as vrrp takes it."`
	Silent    Patterns     `json:"silent,omitzero" jsonschema_description:"Hosts of the segment that have a virtual address too, but don't answer ARP and neighbour discovery for it: the servers behind a balancer with direct server return."`
	Anycast   Patterns     `json:"anycast,omitzero" jsonschema_description:"Hosts that all have the address; routers send each packet to the nearest of them."`
	Addresses []netip.Addr `json:"addresses,omitempty" jsonschema_description:"The address, or one of each IP version. Default: after a hash of the name, in the segment's networks, or in 172.16.0.0/16 and fd00:2::/64 for an anycast address."`
}
