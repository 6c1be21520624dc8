package units

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Rate is how often something happens, in events per second, always more than
// 0. It is written as a number per second, minute or hour: "50/s", "3000/min",
// "10/h". It is the float64 nearest to what is written.
type Rate float64

// rateUnits holds how many seconds each unit has.
var rateUnits = []unit{{"/s", 1}, {"/min", 60}, {"/h", 3600}}

const (
	rateNoun    = "a rate"
	rateExample = "50/s"
)

// rateAliases are spellings that are refused with a suggestion.
var rateAliases = map[string]string{
	"/sec": "/s", "/second": "/s", "rps": "/s", "req/s": "/s", "qps": "/s", "hz": "/s",
	"/m": "/min", "/minute": "/min", "rpm": "/min",
	"/hr": "/h", "/hour": "/h",
}

// ParseRate reads a rate such as "50/s". An error is a *ParseError: no unit or
// an unknown one, zero or less, or so large or small that a float64 cannot
// hold it.
func ParseRate(s string) (Rate, error) {
	r, err := readRate(s)
	if err == nil {
		return r, nil
	}
	if joined := squeeze(s); joined != "" {
		if _, inner := readRate(joined); inner == nil {
			err.Suggestion = joined
		} else {
			err = inner
			err.Found = s
		}
	}
	return 0, err
}

func readRate(s string) (Rate, *ParseError) {
	if err := refuse(s, rateNoun, rateExample); err != nil {
		return 0, err
	}
	number, name := splitNumber(s)
	if name == "" {
		return 0, &ParseError{Found: s, Problem: "has no unit", Want: "want a rate such as " + quote(rateExample)}
	}
	i := slices.IndexFunc(rateUnits, func(u unit) bool { return u.name == name })
	if i < 0 {
		err := notA(s, rateNoun, rateExample)
		guess := rateAliases[strings.ToLower(name)]
		if guess == "" {
			guess = suggestUnit(name, []string{"/s", "/min", "/h"})
		}
		if guess != "" && strings.Trim(number, "0.") != "" {
			err.Suggestion = number + guess
		}
		return 0, err
	}
	exact, ok := new(big.Rat).SetString(number)
	if !ok {
		return 0, notA(s, rateNoun, rateExample)
	}
	if exact.Sign() == 0 {
		return 0, &ParseError{Found: s, Problem: "is not a rate", Want: "want more than 0"}
	}
	v, _ := exact.Quo(exact, big.NewRat(rateUnits[i].factor, 1)).Float64()
	if v == 0 {
		return 0, &ParseError{Found: s, Problem: "is too small"}
	}
	if math.IsInf(v, 0) {
		return 0, &ParseError{Found: s, Problem: "is too large"}
	}
	return Rate(v), nil
}

// PerSecond returns the number of events per second.
func (r Rate) PerSecond() float64 { return float64(r) }

// String writes r per second, minute or hour, whichever makes the shortest
// number that reads back as the same value: "50/s", "1/min".
func (r Rate) String() string {
	best, name := strconv.FormatFloat(float64(r), 'f', -1, 64), "/s"
	if !r.valid() {
		return best + name
	}
	for _, u := range rateUnits[1:] {
		v := float64(r) * float64(u.factor)
		// The product may miss a short number by a rounding error, so fewer
		// digits are tried first. Reading the text decides.
		for _, precision := range []int{15, 16, 17} {
			rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', precision-1, 64), 64)
			if err != nil {
				continue
			}
			number := strconv.FormatFloat(rounded, 'f', -1, 64)
			if len(number) >= len(best) {
				continue
			}
			if same, err := readRate(number + u.name); err == nil && same == r {
				best, name = number, u.name
			}
		}
	}
	return best + name
}

func (r Rate) valid() bool { return r > 0 && !math.IsInf(float64(r), 0) }

// MarshalText writes what String writes. A value that is not more than 0, such
// as the zero value, is an error.
func (r Rate) MarshalText() ([]byte, error) {
	if !r.valid() {
		return nil, invalid("rate", r, "more than 0/s")
	}
	return []byte(r.String()), nil
}

// UnmarshalText reads what ParseRate reads.
func (r *Rate) UnmarshalText(text []byte) error {
	v, err := ParseRate(string(text))
	return parsed(r, v, err)
}
