package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// ports numbers the ends of links at each node.
func (p *planner) ports() {
	p.plan.Ports = make([][]Port, len(p.lab.Nodes))
	for l, link := range p.lab.Links {
		for e, end := range link.Ends {
			if end.Node < 0 || end.Node >= len(p.lab.Nodes) {
				panic(fmt.Sprintf("plan: link %s: node %d of %d", link.ID, end.Node, len(p.lab.Nodes)))
			}
			p.plan.Ports[end.Node] = append(p.plan.Ports[end.Node], Port{l, e})
		}
		if link.Ends[0].Node == link.Ends[1].Node {
			p.linkError(l, "between", "both ends are %s: a link joins two nodes", p.lab.Nodes[link.Ends[0].Node].Name)
		}
	}
}

// segments finds the groups of connected switches and the loops in them.
func (p *planner) segments() {
	nodes, links := p.lab.Nodes, p.lab.Links
	// A forest of switches: parent leads to the group's root, which is its first switch in the lab.
	parent := make([]int, len(nodes))
	for n := range parent {
		parent[n] = n
	}
	root := func(n int) int {
		for parent[n] != n {
			parent[n] = parent[parent[n]]
			n = parent[n]
		}
		return n
	}
	tree := map[int][]Port{} // the links of the forest at each switch
	for l, link := range links {
		a, b := link.Ends[0].Node, link.Ends[1].Node
		if a == b || nodes[a].Kind != Switch || nodes[b].Kind != Switch {
			continue
		}
		if ra, rb := root(a), root(b); ra != rb {
			parent[max(ra, rb)] = min(ra, rb)
			tree[a] = append(tree[a], Port{l, 1})
			tree[b] = append(tree[b], Port{l, 0})
			continue
		}
		p.loop(l, tree)
	}

	p.segmentOf = make([]int, len(nodes))
	for n, node := range nodes {
		p.segmentOf[n] = -1
		if node.Kind != Switch {
			continue
		}
		r := root(n)
		if r == n {
			p.segmentOf[n] = len(p.plan.Segments)
			p.plan.Segments = append(p.plan.Segments, Segment{Networks: segmentNetworks(node.Name)})
		}
		p.segmentOf[n] = p.segmentOf[r]
		s := &p.plan.Segments[p.segmentOf[r]]
		s.Switches = append(s.Switches, n)
	}
	p.linkSegment = make([]int, len(links))
	for l, link := range links {
		p.linkSegment[l] = -1
		for e, end := range link.Ends {
			if s := p.segmentOf[end.Node]; s >= 0 {
				p.linkSegment[l] = s
				if other := (Port{l, 1 - e}); p.node(other).Kind != Switch {
					p.plan.Segments[s].Ports = append(p.plan.Segments[s].Ports, other)
				}
			}
		}
	}
}

// loop reports the loop that a link closes: the link and the path between its ends in the forest. tree holds for each
// switch the far ends of its links.
func (p *planner) loop(link int, tree map[int][]Port) {
	from, to := p.lab.Links[link].Ends[1].Node, p.lab.Links[link].Ends[0].Node
	came := map[int]Port{from: {-1, 0}} // the near end of the link by which a switch was found
	queue := []int{from}
	for len(queue) > 0 && queue[0] != to {
		n := queue[0]
		queue = queue[1:]
		for _, port := range tree[n] {
			far := p.lab.Links[port.Link].Ends[port.End].Node
			if _, seen := came[far]; !seen {
				came[far] = Port{port.Link, 1 - port.End}
				queue = append(queue, far)
			}
		}
	}
	ids := []string{p.lab.Links[link].ID}
	for n := to; n != from; {
		port := came[n]
		ids = append(ids, p.lab.Links[port.Link].ID)
		n = p.lab.Links[port.Link].Ends[port.End].Node
	}
	slices.Reverse(ids[1:])
	p.linkError(link, "between", "switches form a loop by the links %s: frames would circle in it for ever, as netlab's "+
		"switches have no spanning tree; remove one of these links or make a switch a router", strings.Join(ids, ", "))
}

// subnets applies the subnets of a segment's switches to its networks and returns which of them were given.
func (p *planner) subnets(s *Segment) (given [2]bool) {
	var by [2]int // the switch that gave it
	for _, n := range s.Switches {
		for i, subnet := range p.lab.Nodes[n].Subnets {
			field := fmt.Sprintf("subnets[%d]", i)
			if message := checkSubnet(subnet); message != "" {
				p.nodeError(n, field, "%s", message)
				continue
			}
			f := family(subnet.Addr())
			switch {
			case !given[f]:
				given[f], by[f] = true, n
				s.Networks[f] = subnet
			case s.Networks[f] == subnet:
			case by[f] == n:
				p.nodeError(n, field, "%s is the second %s network of this segment, after %s: want at most one",
					subnet, f, s.Networks[f])
			default:
				p.nodeError(n, field, "%s is the second %s network of this segment, after %s of switch %s: want at most one",
					subnet, f, s.Networks[f], p.lab.Nodes[by[f]].Name)
			}
		}
	}
	return given
}

// checkSubnet returns what is wrong with a segment's network, or "".
func checkSubnet(subnet netip.Prefix) string {
	if !subnet.IsValid() {
		return "want a network such as 192.0.2.0/24"
	}
	if message := checkUnicast(subnet.Addr(), false); message != "" {
		return fmt.Sprintf("%s %s", subnet, message)
	}
	if subnet != subnet.Masked() {
		return fmt.Sprintf("%s has bits set behind its prefix: write %s", subnet, subnet.Masked())
	}
	widest, narrowest := 8, 30
	if family(subnet.Addr()) == IPv6 {
		widest, narrowest = 16, 126
	}
	if subnet.Bits() < widest || subnet.Bits() > narrowest {
		return fmt.Sprintf("%s has a prefix length of %d: want %d to %d", subnet, subnet.Bits(), widest, narrowest)
	}
	return ""
}
