package units

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Duration is a span of time of 0 or more, in nanoseconds, at most some 292
// years. It is written as a number and one of the units ns, us (or µs), ms, s,
// m and h, or as several of these from large to small: "50ms", "1.5s",
// "1m30s". Only the last number may have a fraction.
type Duration time.Duration

// durationUnits goes from large to small, the order in a compound duration.
var durationUnits = []unit{
	{"h", int64(time.Hour)},
	{"m", int64(time.Minute)},
	{"s", int64(time.Second)},
	{"ms", int64(time.Millisecond)},
	{"us", int64(time.Microsecond)},
	{"µs", int64(time.Microsecond)}, // U+00B5, the micro sign
	{"μs", int64(time.Microsecond)}, // U+03BC, the Greek letter
	{"ns", 1},
}

// durationAliases are spellings that are refused with a suggestion.
var durationAliases = map[string]string{
	"nsec": "ns", "nanosecond": "ns", "nanoseconds": "ns",
	"usec": "us", "microsecond": "us", "microseconds": "us",
	"msec": "ms", "msecs": "ms", "millis": "ms", "millisecond": "ms", "milliseconds": "ms",
	"sec": "s", "secs": "s", "second": "s", "seconds": "s",
	"min": "m", "mins": "m", "minute": "m", "minutes": "m",
	"hr": "h", "hrs": "h", "hour": "h", "hours": "h",
}

const (
	durationNoun    = "a duration"
	durationExample = "50ms"
)

// ParseDuration reads a duration such as "50ms". An error is a *ParseError: no
// unit or an unknown one, a sign, a part of a nanosecond, or too large.
func ParseDuration(s string) (Duration, error) {
	d, err := readDuration(s)
	if err == nil {
		return d, nil
	}
	if joined := squeeze(s); joined != "" {
		if _, inner := readDuration(joined); inner == nil {
			err.Suggestion = joined
		} else {
			err = inner
			err.Found = s
		}
	}
	return 0, err
}

func readDuration(s string) (Duration, *ParseError) {
	if err := refuse(s, durationNoun, durationExample); err != nil {
		return 0, err
	}
	var total int64
	largest := int64(math.MaxInt64) // the next unit must be smaller
	for rest := s; rest != ""; {
		number, tail := splitNumber(rest)
		end := strings.IndexFunc(tail, func(r rune) bool { return '0' <= r && r <= '9' })
		if end < 0 {
			end = len(tail)
		}
		name := tail[:end]
		rest = tail[end:]
		if name == "" {
			return 0, &ParseError{Found: s, Problem: "has no unit", Want: "want a duration such as " + quote(durationExample)}
		}
		i := slices.IndexFunc(durationUnits, func(u unit) bool { return u.name == name })
		if i < 0 {
			return 0, unknownDurationUnit(s, len(s)-len(tail), name)
		}
		factor := durationUnits[i].factor
		if factor >= largest {
			return 0, &ParseError{Found: s, Problem: "is not a duration", Want: `want each unit once, from large to small, as in "1m30s"`}
		}
		largest = factor
		if rest != "" && strings.Contains(number, ".") {
			return 0, &ParseError{Found: s, Problem: "is not a duration", Want: "only the last number may have a fraction"}
		}
		v, err := scale(number, factor)
		switch {
		case err == errNotWhole:
			return 0, &ParseError{Found: s, Problem: "is not a whole number of nanoseconds"}
		case err == errTooLarge || total > math.MaxInt64-v:
			return 0, &ParseError{Found: s, Problem: "is too large", Want: "want at most " + quote(Duration(math.MaxInt64).String())}
		}
		total += v
	}
	return Duration(total), nil
}

// unknownDurationUnit is the error for the unit name that stands at s[at:].
func unknownDurationUnit(s string, at int, name string) *ParseError {
	err := notA(s, durationNoun, durationExample)
	lower := strings.ToLower(name)
	switch lower {
	case "d", "day", "days":
		err.Want = `the largest unit is the hour; a day is "24h"`
		return err
	}
	guess := durationAliases[lower]
	if guess == "" {
		guess = suggestUnit(name, []string{"h", "m", "s", "ms", "us", "ns"})
	}
	if guess != "" {
		fixed := s[:at] + guess + s[at+len(name):]
		if _, wrong := readDuration(fixed); wrong == nil {
			err.Suggestion = fixed
		}
	}
	return err
}

// Std returns d as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String writes d in the largest unit of which it holds at least one: "50ms",
// "21.2ms", "1.5s"; from a minute on in hours, minutes and seconds: "1m30s".
func (d Duration) String() string {
	sign, v := magnitude(int64(d))
	const minute, hour = uint64(time.Minute), uint64(time.Hour)
	text := sign
	if v >= minute {
		if v >= hour {
			text += decimal(v/hour, 1) + "h"
			v %= hour
		}
		if v >= minute {
			text += decimal(v/minute, 1) + "m"
			v %= minute
		}
		if v > 0 {
			text += decimal(v, uint64(time.Second)) + "s"
		}
		return text
	}
	switch {
	case v == 0 || v >= uint64(time.Second):
		return text + decimal(v, uint64(time.Second)) + "s"
	case v >= uint64(time.Millisecond):
		return text + decimal(v, uint64(time.Millisecond)) + "ms"
	case v >= uint64(time.Microsecond):
		return text + decimal(v, uint64(time.Microsecond)) + "us"
	}
	return text + decimal(v, 1) + "ns"
}

// MarshalText writes what String writes. A negative duration is an error.
func (d Duration) MarshalText() ([]byte, error) {
	if d < 0 {
		return nil, invalid("duration", d, "0s or more")
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := ParseDuration(string(text))
	return parsed(d, v, err)
}
