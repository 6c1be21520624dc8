package netlab

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"netlab/netem"
	"netlab/services"
	"netlab/topology"
)

// errCrashed is why what ran on a host ends when the host crashes.
var errCrashed = errors.New("the host crashed")

// nodeFault does what a fault of nodes says.
func (r *Run) nodeFault(verb string, f *topology.Fault) (undo func(), err error) {
	var list []func()
	undo = func() {
		for _, u := range list {
			u()
		}
	}
	var nodes []*worldNode
	for _, name := range f.Nodes() {
		i, ok := r.byName[name]
		if !ok {
			return nil, fmt.Errorf("there is no node %q", name)
		}
		nodes = append(nodes, r.nodes[i])
	}
	if verb == "crash" {
		hit := r.crash(nodes) // others are down already; whoever did that brings them back
		crashes := make([]int, len(hit))
		for i, n := range hit {
			crashes[i] = n.crashes
		}
		return func() {
			for i, n := range hit {
				if n.crashes == crashes[i] {
					r.restart(n)
				}
			}
		}, nil
	}
	for _, n := range nodes {
		u, err := r.faultOn(n, verb, f)
		if err != nil {
			undo()
			return nil, err
		}
		if u != nil {
			list = append(list, u)
		}
	}
	return undo, nil
}

// faultOn does what a fault says to one node. What it changed is put back by undo, nil when there is nothing to put back.
func (r *Run) faultOn(n *worldNode, verb string, f *topology.Fault) (undo func(), err error) {
	switch verb {
	case "restart":
		r.restart(n)
		return nil, nil
	case "resume":
		n.pauses = 0
		n.resumes++
		r.resume(n)
		return nil, nil
	}
	h := n.host()
	if h == nil {
		return nil, fmt.Errorf("%s is no host", n.name)
	}
	emit := func(kind, detail string) {
		r.event(netem.Event{At: r.engine.Elapsed(), Kind: kind, Node: n.name, Detail: detail}, "")
	}
	factor := f.Factor
	if factor == 0 {
		factor = topology.DefaultFactor
	}
	if undo, ok, err := r.diskFault(n, verb, f, factor, emit); ok {
		return undo, err
	}
	switch verb {
	case "pause":
		n.pauses++
		if n.pauses == 1 && h.Alive() {
			h.Pause()
			emit("pause", "")
		}
		resumes := n.resumes
		return func() {
			if n.resumes == resumes {
				n.pauses--
				r.resume(n)
			}
		}, nil
	case "slow":
		return n.slow.multiply(factor, func(product float64) error {
			emit("slow", fmt.Sprintf("service times × %v", product))
			return n.host().SetSlowdown(product)
		})
	case "skew":
		change := func(by time.Duration, detail string) {
			n.skew += by
			n.host().SetSkew(n.skew)
			emit("clock", detail)
		}
		change(f.Offset.Std(), "skew "+f.Offset.String())
		return func() { change(-f.Offset.Std(), "no more skew "+f.Offset.String()) }, nil
	case "drift":
		return n.drift.add(f.Rate.Ratio(), func(sum float64) error {
			emit("clock", fmt.Sprintf("drift %gppm", sum*1e6))
			return n.host().SetDrift(sum)
		})
	case "fail_dns":
		return r.failDNS(n, string(f.Answer))
	}
	panic("netlab: a fault with the unknown verb " + verb)
}

// influences are the numbers that faults in force have for one thing.
type influences []*float64

// multiply adds a factor and tells apply the product of all; undo takes it out again.
func (l *influences) multiply(factor float64, apply func(product float64) error) (undo func(), err error) {
	return l.with(factor, func() error {
		product := 1.0
		for _, f := range *l {
			product *= *f
		}
		return apply(product)
	})
}

// add adds a summand and tells apply the sum of all; undo takes it out again.
func (l *influences) add(summand float64, apply func(sum float64) error) (undo func(), err error) {
	return l.with(summand, func() error {
		sum := 0.0
		for _, s := range *l {
			sum += *s
		}
		return apply(sum)
	})
}

