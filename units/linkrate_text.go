package units

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	stepsCall    = "steps"
	rampCall     = "ramp"
	mahimahiCall = "mahimahi"
	everyWord    = "every " // before a period

	linkRateWant = `want a bit rate such as "10Mbit/s", "unlimited", or a schedule such as "steps(0s 10Mbit/s, 10s 1Mbit/s)"`
)

var scheduleExamples = map[RateKind]string{
	RateSteps: "steps(0s 10Mbit/s, 10s 1Mbit/s, every 30s)",
	RateRamp:  "ramp(0s 10Mbit/s, 10s 1Mbit/s, 20s 10Mbit/s)",
}

// linkRateNames are the words that a rate can begin with.
var linkRateNames = []string{stepsCall, rampCall, mahimahiCall, unlimited}

// linkRateAliases are words that are refused with a suggestion.
var linkRateAliases = map[string]string{
	"step": stepsCall, "linear": rampCall, "trace": mahimahiCall, fileCall: mahimahiCall,
	"infinite": unlimited, "inf": unlimited, "none": unlimited,
}

// maxLinkRateText is the longest text of a rate, in bytes: more than the longest
// schedule has, which needs some 60 bytes for each point.
const maxLinkRateText = 100 * maxPoints

// ParseLinkRate reads a rate: a bit rate such as "10Mbit/s", "unlimited",
// "steps(…)" or "ramp(…)" with points such as "10s 1Mbit/s" and perhaps a period
// such as "every 30s", or "mahimahi(path)". The space after a comma may be left
// out. An error is a *ParseError: what ParseBitRate refuses, a rate of zero, an
// unknown name, or offsets that are not in order.
func ParseLinkRate(s string) (LinkRate, error) {
	r, err := readLinkRate(s)
	if err == nil {
		return r, nil
	}
	// Spaces around the text, more than one, or one beside a parenthesis. A path
	// may have any.
	joined := strings.TrimSpace(s)
	if !strings.Contains(s, `"`) {
		joined = strings.Join(strings.Fields(s), " ")
		joined = strings.NewReplacer("( ", "(", " (", "(", " )", ")", " ,", ",").Replace(joined)
	}
	if joined != s && err.Suggestion == "" {
		if r, inner := readLinkRate(joined); inner == nil {
			err.Suggestion = r.String()
		}
	}
	if len(err.Suggestion) > maxText {
		err.Suggestion = "" // a schedule so long would hide the message
	}
	return LinkRate{}, err
}

func readLinkRate(s string) (LinkRate, *ParseError) {
	wrong := &ParseError{Found: s, Problem: "is not a link rate", Want: linkRateWant}
	if s == unlimited {
		return LinkRate{}, nil
	}
	if len(s) > maxLinkRateText {
		wrong.Want = "the text is too long"
		return LinkRate{}, wrong
	}
	if s != "" && (isDigit(s[0]) || s[0] == '-') {
		return readFixedRate(s)
	}
	name, rest, called := strings.Cut(s, "(")
	inside, closed := strings.CutSuffix(rest, ")")
	kind := RateSteps
	switch name {
	case mahimahiCall:
		path, err := readCallPath(wrong, mahimahiCall, inside, called && closed)
		if err != nil {
			return LinkRate{}, err
		}
		return TraceRate(path, nil), nil
	case stepsCall:
	case rampCall:
		kind = RateRamp
	default:
		return LinkRate{}, unknownLinkRate(wrong, name, called)
	}
	if !called || !closed {
		wrong.Want = "want " + quote(scheduleExamples[kind])
		return LinkRate{}, wrong
	}
	schedule, err := readSchedule(inside, kind)
	if err != nil {
		wrong.Want = err.Error()
		return LinkRate{}, wrong
	}
	return LinkRate{kind: kind, schedule: schedule}, nil
}

