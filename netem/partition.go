package netem

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// Partition is a cut between groups of nodes: a frame from a node of one group to a node of another is dropped, and
// counted, at the sender's NIC. Nodes in no group are not touched. What counts is the IP source and destination (for ARP and
// neighbour discovery, the address asked for), so a partition works behind one switch too.
type Partition struct {
	name   string
	group  map[NodeID]int
	oneWay bool
}

// partitions are those in force, and the addresses of the nodes.
type partitions struct {
	active []*Partition
	nodes  map[netip.Addr]NodeID
}

// SetAddress tells which node an address belongs to.
func (n *Network) SetAddress(a netip.Addr, node NodeID) {
	if n.partitions.nodes == nil {
		n.partitions.nodes = map[netip.Addr]NodeID{}
	}
	n.partitions.nodes[a] = node
}

// Part puts a partition in force. There must be at least two groups and no node in two of them. name is for the log. Only
// the engine's loop may call it. A one-way partition cuts off what the first group sends to the others, and nothing else.
func (n *Network) Part(name string, groups [][]NodeID, oneWay bool) (*Partition, error) {
	if len(groups) < 2 {
		return nil, errors.New("a partition needs at least two groups")
	}
	p := &Partition{name: name, group: map[NodeID]int{}, oneWay: oneWay}
	for i, g := range groups {
		for _, node := range g {
			if _, twice := p.group[node]; twice {
				return nil, errors.New("a node is in two groups of a partition")
			}
			p.group[node] = i
		}
	}
	n.partitions.active = append(n.partitions.active, p)
	n.emit(Event{At: n.nominal, Kind: "partition", Detail: name})
	return p, nil
}

// Heal ends a partition. One that has ended already stays so. Only the engine's loop may call it.
func (n *Network) Heal(p *Partition) {
	for i, active := range n.partitions.active {
		if active == p {
			n.partitions.active = append(n.partitions.active[:i:i], n.partitions.active[i+1:]...)
			n.emit(Event{At: n.nominal, Kind: "heal", Detail: p.name})
			return
		}
	}
}

// cuts says whether a frame that node sends must not reach its destination.
func (s *partitions) cuts(node NodeID, f *Frame) bool {
	if len(s.active) == 0 {
		return false
	}
	src, dst := endpoints(f)
	if from, ok := s.nodes[src]; !ok || from != node {
		return false // forwarded for somebody else
	}
	to, ok := s.nodes[dst]
	if !ok {
		return false
	}
	for _, p := range s.active {
		a, inA := p.group[node]
		b, inB := p.group[to]
		if inA && inB && a != b && (a == 0 || !p.oneWay) {
			return true
		}
	}
	return false
}

// endpoints returns the addresses between which a frame travels; for ARP requests and neighbour solicitations the
// destination is the address asked for. Zero addresses mean that there are none.
func endpoints(f *Frame) (src, dst netip.Addr) {
	d := f.Data
	switch f.EtherType() {
	case EtherTypeIPv4:
		if len(d) >= 34 {
			return netip.AddrFrom4([4]byte(d[26:30])), netip.AddrFrom4([4]byte(d[30:34]))
		}
	case EtherTypeARP:
		if len(d) >= 42 && binary.BigEndian.Uint16(d[16:]) == EtherTypeIPv4 {
			return netip.AddrFrom4([4]byte(d[28:32])), netip.AddrFrom4([4]byte(d[38:42]))
		}
	case EtherTypeIPv6:
		const solicitation, icmp = 135, 58
		switch {
		case len(d) >= 78 && d[20] == icmp && d[54] == solicitation:
			return netip.AddrFrom16([16]byte(d[22:38])), netip.AddrFrom16([16]byte(d[62:78]))
		case len(d) >= 54:
			return netip.AddrFrom16([16]byte(d[22:38])), netip.AddrFrom16([16]byte(d[38:54]))
		}
	}
	return netip.Addr{}, netip.Addr{}
}
