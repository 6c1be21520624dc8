package topology

import (
	"bytes"
	"encoding/json"
	"iter"
	"slices"
)

// Map is a JSON object whose members keep the order that they have in the file. The zero value is empty and ready to use.
// A copy shares its entries with the original: call [Map.Clone] before changing one of them.
type Map[T any] struct {
	entries []Entry[T]
	index   map[string]int
}

// Entry is one member of a [Map].
type Entry[T any] struct {
	Name  string
	Value T
}

// MapOf returns a map of these entries; of several with one name the last counts, at the place of the first.
func MapOf[T any](entries ...Entry[T]) Map[T] {
	var m Map[T]
	for _, e := range entries {
		m.Set(e.Name, e.Value)
	}
	return m
}

// Len returns the number of members.
func (m Map[T]) Len() int { return len(m.entries) }

// IsZero says whether the map is empty, so that omitzero leaves it out of the JSON.
func (m Map[T]) IsZero() bool { return len(m.entries) == 0 }

// Entries returns the members in order. The slice belongs to the map.
func (m Map[T]) Entries() []Entry[T] { return m.entries }

// All iterates over names and values in order.
func (m Map[T]) All() iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for _, e := range m.entries {
			if !yield(e.Name, e.Value) {
				return
			}
		}
	}
}

// Get returns the value of that name and whether there is one.
func (m Map[T]) Get(name string) (T, bool) {
	if i, ok := m.index[name]; ok {
		return m.entries[i].Value, true
	}
	var zero T
	return zero, false
}

// Set puts a value under a name: in place where the name is known, at the end otherwise.
func (m *Map[T]) Set(name string, value T) {
	if i, ok := m.index[name]; ok {
		m.entries[i].Value = value
		return
	}
	if m.index == nil {
		m.index = map[string]int{}
	}
	m.index[name] = len(m.entries)
	m.entries = append(m.entries, Entry[T]{name, value})
}

// Clone returns a map of its own with the same entries. The values are copied as an assignment does.
func (m Map[T]) Clone() Map[T] {
	return MapOf(slices.Clone(m.entries)...)
}

// MarshalJSON writes an object with the members in order.
func (m Map[T]) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, e := range m.entries {
		if i > 0 {
			out.WriteByte(',')
		}
		name, err := marshal(e.Name)
		if err != nil {
			return nil, err
		}
		value, err := marshal(e.Value)
		if err != nil {
			return nil, err
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// newValue returns a pointer to a new zero T; with put it lets the decoder fill a Map of any T.
func (m *Map[T]) newValue() any { return new(T) }

// put sets what newValue returned.
func (m *Map[T]) put(name string, value any) { m.Set(name, *value.(*T)) }

// ordered is what a pointer to any Map implements.
type ordered interface {
	newValue() any
	put(name string, value any)
}

// marshal is json.Marshal, except that it leaves <, > and & as they are: expectations are full of them.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
