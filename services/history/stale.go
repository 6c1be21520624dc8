package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// checkStale checks no-stale-reads. A read of a register is stale if the write of its value had taken effect when another was invoked, and
// that one was acknowledged when the read was invoked; it has been stale since the first such acknowledgement. A read of a set or list is
// stale since the first acknowledgement of an element that is missing, a count since the moment when more had been acknowledged.
func (c *checker) checkStale() Verdict {
	var f finding
	var sum time.Duration
	for _, p := range c.parts {
		since := p.staleSince()
		if since == nil {
			return downward(p)
		}
		for i := range p.ops {
			o := &p.ops[i]
			if o.Outcome != OK || !o.Kind.reads() {
				continue
			}
			f.Checked++
			newer, others, problem := since(o)
			if problem != "" {
				return Verdict{Result: Undecided, Reason: problem, Culprit: -1}
			}
			if newer == nil {
				continue
			}
			age := o.Invoked - newer.Completed
			sum, f.StaleMax = sum+age, max(f.StaleMax, age)
			f.add(o, fmt.Sprintf("%s, %v after %s was acknowledged", o, age, newer.label()), append(slices.Clone(others), newer)...)
		}
	}
	if f.Violations > 0 {
		f.StaleMean = sum / time.Duration(f.Violations)
	}
	return f.verdict(fmt.Sprintf("none of %s is stale", plural(f.Checked, "read")),
		fmt.Sprintf("%d of %s are stale, by %v at most and %v on average", f.Violations, plural(f.Checked, "read"), f.StaleMax, f.StaleMean))
}

// staleSince returns a function that finds the update whose acknowledgement made a read stale, nil for none, with others that show it. It
// returns nil if nothing can be said.
func (p *part) staleSince() func(*Operation) (newer *Operation, others []*Operation, problem string) {
	acknowledged := p.acknowledged()
	switch p.family {
	case "register":
		return staleRegister(p, acknowledged)
	case "counter":
		if !p.onlyUp() {
			return nil
		}
		return func(o *Operation) (*Operation, []*Operation, string) {
			var sum int64
			for i, w := range acknowledged {
				if w.Completed >= o.Invoked {
					break
				}
				if sum += num(w.Input[0]); sum > o.counts() {
					return w, acknowledged[:i], ""
				}
			}
			return nil, nil, ""
		}
	}
	return func(o *Operation) (*Operation, []*Operation, string) {
		there := setOf(o.Output)
		for _, w := range acknowledged {
			if w.Completed >= o.Invoked {
				break
			}
			if !there[w.Input[0]] {
				return w, nil, ""
			}
		}
		return nil, nil, ""
	}
}

// acknowledged returns the updates of a key that took effect, in the order of their acknowledgements.
func (p *part) acknowledged() []*Operation {
	var list []*Operation
	for i := range p.ops {
		if o := &p.ops[i]; o.Outcome == OK && !o.Kind.reads() {
			list = append(list, o)
		}
	}
	slices.SortStableFunc(list, func(a, b *Operation) int { return cmp.Compare(a.Completed, b.Completed) })
	return list
}

// staleRegister is staleSince for registers: values that are read must have been written only once.
func staleRegister(p *part, acknowledged []*Operation) func(*Operation) (*Operation, []*Operation, string) {
	times := newTimeline(p.ops)
	// By invocation, and of those from each on the one that was acknowledged first.
	byStart := slices.Clone(acknowledged)
	slices.SortStableFunc(byStart, func(a, b *Operation) int { return cmp.Compare(a.Invoked, b.Invoked) })
	first := slices.Clone(byStart)
	for i := len(first) - 2; i >= 0; i-- {
		if first[i+1].Completed < first[i].Completed {
			first[i] = first[i+1]
		}
	}
	return func(o *Operation) (*Operation, []*Operation, string) {
		value, found := o.value()
		i := 0
		wrote := times.writers[value]
		if found {
			switch len(wrote) {
			case 0:
				return nil, nil, "" // of nobody, or of a write that failed: dirty rather than stale
			case 1:
			default:
				return nil, nil, fmt.Sprintf("key %s: %q was written %d times and read: want distinct values", p.key, value, len(wrote))
			}
			at := times.effect[wrote[0]]
			i, _ = slices.BinarySearchFunc(byStart, at, func(w *Operation, at time.Duration) int {
				if w.Invoked <= at {
					return -1
				}
				return 1
			})
		} else {
			wrote = nil
		}
		if i < len(first) && first[i].Completed < o.Invoked {
			return first[i], wrote, ""
		}
		return nil, nil, ""
	}
}
