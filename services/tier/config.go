package tier

import (
	"errors"
	"slices"
	"strings"
	"time"

	"netlab/services"
	"netlab/services/capacity"
	"netlab/services/kvcache"
	"netlab/services/target"
	"netlab/units"
)

// The strategies.
const (
	None         = "none"
	CacheAside   = "cache-aside"
	WriteAround  = "write-around"
	WriteThrough = "write-through"
	WriteBack    = "write-back"
)

// ReadThrough is how the cache layer loads what is missing itself.
const ReadThrough = "read-through"

// The protections against a stampede.
const (
	Off          = "off"
	SingleFlight = "single-flight"
	Lock         = "lock"
	EarlyRefresh = "early-refresh"
)

var (
	strategies  = []string{None, CacheAside, WriteAround, WriteThrough, WriteBack}
	protections = []string{Off, SingleFlight, Lock, EarlyRefresh}
)

// storePort is where stores listen.
const storePort = 80

const maxDirty = 10_000_000

// Capacity is how much the server can do, under a name of its own.
type Capacity = capacity.Config

// Config configures the service.
type Config struct {
	Listen       services.ListenTCP `json:"listen" jsonschema_description:"Where it listens." jsonschema:"default=:80"`
	Store        services.Target    `json:"store" jsonschema_description:"The slow-store. The port is 80 when it is left out." jsonschema:"required"`
	Cache        services.Target    `json:"cache,omitempty" jsonschema_description:"The kv-cache. The port is 6379 when it is left out. Default: none, with strategy none."`
	Strategy     string             `json:"strategy,omitempty" jsonschema_description:"How cache and store work together. Default cache-aside with a cache, none without." jsonschema:"enum=none,enum=cache-aside,enum=write-around,enum=write-through,enum=write-back"`
	Reads        string             `json:"reads,omitempty" jsonschema_description:"Who loads what is missing in the cache: each request by itself, or the cache layer, each key once at a time. Default cache-aside." jsonschema:"enum=cache-aside,enum=read-through"`
	TTL          units.Duration     `json:"ttl,omitempty" zero:"refused" jsonschema_description:"How long the cache keeps a value. Default: until it has to go."`
	NegativeTTL  units.Duration     `json:"negative_ttl,omitempty" jsonschema_description:"How long the cache keeps that the store does not have a key. Default: not at all."`
	Stampede     string             `json:"stampede,omitempty" jsonschema_description:"What keeps many requests from loading the same key at once. Default off." jsonschema:"enum=off,enum=single-flight,enum=lock,enum=early-refresh"`
	LockTime     units.Duration     `json:"lock_time,omitempty" jsonschema_description:"With lock: how long a lock is held at most. Default 5s."`
	LockWait     units.Duration     `json:"lock_wait,omitempty" jsonschema_description:"With lock: after how long the others look again. Default 20ms."`
	Beta         float64            `json:"beta,omitempty" jsonschema_description:"With early-refresh: how early, in times to load. Default 1, up to 100."`
	CacheTimeout units.Duration     `json:"cache_timeout,omitempty" jsonschema_description:"How long a question to the cache may take. Default 100ms."`
	StoreTimeout units.Duration     `json:"store_timeout,omitempty" jsonschema_description:"How long one to the store may take. Default 5s."`

	FlushInterval units.Duration `json:"flush_interval,omitempty" jsonschema_description:"With write-back: after how long the buffer is written to the store, again and again. Default 1s."`
	FlushBatch    int            `json:"flush_batch,omitempty" jsonschema_description:"With write-back: at how many keys in the buffer it is written to the store before its time. Default: never."`
	FlushParallel int            `json:"flush_parallel,omitempty" jsonschema_description:"With write-back: how many keys of the buffer are written to the store at once. Default 8."`
	MaxDirty      int            `json:"max_dirty,omitempty" jsonschema_description:"With write-back: how many keys the buffer holds; a write of one more waits until the oldest is in the store. Default 10000."`
	Capacity
}

// NewConfig returns the defaults.
func NewConfig() *Config { return &Config{Listen: ":80"} }

// Endless implements services.Config.
func (c *Config) Endless() bool { return true }

// Calls implements services.Caller.
func (c *Config) Calls() []services.Call {
	list := []services.Call{target.Call("store", c.Store, services.TCP, storePort)}
	if c.Cache != "" {
		list = append(list, target.Call("cache", c.Cache, services.TCP, kvcache.DefaultPort))
	}
	return list
}

