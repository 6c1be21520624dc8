package report

import (
	"fmt"
	"strings"
)

// Interface is the end of a link at a node.
type Interface struct {
	Name string // as captures have it, such as "r1-eth0"
	Node string
	Peer string // the node at the other end
}

// Interfaces returns those of all nodes, in the order of the links. A node counts its own from 0.
func (t *Topology) Interfaces() []Interface {
	var list []Interface
	count := map[string]int{}
	for _, l := range t.Links {
		a, b, ok := strings.Cut(l.Between, " - ")
		if !ok {
			continue
		}
		for _, end := range [2][2]string{{a, b}, {b, a}} {
			list = append(list, Interface{fmt.Sprintf("%s-eth%d", end[0], count[end[0]]), end[0], end[1]})
			count[end[0]]++
		}
	}
	return list
}

// Routers returns the names of the interfaces of each router.
func (t *Topology) Routers() map[string][]string {
	routers := map[string][]string{}
	for _, i := range t.Interfaces() {
		if n, _ := t.Nodes.Get(i.Node); n.Kind == "router" {
			routers[i.Node] = append(routers[i.Node], i.Name)
		}
	}
	return routers
}
