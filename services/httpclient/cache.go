package httpclient

import (
	"context"
	nethttp "net/http"
	"net/http/httptrace"
	"time"

	"netlab/http"
	"netlab/services/httpcache"
)

// startCache puts a private cache in front of the wire if the configuration wants one.
func (c *Client) startCache(ctx context.Context) (err error) {
	if !c.config.Cache.On {
		return nil
	}
	o := httpcache.Host(ctx, c.env, ".client"+c.options.Part)
	o.Next, o.Background = (*wire)(c), httpcache.Limit(ctx, c.env, c.config.Timeout.Std())
	c.cache, err = httpcache.New(c.config.Cache.Config, o)
	return err
}

// fetch makes a request, or has the cache answer it.
func (c *Client) fetch(r *nethttp.Request, o *Outcome) (*nethttp.Response, error) {
	if c.cache == nil {
		return (*wire)(c).RoundTrip(r)
	}
	response, status, err := c.cache.Fetch(r)
	o.Cache, o.FromCache = status, err == nil && status.Hit
	return response, err
}

// wire makes requests on the wire: it is what a client's cache has behind it.
type wire Client

// hopKey is the key of a hop in the context of its request. Requests that the cache makes in the background have none.
type hopKey struct{}

// hop is one request of an outcome, which the cache may make no request on the wire from, one, or two.
type hop struct {
	ctx   context.Context
	calls []*call
}

// finish adds what the requests on the wire measured to an outcome.
func (h *hop) finish(start time.Duration, o *Outcome) {
	for _, c := range h.calls {
		c.finish(start, o)
	}
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *nethttp.Request) (*nethttp.Response, error) {
	c := (*Client)(w)
	ctx := r.Context()
	made := &call{client: c, ctx: ctx}
	h, _ := ctx.Value(hopKey{}).(*hop)
	if h != nil {
		made.ctx = h.ctx // the cache takes the end from the context of a request that others may wait for
		h.calls = append(h.calls, made)
	}
	if c.gates != nil && (c.version == http.H2C || r.URL.Scheme == "https") {
		var err error
		if made.leave, err = c.gates.Enter(ctx, r.URL.Host); err != nil {
			return nil, err
		}
	}
	ctx = httptrace.WithClientTrace(context.WithValue(ctx, callKey{}, made), made.hook())
	response, err := c.transport.RoundTrip(r.WithContext(ctx))
	if h == nil && err != nil && made.leave != nil {
		made.leave(false) // of a hop's calls finish does it
	}
	return response, err
}
