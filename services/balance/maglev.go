package balance

import (
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// maglev is the table of the paper's section 3.4. Each backend has a permutation of the table's entries, made of its name: it begins
// at an offset and goes on by a skip, and because the size is prime it comes by all of them. Backends take turns, in the order of
// their names, and each takes the first entry of its permutation that is still free, until none is. With weights a backend
// has a turn when it has gained 1, and gains weight / highest weight a round, as in Envoy. A key belongs to the backend at the
// entry of its hash modulo the size; if that can't be chosen, to the next entry's that can.
type maglev struct {
	members
	size  int
	table []int32
}

func (a *maglev) Set(backends []Backend) {
	if a.set(backends) {
		a.fill()
	}
}

// fill makes the table (Pseudocode 1 of the paper). It looks at O(M log M) entries on average.
func (a *maglev) fill() {
	a.table = nil
	if len(a.list) == 0 {
		return
	}
	size := uint32(a.size)
	highest := 0.0
	for _, b := range a.list {
		highest = max(highest, b.Weight)
	}
	order := slices.Clone(a.list)
	slices.SortStableFunc(order, func(b, c *member) int { return strings.Compare(b.Name, c.Name) })
	turns := make([]turn, len(order))
	for i, b := range order {
		offset, skip := permutationOf(b.Name, a.size)
		turns[i] = turn{next: uint32(offset), skip: uint32(skip), index: int32(b.index), gain: b.Weight / highest}
	}
	a.table = make([]int32, size)
	for i := range a.table {
		a.table[i] = -1
	}
	for free := a.size; ; {
		for i := range turns {
			t := &turns[i]
			if t.credit += t.gain; t.credit < 1 {
				continue
			}
			t.credit--
			for a.table[t.next] >= 0 {
				t.step(size)
			}
			a.table[t.next] = t.index
			t.step(size)
			if free--; free == 0 {
				return
			}
		}
	}
}

// permutationOf returns where a backend's permutation begins and how it goes on.
func permutationOf(name string, size int) (offset, skip int) {
	h := xxhash.Sum64String(name)
	return int(mix(h, 0) % uint64(size)), int(mix(h, 1)%uint64(size-1)) + 1
}

// turn is where a backend is in its permutation.
type turn struct {
	next, skip   uint32
	index        int32
	gain, credit float64
}

func (t *turn) step(size uint32) {
	if t.next += t.skip; t.next >= size {
		t.next -= size
	}
}

func (a *maglev) Pick(r *Request) (int, bool) {
	if len(a.table) == 0 {
		return 0, false
	}
	at := int(hashKey(r) % uint64(a.size))
	for range a.table {
		if i := int(a.table[at]); !r.excludes(i) {
			return i, true
		}
		if at++; at == a.size {
			at = 0
		}
	}
	return 0, false
}
