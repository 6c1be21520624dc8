package balance

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"netlab/services"
	"netlab/units"
)

// The algorithms by their names in the file.
const (
	RoundRobin               = "round-robin"
	WeightedRoundRobin       = "weighted-round-robin"
	Random                   = "random"
	LeastConnections         = "least-connections"
	WeightedLeastConnections = "weighted-least-connections"
	PowerOfTwo               = "power-of-two"
	LeastResponseTime        = "least-response-time"
	LowestLatency            = "lowest-latency"
	Geographic               = "geographic"
	SourceHash               = "source-hash"
	Hash                     = "hash"
	Modulo                   = "modulo"
	ConsistentHash           = "consistent-hash"
	Rendezvous               = "rendezvous"
	Maglev                   = "maglev"
)

// The defaults of options.
const (
	DefaultVirtualNodes = 160              // as libketama's: the shares of backends then differ by about 8 % (standard deviation)
	DefaultTableSize    = 65537            // as the paper's small table
	DefaultChoices      = 2                // as the paper's
	DefaultDecay        = 10 * time.Second // as Finagle's
	DefaultExplore      = 0.02
)

const (
	maxVirtualNodes = 100_000
	maxTableSize    = 50_000_017
	maxChoices      = 16
	maxFactor       = 1000
)

// Config chooses an algorithm. Configurations embed it; the zero value is round robin.
type Config struct {
	Algorithm    string             `json:"algorithm,omitempty" jsonschema_description:"How a backend is chosen. Default round-robin." jsonschema:"enum=round-robin,enum=weighted-round-robin,enum=random,enum=least-connections,enum=weighted-least-connections,enum=power-of-two,enum=least-response-time,enum=lowest-latency,enum=geographic,enum=source-hash,enum=hash,enum=modulo,enum=consistent-hash,enum=rendezvous,enum=maglev,default=round-robin"`
	HashKey      string             `json:"hash_key,omitempty" jsonschema_description:"What hash, modulo, consistent-hash, rendezvous and maglev hash: source (the client's address), flow (both addresses and ports of the connection), path, uri (path and query), host, header NAME, cookie NAME or query NAME. A request that has nothing of the kind is hashed by source. Default source."`
	VirtualNodes *int               `json:"virtual_nodes,omitempty" jsonschema_description:"consistent-hash: points on the ring for each unit of a backend's weight, 1 to 100000. Default 160."`
	LoadFactor   *float64           `json:"load_factor,omitempty" jsonschema_description:"consistent-hash: no backend gets a request that would make it have more than this multiple of the mean number of requests under way, rounded up; it goes to the next on the ring that may. Above 1, up to 1000; 1.25 is usual. Default: no bound."`
	TableSize    *int               `json:"table_size,omitempty" jsonschema_description:"maglev: entries of the table, a prime number from 2 to 50000017; at least 100 times the number of backends keeps them even within 1 %. Default 65537."`
	Choices      *int               `json:"choices,omitempty" jsonschema_description:"power-of-two and least-response-time: how many backends are drawn to take the best of, 2 to 16. Default 2."`
	Decay        *units.Duration    `json:"decay,omitempty" jsonschema_description:"least-response-time and lowest-latency: how fast a measured latency is forgotten: it counts for 1/e after so long. Above 0s. Default 10s."`
	Explore      *units.Probability `json:"explore,omitempty" jsonschema_description:"lowest-latency: share of requests that go to a backend that is drawn, so that its latency stays known. Below 100%. Default 2%."`
}

// algorithm is what there is to know of one.
type algorithm struct {
	name     string
	options  []string // those beside "algorithm"
	weighted bool
	make     func(c *Config, random *rand.Rand) Algorithm
}

// Name returns the algorithm's name.
func (c *Config) Name() string {
	if c.Algorithm == "" {
		return RoundRobin
	}
	return c.Algorithm
}

func (c *Config) info() *algorithm {
	for i := range algorithms {
		if algorithms[i].name == c.Name() {
			return &algorithms[i]
		}
	}
	return nil
}

// Weighted says whether the algorithm looks at weights.
func (c *Config) Weighted() bool { a := c.info(); return a != nil && a.weighted }

// Hashes says whether the algorithm looks at [Request.Key].
func (c *Config) Hashes() bool {
	a := c.info()
	return a != nil && slices.Contains(a.options, "hash_key")
}

