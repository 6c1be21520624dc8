package history

import (
	"fmt"
	"slices"
	"strings"
)

// finals returns the last final read of a key, or of all accounts, that each server answered.
func (p *part) finals() []*Operation {
	var list []*Operation
	for i := range p.ops {
		o := &p.ops[i]
		if !o.Final || o.Outcome != OK || !o.Kind.reads() {
			continue
		}
		list = slices.DeleteFunc(list, func(earlier *Operation) bool { return earlier.Server == o.Server })
		list = append(list, o)
	}
	return list
}

// answer writes what a read found in a way that can be compared.
func (o *Operation) answer() string {
	switch o.Kind {
	case Members:
		sorted := slices.Clone(o.Output)
		slices.Sort(sorted)
		return strings.Join(slices.Compact(sorted), "\x00")
	case Balances:
		return accountsText(o.Output)
	case Count:
		return fmt.Sprint(o.counts())
	case Read:
		return fmt.Sprint(o.value())
	}
	return strings.Join(o.Output, "\x00")
}

// eachFinal calls a function for each key with its final reads. Where a key has none and nothing else is wrong, the verdict is undecided.
func (c *checker) eachFinal(f *finding, do func(p *part, finals []*Operation)) {
	without := ""
	for _, p := range c.parts {
		finals := p.finals()
		if len(finals) == 0 {
			if without == "" {
				without = p.about()
			}
			continue
		}
		do(p, finals)
	}
	if f.Violations == 0 && without != "" {
		f.Result, f.at = Undecided, nil
		f.Reason = without + ": no final read was answered"
	}
}

// ended is verdict, but for what is undecided.
func (f *finding) ended(holds, violated string) Verdict {
	if f.Result == Undecided {
		f.Culprit = -1
		return f.Verdict
	}
	return f.verdict(holds, violated)
}

// checkConvergent checks convergent.
func (c *checker) checkConvergent() Verdict {
	var f finding
	servers := map[string]bool{}
	c.eachFinal(&f, func(_ *part, finals []*Operation) {
		f.Checked++
		for _, o := range finals {
			servers[o.Server] = true
		}
		for _, o := range finals[1:] {
			if o.answer() != finals[0].answer() {
				f.add(o, fmt.Sprintf("%s of %s, but %s of %s", o.label(), o.Server, finals[0].label(), finals[0].Server), finals[0])
				return
			}
		}
	})
	return f.ended(fmt.Sprintf("final reads of %s agree on %s", plural(f.Checked, "key"), plural(len(servers), "server")),
		fmt.Sprintf("final reads of %d of %s differ", f.Violations, plural(f.Checked, "key")))
}

// checkLostWrites checks no-lost-writes: a write is lost if every final read of its key found a value that is older for sure. Which of two
// writes at the same time is the last nobody can tell.
func (c *checker) checkLostWrites() Verdict {
	var f finding
	c.eachFinal(&f, func(p *part, finals []*Operation) { f.lostWrites(p, finals, Write, CAS) })
	return f.ended(fmt.Sprintf("none of %s is lost", plural(f.Checked, "acknowledged write")),
		fmt.Sprintf("%d of %s are lost", f.Violations, plural(f.Checked, "acknowledged write")))
}

// lostWrites finds the acknowledged operations of some kinds that are lost.
func (f *finding) lostWrites(p *part, finals []*Operation, kinds ...Kind) {
	times := newTimeline(p.ops)
	for i := range p.ops {
		w := &p.ops[i]
		if w.Outcome != OK || !slices.Contains(kinds, w.Kind) {
			continue
		}
		f.Checked++
		lost := true
		for _, o := range finals {
			value, found := o.value()
			lost = lost && times.older(found, value, w)
		}
		if lost {
			last := finals[len(finals)-1]
			value, _ := last.value()
			others := append(slices.Clone(finals), w)
			f.add(last, fmt.Sprintf("%s was acknowledged, but the end is %s", w, last.label()), append(others, times.writers[value]...)...)
		}
	}
}

// checkLostUpdates checks no-lost-updates: an acknowledged element is in no final read; a final count is less than what was acknowledged, by
// how much, or more than what was tried; an acknowledged compare-and-set is older than the final value, or replaced a value that another had
// replaced already.
func (c *checker) checkLostUpdates() Verdict {
	var f finding
	for _, p := range c.parts {
		f.replacedTwice(p) // for which no final read is needed
	}
	c.eachFinal(&f, func(p *part, finals []*Operation) {
		switch p.family {
		case "counter":
			f.lostCounts(p, finals)
		case "register":
			f.lostWrites(p, finals, CAS)
		default:
			f.lostElements(p, finals)
		}
	})
	return f.ended(fmt.Sprintf("none of %s is lost", plural(f.Checked, "acknowledged update")),
		fmt.Sprintf("%d lost of %s", f.Violations, plural(f.Checked, "acknowledged update")))
}

