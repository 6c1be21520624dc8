package httpcache

import (
	"context"
	"io"
	nethttp "net/http"
	"slices"
	"time"
)

// ask is one request to the cache.
type ask struct {
	cache    *Cache
	r        *nethttp.Request
	key, url string
	control  control // what the request wants
	status   Status
	alone    bool // it doesn't wait for others, nor others for it
	waited   bool
	kind     served // whose content is forwarded
}

// run answers the request.
func (a *ask) run() (*nethttp.Response, error) {
	r, c := a.r, a.cache
	if r.Method != nethttp.MethodGet && r.Method != nethttp.MethodHead {
		return a.bypass(Method)
	}
	if preconditions(r.Header) || len(r.Header["Upgrade"]) > 0 {
		return a.bypass(Bypass)
	}
	wants := requestControl(r.Header)
	if !c.config.IgnoreRequest {
		a.control = wants
	}
	a.control.onlyIfCached = wants.onlyIfCached
	a.url = URLOf(r)
	if a.key = a.url; c.options.Key != nil {
		a.key = c.options.Key(r)
	}
	a.status.Key = a.key
	for {
		c.mu.Lock()
		now := c.options.Now()
		e, others := c.store.find(a.key, r.Header)
		reason, background := a.judge(e, others, now)
		if reason == "" {
			c.store.use(e)
			var f *flight
			if background && c.joinable[a.key] == nil {
				f = c.begin(a.key, a.url, c.coalesce)
			}
			c.mu.Unlock()
			if f != nil {
				a.refresh(e, f)
			}
			return a.hit(e, now), nil
		}
		a.status.Forward = reason
		if a.control.onlyIfCached {
			c.mu.Unlock()
			return a.unavailable(), nil
		}
		joins := c.coalesce && !a.alone && r.Method == nethttp.MethodGet && len(r.Header["Range"]) == 0 && !a.control.noStore
		if f := c.joinable[a.key]; joins && f != nil && reason != Request {
			response, done, err := a.follow(f, e)
			if done {
				return response, err
			}
			continue
		}
		_, solo := c.solo[a.key]
		leads := joins && !solo && c.joinable[a.key] == nil && (e != nil && e.validators() || !conditional(r.Header))
		f := c.begin(a.key, a.url, leads)
		c.mu.Unlock()
		return a.forward(e, f)
	}
}

// judge says whether an entry answers the request: then there is no reason to forward it. background says that it is to be validated all
// the same.
func (a *ask) judge(e *entry, others bool, now time.Time) (reason Reason, background bool) {
	a.status.Stale, a.status.HasTTL, a.status.Detail = false, false, ""
	switch {
	case e == nil && others:
		return VaryMiss, false
	case e == nil && len(a.r.Header["Range"]) > 0:
		return Partial, false
	case e == nil:
		return URIMiss, false
	}
	p, w := &e.policy, &a.control
	age, ttl := e.age(now), e.ttl(now)
	a.status.HasTTL, a.status.TTL, a.status.Stale = true, ttl, ttl <= 0
	tooOld := w.maxAge != absent && age > w.maxAge
	if p.immutable && !a.cache.options.Shared && ttl > 0 {
		tooOld = false // RFC 8246: reloading doesn't help
	}
	refused := w.noCache || tooOld || w.minFresh != absent && ttl < w.minFresh
	switch {
	case p.noCache:
		a.status.Detail = "no-cache"
		return Stale, false
	case refused && ttl > 0:
		return Request, false
	case refused:
		return Stale, false
	case ttl > 0:
		return "", false
	case p.strict:
		return Stale, false
	case w.maxStale != absent && -ttl <= w.maxStale:
		a.status.Detail = "max-stale"
		return "", false
	case p.whileRevalidate > 0 && -ttl <= p.whileRevalidate && a.cache.options.Go != nil:
		a.status.Detail = "stale-while-revalidate"
		return "", true
	}
	return Stale, false
}

