package captures

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"netlab/units"
)

// maxFilterDepth is how deep parentheses and "not" may nest.
const maxFilterDepth = 100

// ParseFilter reads the language described at [Filter]. resolve returns the addresses of a node by name; it may be nil,
// then only addresses can be given. An error is a [*FilterError].
func ParseFilter(text string, resolve func(name string) ([]netip.Addr, bool)) (*Filter, error) {
	p := &filterParser{text: text, resolve: resolve}
	if err := p.scan(); err != nil {
		return nil, err
	}
	if p.peek().text == "" {
		return &Filter{text: text}, nil
	}
	root, err := p.expression()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.text != "" {
		return nil, p.trailing(t)
	}
	return &Filter{text: text, root: root}, nil
}

type filterParser struct {
	text    string
	tokens  []token
	depth   int
	resolve func(string) ([]netip.Addr, bool)
}

func fault(t token, format string, args ...any) error {
	return &FilterError{Offset: t.offset, Problem: fmt.Sprintf(format, args...)}
}

func (p *filterParser) peek() token { return p.tokens[0] }

// next takes the token at hand. The empty one at the end stays.
func (p *filterParser) next() token {
	t := p.tokens[0]
	if t.text != "" {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *filterParser) take(words ...string) bool {
	if t := p.peek().text; t != "" && slices.Contains(words, t) {
		p.next()
		return true
	}
	return false
}

// expression reads terms that are joined by "and" and "or".
func (p *filterParser) expression() (node, error) {
	alternatives := node{op: opOr}
	for {
		all := node{op: opAnd}
		for {
			kid, err := p.term()
			if err != nil {
				return node{}, err
			}
			all.kids = append(all.kids, kid)
			join := p.peek()
			if !p.take("and", "&&") {
				break
			}
			if len(alternatives.kids) > 0 {
				return node{}, fault(join, `"or" before %q can be read in two ways: write parentheses`, join.text)
			}
		}
		alternatives.kids = append(alternatives.kids, all.only())
		if !p.take("or", "||") {
			return alternatives.only(), nil
		}
	}
}

// only returns the only kid of a node that has no more than one.
func (n node) only() node {
	if len(n.kids) == 1 {
		return n.kids[0]
	}
	return n
}

// term reads what can stand on either side of "and".
func (p *filterParser) term() (node, error) {
	t := p.next()
	switch t.text {
	case "not", "!", "(":
		if p.depth++; p.depth > maxFilterDepth {
			return node{}, fault(t, "nested more than %d deep", maxFilterDepth)
		}
		defer func() { p.depth-- }()
	}
	switch t.text {
	case "not", "!":
		kid, err := p.term()
		return node{op: opNot, kids: []node{kid}}, err
	case "(":
		n, err := p.expression()
		if err != nil {
			return node{}, err
		}
		if c := p.peek(); !p.take(")") {
			if c.text == "" {
				return node{}, fault(t, "this parenthesis is not closed")
			}
			return node{}, p.trailing(c)
		}
		return n, nil
	}
	f := formOf(t)
	if f == nil {
		return node{}, p.unknown(t)
	}
	n := f.node
	if f.read != nil {
		var err error
		if n, err = f.read(p, t); err != nil {
			return node{}, err
		}
	}
	if word := p.peek().text; slices.Contains(protocolWords, t.text) && (word == "port" || word == "src" || word == "dst") {
		end := p.next()
		q, err := formOf(end).read(p, end)
		if err != nil {
			return node{}, err
		}
		if q.op == opPort && t.text != "tcp" && t.text != "udp" {
			return node{}, fault(t, "%s has no ports: write tcp or udp", t.text)
		}
		return node{op: opAnd, kids: []node{n, q}}, nil
	}
	return n, nil
}

// formOf returns the form that begins with a word, or nil.
func formOf(t token) *filterForm {
	i := slices.IndexFunc(filterForms, func(f filterForm) bool { return f.word() == t.text })
	if i < 0 {
		return nil
	}
	return &filterForms[i]
}

// kind reads what may come after the word t: one of names. It returns its index, or -1 if the filter goes on after t.
func (p *filterParser) kind(t token, names []string) (int, error) {
	next := p.peek()
	if i := slices.Index(names, next.text); i >= 0 {
		p.next()
		return i, nil
	}
	if next.text == "" || next.text == ")" || next.joins() || slices.Contains(endWords, next.text) {
		return -1, nil // the caller knows what may come after a filter
	}
	if near := units.Suggest(next.text, slices.Concat(names, []string{"and", "or"})); near != "" {
		return 0, fault(next, "%s can't stand here; did you mean %s?", next, near)
	}
	return 0, fault(next, `found %s after %q: want %s, "and" or "or"`, next, t.text, strings.Join(names, ", "))
}

// unknown is the error for a word that begins no term.
func (p *filterParser) unknown(t token) error {
	if t.text == "" {
		return fault(t, `found the end: want a filter such as "tcp" or "host client"`)
	}
	if _, err := strconv.ParseUint(t.text, 10, 16); err == nil {
		return fault(t, `%s alone says nothing: write "port %s"`, t, t.text)
	}
	if _, err := netip.ParseAddr(t.text); err == nil {
		return fault(t, `%s alone says nothing: write "host %s"`, t, t.text)
	}
	if _, err := netip.ParsePrefix(t.text); err == nil {
		return fault(t, `%s alone says nothing: write "net %s"`, t, t.text)
	}
	if p.resolve != nil {
		if _, ok := p.resolve(t.text); ok {
			return fault(t, `%s alone says nothing: write "host %s"`, t, t.text)
		}
	}
	words := filterWords()
	switch {
	case t.text == "ack":
		return fault(t, `%s alone can mean two things: write "flags ack" for all segments with that flag, or "pure-ack"`, t)
	case slices.Contains(flagWords, t.text):
		return fault(t, `%s alone is not a filter: write "flags %s"`, t, t.text)
	case t.isQuoted():
		return fault(t, `%s alone says nothing: write "payload" before it`, t)
	}
	if near := units.Suggest(t.text, words); near != "" {
		return fault(t, "%s is not a filter; did you mean %s?", t, near)
	}
	return fault(t, "found %s: want %s or a parenthesis", t, strings.Join(words, ", "))
}

// trailing is the error for a token after a complete filter.
func (p *filterParser) trailing(t token) error {
	if t.text == ")" {
		return fault(t, "this parenthesis was not opened")
	}
	if near := units.Suggest(t.text, []string{"and", "or"}); near != "" && formOf(t) == nil {
		return fault(t, "%s can't stand here; did you mean %s?", t, near)
	}
	return fault(t, `found %s after a complete filter: want "and" or "or"`, t)
}
