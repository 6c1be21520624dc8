package balance

// roundRobin takes backends in the order of the set. When the set changes it goes on after the one that had the last turn, or, if
// that has left, with the first after it that has not.
type roundRobin struct {
	members
	last *member
	next int
}

func (a *roundRobin) Set(backends []Backend) {
	old := a.list
	if !a.set(backends) || a.last == nil {
		return
	}
	if a.last.index >= 0 {
		a.next = a.last.index + 1
		return
	}
	next := a.next
	a.next = 0
	for i := range old {
		if b := old[(next+i)%len(old)]; b.index >= 0 {
			a.next = b.index
			return
		}
	}
}

func (a *roundRobin) Pick(r *Request) (int, bool) {
	for range a.list {
		if a.next >= len(a.list) {
			a.next = 0
		}
		i := a.next
		a.next++
		if !r.excludes(i) {
			a.last = a.list[i]
			return i, true
		}
	}
	return 0, false
}

// weightedRoundRobin is nginx's smooth algorithm: every backend gains its weight, the one that has most is taken and loses the sum
// of all. Those that can't be taken gain nothing.
type weightedRoundRobin struct{ members }

func (a *weightedRoundRobin) Set(backends []Backend) { a.set(backends) }

func (a *weightedRoundRobin) Pick(r *Request) (int, bool) { return smooth(a.list, r) }

// smooth takes one turn among backends.
func smooth(list []*member, r *Request) (int, bool) {
	var best *member
	total := 0.0
	for _, b := range list {
		if r.excludes(b.index) {
			continue
		}
		b.current += b.Weight
		total += b.Weight
		if best == nil || b.current > best.current {
			best = b
		}
	}
	if best == nil {
		return 0, false
	}
	best.current -= total
	return best.index, true
}
