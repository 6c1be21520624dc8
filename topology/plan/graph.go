package plan

import (
	"container/heap"
	"net/netip"
	"slices"
	"time"
)

// hop is a step from a node to a router or switch next to it.
type hop struct {
	to      int
	link    int
	latency time.Duration
	via     netip.Addr // the router's address at that link; the zero Addr for a switch
}

// reach is how a router or switch is best reached from the source of a search.
type reach struct {
	latency time.Duration
	hops    int        // routers on the way, the last one included
	router  int        // first router on the way, -1 while there were only switches
	link    int        // first link on the way
	via     netip.Addr // address of the first router
	at      int        // the router or switch that is reached so, of reaches of networks; -1 for the host itself
}

// better orders by latency, then hops, then file order of the first router and of the first link.
func (r reach) better(than reach) bool {
	switch {
	case r.latency != than.latency:
		return r.latency < than.latency
	case r.hops != than.hops:
		return r.hops < than.hops
	case r.router != than.router:
		return r.router < than.router
	}
	return r.link < than.link
}

// graph is what one IP version looks like to a search for shortest paths: routers and switches, as hosts don't forward.
type graph struct {
	*planner
	family Family
	steps  [][]hop // from each node
	// members holds for each segment its routers' ports.
	members [][]Port
	// networkOf holds for each link the index of its network, -1 for none; segmentNetwork likewise for segments.
	networkOf, segmentNetwork []int

	// The latest search.
	found   []reach
	reached []int // the number of the search that found it
	settled []int
	search  int
	source  int
	queue   frontier
	// With multipath, firsts holds for each node what equals finds out.
	multipath bool
	firsts    [][]first
}

func (p *planner) newGraph(f Family) *graph {
	nodes := len(p.lab.Nodes)
	g := &graph{planner: p, family: f, steps: make([][]hop, nodes), members: make([][]Port, len(p.plan.Segments)),
		networkOf: slices.Repeat([]int{-1}, len(p.lab.Links)), segmentNetwork: slices.Repeat([]int{-1}, len(p.plan.Segments)),
		found: make([]reach, nodes), reached: make([]int, nodes), settled: make([]int, nodes)}
	for i, n := range p.networks[f] {
		switch {
		case n.link >= 0:
			g.networkOf[n.link] = i
		case n.segment >= 0:
			g.segmentNetwork[n.segment] = i
		}
	}
	for n, ports := range p.plan.Ports {
		for _, port := range ports {
			far := Port{port.Link, 1 - port.End}
			if to := p.node(far); to.Kind != Host && g.at(port) && g.at(far) {
				g.steps[n] = append(g.steps[n], hop{to: p.lab.Links[far.Link].Ends[far.End].Node, link: port.Link,
					latency: p.lab.Links[port.Link].Latency[port.End], via: p.address(f, far).Addr()})
			}
		}
	}
	for i, s := range p.plan.Segments {
		for _, port := range s.Ports {
			if p.node(port).Kind == Router && g.at(port) {
				g.members[i] = append(g.members[i], port)
			}
		}
	}
	return g
}

// at says whether packets of the graph's IP version pass a port.
func (g *graph) at(port Port) bool {
	if g.down != nil && g.down[port.Link] {
		return false
	}
	return g.node(port).Kind == Switch || g.address(g.family, port).IsValid()
}

// network returns the index of the network that a node's port is on, or -1.
func (g *graph) network(port Port) int {
	if s := g.linkSegment[port.Link]; s >= 0 {
		return g.segmentNetwork[s]
	}
	return g.networkOf[port.Link]
}

// from searches the shortest paths from a node to all routers and switches (Dijkstra).
func (g *graph) from(source int) {
	g.search++
	g.source = source
	g.queue = g.queue[:0]
	g.settled[source] = g.search
	start := reach{router: -1}
	for _, h := range g.steps[source] {
		start.link = h.link
		g.relax(start, h)
	}
	for len(g.queue) > 0 {
		next := heap.Pop(&g.queue).(candidate)
		if g.settled[next.node] == g.search {
			continue
		}
		g.settled[next.node] = g.search
		for _, h := range g.steps[next.node] {
			g.relax(next.reach, h)
		}
	}
}

// relax takes one more step on a path.
func (g *graph) relax(r reach, h hop) {
	if g.settled[h.to] == g.search {
		return
	}
	r.latency += h.latency
	if h.via.IsValid() {
		r.hops++
		if r.router < 0 {
			r.router, r.via = h.to, h.via
		}
	}
	if g.reached[h.to] != g.search || r.better(g.found[h.to]) {
		g.reached[h.to], g.found[h.to] = g.search, r
		heap.Push(&g.queue, candidate{h.to, r})
	}
}

// nearest returns the first routers on the way by which the latest search's source best reaches a network: by the nearest router of a
// link, by the nearest switch of a segment, to the nearest host of an anycast address. There is one unless there is multipath.
func (g *graph) nearest(n *network) []first {
	var best []reach
	take := func(r reach) {
		switch {
		case len(best) == 0 || r.better(best[0]):
			if len(best) > 0 && (r.latency != best[0].latency || r.hops != best[0].hops) {
				best = best[:0]
			}
			best = append([]reach{r}, best...)
		case r.latency == best[0].latency && r.hops == best[0].hops:
			best = append(best, r)
		}
	}
	visit := func(node int) {
		if r := g.found[node]; g.reached[node] == g.search && r.router >= 0 {
			r.at = node
			take(r)
		}
	}
	switch {
	case n.link >= 0:
		for _, end := range g.lab.Links[n.link].Ends {
			if g.lab.Nodes[end.Node].Kind == Router {
				visit(end.Node)
			}
		}
	case n.segment >= 0:
		for _, s := range g.plan.Segments[n.segment].Switches {
			visit(s)
		}
	default:
		g.toMembers(n, take)
	}
	if len(best) == 0 {
		return nil
	}
	if !g.multipath {
		return g.ways(best[0])
	}
	var all []first
	for _, r := range best {
		all = append(all, g.ways(r)...)
	}
	slices.SortFunc(all, compareFirsts)
	return slices.Compact(all)
}

// candidate is a path to a node that waits in the queue of a search.
type candidate struct {
	node int
	reach
}

// frontier is the queue of a search.
type frontier []candidate

func (f frontier) Len() int { return len(f) }
func (f frontier) Less(i, j int) bool {
	if f[i].reach == f[j].reach {
		return f[i].node < f[j].node
	}
	return f[i].better(f[j].reach)
}
func (f frontier) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *frontier) Push(c any)   { *f = append(*f, c.(candidate)) }
func (f *frontier) Pop() any {
	last := len(*f) - 1
	c := (*f)[last]
	*f = (*f)[:last]
	return c
}
