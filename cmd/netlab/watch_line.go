package main

import (
	"strings"
)

// line is a line of text in parts of different colours.
type line []part

// part is text in one colour, "" for none.
type part struct{ code, text string }

// words makes a line of one part.
func words(code, text string) line { return line{{code, text}} }

// width is how many columns the line takes.
func (l line) width() int {
	n := 0
	for _, p := range l {
		n += width(p.text)
	}
	return n
}

// cut returns the line in at most so many columns; what was left out is an ellipsis.
func (l line) cut(columns int) line {
	if l.width() <= columns {
		return l
	}
	var out line
	left := columns - 1
	for _, p := range l {
		runes := []rune(p.text)
		if len(runes) >= left {
			return append(out, part{p.code, string(runes[:max(left, 0)]) + "…"})
		}
		out = append(out, p)
		left -= len(runes)
	}
	return out
}

// ascii replaces the characters that netlab writes beyond ASCII. Others come from the user's file.
var ascii = strings.NewReplacer("→", "->", "←", "<-", "…", "~", "×", "x", "–", "-")

// encode turns lines into text.
func (w *watch) encode(lines []line) string {
	var b strings.Builder
	for _, l := range lines {
		for _, p := range l {
			text := p.text
			if w.plain {
				text = ascii.Replace(text)
			}
			if w.colour && p.code != "" {
				text = "\x1b[" + p.code + "m" + text + "\x1b[0m"
			}
			b.WriteString(text)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
