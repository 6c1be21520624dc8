package upstream

import (
	"context"
	"net/netip"
	"sync"

	"netlab/services"
)

// Call is what a server knows of a request beside the request itself. It travels in the request's context ([WithCall]); without one
// the forwarder knows neither the client nor a backend to prefer. Several goroutines may use it, but the fields stay as they are.
type Call struct {
	// Source and Destination are the ends of the client's connection: the client's, and the one that it connected to.
	Source, Destination netip.AddrPort
	// Key is what algorithms with a key hash. Empty: what the pool's hash_key says is taken from the request.
	Key string
	// Prefer is the name of the backend that the request is to go to if that may be used. Empty: none.
	Prefer string
	// Location is where the client is; Located says that this is known.
	Location services.Location
	Located  bool

	mu      sync.Mutex
	backend string
	tries   int
}

// Backend returns the name of the backend whose answer it is, "" if there is none yet.
func (c *Call) Backend() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.backend
}

// Tries returns how often the request was sent to a backend, or was to be.
func (c *Call) Tries() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tries
}

func (c *Call) answered(backend string, tries int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.backend, c.tries = backend, tries
}

// callKey is the key of a Call in a context.
type callKey struct{}

// WithCall returns a context for a request of which c is known.
func WithCall(ctx context.Context, c *Call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// CallOf returns what is known of a request, nil if nothing is.
func CallOf(ctx context.Context) *Call {
	c, _ := ctx.Value(callKey{}).(*Call)
	return c
}
