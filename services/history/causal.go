package history

import (
	"fmt"
	"slices"
	"sort"
)

// checkCausal looks for the bad patterns of causal consistency in registers (Bouajjani, Enea, Guerraoui and Hamza, "On Verifying Causal
// Consistency", POPL 2017, for what they call CC): CyclicCO, ThinAirRead, WriteCOInitRead and WriteCORead. The causal order is made of each
// client's own order and of what read from what, so each value that is read must have been written only once. A compare-and-set reads what
// it expects, and writes. What follows an unknown write in its client's order isn't behind it, since it may take effect later.
func (c *checker) checkCausal() Verdict {
	v := Verdict{Culprit: -1}
	nodes := relevant(c.ops)
	count := writers(nodes)
	for i := range nodes {
		o := &nodes[i]
		for _, value := range o.observed() {
			if of := (item{o.Key, value}); count[of] > 1 {
				v.Result = Undecided
				v.Reason = fmt.Sprintf("key %s: %q was written %d times and read: want distinct values", o.Key, value, count[of])
				return v
			}
		}
		if o.Kind == Read {
			v.Checked++
		}
	}
	var pattern string
	v.Violations, pattern = c.causal(c.ops)
	switch {
	case c.exceeded:
		v.Result, v.Reason = Undecided, fmt.Sprintf("no answer within %d steps", c.most)
	case v.Violations == 0:
		v.Reason = fmt.Sprintf("%s of %s respect the causal order", plural(v.Checked, "read"), plural(len(c.parts), "key"))
	default:
		c.minimise(&v, c.ops, func(ops []Operation) bool { bad, _ := c.causal(ops); return bad == 0 }, false)
		if _, smallest := c.causal(v.Prefix); smallest != "" {
			pattern = smallest
		}
		v.Reason = pattern + ": " + explain(&v, c.ops)
	}
	return v
}

// causes is the causal order of operations: in chains, one for each client and for each unknown write.
type causes struct {
	ops   []Operation
	chain []int
	place []int   // in its chain, from 1
	past  [][]int // of each chain, the place of the last operation in the causal past, itself included
	// written are the places of the writes to a key in a chain, with their operations.
	written map[string][][]int
	at      [][]int // the operations of each chain
	writer  map[item]int
}

// causal counts the reads that are against the causal order, and names the first pattern. A cycle counts as one.
func (c *checker) causal(all []Operation) (bad int, pattern string) {
	if !c.take(int64(len(all))) {
		return 0, ""
	}
	g := &causes{ops: relevant(all), writer: map[item]int{}, written: map[string][][]int{}}
	if !g.order() {
		return 1, "CyclicCO, what was read depends on itself"
	}
	note := func(p string) {
		if bad++; bad == 1 {
			pattern = p
		}
	}
	for i := range g.ops {
		o := &g.ops[i]
		if o.Kind == Write || o.Kind == CAS && o.Outcome == Unknown {
			continue
		}
		from := -1
		if values := o.observed(); len(values) > 0 {
			w, found := g.writer[item{o.Key, values[0]}]
			if !found {
				note("ThinAirRead, a value that nobody wrote")
				continue
			}
			from = w
		}
		if !g.overwritten(i, from) {
			continue
		}
		if from < 0 {
			note("WriteCOInitRead, nothing was found though a write is in the read's causal past")
		} else {
			note("WriteCORead, a value that was overwritten in the read's causal past")
		}
	}
	return bad, pattern
}

// order makes the chains and the past of each operation; it returns false if there is a cycle.
func (g *causes) order() bool {
	n := len(g.ops)
	g.chain, g.place, g.past = make([]int, n), make([]int, n), make([][]int, n)
	before := make([][]int, n) // what is directly in front of an operation
	clients, last := map[int]int{}, map[int]int{}
	for i := range g.ops {
		o := &g.ops[i]
		if p, found := last[o.Client]; found {
			before[i] = append(before[i], p)
		}
		chain, found := clients[o.Client]
		if !found || o.Outcome == Unknown {
			chain = len(g.at)
			g.at = append(g.at, nil)
		}
		if o.Outcome != Unknown {
			clients[o.Client], last[o.Client] = chain, i
		}
		g.at[chain] = append(g.at[chain], i)
		g.chain[i], g.place[i] = chain, len(g.at[chain])
		if of, writes := o.writes(); writes {
			g.writer[of] = i
		}
	}
	after, waits := make([][]int, n), make([]int, n)
	for i := range g.ops {
		o := &g.ops[i]
		if values := o.observed(); len(values) > 0 && o.Outcome == OK {
			if w, found := g.writer[item{o.Key, values[0]}]; found && w != i {
				before[i] = append(before[i], w)
			}
		}
		for _, p := range before[i] {
			after[p], waits[i] = append(after[p], i), waits[i]+1
		}
		if _, writes := o.writes(); writes {
			list := g.written[o.Key]
			for len(list) < len(g.at) {
				list = append(list, nil)
			}
			list[g.chain[i]] = append(list[g.chain[i]], g.place[i])
			g.written[o.Key] = list
		}
	}
	var ready []int
	for i := range waits {
		if waits[i] == 0 {
			ready = append(ready, i)
		}
	}
	for done := 0; done < len(ready); done++ {
		i := ready[done]
		g.past[i] = make([]int, len(g.at))
		for _, p := range before[i] {
			for chain, place := range g.past[p] {
				g.past[i][chain] = max(g.past[i][chain], place)
			}
		}
		g.past[i][g.chain[i]] = g.place[i]
		for _, next := range after[i] {
			if waits[next]--; waits[next] == 0 {
				ready = append(ready, next)
			}
		}
	}
	return len(ready) == n
}

// overwritten says whether a read's causal past holds a write to its key that is behind the one it read from, or any if it read from none.
func (g *causes) overwritten(read, from int) bool {
	for chain, places := range g.written[g.ops[read].Key] {
		limit := g.past[read][chain]
		if chain == g.chain[read] {
			limit-- // itself
		}
		i := sort.SearchInts(places, limit+1)
		if i == 0 {
			continue
		}
		w := g.at[chain][places[i-1]-1]
		if from < 0 || w != from && g.past[w][g.chain[from]] >= g.place[from] {
			return true
		}
	}
	return false
}

// finding collects violations for a verdict, of which the one that is complete first is shown.
type finding struct {
	Verdict
	at *Operation
}

// add counts a violation that an operation completes, with the others that show it.
func (f *finding) add(culprit *Operation, reason string, others ...*Operation) {
	f.Violations++
	if f.at != nil && (culprit.Completed > f.at.Completed || culprit.Completed == f.at.Completed && culprit.Index >= f.at.Index) {
		return
	}
	f.at, f.Culprit, f.Reason, f.Prefix = culprit, culprit.Index, reason, []Operation{*culprit}
	for _, o := range others {
		if !slices.ContainsFunc(f.Prefix, func(p Operation) bool { return p.Index == o.Index }) {
			f.Prefix = append(f.Prefix, *o)
		}
	}
	sortOperations(f.Prefix)
}

// verdict ends it, with the reason where nothing was found, and that in front of what was.
func (f *finding) verdict(holds, violated string) Verdict {
	if f.Violations == 0 {
		f.Reason = holds
	} else {
		f.Reason = violated + "; the first: " + f.Reason
	}
	return f.Verdict
}