// lostElements finds elements that no final read has.
func (f *finding) lostElements(p *part, finals []*Operation) {
	there := map[string]bool{}
	for _, o := range finals {
		for _, e := range o.Output {
			there[e] = true
		}
	}
	for i := range p.ops {
		w := &p.ops[i]
		if w.Outcome != OK || w.Kind.reads() {
			continue
		}
		f.Checked++
		if !there[w.Input[0]] {
			f.add(finals[len(finals)-1], fmt.Sprintf("%s was acknowledged, but isn't in the end", w), append(slices.Clone(finals), w)...)
		}
	}
}

// lostCounts compares a counter with what was added.
func (f *finding) lostCounts(p *part, finals []*Operation) {
	sum, down, up := amounts(p.ops)
	var updates []*Operation
	for i := range p.ops {
		if o := &p.ops[i]; o.Kind == Increment && o.Outcome != Fail {
			updates = append(updates, o)
			if o.Outcome == OK {
				f.Checked++
			}
		}
	}
	most := finals[0]
	for _, o := range finals {
		if o.counts() > most.counts() {
			most = o
		}
	}
	n := most.counts()
	if n >= sum+down && n <= sum+up {
		return
	}
	reason := fmt.Sprintf("key %s: the end is %d, but %d were acknowledged and %d more may have been added", p.key, n, sum, up)
	f.add(most, reason, updates...)
	if n < sum+down {
		f.Violations += int(sum+down-n) - 1 // each that is missing
	}
}

// replacedTwice finds acknowledged compare-and-sets that expected a value which was written once and replaced already.
func (f *finding) replacedTwice(p *part) {
	writers := newTimeline(p.ops).writers
	by := map[string]*Operation{}
	for i := range p.ops {
		o := &p.ops[i]
		if o.Outcome != OK || o.Kind != CAS || len(writers[o.Input[0]]) != 1 || o.Input[0] == o.Input[1] {
			continue
		}
		if first := by[o.Input[0]]; first != nil {
			f.add(o, fmt.Sprintf("%s, but so had %s", o, first), first, writers[o.Input[0]][0])
			continue
		}
		by[o.Input[0]] = o
	}
}

// checkDirty checks no-dirty-reads. Without final reads only those of failed writes are found.
func (c *checker) checkDirty() Verdict {
	var f finding
	for _, p := range c.parts {
		times, finals := newTimeline(p.ops), p.finals()
		for i := range p.ops {
			o := &p.ops[i]
			if o.Outcome != OK || !o.Kind.reads() {
				continue
			}
			f.Checked++
			for _, value := range o.observed() {
				if len(times.writers[value]) == 0 && len(times.failed[value]) > 0 {
					f.add(o, fmt.Sprintf("%s, but %s failed", o, times.failed[value][0].label()), times.failed[value]...)
					break
				}
				if !o.Final && times.vanished(value, finals) {
					f.add(o, fmt.Sprintf("%s saw %q, but the end is %s", o, value, finals[len(finals)-1].label()),
						append(slices.Clone(finals), times.shows(value, finals)...)...)
					break
				}
			}
		}
	}
	return f.verdict(fmt.Sprintf("none of %s is dirty", plural(f.Checked, "read")),
		fmt.Sprintf("%d of %s are dirty", f.Violations, plural(f.Checked, "read")))
}

// vanished says that no final read has what was read before: an element, or a value or one that isn't older for sure.
func (t *timeline) vanished(value string, finals []*Operation) bool {
	for _, o := range finals {
		if last, found := o.value(); o.Kind == Read && !t.olderThan(found, last, value) || o.Kind != Read && slices.Contains(o.Output, value) {
			return false
		}
	}
	return len(finals) > 0
}

// shows returns the writes of a value and of the final ones.
func (t *timeline) shows(value string, finals []*Operation) []*Operation {
	list := slices.Clone(t.writers[value])
	for _, o := range finals {
		if last, found := o.value(); found && o.Kind == Read {
			list = append(list, t.writers[last]...)
		}
	}
	return list
}

// checkBank checks bank. The total is that of the first read that was invoked.
func (c *checker) checkBank() Verdict {
	var f finding
	var first *Operation
	var total int64
	for i := range c.ops {
		o := &c.ops[i]
		if o.Kind != Balances || o.Outcome != OK {
			continue
		}
		f.Checked++
		var sum int64
		negative := ""
		for k := 0; k < len(o.Output); k += 2 {
			n := num(o.Output[k+1])
			sum += n
			if n < 0 && negative == "" {
				negative = o.Output[k]
			}
		}
		if first == nil {
			first, total = o, sum
		}
		switch {
		case sum != total:
			f.add(o, fmt.Sprintf("%s is %d together, but was %d in the beginning", o, sum, total), first)
		case negative != "":
			f.add(o, fmt.Sprintf("%s has less than nothing in %s", o, negative))
		}
	}
	if f.Checked == 0 {
		return Verdict{Result: Undecided, Reason: "no read of the accounts was answered", Culprit: -1}
	}
	return f.verdict(fmt.Sprintf("the total is %d in %s", total, plural(f.Checked, "read")),
		fmt.Sprintf("%d of %s are wrong", f.Violations, plural(f.Checked, "read")))
}
