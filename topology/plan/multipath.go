package plan

import (
	"cmp"
	"net/netip"
	"slices"
)

// first is the first router on a path.
type first struct {
	router int
	via    netip.Addr
}

func compareFirsts(a, b first) int {
	return cmp.Or(cmp.Compare(a.router, b.router), a.via.Compare(b.via))
}

// equals finds for each router and switch the first routers of all paths that are as short as the shortest: of the same latency and as
// many hops. It follows the links that lie on such paths until nothing changes.
func (g *graph) equals() {
	if g.firsts == nil {
		g.firsts = make([][]first, len(g.lab.Nodes))
	}
	for n := range g.firsts {
		g.firsts[n] = g.firsts[n][:0]
	}
	for changed := true; changed; {
		changed = false
		for n := range g.lab.Nodes {
			if n != g.source && g.reached[n] != g.search {
				continue
			}
			for _, h := range g.steps[n] {
				changed = g.spread(n, h) || changed
			}
		}
	}
}

// spread takes the first routers of a node to the next one, if the step is on a shortest path there.
func (g *graph) spread(n int, h hop) (changed bool) {
	if h.to == g.source {
		return false
	}
	var here reach
	here.router = -1
	if n != g.source {
		here = g.found[n]
	}
	there := g.found[h.to]
	here.latency += h.latency
	if h.via.IsValid() {
		here.hops++
	}
	if here.latency != there.latency || here.hops != there.hops {
		return false
	}
	add := func(f first) {
		if i, has := slices.BinarySearchFunc(g.firsts[h.to], f, compareFirsts); !has {
			g.firsts[h.to], changed = slices.Insert(g.firsts[h.to], i, f), true
		}
	}
	if here.router < 0 {
		if h.via.IsValid() {
			add(first{h.to, h.via})
		}
		return changed
	}
	for _, f := range g.firsts[n] {
		add(f)
	}
	return changed
}

// ways returns the next hops of a best reach, the best one alone unless there is multipath.
func (g *graph) ways(best reach) []first {
	if !g.multipath || best.at < 0 || len(g.firsts[best.at]) == 0 {
		return []first{{best.router, best.via}}
	}
	return g.firsts[best.at]
}
