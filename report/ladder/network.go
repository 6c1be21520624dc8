package ladder

import (
	"slices"

	"netlab/report"
)

// Network is what a ladder knows of the lab: its nodes and which links join them. A nil Network knows none, which is right for a
// capture that netlab didn't make.
type Network struct {
	nodes    []string // in the order of the topology
	switches []string
	ports    map[string]string // the node at the far end, by the name of the interface
	routers  map[string][]string
}

// NewNetwork reads a topology.
func NewNetwork(t *report.Topology) *Network {
	n := &Network{ports: map[string]string{}, routers: t.Routers()}
	for _, node := range t.Nodes {
		n.nodes = append(n.nodes, node.Name)
		if node.Value.Kind == "switch" {
			n.switches = append(n.switches, node.Name)
		}
	}
	for _, i := range t.Interfaces() {
		n.ports[i.Name] = i.Peer
	}
	return n
}

// Nodes returns the names of all nodes in the order of the topology.
func (n *Network) Nodes() []string {
	if n == nil {
		return nil
	}
	return slices.Clone(n.nodes)
}

// has says whether there is a node of that name.
func (n *Network) has(node string) bool { return n != nil && slices.Contains(n.nodes, node) }

// isSwitch says whether a node is a switch, which has no column unless it is asked for.
func (n *Network) isSwitch(node string) bool { return n != nil && slices.Contains(n.switches, node) }

// across returns the node at the far end of an interface, or "".
func (n *Network) across(iface string) string {
	if n == nil {
		return ""
	}
	return n.ports[iface]
}