func readFixedRate(s string) (LinkRate, *ParseError) {
	b, err := ParseBitRate(s)
	if err, ok := err.(*ParseError); ok {
		// What is right for a bit rate may be zero, which is wrong here.
		if _, wrong := ParseLinkRate(err.Suggestion); wrong != nil {
			err.Suggestion = ""
		}
		return LinkRate{}, err
	}
	if b == 0 {
		return LinkRate{}, &ParseError{Found: s, Problem: "is not a link rate", Want: `want more than that, or "unlimited"`}
	}
	return FixedRate(b), nil
}

// unknownLinkRate completes the error for a name that is none.
func unknownLinkRate(wrong *ParseError, name string, called bool) *ParseError {
	name = strings.TrimSpace(name)
	wrong.Suggestion = linkRateAliases[strings.ToLower(name)]
	if wrong.Suggestion == "" && !slices.Contains(linkRateNames, name) { // else only the spaces are wrong
		wrong.Suggestion = Suggest(name, linkRateNames)
	}
	if wrong.Suggestion == "" && called {
		wrong.Want = "want a bit rate, or one of " + strings.Join(linkRateNames, ", ")
	}
	return wrong
}

// readSchedule reads the points and the period between the parentheses.
func readSchedule(inside string, kind RateKind) (schedule, error) {
	var s schedule
	texts := parameters(inside)
	if period, ok := strings.CutPrefix(texts[len(texts)-1], everyWord); ok {
		every, err := ParseDuration(period)
		if err != nil {
			return schedule{}, fmt.Errorf("the period %w", err)
		}
		if every == 0 {
			return schedule{}, errors.New("the period is 0s: want more than that")
		}
		s.every = every.Std()
		texts = texts[:len(texts)-1]
	}
	if len(texts) == 0 {
		return schedule{}, fmt.Errorf("want points before the period, as in %q", scheduleExamples[kind])
	}
	for i, text := range texts {
		offsetText, rateText, ok := strings.Cut(text, " ")
		if !ok {
			return schedule{}, fmt.Errorf(`point %d is %s: want an offset and a rate, as in "10s 1Mbit/s"`, i+1, quote(text))
		}
		offset, err := ParseDuration(offsetText)
		if err != nil {
			return schedule{}, fmt.Errorf("point %d: %w", i+1, err)
		}
		rate, err := ParseBitRate(rateText)
		if err != nil {
			return schedule{}, fmt.Errorf("point %d: %w", i+1, err)
		}
		if err := s.add(offset.Std(), rate); err != nil {
			return schedule{}, fmt.Errorf("point %d: %w", i+1, err)
		}
	}
	last := s.offset(s.count() - 1)
	if s.every > 0 && (s.every < last || s.every == last && kind == RateSteps) {
		limit := "more than"
		if kind == RateRamp {
			limit = "at least"
		}
		return schedule{}, fmt.Errorf("the period is %v: want %s the last offset, %v", Duration(s.every), limit, Duration(last))
	}
	return s, nil
}

// String writes r the way it is read: "10Mbit/s", "unlimited",
// "steps(0s 10Mbit/s, 10s 1Mbit/s, every 30s)", `mahimahi("lte.trace")`.
func (r LinkRate) String() string {
	switch r.kind {
	case RateFixed:
		return r.fixed.String()
	case RateTrace:
		return writePath(mahimahiCall, r.path)
	case RateSteps, RateRamp:
		name := stepsCall
		if r.kind == RateRamp {
			name = rampCall
		}
		var text strings.Builder
		text.WriteString(name + "(")
		r.schedule.write(&text)
		text.WriteString(")")
		return text.String()
	}
	return unlimited
}

// MarshalText writes what String writes. It does not fail: there is no way to
// make a rate that cannot be written.
func (r LinkRate) MarshalText() ([]byte, error) {
	return []byte(r.String()), nil
}

// UnmarshalText reads what ParseLinkRate reads.
func (r *LinkRate) UnmarshalText(text []byte) error {
	v, err := ParseLinkRate(string(text))
	return parsed(r, v, err)
}
