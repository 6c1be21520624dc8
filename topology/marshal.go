package topology

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/tailscale/hujson"

	"netlab/services"
)

// JSON returns the topology as a file: indented, in the order of the types, the same bytes every time. A link without
// properties is a string. It panics if a configuration can't be written as JSON, which is a mistake in its type.
func (t *Topology) JSON() []byte {
	text, err := marshal(t)
	if err != nil {
		panic(fmt.Sprintf("topology: %v", err))
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		panic(fmt.Sprintf("topology: %v", err))
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// MarshalJSON writes a link without properties as a string.
func (l Link) MarshalJSON() ([]byte, error) {
	if reflect.DeepEqual(l, Link{Between: l.Between}) {
		return marshal(l.Between)
	}
	type object Link
	return marshal(object(l))
}

// MarshalJSON writes a single pattern as a string.
func (p Patterns) MarshalJSON() ([]byte, error) {
	if len(p) == 1 {
		return marshal(p[0])
	}
	return marshal([]string(p))
}

// MarshalJSON writes the object as it is.
func (r RawObject) MarshalJSON() ([]byte, error) { return json.RawMessage(r).MarshalJSON() }

// MarshalJSON writes the type and the configuration as one object.
func (s Service) MarshalJSON() ([]byte, error) {
	type object Service
	return joined(object(s), s.Config)
}

// MarshalJSON writes what all workloads have and the configuration as one object.
func (w Workload) MarshalJSON() ([]byte, error) {
	type object Workload
	return joined(object(w), w.Config)
}

// joined writes the members of an object and those of a configuration as one object.
func joined(object any, config services.Config) ([]byte, error) {
	first, err := marshal(object)
	if err != nil || config == nil {
		return first, err
	}
	second, err := marshal(config)
	if err != nil {
		return nil, err
	}
	if second, err = withoutNulls(second); err != nil {
		return nil, err
	}
	if string(second) == "{}" {
		return first, nil
	}
	first[len(first)-1] = ','
	return append(first, second[1:]...), nil
}

// withoutNulls removes the members of objects that are null: lists and pointers that a configuration doesn't set. A file
// leaves them out.
func withoutNulls(text []byte) ([]byte, error) {
	if !bytes.Contains(text, []byte("null")) {
		return text, nil
	}
	tree, err := hujson.Parse(text)
	if err != nil {
		return nil, err
	}
	for v := range tree.All() {
		if object, ok := v.Value.(*hujson.Object); ok {
			object.Members = slices.DeleteFunc(object.Members, func(m hujson.ObjectMember) bool {
				return m.Value.Value.Kind() == nullKind
			})
		}
	}
	return tree.Pack(), nil
}
