package units

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// family is how one kind of distribution is written.
type family struct {
	name string
	kind kind
	// parameters are their names, for errors. All are durations, but the last
	// one is a plain number when number is set.
	parameters []string
	number     bool
	example    string
	make       func(a, b time.Duration, number float64) (Distribution, error)
}

var families = []family{
	{"uniform", uniform, []string{"min", "max"}, false, "uniform(1ms, 5ms)",
		func(a, b time.Duration, _ float64) (Distribution, error) { return Uniform(a, b) }},
	{"normal", normal, []string{"mean", "stddev"}, false, "normal(20ms, 3ms)",
		func(a, b time.Duration, _ float64) (Distribution, error) { return Normal(a, b) }},
	{"lognormal", lognormal, []string{"mean", "stddev"}, false, "lognormal(20ms, 3ms)",
		func(a, b time.Duration, _ float64) (Distribution, error) { return Lognormal(a, b) }},
	{"laplace", laplace, []string{"mean", "scale"}, false, "laplace(20ms, 3ms)",
		func(a, b time.Duration, _ float64) (Distribution, error) { return Laplace(a, b) }},
	{"exponential", exponential, []string{"mean"}, false, "exponential(8ms)",
		func(a, _ time.Duration, _ float64) (Distribution, error) { return Exponential(a) }},
	{"pareto", pareto, []string{"scale", "shape"}, true, "pareto(1ms, 2.5)",
		func(a, _ time.Duration, number float64) (Distribution, error) { return Pareto(a, number) }},
}

// fileCall is the name before the path of a data file.
const fileCall = "file"

// distributionAliases are names that are refused with a suggestion.
var distributionAliases = map[string]string{"gaussian": "normal", "gauss": "normal", "exp": "exponential", "unif": "uniform",
	"double-exponential": "laplace", "empirical": fileCall, "table": fileCall}

// ParseDistribution reads a distribution: a duration such as "20ms", or one of
// "uniform(min, max)", "normal(mean, stddev)", "lognormal(mean, stddev)",
// "laplace(mean, scale)", "exponential(mean)", "pareto(scale, shape)" and
// "file(path)", whose path is in double quotes, relative, with "/" between
// folders and without "..". The space after a comma may be left out. An error is a *ParseError: an unknown name, a wrong number of
// parameters, or a parameter that the distribution cannot have.
func ParseDistribution(s string) (Distribution, error) {
	d, err := readDistribution(s)
	if err == nil {
		return d, nil
	}
	joined := squeeze(s)
	if strings.Contains(s, `"`) {
		joined = strings.TrimSpace(s) // a path may have spaces
	}
	if joined != "" && err.Suggestion == "" {
		if d, inner := readDistribution(joined); inner == nil {
			err.Suggestion = d.String()
		}
	}
	return Distribution{}, err
}

func readDistribution(s string) (Distribution, *ParseError) {
	wrong := &ParseError{Found: s, Problem: "is not a distribution", Want: `want a duration such as "20ms", or a distribution such as "normal(20ms, 3ms)"`}
	if len(s) > maxText {
		wrong.Want = "the text is too long"
		return Distribution{}, wrong
	}
	if s != "" && (isDigit(s[0]) || s[0] == '-') {
		d, err := ParseDuration(s)
		if err != nil {
			return Distribution{}, err.(*ParseError)
		}
		return Constant(d.Std()), nil
	}
	name, rest, called := strings.Cut(s, "(")
	inside, closed := strings.CutSuffix(rest, ")")
	if name == fileCall {
		path, err := readCallPath(wrong, fileCall, inside, called && closed)
		if err != nil {
			return Distribution{}, err
		}
		return Empirical(path, nil), nil
	}
	f := findFamily(name)
	switch {
	case f == nil:
		return Distribution{}, unknownFamily(wrong, name, inside, called)
	case !called || !closed:
		wrong.Want = "want " + quote(f.example)
		return Distribution{}, wrong
	}
	d, err := f.read(inside)
	if err != nil {
		wrong.Want = err.Error()
		return Distribution{}, wrong
	}
	return d, nil
}

func findFamily(name string) *family {
	for i := range families {
		if families[i].name == name {
			return &families[i]
		}
	}
	return nil
}

// unknownFamily completes the error for a name that is none.
func unknownFamily(wrong *ParseError, name, inside string, called bool) *ParseError {
	name = strings.TrimSpace(name)
	if called && strings.EqualFold(name, "constant") {
		wrong.Want = fmt.Sprintf("write the duration alone: %q", strings.TrimSpace(inside))
		return wrong
	}
	names := make([]string, 0, len(families)+1)
	for _, f := range families {
		names = append(names, f.name)
	}
	names = append(names, fileCall)
	wrong.Suggestion = distributionAliases[strings.ToLower(name)]
	if wrong.Suggestion == "" && findFamily(name) == nil && name != fileCall { // else only the spaces are wrong
		wrong.Suggestion = Suggest(name, names)
	}
	if wrong.Suggestion == "" && called {
		wrong.Want = "want a duration, or one of " + strings.Join(names, ", ")
	}
	return wrong
}

// read reads the parameters between the parentheses.
func (f *family) read(inside string) (Distribution, error) {
	texts := strings.Split(inside, ",")
	if len(texts) != len(f.parameters) || inside == "" {
		return Distribution{}, fmt.Errorf("want %s(%s), such as %q", f.name, strings.Join(f.parameters, ", "), f.example)
	}
	var durations [2]time.Duration
	var number float64
	for i, text := range texts {
		if i > 0 {
			text = strings.TrimPrefix(text, " ")
		}
		if f.number && i == len(texts)-1 {
			digits, rest := splitNumber(text)
			v, err := strconv.ParseFloat(digits, 64)
			if err != nil || rest != "" {
				return Distribution{}, fmt.Errorf("%s %s is not a number: want one such as 2.5", f.parameters[i], quote(text))
			}
			number = v
			continue
		}
		d, err := ParseDuration(text)
		if err != nil {
			return Distribution{}, fmt.Errorf("%s %w", f.parameters[i], err)
		}
		durations[i] = d.Std()
	}
	return f.make(durations[0], durations[1], number)
}

// String writes d the way it is read: "20ms", "normal(20ms, 3ms)",
// `file("rtt.txt")`.
func (d Distribution) String() string {
	if d.kind == empirical {
		return writePath(fileCall, d.path)
	}
	for _, f := range families {
		if f.kind != d.kind {
			continue
		}
		text := f.name + "(" + Duration(d.a).String()
		switch {
		case f.number:
			text += ", " + strconv.FormatFloat(d.shape, 'f', -1, 64)
		case len(f.parameters) == 2:
			text += ", " + Duration(d.b).String()
		}
		return text + ")"
	}
	return Duration(d.a).String()
}

// MarshalText writes what String writes. It does not fail: there is no way to
// make a distribution that cannot be written.
func (d Distribution) MarshalText() ([]byte, error) {
	return []byte(d.String()), nil
}

// UnmarshalText reads what ParseDistribution reads.
func (d *Distribution) UnmarshalText(text []byte) error {
	v, err := ParseDistribution(string(text))
	return parsed(d, v, err)
}
