package netlab

import (
	"fmt"
	"slices"
	"time"

	"netlab/ip"
	"netlab/netem"
	"netlab/topology/plan"
)

// dynamicRoutes are the routes of a lab that follow failures: some time after links or routers went down or came up, all nodes get
// the shortest paths that there are then, at once. What a routing protocol would send is left out.
type dynamicRoutes struct {
	convergence time.Duration
	due         *netem.Timer
	down        []bool         // the links that carried nothing when routes were computed last
	gone        []bool         // the hosts with an anycast address that were down then
	tables      [][]plan.Route // of all nodes since then, nil before
}

// topologyChanged is told that a link or a node went down or came up.
func (r *Run) topologyChanged() {
	d := r.routes
	if d == nil || d.due != nil {
		return
	}
	d.due = r.engine.AfterFunc(r.owner, netem.KindControl, d.convergence, func() {
		d.due = nil
		if err := r.reroute(); err != nil {
			r.fail(fmt.Errorf("routing: %w", err))
		}
	})
}

// reroute gives all nodes the routes for what is up now.
func (r *Run) reroute() error {
	down := make([]bool, len(r.net.Links()))
	for i, l := range r.net.Links() {
		down[i] = l.Params(netem.Forward).Down || l.Params(netem.Backward).Down ||
			r.forwarderDown(r.lab.ends[i][0]) || r.forwarderDown(r.lab.ends[i][1])
	}
	gone := make([]bool, len(r.nodes))
	for _, address := range r.lab.plan.Anycast() {
		for _, n := range address.Members {
			gone[n] = r.nodes[n].down
		}
	}
	if slices.Equal(down, r.routes.down) && (slices.Equal(gone, r.routes.gone) || r.routes.gone == nil && !slices.Contains(gone, true)) {
		return nil
	}
	r.routes.down, r.routes.gone = down, gone
	failed := 0
	for _, d := range down {
		if d {
			failed++
		}
	}
	r.event(netem.Event{At: r.engine.Elapsed(), Kind: "reroute", Detail: fmt.Sprintf("%d of %d links are down", failed, len(down))}, "")
	r.routes.tables = r.lab.plan.Reroute(down, gone)
	for i, n := range r.nodes {
		if n.sw != nil || n.down {
			continue
		}
		if err := r.setRoutes(i); err != nil {
			return err
		}
	}
	return nil
}

// forwarderDown says whether a node is down that passes packets on: a host that is down changes nobody's routes but those to its
// anycast addresses.
func (r *Run) forwarderDown(i int) bool { return r.nodes[i].down && r.nodes[i].host() == nil }

// setRoutes gives a node the routes that were computed last.
func (r *Run) setRoutes(i int) error {
	n, table := r.nodes[i], r.routes.tables[i]
	routes := make([]ip.Route, len(table))
	for k, route := range table {
		routes[k] = ip.Route(route)
	}
	var down []int
	for k, port := range r.lab.plan.Ports[i] {
		if r.routes.down[port.Link] {
			down = append(down, k)
		}
	}
	if n.router != nil {
		return n.router.ReplaceRoutes(routes, down...)
	}
	return n.host().ReplaceRoutes(routes, down...)
}

// linksDown says which links the file has down at the start.
func (l *Lab) linksDown() []bool {
	down := make([]bool, len(l.topology.Links))
	for i := range l.topology.Links {
		forward, backward := l.topology.Links[i].Directions()
		down[i] = !*forward.Up || !*backward.Up
	}
	return down
}
