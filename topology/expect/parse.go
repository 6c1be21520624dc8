package expect

import (
	"fmt"
	"strings"
)

// node is a part of an expression.
type node struct {
	dimension Dimension
	code      string // for expr
	from, to  int    // place in the text
	// bare says that it is a literal, lone that it is a literal or a figure.
	bare, lone bool
}

// parser checks the dimensions and writes what expr evaluates: calls with figures and literals by their number.
type parser struct {
	text     string
	known    *Figures
	tokens   []token
	at       int
	depth    int
	figures  []string
	literals []quantity
	texts    []string
}

// maxNesting bounds parentheses and the like.
const maxNesting = 50

func (p *parser) peek() token { return p.tokens[p.at] }

// accept takes the next token if it is one of these symbols.
func (p *parser) accept(symbols ...string) (token, bool) {
	t := p.peek()
	if t.kind == symbol {
		for _, s := range symbols {
			if t.text == s {
				p.at++
				return t, true
			}
		}
	}
	return t, false
}

// source returns a part of the expression as it was written.
func (p *parser) source(n node) string { return p.text[n.from:n.to] }

// end returns where the token before the current one ends.
func (p *parser) end() int {
	t := p.tokens[p.at-1]
	length := len(t.text)
	if t.kind == symbol && !strings.HasPrefix(p.text[t.offset:], t.text) {
		for word, s := range words {
			if s == t.text {
				length = len(word)
			}
		}
	}
	return t.offset + length
}

func (p *parser) nest(offset int) *Error {
	if p.depth++; p.depth > maxNesting {
		return fail(offset, "nested too deeply: want at most %d levels", maxNesting)
	}
	return nil
}

func (p *parser) either() (node, *Error) { return p.logical("||", "or", p.both) }
func (p *parser) both() (node, *Error)   { return p.logical("&&", "and", p.not) }

// logical reads operands that are joined by "or" or "and".
func (p *parser) logical(operator, called string, operand func() (node, *Error)) (node, *Error) {
	left, err := operand()
	for err == nil {
		if _, ok := p.accept(operator); !ok {
			return left, nil
		}
		var right node
		if right, err = operand(); err != nil {
			break
		}
		for _, n := range []node{left, right} {
			if err := p.wantFlag(n, called); err != nil {
				return node{}, err
			}
		}
		left = node{dimension: Flag, code: fmt.Sprintf("(%s %s %s)", left.code, operator, right.code), from: left.from, to: right.to}
	}
	return node{}, err
}

func (p *parser) wantFlag(n node, called string) *Error {
	if n.dimension == Flag {
		return nil
	}
	return fail(n.from, "%s joins conditions; %s is %s: compare it, as in %s", called, p.source(n), n.dimension, p.compared(n))
}

// compared is a comparison with a part of the expression, as an example.
func (p *parser) compared(n node) string {
	if n.dimension == Text {
		return fmt.Sprintf("%s == %s", p.source(n), n.dimension.example())
	}
	return fmt.Sprintf("%s > %s", p.source(n), n.dimension.example())
}

func (p *parser) not() (node, *Error) {
	t, ok := p.accept("!")
	if !ok {
		return p.comparison()
	}
	if err := p.nest(t.offset); err != nil {
		return node{}, err
	}
	n, err := p.not()
	p.depth--
	if err != nil {
		return node{}, err
	}
	if n.dimension != Flag {
		return node{}, fail(n.from, "not wants a condition; %s is %s: compare it, as in %s", p.source(n), n.dimension, p.compared(n))
	}
	return node{dimension: Flag, code: "(not " + n.code + ")", from: t.offset, to: n.to}, nil
}

var comparisons = []string{"<", "<=", ">", ">=", "==", "!="}

