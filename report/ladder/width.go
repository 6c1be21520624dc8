package ladder

import (
	"strings"
	"unicode"

	eastasian "golang.org/x/text/width"
)

// cellsOf is how many columns of a terminal a character takes: two if it is wide (Unicode Standard Annex #11), else one. What has no width
// of its own is drawn as a dot.
func cellsOf(c rune) int {
	if c < 0x1100 || !unicode.IsPrint(c) {
		return 1
	}
	if k := eastasian.LookupRune(c).Kind(); k == eastasian.EastAsianWide || k == eastasian.EastAsianFullwidth {
		return 2
	}
	return 1
}

// width is how many columns a text takes.
func width(text string) int {
	n := 0
	for _, c := range text {
		n += cellsOf(c)
	}
	return n
}

// shorten cuts a text to n columns.
func shorten(text string, n int) string {
	if width(text) <= n {
		return text
	}
	if n < 1 {
		return ""
	}
	used := 0
	for i, c := range text {
		if used += cellsOf(c); used > n-1 {
			return strings.TrimRight(text[:i], " ") + "…"
		}
	}
	return text
}
