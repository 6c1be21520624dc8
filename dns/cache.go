package dns

import (
	"container/list"
	"time"
)

// question is what answers are kept under: an absolute name in lower case and a type.
type question struct {
	name  string
	qtype uint16
}

// cache keeps replies until their time to live is over. Its methods need the resolver's lock; a nil cache is always empty.
type cache struct {
	size    int
	entries map[question]*list.Element
	recent  list.List // of *cached, the most recently used first
}

type cached struct {
	question question
	reply    reply
	expires  time.Duration // since the start of the run
}

func newCache(size int) *cache { return &cache{size: size, entries: map[question]*list.Element{}} }

// get returns a reply that still holds, and until when. At that very nanosecond it is gone.
func (c *cache) get(q question, now time.Duration) (r reply, expires time.Duration, ok bool) {
	if c == nil {
		return r, 0, false
	}
	e, ok := c.entries[q]
	if !ok {
		return r, 0, false
	}
	kept := e.Value.(*cached)
	if now >= kept.expires {
		c.remove(e)
		return r, 0, false
	}
	c.recent.MoveToFront(e)
	return kept.reply, kept.expires, true
}

// put keeps a reply for its time to live from now on.
func (c *cache) put(q question, r reply, now time.Duration) {
	if c == nil || r.ttl <= 0 {
		return
	}
	if e, ok := c.entries[q]; ok {
		c.remove(e)
	}
	c.entries[q] = c.recent.PushFront(&cached{q, r, now + r.ttl})
	if len(c.entries) > c.size {
		c.remove(c.recent.Back())
	}
}

func (c *cache) remove(e *list.Element) {
	delete(c.entries, e.Value.(*cached).question)
	c.recent.Remove(e)
}
