package topology

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"slices"

	"netlab/units"
)

// NamedFiles returns the paths of the files that the topology names, such as tables of delays, sorted.
func (t *Topology) NamedFiles() []string { return slices.Sorted(maps.Keys(t.contents)) }

// NamedFile returns the content of a file that the topology names.
func (t *Topology) NamedFile(path string) []byte { return t.contents[path] }

// fileReader reads the files that a topology names and puts what they hold into the values that name them, once for each file and
// kind of value, so that equal values stay equal.
type fileReader struct {
	c      *checker
	tables map[string]*units.Table
	losses map[string]*units.LossTrace
	rates  map[string]*units.Opportunities
}

// loadFiles reads all files that the topology names.
func (c *checker) loadFiles() {
	r := &fileReader{c, map[string]*units.Table{}, map[string]*units.LossTrace{}, map[string]*units.Opportunities{}}
	walk(c.root, reflect.ValueOf(c.t).Elem(), func(at place, v reflect.Value, _ structField) bool {
		r.value(at, v)
		return true
	})
}

// value reads what a value names, also through a pointer.
func (r *fileReader) value(at place, v reflect.Value) {
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	switch v.Type() {
	case reflect.TypeFor[units.Distribution](), reflect.TypeFor[units.Loss](), reflect.TypeFor[units.LinkRate]():
	default:
		return
	}
	named := v.Interface().(interface{ File() string }).File()
	switch {
	case named == "" || loaded(v.Interface()):
	case !v.CanSet():
		r.c.addf(at, "a file can't be named here")
	default:
		if err := r.read(named, v.Addr().Interface()); err != nil {
			r.c.addf(at, "%s: %s", named, err)
		}
	}
}

// loaded says whether a value has what its file holds.
func loaded(value any) bool {
	switch x := value.(type) {
	case units.Distribution:
		return x.Table() != nil
	case units.Loss:
		return x.Trace() != nil
	case units.LinkRate:
		return x.Opportunities() != nil
	}
	return false
}

// read gives a value what its file holds.
func (r *fileReader) read(name string, value any) error {
	content, err := r.content(name)
	if err != nil {
		return err
	}
	switch x := value.(type) {
	case *units.Distribution:
		if r.tables[name] == nil {
			if r.tables[name], err = units.ParseTable(bytes.NewReader(content)); err != nil {
				return err
			}
		}
		*x = x.WithTable(r.tables[name])
	case *units.Loss:
		if r.losses[name] == nil {
			if r.losses[name], err = units.ParseLossTrace(bytes.NewReader(content)); err != nil {
				return err
			}
		}
		*x = x.WithTrace(r.losses[name])
	case *units.LinkRate:
		if r.rates[name] == nil {
			if r.rates[name], err = units.ParseOpportunities(bytes.NewReader(content)); err != nil {
				return err
			}
		}
		*x = x.WithOpportunities(r.rates[name])
	}
	return nil
}

// own are the names in a run's folder that are netlab's, where the files are copied to.
var own = []string{"captures", "results.json", "events.jsonl", "telemetry.json", "report.html", "topology.resolved.json"}

func (r *fileReader) content(name string) ([]byte, error) {
	t := r.c.t
	if content, ok := t.contents[name]; ok {
		return content, nil
	}
	if t.Files == nil {
		return nil, errors.New("there is no folder to read it from: set Topology.Files or the options' Files")
	}
	if first := path.Clean(name); slices.Contains(own, first) || slices.ContainsFunc(own, func(o string) bool { return len(first) > len(o) && first[:len(o)+1] == o+"/" }) {
		return nil, errors.New("the name is one of those that a run writes: give the file another one")
	}
	content, err := fs.ReadFile(t.Files, name)
	if err != nil {
		var pathError *fs.PathError
		if errors.As(err, &pathError) {
			err = pathError.Err
		}
		return nil, err
	}
	if t.contents == nil {
		t.contents = map[string][]byte{}
	}
	t.contents[name] = content
	return content, nil
}
