package expect

import (
	"fmt"
	"slices"
	"strings"

	"netlab/units"
)

// unknown says that there is no figure of a name, and which one was probably meant.
func (l *lexer) unknown(found string) string {
	none := "there is no figure " + found
	parts := strings.Split(found, ".")
	var alike []string // figures with as many parts, each the same or near
	for _, known := range l.known.names {
		if strings.Count(known, ".") == len(parts)-1 && near(parts, strings.Split(known, ".")) {
			alike = append(alike, known)
		}
	}
	if s := units.Suggest(found, alike); s != "" {
		return fmt.Sprintf("%s; did you mean %s?", none, s)
	}

	// The longest beginning of the name that exists, and what could follow it.
	for n := len(parts); n >= 0; n-- {
		path := strings.Join(parts[:n], ".")
		if n > 0 && l.known.has(path) {
			return fmt.Sprintf("%s is a figure and has no part %s", path, strings.Join(parts[n:], "."))
		}
		next := l.children(path)
		if len(next) == 0 {
			continue
		}
		if n == len(parts) {
			return fmt.Sprintf("%s is several figures: want one of them, %s", found, listed(path, next))
		}
		if s := units.Suggest(parts[n], next); s != "" {
			return fmt.Sprintf("%s; did you mean %s?", none, join(path, s)+tail(parts[n+1:]))
		}
		if n == 0 {
			break
		}
		return fmt.Sprintf("%s; %s has %s", none, path, listed("", next))
	}
	for _, known := range l.known.names {
		if strings.HasSuffix(known, "."+found) {
			return fmt.Sprintf("%s; did you mean %s?", none, known)
		}
	}
	if len(l.known.names) == 0 {
		return none + "; there are no figures at all"
	}
	return fmt.Sprintf("%s; figures begin with %s", none, listed("", l.children("")))
}

// near says whether each part of a name is that of a known one or a likely misspelling of it.
func near(found, known []string) bool {
	for i := range found {
		if found[i] != known[i] && units.Suggest(found[i], known[i:i+1]) == "" {
			return false
		}
	}
	return true
}

func tail(parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	return "." + strings.Join(parts, ".")
}

// children returns the parts that follow a path in the known figures.
func (l *lexer) children(path string) []string {
	prefix := path + "."
	if path == "" {
		prefix = ""
	}
	var next []string
	seen := map[string]bool{}
	for _, known := range l.known.names {
		if rest, ok := strings.CutPrefix(known, prefix); ok {
			part, _, _ := strings.Cut(rest, ".")
			if !seen[part] {
				seen[part] = true
				next = append(next, part)
			}
		}
	}
	return next
}

// listed joins up to six names.
func listed(path string, names []string) string {
	const most = 6
	var list []string
	for _, n := range names[:min(len(names), most)] {
		list = append(list, join(path, n))
	}
	if len(names) > most {
		list = append(list, fmt.Sprintf("… (%d more)", len(names)-most))
	}
	return strings.Join(list, ", ")
}

// didYouMean returns a suggestion among names, or all of them.
func didYouMean(found string, names []string) string {
	if s := units.Suggest(found, names); s != "" {
		return fmt.Sprintf("; did you mean %s?", s)
	}
	return ": want one of " + strings.Join(slices.Clone(names), ", ")
}
