package httpcache

import (
	"context"
	nethttp "net/http"

	"netlab/units"
)

// flight is a request to the next server that is under way. Its fields are the cache's mutex's.
type flight struct {
	key, url string
	joinable bool // others may wait for it
	gone     bool // nobody finds it any more

	decided bool            // the header is there, or won't come
	waiting []chan struct{} // until it is
	fill    *fill           // content that others may have as well, nil without
	again   bool            // those who waited look anew: it was validated, or its client went away
	err     error           // why it failed, for all

	purged []func(e *entry) bool // what was purged since it began
}

// maxSolo is how many keys are remembered whose responses are for one client each. When there are more, all are forgotten.
const maxSolo = 10_000

// begin registers a flight. The caller holds the mutex.
func (c *Cache) begin(key, url string, joinable bool) *flight {
	f := &flight{key: key, url: url, joinable: joinable}
	c.flights[f] = struct{}{}
	if joinable {
		c.joinable[key] = f
	}
	return f
}

// decide lets those go on who waited for a flight's header. again, fill and err are what becomes of them; without any of them each asks
// for itself, and so do those who come later.
func (c *Cache) decide(f *flight, fill *fill, again bool, err error) {
	c.mu.Lock()
	f.decided, f.fill, f.again, f.err = true, fill, again, err
	if fill == nil {
		c.forget(f)
		if f.joinable && !again && err == nil {
			if len(c.solo) == maxSolo {
				clear(c.solo)
			}
			c.solo[f.key] = struct{}{}
		}
	} else {
		delete(c.solo, f.key)
	}
	waiting := f.waiting
	f.waiting = nil
	c.mu.Unlock()
	c.wake(waiting)
}

// decideAlone lets those who waited ask for themselves, although the response is being stored: it can't be used again without validation.
func (c *Cache) decideAlone(f *flight) {
	c.mu.Lock()
	if c.joinable[f.key] == f {
		delete(c.joinable, f.key)
	}
	f.decided = true
	waiting := f.waiting
	f.waiting = nil
	c.mu.Unlock()
	c.wake(waiting)
}

// forget takes a flight out. The caller holds the mutex.
func (c *Cache) forget(f *flight) {
	if f.gone {
		return
	}
	f.gone = true
	delete(c.flights, f)
	if c.joinable[f.key] == f {
		delete(c.joinable, f.key)
	}
}

// wake wakes those who wait, in order.
func (c *Cache) wake(list []chan struct{}) {
	if len(list) == 0 {
		return
	}
	if c.options.Wake != nil {
		c.options.Wake(list)
		return
	}
	for _, w := range list {
		w <- struct{}{}
	}
}

// spoilt says whether an entry was purged while it was on its way. The caller holds the mutex.
func (f *flight) spoilt(e *entry) bool {
	for _, chosen := range f.purged {
		if chosen(e) {
			return true
		}
	}
	return false
}

// landed stores the entry of a flight, whose content is complete.
func (c *Cache) landed(f *fill, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(f.flight)
	e := f.entry
	e.body, e.length = data, int64(len(data))
	if f.flight.spoilt(e) {
		c.count(func(r *Result) { r.Discarded++ })
		return
	}
	c.put(e)
}

// put stores an entry. The caller holds the mutex.
func (c *Cache) put(e *entry) {
	evicted, taken := c.store.put(e)
	c.count(func(r *Result) {
		r.Evicted += evicted
		if taken {
			r.Stored++
		} else {
			r.Discarded++
		}
		r.MaxUsed = max(r.MaxUsed, units.Bytes(c.store.peak))
	})
}

// abandon gives up storing the entry of a flight.
func (c *Cache) abandon(f *fill) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(f.flight)
	c.count(func(r *Result) { r.Discarded++ })
}

// await waits until a flight has its header. The caller holds the mutex, which await lets go.
func (c *Cache) await(r *nethttp.Request, f *flight) error {
	if f.decided {
		c.mu.Unlock()
		return nil
	}
	wake := make(chan struct{}, 1)
	f.waiting = append(f.waiting, wake)
	c.mu.Unlock()
	select {
	case <-wake:
		return nil
	case <-r.Context().Done():
		return context.Cause(r.Context())
	}
}
