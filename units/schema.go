package units

import (
	"encoding/json"
	"strings"

	"github.com/invopop/jsonschema"
)

// The patterns below guide editors. They are regular expressions that both
// JavaScript and Go read, and they accept a little more than the Parse
// functions, which have the last word.
const (
	numberPattern   = `[0-9]+(\.[0-9]+)?`
	durationPattern = `([0-9]+(h|m|s|ms|us|µs|μs))*` + numberPattern + `(h|m|s|ms|us|µs|μs|ns)`
	bytesPattern    = numberPattern + `(B|kB|[MGT]B|[KMGT]iB)`
	bitRatePattern  = numberPattern + `(([kMGT]?bit|[kMGT]?B|[KMGT]iB)/s|[kmgtMGT]?bit|[kmgt]ibit)`
	percentPattern  = numberPattern + `(%|[eE][+-]?[0-9]+)?`
	ratePattern     = numberPattern + `/(s|min|h)`
	packetsPattern  = `[0-9]+ ?packets?`
	pathPattern     = `\("[^"\\]+"\)`
)

// text is the schema of a value that is written as a string.
func text(pattern, description string, examples ...any) *jsonschema.Schema {
	return &jsonschema.Schema{
		Type:        "string",
		Pattern:     "^(" + pattern + ")$",
		Description: description,
		Examples:    examples,
	}
}

// JSONSchema describes a duration to editors.
func (Duration) JSONSchema() *jsonschema.Schema {
	return text(durationPattern,
		"A duration: a number and a unit (ns, us, ms, s, m, h), or several of them from large to small.",
		"50ms", "1.5s", "1m30s")
}

// JSONSchema describes a size to editors.
func (Bytes) JSONSchema() *jsonschema.Schema {
	return text(bytesPattern,
		"A size: a number and a unit. kB, MB, GB, TB are powers of 1000; KiB, MiB, GiB, TiB are powers of 1024.",
		"1500B", "5MB", "64KiB")
}

// JSONSchema describes a bit rate to editors.
func (BitRate) JSONSchema() *jsonschema.Schema {
	return text(bitRatePattern,
		"A bit rate: a number and a unit, in bits (kbit/s, Mbit/s, Gbit/s) or in bytes (kB/s, MB/s, MiB/s).",
		"10Mbit/s", "1Gbit/s", "1MB/s")
}

// JSONSchema describes a probability to editors: a string or a number.
func (Probability) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		Description: "A probability: a percentage from 0% to 100%, or a number from 0 to 1.",
		Examples:    []any{"1%", "0.1%", 0.01},
		OneOf: []*jsonschema.Schema{
			{Type: "string", Pattern: "^(" + percentPattern + ")$"},
			{Type: "number", Minimum: json.Number("0"), Maximum: json.Number("1")},
		},
	}
}

// JSONSchema describes a rate of events to editors.
func (Rate) JSONSchema() *jsonschema.Schema {
	return text(ratePattern,
		"How often something happens: a number above 0 per second (/s), minute (/min) or hour (/h).",
		"50/s", "3000/min", "10/h")
}

// JSONSchema describes a queue limit to editors.
func (QueueLimit) JSONSchema() *jsonschema.Schema {
	return text(bytesPattern+"|"+packetsPattern+"|"+unlimited,
		"How much a queue holds: a size, a number of packets, or \"unlimited\".",
		"64KiB", "100 packets", unlimited)
}

// JSONSchema describes a distribution to editors.
func (Distribution) JSONSchema() *jsonschema.Schema {
	patterns := []string{durationPattern}
	examples := []any{"20ms"}
	for _, f := range families {
		parameters := make([]string, len(f.parameters))
		for i := range parameters {
			parameters[i] = durationPattern
		}
		if f.number {
			parameters[len(parameters)-1] = numberPattern
		}
		patterns = append(patterns, f.name+`\(`+strings.Join(parameters, ", ?")+`\)`)
		examples = append(examples, f.example)
	}
	patterns = append(patterns, fileCall+pathPattern)
	examples = append(examples, writePath(fileCall, "rtt.txt"))
	return text(strings.Join(patterns, "|"),
		"A duration, or a distribution of durations: uniform(min, max), normal(mean, stddev) without its part below 0, "+
			"lognormal(mean, stddev), laplace(mean, scale) without its part below 0, exponential(mean), pareto(scale, shape), "+
			"or file(path) with one duration a line, which a weight may follow.",
		examples...)
}
