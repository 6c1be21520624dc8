package httpcache

import (
	"context"
	"errors"
	"io"
	nethttp "net/http"
	"os"
	"time"
)

// errServer is what those who waited for a response get to know that was covered by a stale one.
var errServer = errors.New("httpcache: the next server failed")

// bypass passes a request on that no cache answers.
func (a *ask) bypass(reason Reason) (*nethttp.Response, error) {
	c := a.cache
	a.status.Forward = reason
	c.count(func(r *Result) { r.Forwarded++ })
	response, err := c.options.Next.RoundTrip(a.r)
	if err != nil {
		return nil, err
	}
	c.count(func(r *Result) { r.Bypassed++ })
	a.status.ForwardStatus = response.StatusCode
	c.invalidate(a.r, response)
	c.pass(response, func() {}, forwarded)
	return response, nil
}

// forward asks the next server, about an entry if there is one that can be asked about.
func (a *ask) forward(e *entry, f *flight) (*nethttp.Response, error) {
	c := a.cache
	ctx, cancel, attached := a.r.Context(), func() {}, func() bool { return true }
	if f.joinable {
		detached, end := context.WithCancel(context.WithoutCancel(ctx))
		attached = context.AfterFunc(ctx, end)
		ctx, cancel = detached, func() { attached(); end() }
	}
	out := a.r.WithContext(ctx)
	asks := e != nil && e.validators() && a.r.Method == nethttp.MethodGet
	if asks {
		out = e.validating(out)
	}
	response, requested, err := a.send(out)
	if err == nil && asks && response.StatusCode == nethttp.StatusNotModified && e.contradicts(response.Header, false) {
		drain(response)
		for _, name := range conditionFields {
			delete(out.Header, name)
		}
		asks = false
		response, requested, err = a.send(out)
	}
	if err != nil {
		cancel()
		left := a.r.Context().Err() != nil
		var shared error
		if !left {
			shared = err
		}
		c.decide(f, nil, left, shared)
		if left {
			err = context.Cause(a.r.Context())
		}
		if left && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
			return nil, err // nobody wants it any more
		}
		if stale := a.despite(e, 0); stale != nil {
			return stale, nil
		}
		return nil, err
	}
	a.status.ForwardStatus = response.StatusCode
	if stale := a.despite(e, response.StatusCode); stale != nil {
		drain(response)
		cancel()
		c.decide(f, nil, false, errServer)
		return stale, nil
	}
	received := c.options.Now()
	if asks && response.StatusCode == nethttp.StatusNotModified {
		drain(response)
		cancel()
		return a.validated(e, f, response.Header, requested, received), nil
	}
	a.arrived(e, f, response, requested, received, cancel, attached)
	return response, nil
}

// send makes a request and says when.
func (a *ask) send(r *nethttp.Request) (*nethttp.Response, time.Time, error) {
	a.cache.count(func(r *Result) { r.Forwarded++ })
	requested := a.cache.options.Now()
	response, err := a.cache.options.Next.RoundTrip(r)
	return response, requested, err
}

// drain reads what little content a response that nobody wants has, so that its connection can be used again.
func drain(response *nethttp.Response) {
	const little = 64 << 10
	io.CopyN(io.Discard, response.Body, little)
	response.Body.Close()
}

// validated answers from the store after the next server has said that an entry is still right (section 4.3.4).
func (a *ask) validated(e *entry, f *flight, h nethttp.Header, requested, received time.Time) *nethttp.Response {
	c := a.cache
	next := c.updated(e, h, requested, received)
	c.mu.Lock()
	if current := c.store.byID[e.id]; current != nil && !f.spoilt(next) {
		if next.policy.noStore {
			c.store.drop(e.id)
		} else {
			c.put(next)
			c.store.use(next)
			c.count(func(r *Result) { r.Stored-- }) // it was there already
		}
	}
	c.mu.Unlock()
	fresh := next.ttl(received) > 0 && !next.policy.noCache && !next.policy.noStore
	c.decide(f, nil, fresh, nil)
	if a.kind != unread {
		c.count(func(r *Result) { r.Revalidated++ })
	}
	a.status.Validated, a.status.Stored = true, true
	a.status.HasTTL, a.status.TTL, a.status.Stale = true, next.ttl(received), next.ttl(received) <= 0
	return a.serve(next, received)
}

// arrived deals with a response that has content: it is stored while it is passed on, if it may be.
func (a *ask) arrived(e *entry, f *flight, response *nethttp.Response, requested, received time.Time, cancel func(), attached func() bool) {
	c := a.cache
	if a.kind != unread {
		c.count(func(r *Result) {
			if a.status.Forward == Partial {
				r.Bypassed++
			} else {
				r.Misses++
			}
		})
	}
	h := response.Header
	if a.r.Method == nethttp.MethodHead {
		c.head(e, response, requested, received)
		c.decide(f, nil, false, nil)
		c.pass(response, cancel, a.kind)
		return
	}
	p := c.read(response.StatusCode, h, received)
	if a.control.noStore || !c.storable(a.r, response.StatusCode, h, &p) || response.ContentLength > c.config.maxObject() {
		c.decide(f, nil, false, nil)
		c.pass(response, cancel, a.kind)
		return
	}
	fresh := c.newEntry(a.key, a.url, a.r, response.StatusCode, response.Proto, h, p, requested, received)
	fill := &fill{cache: c, entry: fresh, flight: f, source: response.Body, want: response.ContentLength, cancel: cancel, keep: true}
	if n := response.ContentLength; n > 0 {
		fill.data = make([]byte, 0, n)
	}
	a.status.Stored, a.status.HasTTL, a.status.TTL, a.status.Stale = true, true, fresh.ttl(received), false
	response.Body = fill.reader(a.r.Context(), a.kind)
	attached() // from now on the readers are those for whom it goes on
	if fresh.ttl(received) > 0 && !p.noCache {
		c.decide(f, fill, false, nil)
		return
	}
	c.decideAlone(f)
}

// head brings a stored response up to date after a HEAD (section 4.3.5).
func (c *Cache) head(e *entry, response *nethttp.Response, requested, received time.Time) {
	if e == nil || response.StatusCode != nethttp.StatusOK {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.store.byID[e.id] != e {
		return
	}
	if e.contradicts(response.Header, true) {
		c.store.drop(e.id)
		c.count(func(r *Result) { r.Invalidated++ })
		return
	}
	c.put(c.updated(e, response.Header, requested, received))
	c.count(func(r *Result) { r.Stored-- })
}

// invalidate removes what an unsafe request has made wrong (section 4.4).
func (c *Cache) invalidate(r *nethttp.Request, response *nethttp.Response) {
	switch r.Method {
	case nethttp.MethodGet, nethttp.MethodHead, nethttp.MethodOptions, nethttp.MethodTrace:
		return
	}
	if response.StatusCode < 200 || response.StatusCode > 399 {
		return
	}
	target := URLOf(r)
	urls := []string{target}
	base, err := r.URL.Parse(target)
	if err == nil {
		for _, name := range []string{"Location", "Content-Location"} {
			text := response.Header.Get(name)
			if u, err := base.Parse(text); err == nil && text != "" && u.Scheme == base.Scheme && u.Host == base.Host {
				urls = append(urls, normalURL(u.Scheme, u.Host, u))
			}
		}
	}
	n := 0
	for _, u := range urls {
		n += c.removeURL(u)
	}
	c.count(func(r *Result) { r.Invalidated += uint64(n) })
}
