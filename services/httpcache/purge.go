package httpcache

import (
	"maps"
	neturl "net/url"
	"slices"
	"strings"
	"time"
)

// Entry is a stored response, for those who look at the store.
type Entry struct {
	// Key is what it is stored under, URL that of the request that brought it.
	Key, URL string
	// Status is the response's status.
	Status int
	// Vary holds the fields that chose it, such as "Accept-Language: de", in order.
	Vary []string
	// Size is what it weighs in the store, Length its content.
	Size, Length int64
	// Stored is when it was stored or last validated, by the cache's date.
	Stored time.Time
	// Age is its age now, Lifetime how long it is fresh in all. Fresh says that it still is.
	Age, Lifetime time.Duration
	Fresh         bool
	// ETag and LastModified are its validators, Tags those of Surrogate-Key and Cache-Tag.
	ETag, LastModified string
	Tags               []string
	// Hits is how often it was used.
	Hits uint64
}

// Entries returns what is stored, in the order of keys, and of storing for those of one key.
func (c *Cache) Entries() []Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.options.Now()
	var list []Entry
	for _, key := range slices.Sorted(maps.Keys(c.store.byKey)) {
		for _, e := range c.store.byKey[key] {
			list = append(list, e.describe(now))
		}
	}
	return list
}

func (e *entry) describe(now time.Time) Entry {
	d := Entry{Key: e.key, URL: e.url, Status: e.status, Size: e.size(), Length: e.length, Stored: e.received, Age: e.age(now),
		Lifetime: e.policy.lifetime, Fresh: e.ttl(now) > 0, ETag: e.header.Get("ETag"), LastModified: e.header.Get("Last-Modified"),
		Tags: slices.Clone(e.tags), Hits: *e.hits}
	for _, f := range e.vary {
		d.Vary = append(d.Vary, f.name+": "+f.value)
	}
	return d
}

// PurgeURL removes all responses to requests for a URL, with which fields ever, and returns how many there were. A response that is on
// its way just then is passed on and not stored.
func (c *Cache) PurgeURL(url string) int {
	if u, err := neturl.Parse(url); err == nil {
		url = normalURL(u.Scheme, u.Host, u)
	}
	return c.purged(c.removeURL(url))
}

// PurgePrefix is [Cache.PurgeURL] for all URLs that begin with a prefix.
func (c *Cache) PurgePrefix(prefix string) int {
	return c.purged(c.remove(func(e *entry) bool { return strings.HasPrefix(e.url, prefix) }))
}

// PurgeTag is [Cache.PurgeURL] for all responses with a tag in Surrogate-Key (divided by spaces) or Cache-Tag (by commas).
func (c *Cache) PurgeTag(tag string) int {
	return c.purged(c.remove(func(e *entry) bool { return slices.Contains(e.tags, tag) }))
}

// PurgeAll is [Cache.PurgeURL] for everything.
func (c *Cache) PurgeAll() int { return c.purged(c.remove(func(*entry) bool { return true })) }

// purged counts n responses that were purged.
func (c *Cache) purged(n int) int {
	c.count(func(r *Result) { r.Purged += uint64(n) })
	return n
}

// remove removes entries, also those that are still on their way.
func (c *Cache) remove(chosen func(e *entry) bool) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spoil(chosen)
	return c.store.remove(chosen)
}

// removeURL is remove for a URL, without a look at all others where keys are URLs.
func (c *Cache) removeURL(url string) int {
	chosen := func(e *entry) bool { return e.url == url }
	if c.options.Key != nil {
		return c.remove(chosen)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spoil(chosen)
	list := slices.Clone(c.store.byKey[url])
	for _, e := range list {
		c.store.drop(e.id)
	}
	return len(list)
}

// spoil keeps what is on its way from being stored, or joined, if it is chosen. The order of flights doesn't matter.
func (c *Cache) spoil(chosen func(e *entry) bool) {
	for f := range c.flights {
		f.purged = append(f.purged, chosen)
		e := &entry{key: f.key, url: f.url}
		if f.fill != nil {
			e = f.fill.entry
		}
		if c.joinable[f.key] == f && chosen(e) {
			delete(c.joinable, f.key) // who comes now wants something newer
		}
	}
}
