package units

import (
	"math"
	"math/big"
	"strings"
)

// Drift is by how much a clock is too fast (+) or too slow (-), as a ratio from
// -50 % to +100 %: at "+100ppm" it gains 100 microseconds each second. It is
// written in parts per million or in percent, with a sign of which "+" may be left
// out: "100ppm", "-50ppm", "1%", "-0.1%". It is the float64 nearest to what is
// written.
type Drift float64

const (
	minDrift  Drift = -0.5
	maxDrift  Drift = 1
	driftWant       = "want -50% to +100%"
)

// driftUnits holds how many of each unit are the whole.
var driftUnits = []unit{{"ppm", 1e6}, {"%", 100}}

// ParseDrift reads a drift such as "-50ppm". An error is a *ParseError: no unit
// or an unknown one, not from -50% to +100%, or so near to zero that a float64
// cannot tell it from zero.
func ParseDrift(s string) (Drift, error) {
	d, err := readDrift(s)
	if err == nil {
		return d, nil
	}
	if joined := squeeze(s); joined != "" && err.Suggestion == "" {
		if d, inner := readDrift(joined); inner == nil {
			err.Suggestion = d.String()
		}
	}
	return 0, err
}

func readDrift(s string) (Drift, *ParseError) {
	wrong := &ParseError{Found: s, Problem: "is not a drift", Want: `want a number and a unit, such as "100ppm" or "-0.1%"`}
	if len(s) > maxText {
		wrong.Want = "the text is too long"
		return 0, wrong
	}
	sign, rest := splitSign(s)
	number, name := splitNumber(rest)
	if number == "" {
		return 0, wrong
	}
	whole := int64(0)
	for _, u := range driftUnits {
		if u.name == name {
			whole = u.factor
		}
	}
	if whole == 0 {
		if name == "" {
			wrong.Problem = "has no unit"
		} else if guess := suggestUnit(name, []string{"ppm", "%"}); guess != "" {
			if _, err := readDrift(sign + number + guess); err == nil {
				wrong.Suggestion = sign + number + guess
			}
		}
		return 0, wrong
	}
	exact, ok := new(big.Rat).SetString(sign + number)
	if !ok {
		return 0, wrong
	}
	exact.Quo(exact, big.NewRat(whole, 1))
	if exact.Cmp(big.NewRat(-1, 2)) < 0 || exact.Cmp(big.NewRat(1, 1)) > 0 {
		wrong.Want = driftWant
		return 0, wrong
	}
	v, _ := exact.Float64()
	if v == 0 && strings.Trim(number, "0.") != "" {
		wrong.Problem, wrong.Want = "is too small", "want 0ppm or at least 5e-324 of a second each second"
		return 0, wrong
	}
	return Drift(v + 0), nil // -0 is 0
}

// Ratio returns d as a float64 from -0.5 to 1: by how many seconds the clock is
// wrong after one second.
func (d Drift) Ratio() float64 { return float64(d) }

// String writes d with its sign and with as many digits as it takes to read the
// same value back, below 0.1% in parts per million and from there on in percent:
// "+100ppm", "-0.1%", "0ppm".
func (d Drift) String() string {
	v := float64(d)
	places, unit := 2, "%"
	if math.Abs(v) < 1e-3 {
		places, unit = 6, "ppm"
	}
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return Probability(v).String()
	case v == 0:
		return "0ppm" // also for -0
	case v > 0:
		return "+" + shifted(v, places) + unit
	}
	return shifted(v, places) + unit
}

// MarshalText writes what String writes. A value that is not from -50% to +100%
// is an error.
func (d Drift) MarshalText() ([]byte, error) {
	if !(d >= minDrift && d <= maxDrift) {
		return nil, invalid("drift", d, "-50% to +100%")
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what ParseDrift reads.
func (d *Drift) UnmarshalText(text []byte) error {
	v, err := ParseDrift(string(text))
	return parsed(d, v, err)
}
