package topology

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxNodes is how many nodes a lab may have.
const MaxNodes = 100_000

// MaxLinks is how many links a lab may have.
const MaxLinks = 1_000_000

// pattern is a name, a range or a glob. Brackets hold numbers and are never character classes.
type pattern struct {
	text  string
	form  patternForm
	stem  string
	lo    int // the range's bounds, both included
	hi    int
	width int // digits of zero-padded numbers, 0 when they aren't padded
}

type patternForm uint8

const (
	exactly  patternForm = iota // web
	numbered                    // web[1..3], web[01..12]
	members                     // web[*]: web and a number
	prefix                      // web*: any name that begins so
)

// parsePattern reads a pattern. It doesn't look at the characters of the names.
func parsePattern(s string) (pattern, error) {
	p := pattern{text: s, stem: s}
	bracket := strings.IndexAny(s, "[]")
	switch {
	case bracket < 0 && strings.HasSuffix(s, "*"):
		p.form, p.stem = prefix, s[:len(s)-1]
		if strings.Contains(p.stem, "*") {
			return p, fmt.Errorf("%s has more than one *", quote(s))
		}
		return p, nil
	case strings.Contains(strings.TrimSuffix(s, "[*]"), "*"):
		return p, fmt.Errorf("%s: * stands at the end (web*) or alone in brackets (web[*])", quote(s))
	case bracket < 0:
		return p, nil
	case strings.Count(s, "[") > 1 || strings.Count(s, "]") > 1:
		return p, fmt.Errorf("%s has several brackets: a name holds one range", quote(s))
	case s[bracket] == ']' || !strings.Contains(s, "]"):
		return p, fmt.Errorf("%s has a bracket without its partner", quote(s))
	case !strings.HasSuffix(s, "]"):
		return p, fmt.Errorf("%s has text after the bracket: a range ends the name", quote(s))
	}
	p.stem = s[:bracket]
	inner := s[bracket+1 : len(s)-1]
	if inner == "*" {
		p.form = members
		return p, nil
	}
	p.form = numbered
	return p, p.bounds(inner)
}

// bounds reads what is between the brackets of a range.
func (p *pattern) bounds(inner string) error {
	lo, hi, ok := strings.Cut(inner, "..")
	if !ok || !isNumber(lo) || !isNumber(hi) {
		problem := fmt.Errorf("%s is not a range: brackets hold two numbers such as [1..3], or *, never characters", quote(p.text))
		for _, sep := range []string{"-", "...", ":", ","} {
			if a, b, ok := strings.Cut(inner, sep); ok && isNumber(a) && isNumber(b) {
				return fmt.Errorf("%w; did you mean %q?", problem, p.stem+"["+a+".."+b+"]")
			}
		}
		return problem
	}
	padded := len(lo) > 1 && lo[0] == '0' || len(hi) > 1 && hi[0] == '0'
	switch {
	case len(lo) > 9 || len(hi) > 9:
		return fmt.Errorf("%s: numbers have at most nine digits", quote(p.text))
	case padded && len(lo) != len(hi):
		return fmt.Errorf("%s: numbers with leading zeros need the same number of digits", quote(p.text))
	case padded:
		p.width = len(lo)
	}
	p.lo, _ = strconv.Atoi(lo)
	p.hi, _ = strconv.Atoi(hi)
	switch {
	case p.lo > p.hi:
		return fmt.Errorf("%s counts down: write %q", quote(p.text), p.stem+"["+hi+".."+lo+"]")
	case p.count() > MaxNodes:
		return fmt.Errorf("%s stands for %d names: want at most %d", quote(p.text), p.count(), MaxNodes)
	}
	return nil
}

func isNumber(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// count returns how many names an exact name or a range stands for.
func (p *pattern) count() int {
	if p.form == numbered {
		return p.hi - p.lo + 1
	}
	return 1
}

// single says whether the pattern names one thing by its name.
func (p *pattern) single() bool { return p.form == exactly }

// nth returns the nth name of an exact name or a range.
func (p *pattern) nth(n int) string {
	if p.form != numbered {
		return p.stem
	}
	return p.stem + fmt.Sprintf("%0*d", p.width, p.lo+n)
}

// splitPair takes "a - b" apart. A hyphen without spaces belongs to a name.
func splitPair(s string) (a, b string, ok bool) {
	fields := strings.Fields(s)
	if len(fields) == 3 && fields[1] == "-" {
		return fields[0], fields[2], true
	}
	return "", "", false
}

// explainPair says why a text is no pair of ends.
func explainPair(s string) string {
	for _, sep := range []string{"<->", "->", "--", "-", "–", "—", ",", ":", " "} {
		a, b, ok := strings.Cut(s, sep)
		a, b = strings.TrimSpace(a), strings.TrimSpace(b)
		if ok && a != "" && b != "" && !strings.ContainsAny(a+b, " \t\n") {
			return fmt.Sprintf("%s does not name two ends; did you mean %q, with spaces around the hyphen?", quote(s), a+" - "+b)
		}
	}
	return fmt.Sprintf(`%s does not name two ends: want two names with a hyphen and spaces between them, such as "a - b"`, quote(s))
}
