// Package keys says which of many things users ask for: how popular each is.
//
// The things are numbered from 0, and their names are these numbers, all with as many digits as the last one has, so that they are equally
// long: 000 to 999. Number 0 is the most popular. With zipf(α) the i-th of n, from 1, is asked for with a probability in proportion
// to 1/i^α (Breslau and others, "Web caching and Zipf-like distributions", INFOCOM 1999, measured 0.64 to 0.83 at web proxies); each
// request is independent of those before, which is called the independent reference model. Left out: things that are born, become
// popular and are forgotten.
package keys

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/invopop/jsonschema"

	"netlab/services"
	"netlab/units"
)

// Placeholder is what is replaced by a key in a text such as a URL.
const Placeholder = "{key}"

// maxCount is how many keys there are at most: each has a number in a table.
const maxCount = 10_000_000

// Config says which keys there are and how popular they are.
type Config struct {
	Count      int        `json:"count" jsonschema_description:"How many keys there are: with 1000 they are 000 to 999." jsonschema:"required"`
	First      int        `json:"first,omitempty" jsonschema_description:"Number of the first key; with 500 and a count of 1000 they are 0500 to 1499. Default 0."`
	Digits     int        `json:"digits,omitempty" jsonschema_description:"How many digits their names have at least. Default: as many as the last one has."`
	Popularity Popularity `json:"popularity,omitzero" jsonschema_description:"How popular they are. Default uniform."`
}

// Empty says that there are no keys.
func (c *Config) Empty() bool { return *c == Config{} }

// Validate returns errors about the fields below one of a name.
func (c *Config) Validate(field string) error {
	var list []error
	add := func(name, format string, args ...any) {
		list = append(list, services.Fieldf(field+"."+name, format, args...))
	}
	if c.Count < 1 || c.Count > maxCount {
		add("count", "found %d, wanted 1 to %d", c.Count, maxCount)
	}
	if c.First < 0 || c.First > math.MaxInt32 {
		add("first", "found %d, wanted 0 to %d", c.First, math.MaxInt32)
	}
	if c.Digits < 0 || c.Digits > 20 {
		add("digits", "found %d, wanted 1 to 20", c.Digits)
	}
	return errors.Join(list...)
}

// kind is a family of popularities.
type kind int

const (
	uniform kind = iota
	zipf
	sequential
	hotspot
)

// Popularity says how often each key is asked for. The zero value is uniform.
type Popularity struct {
	kind  kind
	alpha float64 // zipf
	// hotspot: so large a share of the keys gets so large a share of the requests.
	keys, requests units.Probability
}

const want = `want uniform, sequential, one such as "zipf(0.8)" or one such as "hotspot(20%, 80%)"`

// maxAlpha is the largest exponent of Zipf's law: with it nearly all requests are for the first key.
const maxAlpha = 10

// UnmarshalText reads a popularity.
func (p *Popularity) UnmarshalText(text []byte) error {
	s := string(text)
	wrong := fmt.Errorf("%q is not a popularity: %s", s, want)
	name, inside, called := strings.Cut(s, "(")
	inside, closed := strings.CutSuffix(inside, ")")
	if called != closed {
		return wrong
	}
	switch {
	case s == "uniform":
		*p = Popularity{}
	case s == "sequential":
		*p = Popularity{kind: sequential}
	case name == "zipf" && called:
		alpha, err := strconv.ParseFloat(inside, 64)
		if err != nil || !(alpha >= 0 && alpha <= maxAlpha) {
			return fmt.Errorf("%q is not a popularity: want an exponent from 0 to %d, as in \"zipf(0.8)\"", s, maxAlpha)
		}
		*p = Popularity{kind: zipf, alpha: alpha}
	case name == "hotspot" && called:
		first, second, two := strings.Cut(inside, ",")
		keys, err1 := units.ParseProbability(first)
		requests, err2 := units.ParseProbability(strings.TrimPrefix(second, " "))
		if !two || err1 != nil || err2 != nil || keys <= 0 || keys >= 1 {
			return fmt.Errorf("%q is not a popularity: want a share of the keys and the share of the requests that they get, as in "+
				"\"hotspot(20%%, 80%%)\"", s)
		}
		*p = Popularity{kind: hotspot, keys: keys, requests: requests}
	default:
		if s := units.Suggest(name, []string{"uniform", "sequential", "zipf", "hotspot"}); s != "" && s != name {
			return fmt.Errorf("%w (did you mean %s?)", wrong, s)
		}
		return wrong
	}
	return nil
}

// String writes a popularity as UnmarshalText reads it.
func (p Popularity) String() string {
	switch p.kind {
	case zipf:
		return "zipf(" + strconv.FormatFloat(p.alpha, 'g', -1, 64) + ")"
	case sequential:
		return "sequential"
	case hotspot:
		return fmt.Sprintf("hotspot(%s, %s)", p.keys, p.requests)
	}
	return "uniform"
}

// MarshalText writes a popularity.
func (p Popularity) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// JSONSchema describes a popularity to editors.
func (Popularity) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^(uniform|sequential|zipf\([0-9.eE+-]+\)|hotspot\([^,]+, ?[^,]+\))$`,
		Description: "How popular keys are: uniform, all equally; zipf(α), the i-th in proportion to 1/i^α; hotspot(20%, 80%), the first 20 % " +
			"of the keys get 80 % of the requests; sequential, one after the other and from the start again, as a scan does.",
		Examples: []any{"uniform", "zipf(0.8)", "hotspot(20%, 80%)", "sequential"}}
}

// Keys are the keys of a configuration. Several goroutines may use one, each with a random stream of its own; only the turns of
// "sequential" are shared, so that with it one event at a time may.
type Keys struct {
	config Config
	width  int
	sums   []float64    // zipf: of the probabilities up to each key
	hot    int          // hotspot: how many keys
	turn   atomic.Int64 // sequential
}

// New returns the keys of a valid configuration.
func New(c Config) *Keys {
	k := &Keys{config: c, width: max(c.Digits, len(strconv.Itoa(c.First+c.Count-1)))}
	switch p := &c.Popularity; p.kind {
	case zipf:
		k.sums = make([]float64, c.Count)
		sum := 0.
		for i := range k.sums {
			sum += math.Pow(float64(i+1), -p.alpha)
			k.sums[i] = sum
		}
	case hotspot:
		k.hot = min(max(1, int(math.Round(float64(c.Count)*p.keys.Float()))), c.Count)
	}
	return k
}

// Next chooses a key.
func (k *Keys) Next(random *rand.Rand) string { return k.Name(k.pick(random)) }

func (k *Keys) pick(random *rand.Rand) int {
	n := k.config.Count
	switch k.config.Popularity.kind {
	case zipf:
		at := random.Float64() * k.sums[n-1]
		return min(sort.Search(n, func(i int) bool { return k.sums[i] > at }), n-1)
	case sequential:
		return int((k.turn.Add(1) - 1) % int64(n))
	case hotspot:
		if random.Float64() < k.config.Popularity.requests.Float() || k.hot == n {
			return random.IntN(k.hot)
		}
		return k.hot + random.IntN(n-k.hot)
	}
	return random.IntN(n)
}

// Name is the name of the i-th key, from 0.
func (k *Keys) Name(i int) string {
	s := strconv.Itoa(k.config.First + i)
	return strings.Repeat("0", k.width-len(s)) + s
}
