package httpcache

import (
	nethttp "net/http"
	"slices"

	"netlab/services/eviction"
)

// store holds entries. Whoever uses it holds the cache's mutex.
type store struct {
	bytes  eviction.Policy[string]
	number eviction.Policy[string] // bounds the number of entries; nil without such a bound
	byID   map[string]*entry
	byKey  map[string][]*entry // in the order of storing
	order  uint64
	peak   int64
}

func newStore(config *Config, o *Options) (*store, error) {
	name := config.Policy
	if name == "" {
		name = eviction.Default
	}
	s := &store{byID: map[string]*entry{}, byKey: map[string][]*entry{}}
	var err error
	if s.bytes, err = eviction.New[string](name, int64(config.size()), o.Random); err == nil && config.MaxEntries > 0 {
		s.number, err = eviction.New[string](name, int64(config.MaxEntries), o.Random)
	}
	return s, err
}

// find returns the entry for a request, the newest if there are several, and whether there is any for its key.
func (s *store) find(key string, h nethttp.Header) (e *entry, any bool) {
	list := s.byKey[key]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].matches(h) {
			return list[i], true
		}
	}
	return nil, len(list) > 0
}

// use notes that an entry was used.
func (s *store) use(e *entry) {
	*e.hits++
	s.bytes.Get(e.id)
	if s.number != nil {
		s.number.Get(e.id)
	}
}

// put stores an entry, in the place of the one with its id, and returns how many others had to go and whether it was taken.
func (s *store) put(e *entry) (evicted uint64, taken bool) {
	s.take(e.id)
	s.order++
	e.order = s.order
	s.byID[e.id] = e
	s.byKey[e.key] = append(s.byKey[e.key], e)
	gone := slices.Clone(s.bytes.Add(e.id, e.size()))
	if s.number != nil && !slices.Contains(gone, e.id) {
		gone = append(gone, s.number.Add(e.id, 1)...)
	}
	taken = true
	for _, id := range gone {
		switch {
		case id == e.id:
			taken = false
		case s.byID[id] != nil:
			evicted++
		}
		s.drop(id)
	}
	s.peak = max(s.peak, s.bytes.Used())
	return evicted, taken
}

// replace puts an entry in the place of the one with its id, which must be there. It is no use of it.
func (s *store) replace(e *entry) {
	old := s.byID[e.id]
	s.byID[e.id] = e
	list := s.byKey[e.key]
	list[slices.Index(list, old)] = e
}

// take takes an entry out, but not out of the policies.
func (s *store) take(id string) {
	e, ok := s.byID[id]
	if !ok {
		return
	}
	delete(s.byID, id)
	list := s.byKey[e.key]
	i := slices.Index(list, e)
	if list = slices.Delete(list, i, i+1); len(list) == 0 {
		delete(s.byKey, e.key)
	} else {
		s.byKey[e.key] = list
	}
}

// drop takes an entry out.
func (s *store) drop(id string) {
	s.take(id)
	s.bytes.Remove(id)
	if s.number != nil {
		s.number.Remove(id)
	}
}

// remove takes out all entries that a function chooses and returns their number. The order in which it sees them doesn't matter.
func (s *store) remove(chosen func(e *entry) bool) (n int) {
	var ids []string
	for id, e := range s.byID {
		if chosen(e) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		s.drop(id)
	}
	return len(ids)
}
