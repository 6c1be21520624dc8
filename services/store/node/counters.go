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
	lag    lag
}

type lag struct {
	n        uint64
	sum, max time.Duration
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

// Lag takes down how far behind its leader a follower was.
func (c *Counters) Lag(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lag.n++
	c.lag.sum += d
	c.lag.max = max(c.lag.max, d)
}

// Lags returns the mean and the largest lag; ok is false if there were none.
func (c *Counters) Lags() (mean, most time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lag.n == 0 {
		return 0, 0, false
	}
	return c.lag.sum / time.Duration(c.lag.n), c.lag.max, true
}

// Events returns what happened, in order.
func (c *Counters) Events() []Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Event{}, c.events...)
}
