package topology

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"netlab/services"
)

// decoder fills Go values from the tree, driven by their types and json tags. Mistakes are collected; what could not be
// decoded keeps its old value, and its entry is tainted.
type decoder struct {
	problems *problems
	catalog  Catalog
}

// shorthand is implemented by types that may also be written as a plain string.
type shorthand interface {
	setString(s string)
}

// listShorthand is implemented by types that may also be written as a list, which is one of their fields.
type listShorthand interface {
	// list returns a pointer to that field.
	list() any
}

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

// topology decodes a whole file.
func (d *decoder) topology(root *value) *Topology {
	t := new(Topology)
	d.decode(place{v: root}, reflect.ValueOf(t).Elem())
	return t
}

// decode fills target, which is addressable, with the value at a place.
func (d *decoder) decode(at place, target reflect.Value) {
	pointer := target.Addr().Interface()
	if x, ok := pointer.(services.Shorthand); ok && at.v.kind == stringKind {
		x.SetString(at.v.text)
		return
	}
	switch x := pointer.(type) {
	case *Service:
		d.service(at, x)
		return
	case *Workload:
		d.workload(at, x)
		return
	case ordered:
		d.ordered(at, x)
		return
	case shorthand:
		if at.v.kind == stringKind {
			x.setString(at.v.text)
			return
		}
		if l, ok := pointer.(listShorthand); ok && at.v.kind == arrayKind {
			d.decode(at, reflect.ValueOf(l.list()).Elem())
			return
		}
	case textShorthand:
		if at.v.kind == stringKind || at.v.kind == numberKind {
			d.shortText(at, x)
			return
		}
		if t, ok := pointer.(services.Toggle); ok && (at.v.kind == trueKind || at.v.kind == falseKind) {
			t.SetBool(at.v.kind == trueKind)
			return
		}
	case services.Toggle:
		if at.v.kind == trueKind || at.v.kind == falseKind {
			x.SetBool(at.v.kind == trueKind)
			return
		}
		if at.v.kind != objectKind {
			d.wrong(at, "true, false or an object")
			return
		}
		x.SetBool(true)
	case encoding.TextUnmarshaler:
		d.text(at, target.Type(), x)
		return
	}
	switch target.Kind() {
	case reflect.Pointer:
		elem := reflect.New(target.Type().Elem())
		d.decode(at, elem.Elem())
		target.Set(elem)
	case reflect.Struct:
		if d.is(at, objectKind, target.Type()) {
			d.fields(at, []reflect.Value{target}, nil)
		}
	case reflect.Slice:
		d.slice(at, target)
	case reflect.Map:
		d.goMap(at, target)
	default:
		d.scalar(at, target)
	}
}

// is reports a value that has another JSON type than wanted.
func (d *decoder) is(at place, kind byte, t reflect.Type) bool {
	if at.v.kind == kind {
		return true
	}
	d.wrong(at, want(t))
	return false
}

// wrong reports what was found and what was wanted.
func (d *decoder) wrong(at place, want string) {
	if at.v.kind == nullKind {
		d.problems.taintf(at, "found null, wanted %s; only a variant says null, to remove something", want)
		return
	}
	d.problems.taintf(at, "found %s, wanted %s", at.v.found(), want)
}

// fields decodes the members of an object into the fields of some structs. skip names members that the caller takes.
func (d *decoder) fields(at place, structs []reflect.Value, skip []string) {
	byName := map[string]reflect.Value{}
	enums := map[string][]string{}
	known := slices.Clone(skip)
	for _, s := range structs {
		for _, f := range fieldsOf(s.Type()) {
			byName[f.name], enums[f.name] = s.FieldByIndex(f.index), f.enum
			known = append(known, f.name)
		}
	}
	for _, child := range at.v.children {
		field, ok := byName[child.name]
		switch {
		case slices.Contains(skip, child.name):
		case !ok:
			d.unknown(at.field(child.name), known)
		case child.kind != stringKind && field.Kind() == reflect.String && len(enums[child.name]) > 0:
			d.wrong(at.field(child.name), "one of "+strings.Join(enums[child.name], ", "))
		default:
			d.decode(at.field(child.name), field)
		}
	}
	for _, s := range structs {
		for _, f := range fieldsOf(s.Type()) {
			if f.required && at.v.member(f.name) == nil {
				d.problems.taintf(at.field(f.name), "missing, wanted %s", want(f.typ))
			}
		}
	}
}

