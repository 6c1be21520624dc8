package httpcache

import (
	"context"
	"errors"
	"math/rand/v2"
	nethttp "net/http"
	"sync"
	"time"

	"netlab/services"
	"netlab/units"
)

// errClosed is what reading a closed body gives.
var errClosed = errors.New("httpcache: the body is closed")

// Options are what the program, and not the file, says of a cache.
type Options struct {
	// Next answers what the cache can't. It must be set.
	Next nethttp.RoundTripper
	// Now is the date as the cache believes it to be. It must be set; [Host] sets it.
	Now func() time.Time
	// Shared says that the cache serves several users (a proxy, a CDN), not one (a browser).
	Shared bool
	// Name is what the cache is called in Cache-Status. Empty means "netlab".
	Name string
	// Go begins a validation in the background in a goroutine of its own. Nil: stale-while-revalidate has no effect.
	Go func(func())
	// Background makes the context of such a validation, for example with a time limit. It has nothing of the client's context. Nil is one
	// without an end.
	Background func() (context.Context, context.CancelFunc)
	// Wake wakes requests that waited for another one, in this order. Nil does it at once.
	Wake func([]chan struct{})
	// Random is for the eviction policy "random", nil for others.
	Random *rand.Rand
	// Key is what a request is stored under, [URLOf] if Key is nil. Requests with the same key get the same responses.
	// [Cache.PurgeURL] and [Cache.PurgePrefix] go by the URL of the request all the same.
	Key func(*nethttp.Request) string
	// Counters are those of the cache that was here before, nil for new ones.
	Counters *Counters
}

// Host returns options for a cache that lives on a host, for the incarnation of the host that env is of: date, background, order and
// randomness. A validation in the background ends with ctx, and after 30 seconds; [Limit] gives it another limit. The caller adds Next,
// and what else differs. part tells several caches of a runner apart.
func Host(ctx context.Context, env *services.Env, part string) Options {
	const limit = 30 * time.Second
	return Options{Now: env.Host.Now, Go: env.Go, Wake: env.Host.Network().WakeTogether, Name: env.Host.Name(),
		Random: env.Stream("httpcache" + part), Background: Limit(ctx, env, limit)}
}

// Limit is for Options.Background: contexts that end with ctx, and after a time.
func Limit(ctx context.Context, env *services.Env, limit time.Duration) func() (context.Context, context.CancelFunc) {
	return func() (context.Context, context.CancelFunc) { return env.WithTimeout(ctx, limit) }
}

// Cache is a cache. It is an http.RoundTripper, and several goroutines may use it.
type Cache struct {
	config   Config
	options  Options
	counters *Counters
	targeted []string // canonical

	heuristicShare float64
	heuristicMax   time.Duration
	coalesce, tell bool // whether requests are collapsed, and Cache-Status is sent

	mu       sync.Mutex
	store    *store
	flights  map[*flight]struct{}
	joinable map[string]*flight  // by key
	solo     map[string]struct{} // keys whose last response was for one client only: nobody waits for the next
}

// New returns an empty cache for a valid configuration.
func New(config Config, options Options) (*Cache, error) {
	if options.Next == nil || options.Now == nil {
		return nil, errors.New("httpcache: want options with Next and Now")
	}
	s, err := newStore(&config, &options)
	if err != nil {
		return nil, err
	}
	c := &Cache{config: config, options: options, counters: options.Counters, store: s, heuristicShare: DefaultHeuristicShare,
		heuristicMax: DefaultHeuristicMax, coalesce: true, tell: options.Shared, flights: map[*flight]struct{}{},
		joinable: map[string]*flight{}, solo: map[string]struct{}{}}
	if c.counters == nil {
		c.counters = new(Counters)
	}
	if c.options.Name == "" {
		c.options.Name = "netlab"
	}
	if options.Shared {
		for _, name := range config.Targeted {
			c.targeted = append(c.targeted, nethttp.CanonicalHeaderKey(name))
		}
	}
	if config.HeuristicShare != nil {
		c.heuristicShare = config.HeuristicShare.Float()
	}
	if config.Heuristics != nil && !*config.Heuristics {
		c.heuristicShare = 0
	}
	if config.HeuristicMax > 0 {
		c.heuristicMax = config.HeuristicMax.Std()
	}
	if config.Coalescing != nil {
		c.coalesce = *config.Coalescing
	}
	if config.CacheStatus != nil {
		c.tell = *config.CacheStatus
	}
	return c, nil
}

// RoundTrip implements http.RoundTripper. The response's body must be closed.
func (c *Cache) RoundTrip(r *nethttp.Request) (*nethttp.Response, error) {
	response, _, err := c.Fetch(r)
	return response, err
}

// Fetch is RoundTrip that also says what the cache did. An answer from the store needs no time, and takes no packets. The error is that
// of the next server, or the cause of the end of the request's context.
func (c *Cache) Fetch(r *nethttp.Request) (*nethttp.Response, Status, error) {
	c.count(func(r *Result) { r.Requests++ })
	a := &ask{cache: c, r: r, control: newControl()}
	response, err := a.run()
	if err != nil {
		c.count(func(r *Result) { r.Failed++ })
		return nil, a.status, err
	}
	response.Request = r
	if c.tell {
		response.Header.Add("Cache-Status", a.status.Member(c.options.Name))
	}
	return response, a.status, nil
}

// Counters returns the cache's figures, for the cache after a crash of the host.
func (c *Cache) Counters() *Counters { return c.counters }

// Result returns the cache's figures so far.
func (c *Cache) Result() Result {
	r := c.counters.Result()
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Entries, r.Used = uint64(len(c.store.byID)), units.Bytes(c.store.bytes.Used())
	return r
}

func (c *Cache) count(change func(r *Result)) { c.counters.update(change) }
