package eviction

// lfu keeps a class for each number of uses, in the order of that number.
type lfu[K comparable] struct {
	base[K]
	least *class[K]
	past  map[K]int // perfect-lfu: the uses of keys that are not held; nil forgets them
}

// class holds the entries that were used equally often, most recently used first. A class that is empty is taken out.
type class[K comparable] struct {
	entries    list[K]
	uses       int
	prev, next *class[K] // next is used more often
}

func (l *lfu[K]) Get(key K) bool {
	n := l.held[key]
	if n != nil {
		l.use(n)
	}
	return n != nil
}

// use moves a node to the class of one more use.
func (l *lfu[K]) use(n *node[K]) {
	from := n.class
	to := from.next
	if to == nil || to.uses != from.uses+1 {
		to = l.insert(from.uses+1, from)
	}
	to.entries.move(n)
	n.class = to
	l.tidy(from)
}

// insert makes a class and puts it behind another, or first.
func (l *lfu[K]) insert(uses int, after *class[K]) *class[K] {
	c := &class[K]{uses: uses, prev: after}
	if after == nil {
		c.next, l.least = l.least, c
	} else {
		c.next, after.next = after.next, c
	}
	if c.next != nil {
		c.next.prev = c
	}
	return c
}

// tidy takes a class out that has become empty.
func (l *lfu[K]) tidy(c *class[K]) {
	if c.entries.len > 0 {
		return
	}
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		l.least = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
}

func (l *lfu[K]) Add(key K, size int64) []K {
	n := l.begin(key, size)
	if size > l.capacity {
		l.Remove(key)
		return l.refuse(key)
	}
	if n != nil {
		l.use(n)
		l.grow(n, size)
		for l.used > l.capacity {
			l.evictLeast(n)
		}
		return l.out
	}
	for l.used+size > l.capacity {
		l.evictLeast(nil)
	}
	n = l.hold(key, size)
	n.class = l.find(l.past[key] + 1)
	n.class.entries.push(n)
	delete(l.past, key)
	return l.out
}

// find returns the class of a number of uses; it makes one if there is none.
func (l *lfu[K]) find(uses int) *class[K] {
	var before *class[K]
	for c := l.least; c != nil && c.uses <= uses; c = c.next {
		before = c
	}
	if before != nil && before.uses == uses {
		return before
	}
	return l.insert(uses, before)
}

// evictLeast evicts what is used least, but not keep.
func (l *lfu[K]) evictLeast(keep *node[K]) {
	c := l.least
	victim := c.entries.last(keep)
	if victim == nil {
		c = c.next
		victim = c.entries.back
	}
	l.evict(victim)
	l.tidy(c)
	if l.past != nil {
		l.past[victim.key] = c.uses
	}
}

func (l *lfu[K]) Remove(key K) bool {
	n := l.held[key]
	if n != nil {
		l.drop(n)
		l.tidy(n.class)
	}
	return n != nil
}
