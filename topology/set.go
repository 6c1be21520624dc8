package topology

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tailscale/hujson"
)

// Setting replaces a value of a file, or adds one that the file leaves out.
type Setting struct {
	// Path says where, as error messages do: links.a--b.loss, nodes.web.services.shop.objects, faults[0].at. Nodes and the like go by
	// their names as the file has them, links by their ends or their name, elements of other lists by their name or their place
	// from 0.
	Path string
	// Value is a JSON value; what isn't JSON is text, so that 3% and "3%" are the same.
	Value string
}

// String returns the setting as the command line has it.
func (s Setting) String() string { return s.Path + "=" + s.Value }

// apply returns the file's tree with the setting in it, or says why that can't be.
func (s Setting) apply(root *value) (*value, error) {
	if s.Path == "" {
		return nil, fmt.Errorf("%q names nothing: want a path such as links.a--b.loss", s.Path)
	}
	switch first, _, _ := strings.Cut(s.Path, "."); first {
	case "name", "$schema", "variants", "sweep":
		return nil, fmt.Errorf("%q can't be set", first)
	case "seed":
		return nil, errors.New("\"seed\" can't be set: seeds have an option of their own")
	}
	return s.at(root, s.Path, nil)
}

// named are the objects and lists whose members a setting can't make: a new node would stand alone.
var named = map[string]string{"nodes": "node", "links": "link", "workloads": "workload", "addresses": "address", "profiles": "profile", "faults": "fault"}

// at returns v with the value put at a path below it. above are the steps that lead to v.
func (s Setting) at(v *value, path string, above []string) (*value, error) {
	if path == "" {
		return s.leaf(v), nil
	}
	switch v.kind {
	case objectKind:
		return s.member(v, path, above)
	case arrayKind:
		return s.element(v, path, above)
	case stringKind:
		if len(above) == 2 && above[0] == "links" { // "a - b" stands for an object
			between := *v
			between.name = "between"
			link := *v
			link.kind, link.children, link.byName = objectKind, []*value{&between}, map[string]*value{between.name: &between}
			return s.member(&link, path, above)
		}
	}
	return nil, fmt.Errorf("%s is %s and has no %q", strings.Join(above, "."), v.found(), strings.TrimPrefix(path, "."))
}

// member sets something in an object.
func (s Setting) member(v *value, path string, above []string) (*value, error) {
	name, rest := "", ""
	for _, child := range v.children { // names may hold dots and brackets: the longest that fits
		if len(child.name) > len(name) && strings.HasPrefix(path, child.name) {
			if after := path[len(child.name):]; after == "" || after[0] == '.' || after[0] == '[' {
				name, rest = child.name, after
			}
		}
	}
	known := name != ""
	if !known {
		if len(above) == 1 && named[above[0]] != "" {
			var names []string
			for _, child := range v.children {
				names = append(names, child.name)
			}
			return nil, unknownEntry(above[0], path, names)
		}
		name, rest, _ = strings.Cut(path, ".")
	}
	rest = strings.TrimPrefix(rest, ".")
	child := &value{kind: objectKind, parent: v, name: name, offset: v.offset, key: v.offset}
	if known {
		child = v.byName[name]
	} else if len(above) == 0 && named[name] != "" {
		return nil, fmt.Errorf("the file has no %s", name)
	}
	changed, err := s.at(child, rest, append(slices.Clone(above), name))
	if err != nil {
		return nil, err
	}
	out := *v
	out.children = slices.Clone(v.children)
	if known {
		out.children[slices.Index(v.children, child)] = changed
	} else {
		out.children = append(out.children, changed)
	}
	out.byName = make(map[string]*value, len(out.children))
	for _, c := range out.children {
		out.byName[c.name] = c
	}
	return &out, nil
}

// element sets something in a list.
func (s Setting) element(v *value, path string, above []string) (*value, error) {
	var names []string
	for i, child := range v.children {
		keys := append(elementNames(child), "["+strconv.Itoa(i)+"]")
		names = append(names, keys[0])
		for _, key := range keys {
			rest, ok := strings.CutPrefix(path, key)
			if !ok || rest != "" && rest[0] != '.' && rest[0] != '[' {
				continue
			}
			changed, err := s.at(child, strings.TrimPrefix(rest, "."), append(slices.Clone(above), key))
			if err != nil {
				return nil, err
			}
			out := *v
			out.children = slices.Clone(v.children)
			out.children[i] = changed
			return &out, nil
		}
	}
	return nil, unknownEntry(strings.Join(above, "."), path, names)
}

// elementNames returns by which names a list's element goes: what it says, or for a link its ends.
func elementNames(v *value) []string {
	var list []string
	add := func(v *value) {
		if v != nil && v.kind == stringKind {
			a, b, ok := strings.Cut(v.text, " - ")
			if ok {
				list = append(list, strings.TrimSpace(a)+"--"+strings.TrimSpace(b))
			} else {
				list = append(list, v.text)
			}
		}
	}
	if v.kind == stringKind {
		add(v)
		return list
	}
	add(v.member("name"))
	add(v.member("between"))
	return list
}

func unknownEntry(list, path string, names []string) error {
	first, _, _ := strings.Cut(path, ".")
	what, ok := named[list]
	if !ok {
		what = list + " element"
	}
	return fmt.Errorf("the file has no %s %q%s", what, first, didYouMean(first, names))
}

// leaf returns the setting's value in the place of v.
func (s Setting) leaf(v *value) *value {
	out := &value{key: v.key}
	text, err := hujson.Parse([]byte(s.Value))
	if err != nil || strings.TrimSpace(s.Value) == "" {
		text = hujson.Value{Value: hujson.String(s.Value)}
	}
	treeBuilder{&problems{}}.build(text, out)
	out.parent, out.name, out.index = v.parent, v.name, v.index
	out.setBy(v.offset, s.String())
	return out
}

// setBy notes that a value doesn't stand in the file, but replaces what stands at an offset.
func (v *value) setBy(offset int, setting string) {
	v.offset, v.set = offset, setting
	if v.key >= 0 && v.parent != nil && v.parent.set == setting {
		v.key = offset
	}
	for _, child := range v.children {
		child.setBy(offset, setting)
	}
}

// applySettings changes the trees of all variants.
func applySettings(trees []namedTree, settings []Setting, problems *problems) {
	for _, s := range settings {
		taken := false
		var failed error
		for i := range trees {
			root, err := s.apply(trees[i].root)
			if err != nil {
				failed = err
				continue
			}
			taken, trees[i].root = true, root
		}
		if !taken && failed != nil {
			problems.list = append(problems.list, Error{File: problems.src.name, Path: s.Path, Message: fmt.Sprintf("%v (set by %s)", failed, quote(s.String()))})
		}
	}
}
