package topology

import "fmt"

// LinkMatch is a link that a text names.
type LinkMatch struct {
	// Index is the link's place in a resolved topology.
	Index int
	// Reversed says that the text names the link's ends the other way round, so that forward in the text is backward on
	// the link.
	Reversed bool
}

// MatchLinks returns the links of a resolved topology that a text names, in file order: "a - b" for those between two
// nodes, whichever way they are written, with ranges and globs for those between any of them, or a link's name, or a
// pattern of names.
func (t *Topology) MatchLinks(text string) ([]LinkMatch, error) {
	return newLab(t).matchLinks(text)
}

func (l *lab) matchLinks(text string) ([]LinkMatch, error) {
	var matches []LinkMatch
	left, right, ok := splitPair(text)
	if !ok {
		named, err := l.ids.Match(text)
		for _, i := range named {
			matches = append(matches, LinkMatch{Index: i})
		}
		return matches, err
	}
	as, err := l.nodes.Match(left)
	if err != nil {
		return nil, err
	}
	bs, err := l.nodes.Match(right)
	if err != nil {
		return nil, err
	}
	inA, inB := set(as), set(bs)
	for i, p := range l.links {
		forward := inA[p.ends[0]] && inB[p.ends[1]]
		if forward || inA[p.ends[1]] && inB[p.ends[0]] {
			matches = append(matches, LinkMatch{i, !forward})
		}
	}
	if len(matches) == 0 {
		return nil, fmt.Errorf("no link joins %s and %s", left, right)
	}
	return matches, nil
}

func set(indices []int) map[int]bool {
	s := make(map[int]bool, len(indices))
	for _, i := range indices {
		s[i] = true
	}
	return s
}
