package expect

import (
	"strings"
	"unicode/utf8"
)

// kind is what a token is.
type kind uint8

const (
	end     kind = iota
	symbol       // an operator, a parenthesis or a comma; words are replaced by symbols
	literal      // a number with its unit
	name         // a figure
	word         // true or false
	function
	quoted
)

// token is a word of an expression.
type token struct {
	kind   kind
	text   string // as written, but for word operators: "and" is "&&", "or" is "||" and "not" is "!"
	offset int
	// number and dimension of a literal.
	number    quantity
	dimension Dimension
}

// words are the operators that are written as words.
var words = map[string]string{"and": "&&", "or": "||", "not": "!"}

// symbols are the operators, longer ones first; with advice where they are none.
var symbols = []struct{ text, advice string }{
	{"<=", ""}, {">=", ""}, {"==", ""}, {"!=", ""}, {"&&", ""}, {"||", ""},
	{"=>", "write >="}, {"=<", "write <="}, {"<>", "write !="}, {"=", "write == to compare"},
	{"&", "write and"}, {"|", "write or"}, {"%", "a percentage is written without a space, as in 99.9%"},
	{"^", "there are no powers: want one of + - * /"}, {"?", "there are no conditions: want one of and, or, not"},
	{"[", "a name is written with dots, as in nodes.web1.tcp.retransmits"},
	{"<", ""}, {">", ""}, {"+", ""}, {"-", ""}, {"*", ""}, {"/", ""}, {"!", ""}, {"(", ""}, {")", ""}, {",", ""},
}

// lexer cuts a text into tokens.
type lexer struct {
	text   string
	at     int
	known  *Figures
	tokens []token
}

// lex returns the tokens of a text; the last one is the end.
func lex(text string, known *Figures) ([]token, *Error) {
	l := &lexer{text: text, known: known}
	for {
		for l.at < len(text) && strings.IndexByte(" \t\r\n", text[l.at]) >= 0 {
			l.at++
		}
		if l.at == len(text) {
			return append(l.tokens, token{kind: end, offset: l.at}), nil
		}
		if err := l.next(); err != nil {
			return nil, err
		}
	}
}

func (l *lexer) push(k kind, text string) {
	l.tokens = append(l.tokens, token{kind: k, text: text, offset: l.at})
	l.at += len(text)
}

func (l *lexer) next() *Error {
	rest := l.text[l.at:]
	c := rest[0]
	switch {
	case c == '"' || c == '\'':
		closing := strings.IndexByte(rest[1:], c)
		if closing < 0 {
			return fail(l.at, "this text has no end: want another %c", c)
		}
		l.push(quoted, rest[:closing+2])
		return nil
	case digit(c) || letter(c):
		return l.word()
	case c == '.' && len(rest) > 1 && digit(rest[1]):
		return fail(l.at, "write a number with a digit before the point, as in 0.5")
	}
	for _, s := range symbols {
		if strings.HasPrefix(rest, s.text) {
			if s.advice != "" {
				return fail(l.at, "%s is not an operator: %s", s.text, s.advice)
			}
			l.push(symbol, s.text)
			return nil
		}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return fail(l.at, "unexpected %q: want a figure, a value or an operator", r)
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' }
func digit(c byte) bool  { return '0' <= c && c <= '9' }

// run returns the letters, digits, dots and hyphens that a text begins with, but for dots and hyphens at its end.
func run(text string) string {
	n := 0
	for n < len(text) && (letter(text[n]) || digit(text[n]) || text[n] == '.' || text[n] == '-') {
		n++
	}
	return strings.TrimRight(text[:n], ".-")
}

// figureAt returns the longest figure that a text begins with and that ends with the run of name characters or at a hyphen
// in it.
func (l *lexer) figureAt(text string) string {
	for r := run(text); r != ""; {
		if l.known.has(r) {
			return r
		}
		hyphen := strings.LastIndexByte(r, '-')
		if hyphen < 0 {
			return ""
		}
		r = r[:hyphen]
	}
	return ""
}

// word reads what begins with a letter or a digit.
func (l *lexer) word() *Error {
	rest := l.text[l.at:]
	whole := run(rest)
	found := l.figureAt(rest)
	switch {
	case found == whole:
		l.push(name, whole)
		return nil
	case found != "" && l.subtracts(rest[len(found):]):
		l.push(name, found)
		return nil
	case digit(rest[0]):
		return l.literal()
	}
	// and-x isn't a name, so a word ends where letters end.
	first := rest
	for i := range len(rest) {
		if !letter(rest[i]) && !digit(rest[i]) {
			first = rest[:i]
			break
		}
	}
	opens := strings.HasPrefix(strings.TrimLeft(rest[len(first):], " \t\r\n"), "(")
	switch _, isFunction := functions[first]; {
	case first == whole && words[first] != "":
		l.tokens = append(l.tokens, token{kind: symbol, text: words[first], offset: l.at})
		l.at += len(first)
		return nil
	case first == whole && (first == "true" || first == "false"):
		l.push(word, first)
		return nil
	case first == whole && opens && isFunction:
		l.push(function, first)
		return nil
	case first == whole && opens:
		return fail(l.at, "%s is not a function%s", first, didYouMean(first, functionNames))
	case first == whole && isFunction:
		return fail(l.at, "%s is a function: write %s(…)", first, first)
	}
	if len(l.tokens) > 0 {
		if last := l.tokens[len(l.tokens)-1]; last.kind == literal && last.dimension == Number {
			unit := whole
			if _, n := scanLiteral(last.text+rest, nil); n > len(last.text) {
				unit = (last.text + rest)[len(last.text):n]
			}
			if _, _, message := parseLiteral(last.text + unit); message == "" {
				return fail(last.offset, "a unit follows its number without a space: write %s", last.text+unit)
			}
		}
	}
	return fail(l.at, "%s", l.unknown(whole))
}

// subtracts says whether what follows a figure, from a hyphen on, can only be a subtraction.
func (l *lexer) subtracts(rest string) bool {
	rest = rest[1:]
	if l.figureAt(rest) != "" {
		return true
	}
	if _, n := scanLiteral(rest, l); n > 0 {
		return n >= len(run(rest))
	}
	for f := range functions {
		if strings.HasPrefix(rest, f+"(") {
			return true
		}
	}
	return false
}

// literal reads a number with its unit.
func (l *lexer) literal() *Error {
	text, _ := scanLiteral(l.text[l.at:], l)
	number, dimension, message := parseLiteral(text)
	if message != "" {
		return fail(l.at, "%s", message)
	}
	l.push(literal, text)
	t := &l.tokens[len(l.tokens)-1]
	t.number, t.dimension = number, dimension
	return nil
}
