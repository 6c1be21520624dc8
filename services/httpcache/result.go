package httpcache

import (
	"sync"

	"netlab/services/figures"
	"netlab/units"
)

// Result is what a cache counted. Every request is exactly one of Hits, Revalidated, Misses, Bypassed and Failed.
type Result struct {
	Requests uint64 `json:"requests"`
	// Hits counts requests that were answered from the store without asking anybody before, stale answers among them.
	Hits uint64 `json:"hits"`
	// Revalidated counts those for which the origin confirmed with 304 what was stored.
	Revalidated uint64 `json:"revalidated"`
	// Misses counts those that the origin, or a response on its way to another client (Collapsed), answered.
	Misses uint64 `json:"misses"`
	// Bypassed counts requests that no cache answers, such as POST, and ranges that weren't stored.
	Bypassed uint64 `json:"bypassed"`
	// Failed counts requests without a response, and those with only-if-cached that found nothing (504).
	Failed uint64 `json:"failed"`
	// HitRatio is the share of Hits among Hits, Revalidated and Misses; nil without any.
	HitRatio *units.Probability `json:"hit_ratio"`
	// Stale counts hits that were stale: WhileRevalidate while a validation ran in the background, IfError because the origin failed.
	Stale           uint64 `json:"stale"`
	WhileRevalidate uint64 `json:"stale_while_revalidate"`
	IfError         uint64 `json:"stale_if_error"`
	// Collapsed counts misses that waited for the response to another request instead of making one.
	Collapsed uint64 `json:"collapsed"`
	// Forwarded counts requests to the next server, those in the background (Background) among them.
	Forwarded  uint64 `json:"forwarded"`
	Background uint64 `json:"background"`
	// Stored counts responses that were stored, Evicted those that had to go for others, Invalidated those that an unsafe request made
	// unusable, Purged those that were purged. Discarded counts responses that were to be stored, but broke off or were too large.
	Stored      uint64 `json:"stored"`
	Evicted     uint64 `json:"evicted"`
	Invalidated uint64 `json:"invalidated"`
	Purged      uint64 `json:"purged"`
	Discarded   uint64 `json:"discarded"`
	// BytesServed is the content that clients read, BytesForwarded the content that came from the next server and BytesSaved the
	// content that clients got from the store or from another one's response.
	BytesServed    units.Bytes `json:"bytes_served"`
	BytesForwarded units.Bytes `json:"bytes_forwarded"`
	BytesSaved     units.Bytes `json:"bytes_saved"`
	// Entries and Used are what the store holds at the end, MaxUsed the most that it held.
	Entries uint64      `json:"entries"`
	Used    units.Bytes `json:"used"`
	MaxUsed units.Bytes `json:"max_used"`
}

// Add adds the figures of another cache. MaxUsed becomes a sum: what both may have held.
func (r *Result) Add(o *Result) {
	r.Requests += o.Requests
	r.Hits += o.Hits
	r.Revalidated += o.Revalidated
	r.Misses += o.Misses
	r.Bypassed += o.Bypassed
	r.Failed += o.Failed
	r.Stale += o.Stale
	r.WhileRevalidate += o.WhileRevalidate
	r.IfError += o.IfError
	r.Collapsed += o.Collapsed
	r.Forwarded += o.Forwarded
	r.Background += o.Background
	r.Stored += o.Stored
	r.Evicted += o.Evicted
	r.Invalidated += o.Invalidated
	r.Purged += o.Purged
	r.Discarded += o.Discarded
	r.BytesServed += o.BytesServed
	r.BytesForwarded += o.BytesForwarded
	r.BytesSaved += o.BytesSaved
	r.Entries += o.Entries
	r.Used += o.Used
	r.MaxUsed += o.MaxUsed
	r.HitRatio = figures.Share(r.Hits, r.Hits+r.Revalidated+r.Misses)
}

// Sum returns a sum that has another result added to it. Nil is nothing; sum is changed unless it is nil.
func Sum(sum, more *Result) *Result {
	if more == nil {
		return sum
	}
	if sum == nil {
		sum = new(Result)
	}
	sum.Add(more)
	return sum
}

// Counters are the figures of a cache, which outlive it: give those of the cache before a crash to the one after it. The zero value
// is ready for use.
type Counters struct {
	mu     sync.Mutex
	result Result
}

// Result returns the figures so far.
func (c *Counters) Result() Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.result
	r.HitRatio = figures.Share(r.Hits, r.Hits+r.Revalidated+r.Misses)
	return r
}

// update changes the figures.
func (c *Counters) update(change func(r *Result)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.result)
}
