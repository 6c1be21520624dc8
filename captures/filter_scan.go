package captures

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// token is a word, a sign or a text in quotes, with the quotes. The last token of a filter is empty.
type token struct {
	text   string
	offset int
}

// filterSigns are the signs, the longer ones before those with which they begin. "==" is none that a filter can have, but
// the error is about the whole of it.
var filterSigns = []string{"&&", "||", "==", "!=", "<=", ">=", "(", ")", "!", "=", "<", ">", ","}

// scan splits the text.
func (p *filterParser) scan() error {
	for i := 0; i < len(p.text); {
		rest := p.text[i:]
		if strings.ContainsRune(" \t\n\r", rune(rest[0])) {
			i++
			continue
		}
		n := strings.IndexFunc(rest, func(r rune) bool { return !isWord(r) })
		sign := slices.IndexFunc(filterSigns, func(sign string) bool { return strings.HasPrefix(rest, sign) })
		switch {
		case sign >= 0:
			n = len(filterSigns[sign])
		case rest[0] == '"':
			n = quotedLength(rest)
			if n < 0 {
				return fault(token{offset: i}, "this quote is not closed")
			}
		case n < 0:
			n = len(rest)
		case n == 0:
			r, _ := utf8.DecodeRuneInString(rest)
			return fault(token{offset: i}, "unexpected %q", r)
		}
		p.tokens = append(p.tokens, token{rest[:n], i})
		i += n
	}
	p.tokens = append(p.tokens, token{"", len(p.text)})
	return nil
}

// quotedLength returns the length in bytes of the quoted text that s begins with, or -1 if it has no end.
func quotedLength(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// isWord tells the characters of names, addresses, networks, numbers and globs.
func isWord(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.:*[]/", r)
}

func (t token) isWord() bool {
	r, _ := utf8.DecodeRuneInString(t.text)
	return isWord(r)
}

func (t token) isQuoted() bool { return strings.HasPrefix(t.text, `"`) }

// joins says whether the token joins two filters.
func (t token) joins() bool { return slices.Contains([]string{"and", "or", "&&", "||"}, t.text) }

// unquote returns what is in the quotes.
func (t token) unquote() (string, error) {
	text, err := strconv.Unquote(t.text)
	if err != nil || !utf8.ValidString(t.text) {
		return "", fault(t, `%s is not a quoted text: write what can't be printed as \x00, \n, \r or \t, a quote as \" and a backslash as \\`, t)
	}
	return text, nil
}

// String quotes the token for an error.
func (t token) String() string {
	switch {
	case t.text == "":
		return "the end"
	case t.isQuoted() && utf8.ValidString(t.text):
		return t.text
	}
	return strconv.Quote(t.text)
}
