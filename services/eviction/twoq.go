package eviction

// twoQ is 2Q, full version. The names are those of the paper.
type twoQ[K comparable] struct {
	base[K]
	in, out1 list[K] // A1in and A1out, both FIFO
	main     list[K] // Am, LRU
	names    map[K]*node[K]
	kin      int64 // bound of A1in
	kout     int64 // bound of A1out
}

func newTwoQ[K comparable](b base[K]) *twoQ[K] {
	return &twoQ[K]{base: b, names: map[K]*node[K]{}, kin: max(1, b.capacity/4), kout: max(1, b.capacity/2)}
}

func (q *twoQ[K]) Get(key K) bool {
	n := q.held[key]
	if n != nil {
		q.use(n)
	}
	return n != nil
}

// use moves an entry of Am to the front; one in A1in stays where it is.
func (q *twoQ[K]) use(n *node[K]) {
	if n.in == &q.main {
		q.main.move(n)
	}
}

func (q *twoQ[K]) Add(key K, size int64) []K {
	n := q.begin(key, size)
	if size > q.capacity {
		q.Remove(key)
		return q.refuse(key)
	}
	if n != nil {
		q.use(n)
		q.grow(n, size)
		for q.used > q.capacity {
			q.reclaim(n)
		}
		return q.out
	}
	named := q.names[key] != nil
	if named {
		q.forget(q.names[key])
	}
	for q.used+size > q.capacity {
		q.reclaim(nil)
	}
	n = q.hold(key, size)
	if named {
		q.main.push(n)
	} else {
		q.in.push(n)
	}
	return q.out
}

// reclaim evicts one entry, but not keep: the oldest of A1in if that is over its bound, and its name stays; otherwise the least
// recently used of Am.
func (q *twoQ[K]) reclaim(keep *node[K]) {
	oldest, coldest := q.in.last(keep), q.main.last(keep)
	if oldest == nil || (q.in.used <= q.kin && coldest != nil) {
		q.evict(coldest)
		return
	}
	q.evict(oldest)
	q.out1.push(oldest)
	q.names[oldest.key] = oldest
	for q.out1.used > q.kout {
		q.forget(q.out1.back)
	}
}

// forget takes a name out of A1out.
func (q *twoQ[K]) forget(n *node[K]) {
	q.out1.remove(n)
	delete(q.names, n.key)
}

func (q *twoQ[K]) Remove(key K) bool {
	n := q.held[key]
	if n != nil {
		q.drop(n)
	}
	return n != nil
}
