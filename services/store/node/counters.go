package node

import (
	"sync"
	"time"

	"netlab/units"
)

// Event is something that happened to a member's role.
type Event struct {
	At    units.Duration `json:"at"`
	Event string         `json:"event"` // such as "suspects", "candidate", "leader", "follower", "stopped"
	Epoch uint64         `json:"epoch"` // or term
	Who   string         `json:"who,omitempty"`
}

// Counters are what a member counts, over all incarnations of its host.
type Counters struct {
	mu     sync.Mutex
	totals map[string]uint64
	events []Event
}

// Add counts.
func (c *Counters) Add(name string, n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.totals == nil {
		c.totals = map[string]uint64{}
	}
	c.totals[name] += n
}

// Get returns a count.
func (c *Counters) Get(name string) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.totals[name]
}

// Happened takes down an event.
func (c *Counters) Happened(at time.Duration, event string, epoch uint64, who string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, Event{At: units.Duration(at), Event: event, Epoch: epoch, Who: who})
}

// Events returns what happened, in order.
func (c *Counters) Events() []Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Event{}, c.events...)
}
