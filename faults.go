package netlab

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"netlab/netem"
	"netlab/topology"
)

// scheduleFaults puts the topology's faults on the engine's queue.
func (r *Run) scheduleFaults() {
	for i := range r.lab.topology.Faults {
		f := &r.lab.topology.Faults[i]
		r.engine.At(r.owner, netem.KindControl, time.Duration(f.At), func() {
			undo, err := r.fault(f)
			if err != nil {
				r.fail(fmt.Errorf("faults[%d]: %w", i, err))
				return
			}
			if f.For > 0 {
				r.engine.At(r.owner, netem.KindControl, time.Duration(f.At+f.For), undo)
			}
		})
	}
}

// fault does what a fault says and returns what puts it back.
func (r *Run) fault(f *topology.Fault) (undo func(), err error) {
	switch {
	case f.Cut != "":
		links, err := r.lab.topology.MatchLinks(f.Cut)
		if err != nil {
			return nil, err
		}
		restore, err := r.setLinks(links, func(_ int, p *netem.Params) { p.Down = true })
		return restore, err
	case f.Restore != "":
		links, err := r.lab.topology.MatchLinks(f.Restore)
		if err != nil {
			return nil, err
		}
		return r.setLinks(links, func(_ int, p *netem.Params) { p.Down = false })
	case f.Partition != nil:
		p, err := r.partition(f.Name, f.Partition)
		if err != nil {
			return nil, err
		}
		return func() { r.net.Heal(p) }, nil
	case f.Heal != "":
		return func() {}, r.heal(f.Heal)
	case f.Set != nil:
		links, err := r.lab.topology.MatchLinks(f.Link)
		if err != nil {
			return nil, err
		}
		return r.setLinks(links, func(direction int, p *netem.Params) {
			change(p, f.Set.LinkParams)
			if direction == netem.Forward {
				change(p, f.Set.Forward)
			} else {
				change(p, f.Set.Backward)
			}
		})
	}
	return nil, errors.New("a fault without a verb")
}

// setLinks changes both directions of links and returns what puts those parameters back that it changed. The direction that
// edit is told is that of the text that named the link.
func (r *Run) setLinks(links []topology.LinkMatch, edit func(direction int, p *netem.Params)) (undo func(), err error) {
	type change struct {
		link          *netem.Link
		direction     int
		before, after netem.Params
	}
	var changes []change
	for _, m := range links {
		link := r.net.Links()[m.Index]
		for _, d := range []int{netem.Forward, netem.Backward} {
			before := link.Params(d)
			after := before
			as := d
			if m.Reversed {
				as = 1 - d
			}
			edit(as, &after)
			if err := link.Set(d, after); err != nil {
				return nil, err
			}
			changes = append(changes, change{link, d, before, after})
		}
	}
	return func() {
		for _, c := range changes {
			if err := c.link.Set(c.direction, restored(c.link.Params(c.direction), c.before, c.after)); err != nil {
				r.fail(err)
			}
		}
	}, nil
}

// restored is now with those properties as they were before that the change from before to after touched.
func restored(now, before, after netem.Params) netem.Params {
	if before.Latency != after.Latency {
		now.Latency = before.Latency
	}
	if before.Rate != after.Rate {
		now.Rate = before.Rate
	}
	if before.Queue != after.Queue {
		now.Queue = before.Queue
	}
	if before.Loss != after.Loss {
		now.Loss = before.Loss
	}
	if before.MTU != after.MTU {
		now.MTU = before.MTU
	}
	if before.Down != after.Down {
		now.Down = before.Down
	}
	return now
}

// change sets those properties that p gives.
func change(params *netem.Params, p topology.LinkParams) {
	if p.Latency != nil {
		params.Latency = *p.Latency
	}
	if p.Rate != 0 {
		params.Rate = p.Rate
	}
	if p.Queue != nil {
		params.Queue.Limit = *p.Queue
	}
	if p.Loss != nil {
		params.Loss = *p.Loss
	}
	if p.MTU != 0 {
		params.MTU = int(p.MTU)
	}
	if p.Up != nil {
		params.Down = !*p.Up
	}
}

// partition cuts groups of nodes from each other. One group alone is cut from all other nodes.
func (r *Run) partition(name string, groups [][]string) (*netem.Partition, error) {
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
	label := strings.Join(words, " | ")
	if name != "" {
		label = name + ": " + label
	}
	p, err := r.net.Part(label, ids, false)
	if err != nil {
		return nil, err
	}
	r.active = append(r.active, activePartition{name, p})
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
	if !found && name != "all" {
		return fmt.Errorf("there is no partition %q to heal", name)
	}
	return nil
}

// Inject does what a fault says at once, and after Fault.For, if that is given, puts it back. Fault.At is ignored. Names and
// patterns are those of the file.
func (r *Run) Inject(f topology.Fault) (*Injection, error) {
	type outcome struct {
		undo func()
		err  error
	}
	done := make(chan outcome, 1)
	injection := &Injection{run: r}
	r.engine.AfterFunc(r.owner, netem.KindControl, 0, func() {
		undo, err := r.fault(&f)
		injection.undo = undo
		if err == nil && f.For > 0 {
			r.engine.AfterFunc(r.owner, netem.KindControl, time.Duration(f.For), injection.remove)
		}
		done <- outcome{undo, err}
	})
	select {
	case o := <-done:
		if o.err != nil {
			return nil, o.err
		}
		return injection, nil
	case <-r.ctx.Done():
		return nil, errEnded
	}
}

// Injection is a fault that [Run.Inject] injected.
type Injection struct {
	run  *Run
	undo func()
}

// Remove puts back what the fault changed. Once is enough.
func (i *Injection) Remove() {
	done := make(chan struct{})
	i.run.engine.AfterFunc(i.run.owner, netem.KindControl, 0, func() {
		i.remove()
		close(done)
	})
	select {
	case <-done:
	case <-i.run.ctx.Done():
	}
}

func (i *Injection) remove() {
	if i.undo != nil {
		i.undo()
		i.undo = nil
	}
}
