package units

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Probability is a chance between 0 (never) and 1 (always). It is written as a
// percentage ("1%", "0.1%") or as a number ("0.01", "1e-6"), in a file also
// without quotes. It is the float64 nearest to what is written.
type Probability float64

const probabilityWant = "want 0% to 100%"

// ParseProbability reads a probability such as "1%" or "0.01". An error is a
// *ParseError: not a number, not between 0 and 1, or above zero but so small
// that a float64 cannot tell it from zero.
func ParseProbability(s string) (Probability, error) {
	p, err := readProbability(s)
	if err == nil {
		return p, nil
	}
	if joined := squeeze(s); joined != "" {
		if _, inner := readProbability(joined); inner == nil {
			err.Suggestion = joined
		}
	}
	return 0, err
}

func readProbability(s string) (Probability, *ParseError) {
	wrong := &ParseError{Found: s, Problem: "is not a probability", Want: probabilityWant}
	if len(s) > maxText {
		wrong.Want = "the text is too long"
		return 0, wrong
	}
	number, rest := splitNumber(s)
	if number == "" {
		return 0, wrong
	}
	exponent := ""
	if rest == "%" {
		exponent = "e-2"
	} else if isExponent(rest) {
		exponent = rest
	} else if rest != "" {
		return 0, wrong
	}
	// ParseFloat rounds once, to the nearest float64.
	v, err := strconv.ParseFloat(number+exponent, 64)
	if err != nil || v > 1 {
		if rest == "" {
			if _, err := readProbability(number + "%"); err == nil {
				wrong.Suggestion = number + "%"
			}
		}
		return 0, wrong
	}
	if v == 1 {
		// The text may be a little more than 1.
		if exact, ok := new(big.Rat).SetString(number + exponent); !ok || exact.Cmp(big.NewRat(1, 1)) > 0 {
			return 0, wrong
		}
	}
	if v == 0 && strings.Trim(number, "0.") != "" {
		wrong.Problem, wrong.Want = "is too small", "want 0% or at least 5e-324"
		return 0, wrong
	}
	return Probability(v), nil
}

// isExponent tells whether s is the exponent of a JSON number: "e-6", "E3".
func isExponent(s string) bool {
	if len(s) < 2 || s[0] != 'e' && s[0] != 'E' {
		return false
	}
	s = s[1:]
	if s[0] == '+' || s[0] == '-' {
		s = s[1:]
	}
	return s != "" && digits(s) == len(s)
}

// Float returns p as a float64 from 0 to 1.
func (p Probability) Float() float64 { return float64(p) }

// String writes p as a percentage with as many digits as it takes to read the
// same value back: "1%", "0.1%".
func (p Probability) String() string {
	v := float64(p)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	if v == 0 {
		return "0%" // also for -0
	}
	return shifted(v, 2) + "%"
}

// valid tells whether p is a number from 0 to 1.
func (p Probability) valid() bool { return p >= 0 && p <= 1 }

// MarshalText writes what String writes. A value that is not from 0 to 1 is an
// error.
func (p Probability) MarshalText() ([]byte, error) {
	if !p.valid() {
		return nil, invalid("probability", p, "0% to 100%")
	}
	return []byte(p.String()), nil
}

// UnmarshalText reads what ParseProbability reads. A JSON number is read when
// its digits are handed over as the text.
func (p *Probability) UnmarshalText(text []byte) error {
	v, err := ParseProbability(string(text))
	return parsed(p, v, err)
}
