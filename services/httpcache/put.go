package httpcache

import nethttp "net/http"

// Put stores a response that nobody has asked for, as publishers push them to the edges of a CDN, in the place of all that is stored for
// the URL of the GET request r, as if it had been answered just now with this header and content, which belong to the cache from then
// on. It says whether the response was stored: it isn't if its header says so (section 3), or if it is too large. It counts as stored, but
// as no request.
func (c *Cache) Put(r *nethttp.Request, status int, header nethttp.Header, body []byte) bool {
	now := c.options.Now()
	url := URLOf(r)
	key := url
	if c.options.Key != nil {
		key = c.options.Key(r)
	}
	p := c.read(status, header, now)
	if !c.storable(r, status, header, &p) || int64(len(body)) > c.config.maxObject() {
		return false
	}
	e := c.newEntry(key, url, r, status, "HTTP/1.1", header, p, now, now)
	e.body, e.length = body, int64(len(body))
	c.removeURL(url)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(e)
	return c.store.byID[e.id] == e
}

// MaxObject returns the size of the largest content that is stored, in bytes.
func (c *Cache) MaxObject() int64 { return c.config.maxObject() }