func (l *influences) with(number float64, apply func() error) (undo func(), err error) {
	own := &number
	*l = append(*l, own)
	remove := func() { *l = slices.DeleteFunc(*l, func(p *float64) bool { return p == own }) }
	if err := apply(); err != nil {
		remove()
		return nil, err
	}
	return func() {
		remove()
		_ = apply() // what remains was in force before
	}, nil
}

// failDNS makes the name servers of a host answer every query in a way.
func (r *Run) failDNS(n *worldNode, answer string) (undo func(), err error) {
	if answer == "" {
		answer = "servfail"
	}
	var list []func()
	for _, j := range r.jobs {
		if j.role != services.Service || j.nodes[0] != n {
			continue
		}
		if s, ok := j.runner.(services.DNSFailer); ok {
			undo, err := s.FailQueries(answer)
			if err != nil {
				return nil, err
			}
			list = append(list, undo)
		}
	}
	if list == nil {
		return nil, fmt.Errorf("%s has no dns-server", n.name)
	}
	r.event(netem.Event{At: r.engine.Elapsed(), Kind: "dns", Node: n.name, Detail: "every query gets " + answer}, "")
	return func() {
		for _, u := range list {
			u()
		}
		r.event(netem.Event{At: r.engine.Elapsed(), Kind: "dns", Node: n.name, Detail: "queries are answered again"}, "")
	}, nil
}

// crash takes nodes down, all at once, and returns those that were up. What ran on them ends one after the other.
func (r *Run) crash(nodes []*worldNode) (hit []*worldNode) {
	for _, n := range nodes {
		if !n.down {
			n.down = true
			n.crashes++
			hit = append(hit, n)
			r.event(netem.Event{At: r.engine.Elapsed(), Kind: "crash", Node: n.name}, "")
		}
	}
	var tasks []chan struct{}
	for _, n := range hit {
		switch {
		case n.router != nil:
			n.router.SetDown(true)
		case n.sw != nil:
			n.sw.SetDown(true)
		default:
			n.host().Crash()
			for _, t := range n.tasks {
				tasks = append(tasks, t.crashed)
			}
			n.tasks = nil
		}
	}
	r.engine.WakeTogether(tasks)
	if hit != nil {
		r.topologyChanged()
	}
	return hit
}

// restart brings a node that is down up again.
func (r *Run) restart(n *worldNode) {
	if !n.down {
		return
	}
	n.down = false
	r.event(netem.Event{At: r.engine.Elapsed(), Kind: "restart", Node: n.name}, "")
	switch {
	case n.router != nil:
		n.router.SetDown(false)
	case n.sw != nil:
		n.sw.SetDown(false)
	default:
		if err := r.restartHost(n); err != nil {
			r.fail(fmt.Errorf("node %s: restart: %w", n.name, err))
		}
	}
	r.topologyChanged()
}

// restartHost makes the next incarnation of a host and starts its services.
func (r *Run) restartHost(n *worldNode) error {
	h, err := n.host().Reborn()
	if err != nil {
		return err
	}
	r.former = append(r.former, n.host())
	n.live.Store(h)
	if err := r.setResolver(n); err != nil {
		return err
	}
	if err := r.giveAddresses(n); err != nil {
		return err
	}
	if r.routes != nil && r.routes.tables != nil {
		if err := r.setRoutes(r.byName[n.name]); err != nil {
			return err
		}
	}
	if n.pauses > 0 {
		h.Pause()
	}
	for _, j := range r.jobs {
		if j.role == services.Service && j.nodes[0] == n {
			r.startJob(j, 0, r.engine.Elapsed())
		}
	}
	return nil
}

// resume lets a host go on that nothing holds any more.
func (r *Run) resume(n *worldNode) {
	if h := n.host(); n.pauses == 0 && h != nil && h.Alive() && h.Paused() {
		h.Resume()
		r.event(netem.Event{At: r.engine.Elapsed(), Kind: "resume", Node: n.name}, "")
	}
}
