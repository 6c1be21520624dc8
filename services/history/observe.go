package history

import (
	"slices"
	"strings"
	"time"
)

// item is a value of a register, or an element of a set or a list.
type item struct{ key, value string }

// writes returns what an operation writes that a read may show, if it does.
func (o *Operation) writes() (item, bool) {
	switch o.Kind {
	case Write, Add, Append:
		return item{o.Key, o.Input[0]}, true
	case CAS:
		return item{o.Key, o.Input[1]}, true
	}
	return item{}, false
}

// observed returns the values and elements whose presence an operation shows. An unknown compare-and-set may have found what it expects.
func (o *Operation) observed() []string {
	switch {
	case o.Outcome == Fail:
		return nil
	case o.Kind == CAS:
		return o.Input[:1]
	case o.Outcome == Unknown:
		return nil
	case o.Kind == Read && o.Found, o.Kind == Members, o.Kind == List:
		return o.Output
	}
	return nil
}

// observers returns when each value or element was first seen for sure: the first completion of an operation that did, or never if only an
// unknown operation may have. What nobody saw is not in it.
func observers(ops []Operation) map[item]time.Duration {
	seen := map[item]time.Duration{}
	for i := range ops {
		o := &ops[i]
		at := never
		if o.Outcome == OK {
			at = o.Completed
		}
		for _, v := range o.observed() {
			of := item{o.Key, v}
			if first, found := seen[of]; !found || at < first {
				seen[of] = at
			}
		}
	}
	return seen
}

// writers counts how many operations, other than failed ones, write each value or element.
func writers(ops []Operation) map[item]int {
	count := map[item]int{}
	for i := range ops {
		if of, writes := ops[i].writes(); writes && ops[i].Outcome != Fail {
			count[of]++
		}
	}
	return count
}

// relevant leaves out what a search needn't try: what failed, reads without an answer, and unknown writes that nobody saw, since these can
// always be put at the end.
func relevant(ops []Operation) []Operation {
	list := slices.DeleteFunc(slices.Clone(ops), func(o Operation) bool {
		return o.Outcome == Fail || o.Outcome == Unknown && o.Kind.reads()
	})
	for {
		seen, before := observers(list), len(list)
		list = slices.DeleteFunc(list, func(o Operation) bool {
			of, writes := o.writes()
			_, found := seen[of]
			return o.Outcome == Unknown && writes && !found
		})
		if len(list) == before {
			return list
		}
	}
}

// steps makes operations ready for a search. An unknown write whose value someone saw, and that only it wrote, must have taken effect by
// then. Unknown operations that do the same are put into classes.
func (c *checker) steps(ops []Operation) []step {
	ops = relevant(ops)
	seen, count := observers(ops), writers(ops)
	classes := map[string]int{}
	var sizes []int
	list := make([]step, len(ops))
	for i := range ops {
		o := &ops[i]
		t := c.newStep(o)
		of, writes := o.writes()
		t.again = o.Kind == Add && count[of] > 1
		if t.unknown && writes && count[of] == 1 && seen[of] >= o.Invoked {
			t.due = seen[of]
		}
		if t.unknown && t.due == never {
			name := strings.Join(append([]string{string(o.Kind), o.Key}, o.Input...), "\x00")
			class, found := classes[name]
			if !found {
				class = len(sizes)
				classes[name], sizes = class, append(sizes, 0)
			}
			t.class, t.rank = class, sizes[class]
			sizes[class]++
		}
		list[i] = t
	}
	for i := range list {
		if t := &list[i]; t.class >= 0 && sizes[t.class] == 1 {
			t.class = -1
		}
	}
	return list
}
