package story

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// fold tells sentences of the same pattern once. where says how those that are folded differ.
func (s *Story) fold(pattern func(*Sentence) string, where string) {
	first := map[string]int{}
	again := map[int]*Sentence{} // by the sentence that is told: how often it happened again, and the last one
	kept := s.Sentences[:0]
	for _, e := range s.Sentences {
		p := pattern(&e)
		told, known := first[p]
		if p == "" || !known {
			first[p] = len(kept)
			kept = append(kept, e)
			continue
		}
		if e.Times == 0 {
			e.Until, e.last = e.At, e.Frames
		}
		e.Times++
		if other := again[told]; other != nil {
			e.Times += other.Times
			if other.Until > e.Until {
				e.Until, e.last = other.Until, other.last
			}
		}
		again[told] = &e
	}
	s.Sentences = kept
	for i := range kept {
		if again[i] != nil {
			kept[i].happenedAgain(again[i], where)
		}
	}
}

// happenedAgain adds to a sentence how often the same happened later, and when last.
func (s *Sentence) happenedAgain(later *Sentence, where string) {
	same := "The same"
	if s.Kind == Request || s.Kind == Loss || where != "" {
		same = "The like"
	}
	if later.Times == 1 {
		s.Text += fmt.Sprintf(" %s happened once more%s, at %s%s.", same, where, at(later.Until), parenthesis(later.last))
	} else {
		s.Text += fmt.Sprintf(" %s happened %s more times%s, the last time at %s%s.", same, number(later.Times), where, at(later.Until),
			parenthesis(later.last))
	}
	s.Times += later.Times
	if later.Until >= s.Until {
		s.Until, s.last = later.Until, later.last
	}
}

// wide is the pattern of a sentence without the names of the nodes and the numbers in it: a long story folds what is alike at several
// nodes. What concerns no node in particular is not folded.
func (t *teller) wide(e *Sentence) string {
	if e.pattern == "" && e.Kind != Queue && e.Kind != Datagram || len(e.nodes) == 0 {
		return ""
	}
	pattern := e.pattern
	if pattern == "" {
		pattern = string(e.Kind)
	}
	for _, n := range t.byLength {
		pattern = strings.ReplaceAll(pattern, n, "*")
	}
	return withoutDigits(pattern)
}

// shorten leaves out the least important sentences, and of those the last, until at most so many are left.
func (s *Story) shorten(limit int) {
	if len(s.Sentences) <= limit {
		return
	}
	index := make([]int, len(s.Sentences))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int { return cmp.Compare(rank(s.Sentences[a].Kind), rank(s.Sentences[b].Kind)) })
	out := map[int]bool{}
	counts := map[Kind]int{}
	for _, i := range index[limit:] {
		out[i] = true
		counts[s.Sentences[i].Kind]++
	}
	var kept []Sentence
	for i, e := range s.Sentences {
		if !out[i] {
			kept = append(kept, e)
		}
	}
	s.Sentences = kept
	for _, o := range order {
		if n := counts[o.kind]; n > 0 {
			s.Left = append(s.Left, Left{o.kind, n})
		}
	}
}
