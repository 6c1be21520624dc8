package eviction

// arc is ARC. The names are those of the paper, figure 4.
type arc[K comparable] struct {
	base[K]
	t1, t2 list[K] // entries: used once lately, and more often; LRU
	b1, b2 list[K] // names of what left them; LRU
	names  map[K]*node[K]
	target float64 // p: what t1 should come to
}

func newARC[K comparable](b base[K]) *arc[K] { return &arc[K]{base: b, names: map[K]*node[K]{}} }

func (a *arc[K]) Get(key K) bool {
	n := a.held[key]
	if n != nil {
		a.t2.move(n)
	}
	return n != nil
}

func (a *arc[K]) Add(key K, size int64) []K {
	n := a.begin(key, size)
	if size > a.capacity {
		a.Remove(key)
		return a.refuse(key)
	}
	if n != nil { // case I
		a.t2.move(n)
		a.grow(n, size)
		for a.used > a.capacity {
			a.replace(false, n)
		}
		a.trim()
		return a.out
	}
	name := a.names[key]
	if name == nil {
		a.admit(key, size)
		return a.out
	}
	inB2 := name.in == &a.b2
	if inB2 { // case III
		a.target = max(0, a.target-step(&a.b1, &a.b2, size))
	} else { // case II
		a.target = min(float64(a.capacity), a.target+step(&a.b2, &a.b1, size))
	}
	a.forget(name)
	for a.used+size > a.capacity {
		a.replace(inB2, nil)
	}
	a.t2.push(a.hold(key, size))
	a.trim()
	return a.out
}

// step is by how much the target moves when a name of the list hit is asked for.
func step[K comparable](other, hit *list[K], size int64) float64 {
	return max(1, float64(other.used)/float64(hit.used)) * float64(size)
}

// admit is case IV: a key that is in none of the four lists.
func (a *arc[K]) admit(key K, size int64) {
	for a.t1.used+a.b1.used+size > a.capacity && a.t1.len+a.b1.len > 0 {
		if a.b1.len > 0 {
			a.forget(a.b1.back)
		} else {
			a.evict(a.t1.back)
		}
	}
	for a.t1.used+a.t2.used+a.b1.used+a.b2.used+size > 2*a.capacity && a.b2.len > 0 {
		a.forget(a.b2.back)
	}
	for a.used+size > a.capacity {
		a.replace(false, nil)
	}
	a.t1.push(a.hold(key, size))
}

// replace evicts an entry, but not keep, and leaves its name.
func (a *arc[K]) replace(inB2 bool, keep *node[K]) {
	first, second := a.t1.last(keep), a.t2.last(keep)
	t1 := float64(a.t1.used)
	if first != nil && (second == nil || t1 > a.target || (inB2 && t1 == a.target)) {
		a.evict(first)
		a.b1.push(first)
		a.names[first.key] = first
		return
	}
	a.evict(second)
	a.b2.push(second)
	a.names[second.key] = second
}

// trim bounds the names where entries have other sizes than their names remember.
func (a *arc[K]) trim() {
	for a.t1.used+a.b1.used > a.capacity && a.b1.len > 0 {
		a.forget(a.b1.back)
	}
	for a.t1.used+a.t2.used+a.b1.used+a.b2.used > 2*a.capacity && a.b2.len > 0 {
		a.forget(a.b2.back)
	}
}

func (a *arc[K]) forget(n *node[K]) {
	n.in.remove(n)
	delete(a.names, n.key)
}

func (a *arc[K]) Remove(key K) bool {
	n := a.held[key]
	if n != nil {
		a.drop(n)
	}
	return n != nil
}