// unknown reports a field that there isn't.
func (d *decoder) unknown(at place, known []string) {
	const few = 16
	hint := didYouMean(at.v.name, known)
	if hint == "" && len(known) > 0 && len(known) <= few {
		hint = "; there are " + strings.Join(known, ", ")
	}
	d.problems.taintf(at.name(), "unknown field %s%s", quote(at.v.name), hint)
}

func (d *decoder) ordered(at place, target ordered) {
	if !d.is(at, objectKind, reflect.TypeOf(target).Elem()) {
		return
	}
	for _, child := range at.v.children {
		v := target.newValue()
		d.decode(at.field(child.name), reflect.ValueOf(v).Elem())
		target.put(child.name, v)
	}
}

func (d *decoder) slice(at place, target reflect.Value) {
	if !d.is(at, arrayKind, target.Type()) {
		return
	}
	out := reflect.MakeSlice(target.Type(), len(at.v.children), len(at.v.children))
	for i := range at.v.children {
		d.decode(at.item(i), out.Index(i))
	}
	target.Set(out)
}

func (d *decoder) goMap(at place, target reflect.Value) {
	if target.Type().Key().Kind() != reflect.String {
		panic(fmt.Sprintf("topology: %s has keys that are no strings", target.Type()))
	}
	if !d.is(at, objectKind, target.Type()) {
		return
	}
	out := reflect.MakeMapWithSize(target.Type(), len(at.v.children))
	for _, child := range at.v.children {
		elem := reflect.New(target.Type().Elem()).Elem()
		d.decode(at.field(child.name), elem)
		out.SetMapIndex(reflect.ValueOf(child.name).Convert(target.Type().Key()), elem)
	}
	target.Set(out)
}

// service decodes a service: its type and then the configuration of that type.
func (d *decoder) service(at place, s *Service) {
	if !d.is(at, objectKind, reflect.TypeFor[Service]()) {
		return
	}
	config, ok := d.config(at, services.Service, &s.Type)
	if ok {
		s.Config = config
		d.fields(at, []reflect.Value{reflect.ValueOf(config).Elem()}, []string{"type"})
	}
}

// workload decodes a workload: its type, what all workloads have, and then the configuration of that type.
func (d *decoder) workload(at place, w *Workload) {
	if !d.is(at, objectKind, reflect.TypeFor[Workload]()) {
		return
	}
	config, ok := d.config(at, services.Workload, &w.Type)
	if ok {
		w.Config = config
		d.fields(at, []reflect.Value{reflect.ValueOf(w).Elem(), reflect.ValueOf(config).Elem()}, nil)
		if t, _ := d.catalog.Lookup(services.Workload, w.Type); w.SLO != nil && !t.Outcomes {
			d.problems.taintf(at.field("slo"), "a %s makes no requests that are good or bad: wanted a workload such as http-load or ping", w.Type)
		}
	}
}

// config returns a new configuration with the defaults of the type that the object names.
func (d *decoder) config(at place, role services.Role, name *string) (services.Config, bool) {
	at = at.field("type")
	known := typeNames(d.catalog, role)
	switch {
	case !at.given():
		d.problems.taintf(at, "missing, wanted one of %s", strings.Join(known, ", "))
		return nil, false
	case at.v.kind != stringKind:
		d.wrong(at, fmt.Sprintf("the type of a %s, one of %s", role, strings.Join(known, ", ")))
		return nil, false
	}
	*name = at.v.text
	t, ok := d.catalog.Lookup(role, *name)
	if ok {
		return t.Config(), true
	}
	for _, other := range []services.Role{services.Service, services.Workload} {
		if _, ok := d.catalog.Lookup(other, *name); ok {
			d.problems.taintf(at, "%s is a %s, wanted a %s: one of %s", quote(*name), other, role, strings.Join(known, ", "))
			return nil, false
		}
	}
	hint := didYouMean(*name, known)
	if hint == "" {
		hint = "; there are " + strings.Join(known, ", ")
	}
	d.problems.taintf(at, "no %s has the type %s%s", role, quote(*name), hint)
	return nil, false
}
