package eviction_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services/eviction"
)

// reference is a policy for entries of size 1, written once more as its paper tells it, with slices that are searched from end to
// end. The newest or most recently used is first. request says whether the key was there.
type reference interface{ request(key int) bool }

// take removes a key from a slice.
func take(list *[]int, key int) bool {
	i := slices.Index(*list, key)
	if i < 0 {
		return false
	}
	*list = slices.Delete(*list, i, i+1)
	return true
}

func first(list *[]int, key int) { *list = slices.Insert(*list, 0, key) }

// dropLast removes the last key.
func dropLast(list *[]int) int {
	key := (*list)[len(*list)-1]
	*list = (*list)[:len(*list)-1]
	return key
}

type slowQueue struct {
	c       int
	recency bool
	keys    []int
}

func (s *slowQueue) request(key int) bool {
	if slices.Contains(s.keys, key) {
		if s.recency {
			take(&s.keys, key)
			first(&s.keys, key)
		}
		return true
	}
	if len(s.keys) == s.c {
		dropLast(&s.keys)
	}
	first(&s.keys, key)
	return false
}

type slowLFU struct {
	c, clock         int
	uses, last, past map[int]int // past is nil where counts are forgotten
}

func (s *slowLFU) request(key int) bool {
	s.clock++
	_, hit := s.uses[key]
	if !hit && len(s.uses) == s.c {
		victim := -1
		for k, n := range s.uses {
			if victim < 0 || n < s.uses[victim] || n == s.uses[victim] && s.last[k] < s.last[victim] {
				victim = k
			}
		}
		if s.past != nil {
			s.past[victim] = s.uses[victim]
		}
		delete(s.uses, victim)
	}
	if !hit {
		s.uses[key] = s.past[key]
	}
	s.uses[key]++
	s.last[key] = s.clock
	return hit
}

type slowRandom struct {
	c      int
	random *rand.Rand
	keys   []int
}

func (s *slowRandom) request(key int) bool {
	if slices.Contains(s.keys, key) {
		return true
	}
	if len(s.keys) == s.c {
		i := s.random.IntN(s.c)
		s.keys[i] = s.keys[s.c-1]
		s.keys = s.keys[:s.c-1]
	}
	s.keys = append(s.keys, key)
	return false
}

// slow2Q is the figure "Full version" of the paper's section 3.2.
type slow2Q struct {
	c, kin, kout   int
	a1in, a1out, m []int
}

func (s *slow2Q) request(key int) bool {
	switch {
	case take(&s.m, key):
		first(&s.m, key)
		return true
	case slices.Contains(s.a1in, key):
		return true
	case take(&s.a1out, key):
		s.reclaim()
		first(&s.m, key)
	default:
		s.reclaim()
		first(&s.a1in, key)
	}
	return false
}

func (s *slow2Q) reclaim() {
	switch {
	case len(s.a1in)+len(s.m) < s.c:
	case len(s.a1in) > s.kin || len(s.m) == 0:
		first(&s.a1out, dropLast(&s.a1in))
		if len(s.a1out) > s.kout {
			dropLast(&s.a1out)
		}
	default:
		dropLast(&s.m)
	}
}

// slowARC is figure 4 of the paper.
type slowARC struct {
	c              int
	p              float64
	t1, t2, b1, b2 []int
}

func (s *slowARC) request(key int) bool {
	switch {
	case take(&s.t1, key) || take(&s.t2, key): // case I
		first(&s.t2, key)
		return true
	case slices.Contains(s.b1, key): // case II
		s.p = min(float64(s.c), s.p+max(1, float64(len(s.b2))/float64(len(s.b1))))
		s.replace(false)
		take(&s.b1, key)
		first(&s.t2, key)
		return false
	case slices.Contains(s.b2, key): // case III
		s.p = max(0, s.p-max(1, float64(len(s.b1))/float64(len(s.b2))))
		s.replace(true)
		take(&s.b2, key)
		first(&s.t2, key)
		return false
	}
	l1, l2 := len(s.t1)+len(s.b1), len(s.t2)+len(s.b2) // case IV
	if l1 == s.c {
		if len(s.t1) < s.c {
			dropLast(&s.b1)
			s.replace(false)
		} else {
			dropLast(&s.t1)
		}
	} else if l1+l2 >= s.c {
		if l1+l2 == 2*s.c {
			dropLast(&s.b2)
		}
		s.replace(false)
	}
	first(&s.t1, key)
	return false
}

