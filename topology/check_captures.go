package topology

import "fmt"

// checkCaptures checks what is captured.
func (c *checker) checkCaptures() {
	cp, at := c.t.Captures, c.root.field("captures")
	if cp == nil {
		return
	}
	if cp.SnapLength != nil && *cp.SnapLength == 0 {
		c.addf(at.field("snap_length"), "found 0B, wanted more than that; leave the field out for whole frames")
	}
	if !c.nodesKnown {
		return
	}
	nodes := c.patterns(at.field("nodes"), c.lab.nodes, cp.Nodes)
	if cp.Nodes == nil {
		nodes = nil
		for n := range c.lab.nodes.names {
			nodes = append(nodes, n)
		}
	}
	if c.linksKnown && len(cp.Interfaces) > 0 {
		c.patterns(at.field("interfaces"), NewMatcher("captured interface", c.lab.interfaces(nodes)), cp.Interfaces)
	}
	c.patterns(at.field("secrets"), NewMatcher("captured node", c.lab.nodes.selectNames(nodes)), cp.Secrets)
	if c.options.CheckFilter != nil && cp.Filter != "" {
		if err := c.options.CheckFilter(cp.Filter, c.lab.nodes.names); err != nil {
			c.addf(at.field("filter"), "%s", err)
		}
	}
}

// patterns reports patterns that match nothing and returns what the others match.
func (c *checker) patterns(at place, names *Matcher, patterns Patterns) []int {
	var found []int
	for i, p := range patterns {
		some, err := names.Match(p)
		if err != nil {
			c.addf(at.item(i), "%s", err)
			continue
		}
		found = append(found, some...)
	}
	return found
}

// interfaces returns the names of the interfaces of some nodes, node by node: the node's name and the number of its link,
// in link order.
func (l *lab) interfaces(nodes []int) []string {
	ports := make([]int, len(l.nodes.names))
	for _, link := range l.links {
		ports[link.ends[0]]++
		ports[link.ends[1]]++
	}
	var names []string
	seen := map[int]bool{}
	for _, n := range nodes {
		if seen[n] {
			continue
		}
		seen[n] = true
		for i := range ports[n] {
			names = append(names, fmt.Sprintf("%s-eth%d", l.name(n), i))
		}
	}
	return names
}