// hit answers from the store.
func (a *ask) hit(e *entry, now time.Time) *nethttp.Response {
	a.cache.count(func(r *Result) {
		if a.waited {
			r.Revalidated++
			r.Collapsed++
			return
		}
		r.Hits++
		if a.status.Stale {
			r.Stale++
		}
		switch a.status.Detail {
		case "stale-while-revalidate":
			r.WhileRevalidate++
		case "stale-if-error":
			r.IfError++
		}
	})
	a.status.Hit, a.status.Validated, a.status.Collapsed = !a.waited, a.waited, a.waited
	if a.status.Hit && a.status.Detail == "" {
		a.status.Forward = ""
	}
	return a.serve(e, now)
}

// follow waits for another request's response and shares it. done says that this answers the request; otherwise it looks anew. The
// caller holds the mutex, which follow lets go.
func (a *ask) follow(f *flight, e *entry) (response *nethttp.Response, done bool, err error) {
	c := a.cache
	if err := c.await(a.r, f); err != nil {
		return nil, true, err
	}
	c.mu.Lock()
	fill, failure, again := f.fill, f.err, f.again
	c.mu.Unlock()
	if failure != nil {
		if stale := a.despite(e, 0); stale != nil {
			return stale, true, nil
		}
		a.alone = true
		if failure == errServer {
			return nil, false, nil
		}
		return nil, true, failure
	}
	a.waited = again // what is fresh then has been validated
	if fill == nil {
		a.alone = !again
		return nil, false, nil
	}
	now := c.options.Now()
	if fill.entry.matches(a.r.Header) && fill.entry.ttl(now) > 0 && !fill.entry.policy.noCache {
		if reader := fill.join(a.r.Context()); reader != nil {
			c.count(func(r *Result) { r.Misses++; r.Collapsed++ })
			a.status.Collapsed, a.status.HasTTL, a.status.TTL = true, true, fill.entry.ttl(now)
			response := a.response(fill.entry, fill.entry.status, now)
			response.Body, response.ContentLength = reader, fill.want
			return response, true, nil
		}
	}
	c.mu.Lock()
	stored := f.gone
	c.mu.Unlock()
	a.alone = !stored // it is in the store now, or it isn't for this request
	return nil, false, nil
}

// refresh validates an entry in the background.
func (a *ask) refresh(e *entry, f *flight) {
	c := a.cache
	r := a.r.Clone(context.Background())
	for _, name := range conditionFields {
		delete(r.Header, name)
	}
	r.Method, r.Body, r.ContentLength = nethttp.MethodGet, nil, 0
	c.options.Go(func() {
		ctx := context.Background()
		if c.options.Background != nil {
			var cancel context.CancelFunc
			ctx, cancel = c.options.Background()
			defer cancel()
		}
		c.count(func(r *Result) { r.Background++ })
		b := &ask{cache: c, r: r.WithContext(ctx), key: a.key, url: a.url, control: newControl(), kind: unread}
		if response, err := b.forward(e, f); err == nil {
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
	})
}

// despite answers from the store although the next server failed, or returns nil if that may not be (RFC 5861, section 4). status is that
// of the server's response, 0 without one.
func (a *ask) despite(e *entry, status int) *nethttp.Response {
	if e == nil || e.policy.strict || a.kind == unread || status != 0 && !slices.Contains(failing, status) {
		return nil
	}
	now := a.cache.options.Now()
	ttl := e.ttl(now)
	if -ttl > max(e.policy.ifError, a.control.ifError) || max(e.policy.ifError, a.control.ifError) <= 0 {
		return nil
	}
	a.waited = false
	a.status.ForwardStatus, a.status.Detail = status, "stale-if-error"
	a.status.HasTTL, a.status.TTL, a.status.Stale = true, ttl, ttl <= 0
	return a.hit(e, now)
}

// failing are the statuses that count as a failure of the server.
var failing = []int{nethttp.StatusInternalServerError, nethttp.StatusBadGateway, nethttp.StatusServiceUnavailable, nethttp.StatusGatewayTimeout}
