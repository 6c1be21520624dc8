package eviction

// tinyLFU is W-TinyLFU.
type tinyLFU[K comparable] struct {
	base[K]
	window    list[K] // LRU
	probation list[K] // the segment of what was used once since it was admitted
	protected list[K] // the segment of what was used again
	counts    sketch[K]

	windowSize, protectedSize int64
}

func newTinyLFU[K comparable](b base[K]) *tinyLFU[K] {
	window := max(1, b.capacity/100)
	return &tinyLFU[K]{base: b, windowSize: window, protectedSize: (b.capacity - window) * 4 / 5, counts: newSketch[K]()}
}

func (t *tinyLFU[K]) Get(key K) bool {
	n := t.held[key]
	if n != nil {
		t.use(n)
	}
	return n != nil
}

func (t *tinyLFU[K]) use(n *node[K]) {
	t.counts.increment(n.key)
	switch n.in {
	case &t.window:
		t.window.move(n)
		return
	case &t.protected:
		t.protected.move(n)
		return
	}
	t.protected.move(n)
	t.demote()
}

// demote moves what is too much in the protected segment back to the front of the other.
func (t *tinyLFU[K]) demote() {
	for t.protected.used > t.protectedSize {
		t.probation.move(t.protected.back)
	}
}

func (t *tinyLFU[K]) Add(key K, size int64) []K {
	n := t.begin(key, size)
	if size > t.capacity {
		t.counts.increment(key)
		t.Remove(key)
		return t.refuse(key)
	}
	if n != nil {
		t.use(n)
		t.grow(n, size)
		t.demote()
		for t.used > t.capacity {
			t.evict(t.victim(n))
		}
		return t.out
	}
	t.counts.increment(key)
	t.window.push(t.hold(key, size))
	for t.window.used > t.windowSize {
		candidate := t.window.back
		t.window.remove(candidate)
		t.admit(candidate)
	}
	// The window is within its bound, but the capacity may not be where keys in the main segments took other sizes.
	for t.used > t.capacity {
		t.evict(t.victim(nil))
	}
	t.counts.fit(t.Len())
	return t.out
}

// admit lets what left the window enter, if there is room or what would have to go for it was used less often.
func (t *tinyLFU[K]) admit(candidate *node[K]) {
	for t.used > t.capacity {
		victim := t.victim(nil)
		if victim == nil || victim.in == &t.window || t.counts.estimate(candidate.key) <= t.counts.estimate(victim.key) {
			t.evict(candidate)
			return
		}
		t.evict(victim)
	}
	t.probation.push(candidate)
}

// victim is the next to go, but not keep; nil when there is nothing else.
func (t *tinyLFU[K]) victim(keep *node[K]) *node[K] {
	for _, l := range []*list[K]{&t.probation, &t.protected, &t.window} {
		if n := l.last(keep); n != nil {
			return n
		}
	}
	return nil
}

func (t *tinyLFU[K]) Remove(key K) bool {
	n := t.held[key]
	if n != nil {
		t.drop(n)
	}
	return n != nil
}
