package clients

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"netlab/services"
	"netlab/services/content"
	"netlab/services/keys"
	"netlab/services/kvcache"
	"netlab/services/load"
	"netlab/services/resp"
	"netlab/services/target"
	"netlab/units"
)

// The statuses of requests to a cache, in results.
const (
	Hit    = "hit"
	Miss   = "miss"
	Stored = "stored"
)

// KVConfig configures the workload "kv-load".
type KVConfig struct {
	load.Config
	To        services.Target   `json:"to" jsonschema_description:"The kv-cache. The port is 6379 when it is left out." jsonschema:"required"`
	Keys      keys.Config       `json:"keys" jsonschema_description:"Which keys there are and how popular they are." jsonschema:"required"`
	Writes    units.Probability `json:"writes,omitempty" jsonschema_description:"Share of the requests that are a SET; the others are a GET. Default 0%."`
	Fill      bool              `json:"fill,omitempty" jsonschema_description:"Whether a GET that finds nothing is followed by a SET of that key, as an application does that has loaded it meanwhile. Both are one request. Default false."`
	ValueSize units.Bytes       `json:"value_size" jsonschema_description:"Size of the values." jsonschema:"default=100B"`
	TTL       units.Duration    `json:"ttl,omitempty" zero:"refused" jsonschema_description:"Time to live that a SET gives. Default: none."`
	Timeout   units.Duration    `json:"timeout" jsonschema_description:"How long a request may take, with the connection if it needs one." jsonschema:"default=30s"`
}

// NewKVConfig returns the defaults.
func NewKVConfig() *KVConfig {
	return &KVConfig{ValueSize: 100, Timeout: units.Duration(30 * time.Second)}
}

// Validate implements services.Config.
func (c *KVConfig) Validate() error {
	list := []error{c.Config.Validate(), target.CheckPort("to", c.To), c.Keys.Validate("keys"), checkTimeout(c.Timeout)}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.Writes < 0 || c.Writes > 1 {
		add("writes", "found %s, wanted 0%% to 100%%", c.Writes)
	}
	if c.ValueSize < 0 || c.ValueSize > maxWriteSize {
		add("value_size", "found %s, wanted 0B to %s", c.ValueSize, maxWriteSize)
	}
	if c.TTL < 0 || c.TTL%units.Duration(time.Millisecond) != 0 {
		add("ttl", "found %s, wanted whole milliseconds", c.TTL)
	}
	return errors.Join(list...)
}

// Calls implements services.Caller.
func (c *KVConfig) Calls() []services.Call {
	return []services.Call{target.Call("to", c.To, services.TCP, kvcache.DefaultPort)}
}

// KV describes the workload.
var KV = services.Type{
	Name: "kv-load", Role: services.Workload, Outcomes: true,
	Doc: "Loads a kv-cache with GET and SET of many keys, some more popular than others: users who take turns with thinking, each on a " +
		"connection of its own, or requests at a rate. A key that is not there is an answer: the statuses of results are hit, miss and stored.",
	Config: func() services.Config { return NewKVConfig() },
	Result: func() any { return new(load.Result) },
	New: func(config services.Config, info services.Info) (services.Runner, error) {
		c := *config.(*KVConfig)
		return &kvRunner{config: c, Runner: load.NewRunner(c.Config, info)}, nil
	},
}

type kvRunner struct {
	*load.Runner
	config KVConfig
}

// Run implements services.Runner.
func (r *kvRunner) Run(ctx context.Context, env *services.Env) error {
	address, err := target.Address(r.config.To, kvcache.DefaultPort)
	if err != nil {
		return err
	}
	value := make([]byte, r.config.ValueSize)
	content.New(0).Read(value)
	all := keys.New(r.config.Keys)
	return r.Load(ctx, env, func(_ context.Context, u *load.User) (load.Client, error) {
		return &kvClient{
			config: &r.config, env: env, client: resp.NewClient(env, address, r.config.Timeout.Std()), keys: all, value: string(value),
			random: env.Stream("keys.user." + strconv.Itoa(u.Index)), target: target.Call("to", r.config.To, services.TCP, 0).Host,
		}, nil
	})
}

// kvClient is one user.
type kvClient struct {
	config *KVConfig
	env    *services.Env
	client *resp.Client
	keys   *keys.Keys
	value  string
	random *rand.Rand
	target string
}

// Do implements load.Client.
func (c *kvClient) Do(ctx context.Context) (o load.Outcome) {
	o.Target = c.target
	key := c.keys.Next(c.random)
	start := c.env.Elapsed()
	if c.config.Writes > 0 && c.random.Float64() < c.config.Writes.Float() {
		c.set(ctx, key, &o)
		o.Set(load.Wait, c.env.Elapsed()-start)
		return o
	}
	reply, err := c.client.Do(ctx, "GET", key)
	if err != nil {
		o.Fail(err)
		return o
	}
	o.Set(load.Wait, c.env.Elapsed()-start)
	o.Status, o.Bytes = Hit, int64(len(reply.Text))
	if reply.Kind == resp.Null {
		o.Status = Miss
		if c.config.Fill {
			c.set(ctx, key, &o)
			o.Status = Miss
		}
	}
	return o
}

func (c *kvClient) set(ctx context.Context, key string, o *load.Outcome) {
	args := []string{"SET", key, c.value}
	if c.config.TTL > 0 {
		args = append(args, "PX", strconv.FormatInt(c.config.TTL.Std().Milliseconds(), 10))
	}
	if _, err := c.client.Do(ctx, args...); err != nil {
		o.Fail(err)
		return
	}
	o.Status = Stored
}

// Close implements load.Client.
func (c *kvClient) Close() { c.client.Close() }