// complete returns the configuration with the defaults of what was left out.
func (c *Config) complete() Config {
	f := *c
	or := func(d *units.Duration, value time.Duration) {
		if *d == 0 {
			*d = units.Duration(value)
		}
	}
	if f.Strategy == "" {
		if f.Strategy = CacheAside; f.Cache == "" {
			f.Strategy = None
		}
	}
	if f.Stampede == "" {
		f.Stampede = Off
	}
	if f.Reads == ReadThrough {
		f.Stampede = SingleFlight
	}
	if f.Beta == 0 {
		f.Beta = 1
	}
	if f.FlushParallel == 0 {
		f.FlushParallel = 8
	}
	if f.MaxDirty == 0 {
		f.MaxDirty = 10_000
	}
	or(&f.LockTime, 5*time.Second)
	or(&f.LockWait, 20*time.Millisecond)
	or(&f.CacheTimeout, 100*time.Millisecond)
	or(&f.StoreTimeout, 5*time.Second)
	or(&f.FlushInterval, time.Second)
	return f
}

// Validate implements services.Config.
func (c *Config) Validate() error {
	list := []error{c.Capacity.Validate(), target.CheckPort("store", c.Store), c.validateTimes()}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.Listen == "" {
		add("listen", "missing: want a colon and a port, such as \":80\"")
	}
	if c.Cache != "" {
		list = append(list, target.CheckPort("cache", c.Cache))
	}
	oneOf := func(field, value string, all []string) {
		if value != "" && !slices.Contains(all, value) {
			add(field, "%q is not one of %s", value, strings.Join(all, ", "))
		}
	}
	oneOf("strategy", c.Strategy, strategies)
	oneOf("stampede", c.Stampede, protections)
	oneOf("reads", c.Reads, []string{CacheAside, ReadThrough})
	f := c.complete()
	switch {
	case f.Strategy != None && f.Cache == "":
		add("cache", "missing: the strategy %s needs one", f.Strategy)
	case f.Strategy == None && f.Cache != "":
		add("cache", "found %s, but the strategy is none", f.Cache)
	}
	if c.Reads == ReadThrough && c.Stampede != "" && c.Stampede != SingleFlight {
		add("stampede", "found %s, but read-through loads each key once at a time, which is single-flight", c.Stampede)
	}
	unless := func(field string, given, wanted bool, what string) {
		if given && !wanted {
			add(field, "found it, but it is for %s", what)
		}
	}
	unless("ttl", c.TTL != 0, f.Strategy != None, "a cache")
	unless("negative_ttl", c.NegativeTTL != 0, f.Strategy != None, "a cache")
	unless("stampede", f.Stampede != Off, f.Strategy != None, "a cache")
	unless("cache_timeout", c.CacheTimeout != 0, f.Strategy != None, "a cache")
	unless("lock_time", c.LockTime != 0, f.Stampede == Lock, "stampede lock")
	unless("lock_wait", c.LockWait != 0, f.Stampede == Lock, "stampede lock")
	unless("beta", c.Beta != 0, f.Stampede == EarlyRefresh, "stampede early-refresh")
	unless("flush_interval", c.FlushInterval != 0, f.Strategy == WriteBack, "strategy write-back")
	unless("flush_batch", c.FlushBatch != 0, f.Strategy == WriteBack, "strategy write-back")
	unless("flush_parallel", c.FlushParallel != 0, f.Strategy == WriteBack, "strategy write-back")
	unless("max_dirty", c.MaxDirty != 0, f.Strategy == WriteBack, "strategy write-back")
	if f.Stampede == EarlyRefresh && c.TTL == 0 {
		add("ttl", "missing: without it nothing expires that could be refreshed early")
	}
	if !(f.Beta > 0 && f.Beta <= 100) {
		add("beta", "found %v, wanted more than 0, up to 100", c.Beta)
	}
	for _, n := range []struct {
		field string
		value int
		most  int
	}{{"flush_batch", c.FlushBatch, f.MaxDirty}, {"flush_parallel", c.FlushParallel, 1000}, {"max_dirty", c.MaxDirty, maxDirty}} {
		if n.value < 0 || n.value > n.most {
			add(n.field, "found %d, wanted 1 to %d", n.value, n.most)
		}
	}
	return errors.Join(list...)
}

// validateTimes returns errors about durations: the cache counts in milliseconds.
func (c *Config) validateTimes() error {
	var list []error
	for _, f := range []struct {
		name string
		d    units.Duration
	}{{"ttl", c.TTL}, {"negative_ttl", c.NegativeTTL}, {"lock_time", c.LockTime}, {"lock_wait", c.LockWait},
		{"cache_timeout", c.CacheTimeout}, {"store_timeout", c.StoreTimeout}, {"flush_interval", c.FlushInterval}} {
		switch {
		case f.d < 0:
			list = append(list, services.Fieldf(f.name, "found %s, wanted 0s or more", f.d))
		case f.d%units.Duration(time.Millisecond) != 0 && (f.name == "ttl" || f.name == "negative_ttl" || f.name == "lock_time"):
			list = append(list, services.Fieldf(f.name, "found %s, wanted whole milliseconds, which is what the cache counts in", f.d))
		}
	}
	return errors.Join(list...)
}
