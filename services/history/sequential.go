package history

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// checkSequential looks for one order of all operations in which those of each client are in its own order (Lamport, "How to Make a
// Multiprocessor Computer That Correctly Executes Multiprocess Programs", 1979).
//
// What is linearizable has such an order, and that is quickly told, so it is tried first, with half of the budget. That each key has an order
// isn't enough, but there is none if a key hasn't. So each key is tried by itself then, and at last all together.
func (c *checker) checkSequential() Verdict {
	if c.atOnce() {
		reason := fmt.Sprintf("%s of %s are linearizable, which is more", plural(len(c.ops), "operation"), plural(len(c.parts), "key"))
		return Verdict{Reason: reason, Checked: len(c.parts), Culprit: -1}
	}
	v := c.checkParts(c.sequential, false)
	if v.Result != "" || len(c.parts) < 2 {
		return v
	}
	ok := c.sequential(c.ops)
	switch {
	case c.exceeded:
		v.Result = Undecided
		v.Reason = fmt.Sprintf("each of %s has an order by itself, but all together: no answer within %d steps", plural(len(c.parts), "key"), c.most)
	case !ok:
		v.Result, v.Violations = Violated, 1
		c.minimise(&v, c.ops, c.sequential, false)
		v.Reason = "each key has an order by itself, but all together have none: " + explain(&v, c.ops)
	}
	return v
}

// atOnce says whether all keys are linearizable, if that can be told with half of the budget.
func (c *checker) atOnce() bool {
	whole := c.budget
	c.budget = budget{left: whole.left / 2}
	ok := true
	for _, p := range c.parts {
		if ok = c.linearizable(p.ops) && !c.exceeded; !ok {
			break
		}
	}
	c.budget = budget{left: whole.left - c.used, used: whole.used + c.used}
	return ok
}

// session is what is left of one client's operations while an order is made.
type session struct {
	steps []*step // in the client's order; without unknown ones
	next  int
}

// open is an unknown operation: it may come once its client has come to it, or not at all.
type open struct {
	step    *step
	session *session
	from    int // how many of its client's operations precede it
	used    bool
}

// ordering is the search for one order.
type ordering struct {
	*checker
	sessions []*session
	opens    []*open
	keys     map[string]int
	states   []state
	// reads are how many reads of each value of a register are still to come, writes how many writes of it: a value with reads to come and no
	// writes can't be overwritten.
	reads, writes map[item]int
	seen          map[string]bool
}

// sequential says whether there is one order of all operations. When the budget is exceeded it returns false.
func (c *checker) sequential(ops []Operation) bool {
	steps := c.steps(ops)
	s := &ordering{checker: c, keys: map[string]int{}, reads: map[item]int{}, writes: map[item]int{}, seen: map[string]bool{}}
	byClient := map[int]*session{}
	for i := range steps {
		t := &steps[i]
		of := byClient[t.op.Client]
		if of == nil {
			of = &session{}
			byClient[t.op.Client], s.sessions = of, append(s.sessions, of)
		}
		if _, found := s.keys[t.op.Key]; !found {
			s.keys[t.op.Key], s.states = len(s.states), append(s.states, state{})
		}
		s.count(t, 1)
		if t.unknown {
			s.opens = append(s.opens, &open{step: t, session: of, from: len(of.steps)})
			continue
		}
		of.steps = append(of.steps, t)
	}
	return s.search()
}

// needs returns the value of a register that a step must find, and wrote the one that it leaves.
func (t *step) needs() (item, bool) {
	switch {
	case t.op.Kind == Read:
		return item{t.op.Key, t.sees.text}, true
	case t.op.Kind == CAS && !t.unknown:
		return item{t.op.Key, t.from}, true
	}
	return item{}, false
}

// count adds a step to what is still to come, or takes it away.
func (s *ordering) count(t *step, by int) {
	if of, needs := t.needs(); needs {
		s.reads[of] += by
	}
	if t.op.Kind == Write || t.op.Kind == CAS {
		s.writes[item{t.op.Key, t.to}] += by
	}
}

// try does a step, or returns false.
func (s *ordering) try(t *step) bool {
	i := s.keys[t.op.Key]
	before := s.states[i]
	after, ok := before.apply(t)
	if !ok {
		return false
	}
	s.count(t, -1)
	if old := (item{t.op.Key, before.text}); t.op.Kind.family() == "register" && after.text != before.text && s.reads[old] > 0 && s.writes[old] == 0 {
		s.count(t, 1)
		return false
	}
	s.states[i] = after
	return true
}

// search goes on from where the sessions are. What only reads and can be done is done at once, since that never hurts.
func (s *ordering) search() bool {
	type mark struct {
		session *session
		next    int
	}
	var marks []mark
	undo := func() {
		for _, m := range slices.Backward(marks) {
			for m.session.next > m.next {
				m.session.next--
				s.count(m.session.steps[m.session.next], 1)
			}
		}
	}
	left := false
	for _, of := range s.sessions {
		start := of.next
		for of.next < len(of.steps) && of.steps[of.next].op.Kind.reads() && of.steps[of.next].op.Kind != Balances && s.try(of.steps[of.next]) {
			of.next++
		}
		if of.next > start {
			marks = append(marks, mark{of, start})
		}
		left = left || of.next < len(of.steps)
	}
	if !left {
		return true
	}
	if !s.take(1 + int64(len(s.sessions)+len(s.opens))/8) {
		undo()
		return false
	}
	place := s.place()
	if s.seen[place] {
		undo()
		return false
	}
	s.seen[place] = true
	attempt := func(t *step, do, back func()) bool {
		i := s.keys[t.op.Key]
		before := s.states[i]
		if !s.try(t) {
			return false
		}
		do()
		if s.search() {
			return true
		}
		back()
		s.states[i] = before
		s.count(t, 1)
		return false
	}
	// What was completed first is tried first: most stores are nearly linearizable.
	order := slices.DeleteFunc(slices.Clone(s.sessions), func(of *session) bool { return of.next == len(of.steps) })
	slices.SortStableFunc(order, func(a, b *session) int {
		return cmp.Compare(a.steps[a.next].op.Completed, b.steps[b.next].op.Completed)
	})
	for _, of := range order {
		if attempt(of.steps[of.next], func() { of.next++ }, func() { of.next-- }) {
			return true
		}
	}
	for _, o := range s.opens {
		if !o.used && o.session.next >= o.from && attempt(o.step, func() { o.used = true }, func() { o.used = false }) {
			return true
		}
	}
	undo()
	return false
}

// place writes where the search is as a text.
func (s *ordering) place() string {
	var text []byte
	for _, of := range s.sessions {
		text = binary.AppendUvarint(text, uint64(of.next))
	}
	for _, o := range s.opens {
		if o.used {
			text = append(text, 1)
		} else {
			text = append(text, 0)
		}
	}
	var rest strings.Builder
	for _, at := range s.states {
		rest.WriteString(strconv.Quote(at.text))
		rest.Write(binary.LittleEndian.AppendUint64(nil, uint64(at.number)))
		rest.Write(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, at.sum[0]), at.sum[1]))
	}
	return string(text) + rest.String()
}
