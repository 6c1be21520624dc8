package httpcache

import (
	"strings"
	"time"
)

// parseTargeted reads a targeted field, which is a dictionary of structured fields (RFC 9213, section 2.1; RFC 9651, section 4.2.2).
// ok is false if it is none, if it is empty, or if a directive has a value of a type that it can't have: then the field is ignored.
func parseTargeted(text string) (c control, ok bool) {
	c = newControl()
	p := dictionary{rest: strings.Trim(text, " ")}
	any := false
	for p.rest != "" {
		name, value, valid := p.member()
		if !valid || !c.setTyped(name, value) {
			return c, false
		}
		any = true
	}
	return c, any && !p.failed
}

// setTyped notes a directive. Of one that comes twice the last counts, as in every dictionary.
func (c *control) setTyped(name string, value item) bool {
	if d := c.duration(name); d != nil {
		if value.kind != 'i' || value.number < 0 {
			return false
		}
		*d = time.Duration(min(value.number, maxSeconds)) * time.Second
		return true
	}
	if (name == "no-cache" || name == "private") && value.kind == 's' {
		c.set(name, value.text, true)
		return true
	}
	if flag := c.flag(name); flag != nil {
		if value.kind != '?' {
			return false
		}
		*flag = value.number == 1
	}
	return true
}

// item is a value of structured fields.
type item struct {
	kind   byte  // i integer, d decimal, s string, t token, b bytes, ? boolean, l inner list
	number int64 // of integers, and 1 for true
	text   string
}

// dictionary reads a dictionary of structured fields.
type dictionary struct {
	rest   string
	failed bool
}

// member reads one member and what divides it from the next.
func (p *dictionary) member() (name string, value item, ok bool) {
	if name, ok = p.key(); !ok {
		return "", item{}, false
	}
	value = item{kind: '?', number: 1}
	if p.skip('=') {
		if value, ok = p.value(); !ok {
			return "", item{}, false
		}
	}
	if !p.parameters() {
		return "", item{}, false
	}
	p.rest = strings.TrimLeft(p.rest, " \t")
	if p.rest == "" {
		return name, value, true
	}
	if !p.skip(',') {
		return "", item{}, false
	}
	p.rest = strings.TrimLeft(p.rest, " \t")
	return name, value, p.rest != "" // a comma at the end is a mistake
}

// skip skips a byte if it is there.
func (p *dictionary) skip(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// span takes bytes as long as they are allowed.
func (p *dictionary) span(allowed func(c byte) bool) string {
	n := 0
	for n < len(p.rest) && allowed(p.rest[n]) {
		n++
	}
	s := p.rest[:n]
	p.rest = p.rest[n:]
	return s
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func lower(c byte) bool { return c >= 'a' && c <= 'z' }

func letter(c byte) bool { return lower(c | 0x20) }

func (p *dictionary) key() (string, bool) {
	if p.rest == "" || !lower(p.rest[0]) && p.rest[0] != '*' {
		return "", false
	}
	return p.span(func(c byte) bool { return lower(c) || digit(c) || strings.IndexByte("_-.*", c) >= 0 }), true
}

func (p *dictionary) parameters() bool {
	for p.skip(';') {
		p.rest = strings.TrimLeft(p.rest, " ")
		if _, ok := p.key(); !ok {
			return false
		}
		if p.skip('=') {
			if _, ok := p.bare(); !ok {
				return false
			}
		}
	}
	return true
}

// value reads an item or an inner list, without the parameters behind it.
func (p *dictionary) value() (item, bool) {
	if !p.skip('(') {
		return p.bare()
	}
	for {
		p.rest = strings.TrimLeft(p.rest, " ")
		if p.skip(')') {
			return item{kind: 'l'}, true
		}
		if _, ok := p.bare(); !ok || !p.parameters() {
			return item{}, false
		}
		if p.rest == "" || p.rest[0] != ' ' && p.rest[0] != ')' {
			return item{}, false
		}
	}
}

// bare reads an item without parameters.
func (p *dictionary) bare() (item, bool) {
	if p.rest == "" {
		return item{}, false
	}
	switch c := p.rest[0]; {
	case c == '-' || digit(c):
		return p.number()
	case c == '"':
		return p.string()
	case c == '*' || letter(c):
		return item{kind: 't', text: p.span(func(c byte) bool { return tokenRune(rune(c)) && c < 0x7f || c == ':' || c == '/' })}, true
	case c == '?':
		p.rest = p.rest[1:]
		switch {
		case p.skip('1'):
			return item{kind: '?', number: 1}, true
		case p.skip('0'):
			return item{kind: '?'}, true
		}
	case c == ':':
		text, rest, found := strings.Cut(p.rest[1:], ":")
		p.rest = rest
		return item{kind: 'b', text: text}, found && !strings.ContainsFunc(text, func(r rune) bool {
			return !(r < 0x7f && (letter(byte(r)) || digit(byte(r))) || strings.ContainsRune("+/=", r))
		})
	}
	return item{}, false
}

func (p *dictionary) number() (item, bool) {
	const integerDigits, wholeDigits, fractionDigits = 15, 12, 3
	sign := int64(1)
	if p.skip('-') {
		sign = -1
	}
	whole := p.span(digit)
	if whole == "" || len(whole) > integerDigits {
		return item{}, false
	}
	if p.skip('.') {
		fraction := p.span(digit)
		return item{kind: 'd'}, len(whole) <= wholeDigits && fraction != "" && len(fraction) <= fractionDigits
	}
	n := int64(0)
	for i := range len(whole) {
		n = n*10 + int64(whole[i]-'0')
	}
	return item{kind: 'i', number: sign * n}, true
}

func (p *dictionary) string() (item, bool) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.rest = p.rest[i+1:]
			return item{kind: 's', text: b.String()}, true
		case c == '\\':
			if i++; i == len(p.rest) || p.rest[i] != '"' && p.rest[i] != '\\' {
				return item{}, false
			}
			b.WriteByte(p.rest[i])
		case c < ' ' || c >= 0x7f:
			return item{}, false
		default:
			b.WriteByte(c)
		}
	}
	return item{}, false
}
