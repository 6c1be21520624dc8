package plan

import "slices"

// Reroute returns the routing tables of all nodes when some links carry nothing: the shortest paths over the others, as in
// [Plan.Routes], whatever routes the lab gives. Networks of links that are down are left out, and so are those that can't be
// reached any more, but for what default routes of hosts and stub routers cover. down is by the links' indices. gone is by the nodes';
// hosts that are gone have no anycast addresses.
func (p *Plan) Reroute(down, gone []bool) [][]Route {
	lab := &Lab{Nodes: slices.Clone(p.lab.Nodes), Links: p.lab.Links, Shared: p.lab.Shared, ECMP: p.lab.ECMP}
	for i := range lab.Nodes {
		lab.Nodes[i].Routes = nil
	}
	again := &planner{lab: lab, plan: &Plan{lab: lab}, down: down, gone: gone}
	again.addressed() // as before, and without errors then
	again.routes()
	return again.plan.Routes
}
