package plan

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// with returns a plan with other routes.
func (p *Plan) with(routes [][]Route) *Plan {
	other := *p
	other.Routes, other.tables, other.owners = routes, nil, nil
	return &other
}

// The names of the nodes on a way.
func names(lab *Lab, steps []Step) (list []string) {
	for _, s := range steps {
		list = append(list, lab.Nodes[s.Node].Name)
	}
	return list
}

func TestRerouteTakesTheNextBestWay(t *testing.T) {
	lab, p := mustMake(t, `
		a
		r1 router
		r2 router
		r3 router
		r4 router
		b
		a - r1
		short: r1 - r2 1ms
		r2 - r4 1ms
		long: r1 - r3 5ms
		r3 - r4 5ms
		last: r4 - b`)
	down := func(ids ...string) []bool {
		list := make([]bool, len(lab.Links))
		for i, l := range lab.Links {
			for _, id := range ids {
				list[i] = list[i] || l.ID == id
			}
		}
		return list
	}
	a, b := lab.find("a"), lab.find("b")
	for _, f := range []Family{IPv4, IPv6} {
		require.Equal(t, []string{"a", "r1", "r2", "r4"}, names(lab, p.Way(a, b, f)))
		require.Equal(t, []string{"a", "r1", "r3", "r4"}, names(lab, p.with(p.Reroute(down("short"), nil)).Way(a, b, f)))
		require.Equal(t, []string{"a", "r1", "r2", "r4"}, names(lab, p.with(p.Reroute(down("long"), nil)).Way(a, b, f)))
		require.Empty(t, p.with(p.Reroute(down("short", "long"), nil)).Way(a, b, f))
		require.Empty(t, p.with(p.Reroute(down("last"), nil)).Way(a, b, f))
	}
	require.Equal(t, p.Routes, p.Reroute(make([]bool, len(lab.Links)), nil), "with all links up nothing changes")
}

// Whatever fails, packets reach everything that is still joined to their sender by routers, and no packet goes round in circles.
func TestRerouteReachesWhatIsLeft(t *testing.T) {
	lab := tree(30, 1)
	for i := 1; i < 30; i += 4 {
		lab.Links = append(lab.Links, Link{ID: fmt.Sprintf("ring%d", i), Ends: [2]End{{Node: i}, {Node: (i + 11) % 30}},
			Latency: [2]time.Duration{time.Duration(i) * time.Millisecond, 3 * time.Millisecond}})
	}
	p, err := Make(lab)
	require.NoError(t, err)
	for failed := range lab.Links {
		down := make([]bool, len(lab.Links))
		down[failed], down[(failed*7+3)%len(down)] = true, true
		left := p.with(p.Reroute(down, nil))
		joined := components(lab, down)
		for a := range lab.Nodes {
			for b := range lab.Nodes {
				// At the ends of a link that is down a plan has its addresses still: who runs a lab withdraws them.
				if a != b && !atDown(lab, a, down) && !atDown(lab, b, down) {
					way := left.Way(a, b, IPv4)
					require.Equal(t, joined[a] == joined[b], way != nil, "%s to %s", lab.Nodes[a].Name, lab.Nodes[b].Name)
				}
			}
		}
	}
}

// atDown says whether a node is at the end of a link that is down.
func atDown(lab *Lab, node int, down []bool) bool {
	for i, l := range lab.Links {
		if down[i] && (l.Ends[0].Node == node || l.Ends[1].Node == node) {
			return true
		}
	}
	return false
}

// components numbers the nodes by what they are joined to over links that are up; hosts pass nothing on.
func components(lab *Lab, down []bool) []int {
	of := make([]int, len(lab.Nodes))
	for i := range of {
		of[i] = i
	}
	for changed := true; changed; {
		changed = false
		for i, l := range lab.Links {
			a, b := l.Ends[0].Node, l.Ends[1].Node
			if !down[i] && of[a] != of[b] {
				of[a] = min(of[a], of[b])
				of[b] = of[a]
				changed = true
			}
		}
	}
	return of
}
