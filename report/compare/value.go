package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// A value of a JSON file is nil, a bool, a json.Number, a string, a list or an object, whose members keep their order.
type (
	list   []any
	object []member
	member struct {
		name  string
		value any
	}
)

// get returns the value of a member, or missing.
func (o object) get(name string) any {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return missing
}

// missing stands for a value that is not there.
var missing any = struct{ missing bool }{true}

// readFile reads a JSON file. A file that isn't there is an error for which [errors.Is] with [fs.ErrNotExist] holds.
func readFile(path string) (any, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := readValue(d)
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("%s: the file ends too early", path)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

func readValue(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		o := object{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := readValue(d)
			if err != nil {
				return nil, err
			}
			o = append(o, member{name.(string), v})
		}
		_, err = d.Token()
		return o, err
	case json.Delim('['):
		l := list{}
		for d.More() {
			v, err := readValue(d)
			if err != nil {
				return nil, err
			}
			l = append(l, v)
		}
		_, err = d.Token()
		return l, err
	}
	return t, nil
}

// text is a value in the words of a topology: strings as they are, the rest in one line as in JSON.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case object:
		var parts []string
		for _, m := range v {
			parts = append(parts, m.name+": "+text(m.value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case list:
		var parts []string
		for _, e := range v {
			parts = append(parts, text(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case nil:
		return "null"
	}
	if v == missing {
		return ""
	}
	return fmt.Sprint(v)
}

// names returns the names of the members of all objects, each once, in the order of their first mention.
func names(objects []object) (all []string) {
	seen := map[string]bool{}
	for _, o := range objects {
		for _, m := range o {
			if !seen[m.name] {
				seen[m.name] = true
				all = append(all, m.name)
			}
		}
	}
	return all
}

// keyed turns lists into objects: elements that all have a name (or say between which nodes they are) go by that, others by their
// place. Elements that are called the same go by their place too.
func keyed(lists []list) []object {
	for _, key := range []string{"name", "between"} {
		if objects, ok := keyedBy(lists, key); ok {
			return objects
		}
	}
	objects := make([]object, len(lists))
	for i, l := range lists {
		for n, e := range l {
			objects[i] = append(objects[i], member{fmt.Sprintf("%d", n), e})
		}
	}
	return objects
}

func keyedBy(lists []list, key string) ([]object, bool) {
	objects := make([]object, len(lists))
	for i, l := range lists {
		for _, e := range l {
			o, _ := e.(object)
			name, ok := o.get(key).(string)
			if !ok || slices.ContainsFunc(objects[i], func(m member) bool { return m.name == name }) {
				return nil, false
			}
			objects[i] = append(objects[i], member{name, e})
		}
	}
	return objects, true
}
