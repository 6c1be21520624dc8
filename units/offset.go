package units

import (
	"math"
	"strings"
	"time"
)

// Offset is a span of time with a sign, in nanoseconds, at most some 292 years
// either way: by how much a clock is ahead (+) or behind (-). It is written as a
// Duration with a sign, of which "+" may be left out: "+5s", "-200ms", "5s".
type Offset time.Duration

const (
	offsetNoun    = "an offset"
	offsetExample = "+5s"
)

// ParseOffset reads an offset such as "-200ms". An error is a *ParseError: what
// ParseDuration refuses of the part after the sign.
func ParseOffset(s string) (Offset, error) {
	o, err := readOffset(s)
	if err == nil {
		return o, nil
	}
	if joined := squeeze(s); joined != "" && err.Suggestion == "" {
		if o, inner := readOffset(joined); inner == nil {
			err.Suggestion = o.String()
		}
	}
	return 0, err
}

func readOffset(s string) (Offset, *ParseError) {
	sign, rest := splitSign(s)
	if rest == "" || !isDigit(rest[0]) {
		return 0, notA(s, offsetNoun, offsetExample)
	}
	d, err := ParseDuration(rest)
	if err, ok := err.(*ParseError); ok {
		err.Found = s
		if err.Suggestion != "" {
			err.Suggestion = sign + err.Suggestion
		}
		return 0, err
	}
	if sign == "-" {
		d = -d
	}
	return Offset(d), nil
}

// splitSign cuts s after its sign, if it has one.
func splitSign(s string) (sign, rest string) {
	if strings.HasPrefix(s, "+") || strings.HasPrefix(s, "-") {
		return s[:1], s[1:]
	}
	return "", s
}

// Std returns o as the standard library's type.
func (o Offset) Std() time.Duration { return time.Duration(o) }

// String writes o as Duration does, with its sign: "+5s", "-200ms", "0s".
func (o Offset) String() string {
	text := Duration(o).String()
	if o > 0 {
		return "+" + text
	}
	return text
}

// MarshalText writes what String writes. The smallest int64, which has no
// positive counterpart, is an error.
func (o Offset) MarshalText() ([]byte, error) {
	if o == math.MinInt64 {
		return nil, invalid("offset", o, "at least "+Offset(-math.MaxInt64).String())
	}
	return []byte(o.String()), nil
}

// UnmarshalText reads what ParseOffset reads.
func (o *Offset) UnmarshalText(text []byte) error {
	v, err := ParseOffset(string(text))
	return parsed(o, v, err)
}
