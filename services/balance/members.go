package balance

import "time"

// member is what an algorithm knows of a backend. It lives on in handles when the backend has left the set.
type member struct {
	Backend
	index    int // in the set; -1 when it isn't there
	inFlight int

	current float64 // smooth weighted round robin: nginx's current_weight
	turn    float64 // least connections: when its next turn is, in virtual time

	latency  float64       // peak EWMA and lowest latency: the average in nanoseconds
	stamp    time.Duration // when it was brought up to date
	measured bool

	heap int // place in the heap of those algorithms that have one
}

// members are the backends of an algorithm in the order of the set.
type members struct {
	list   []*member
	byName map[string]*member
}

// set takes over a new set and says whether anything about it is new.
func (m *members) set(backends []Backend) (changed bool) {
	changed = len(backends) != len(m.list)
	for i := 0; !changed && i < len(backends); i++ {
		changed = m.list[i].Backend != backends[i]
	}
	if !changed {
		return false
	}
	for _, b := range m.list {
		b.index = -1
	}
	list, byName := make([]*member, len(backends)), make(map[string]*member, len(backends))
	for i, b := range backends {
		known := m.byName[b.Name]
		if known == nil || known.index >= 0 { // a name given twice is two backends
			known = &member{}
		}
		known.Backend, known.index = b, i
		list[i], byName[b.Name] = known, known
	}
	for name, b := range m.byName {
		if b.index < 0 && b.inFlight > 0 && byName[name] == nil {
			byName[name] = b // it may come back before they are over
		}
	}
	m.list, m.byName = list, byName
	return true
}

// Start implements Algorithm.
func (m *members) Start(index int, _ time.Duration) Handle {
	b := m.list[index]
	b.inFlight++
	return Handle{b}
}

// Done implements Algorithm.
func (m *members) Done(h Handle, _, _ time.Duration, _ bool) {
	if h.backend != nil {
		h.backend.inFlight--
	}
}

// equalWeights says whether all weights are the same.
func (m *members) equalWeights() bool {
	for _, b := range m.list {
		if b.Weight != m.list[0].Weight {
			return false
		}
	}
	return true
}
