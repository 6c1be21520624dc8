package topology

import (
	"fmt"
	"strings"
)

// namedTree is the tree of one variant.
type namedTree struct {
	name string
	root *value
}

// variants returns the tree of each variant, or that of the file when it has none.
func variants(root *value, problems *problems) []namedTree {
	base := without(root, "variants", "sweep")
	section := root.member("variants")
	at := place{v: root}.field("variants")
	switch {
	case section == nil:
		return []namedTree{{"", base}}
	case section.kind != objectKind:
		problems.taintf(at, "found %s, wanted an object", section.found())
		return []namedTree{{"", base}}
	case len(section.children) == 0:
		return []namedTree{{"", base}}
	}
	var out []namedTree
	for _, patch := range section.children {
		at := at.field(patch.name)
		if message := checkLabel(patch.name, maxLabel); message != "" {
			problems.addf(at.name(), "%s", message)
		}
		if patch.kind != objectKind {
			problems.taintf(at, "found %s, wanted an object with the parts that change", patch.found())
			continue
		}
		for _, fixed := range []string{"variants", "sweep", "name", "$schema"} {
			if patch.member(fixed) != nil {
				problems.taintf(at.field(fixed).name(), "a variant can't change %q", fixed)
			}
		}
		out = append(out, namedTree{patch.name, merge(base, without(patch, "variants", "sweep", "name", "$schema"))})
	}
	return out
}

// joinVariants returns the errors of all variants. One that stands in the common part of the file but is a mistake in some
// variants only says in which.
func joinVariants(trees []namedTree, found [][]Error) []Error {
	in := map[Error][]string{}
	for i, list := range found {
		for _, e := range sorted(list) {
			in[e] = append(in[e], trees[i].name)
		}
	}
	var out []Error
	for _, list := range found {
		for _, e := range list {
			if names := in[e]; len(names) < len(trees) && !strings.HasPrefix(e.Path, "variants.") {
				e.Message += fmt.Sprintf(" (in variant %s)", strings.Join(names, ", "))
			}
			out = append(out, e)
		}
	}
	return out
}
