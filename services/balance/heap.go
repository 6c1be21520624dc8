package balance

// heap is a binary heap of backends whose order changes one at a time. less is a total order.
type heap struct {
	list []*member
	less func(a, b *member) bool
}

// fill makes it anew of backends, in O(N).
func (h *heap) fill(list []*member) {
	h.list = append(h.list[:0:0], list...)
	for i, b := range h.list {
		b.heap = i
	}
	for i := len(h.list)/2 - 1; i >= 0; i-- {
		h.down(i)
	}
}

// fix puts a backend whose order changed in its place, in O(log N).
func (h *heap) fix(b *member) {
	if b.index < 0 { // it has left
		return
	}
	h.up(b.heap)
	h.down(b.heap)
}

// least returns the least of those that aren't excluded, nil if there is none. It looks at those that are excluded and at what is
// below them.
func (h *heap) least(r *Request) *member { return h.search(0, r, nil) }

func (h *heap) search(i int, r *Request, best *member) *member {
	if i >= len(h.list) {
		return best
	}
	b := h.list[i]
	if best != nil && !h.less(b, best) {
		return best
	}
	if !r.excludes(b.index) {
		return b
	}
	best = h.search(2*i+1, r, best)
	return h.search(2*i+2, r, best)
}

func (h *heap) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h.less(h.list[i], h.list[parent]) {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h *heap) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h.list); child++ {
			if h.less(h.list[child], h.list[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}

func (h *heap) swap(i, j int) {
	h.list[i], h.list[j] = h.list[j], h.list[i]
	h.list[i].heap, h.list[j].heap = i, j
}
