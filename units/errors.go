package units

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ParseError says why a text is not a value.
type ParseError struct {
	// Found is the text as it was written.
	Found string
	// Problem continues the sentence that Found begins, for example "is not
	// a duration".
	Problem string
	// Want says what would be right, for example `want 0% to 100%`.
	Want string
	// Suggestion is what was probably meant, or "" for no idea.
	Suggestion string
}

// Error joins the parts in one sentence. A suggestion takes the place of Want,
// because it says the same more exactly.
func (e *ParseError) Error() string {
	switch {
	case e.Suggestion != "":
		return fmt.Sprintf("%s %s; did you mean %s?", quote(e.Found), e.Problem, e.Suggestion)
	case e.Want != "":
		return fmt.Sprintf("%s %s: %s", quote(e.Found), e.Problem, e.Want)
	}
	return quote(e.Found) + " " + e.Problem
}

// quoteLimit is how much of a text an error repeats, in bytes.
const quoteLimit = 80

// quote quotes s and cuts it when it is so long that it would hide the message.
func quote(s string) string {
	if len(s) <= quoteLimit {
		return fmt.Sprintf("%q", s)
	}
	cut := quoteLimit
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return fmt.Sprintf("%q", s[:cut]+"…")
}

// squeeze returns s without spaces, for suggestions. It returns "" when there
// is no space, or when removing one would join two numbers.
func squeeze(s string) string {
	fields := strings.FieldsFunc(s, unicode.IsSpace)
	for i := 1; i < len(fields); i++ {
		before, after := fields[i-1], fields[i]
		if isDigit(before[len(before)-1]) && isDigit(after[0]) {
			return ""
		}
	}
	joined := strings.Join(fields, "")
	if joined == s {
		return ""
	}
	return joined
}
