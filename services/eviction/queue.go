package eviction

// queue is FIFO, and LRU if what is used goes back to the front.
type queue[K comparable] struct {
	base[K]
	recency bool
	entries list[K]
}

func (q *queue[K]) Get(key K) bool {
	n := q.held[key]
	if n != nil {
		q.use(n)
	}
	return n != nil
}

func (q *queue[K]) use(n *node[K]) {
	if q.recency && n != q.entries.front {
		q.entries.move(n)
	}
}

func (q *queue[K]) Add(key K, size int64) []K {
	n := q.begin(key, size)
	if size > q.capacity {
		q.Remove(key)
		return q.refuse(key)
	}
	if n != nil {
		q.use(n)
		q.grow(n, size)
		for q.used > q.capacity {
			q.evict(q.entries.last(n))
		}
		return q.out
	}
	for q.used+size > q.capacity {
		q.evict(q.entries.back)
	}
	q.entries.push(q.hold(key, size))
	return q.out
}

func (q *queue[K]) Remove(key K) bool {
	n := q.held[key]
	if n != nil {
		q.drop(n)
	}
	return n != nil
}
