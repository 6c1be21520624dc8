// Package pages is the workload "http-pages", which walks through a paginated collection of a server, such as the handler
// "collection" of "http-server", and counts what it got of it.
//
// A page is a JSON object with "items", each of which has an "id" (a number or a text), "total", the number of all items, and a
// way to the next page unless it is the last: the client asks for the next "limit" and "offset" itself, or sends the
// "next_page_token" of the page before as "page_token". A walk is over with a page that has no "next" and no "next_page_token",
// or no items.
//
// With a server that remembers where each client is, or behind which another one takes over, items come twice or not at all. The
// client can see that: it knows how many there are.
package pages

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"netlab/services"
	"netlab/services/failures"
	"netlab/services/figures"
	"netlab/services/httpcache"
	"netlab/services/httpclient"
	"netlab/units"
)

// The ways to ask for the next page.
const (
	Offset = "offset"
	Token  = "token"
)

// maxLimit is the most items that a client asks for at once.
const maxLimit = 1_000_000

// Client is what all clients have in common, under a name of its own.
type Client = httpclient.Config

// Config configures the workload.
type Config struct {
	URL   services.URL   `json:"url" jsonschema_description:"The collection, such as http://server/v1/items." jsonschema:"required"`
	Style string         `json:"style" jsonschema_description:"How the next page is asked for: by offset and limit, or by the token that the page before gave." jsonschema:"enum=offset,enum=token,default=offset"`
	Limit int            `json:"limit" jsonschema_description:"How many items of a page are asked for." jsonschema:"default=20"`
	Pause units.Duration `json:"pause,omitempty" jsonschema_description:"Time between a page and the request for the next one. Default 0s."`
	Walks int            `json:"walks" jsonschema_description:"How many times each host walks through the collection; 0 goes on until the end of the run." jsonschema:"default=1"`
	Pages int            `json:"max_pages" jsonschema_description:"A walk with more pages is given up." jsonschema:"default=10000"`
	Client
}

// NewConfig returns the defaults.
func NewConfig() *Config {
	return &Config{Style: Offset, Limit: 20, Walks: 1, Pages: 10_000, Client: httpclient.NewConfig()}
}

// Endless implements services.Config.
func (c *Config) Endless() bool { return c.Walks == 0 }

// Validate implements services.Config.
func (c *Config) Validate() error {
	list := []error{c.Client.Validate(), c.CheckURL("url", c.URL)}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if u, err := c.URL.Parse(); err == nil {
		for _, own := range []string{"limit", "offset", "page_token"} {
			if u.Query().Has(own) {
				add("url", "%q says %s, which the client fills in", string(c.URL), own)
			}
		}
	}
	if c.Style != Offset && c.Style != Token {
		add("style", "%q is not one of offset, token", c.Style)
	}
	if c.Limit < 1 || c.Limit > maxLimit {
		add("limit", "found %d, wanted 1 to %d", c.Limit, maxLimit)
	}
	if c.Pause < 0 {
		add("pause", "found %s, wanted 0s or more", c.Pause)
	}
	if c.Walks < 0 {
		add("walks", "found %d, wanted 0 or more", c.Walks)
	}
	if c.Pages < 1 {
		add("max_pages", "found %d, wanted 1 or more", c.Pages)
	}
	if c.Method != "GET" {
		add("method", "found %s, but pages are read with GET", c.Method)
	}
	return errors.Join(list...)
}

// Calls implements services.Caller.
func (c *Config) Calls() []services.Call {
	return append(c.ProxyCalls(), httpclient.Call("url", c.URL))
}

// Type describes the workload.
var Type = services.Type{
	Name: "http-pages", Role: services.Workload, Outcomes: true,
	Doc: "Walks through a paginated collection of a server, page by page, and checks that each item comes exactly " +
		"once.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, info services.Info) (services.Runner, error) {
		return &runner{config: *config.(*Config), hosts: make([]tally, len(info.Hosts))}, nil
	},
}

