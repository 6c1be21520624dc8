package expect

import (
	"fmt"
	"strings"
)

// operations are the functions behind the operators.
var operations = map[string]string{"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}

// together is the dimension of a sum of two that mix.
func together(a, b Dimension) Dimension {
	if a == b {
		return a
	}
	return Number
}

// comparable checks the two sides of a comparison.
func (p *parser) comparable(operator token, left, right node) *Error {
	equality := operator.text == "==" || operator.text == "!="
	for _, n := range []node{left, right} {
		if !n.dimension.numeric() && !equality {
			return fail(n.from, "%s is %s: it can be compared with == and != only", p.source(n), n.dimension)
		}
	}
	return p.alike(left, right)
}

// alike checks that two parts can be compared or added, and says otherwise which one is what.
func (p *parser) alike(left, right node) *Error {
	if left.dimension.mixes(right.dimension) {
		return nil
	}
	// What is wrong is the literal, if there is one; the right one else.
	other, wrong := left, right
	if left.bare && !right.bare {
		other, wrong = right, left
	}
	message := fmt.Sprintf("%s is %s; %s is %s", p.source(other), other.dimension, p.source(wrong), called(wrong, other.dimension))
	return fail(wrong.from, "%s%s", message, p.advice(other.dimension, wrong))
}

// called is what a part is: "a duration". A literal without a unit is said to be one where a unit is wanted.
func called(n node, want Dimension) string {
	if n.bare && n.dimension == Number && want.numeric() {
		return "a number without a unit"
	}
	return n.dimension.String()
}

// advice says how to write a literal so that it has a dimension, or "".
func (p *parser) advice(want Dimension, n node) string {
	text := p.source(n)
	if !n.bare || !want.numeric() || want.plain() {
		return ""
	}
	if n.dimension == Number {
		for _, unit := range map[Dimension][]string{Duration: {"ms"}, Size: {"MB", "B"}, BitRate: {"Mbit/s", "bit/s"}, Rate: {"/s"}}[want] {
			if _, d, message := parseLiteral(strings.TrimLeft(text, "- ") + unit); message == "" && d == want {
				return fmt.Sprintf(": write %s with its unit, as in %s", text, text+unit)
			}
		}
		return fmt.Sprintf(": want one such as %s", want.example())
	}
	if n.dimension == Size && want == BitRate {
		return fmt.Sprintf(": write %s/s for a bit rate", text)
	}
	return ""
}

// calculate returns the dimension of a sum, a difference, a product or a quotient.
func (p *parser) calculate(operator token, left, right node) (Dimension, *Error) {
	for _, n := range []node{left, right} {
		if !n.dimension.numeric() {
			return 0, fail(n.from, "%s wants numbers; %s is %s", operator.text, p.source(n), n.dimension)
		}
	}
	a, b := left.dimension, right.dimension
	switch operator.text {
	case "+", "-":
		if err := p.alike(left, right); err != nil {
			return 0, err
		}
		return together(a, b), nil
	case "*":
		switch {
		case a.plain() && b.plain():
			return Number, nil
		case b.plain():
			return a, nil
		case a.plain():
			return b, nil
		}
		return 0, fail(operator.offset, "%s is %s and %s is %s: one side of * has to be a plain number",
			p.source(left), a, p.source(right), b)
	}
	switch {
	case a.mixes(b):
		return Number, nil
	case b.plain():
		return a, nil
	}
	return 0, fail(operator.offset, "%s is %s and %s is %s: want %s or a plain number behind /", p.source(left), a, p.source(right), b, a)
}
