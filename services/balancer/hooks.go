package balancer

import (
	"context"
	nethttp "net/http"

	"netlab/services"
)

// Hooks are what another service does on top of a balancer of layer 7, such as a reverse proxy. Each may be nil.
type Hooks struct {
	// Serve returns what requests of clients come to; next is the balancer.
	Serve func(ctx context.Context, env *services.Env, next nethttp.Handler) (nethttp.Handler, error)
	// Forward returns what requests for a pool's backends go to; next sends them there. pool is "" for the balancer's own backends.
	Forward func(ctx context.Context, env *services.Env, pool string, next nethttp.RoundTripper) (nethttp.RoundTripper, error)
	// Request changes a request that is about to be forwarded, Response a response before it goes to the client.
	Request  func(out, in *nethttp.Request)
	Response func(r *nethttp.Response)
}

// New returns the runner of a valid configuration, with hooks. Its Result is a *[Result].
func New(c Config, h Hooks) services.Runner {
	r := newRunner(c)
	r.hooks = h
	return r
}
