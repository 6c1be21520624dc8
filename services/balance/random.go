package balance

import "math/rand/v2"

// random draws a backend in proportion to weights.
type random struct {
	members
	urn
}

func (a *random) Set(backends []Backend) {
	if a.set(backends) {
		a.fill(a.list)
	}
}

func (a *random) Pick(r *Request) (int, bool) {
	b := a.draw(a.list, func(b *member) bool { return !r.excludes(b.index) })
	if b == nil {
		return 0, false
	}
	return b.index, true
}

// urn draws backends in proportion to weights in constant time, by Vose's alias method; evenly if it isn't filled.
type urn struct {
	random *rand.Rand
	keep   []float64 // the chance that a column stands for itself; nil when all weights are equal
	other  []int32   // what it stands for otherwise
}

// fill makes the columns. It is O(N).
func (u *urn) fill(list []*member) {
	u.keep, u.other = nil, nil
	total, equal := 0.0, true
	for _, b := range list {
		total += b.Weight
		equal = equal && b.Weight == list[0].Weight
	}
	if equal {
		return
	}
	u.keep, u.other = make([]float64, len(list)), make([]int32, len(list))
	var small, large []int32
	for i, b := range list {
		u.keep[i], u.other[i] = b.Weight/total*float64(len(list)), int32(i)
		if u.keep[i] < 1 {
			small = append(small, int32(i))
		} else {
			large = append(large, int32(i))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		u.other[s] = l
		u.keep[l] -= 1 - u.keep[s]
		if u.keep[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	for _, rest := range [][]int32{small, large} { // 1 but for rounding
		for _, i := range rest {
			u.keep[i] = 1
		}
	}
}

// tries is how often a drawn backend that doesn't fit is drawn again before those that fit are counted.
const tries = 16

// draw draws one of those that fit, nil if none does.
func (u *urn) draw(list []*member, fits func(*member) bool) *member {
	if len(list) == 0 {
		return nil
	}
	for range tries {
		i := u.random.IntN(len(list))
		if u.keep != nil && u.random.Float64() >= u.keep[i] {
			i = int(u.other[i])
		}
		if fits(list[i]) {
			return list[i]
		}
	}
	total := 0.0
	for _, b := range list {
		if fits(b) {
			total += u.weight(b)
		}
	}
	at := u.random.Float64() * total
	var last *member
	for _, b := range list {
		if fits(b) {
			last = b
			if at -= u.weight(b); at < 0 {
				break
			}
		}
	}
	return last
}

func (u *urn) weight(b *member) float64 {
	if u.keep == nil {
		return 1
	}
	return b.Weight
}
