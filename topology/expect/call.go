package expect

// call reads the parenthesis behind a function's name.
func (p *parser) call(t token) (node, *Error) {
	p.at++ // the lexer has seen the parenthesis
	if err := p.nest(t.offset); err != nil {
		return node{}, err
	}
	n := node{from: t.offset, code: t.text + "("}
	var first node
	for count := 0; ; count++ {
		if _, ok := p.accept(")"); ok && count == 0 {
			return node{}, fail(t.offset, "%s of what? Want %s(…)", t.text, t.text)
		}
		argument, err := p.terms()
		if err != nil {
			return node{}, err
		}
		if !argument.dimension.numeric() {
			return node{}, fail(argument.from, "%s wants numbers; %s is %s", t.text, p.source(argument), argument.dimension)
		}
		if count == 0 {
			first, n.dimension = argument, argument.dimension
		} else {
			if err := p.alike(first, argument); err != nil {
				return node{}, err
			}
			n.code += ", "
			n.dimension = together(n.dimension, argument.dimension)
		}
		n.code += argument.code
		next, ok := p.accept(",", ")")
		if !ok {
			return node{}, p.unexpected(next, "want , or )")
		}
		if next.text == ")" {
			break
		}
		if t.text == "abs" {
			return node{}, fail(next.offset, "abs takes one value")
		}
	}
	p.depth--
	n.code += ")"
	n.to = p.end()
	return n, nil
}
