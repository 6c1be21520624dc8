// Package web is the service "http-server" and the workload "http-fetch", which gets objects from it.
//
// Objects are made of bytes that depend on their path alone. The server sends their SHA-256 along (Content-Digest, RFC
// 9530), and the client compares it, so a response that was damaged on the way, by a cache or a proxy for example, shows.
//
// A server may also have handlers ([Handler]) at some paths, and be a model of a machine that can do only so much (package
// capacity). What handlers hold in memory is lost when the host crashes; only files keeps something, on the host's disk. A host
// whose clock is wrong shows that in the header field Date.
package web

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"netlab/services"
	"netlab/services/httpclient"
	"netlab/units"
)

// failedAtOnce is how long it takes from a request that failed in no time to the next one, so that time goes on.
const failedAtOnce = 100 * time.Millisecond

// cachedAtOnce is how long it takes in an endless workload from a request that the cache answered in no time to the next one.
const cachedAtOnce = time.Microsecond

const (
	maxConcurrency = 1 << 16
	maxParts       = 1_000_000
)

// Client is what all clients have in common, under a name of its own.
type Client = httpclient.Config

// Config configures the workload.
type Config struct {
	URL         services.URL   `json:"url,omitempty" jsonschema_description:"What is fetched, such as http://server/path. This or urls."`
	URLs        []services.URL `json:"urls,omitempty" jsonschema_description:"What is fetched if it is several, in this order."`
	Objects     int            `json:"objects,omitempty" jsonschema_description:"Fetches url/1, url/2 and so on up to this number instead of url, as a browser does with the objects of a page."`
	Count       int            `json:"count" jsonschema_description:"How many times each host fetches everything; 0 goes on until the end of the run." jsonschema:"default=1"`
	Concurrency int            `json:"concurrency" jsonschema_description:"How many requests of a host are under way at most." jsonschema:"default=1"`
	Interval    units.Duration `json:"interval,omitempty" jsonschema_description:"Time from the start of one request to that of the next; one that finds all others under way waits. Default 0s: a request starts when another ends, or 100ms later if that failed in no time."`
	Client
}

// NewConfig returns the defaults.
func NewConfig() *Config {
	return &Config{Count: 1, Concurrency: 1, Client: httpclient.NewConfig()}
}

// Endless implements services.Config.
func (c *Config) Endless() bool { return c.Count == 0 }

// Validate implements services.Config.
func (c *Config) Validate() error {
	list := []error{c.Client.Validate()}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.URL != "" && len(c.URLs) > 0 {
		add("urls", "found url and urls, wanted one of them")
	} else if len(c.URLs) == 0 {
		list = append(list, c.CheckURL("url", c.URL))
	}
	for _, u := range c.URLs {
		list = append(list, c.CheckURL("urls", u))
	}
	if c.Objects < 0 || c.Objects > maxParts {
		add("objects", "found %d, wanted 1 to %d", c.Objects, maxParts)
	}
	for _, u := range c.urls() {
		if c.Objects > 0 && strings.Contains(string(u), "?") {
			add("objects", "found %d, but %q has a query, behind which no number can be put", c.Objects, string(u))
		}
	}
	if c.Count < 0 {
		add("count", "found %d, wanted 0 or more", c.Count)
	}
	if c.Concurrency < 1 || c.Concurrency > maxConcurrency {
		add("concurrency", "found %d, wanted 1 to %d", c.Concurrency, maxConcurrency)
	}
	if c.Interval < 0 {
		add("interval", "found %s, wanted 0s or more", c.Interval)
	}
	return errors.Join(list...)
}

// urls are those of the configuration.
func (c *Config) urls() []services.URL {
	if len(c.URLs) > 0 {
		return c.URLs
	}
	return []services.URL{c.URL}
}

// Calls implements services.Caller.
func (c *Config) Calls() []services.Call {
	list := c.ProxyCalls()
	if len(c.URLs) == 0 {
		return append(list, httpclient.Call("url", c.URL))
	}
	for _, u := range c.URLs {
		list = append(list, httpclient.Call("urls", u))
	}
	return list
}

// targets are what is fetched, in order.
func (c *Config) targets() []string {
	var list []string
	for _, u := range c.urls() {
		if c.Objects == 0 {
			list = append(list, string(u))
		}
		for i := range c.Objects {
			list = append(list, strings.TrimSuffix(string(u), "/")+"/"+strconv.Itoa(i+1))
		}
	}
	return list
}

// Fetch describes the workload.
var Fetch = services.Type{
	Name: "http-fetch", Role: services.Workload, Outcomes: true,
	Doc: "Fetches a URL or several over HTTP, once or many times, one request after the other or several at once, and measures how " +
		"long connections, TLS handshakes, first bytes and whole responses take.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, info services.Info) (services.Runner, error) {
		r := &runner{config: *config.(*Config), hosts: make([]tally, len(info.Hosts))}
		r.targets = r.config.targets()
		for i := range r.hosts {
			r.hosts[i].init()
		}
		return r, nil
	},
}

type runner struct {
	config  Config
	targets []string
	hosts   []tally // by index of the host
}

// Run implements services.Runner.
func (r *runner) Run(ctx context.Context, env *services.Env) error {
	t := &r.hosts[env.Index]
	client, err := httpclient.New(ctx, env, r.config.Client, httpclient.Options{Connected: t.connected, Cached: t.cached})
	if err != nil {
		return err
	}
	defer client.Close()
	start := env.Elapsed()
	turns := &turns{count: r.config.Count * len(r.targets), start: start, interval: r.config.Interval.Std()}
	workers := r.config.Concurrency
	if turns.count > 0 {
		workers = min(workers, turns.count)
	}
	for range workers {
		env.Go(func() {
			for {
				n, at, ok := turns.next()
				if !ok || env.SleepUntil(ctx, at) != nil {
					return
				}
				due := env.Elapsed()
				o := client.Do(ctx, r.targets[n%len(r.targets)])
				if !o.Cut {
					env.Outcome(due, o.OK())
				}
				t.count(&o, env.Elapsed()-start)
				if o.Total == 0 && o.Err != nil && env.Sleep(ctx, failedAtOnce) != nil {
					return
				}
				if o.Total == 0 && turns.count == 0 && env.Sleep(ctx, cachedAtOnce) != nil {
					return
				}
			}
		})
	}
	env.Wait()
	return nil
}

// turns hands out the requests of a host.
type turns struct {
	count    int // 0 means no end
	start    time.Duration
	interval time.Duration

	mu   sync.Mutex
	done int
}

// next returns the number of the next request, when it is due, and whether there is one.
func (t *turns) next() (n int, at time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count > 0 && t.done >= t.count {
		return 0, 0, false
	}
	n = t.done
	t.done++
	return n, t.start + time.Duration(n)*t.interval, true
}
