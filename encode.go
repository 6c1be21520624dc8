package netlab

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// encodeReport writes what a service or workload reports as JSON for results.json: like encoding/json, but quantities are
// plain numbers in the unit that their field's name gives (nanoseconds, bytes, bits per second), where in a topology they
// are texts.
func encodeReport(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := encodeValue(&b, reflect.ValueOf(v)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// quantities is the package whose numbers are written as such.
const quantities = "netlab/units"

func encodeValue(b *bytes.Buffer, v reflect.Value) error {
	if !v.IsValid() {
		b.WriteString("null")
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("null")
			return nil
		}
		return encodeValue(b, v.Elem())
	case reflect.Int64, reflect.Float64:
		if v.Type().PkgPath() == quantities {
			plain := reflect.TypeFor[int64]()
			if v.Kind() == reflect.Float64 {
				plain = reflect.TypeFor[float64]()
			}
			return encodePlain(b, v.Convert(plain).Interface())
		}
	}
	if _, own := v.Interface().(json.Marshaler); own {
		return encodePlain(b, v.Interface())
	}
	switch v.Kind() {
	case reflect.Struct:
		if _, text := v.Interface().(interface{ MarshalText() ([]byte, error) }); !text {
			return encodeStruct(b, v)
		}
	case reflect.Map:
		return encodeMap(b, v)
	case reflect.Slice, reflect.Array:
		return encodeList(b, v)
	}
	return encodePlain(b, v.Interface())
}

func encodePlain(b *bytes.Buffer, v any) error {
	data, err := json.Marshal(v)
	b.Write(data)
	return err
}

func encodeStruct(b *bytes.Buffer, v reflect.Value) error {
	b.WriteByte('{')
	first := true
	err := encodeFields(b, v, &first)
	b.WriteByte('}')
	return err
}

func encodeFields(b *bytes.Buffer, v reflect.Value, first *bool) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		tag := field.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case tag == "-" || !field.IsExported():
			continue
		case field.Anonymous && name == "" && field.Type.Kind() == reflect.Struct:
			if err := encodeFields(b, v.Field(i), first); err != nil {
				return err
			}
			continue
		case field.Anonymous && name == "" && field.Type.Kind() == reflect.Pointer && field.Type.Elem().Kind() == reflect.Struct:
			if !v.Field(i).IsNil() {
				if err := encodeFields(b, v.Field(i).Elem(), first); err != nil {
					return err
				}
			}
			continue
		case strings.Contains(options, "omitempty") && empty(v.Field(i)), strings.Contains(options, "omitzero") && v.Field(i).IsZero():
			continue
		case name == "":
			name = field.Name
		}
		if err := encodeEntry(b, name, v.Field(i), first); err != nil {
			return err
		}
	}
	return nil
}

// empty says what encoding/json's omitempty leaves out.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice, reflect.Array, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

func encodeEntry(b *bytes.Buffer, name string, v reflect.Value, first *bool) error {
	if !*first {
		b.WriteByte(',')
	}
	*first = false
	if err := encodePlain(b, name); err != nil {
		return err
	}
	b.WriteByte(':')
	return encodeValue(b, v)
}

func encodeMap(b *bytes.Buffer, v reflect.Value) error {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
	b.WriteByte('{')
	first := true
	for _, k := range keys {
		if err := encodeEntry(b, k.String(), v.MapIndex(k), &first); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

func encodeList(b *bytes.Buffer, v reflect.Value) error {
	b.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := encodeValue(b, v.Index(i)); err != nil {
			return err
		}
	}
	b.WriteByte(']')
	return nil
}
