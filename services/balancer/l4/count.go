package l4

import (
	"sync"

	"netlab/units"
)

// counters are what a balancer counts, over all incarnations of its host. Its own lock makes it safe for a proxy's goroutines.
type counters struct {
	mu       sync.Mutex
	total    Result
	backends map[string]*Backend
}

// backend returns the counters of a backend. The lock must be held.
func (c *counters) backend(name string) *Backend {
	b := c.backends[name]
	if b == nil {
		if c.backends == nil {
			c.backends = map[string]*Backend{}
		}
		b = &Backend{}
		c.backends[name] = b
	}
	return b
}

// opened counts a connection that a backend is given. The lock must be held.
func (c *counters) opened(b *Backend) {
	c.total.Connections++
	c.total.Active++
	c.total.MostActive = max(c.total.MostActive, c.total.Active)
	b.Connections++
	b.Active++
}

// closed counts one that is known no more. The lock must be held.
func (c *counters) closed(b *Backend) {
	c.total.Active--
	b.Active--
}

// passed counts a packet, or what a proxy carried. The lock must be held.
func (c *counters) passed(b *Backend, direction int, packets uint64, bytes int) {
	total, one := &c.total.Forward, &b.Forward
	if direction == backward {
		total, one = &c.total.Backward, &b.Backward
	}
	total.Packets += packets
	total.Bytes += units.Bytes(bytes)
	one.Packets += packets
	one.Bytes += units.Bytes(bytes)
}

// add changes the counters under their lock.
func (c *counters) add(change func(r *Result)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.total)
}

// forget counts that all that was known is lost, as in a crash of the host.
func (c *counters) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total.Active = 0
	for _, b := range c.backends {
		b.Active = 0
	}
}

// result returns a copy.
func (c *counters) result() *Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.total
	r.Backends = map[string]*Backend{}
	for name, b := range c.backends {
		one := *b
		r.Backends[name] = &one
	}
	return &r
}
