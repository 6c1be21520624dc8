package clients

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"sync"

	"netlab/services"
	"netlab/services/failures"
	"netlab/services/httpcache"
	"netlab/services/httpclient"
	"netlab/services/keys"
	"netlab/services/load"
	"netlab/units"
)

// How users share connections.
const (
	PerUser = "per-user"
	Shared  = "shared"
)

// OwnCache is what results call who answered when it was the client's own cache. No hyphen: expect can then name it.
const OwnCache = "own_cache"

// HTTPConfig configures the workload "http-load".
type HTTPConfig struct {
	Load
	HTTP
	URL         services.URL      `json:"url,omitempty" jsonschema_description:"What is requested, such as http://server/path. This or urls. With keys, {key} in its path or query is replaced by one of them."`
	URLs        []Page            `json:"urls,omitempty" jsonschema_description:"What is requested if it is several: in rotation, each user beginning at another one, or at random if they have weights."`
	Keys        keys.Config       `json:"keys,omitzero" jsonschema_description:"What {key} in the URLs stands for: each request is for one of many objects, some more popular than others."`
	Writes      units.Probability `json:"writes,omitempty" jsonschema_description:"Share of the requests that are a PUT with a body of write_size instead of what method says. Default 0%."`
	WriteSize   units.Bytes       `json:"write_size,omitempty" zero:"refused" jsonschema_description:"Size of the body of a PUT that writes makes. Default 1kB."`
	Connections string            `json:"connections,omitempty" jsonschema_description:"Whether each user has connections of its own, as people with browsers have, or those of a host share them, as the threads of a program do. Default per-user with users, shared with a rate or a schedule." jsonschema:"enum=per-user,enum=shared"`
}

// Load and HTTP are the configurations that an [HTTPConfig] is made of, under names that differ.
type (
	Load = load.Config
	HTTP = httpclient.Config
)

// Page is one of several URLs.
type Page struct {
	URL    services.URL `json:"url" jsonschema_description:"What is requested, such as http://server/path." jsonschema:"required"`
	Weight float64      `json:"weight,omitempty" jsonschema_description:"How often it is chosen, in relation to the weights of the others. Either all have one or none."`
}

// NewHTTPConfig returns the defaults.
func NewHTTPConfig() *HTTPConfig { return &HTTPConfig{HTTP: httpclient.NewConfig()} }

// Endless implements services.Config.
func (c *HTTPConfig) Endless() bool { return c.Load.Endless() }

// Validate implements services.Config.
func (c *HTTPConfig) Validate() error {
	list := []error{c.Load.Validate(), c.HTTP.Validate()}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	switch {
	case c.URL != "" && len(c.URLs) > 0:
		add("urls", "found url and urls, wanted one of them")
	case len(c.URLs) == 0:
		list = append(list, c.CheckURL("url", c.URL))
	}
	weights := 0
	for _, p := range c.URLs {
		list = append(list, c.CheckURL("urls", p.URL))
		if p.Weight < 0 || math.IsInf(p.Weight, 0) || math.IsNaN(p.Weight) {
			add("urls", "found a weight of %v, wanted more than 0", p.Weight)
		}
		if p.Weight > 0 {
			weights++
		}
	}
	if weights != 0 && weights != len(c.URLs) {
		add("urls", "found %d of %d with a weight, wanted all or none", weights, len(c.URLs))
	}
	list = append(list, c.validateKeys())
	switch c.Connections {
	case "", PerUser, Shared:
	default:
		add("connections", "%q is not one of %s, %s", c.Connections, PerUser, Shared)
	}
	return errors.Join(list...)
}

// shared says whether the users of a host share connections.
func (c *HTTPConfig) shared() bool {
	return c.Connections == Shared || c.Connections == "" && c.Users == 0
}

// Calls implements services.Caller.
func (c *HTTPConfig) Calls() []services.Call {
	list := c.ProxyCalls()
	if c.URL != "" {
		return append(list, httpclient.Call("url", c.URL))
	}
	for _, p := range c.URLs {
		list = append(list, httpclient.Call("urls", p.URL))
	}
	return list
}

// HTTPLoad describes the workload.
var HTTPLoad = services.Type{
	Name: "http-load", Role: services.Workload, Outcomes: true,
	Doc: "Loads HTTP servers: users who take turns with thinking, or requests at a rate, over HTTP/1.1 or HTTP/2, with TLS or " +
		"without. Measures latency, throughput, failures and their parts. Users who poll are users with a think time.",
	Config: func() services.Config { return NewHTTPConfig() },
	Result: func() any { return new(load.Result) },
	New: func(config services.Config, info services.Info) (services.Runner, error) {
		c := *config.(*HTTPConfig)
		return &httpRunner{config: c, Runner: load.NewRunner(c.Load, info)}, nil
	},
}

