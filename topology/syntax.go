package topology

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// hujsonError is how hujson words its errors; it exports no type for them. Columns count bytes.
var hujsonError = regexp.MustCompile(`(?s)^hujson: line (\d+), column (\d+): (.*)$`)

// explainSyntax turns an error of the parser into a position and a sentence that says what to do.
func explainSyntax(src *source, err error) (offset int, message string) {
	m := hujsonError.FindStringSubmatch(err.Error())
	if m == nil {
		return 0, err.Error()
	}
	line, _ := strconv.Atoi(m[1])
	column, _ := strconv.Atoi(m[2])
	if line > len(src.lines) { // the line break that parse appended
		return len(src.data), atEnd(src, m[3])
	}
	offset = min(src.lines[line-1]+column-1, len(src.data))
	if strings.HasSuffix(m[3], "unexpected EOF") {
		return offset, atEnd(src, m[3])
	}
	if literal, ok := strings.CutPrefix(m[3], "invalid literal: "); ok {
		return offset, explainLiteral(literal)
	}
	found := foundAt(src.data[offset:])
	switch {
	case strings.HasSuffix(m[3], "at start of value") && found == "'":
		return offset, `found ', wanted a value; text needs double quotes`
	case strings.HasSuffix(m[3], "at start of value"):
		return offset, fmt.Sprintf("found %s, wanted a value", found)
	case strings.HasSuffix(m[3], "at start of object name"):
		return offset, fmt.Sprintf("found %s, wanted a name in double quotes", found)
	case strings.HasSuffix(m[3], "after object name"):
		return offset, fmt.Sprintf("found %s, wanted a colon after the name", found)
	case strings.HasSuffix(m[3], "after object value (expecting ',' or '}')"):
		return offset, fmt.Sprintf("found %s, wanted a comma or } after the value", found)
	case strings.HasSuffix(m[3], "after array value (expecting ',' or ']')"):
		return offset, fmt.Sprintf("found %s, wanted a comma or ] after the value", found)
	case strings.HasSuffix(m[3], "after top-level value"):
		return offset, fmt.Sprintf("found %s after the end of the object; is there a closing brace too many?", found)
	}
	return offset, m[3]
}

// atEnd explains why the file ends too early.
func atEnd(src *source, problem string) string {
	switch {
	case len(strings.TrimSpace(string(src.data))) == 0:
		return "the file is empty"
	case strings.Contains(problem, "comment"):
		return "a comment that begins here has no */"
	case strings.Contains(problem, "string"):
		return "the file ends inside a string; a closing quote is missing"
	}
	return "the file ends too early; a value or a closing } or ] is missing"
}

// explainLiteral says what is wrong with a word, a number or a string.
func explainLiteral(literal string) string {
	switch {
	case strings.HasPrefix(literal, `"`) && strings.ContainsAny(literal, "\n\r"):
		return "a string must end on its line; a closing quote is missing"
	case strings.HasPrefix(literal, `"`):
		return fmt.Sprintf("%s is not a valid string: after a backslash comes one of \" \\ / b f n r t or u and four hex digits, "+
			"and there are no control characters", shorten(literal))
	case strings.ContainsAny(literal[:1], "0123456789+-."):
		return fmt.Sprintf("%s is not a number; a value with a unit needs double quotes", shorten(literal))
	}
	return fmt.Sprintf("%s is not a value; names and text need double quotes", shorten(literal))
}

// foundAt returns the character at the start of rest, or the word when it begins one.
func foundAt(rest []byte) string {
	for _, r := range string(rest) {
		if r == '\n' || r == '\r' {
			return "the end of the line"
		}
		return string(r)
	}
	return "the end of the file"
}
