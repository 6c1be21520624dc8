package history

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// minimise cuts the operations of a violation down and puts them into a verdict: first to the shortest prefix by completion that is one,
// then by leaving out operations. safe says that every longer prefix is a violation too.
//
// Only what doesn't make a violation of its own is left out: reads; writes that nobody left has seen; the adds or appends of an element
// together with the element wherever it was read. Increments and transfers stay.
func (c *checker) minimise(v *Verdict, ops []Operation, holds func([]Operation) bool, safe bool) {
	spent := c.budget
	defer func() { c.budget = spent }()
	c.budget = budget{left: c.most}
	violated := func(list []Operation) bool { return !holds(list) && !c.exceeded }
	ops = slices.DeleteFunc(slices.Clone(ops), func(o Operation) bool {
		return o.Outcome == Fail || o.Outcome == Unknown && o.Kind.reads()
	})
	list := shortest(ops, violated, safe)
	for size := max(len(list)/2, 1); ; size = max(size/2, 1) {
		before := len(list)
		for i := 0; i < len(list) && !c.exceeded; {
			if fewer := without(list, i, min(i+size, len(list))); len(fewer) < len(list) && violated(fewer) {
				list = fewer
			} else {
				i += size
			}
		}
		if c.exceeded || size == 1 && len(list) == before {
			break
		}
	}
	v.Prefix, v.Culprit = list, -1
	var last time.Duration
	for i := range list {
		if o := &list[i]; o.Outcome == OK && o.Completed >= last {
			v.Culprit, last = o.Index, o.Completed
		}
	}
}

// shortest returns the shortest prefix that is a violation, or about so if that isn't safe to say.
func shortest(ops []Operation, violated func([]Operation) bool, safe bool) []Operation {
	var ends []time.Duration
	for i := range ops {
		if ops[i].Outcome == OK {
			ends = append(ends, ops[i].Completed)
		}
	}
	slices.Sort(ends)
	ends = slices.Compact(ends)
	best := ops
	if !safe {
		for n := 4; n < len(ends); n *= 2 {
			if list := closed(cut(ops, ends[n]), ops); violated(list) {
				return list
			}
		}
		return best
	}
	high := len(ends) - 1
	if few := window(ops, violated); few != nil {
		// Where these become a violation, all do, and most often all only do there.
		few = shortest(few, violated, true)
		high, _ = slices.BinarySearch(ends, lastEnd(few))
		best = few
		if high == 0 || !violated(cut(ops, ends[high-1])) {
			return best
		}
		high--
		best = cut(ops, ends[high])
	}
	for low := 0; low < high; {
		middle := (low + high) / 2
		if list := cut(ops, ends[middle]); violated(list) {
			best, high = list, middle
		} else {
			low = middle + 1
		}
	}
	return best
}

// windowSize is how many operations in succession are tried by themselves in a long history.
const windowSize = 200

// window returns those of a few operations in succession that are a violation by themselves, with the writes that they saw; nil if there are
// none. It makes it cheap to cut long histories down.
func window(ops []Operation, violated func([]Operation) bool) []Operation {
	for i := 0; i < len(ops) && len(ops) > 2*windowSize; i += windowSize / 2 {
		gone := make([]bool, len(ops))
		for k := range gone {
			gone[k] = k < i || k >= i+windowSize
		}
		few := drop(ops, gone)
		if len(few) > len(ops)/2 {
			return nil
		}
		if violated(few) {
			return few
		}
	}
	return nil
}

// lastEnd returns when the last operation that was OK was completed.
func lastEnd(ops []Operation) (last time.Duration) {
	for i := range ops {
		if ops[i].Outcome == OK {
			last = max(last, ops[i].Completed)
		}
	}
	return last
}

// cut returns what had happened at a time: what wasn't completed is unknown.
func cut(ops []Operation, at time.Duration) []Operation {
	var list []Operation
	for _, o := range ops {
		switch {
		case o.Invoked > at, o.Completed > at && o.Kind.reads():
			continue
		case o.Completed > at:
			o.Outcome, o.Output, o.Found, o.Error, o.Completed = Unknown, nil, false, "", at
		}
		list = append(list, o)
	}
	return list
}

// closed leaves out the reads of what is written, but not among these operations.
func closed(list, all []Operation) []Operation {
	here, ever := writers(list), writers(all)
	return slices.DeleteFunc(list, func(o Operation) bool {
		return o.Kind.reads() && slices.ContainsFunc(o.observed(), func(v string) bool {
			of := item{o.Key, v}
			return ever[of] > 0 && here[of] == 0
		})
	})
}

