package netlab

import (
	"fmt"
	"slices"
	"strings"

	"netlab/netem"
	"netlab/topology"
)

// overlay is a change of a direction of a link that is in force. All of them together, in the order in which they came, make of
// the properties that the file gives those that the direction has: so faults may overlap and end in any order.
type overlay struct {
	change func(*netem.Params)
	cut    bool
}

// linkState is what a run has done to a link.
type linkState struct {
	base     [2]netem.Params
	overlays [2][]*overlay
}

// linkState returns what has been done to the i-th link.
func (r *Run) linkState(i int) *linkState {
	s := r.links[i]
	if s == nil {
		link := r.net.Links()[i]
		s = &linkState{base: [2]netem.Params{link.Params(netem.Forward), link.Params(netem.Backward)}}
		r.links[i] = s
	}
	return s
}

// applyLink gives a direction of a link the properties that it should have.
func (r *Run) applyLink(i, direction int) error {
	s := r.linkState(i)
	p := s.base[direction]
	for _, o := range s.overlays[direction] {
		o.change(&p)
	}
	link := r.net.Links()[i]
	was := link.Params(direction).Down
	if err := link.Set(direction, p); err != nil {
		return err
	}
	if was != p.Down {
		r.topologyChanged()
	}
	return nil
}

// overlay changes links and returns what takes that back. change is told the direction in the sense of the text that named the link.
func (r *Run) overlay(links []topology.LinkMatch, cut bool, change func(direction int, p *netem.Params)) (undo func(), err error) {
	type place struct {
		link, direction int
		o               *overlay
	}
	var places []place
	undo = func() {
		for _, p := range places {
			s := r.linkState(p.link)
			if n := slices.Index(s.overlays[p.direction], p.o); n >= 0 {
				s.overlays[p.direction] = slices.Delete(s.overlays[p.direction], n, n+1)
				if err := r.applyLink(p.link, p.direction); err != nil {
					r.fail(err)
				}
			}
		}
	}
	for _, m := range links {
		for _, d := range []int{netem.Forward, netem.Backward} {
			as := d
			if m.Reversed {
				as = 1 - d
			}
			o := &overlay{func(p *netem.Params) { change(as, p) }, cut}
			s := r.linkState(m.Index)
			s.overlays[d] = append(s.overlays[d], o)
			places = append(places, place{m.Index, d, o})
			if err := r.applyLink(m.Index, d); err != nil {
				undo()
				return nil, err
			}
		}
	}
	return undo, nil
}

func setDown(down bool) func(int, *netem.Params) {
	return func(_ int, p *netem.Params) { p.Down = down }
}

// linkFault does what a fault of links says.
func (r *Run) linkFault(verb string, f *topology.Fault, a *activeFault) (undo func(), err error) {
	text := map[string]string{"cut": f.Cut, "restore": f.Restore, "flap": f.Flap, "set": f.Link}[verb]
	links, err := r.lab.topology.MatchLinks(text)
	if err != nil {
		return nil, err
	}
	switch verb {
	case "cut":
		return r.overlay(links, true, setDown(true))
	case "restore":
		return nil, r.restore(links)
	case "flap":
		return r.flap(links, f, a)
	}
	return r.overlay(links, false, func(direction int, p *netem.Params) {
		f.Set.Change(p)
		if direction == netem.Forward {
			f.Set.Forward.Change(p)
		} else {
			f.Set.Backward.Change(p)
		}
	})
}

// restore ends the cuts of links, and brings those up that are down for another reason.
func (r *Run) restore(links []topology.LinkMatch) error {
	for _, m := range links {
		s := r.linkState(m.Index)
		for _, d := range []int{netem.Forward, netem.Backward} {
			s.overlays[d] = slices.DeleteFunc(s.overlays[d], func(o *overlay) bool { return o.cut })
			p := s.base[d]
			for _, o := range s.overlays[d] {
				o.change(&p)
			}
			if p.Down {
				s.overlays[d] = append(s.overlays[d], &overlay{change: func(p *netem.Params) { p.Down = false }})
			}
			if err := r.applyLink(m.Index, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// flap takes links down and up again and again.
func (r *Run) flap(links []topology.LinkMatch, f *topology.Fault, a *activeFault) (undo func(), err error) {
	var up func()
	var timer *netem.Timer
	at := r.engine.Elapsed()
	var turn func()
	turn = func() {
		if up != nil {
			up()
			up = nil
			at += max(f.UpTime.Sample(a.random), 1)
		} else {
			if up, err = r.overlay(links, true, setDown(true)); err != nil {
				r.fail(err)
				return
			}
			at += max(f.DownTime.Sample(a.random), 1)
		}
		timer = r.engine.At(r.owner, netem.KindControl, at, turn)
	}
	turn()
	return func() {
		timer.Stop()
		if up != nil {
			up()
		}
	}, err
}

// partition cuts groups of nodes from each other. One group alone is cut from all other nodes.
func (r *Run) partition(f *topology.Fault) (*netem.Partition, error) {
	groups := f.Partition
	if len(groups) == 1 {
		var rest []string
		for _, n := range r.nodes {
			if !slices.Contains(groups[0], n.name) && n.sw == nil {
				rest = append(rest, n.name)
			}
		}
		groups = [][]string{groups[0], rest}
	}
	ids := make([][]netem.NodeID, len(groups))
	words := make([]string, len(groups))
	for i, g := range groups {
		for _, node := range g {
			id, ok := r.byName[node]
			if !ok {
				return nil, fmt.Errorf("there is no node %q", node)
			}
			ids[i] = append(ids[i], netem.NodeID(id))
		}
		words[i] = strings.Join(g, ", ")
	}
	sign := " | "
	if f.OneWay {
		sign = " -/-> "
	}
	p, err := r.net.Part(f.Name+": "+strings.Join(words, sign), ids, f.OneWay)
	if err != nil {
		return nil, err
	}
	r.active = append(r.active, activePartition{f.Name, p})
	return p, nil
}

// activePartition is a partition that may be in force.
type activePartition struct {
	name      string
	partition *netem.Partition
}

// heal ends the partitions of a name, or all.
func (r *Run) heal(name string) error {
	found := false
	for _, a := range r.active {
		if name == "all" || a.name == name {
			r.net.Heal(a.partition)
			found = true
		}
	}
	named := func(a *activeFault) bool { return a.fault.Name == name } // it may not have come to pass
	if !found && name != "all" && !slices.ContainsFunc(r.faults, named) {
		return fmt.Errorf("there is no partition %q to heal", name)
	}
	return nil
}
