package topology

import (
	"reflect"
	"slices"
	"strings"

	"netlab/services"
)

// walk visits every field of the decoded topology that the file could have written, configurations of services and
// workloads included. visit gets the place, the value and what its tag says; it returns whether to go on below it.
func walk(at place, v reflect.Value, visit func(at place, v reflect.Value, f structField) bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walk(at, v.Elem(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(at.item(i), v.Index(i), visit)
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			// What a map holds can't be set: a copy can, and goes back if it was.
			before := v.MapIndex(k)
			entry := reflect.New(v.Type().Elem()).Elem()
			entry.Set(before)
			walk(at.field(k.String()), entry, visit)
			if !reflect.DeepEqual(entry.Interface(), before.Interface()) {
				v.SetMapIndex(k, entry)
			}
		}
	case reflect.Struct:
		if v.CanAddr() {
			if m, ok := v.Addr().Interface().(interface{ walkEntries(func(string, any)) }); ok {
				m.walkEntries(func(name string, entry any) { walk(at.field(name), reflect.ValueOf(entry).Elem(), visit) })
				return
			}
		}
		if reflect.PointerTo(v.Type()).Implements(textUnmarshaler) {
			return
		}
		for _, f := range fieldsOf(v.Type()) {
			field := v.FieldByIndex(f.index)
			if visit(at.field(f.name), field, f) {
				walk(at.field(f.name), field, visit)
			}
		}
		switch x := v.Interface().(type) {
		case Service:
			walkConfig(at, x.Config, visit)
		case Workload:
			walkConfig(at, x.Config, visit)
		}
	}
}

func walkConfig(at place, c services.Config, visit func(place, reflect.Value, structField) bool) {
	if c != nil {
		walk(at, reflect.ValueOf(c), visit)
	}
}

// walkEntries calls visit with the name of each member and a pointer to its value.
func (m *Map[T]) walkEntries(visit func(name string, entry any)) {
	for i := range m.entries {
		visit(m.entries[i].Name, &m.entries[i].Value)
	}
}

// checkEnums reports values that their tag doesn't list. An empty value is the default unless the file says "".
func checkEnums(t *Topology, root place, problems *problems) {
	walk(root, reflect.ValueOf(t).Elem(), func(at place, v reflect.Value, f structField) bool {
		if len(f.enum) == 0 {
			return true
		}
		for v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		switch {
		case v.Kind() == reflect.String:
			checkEnumAt(at, v, f, problems)
		case v.Kind() == reflect.Slice:
			for i := range v.Len() {
				if e := v.Index(i); e.Kind() == reflect.String {
					checkEnumAt(at.item(i), e, f, problems)
				}
			}
		}
		return false
	})
}

func checkEnumAt(at place, v reflect.Value, f structField, problems *problems) {
	if v.String() == "" && !at.given() {
		return
	}
	if at.given() && at.v.kind != stringKind {
		return // already reported by the decoder
	}
	if message := checkEnum(f.name, v.String(), f.enum); message != "" {
		problems.taintf(at, "%s", message)
	}
}