// without returns a list without those of the operations from i to j that may be left out.
func without(list []Operation, i, j int) []Operation {
	gone := make([]bool, len(list))
	for k := i; k < j; k++ {
		gone[k] = true
	}
	return drop(list, gone)
}

// drop returns a list without those operations that are to go and may be left out.
func drop(list []Operation, gone []bool) []Operation {
	for k := range gone {
		gone[k] = gone[k] && list[k].Kind != Increment && list[k].Kind != Transfer
	}
	left := func() (rest []Operation) {
		for k := range list {
			if !gone[k] {
				rest = append(rest, list[k])
			}
		}
		return rest
	}
	for changed := true; changed; { // what is seen by those that are left stays, and what those have seen
		changed = false
		rest := left()
		seen, count := observers(rest), writers(rest)
		for k := range gone {
			of, writes := list[k].writes()
			if _, is := seen[of]; !gone[k] || !writes || !is {
				continue
			}
			if list[k].Kind.family() == "register" || count[of] > 0 {
				gone[k], changed = false, true
			}
		}
	}
	dropped := map[item]bool{}
	for k := range gone {
		if of, writes := list[k].writes(); gone[k] && writes && list[k].Kind.family() != "register" {
			dropped[of] = true
		}
	}
	rest := left()
	for k := range rest {
		o := &rest[k]
		if len(dropped) > 0 && (o.Kind == Members || o.Kind == List) {
			o.Output = slices.DeleteFunc(slices.Clone(o.Output), func(e string) bool { return dropped[item{o.Key, e}] })
		}
	}
	return rest
}

// explain says in words why the operations of a verdict are a violation. Where one saw what nobody among them wrote, it adds to them the
// operations that did so in vain or later, of all that there are.
func explain(v *Verdict, all []Operation) string {
	var culprit *Operation
	here := map[int]bool{}
	for i := range v.Prefix {
		here[v.Prefix[i].Index] = true
		if v.Prefix[i].Index == v.Culprit {
			culprit = &v.Prefix[i]
		}
	}
	if culprit == nil {
		return fmt.Sprintf("no order of %s explains them", plural(len(v.Prefix), "operation"))
	}
	about := culprit.String()
	count := writers(v.Prefix)
	for _, value := range culprit.observed() {
		of := item{culprit.Key, value}
		if count[of] > 0 {
			continue
		}
		why := "nobody wrote"
		added := false
		for _, o := range all {
			if w, writes := o.writes(); !writes || w != of || here[o.Index] {
				continue
			}
			why = "was written only later"
			if o.Outcome == Fail {
				why = "is of a write that failed"
			}
			v.Prefix, added = append(v.Prefix, o), true
		}
		if added {
			sortOperations(v.Prefix)
		}
		return fmt.Sprintf("%s saw %q, which %s", about, value, why)
	}
	return fmt.Sprintf("no order of %s explains %s", plural(len(v.Prefix), "operation"), about)
}

// String says what an operation was, by whom and when: "read x → 2 by client 1 (3ms to 4ms)".
func (o *Operation) String() string {
	until := "no end"
	if o.Completed != never {
		until = o.Completed.String()
	}
	return fmt.Sprintf("%s by client %d (%v to %s)", o.label(), o.Client, o.Invoked, until)
}

// label says what an operation was.
func (o *Operation) label() string {
	answer := func(text string) string {
		if o.Outcome == OK {
			return " → " + text
		}
		return ""
	}
	list := "{" + strings.Join(o.Output, " ") + "}"
	switch o.Kind {
	case Write:
		return "write " + o.Key + "=" + strings.Join(o.Input, " ")
	case CAS:
		return "cas " + o.Key + " " + strings.Join(o.Input, "→")
	case Increment:
		text := "increment " + o.Key + " by " + strings.Join(o.Input, " ")
		if len(o.Output) > 0 {
			text += answer(o.Output[0])
		}
		return text
	case Transfer:
		if len(o.Input) == 3 {
			return "transfer " + o.Input[0] + "→" + o.Input[1] + " " + o.Input[2]
		}
	case Read, Count:
		if len(o.Output) == 0 {
			return string(o.Kind) + " " + o.Key + answer("nothing")
		}
		return string(o.Kind) + " " + o.Key + answer(o.Output[0])
	case Members, List:
		return string(o.Kind) + " " + o.Key + answer(list)
	case Balances:
		var pairs []string
		for i := 0; i+1 < len(o.Output); i += 2 {
			pairs = append(pairs, o.Output[i]+"="+o.Output[i+1])
		}
		return "balances" + answer("{"+strings.Join(pairs, " ")+"}")
	}
	return strings.Join(append([]string{string(o.Kind), o.Key}, o.Input...), " ")
}
