package netlab

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The garbage collector of Go interrupts whoever runs and lets others go first, at moments that nobody controls. In virtual
// time it is therefore switched off, and the engine's loop calls it between events, when every goroutine is blocked and
// there is no order to disturb.
const (
	gcCheckEvery = 256       // events between two looks at the heap
	gcGrowth     = 20 << 20  // bytes that may be allocated between two collections at least
	gcTight      = 128 << 20 // live bytes from which on more may be allocated, so that collections stay rare
	gcStack      = 16 << 10  // bytes that may be allocated for each goroutine, whose stack a collection looks at
	gcStacks     = 64 << 20  // bytes that may be allocated for all goroutines together
	gcLimit      = 8 << 30   // memory at which the runtime collects after all, whatever it disturbs
)

// collector decides when to collect garbage.
type collector struct {
	events int
	next   uint64 // heap size at which to collect
	sample [1]metrics.Sample
}

// newCollector switches the runtime's own collections off and returns what puts them back.
func newCollector() (c *collector, restore func()) {
	percent, limit := debug.SetGCPercent(-1), debug.SetMemoryLimit(gcLimit)
	c = &collector{next: 2 * gcGrowth}
	c.sample[0].Name = "/memory/classes/heap/objects:bytes"
	return c, func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}

// betweenEvents collects when enough was allocated since the last collection. A nil collector does nothing.
func (c *collector) betweenEvents() {
	if c == nil {
		return
	}
	if c.events++; c.events < gcCheckEvery {
		return
	}
	c.events = 0
	metrics.Read(c.sample[:])
	if c.sample[0].Value.Uint64() < c.next {
		return
	}
	runtime.GC()
	metrics.Read(c.sample[:])
	live := c.sample[0].Value.Uint64()
	c.next = live + max(gcGrowth, live-min(live, gcTight), min(uint64(runtime.NumGoroutine())*gcStack, gcStacks))
}
