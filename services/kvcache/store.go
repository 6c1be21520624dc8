package kvcache

import (
	"container/heap"
	"math/rand/v2"
	"sort"
	"time"

	"netlab/services/eviction"
	"netlab/units"
)

// entry is a key with its value.
type entry struct {
	key     string
	value   []byte
	id      uint64        // in the order in which keys came
	expires time.Duration // since the start of the run, 0 for never
	place   int           // in the heap of those that expire
	gone    bool
}

func (e *entry) size() units.Bytes { return units.Bytes(len(e.key)+len(e.value)) + Overhead }

// store is what the cache holds. The server locks.
type store struct {
	limit   units.Bytes             // 0 for none
	policy  eviction.Policy[string] // nil if nothing is evicted
	entries map[string]*entry
	order   []*entry // by id, some of them gone
	last    uint64   // id
	due     byExpiry
	used    units.Bytes
	now     time.Duration
	count   *counters
}

func newStore(c *Config, random *rand.Rand, count *counters) (*store, error) {
	s := &store{limit: c.MaxMemory, entries: map[string]*entry{}, count: count}
	if c.MaxMemory == 0 || c.eviction() == NoEviction {
		return s, nil
	}
	var err error
	s.policy, err = eviction.New[string](c.eviction(), int64(c.MaxMemory), random)
	return s, err
}

func (s *store) len() int { return len(s.entries) }

// advance removes what has expired until a time.
func (s *store) advance(now time.Duration) {
	s.now = now
	for len(s.due) > 0 && s.due[0].expires <= now {
		s.count.expired++
		s.delete(s.due[0].key)
	}
}

// peek finds a key, which is no use of it.
func (s *store) peek(key []byte) *entry { return s.entries[string(key)] }

// use finds a key for its value and counts a hit or a miss.
func (s *store) use(key []byte) *entry {
	e := s.entries[string(key)]
	if e == nil {
		s.count.misses++
		return nil
	}
	s.count.hits++
	if s.policy != nil {
		s.policy.Get(e.key)
	}
	return e
}

// fits says whether a key with a value can be held at all.
func (s *store) fits(key, value []byte) bool {
	size := units.Bytes(len(key)+len(value)) + Overhead
	switch {
	case s.limit == 0:
		return true
	case s.policy != nil:
		return size <= s.limit
	}
	if e := s.peek(key); e != nil {
		size -= e.size()
	}
	return s.used+size <= s.limit
}

// set holds a key with a value that fits. A key that was there keeps its time to live. The result is nil if the policy does
// not let the key in.
func (s *store) set(key, value []byte) *entry {
	e := s.peek(key)
	if e == nil {
		s.last++
		e = &entry{key: string(key), id: s.last, place: -1}
		s.entries[e.key] = e
		s.order = append(s.order, e)
	} else {
		s.used -= e.size()
	}
	e.value = value
	s.used += e.size()
	if s.policy != nil {
		for _, k := range s.policy.Add(e.key, int64(e.size())) {
			if k == e.key {
				s.count.dropped++
			} else {
				s.count.evictions++
			}
			s.forget(s.entries[k])
		}
	}
	s.count.peak = max(s.count.peak, s.used)
	if e.gone {
		return nil
	}
	return e
}

// delete removes a key and says whether it was there.
func (s *store) delete(key string) bool {
	e := s.entries[key]
	if e == nil {
		return false
	}
	if s.policy != nil {
		s.policy.Remove(key)
	}
	s.forget(e)
	return true
}

// forget removes an entry that the policy has forgotten.
func (s *store) forget(e *entry) {
	s.expire(e, 0)
	e.gone = true
	s.used -= e.size()
	delete(s.entries, e.key)
	if len(s.order) > 64 && len(s.order) > 2*len(s.entries) {
		kept := s.order[:0]
		for _, o := range s.order {
			if !o.gone {
				kept = append(kept, o)
			}
		}
		clear(s.order[len(kept):])
		s.order = kept
	}
}

// expire lets an entry expire at a time, or never for 0.
func (s *store) expire(e *entry, at time.Duration) {
	e.expires = at
	switch {
	case at == 0 && e.place >= 0:
		heap.Remove(&s.due, e.place)
	case at == 0:
	case e.place >= 0:
		heap.Fix(&s.due, e.place)
	default:
		heap.Push(&s.due, e)
	}
}

// flush removes all.
func (s *store) flush() {
	for _, e := range s.order {
		if !e.gone && s.policy != nil {
			s.policy.Remove(e.key)
		}
	}
	clear(s.entries)
	s.order, s.due, s.used = nil, nil, 0
}

// from returns the entries with an id of at least first, oldest first.
func (s *store) from(first uint64) []*entry {
	return s.order[sort.Search(len(s.order), func(i int) bool { return s.order[i].id >= first }):]
}

// byExpiry is a heap of the entries that expire, the next one first, of several at once the oldest.
type byExpiry []*entry

func (h byExpiry) Len() int { return len(h) }
func (h byExpiry) Less(i, j int) bool {
	if h[i].expires != h[j].expires {
		return h[i].expires < h[j].expires
	}
	return h[i].id < h[j].id
}
func (h byExpiry) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}
func (h *byExpiry) Push(x any) {
	e := x.(*entry)
	e.place = len(*h)
	*h = append(*h, e)
}
func (h *byExpiry) Pop() any {
	e := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = nil
	*h = (*h)[:len(*h)-1]
	e.place = -1
	return e
}
