package units

import (
	"fmt"
	"slices"
	"strings"
)

// quantity is the grammar of a type that is written as one number and one unit.
type quantity struct {
	noun    string            // "a size"
	example string            // "64KiB"
	base    string            // the plural of what must be whole: "bytes"
	largest string            // the largest value, as text
	units   []unit            // all that is accepted
	aliases map[string]string // lower-case spellings that are refused, and what they mean
	// ambiguous returns the two readings of a unit that different tools read
	// differently, and why; why is "" for any other unit.
	ambiguous func(unit string) (why, one, other string)
}

// parse reads a number and a unit and returns the value in the base unit.
func (q *quantity) parse(s string) (int64, error) {
	v, err := q.read(s)
	if err == nil {
		return v, nil
	}
	// With a space in it the text is wrong anyway: a better error is the one
	// for the text without it, or that text itself.
	if joined := squeeze(s); joined != "" {
		if _, inner := q.read(joined); inner == nil {
			err.Suggestion = joined
		} else {
			err = inner
			err.Found = s
		}
	}
	return 0, err
}

func (q *quantity) read(s string) (int64, *ParseError) {
	if err := refuse(s, q.noun, q.example); err != nil {
		return 0, err
	}
	number, name := splitNumber(s)
	if name == "" {
		return 0, &ParseError{Found: s, Problem: "has no unit", Want: "want " + q.noun + " such as " + quote(q.example)}
	}
	i := slices.IndexFunc(q.units, func(u unit) bool { return u.name == name })
	if i < 0 {
		return 0, q.unknownUnit(s, number, name)
	}
	v, err := scale(number, q.units[i].factor)
	switch err {
	case errNotWhole:
		return 0, &ParseError{Found: s, Problem: "is not a whole number of " + q.base}
	case errTooLarge:
		return 0, &ParseError{Found: s, Problem: "is too large", Want: "want at most " + quote(q.largest)}
	}
	return v, nil
}

func (q *quantity) unknownUnit(s, number, name string) *ParseError {
	if why, one, other := q.ambiguous(name); why != "" {
		return &ParseError{
			Found:   s,
			Problem: "is ambiguous (" + why + ")",
			Want:    fmt.Sprintf("write %q or %q", number+one, number+other),
		}
	}
	err := notA(s, q.noun, q.example)
	guess := q.aliases[strings.ToLower(name)]
	if guess == "" {
		names := make([]string, len(q.units))
		for i, u := range q.units {
			names[i] = u.name
		}
		guess = suggestUnit(name, names)
	}
	// "1.5b" must not suggest "1.5B", which is no value either.
	if i := slices.IndexFunc(q.units, func(u unit) bool { return u.name == guess }); i >= 0 {
		if _, wrong := scale(number, q.units[i].factor); wrong == nil {
			err.Suggestion = number + guess
		}
	}
	return err
}

// notA is the error for a text that is no value of this type at all.
func notA(s, noun, example string) *ParseError {
	return &ParseError{Found: s, Problem: "is not " + noun, Want: "want a number and a unit, such as " + quote(example)}
}

// refuse finds what is wrong with a text before its unit is looked at: it does
// not begin with a number, or it is absurdly long.
func refuse(s, noun, example string) *ParseError {
	switch {
	case len(s) > maxText:
		return &ParseError{Found: s, Problem: "is not " + noun, Want: "the text is too long"}
	case len(s) > 1 && s[0] == '-' && isDigit(s[1]):
		return &ParseError{Found: s, Problem: "is not " + noun, Want: "it must not be negative"}
	case s == "" || !isDigit(s[0]):
		return notA(s, noun, example)
	}
	return nil
}

// parsed is the common end of all UnmarshalText methods: it stores v unless
// there is an error.
func parsed[T any](to *T, v T, err error) error {
	if err != nil {
		return err
	}
	*to = v
	return nil
}

// invalid is the error of MarshalText for a value that no text stands for.
func invalid(kind string, v any, want string) error {
	return fmt.Errorf("units: cannot write the %s %v: want %s", kind, v, want)
}
