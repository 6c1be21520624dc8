package eviction

import "math/rand/v2"

// randomly evicts any entry.
type randomly[K comparable] struct {
	base[K]
	random *rand.Rand
	all    []*node[K] // in no order that means anything; node.place is the place
}

func (r *randomly[K]) Get(key K) bool { return r.Contains(key) }

func (r *randomly[K]) Add(key K, size int64) []K {
	n := r.begin(key, size)
	if size > r.capacity {
		r.Remove(key)
		return r.refuse(key)
	}
	if n != nil {
		r.grow(n, size)
		for r.used > r.capacity {
			r.out = append(r.out, r.victim(n).key)
		}
		return r.out
	}
	for r.used+size > r.capacity {
		r.out = append(r.out, r.victim(nil).key)
	}
	n = r.hold(key, size)
	n.place = len(r.all)
	r.all = append(r.all, n)
	return r.out
}

// victim takes an entry out, any but keep.
func (r *randomly[K]) victim(keep *node[K]) *node[K] {
	count := len(r.all)
	if keep != nil {
		count-- // the entry to keep counts as the last one
	}
	i := r.random.IntN(count)
	if keep != nil && i >= keep.place {
		i++
	}
	n := r.all[i]
	r.take(n)
	return n
}

func (r *randomly[K]) take(n *node[K]) {
	last := r.all[len(r.all)-1]
	r.all[n.place] = last
	last.place = n.place
	r.all[len(r.all)-1] = nil
	r.all = r.all[:len(r.all)-1]
	r.drop(n)
}

func (r *randomly[K]) Remove(key K) bool {
	n := r.held[key]
	if n != nil {
		r.take(n)
	}
	return n != nil
}
