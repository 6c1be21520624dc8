package ladder

import (
	"fmt"
	"slices"
	"strings"

	"netlab/report"
)

// Network is what a ladder knows of the lab: its nodes and which links join them. A nil Network knows none, which is right for a
// capture that netlab didn't make.
type Network struct {
	nodes    []string // in the order of the topology
	switches []string
	ports    map[string]string // the node at the far end, by the name of the interface
}

// NewNetwork reads a topology.
func NewNetwork(t *report.Topology) *Network {
	n := &Network{ports: map[string]string{}}
	for _, node := range t.Nodes {
		n.nodes = append(n.nodes, node.Name)
		if node.Value.Kind == "switch" {
			n.switches = append(n.switches, node.Name)
		}
	}
	count := map[string]int{}
	for _, l := range t.Links {
		a, b, ok := strings.Cut(l.Between, " - ")
		if !ok {
			continue
		}
		for _, end := range [2][2]string{{a, b}, {b, a}} {
			n.ports[fmt.Sprintf("%s-eth%d", end[0], count[end[0]])] = end[1]
			count[end[0]]++
		}
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
