package eviction

import "fmt"

// node is an entry, or the name of one that has left.
type node[K comparable] struct {
	key   K
	size  int64
	place int       // random: in the slice of all
	class *class[K] // lfu

	in         *list[K]
	prev, next *node[K] // prev is nearer to the front
}

// list is a doubly linked list of nodes that knows the sum of their sizes. Its zero value is empty.
type list[K comparable] struct {
	front, back *node[K]
	used        int64
	len         int
}

// push puts a node that is in no list at the front.
func (l *list[K]) push(n *node[K]) {
	n.in, n.prev, n.next = l, nil, l.front
	if l.front != nil {
		l.front.prev = n
	} else {
		l.back = n
	}
	l.front = n
	l.used += n.size
	l.len++
}

// remove takes a node of this list out of it.
func (l *list[K]) remove(n *node[K]) {
	if n.prev != nil {
		n.prev.next = n.next
	} else {
		l.front = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	} else {
		l.back = n.prev
	}
	n.in, n.prev, n.next = nil, nil, nil
	l.used -= n.size
	l.len--
}

// move takes a node out of its list and pushes it here.
func (l *list[K]) move(n *node[K]) {
	n.in.remove(n)
	l.push(n)
}

// resize gives a node of a list another size.
func (l *list[K]) resize(n *node[K], size int64) {
	l.used += size - n.size
	n.size = size
}

// last is the node at the back, the one before it if that is the node to keep, or nil.
func (l *list[K]) last(keep *node[K]) *node[K] {
	if l.back != nil && l.back == keep {
		return l.back.prev
	}
	return l.back
}

// base is what all policies have: the entries, their bound, and the buffer for what is evicted.
type base[K comparable] struct {
	capacity int64
	used     int64
	held     map[K]*node[K]
	out      []K
}

func (b *base[K]) Contains(key K) bool { return b.held[key] != nil }
func (b *base[K]) Len() int            { return len(b.held) }
func (b *base[K]) Used() int64         { return b.used }
func (b *base[K]) Capacity() int64     { return b.capacity }

// begin starts an Add. It returns the node if the key is held.
func (b *base[K]) begin(key K, size int64) *node[K] {
	if size < 1 {
		panic(fmt.Sprintf("eviction: an entry of size %d: want at least 1", size))
	}
	clear(b.out) // keys may be long strings
	b.out = b.out[:0]
	return b.held[key]
}

// hold makes the node of a new key, which is in no list yet.
func (b *base[K]) hold(key K, size int64) *node[K] {
	n := &node[K]{key: key, size: size}
	b.held[key] = n
	b.used += size
	return n
}

// grow gives a node that is held, in a list or in none, another size.
func (b *base[K]) grow(n *node[K], size int64) {
	b.used += size - n.size
	if n.in != nil {
		n.in.resize(n, size)
		return
	}
	n.size = size
}

// drop forgets a node that is held and takes it from its list, if it is in one.
func (b *base[K]) drop(n *node[K]) {
	if n.in != nil {
		n.in.remove(n)
	}
	delete(b.held, n.key)
	b.used -= n.size
}

// evict drops a node and reports it.
func (b *base[K]) evict(n *node[K]) {
	b.drop(n)
	b.out = append(b.out, n.key)
}

// refuse reports a key that is larger than the capacity as evicted.
func (b *base[K]) refuse(key K) []K {
	b.out = append(b.out, key)
	return b.out
}