func (s *slowARC) replace(inB2 bool) {
	if n := len(s.t1); n >= 1 && (float64(n) > s.p || inB2 && float64(n) == s.p) {
		first(&s.b1, dropLast(&s.t1))
	} else {
		first(&s.b2, dropLast(&s.t2))
	}
}

// slowTinyLFU counts exactly instead of with a sketch: with few keys the sketch does, too.
type slowTinyLFU struct {
	c, window, guarded           int
	win, probation, protected    []int
	counts                       map[int]int
	uses, halveAfter, counterMax int
}

func (s *slowTinyLFU) request(key int) bool {
	if s.counts[key] < s.counterMax {
		s.counts[key]++
	}
	if s.uses++; s.uses == s.halveAfter {
		for k := range s.counts {
			s.counts[k] /= 2
		}
		s.uses /= 2
	}
	switch {
	case take(&s.win, key):
		first(&s.win, key)
		return true
	case take(&s.protected, key):
		first(&s.protected, key)
		return true
	case take(&s.probation, key):
		first(&s.protected, key)
		if len(s.protected) > s.guarded {
			first(&s.probation, dropLast(&s.protected))
		}
		return true
	}
	first(&s.win, key)
	if len(s.win) <= s.window {
		return false
	}
	candidate := dropLast(&s.win)
	if s.window+len(s.probation)+len(s.protected) < s.c {
		first(&s.probation, candidate)
		return false
	}
	from := &s.probation
	if len(*from) == 0 {
		from = &s.protected
	}
	if len(*from) > 0 && s.counts[candidate] > s.counts[(*from)[len(*from)-1]] {
		dropLast(from)
		first(&s.probation, candidate)
	}
	return false
}

// slow returns the reference of a policy.
func slow(name string, c int, random *rand.Rand) reference {
	switch name {
	case "fifo":
		return &slowQueue{c: c}
	case "lru":
		return &slowQueue{c: c, recency: true}
	case "lfu":
		return &slowLFU{c: c, uses: map[int]int{}, last: map[int]int{}}
	case "perfect-lfu":
		return &slowLFU{c: c, uses: map[int]int{}, last: map[int]int{}, past: map[int]int{}}
	case "random":
		return &slowRandom{c: c, random: random}
	case "2q":
		return &slow2Q{c: c, kin: max(1, c/4), kout: max(1, c/2)}
	case "arc":
		return &slowARC{c: c}
	}
	window := max(1, c/100)
	return &slowTinyLFU{c: c, window: window, guarded: (c - window) * 4 / 5, counts: map[int]int{}, halveAfter: 640, counterMax: 15}
}

// request makes a request as a cache does.
func request(p eviction.Policy[int], key int) bool {
	if p.Get(key) {
		return true
	}
	p.Add(key, 1)
	return false
}

// Request by request, each policy hits where an independent simulation of the same trace does: a loop over more than fits, a skewed
// part, and one whose favourites change.
func TestAgainstReference(t *testing.T) {
	for _, name := range eviction.Names() {
		for _, c := range []int{1, 2, 5, 10, 16} {
			p, err := eviction.New[int](name, int64(c), rand.New(rand.NewPCG(1, 2)))
			require.NoError(t, err)
			want := slow(name, c, rand.New(rand.NewPCG(1, 2)))
			random := rand.New(rand.NewPCG(3, 4))
			for i := range 20_000 {
				key := i % (c + 3)
				if i%1000 > 200 {
					key = int(random.ExpFloat64()*float64(c)/2) % 30
				}
				if i > 10_000 {
					key = (key + i/2000) % 30
				}
				require.Equal(t, want.request(key), request(p, key), "%s, capacity %d, request %d", name, c, i)
				require.LessOrEqual(t, p.Used(), int64(c))
			}
		}
	}
}
