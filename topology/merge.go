package topology

import "slices"

// merge returns the value that a JSON Merge Patch (RFC 7386) makes of target: members of objects replace those of the
// same name, null removes one, everything else is replaced as a whole. Neither argument is changed, and all values keep
// the places where they were written.
func merge(target, patch *value) *value {
	if patch.kind != objectKind {
		return patch
	}
	var out value
	if target != nil && target.kind == objectKind {
		out = *target
		out.children = slices.Clone(target.children)
	} else {
		out = *patch
		out.children = nil
	}
	at := make(map[string]int, len(out.children))
	for i, child := range out.children {
		at[child.name] = i
	}
	for _, change := range patch.children {
		i, known := at[change.name]
		switch {
		case change.kind == nullKind && known:
			out.children[i] = nil
			delete(at, change.name)
		case change.kind == nullKind:
		case known:
			out.children[i] = merge(out.children[i], change)
		default:
			at[change.name] = len(out.children)
			out.children = append(out.children, merge(nil, change))
		}
	}
	out.children = slices.DeleteFunc(out.children, func(v *value) bool { return v == nil })
	out.byName = make(map[string]*value, len(out.children))
	for _, child := range out.children {
		out.byName[child.name] = child
	}
	return &out
}

// without returns the object without some members.
func without(object *value, names ...string) *value {
	out := *object
	out.children = slices.DeleteFunc(slices.Clone(object.children), func(v *value) bool {
		return slices.Contains(names, v.name)
	})
	out.byName = make(map[string]*value, len(out.children))
	for _, child := range out.children {
		out.byName[child.name] = child
	}
	return &out
}