type httpRunner struct {
	*load.Runner
	config HTTPConfig

	mu    sync.Mutex
	cache *httpcache.Result // of all users; nil without one
}

// cached counts what a client's cache did.
func (r *httpRunner) cached(result httpcache.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cache = httpcache.Sum(r.cache, &result)
}

// Result implements services.Runner.
func (r *httpRunner) Result() any {
	result := r.Runner.Result().(*load.Result)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cache != nil {
		copied := *r.cache
		result.Cache = &copied
	}
	return result
}

// Run implements services.Runner.
func (r *httpRunner) Run(ctx context.Context, env *services.Env) error {
	h := &httpHost{env: env, config: &r.config}
	if r.config.URL != "" {
		h.pages = []Page{{URL: r.config.URL}}
	} else {
		h.pages = r.config.URLs
	}
	for _, p := range h.pages {
		h.weight += p.Weight
	}
	if !r.config.Keys.Empty() {
		h.keys = keys.New(r.config.Keys)
	}
	h.body = r.config.writeBody()
	if !r.config.shared() {
		return r.Load(ctx, env, func(ctx context.Context, u *load.User) (load.Client, error) {
			c, err := httpclient.New(ctx, env, r.config.HTTP, httpclient.Options{Part: ".user." + strconv.Itoa(u.Index), Cached: r.cached})
			return &httpUser{host: h, client: c, user: u, turn: u.Index}, err
		})
	}
	c, err := httpclient.New(ctx, env, r.config.HTTP, httpclient.Options{Cached: r.cached})
	if err != nil {
		return err
	}
	defer c.Close()
	return r.Load(ctx, env, func(_ context.Context, u *load.User) (load.Client, error) {
		return &httpUser{host: h, client: c, shared: true, user: u, turn: u.Index}, nil
	})
}

// httpHost is what the users of a host share.
type httpHost struct {
	env    *services.Env
	config *HTTPConfig
	pages  []Page
	weight float64    // of all pages
	keys   *keys.Keys // nil without keys
	body   []byte     // of writes
}

// httpUser is one user.
type httpUser struct {
	host   *httpHost
	client *httpclient.Client
	shared bool
	user   *load.User
	turn   int
	random *rand.Rand // for keys and writes; made when it is first needed

	target, name string // the last address that answered, and who that is
}

// page returns what is requested next.
func (u *httpUser) page() string {
	pages := u.host.pages
	if u.host.weight == 0 {
		u.turn++
		return string(pages[(u.turn-1)%len(pages)].URL)
	}
	at := u.user.Random().Float64() * u.host.weight
	for _, p := range pages[:len(pages)-1] {
		if at < p.Weight {
			return string(p.URL)
		}
		at -= p.Weight
	}
	return string(pages[len(pages)-1].URL)
}

// Do implements load.Client.
func (u *httpUser) Do(ctx context.Context) (o load.Outcome) {
	page := u.page()
	found := u.send(ctx, &page)
	o.Bytes = found.Bytes
	if found.Status > 0 {
		o.Status = strconv.Itoa(found.Status)
	}
	if found.Target != u.target && !found.FromCache {
		u.target, u.name = found.Target, u.host.nameOf(found.Target)
	}
	switch o.Target = u.name; {
	case found.FromCache:
		o.Target = OwnCache
	case found.Target == "":
		o.Target = services.URL(page).Host()
	}
	if !found.OK() {
		o.Failure = failures.Of(found.Err)
	}
	if found.Dialed {
		if u.host.env.Host.Resolver() != nil {
			o.Set(load.DNS, found.DNS)
		}
		o.Set(load.Dial, found.Connect)
	}
	if found.Secured {
		o.Set(load.TLS, found.TLS)
	}
	if found.Answered {
		o.Set(load.Wait, found.Wait)
		o.Set(load.Transfer, found.Transfer)
	}
	return o
}

// Close implements load.Client.
func (u *httpUser) Close() {
	if !u.shared {
		u.client.Close()
	}
}

// nameOf returns the name of the node that has an address with a port.
func (h *httpHost) nameOf(target string) string {
	at, err := netip.ParseAddrPort(target)
	if err != nil {
		return target
	}
	if name := h.env.Host.Names().Name(at.Addr().Unmap()); name != "" {
		return name
	}
	return at.Addr().String()
}
