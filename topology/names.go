package topology

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"netlab/units"
)

// maxLabel is the longest label of RFC 1123.
const maxLabel = 63

// maxLinkName is the longest name of a link: two labels and the two hyphens between them.
const maxLinkName = 2*maxLabel + 2

// reserved are the words that an expectation reads as something else than a workload.
var reserved = []string{
	"nodes", "links", "workloads", "faults", "run", "expect",
	"abs", "ceil", "count", "floor", "max", "mean", "median", "min", "percentile", "round", "stddev", "sum",
	"and", "else", "false", "if", "in", "nil", "not", "null", "or", "true",
}

// ReservedNames returns the names that a workload can't have because they mean something in expectations: the sections
// of the results, functions, operators and constants.
func ReservedNames() []string { return slices.Clone(reserved) }

// checkLabel returns what is wrong with a name, or "". Names are RFC 1123 labels in lower case.
func checkLabel(name string, longest int) string {
	const want = "want lower-case letters, digits and hyphens, with a letter or digit at both ends"
	switch {
	case name == "":
		return "the name is empty: " + want
	case len(name) > longest:
		return fmt.Sprintf("the name has %d characters: want at most %d", len(name), longest)
	case isLabel(name):
		return ""
	}
	if better := toLabel(name); isLabel(better) && units.Suggest(name, []string{better}) != "" {
		return fmt.Sprintf("%s is not a name: %s; did you mean %q?", quote(name), want, better)
	}
	return fmt.Sprintf("%s is not a name: %s", quote(name), want)
}

func isLabel(name string) bool {
	for i := 0; i < len(name); i++ {
		c := name[i]
		inner := i > 0 && i < len(name)-1
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' && inner) {
			return false
		}
	}
	return name != ""
}

// toLabel makes a label of a text: lower case, a hyphen for each run of other characters.
func toLabel(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	label := b.String()
	if len(label) > maxLabel {
		label = label[:maxLabel]
	}
	return strings.Trim(label, "-")
}

// nameOfFile returns the name of a lab whose file doesn't give one: the file's name without its ending, as a label.
func nameOfFile(filename string) string {
	base := filepath.Base(filename)
	name := toLabel(strings.TrimSuffix(base, filepath.Ext(base)))
	if name == "" {
		return "lab"
	}
	return name
}

// didYouMean returns "; did you mean …?" or "".
func didYouMean(found string, known []string) string {
	if s := units.Suggest(found, known); s != "" {
		return fmt.Sprintf("; did you mean %q?", s)
	}
	return ""
}
