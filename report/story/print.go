package story

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// headings are what stands over the chapters.
var headings = []string{"Who takes part", "What happened", "How the queues fared", "What was expected"}

// Print writes the story as text in lines of at most that many columns, 0 for 100: a paragraph for each sentence.
func (s *Story) Print(w io.Writer, width int) error {
	out := bufio.NewWriter(w)
	width = cmp.Or(width, defaultWidth)
	fmt.Fprintf(out, "%s\n%s\n", s.Title, strings.Repeat("=", utf8.RuneCountInString(s.Title)))
	last := -1
	for i := range s.Sentences {
		e := &s.Sentences[i]
		if c := chapter(e.Kind); c != last {
			last = c
			fmt.Fprintf(out, "\n%s\n\n", headings[c])
		}
		wrap(out, "  ", "    ", e.Text, width)
	}
	if len(s.Left) > 0 {
		var parts []string
		for _, l := range s.Left {
			words := order[rank(l.Kind)]
			word := words.plural
			if l.Count == 1 {
				word = words.one
			}
			parts = append(parts, number(l.Count)+" "+word)
		}
		fmt.Fprintln(out)
		wrap(out, "", "", "Left out to keep this short: "+list(parts)+".", width)
	}
	for _, n := range s.Notes {
		fmt.Fprintln(out)
		wrap(out, "", "", "Note: "+n+".", width)
	}
	return out.Flush()
}

// wrap writes a text in lines. The first begins with one indentation, the others with another.
func wrap(out *bufio.Writer, first, others, text string, width int) {
	line, empty := first, true
	for _, word := range strings.Fields(text) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			fmt.Fprintln(out, line)
			line, empty = others, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	fmt.Fprintln(out, line)
}
