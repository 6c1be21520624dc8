package topology

import (
	"reflect"
	"strings"
	"sync"
)

// structField is a field of a struct as the file sees it.
type structField struct {
	name     string
	index    []int
	typ      reflect.Type
	required bool
	enum     []string
	// nonzero says that the zero value stands for a default, so that the file can't mean it. The tag is `zero:"refused"`.
	nonzero bool
}

var fieldCache sync.Map // reflect.Type to []structField

// fieldsOf returns the fields of a struct that have a name in JSON, with those of embedded structs, in order.
func fieldsOf(t reflect.Type) []structField {
	if cached, ok := fieldCache.Load(t); ok {
		return cached.([]structField)
	}
	var out []structField
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			for _, inner := range fieldsOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				out = append(out, inner)
			}
		case !f.IsExported() || name == "-":
		default:
			if name == "" {
				name = f.Name
			}
			field := structField{name: name, index: []int{i}, typ: f.Type, nonzero: f.Tag.Get("zero") == "refused"}
			for _, tag := range strings.Split(f.Tag.Get("jsonschema"), ",") {
				if value, ok := strings.CutPrefix(tag, "enum="); ok {
					field.enum = append(field.enum, value)
				}
				field.required = field.required || tag == "required"
			}
			out = append(out, field)
		}
	}
	fieldCache.Store(t, out)
	return out
}
