package history

import (
	"fmt"
	"slices"
)

// Session guarantees (Terry et al., "Session Guarantees for Weakly Consistent Replicated Data", 1994), as far as they can be told from
// outside. One value of a register is older than another if its write had taken effect when that of the other was invoked; of two writes
// at the same time nobody can tell. That there is nothing is older than any value.

// downward is the answer for counters that are counted down too.
func downward(p *part) Verdict {
	return Verdict{Result: Undecided, Reason: fmt.Sprintf("key %s: increments below zero, so that values tell nothing about their order", p.key), Culprit: -1}
}

// checkOwnWrites checks read-your-writes.
func (c *checker) checkOwnWrites() Verdict {
	var f finding
	for _, p := range c.parts {
		if p.family == "counter" && !p.onlyUp() {
			return downward(p)
		}
		times := newTimeline(p.ops)
		own := map[int][]*Operation{} // acknowledged updates of each client
		for i := range p.ops {
			o := &p.ops[i]
			switch {
			case o.Outcome != OK:
			case o.Kind.reads():
				f.Checked++
				f.ownWrites(times, o, own[o.Client])
			default:
				own[o.Client] = append(own[o.Client], o)
			}
		}
	}
	return f.verdict(fmt.Sprintf("%s show what their clients had written", plural(f.Checked, "read")),
		fmt.Sprintf("%d of %s don't show what their clients had written", f.Violations, plural(f.Checked, "read")))
}

// ownWrites looks at one read, with its client's acknowledged updates of the key before it.
func (f *finding) ownWrites(times *timeline, o *Operation, own []*Operation) {
	if len(own) == 0 {
		return
	}
	switch o.Kind {
	case Read:
		last := own[len(own)-1]
		if value, found := o.value(); times.older(found, value, last) {
			f.add(o, fmt.Sprintf("%s, after its own %s", o, last.label()), append(slices.Clone(times.writers[value]), last)...)
		}
	case Members, List:
		there := setOf(o.Output)
		for _, w := range own {
			if !there[w.Input[0]] {
				f.add(o, fmt.Sprintf("%s, after its own %s", o, w.label()), w)
				return
			}
		}
	case Count:
		var sum int64
		for _, w := range own {
			sum += num(w.Input[0])
		}
		if o.counts() < sum {
			f.add(o, fmt.Sprintf("%s, after its own increments by %d", o, sum), own...)
		}
	}
}

// glimpse is what one client has seen of one key.
type glimpse struct {
	// last and newest are reads of a register: the one before, and the one of the value that is newest for sure.
	last, newest *Operation
	// values are the reads that first returned a value of a register or showed an element of a set.
	values map[string]*Operation
	// most is the read with the longest list, or the highest count.
	most *Operation
}

// checkMonotonic checks monotonic-reads.
func (c *checker) checkMonotonic() Verdict {
	var f finding
	for _, p := range c.parts {
		if p.family == "counter" && !p.onlyUp() {
			return downward(p)
		}
		times := newTimeline(p.ops)
		clients := map[int]*glimpse{}
		for i := range p.ops {
			o := &p.ops[i]
			if o.Outcome != OK || !o.Kind.reads() {
				continue
			}
			g := clients[o.Client]
			if g == nil {
				g = &glimpse{values: map[string]*Operation{}}
				clients[o.Client] = g
			}
			f.Checked++
			if before, others := g.look(times, o); before != nil {
				f.add(o, fmt.Sprintf("%s, after it had been %s", o, before.label()), append(others, before)...)
			}
		}
	}
	return f.verdict(fmt.Sprintf("%s never go back", plural(f.Checked, "read")),
		fmt.Sprintf("%d of %s go back", f.Violations, plural(f.Checked, "read")))
}

// look returns an earlier read that showed something newer, with the writes that tell so, and remembers this one.
func (g *glimpse) look(times *timeline, o *Operation) (before *Operation, others []*Operation) {
	switch o.Kind {
	case Read:
		return g.value(times, o)
	case Members:
		there := setOf(o.Output)
		for e, first := range g.values {
			if !there[e] && (before == nil || first.Index < before.Index) { // the least, whatever the order
				before = first
			}
		}
		for e := range there {
			if g.values[e] == nil {
				g.values[e] = o
			}
		}
		return before, nil
	case List:
		if g.most != nil && (len(o.Output) < len(g.most.Output) || !slices.Equal(o.Output[:len(g.most.Output)], g.most.Output)) {
			return g.most, nil
		}
	case Count:
		if g.most != nil && o.counts() < g.most.counts() {
			return g.most, nil
		}
	}
	g.most = o
	return nil, nil
}

// value is look for registers.
func (g *glimpse) value(times *timeline, o *Operation) (before *Operation, others []*Operation) {
	value, found := o.value()
	for _, earlier := range []*Operation{g.last, g.newest} {
		if earlier == nil {
			continue
		}
		if seen, is := earlier.value(); is && times.olderThan(found, value, seen) {
			before, others = earlier, append(slices.Clone(times.writers[value]), times.writers[seen]...)
			break
		}
	}
	if before == nil && found && g.last != nil { // back at a value that was replaced in between
		last, is := g.last.value()
		if first := g.values[value]; first != nil && is && last != value && len(times.writers[value]) == 1 {
			before, others = g.last, append([]*Operation{first}, times.writers[value]...)
		}
	}
	g.last = o
	if found {
		if g.values[value] == nil {
			g.values[value] = o
		}
		newest := ""
		if g.newest != nil {
			newest, _ = g.newest.value()
		}
		if g.newest == nil || times.olderThan(true, newest, value) {
			g.newest = o
		}
	}
	return before, others
}