// Result is what the workload reports, over all hosts that it ran on.
type Result struct {
	// Walks counts walks that were begun, Pages the pages that came.
	Walks uint64 `json:"walks"`
	Pages uint64 `json:"pages"`
	// Items counts the different items of each walk, Duplicates those that came again, and Missing those that a walk that
	// came to its end did not see, by what the server says is their total.
	Items      uint64 `json:"items"`
	Duplicates uint64 `json:"duplicates"`
	Missing    uint64 `json:"missing"`
	// Failed counts requests that failed, each of which ends its walk, Errors by kind. Invalid counts pages that made no sense,
	// and walks that were given up because they had too many pages.
	Failed  uint64          `json:"failed"`
	Errors  failures.Counts `json:"errors"`
	Invalid uint64          `json:"invalid"`
	// Pending counts walks that were under way when the run ended.
	Pending uint64 `json:"pending"`
	// Complete says that all walks came to their end and saw each item exactly once.
	Complete bool `json:"complete"`
	// Latency is the time from the start of a request to the last byte of the page.
	Latency *figures.Latency `json:"latency"`
	// Connections counts connections that were opened.
	Connections uint64 `json:"connections"`
	// Cache is what the clients' caches did, nil without them.
	Cache *httpcache.Result `json:"cache,omitempty"`
}

// runner runs the workload.
type runner struct {
	config Config
	hosts  []tally // by index of the host
}

// tally counts on one host.
type tally struct {
	mu      sync.Mutex
	result  Result
	ended   uint64 // walks that came to their end
	latency figures.Latencies
}

// Run implements services.Runner.
func (r *runner) Run(ctx context.Context, env *services.Env) error {
	t := &r.hosts[env.Index]
	client, err := httpclient.New(ctx, env, r.config.Client, httpclient.Options{Connected: t.connected, Cached: t.cached})
	if err != nil {
		return err
	}
	defer client.Close()
	for n := 0; (r.config.Walks == 0 || n < r.config.Walks) && !env.Over(ctx); n++ {
		began := env.Elapsed()
		w := &walk{config: &r.config, env: env, client: client, tally: t, seen: map[string]bool{}}
		w.run(ctx)
		if r.config.Walks == 0 && (w.pages == 0 || env.Elapsed() == began) && env.Sleep(ctx, time.Second) != nil {
			break // an endless workload whose server fails at once, or whose cache has all, must not make time stand still
		}
	}
	return nil
}

// cached counts what the client's cache did.
func (t *tally) cached(r httpcache.Result) { t.update(func(t *tally) { t.result.Cache = &r }) }

func (t *tally) connected(httpclient.Connection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.result.Connections++
}

// update changes the figures.
func (t *tally) update(change func(t *tally)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(t)
}

// address returns the URL of a page.
func (c *Config) address(offset int, token string) string {
	u, err := c.URL.Parse()
	if err != nil {
		panic(fmt.Sprintf("pages: %v: want a checked configuration", err))
	}
	query := u.Query()
	query.Set("limit", strconv.Itoa(c.Limit))
	switch {
	case c.Style == Offset:
		query.Set("offset", strconv.Itoa(offset))
	case token != "":
		query.Set("page_token", token)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// Result implements services.Runner.
func (r *runner) Result() any {
	all := &Result{}
	var latency figures.Latencies
	ended := uint64(0)
	for i := range r.hosts {
		t := &r.hosts[i]
		t.mu.Lock()
		all.Walks += t.result.Walks
		all.Pages += t.result.Pages
		all.Items += t.result.Items
		all.Duplicates += t.result.Duplicates
		all.Missing += t.result.Missing
		all.Failed += t.result.Failed
		all.Invalid += t.result.Invalid
		all.Pending += t.result.Pending
		all.Connections += t.result.Connections
		all.Errors.Add(t.result.Errors)
		latency.Merge(&t.latency)
		ended += t.ended
		all.Cache = httpcache.Sum(all.Cache, t.result.Cache)
		t.mu.Unlock()
	}
	all.Complete = all.Walks > 0 && ended == all.Walks && all.Duplicates == 0 && all.Missing == 0
	all.Latency = latency.Latency()
	return all
}
