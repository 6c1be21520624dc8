package history

import "time"

// timeline is what is known for sure about the order of the writes to a register.
type timeline struct {
	// writers are the operations that wrote a value, or may have; failed are those that didn't.
	writers, failed map[string][]*Operation
	// effect is by when an operation took effect for sure.
	effect map[*Operation]time.Duration
}

// newTimeline looks at the operations on one key.
func newTimeline(ops []Operation) *timeline {
	t := &timeline{map[string][]*Operation{}, map[string][]*Operation{}, map[*Operation]time.Duration{}}
	seen := observers(ops)
	for i := range ops {
		o := &ops[i]
		of, writes := o.writes()
		switch {
		case !writes:
		case o.Outcome == Fail:
			t.failed[of.value] = append(t.failed[of.value], o)
		default:
			t.writers[of.value] = append(t.writers[of.value], o)
		}
	}
	for value, list := range t.writers { // in any order: each stands for itself
		for _, o := range list {
			t.effect[o] = never
			if first, found := seen[item{o.Key, value}]; found && len(list) == 1 {
				t.effect[o] = first
			}
			if o.Outcome == OK {
				t.effect[o] = min(t.effect[o], o.Completed)
			}
		}
	}
	return t
}

// precedes says that a write took effect before another was invoked.
func (t *timeline) precedes(w, other *Operation) bool {
	if w == other {
		return false
	}
	at := t.effect[w]
	return at < other.Invoked || w.Client == other.Client && w.Outcome == OK && w.Completed <= other.Invoked
}

// older says that a value, or that there is none, is for sure from before a write: all that wrote it had taken effect when that was invoked.
func (t *timeline) older(found bool, value string, w *Operation) bool {
	if !found {
		return true
	}
	list := t.writers[value]
	for _, o := range list {
		if !t.precedes(o, w) {
			return false
		}
	}
	return len(list) > 0
}

// olderThan says that a value, or that there is none, is for sure from before all writes of another.
func (t *timeline) olderThan(found bool, value, other string) bool {
	list := t.writers[other]
	for _, w := range list {
		if !t.older(found, value, w) {
			return false
		}
	}
	return len(list) > 0
}

// value returns what a read found.
func (o *Operation) value() (string, bool) {
	if !o.Found || len(o.Output) == 0 {
		return "", false
	}
	return o.Output[0], true
}

// amounts returns the sum of what was acknowledged to be added to a counter, and of what may have been taken away and added besides.
func amounts(ops []Operation) (sum, down, up int64) {
	for i := range ops {
		o := &ops[i]
		if o.Kind != Increment || o.Outcome == Fail {
			continue
		}
		n := num(o.Input[0])
		switch {
		case o.Outcome == OK:
			sum += n
		case n < 0:
			down += n
		default:
			up += n
		}
	}
	return sum, down, up
}

// counts returns what a read of a counter found.
func (o *Operation) counts() int64 {
	if len(o.Output) == 0 {
		return 0
	}
	return num(o.Output[0])
}

// onlyUp says that a counter is never counted down, which what follows from the order of its values needs.
func (p *part) onlyUp() bool {
	for i := range p.ops {
		if o := &p.ops[i]; o.Kind == Increment && num(o.Input[0]) < 0 {
			return false
		}
	}
	return true
}

// setOf returns elements as a set.
func setOf(elements []string) map[string]bool {
	set := make(map[string]bool, len(elements))
	for _, e := range elements {
		set[e] = true
	}
	return set
}
