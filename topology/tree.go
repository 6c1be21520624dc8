package topology

import (
	"fmt"
	"strconv"
	"strings"
)

// The kinds of JSON values; they are hujson's.
const (
	nullKind   = 'n'
	falseKind  = 'f'
	trueKind   = 't'
	stringKind = '"'
	numberKind = '0'
	objectKind = '{'
	arrayKind  = '['
)

// value is a JSON value that knows where it stands in the file, also after it was merged somewhere else.
type value struct {
	kind byte
	// text is the decoded text of a string, and the literal of everything else that is no object or list.
	text string
	// literal is the value as it is written, for strings and numbers.
	literal []byte
	// children are the members of an object or the elements of a list.
	children []*value
	byName   map[string]*value

	// parent is the object or list around the value in the file, name or index its place in there.
	parent *value
	name   string
	index  int
	// offset is where the value begins, key where its name does.
	offset, key int
	// set is the setting that put the value there, "" if it stands in the file.
	set string
}

// member returns the object's member of that name, or nil.
func (v *value) member(name string) *value {
	if v == nil {
		return nil
	}
	return v.byName[name]
}

// path says where the value stands, such as links[2].loss.
func (v *value) path() string {
	var parts []string
	for ; v != nil && v.parent != nil; v = v.parent {
		if v.parent.kind == arrayKind {
			parts = append(parts, "["+strconv.Itoa(v.index)+"]")
		} else {
			parts = append(parts, "."+v.name)
		}
	}
	var b strings.Builder
	for i := len(parts) - 1; i >= 0; i-- {
		b.WriteString(parts[i])
	}
	return strings.TrimPrefix(b.String(), ".")
}

// found describes the value for an error message.
func (v *value) found() string {
	switch v.kind {
	case objectKind:
		return "an object"
	case arrayKind:
		return "a list"
	case stringKind:
		return quote(v.text)
	}
	return shorten(v.text)
}

// quote puts text of the file in quotes for a message; long text is cut.
func quote(s string) string { return fmt.Sprintf("%q", shorten(s)) }

func shorten(s string) string {
	const most = 60
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most]) + "…"
}

// place is where something stands in the file, or would stand if it were given. It is also the path alone, for a
// topology that has no file.
type place struct {
	// v is the nearest value that the file has, nil without a file; rest is the path from there.
	v    *value
	rest string
	// entry is the value two levels below the root (a node, a link, a workload …) or above that the place belongs to.
	entry *value
	depth int
	// key means the name and not the value.
	key bool
}

// field returns the place of an object's member.
func (p place) field(name string) place { return p.down(p.member(name), "."+name) }

// item returns the place of a list's element. A list that may be written as its only element is that element.
func (p place) item(i int) place {
	if !p.given() {
		return p.down(nil, "["+strconv.Itoa(i)+"]")
	}
	if p.v.kind != arrayKind {
		return p
	}
	if i < len(p.v.children) {
		return p.down(p.v.children[i], "")
	}
	return p.down(nil, "["+strconv.Itoa(i)+"]")
}

// descend returns the place of something further down, named as in "records.www.a[1]". Names of members may hold dots.
func (p place) descend(path string) place {
	for path != "" {
		if index, rest, ok := strings.Cut(path, "]"); ok && path[0] == '[' {
			if i, err := strconv.Atoi(index[1:]); err == nil {
				p, path = p.item(i), strings.TrimPrefix(rest, ".")
				continue
			}
		}
		end := strings.IndexAny(path, ".[")
		for i, r := range path + "." {
			if (r == '.' || r == '[') && p.member(path[:i]) != nil {
				end = i
			}
		}
		if end <= 0 {
			end = len(path)
		}
		p, path = p.field(path[:end]), strings.TrimPrefix(path[end:], ".")
	}
	return p
}

func (p place) member(name string) *value {
	if p.given() && p.v.kind == objectKind {
		return p.v.member(name)
	}
	return nil
}

func (p place) down(child *value, step string) place {
	if child == nil {
		return place{v: p.v, rest: p.rest + step, entry: p.entry, depth: p.depth + 1}
	}
	next := place{v: child, entry: p.entry, depth: p.depth + 1}
	if next.depth <= 2 {
		next.entry = child
	}
	return next
}

// name returns the place of the value's name instead of the value.
func (p place) name() place {
	p.key = true
	return p
}

// given says whether the file has a value here. Without a file it is false.
func (p place) given() bool { return p.v != nil && p.rest == "" }

// path returns the path in the file.
func (p place) path() string {
	base := p.v.path()
	// A link that is a string has no fields, it is its between.
	if p.v != nil && p.v.kind == stringKind {
		return base
	}
	return strings.TrimPrefix(base+p.rest, ".")
}

// offset returns where in the file the place is, -1 without a file.
func (p place) offset() int {
	switch {
	case p.v == nil:
		return -1
	case p.key && p.rest == "" && p.v.key >= 0:
		return p.v.key
	}
	return p.v.offset
}
