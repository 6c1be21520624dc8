package topology

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/tailscale/hujson"
)

// maxDepth is how deep objects and lists may be nested; a real file needs nine levels.
const maxDepth = 100

// parse reads the text into a tree. Mistakes in the syntax and duplicate keys are added to the problems; the result is nil
// when there is no tree.
func parse(src *source, problems *problems) *value {
	if offset, message := precheck(src.data); message != "" {
		problems.addAt(place{}, offset, message)
		return nil
	}
	// hujson wants a line comment to end with its line.
	text := append(src.data[:len(src.data):len(src.data)], '\n')
	tree, err := hujson.Parse(text)
	if err != nil {
		offset, message := explainSyntax(src, err)
		problems.addAt(place{}, offset, message)
		return nil
	}
	b := treeBuilder{problems}
	return b.build(tree, &value{key: -1})
}

// precheck finds what hujson would let pass or could not survive.
func precheck(data []byte) (offset int, message string) {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i, fmt.Sprintf("byte 0x%02x is not UTF-8 text", data[i])
		}
		i += n
	}
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '/':
			i = skipComment(data, i)
		case '{', '[':
			if depth++; depth > maxDepth {
				return i, fmt.Sprintf("more than %d objects and lists inside each other", maxDepth)
			}
		case '}', ']':
			depth--
		}
	}
	return 0, ""
}

// skipComment returns the offset of the last byte of the comment that begins at i, or i when none does.
func skipComment(data []byte, i int) int {
	if i+1 >= len(data) {
		return i
	}
	switch data[i+1] {
	case '/':
		for i < len(data) && data[i] != '\n' {
			i++
		}
	case '*':
		for i += 3; i < len(data) && (data[i] != '/' || data[i-1] != '*'); i++ {
		}
	}
	return i
}

// treeBuilder makes values of hujson's tree.
type treeBuilder struct{ problems *problems }

// build fills v, which knows its place among its parent's children already.
func (b treeBuilder) build(h hujson.Value, v *value) *value {
	v.kind, v.offset = byte(h.Value.Kind()), h.StartOffset
	switch x := h.Value.(type) {
	case hujson.Literal:
		v.literal = x
		v.text = string(x)
		if v.kind == stringKind {
			v.text = decodeString(x)
		}
	case *hujson.Array:
		for i, e := range x.Elements {
			v.children = append(v.children, b.build(e, &value{parent: v, index: i, key: -1}))
		}
	case *hujson.Object:
		v.byName = make(map[string]*value, len(x.Members))
		for _, m := range x.Members {
			name := decodeString(m.Name.Value.(hujson.Literal))
			child := b.build(m.Value, &value{parent: v, name: name, key: m.Name.StartOffset})
			if first := v.byName[name]; first != nil {
				line, _ := b.problems.src.position(first.key)
				b.problems.taintf(place{v: child, key: true}, "%s is already on line %d", quote(name), line)
				continue
			}
			v.byName[name] = child
			v.children = append(v.children, child)
		}
	}
	return v
}

// decodeString returns the text of a string literal that the parser has found valid.
func decodeString(literal []byte) string {
	var s string
	if err := json.Unmarshal(literal, &s); err != nil {
		panic(fmt.Sprintf("topology: the parser let the string %s pass: %v", literal, err))
	}
	return s
}