// Names returns the names of all algorithms.
func Names() []string {
	names := make([]string, len(algorithms))
	for i := range algorithms {
		names[i] = algorithms[i].name
	}
	return names
}

// Validate returns errors about the fields: unknown names, values out of range and options of other algorithms.
func (c *Config) Validate() error {
	a := c.info()
	if a == nil {
		names := Names()
		return services.Fieldf("algorithm", "%q is not one of %s%s", c.Algorithm, strings.Join(names, ", "), didYouMean(c.Algorithm, names))
	}
	var list []error
	for _, o := range []struct {
		name  string
		given bool
		check func() string
	}{
		{"hash_key", c.HashKey != "", func() string { _, _, err := ParseKey(c.HashKey); return text(err) }},
		{"virtual_nodes", c.VirtualNodes != nil, func() string { return between(*c.VirtualNodes, 1, maxVirtualNodes) }},
		{"load_factor", c.LoadFactor != nil, func() string { return checkFactor(*c.LoadFactor) }},
		{"table_size", c.TableSize != nil, func() string { return checkTable(*c.TableSize) }},
		{"choices", c.Choices != nil, func() string { return between(*c.Choices, 2, maxChoices) }},
		{"decay", c.Decay != nil, func() string { return checkDecay(*c.Decay) }},
		{"explore", c.Explore != nil, func() string { return checkExplore(*c.Explore) }},
	} {
		switch {
		case !o.given:
		case !slices.Contains(a.options, o.name):
			list = append(list, services.Fieldf(o.name, "%s", c.foreign(a, o.name)))
		default:
			if problem := o.check(); problem != "" {
				list = append(list, services.Fieldf(o.name, "%s", problem))
			}
		}
	}
	return errors.Join(list...)
}

// foreign says that an option is another algorithm's.
func (c *Config) foreign(a *algorithm, option string) string {
	var owners []string
	for i := range algorithms {
		if slices.Contains(algorithms[i].options, option) {
			owners = append(owners, algorithms[i].name)
		}
	}
	hint := fmt.Sprintf("want \"algorithm\": %q", owners[0])
	if len(owners) > 1 {
		hint = "want one of " + strings.Join(owners, ", ")
	}
	if a.name == SourceHash && option == "hash_key" {
		return fmt.Sprintf("%s always hashes the client's address; %s", a.name, hint)
	}
	return fmt.Sprintf("%s doesn't have this option; %s", a.name, hint)
}

// ValidateBackends returns an error when the algorithm can't be used for so many backends.
func (c *Config) ValidateBackends(count int) error {
	if size := or(c.TableSize, DefaultTableSize); c.Name() == Maglev && count > size {
		return services.Fieldf("table_size", "%d entries are too few for %d backends: want a prime of at least 100 times as many", size, count)
	}
	return nil
}

func or[T any](p *T, value T) T {
	if p == nil {
		return value
	}
	return *p
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func didYouMean(found string, known []string) string {
	if s := units.Suggest(found, known); s != "" {
		return fmt.Sprintf("; did you mean %q?", s)
	}
	return ""
}

func between(n, lo, hi int) string {
	if n < lo || n > hi {
		return fmt.Sprintf("found %d, wanted %d to %d", n, lo, hi)
	}
	return ""
}

func checkFactor(f float64) string {
	if !(f > 1 && f <= maxFactor) {
		return fmt.Sprintf("found %v, wanted more than 1, up to %d: with 1 all backends would have to be equally busy", f, maxFactor)
	}
	return ""
}

func checkTable(n int) string {
	if problem := between(n, 2, maxTableSize); problem != "" {
		return problem
	}
	next := n
	for !prime(next) {
		next++
	}
	if next != n {
		return fmt.Sprintf("%d is not a prime number; did you mean %d?", n, next)
	}
	return ""
}

func prime(n int) bool { return big.NewInt(int64(n)).ProbablyPrime(0) } // exact below 2^64

func checkDecay(d units.Duration) string {
	if d <= 0 {
		return fmt.Sprintf("found %s, wanted more than 0s", d)
	}
	return ""
}

func checkExplore(p units.Probability) string {
	if p < 0 || p >= 1 {
		return fmt.Sprintf("found %s, wanted 0%% to less than 100%%", p)
	}
	return ""
}

func (c *Config) decay() time.Duration {
	if c.Decay == nil {
		return DefaultDecay
	}
	return c.Decay.Std()
}
