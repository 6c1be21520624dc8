package httpcache

import (
	"errors"
	"net/textproto"
	"strings"
	"time"

	"netlab/services"
	"netlab/services/eviction"
	"netlab/units"
)

// Config configures a cache. The zero value is a good one.
type Config struct {
	Size                 units.Bytes        `json:"size,omitempty" zero:"refused" jsonschema_description:"How much it holds, headers included. Default 64MB."`
	MaxObject            units.Bytes        `json:"max_object,omitempty" zero:"refused" jsonschema_description:"Largest response that is stored. Default: size."`
	MaxEntries           int                `json:"max_entries,omitempty" zero:"refused" jsonschema_description:"How many responses it holds at most. Default: no limit but size."`
	Policy               string             `json:"policy,omitempty" jsonschema_description:"What goes when it is full. Default lru." jsonschema:"enum=fifo,enum=lru,enum=lfu,enum=random,enum=2q,enum=arc,enum=tinylfu"`
	DefaultTTL           units.Duration     `json:"default_ttl,omitempty" jsonschema_description:"How long a response is fresh that says nothing about it, and about which nothing can be guessed either. Default 0s: it is asked about each time."`
	Heuristics           *bool              `json:"heuristics,omitempty" jsonschema_description:"Whether a response with a Last-Modified and no lifetime is fresh for a share of the time since then. Default true."`
	HeuristicShare       *units.Probability `json:"heuristic_share,omitempty" jsonschema_description:"That share. Default 10%."`
	HeuristicMax         units.Duration     `json:"heuristic_max,omitempty" zero:"refused" jsonschema_description:"Longest lifetime that is guessed. Default 24h."`
	StaleWhileRevalidate units.Duration     `json:"stale_while_revalidate,omitempty" jsonschema_description:"For how long a stale response is still served, while it is validated in the background, if it says nothing about that itself. Default 0s."`
	StaleIfError         units.Duration     `json:"stale_if_error,omitempty" jsonschema_description:"For how long a stale response is still served when the origin fails, if it says nothing about that itself. Default 0s."`
	Coalescing           *bool              `json:"coalescing,omitempty" jsonschema_description:"Whether requests for what is on its way already wait for it instead of asking as well. Default true."`
	Targeted             []string           `json:"targeted_fields,omitempty" jsonschema_description:"Shared caches: fields that are for this cache and go before Cache-Control and Expires (RFC 9213), the first that is there counts. An example is CDN-Cache-Control. Default: none."`
	IgnoreRequest        bool               `json:"ignore_request_directives,omitempty" jsonschema_description:"Whether Cache-Control and Pragma of requests are ignored, so that clients can't make the cache ask the origin. only-if-cached still counts. Default false."`
	CacheStatus          *bool              `json:"cache_status,omitempty" jsonschema_description:"Whether responses say in the field Cache-Status what the cache did (RFC 9211). Default true for shared caches, false for private ones."`
}

// The defaults of a [Config].
const (
	DefaultSize           units.Bytes = 64_000_000
	DefaultHeuristicShare             = 0.1
	DefaultHeuristicMax               = 24 * time.Hour
)

// Validate returns errors about the fields. within is the field that holds the configuration, such as "cache", or "".
func (c *Config) Validate(within string) error {
	var list []error
	if within != "" {
		within += "."
	}
	add := func(field, format string, args ...any) {
		list = append(list, services.Fieldf(within+field, format, args...))
	}
	if c.Size < 0 {
		add("size", "found %s, wanted more than 0B", c.Size)
	}
	if c.MaxObject < 0 || c.Size >= 0 && c.MaxObject > c.size() {
		add("max_object", "found %s, wanted no more than the size of %s", c.MaxObject, c.size())
	}
	if c.MaxEntries < 0 {
		add("max_entries", "found %d, wanted 1 or more", c.MaxEntries)
	}
	if c.Policy != "" {
		if err := eviction.Check(c.Policy); err != nil {
			add("policy", "%v", err)
		}
	}
	for field, d := range c.durations() {
		if d < 0 {
			add(field, "found %s, wanted 0s or more", d)
		}
	}
	if s := c.HeuristicShare; s != nil && (*s < 0 || *s > 1) {
		add("heuristic_share", "found %s, wanted 0%% to 100%%", *s)
	}
	if c.Heuristics != nil && !*c.Heuristics && (c.HeuristicShare != nil || c.HeuristicMax != 0) {
		add("heuristics", "found false beside heuristic_share or heuristic_max, which say how they are done")
	}
	for _, name := range c.Targeted {
		switch {
		case !isToken(name):
			add("targeted_fields", "%q is not the name of a header field", name)
		case textproto.CanonicalMIMEHeaderKey(name) == "Cache-Control":
			add("targeted_fields", "Cache-Control is for all caches: want a field such as CDN-Cache-Control")
		}
	}
	return errors.Join(list...)
}

// durations yields the durations by their fields' names.
func (c *Config) durations() func(yield func(string, units.Duration) bool) {
	return func(yield func(string, units.Duration) bool) {
		_ = yield("default_ttl", c.DefaultTTL) && yield("heuristic_max", c.HeuristicMax) &&
			yield("stale_while_revalidate", c.StaleWhileRevalidate) && yield("stale_if_error", c.StaleIfError)
	}
}

func (c *Config) size() units.Bytes {
	if c.Size == 0 {
		return DefaultSize
	}
	return c.Size
}

func (c *Config) maxObject() int64 {
	if c.MaxObject == 0 {
		return int64(c.size())
	}
	return int64(c.MaxObject)
}

// isToken says whether s is a token (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !tokenRune(r) })
}

func tokenRune(r rune) bool {
	return r > ' ' && r < 0x7f && !strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
}
