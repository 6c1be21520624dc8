package units

import (
	"encoding/json"

	"github.com/invopop/jsonschema"
)

const (
	namedPattern    = `((p|r|1-h|1-k)=)?` + percentPattern
	lossPattern     = percentPattern + `|gilbert-elliott\(` + namedPattern + `(, ?` + namedPattern + `){1,3}\)|burst\(` + percentPattern + `, ?` + numberPattern + `\)|pattern\([01]+\)|every\([0-9]+\)|file` + pathPattern
	pointPattern    = durationPattern + ` (` + bitRatePattern + `)`
	linkRatePattern = bitRatePattern + `|` + unlimited + `|(steps|ramp)\(` + pointPattern + `(, ?` + pointPattern + `)*(, ?every ` + durationPattern + `)?\)|mahimahi` + pathPattern
)

// JSONSchema describes a loss to editors: a string, or a number for a
// probability.
func (Loss) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		Description: "Which frames are lost: a probability, gilbert-elliott(p, r, 1-h, 1-k) as netem has it, burst(mean loss, mean length), " +
			"pattern(0010) where 1 is lost, every(n), or file(path) with such a pattern.",
		Examples: []any{"1%", 0.01, gilbertElliottExample, "gilbert-elliott(1%, 30%, 100%, 0%)", "burst(3%, 4)", "pattern(0010)", "every(100)", writePath(fileCall, "loss.txt")},
		OneOf: []*jsonschema.Schema{
			{Type: "string", Pattern: "^(" + lossPattern + ")$"},
			{Type: "number", Minimum: json.Number("0"), Maximum: json.Number("1")},
		},
	}
}

// JSONSchema describes a link's rate to editors.
func (LinkRate) JSONSchema() *jsonschema.Schema {
	return text(linkRatePattern,
		"How fast a link sends: a bit rate, \"unlimited\", steps(offset rate, …) or ramp(offset rate, …), which \"every\" and a period repeat, "+
			"or mahimahi(path) with a time stamp in milliseconds for each 1504 bytes.",
		"10Mbit/s", unlimited, scheduleExamples[RateSteps], scheduleExamples[RateRamp], writePath(mahimahiCall, "lte.trace"))
}

// JSONSchema describes an offset to editors.
func (Offset) JSONSchema() *jsonschema.Schema {
	return text(`[+-]?`+durationPattern,
		"A duration with a sign: ahead (+) or behind (-).",
		"+5s", "-200ms", "5s")
}

// JSONSchema describes a drift to editors.
func (Drift) JSONSchema() *jsonschema.Schema {
	return text(`[+-]?`+numberPattern+`(ppm|%)`,
		"By how much a clock is too fast (+) or too slow (-): parts per million (ppm) or percent, from -50% to +100%.",
		"+100ppm", "-50ppm", "1%", "-0.1%")
}

// JSONSchema describes a code point to editors: a string or a number.
func (DSCP) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		Description: "The differentiated services code point of packets: cs0 to cs7, af11 to af43, ef, va, le, or a number from 0 to 63.",
		Examples:    []any{"ef", "af41", "cs1", "le", "46"},
		OneOf: []*jsonschema.Schema{
			{Type: "string", Pattern: `^(cs[0-7]|af[1-4][1-3]|ef|va|le|[0-9]+)$`},
			{Type: "integer", Minimum: json.Number("0"), Maximum: json.Number("63")},
		},
	}
}
