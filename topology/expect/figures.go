package expect

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"netlab/units"
)

// Figures is an ordered set of named figures, each with a dimension and perhaps a value. The zero value is empty.
type Figures struct {
	names []string
	index map[string]int
	list  []figure
	// open are the names of maps, below which there may be figures that nobody knows yet.
	open map[string]reflect.Type
}

// figure holds a value as int64, uint64, float64, bool or string; nil is no value.
type figure struct {
	dimension Dimension
	value     any
}

// Names returns the names in the order in which they were added.
func (f *Figures) Names() []string { return slices.Clone(f.names) }

// Dimension returns the dimension of a figure, and whether there is one of that name.
func (f *Figures) Dimension(name string) (d Dimension, ok bool) {
	found, ok := f.get(name)
	return found.dimension, ok
}

func (f *Figures) get(name string) (found figure, ok bool) {
	if i, ok := f.index[name]; ok {
		return f.list[i], true
	}
	return f.inMap(name)
}

func (f *Figures) has(name string) bool {
	_, ok := f.get(name)
	return ok
}

func (f *Figures) set(name string, dimension Dimension, value any) {
	if i, ok := f.index[name]; ok {
		f.list[i] = figure{dimension, value}
		return
	}
	if f.index == nil {
		f.index = map[string]int{}
	}
	f.index[name] = len(f.names)
	f.names = append(f.names, name)
	f.list = append(f.list, figure{dimension, value})
}

// maxDepth ends the walk through types that contain themselves.
const maxDepth = 16

// Add adds what v holds under a prefix: the fields of a struct by their JSON names, the values of a map by its sorted
// keys, or v itself if it is a single value; a name is joined with dots ("upload" and rtt.avg_ns become upload.rtt.avg).
//
//   - [units.Duration] and [time.Duration] are durations; a name that ends in _ns loses the ending
//   - [units.BitRate] is a bit rate; a name that ends in _bps loses the ending
//   - [units.Bytes] is a size, [units.Probability] a share, [units.Rate] a rate
//   - integers are counts, floating-point numbers are numbers, then there are bool and string
//   - what prints itself as text otherwise ([encoding.TextMarshaler]) is a text
//   - a nil pointer is a figure without a value, and so is NaN
//   - an empty map with strings as keys may have any key: a count below it is 0, and anything else has no value
//
// Slices, functions, unexported fields and fields with the tag json:"-" are left out. A name that was there already gets
// the new value and keeps its place.
func (f *Figures) Add(prefix string, v any) { f.add(prefix, reflect.ValueOf(v), true, 0) }

var (
	durationType    = reflect.TypeFor[units.Duration]()
	stdDurationType = reflect.TypeFor[time.Duration]()
	bitRateType     = reflect.TypeFor[units.BitRate]()
	bytesType       = reflect.TypeFor[units.Bytes]()
	shareType       = reflect.TypeFor[units.Probability]()
	rateType        = reflect.TypeFor[units.Rate]()
	textType        = reflect.TypeFor[encoding.TextMarshaler]()
)

// add adds a value. Below a nil pointer there are names but no values: present is false.
func (f *Figures) add(name string, v reflect.Value, present bool, depth int) {
	if !v.IsValid() || depth > maxDepth {
		return
	}
	set := func(dimension Dimension, value any) {
		if !present {
			value = nil
		}
		f.set(name, dimension, value)
	}
	switch t := v.Type(); {
	case t.Kind() == reflect.Pointer:
		if v.IsNil() {
			f.add(name, reflect.Zero(t.Elem()), false, depth+1)
			return
		}
		f.add(name, v.Elem(), present, depth+1)
	case t.Kind() == reflect.Interface:
		f.add(name, v.Elem(), present, depth+1)
	case t == durationType || t == stdDurationType:
		name = strings.TrimSuffix(name, "_ns")
		set(Duration, v.Int())
	case t == bitRateType:
		name = strings.TrimSuffix(name, "_bps")
		set(BitRate, v.Int())
	case t == bytesType:
		set(Size, v.Int())
	case t == shareType:
		set(Share, v.Float())
	case t == rateType:
		set(Rate, v.Float())
	case t.Implements(textType) && t.Kind() != reflect.Map:
		text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			set(Text, nil)
			return
		}
		set(Text, string(text))
	case v.CanInt():
		set(Count, v.Int())
	case v.CanUint():
		set(Count, v.Uint())
	case v.CanFloat():
		set(Number, v.Float())
	case t.Kind() == reflect.Bool:
		set(Flag, v.Bool())
	case t.Kind() == reflect.String:
		set(Text, v.String())
	case t.Kind() == reflect.Map:
		f.addMap(name, v, present, depth)
	case t.Kind() == reflect.Struct:
		f.addStruct(name, v, present, depth)
	}
}

func (f *Figures) addMap(name string, v reflect.Value, present bool, depth int) {
	if t := v.Type(); t.Key().Kind() == reflect.String && v.Len() == 0 {
		if f.open == nil {
			f.open = map[string]reflect.Type{}
		}
		f.open[name] = t.Elem()
	}
	entries := map[string]reflect.Value{}
	for iterator := v.MapRange(); iterator.Next(); {
		entries[fmt.Sprint(iterator.Key())] = iterator.Value()
	}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		f.add(join(name, key), entries[key], present, depth+1)
	}
}

func (f *Figures) addStruct(name string, v reflect.Value, present bool, depth int) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Tag.Get("json") == "-":
		case field.Anonymous && tag == "" && plainStruct(field.Type):
			f.add(name, v.Field(i), present, depth+1)
		case !field.IsExported():
		case tag == "":
			f.add(join(name, field.Name), v.Field(i), present, depth+1)
		default:
			f.add(join(name, tag), v.Field(i), present, depth+1)
		}
	}
}

// plainStruct says whether encoding/json puts an embedded field's fields beside those of the struct around it.
func plainStruct(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && !t.Implements(textType)
}

func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}
