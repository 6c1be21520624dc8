package topology

import (
	"fmt"
	"slices"
	"strings"
)

// Matcher finds names by patterns, everywhere in the file by the same rules: "web" is the name itself, "web[1..3]" are
// these three, which must all exist, "web[*]" is every name made of web and a number, "web*" every name that begins with
// web.
type Matcher struct {
	what  string
	names []string
	index map[string]int
	// hints counts down the suggestions that are still made: each compares with all names.
	hints int
}

// NewMatcher returns a matcher for these names, which are different from each other. what is what one of them is called
// in errors, such as "node".
func NewMatcher(what string, names []string) *Matcher {
	m := &Matcher{what: what, names: names, index: make(map[string]int, len(names)), hints: 2 * maxPrinted}
	for i, name := range names {
		m.index[name] = i
	}
	return m
}

// Names returns all names in order.
func (m *Matcher) Names() []string { return m.names }

// Index returns the place of a name among all names.
func (m *Matcher) Index(name string) (int, bool) {
	i, ok := m.index[name]
	return i, ok
}

// Match returns the indices of the names that the pattern stands for, ascending. That none does is an error, with a
// suggestion where there is one.
func (m *Matcher) Match(text string) ([]int, error) {
	p, err := parsePattern(text)
	if err != nil {
		return nil, err
	}
	switch p.form {
	case exactly:
		i, ok := m.index[text]
		if !ok {
			return nil, fmt.Errorf("no %s is called %s%s", m.what, quote(text), m.suggest(text, m.names))
		}
		return []int{i}, nil
	case numbered:
		return m.matchNumbered(&p)
	}
	var found []int
	for i, name := range m.names {
		rest, ok := strings.CutPrefix(name, p.stem)
		if ok && (p.form == prefix || isNumber(rest)) {
			found = append(found, i)
		}
	}
	switch {
	case len(found) > 0:
		return found, nil
	case p.form == members:
		return nil, fmt.Errorf("no %s's name is made of %s and a number%s", m.what, quote(p.stem), m.suggestStem(&p, "[*]"))
	}
	return nil, fmt.Errorf("no %s's name begins with %s%s", m.what, quote(p.stem), m.suggestStem(&p, "*"))
}

func (m *Matcher) matchNumbered(p *pattern) ([]int, error) {
	found := make([]int, 0, p.count())
	for n := range p.count() {
		i, ok := m.index[p.nth(n)]
		if !ok {
			return nil, fmt.Errorf("no %s is called %s%s", m.what, quote(p.nth(n)), m.suggest(p.nth(n), m.names))
		}
		found = append(found, i)
	}
	slices.Sort(found)
	return found, nil
}

// MatchAll returns the indices of the names that any of the patterns stands for, ascending, each once. A pattern without
// a match is an error; then index says which.
func (m *Matcher) MatchAll(patterns []string) (found []int, index int, err error) {
	for i, p := range patterns {
		some, err := m.Match(p)
		if err != nil {
			return nil, i, err
		}
		found = append(found, some...)
	}
	slices.Sort(found)
	return slices.Compact(found), 0, nil
}

func (m *Matcher) suggest(found string, known []string) string {
	if m.hints--; m.hints < 0 {
		return ""
	}
	return didYouMean(found, known)
}

// suggestStem suggests a pattern that matches: the stem of numbered names, or a name itself.
func (m *Matcher) suggestStem(p *pattern, suffix string) string {
	var stems []string
	for _, name := range m.names {
		if stem := strings.TrimRight(name, "0123456789"); stem != name {
			stems = append(stems, stem+suffix)
		} else {
			stems = append(stems, name)
		}
	}
	slices.Sort(stems)
	if _, ok := m.index[p.stem]; ok {
		return fmt.Sprintf("; did you mean %q?", p.stem)
	}
	return m.suggest(p.stem+suffix, slices.Compact(stems))
}

// selectNames returns the names at some indices.
func (m *Matcher) selectNames(indices []int) []string {
	names := make([]string, len(indices))
	for i, n := range indices {
		names[i] = m.names[n]
	}
	return names
}
