package units

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	gilbertElliottCall = "gilbert-elliott"
	burstCall          = "burst"
	patternCall        = "pattern"
	everyCall          = "every"

	gilbertElliottExample = "gilbert-elliott(p=1%, r=30%)"

	lossWant = `want a probability such as "1%", or a model such as "burst(3%, 4)"`
)

// lossFamily is how one kind of loss is written.
type lossFamily struct {
	name    string
	example string
	read    func(inside string) (Loss, error)
}

var lossFamilies = []lossFamily{
	{gilbertElliottCall, gilbertElliottExample, readGilbertElliott},
	{burstCall, "burst(3%, 4)", readBurst},
	{patternCall, "pattern(0010)", LossByPattern},
	{everyCall, "every(100)", readEvery},
}

// gilbertElliottNames are the parameters in the order in which they are written.
var gilbertElliottNames = []string{"p", "r", "1-h", "1-k"}

// lossAliases are names that are refused with a suggestion.
var lossAliases = map[string]string{
	"gemodel": gilbertElliottCall, "ge": gilbertElliottCall, "gilbert": gilbertElliottCall, "elliott": gilbertElliottCall,
	"bursts": burstCall, "nth": everyCall, "every-nth": everyCall, "trace": fileCall,
}

// maxLossText is the longest text of a loss, in bytes: that of the longest
// pattern, and more than four probabilities have.
const maxLossText = 4 * maxText

// ParseLoss reads a loss: a probability such as "1%" or "0.01", or one of
// "gilbert-elliott(p, r, 1-h, 1-k)", "burst(mean, length)", "pattern(0010)",
// "every(n)" and "file(path)". The parameters of gilbert-elliott may be written
// with their names, as in "gilbert-elliott(p=1%, r=30%, 1-h=100%, 1-k=0%)", in
// any order; the last two may be left out and are then 100% and 0%. The space
// after a comma may be left out. An error is a *ParseError: what ParseProbability
// refuses, an unknown name, a wrong number of parameters, or a parameter that the
// model cannot have.
func ParseLoss(s string) (Loss, error) {
	l, err := readLoss(s)
	if err == nil {
		return l, nil
	}
	joined := squeeze(s)
	if strings.Contains(s, `"`) {
		joined = strings.TrimSpace(s) // a path may have spaces
	}
	if joined != "" && err.Suggestion == "" {
		if l, inner := readLoss(joined); inner == nil {
			err.Suggestion = l.String()
		}
	}
	if len(err.Suggestion) > maxText {
		err.Suggestion = "" // a pattern so long would hide the message
	}
	return Loss{}, err
}

func readLoss(s string) (Loss, *ParseError) {
	wrong := &ParseError{Found: s, Problem: "is not a loss", Want: lossWant}
	if len(s) > maxLossText {
		wrong.Want = "the text is too long"
		return Loss{}, wrong
	}
	if s != "" && (isDigit(s[0]) || s[0] == '-') {
		p, err := ParseProbability(s)
		if err != nil {
			return Loss{}, err.(*ParseError)
		}
		l, _ := Bernoulli(p) // what ParseProbability returns is valid
		return l, nil
	}
	name, rest, called := strings.Cut(s, "(")
	inside, closed := strings.CutSuffix(rest, ")")
	if name == fileCall {
		path, err := readCallPath(wrong, fileCall, inside, called && closed)
		if err != nil {
			return Loss{}, err
		}
		return LossFromFile(path, nil), nil
	}
	i := slices.IndexFunc(lossFamilies, func(f lossFamily) bool { return f.name == name })
	switch {
	case i < 0:
		return Loss{}, unknownLoss(wrong, name, inside, called)
	case !called || !closed:
		wrong.Want = "want " + quote(lossFamilies[i].example)
		return Loss{}, wrong
	}
	l, err := lossFamilies[i].read(inside)
	if err != nil {
		wrong.Want = err.Error()
		return Loss{}, wrong
	}
	return l, nil
}

// unknownLoss completes the error for a name that is none.
func unknownLoss(wrong *ParseError, name, inside string, called bool) *ParseError {
	name = strings.TrimSpace(name)
	if lower := strings.ToLower(name); called && (lower == "bernoulli" || lower == "random") {
		wrong.Want = fmt.Sprintf("write the probability alone: %s", quote(strings.TrimSpace(inside)))
		return wrong
	}
	names := make([]string, 0, len(lossFamilies)+1)
	for _, f := range lossFamilies {
		names = append(names, f.name)
	}
	names = append(names, fileCall)
	wrong.Suggestion = lossAliases[strings.ToLower(name)]
	if wrong.Suggestion == "" && !slices.Contains(names, name) { // else only the spaces are wrong
		wrong.Suggestion = Suggest(name, names)
	}
	if wrong.Suggestion == "" && called {
		wrong.Want = "want a probability, or one of " + strings.Join(names, ", ")
	}
	return wrong
}

