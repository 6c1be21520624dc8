// Package kvcache is the service "kv-cache": a key-value cache that speaks RESP, as Redis and its relatives do.
//
// It holds strings under keys, in memory, up to max_memory; what has to go when that is full is decided by a policy of package
// netlab/services/eviction. Keys may have a time to live. The commands are those that clients expect of a cache, with the answers and the
// words of Redis 7 (redis.io/commands):
//
//	PING ECHO QUIT SELECT AUTH HELLO CLIENT COMMAND INFO
//	GET SET SETNX SETEX PSETEX GETSET GETDEL GETEX MGET MSET APPEND STRLEN INCR DECR INCRBY DECRBY
//	DEL UNLINK EXISTS TYPE EXPIRE PEXPIRE TTL PTTL PERSIST KEYS SCAN DBSIZE FLUSHDB FLUSHALL
//
// Clients may speak RESP2 or, after HELLO 3, RESP3, of which there are null and maps.
//
// Memory is counted as len(key) + len(value) + 64 bytes for each key, whether it has a time to live or not: that is about what the
// dictionary entry, the objects and the allocator cost in Redis. Buffers of connections don't count. A value that alone is larger than
// max_memory is refused (OOM). Times to live run in the lab's time, and a key is gone at the moment that its time is over, whether
// anybody asks for it or not; Redis looks for such keys ten times a second, and some stay in memory for a while.
//
// Redis evicts by samples of five keys; here each policy is exact. Nothing is stored on a disk: after a crash of the host the cache is
// empty, which is called a cold cache. With cores and service_time the server can do only so much; Redis works on commands with one
// core.
//
// Left out: all types but strings, transactions, scripts, publish and subscribe, replication, clusters, client-side caching, several
// databases, TLS.
package kvcache

import (
	"errors"
	"fmt"
	"strings"

	"netlab/services"
	"netlab/services/capacity"
	"netlab/services/eviction"
	"netlab/units"
)

// DefaultPort is where caches listen.
const DefaultPort = 6379

// Overhead is what each key costs beside itself and its value.
const Overhead units.Bytes = 64

// NoEviction is the policy of a cache that refuses what does not fit.
const NoEviction = "noeviction"

const (
	maxMemory  units.Bytes = 1 << 40
	maxValue   units.Bytes = 512 << 20 // Redis's proto-max-bulk-len
	maxClients             = 1 << 20
)

// Capacity is how much the server can do, under a name of its own.
type Capacity = capacity.Config

// Config configures the service.
type Config struct {
	Listen     services.ListenTCP `json:"listen" jsonschema_description:"Where it listens." jsonschema:"default=:6379"`
	MaxMemory  units.Bytes        `json:"max_memory,omitempty" zero:"refused" jsonschema_description:"How much keys and values may take, each key with 64B besides. Default: any amount."`
	Eviction   string             `json:"eviction,omitempty" jsonschema_description:"What goes when max_memory is reached; noeviction refuses to take more. Default lru." jsonschema:"enum=fifo,enum=lru,enum=lfu,enum=perfect-lfu,enum=random,enum=2q,enum=arc,enum=tinylfu,enum=noeviction"`
	MaxValue   units.Bytes        `json:"max_value" jsonschema_description:"Longest key or value, 512MiB at most. A client that sends a longer one is disconnected." jsonschema:"default=1MiB"`
	MaxClients int                `json:"max_clients,omitempty" zero:"refused" jsonschema_description:"How many connections there may be; one more is told so and closed. Default 10000."`
	Password   string             `json:"password,omitempty" jsonschema_description:"What clients must say with AUTH before anything else. Default: nothing."`
	Capacity
}

// NewConfig returns the defaults.
func NewConfig() *Config {
	return &Config{Listen: ":6379", MaxValue: 1 << 20}
}

// Endless implements services.Config.
func (c *Config) Endless() bool { return true }

func (c *Config) eviction() string {
	if c.Eviction == "" {
		return eviction.Default
	}
	return c.Eviction
}

func (c *Config) maxClients() int {
	if c.MaxClients == 0 {
		return 10_000
	}
	return c.MaxClients
}

// Validate implements services.Config.
func (c *Config) Validate() error {
	list := []error{c.Capacity.Validate()}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.Listen == "" {
		add("listen", "missing: want a colon and a port, such as \":6379\"")
	}
	if c.MaxMemory < 0 || c.MaxMemory > maxMemory {
		add("max_memory", "found %s, wanted 1B to %s", c.MaxMemory, maxMemory)
	}
	if c.Eviction != "" {
		switch err := eviction.Check(c.Eviction); {
		case c.MaxMemory == 0:
			add("eviction", "found %s, but without max_memory nothing has to go", c.Eviction)
		case c.Eviction == NoEviction || err == nil:
		default:
			add("eviction", "%s", unknown(c.Eviction))
		}
	}
	if c.MaxValue < 1 || c.MaxValue > maxValue {
		add("max_value", "found %s, wanted 1B to %s", c.MaxValue, maxValue)
	}
	if c.MaxClients < 0 || c.MaxClients > maxClients {
		add("max_clients", "found %d, wanted 1 to %d", c.MaxClients, maxClients)
	}
	return errors.Join(list...)
}

// unknown says that there is no such policy.
func unknown(name string) string {
	all := append(eviction.Names(), NoEviction)
	if s := units.Suggest(name, all); s != "" {
		return fmt.Sprintf("%q is not a policy: did you mean %s?", name, s)
	}
	return fmt.Sprintf("%q is not a policy: want one of %s", name, strings.Join(all, ", "))
}