func (p *parser) comparison() (node, *Error) {
	left, err := p.terms()
	if err != nil {
		return node{}, err
	}
	operator, ok := p.accept(comparisons...)
	if !ok {
		return left, nil
	}
	right, err := p.terms()
	if err != nil {
		return node{}, err
	}
	if again, ok := p.accept(comparisons...); ok {
		return node{}, fail(again.offset, "comparisons can't be chained: join two with and")
	}
	if err := p.comparable(operator, left, right); err != nil {
		return node{}, err
	}
	n := node{dimension: Flag, from: left.from, to: right.to}
	if left.dimension.numeric() {
		n.code = fmt.Sprintf("(compare(%s, %s) %s 0)", left.code, right.code, operator.text)
	} else {
		n.code = fmt.Sprintf("(%s %s %s)", left.code, operator.text, right.code)
	}
	return n, nil
}

func (p *parser) terms() (node, *Error)   { return p.arithmetic(p.factors, "+", "-") }
func (p *parser) factors() (node, *Error) { return p.arithmetic(p.unary, "*", "/") }

// arithmetic reads operands that are joined by these operators.
func (p *parser) arithmetic(operand func() (node, *Error), operators ...string) (node, *Error) {
	left, err := operand()
	for err == nil {
		operator, ok := p.accept(operators...)
		if !ok {
			return left, nil
		}
		var right node
		if right, err = operand(); err != nil {
			break
		}
		var dimension Dimension
		if dimension, err = p.calculate(operator, left, right); err != nil {
			break
		}
		code := fmt.Sprintf("%s(%s, %s)", operations[operator.text], left.code, right.code)
		left = node{dimension: dimension, code: code, from: left.from, to: right.to}
	}
	return node{}, err
}

func (p *parser) unary() (node, *Error) {
	t, ok := p.accept("-")
	if !ok {
		return p.primary()
	}
	if err := p.nest(t.offset); err != nil {
		return node{}, err
	}
	n, err := p.unary()
	p.depth--
	if err != nil {
		return node{}, err
	}
	if !n.dimension.numeric() {
		return node{}, fail(n.from, "- wants a number; %s is %s", p.source(n), n.dimension)
	}
	return node{dimension: n.dimension, code: "negate(" + n.code + ")", from: t.offset, to: n.to, bare: n.bare}, nil
}

func (p *parser) primary() (node, *Error) {
	t := p.peek()
	p.at++
	n := node{from: t.offset, to: t.offset + len(t.text), lone: true}
	switch t.kind {
	case literal:
		n.dimension, n.bare = t.dimension, true
		n.code = fmt.Sprintf("literal(%d)", len(p.literals))
		p.literals = append(p.literals, t.number)
		return n, nil
	case name:
		n.dimension, _ = p.known.Dimension(t.text)
		n.code = fmt.Sprintf("%s(%d)", readers[n.dimension], p.figure(t.text))
		return n, nil
	case word:
		n.dimension, n.code = Flag, t.text
		return n, nil
	case quoted:
		n.dimension, n.bare = Text, true
		n.code = fmt.Sprintf("quoted(%d)", len(p.texts))
		p.texts = append(p.texts, t.text[1:len(t.text)-1])
		return n, nil
	case function:
		return p.call(t)
	case end:
		return node{}, fail(t.offset, "the expression ends here: want a figure or a value")
	}
	if t.text != "(" {
		return node{}, fail(t.offset, "unexpected %s: want a figure or a value", p.source(node{from: t.offset, to: p.end()}))
	}
	if err := p.nest(t.offset); err != nil {
		return node{}, err
	}
	inner, err := p.either()
	p.depth--
	if err != nil {
		return node{}, err
	}
	if next, ok := p.accept(")"); !ok {
		return node{}, p.unexpected(next, "want )")
	}
	inner.from, inner.to, inner.lone = t.offset, p.end(), false
	return inner, nil
}

// figure returns the number of a figure in the expression.
func (p *parser) figure(name string) int {
	for i, f := range p.figures {
		if f == name {
			return i
		}
	}
	p.figures = append(p.figures, name)
	return len(p.figures) - 1
}

// unexpected is about a token behind a complete part.
func (p *parser) unexpected(t token, want string) *Error {
	if t.kind == end {
		return fail(t.offset, "the expression ends here: %s", want)
	}
	p.at++
	return fail(t.offset, "unexpected %s: %s", p.source(node{from: t.offset, to: p.end()}), want)
}