// parameters cuts the text between parentheses at its commas; one space may
// follow each.
func parameters(inside string) []string {
	texts := strings.Split(inside, ",")
	for i := range texts[1:] {
		texts[i+1] = strings.TrimPrefix(texts[i+1], " ")
	}
	return texts
}

func readGilbertElliott(inside string) (Loss, error) {
	texts := parameters(inside)
	named := strings.Contains(inside, "=")
	if !named && (len(texts) < 2 || len(texts) > 4) {
		return Loss{}, errors.New(`want gilbert-elliott(p, r, 1-h, 1-k), of which the last two may be left out, such as "gilbert-elliott(1%, 30%)"`)
	}
	values := [4]Probability{2: 1}
	var given [4]bool
	for i, text := range texts {
		if named {
			name, value, ok := strings.Cut(text, "=")
			if !ok {
				return Loss{}, fmt.Errorf("%s has no name: name all parameters, as in %q, or none", quote(text), gilbertElliottExample)
			}
			if i = slices.Index(gilbertElliottNames, name); i < 0 {
				return Loss{}, fmt.Errorf("%s is not a parameter: want p, r, 1-h or 1-k", quote(name))
			}
			if given[i] {
				return Loss{}, fmt.Errorf("%s is given twice", name)
			}
			text = value
		}
		v, err := ParseProbability(text)
		if err != nil {
			return Loss{}, fmt.Errorf("%s %w", gilbertElliottNames[i], err)
		}
		values[i], given[i] = v, true
	}
	for i, name := range gilbertElliottNames[:2] {
		if !given[i] {
			return Loss{}, fmt.Errorf("%s is missing: want p and r, as in %q", name, gilbertElliottExample)
		}
	}
	return GilbertElliott(values[0], values[1], values[2], values[3])
}

func readBurst(inside string) (Loss, error) {
	texts := parameters(inside)
	if len(texts) != 2 {
		return Loss{}, errors.New(`want burst(mean loss, mean length in frames), such as "burst(3%, 4)"`)
	}
	mean, err := ParseProbability(texts[0])
	if err != nil {
		return Loss{}, fmt.Errorf("mean loss %w", err)
	}
	number, rest := splitNumber(texts[1])
	length, err := strconv.ParseFloat(number, 64)
	if err != nil || rest != "" {
		return Loss{}, fmt.Errorf("mean length %s is not a number of frames: want one such as 4 or 2.5", quote(texts[1]))
	}
	return Burst(mean, length)
}

func readEvery(inside string) (Loss, error) {
	n, err := strconv.Atoi(inside)
	if err != nil || digits(inside) != len(inside) || n == 0 {
		return Loss{}, fmt.Errorf(`%s is not a number of frames: want a whole one from 1, as in "every(100)"`, quote(inside))
	}
	return EveryNth(n)
}

// String writes l the way it is read: "1%", "burst(3%, 4)". The parameters of
// gilbert-elliott get their names, and those that are as if left out are left
// out: "gilbert-elliott(p=1%, r=30%)".
func (l Loss) String() string {
	switch l.kind {
	case LossGilbertElliott:
		if l.length > 0 {
			return burstCall + "(" + Probability(l.mean).String() + ", " + strconv.FormatFloat(l.length, 'f', -1, 64) + ")"
		}
		text := gilbertElliottCall + "(p=" + Probability(l.p).String() + ", r=" + Probability(l.r).String()
		if l.lossBad != 1 {
			text += ", 1-h=" + Probability(l.lossBad).String()
		}
		if l.lossGood != 0 {
			text += ", 1-k=" + Probability(l.lossGood).String()
		}
		return text + ")"
	case LossPattern:
		return patternCall + "(" + l.pattern + ")"
	case LossEvery:
		return everyCall + "(" + strconv.Itoa(l.every) + ")"
	case LossFile:
		return writePath(fileCall, l.path)
	}
	return Probability(l.p).String() // 0% for none
}

// MarshalText writes what String writes. It does not fail: there is no way to
// make a loss that cannot be written.
func (l Loss) MarshalText() ([]byte, error) {
	return []byte(l.String()), nil
}

// UnmarshalText reads what ParseLoss reads. A JSON number is read when its digits
// are handed over as the text.
func (l *Loss) UnmarshalText(text []byte) error {
	v, err := ParseLoss(string(text))
	return parsed(l, v, err)
}
