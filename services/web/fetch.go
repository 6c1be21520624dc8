// Package web is the service "http-server", which serves objects over HTTP/1.1, and the workload "http-fetch", which gets
// them.
//
// Objects are made of bytes that depend on their path alone. The server sends their SHA-256 along (Content-Digest, RFC
// 9530), and the client compares it, so a response that was damaged on the way, by a cache or a proxy for example, shows.
package web

import (
	"context"
	"errors"
	"sync"
	"time"

	"netlab/services"
	"netlab/units"
)

const maxConcurrency = 1 << 16

// Config configures the workload.
type Config struct {
	URL         services.URL   `json:"url" jsonschema_description:"What is fetched, such as http://server/path." jsonschema:"required"`
	Count       int            `json:"count" jsonschema_description:"How many requests each host makes; 0 goes on until the end of the run." jsonschema:"default=1"`
	Concurrency int            `json:"concurrency" jsonschema_description:"How many requests of a host are under way at most." jsonschema:"default=1"`
	Interval    units.Duration `json:"interval,omitempty" jsonschema_description:"Time from the start of one request to that of the next; one that finds all others under way waits. Default 0s: a request starts when another ends."`
	Timeout     units.Duration `json:"timeout" jsonschema_description:"How long a request may take, from the dial to the last byte." jsonschema:"default=30s"`
	KeepAlive   bool           `json:"keep_alive" jsonschema_description:"Whether connections are used again." jsonschema:"default=true"`
}

// NewConfig returns the defaults.
func NewConfig() *Config {
	return &Config{Count: 1, Concurrency: 1, Timeout: units.Duration(30 * time.Second), KeepAlive: true}
}

// Endless implements services.Config.
func (c *Config) Endless() bool { return c.Count == 0 }

// Validate implements services.Config.
func (c *Config) Validate() error {
	var list []error
	if c.URL == "" {
		list = append(list, services.Fieldf("url", "missing: want one such as \"http://server/path\""))
	} else if _, err := c.URL.Parse(); err != nil {
		list = append(list, services.Fieldf("url", "%s", err))
	}
	if c.Count < 0 {
		list = append(list, services.Fieldf("count", "found %d, wanted 0 or more", c.Count))
	}
	if c.Concurrency < 1 || c.Concurrency > maxConcurrency {
		list = append(list, services.Fieldf("concurrency", "found %d, wanted 1 to %d", c.Concurrency, maxConcurrency))
	}
	if c.Interval < 0 {
		list = append(list, services.Fieldf("interval", "found %s, wanted 0s or more", c.Interval))
	}
	if c.Timeout <= 0 {
		list = append(list, services.Fieldf("timeout", "found %s, wanted more than 0s", c.Timeout))
	}
	return errors.Join(list...)
}

// Calls implements services.Caller.
func (c *Config) Calls() []services.Call {
	return []services.Call{{Field: "url", Host: c.URL.Host(), Protocol: services.TCP, Port: c.URL.Port()}}
}

// Fetch describes the workload.
var Fetch = services.Type{
	Name: "http-fetch", Role: services.Workload,
	Doc: "Fetches a URL over HTTP/1.1, once or many times, one request after the other or several at once, and measures how " +
		"long connections, first bytes and whole responses take.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, info services.Info) (services.Runner, error) {
		r := &runner{config: *config.(*Config), hosts: make([]tally, len(info.Hosts))}
		for i := range r.hosts {
			r.hosts[i].init()
		}
		return r, nil
	},
}

type runner struct {
	config Config
	hosts  []tally // by index of the host
}

// Run implements services.Runner.
func (r *runner) Run(ctx context.Context, env *services.Env) error {
	c := newClient(ctx, env, r.config, &r.hosts[env.Index])
	defer c.close()
	turns := &turns{count: r.config.Count, start: env.Elapsed(), interval: r.config.Interval.Std()}
	workers := r.config.Concurrency
	if r.config.Count > 0 {
		workers = min(workers, r.config.Count)
	}
	for range workers {
		env.Go(func() {
			for {
				at, ok := turns.next()
				if !ok || env.SleepUntil(ctx, at) != nil {
					return
				}
				c.fetch(ctx)
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

// next returns when the next request is due, and whether there is one.
func (t *turns) next() (at time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count > 0 && t.done >= t.count {
		return 0, false
	}
	at = t.start + time.Duration(t.done)*t.interval
	t.done++
	return at, true
}
