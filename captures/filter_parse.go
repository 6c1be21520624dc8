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

// primitives are the words that choose by protocol.
var primitives = map[string]node{
	"tcp":   {op: opProto, value: protoTCP},
	"udp":   {op: opProto, value: protoUDP},
	"icmp4": {op: opProto, value: protoICMPv4, version: 4},
	"icmp6": {op: opProto, value: protoICMPv6, version: 6},
	"icmp": {op: opOr, kids: []node{
		{op: opProto, value: protoICMPv4, version: 4}, {op: opProto, value: protoICMPv6, version: 6},
	}},
	"arp": {op: opEther, value: etherARP},
	"ip":  {op: opEther, value: etherIPv4},
	"ip6": {op: opEther, value: etherIPv6},
}

// filterWords are the words with which a filter can begin.
var filterWords = []string{"tcp", "udp", "icmp", "icmp4", "icmp6", "arp", "ip", "ip6", "host", "port", "src", "dst", "not"}

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

// token is a word or a sign of a filter. The last one is empty.
type token struct {
	text   string
	offset int
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

// scan splits the text.
func (p *filterParser) scan() error {
	for i := 0; i < len(p.text); {
		c := p.text[i]
		n := 1
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case c == '(' || c == ')' || c == '!':
		case strings.HasPrefix(p.text[i:], "&&") || strings.HasPrefix(p.text[i:], "||"):
			n = 2
		default:
			n = strings.IndexFunc(p.text[i:], func(r rune) bool { return !isWord(r) })
			if n < 0 {
				n = len(p.text) - i
			}
			if n == 0 {
				r := []rune(p.text[i:])[0]
				return fault(token{offset: i}, "unexpected %q", r)
			}
		}
		p.tokens = append(p.tokens, token{p.text[i : i+n], i})
		i += n
	}
	p.tokens = append(p.tokens, token{"", len(p.text)})
	return nil
}

// isWord tells the characters of names, addresses, numbers and globs.
func isWord(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.:*[]", r)
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
	case "host", "port", "src", "dst":
		return p.qualified(t)
	}
	n, ok := primitives[t.text]
	if !ok {
		return node{}, p.unknown(t)
	}
	if word := p.peek().text; word == "port" || word == "src" || word == "dst" {
		q, err := p.qualified(p.next())
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

// qualified reads "[src|dst] host X" and "[src|dst] port N", whose first word is t.
func (p *filterParser) qualified(t token) (node, error) {
	n := node{}
	switch t.text {
	case "src", "dst":
		n.side = source
		if t.text == "dst" {
			n.side = destination
		}
		side := t.text
		if t = p.next(); t.text != "host" && t.text != "port" {
			return node{}, fault(t, `found %s after %q: want "host" or "port"`, t, side)
		}
	}
	value := p.next()
	var err error
	if t.text == "host" {
		n.op = opHost
		n.addrs, err = p.host(value)
	} else {
		n.op = opPort
		n.value, err = port16(value)
	}
	return n, err
}

func port16(t token) (uint16, error) {
	n, err := strconv.ParseUint(t.text, 10, 16)
	if err != nil || n == 0 {
		return 0, fault(t, "%s is not a port: want a number from 1 to 65535", t)
	}
	return uint16(n), nil
}

func (p *filterParser) host(t token) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(t.text); err == nil {
		return []netip.Addr{addr.Unmap()}, nil
	}
	if slices.Contains([]string{"", "(", ")", "!", "&&", "||"}, t.text) {
		return nil, fault(t, `found %s after "host": want the name of a node or an address`, t)
	}
	if p.resolve == nil {
		return nil, fault(t, "%s is not an address", t)
	}
	found, ok := p.resolve(t.text)
	if !ok {
		return nil, fault(t, "%s is neither a node nor an address", t)
	}
	if len(found) == 0 {
		return nil, fault(t, "node %s has no address", t)
	}
	addrs := make([]netip.Addr, len(found))
	for i, addr := range found {
		addrs[i] = addr.Unmap()
	}
	return addrs, nil
}

// String quotes the token for an error.
func (t token) String() string {
	if t.text == "" {
		return "the end"
	}
	return strconv.Quote(t.text)
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
	if p.resolve != nil {
		if _, ok := p.resolve(t.text); ok {
			return fault(t, `%s alone says nothing: write "host %s"`, t, t.text)
		}
	}
	if near := units.Suggest(t.text, filterWords); near != "" {
		return fault(t, "%s is not a filter; did you mean %s?", t, near)
	}
	return fault(t, "found %s: want %s or a parenthesis", t, strings.Join(filterWords, ", "))
}

// trailing is the error for a token after a complete filter.
func (p *filterParser) trailing(t token) error {
	if t.text == ")" {
		return fault(t, "this parenthesis was not opened")
	}
	if near := units.Suggest(t.text, []string{"and", "or"}); near != "" {
		return fault(t, `%s can't stand here; did you mean %s?`, t, near)
	}
	return fault(t, `found %s after a complete filter: want "and" or "or"`, t)
}
