package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// Format and Version are what the first line of a file of a history says. The format is described in docs/histories.md.
const (
	Format  = "netlab-history"
	Version = 1
)

// longestLine is how many bytes a line of a file may have.
const longestLine = 64 << 20

// header is the first line.
type header struct {
	Format   string `json:"format"`
	Version  int    `json:"version"`
	Workload string `json:"workload,omitempty"`
	Name     string `json:"name,omitempty"`
	Kind     string `json:"kind,omitempty"`
	Model    string `json:"model,omitempty"`
}

// Write writes a history as JSON lines: a header, then an operation a line, numbered from 0. Strings are to be UTF-8.
func (h *History) Write(w io.Writer) error {
	buffered := bufio.NewWriter(w)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(header{Format, Version, h.Workload, h.Name, h.Object, h.Model}); err != nil {
		return err
	}
	for i := range h.Operations {
		o := h.Operations[i]
		o.Index = i
		if err := encoder.Encode(&o); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

// Parse reads what [History.Write] wrote. Its errors name the file, by the name given, and the line. What isn't known is refused.
func Parse(r io.Reader, file string) (*History, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	line := 0
	fail := func(line int, err error) (*History, error) { return nil, fmt.Errorf("%s:%d: %w", file, line, err) }
	h := &History{}
	for lines.Scan() {
		line++
		if line == 1 {
			var first header
			if err := first.read(lines.Bytes()); err != nil {
				return fail(line, err)
			}
			h.Workload, h.Name, h.Object, h.Model = first.Workload, first.Name, first.Kind, first.Model
			continue
		}
		var o Operation
		if err := decode(lines.Bytes(), &o); err != nil {
			return fail(line, err)
		}
		if o.Index != len(h.Operations) {
			return fail(line, fmt.Errorf("found index %d, wanted %d", o.Index, len(h.Operations)))
		}
		h.Operations = append(h.Operations, o)
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("found a line of more than %d bytes", longestLine)
		}
		return fail(line+1, err)
	}
	if line == 0 {
		return fail(1, errors.New("found nothing, wanted the header of a history"))
	}
	if i, err := h.validate(); err != nil {
		return fail(i+2, err)
	}
	return h, nil
}

// read reads the first line.
func (h *header) read(line []byte) error {
	var says struct {
		Format  string
		Version int
	}
	if json.Unmarshal(line, &says) != nil || says.Format != Format {
		return fmt.Errorf("found %q, wanted a header with format %q", shorten(line), Format)
	}
	if says.Version != Version {
		return fmt.Errorf("found version %d, wanted %d", says.Version, Version)
	}
	if err := decode(line, h); err != nil {
		return err
	}
	if h.Kind != "" && !slices.Contains(objects, h.Kind) {
		return fmt.Errorf("found kind %q, wanted %s", h.Kind, strings.Join(objects, ", "))
	}
	if h.Model != "" && modelNamed(h.Model) == nil {
		return fmt.Errorf("found model %q, wanted %s", h.Model, strings.Join(modelNames(), ", "))
	}
	return nil
}

// decode reads one line into a struct. Fields that it doesn't have, or that come twice, are refused.
func decode(line []byte, to any) error {
	if err := checkFields(line, to); err != nil {
		return err
	}
	err := json.Unmarshal(line, to)
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Errorf("found a %s as %q, wanted %s", kind.Value, kind.Field, kind.Type)
	}
	return err
}

// checkFields refuses the fields of an object that a struct doesn't have, that are written otherwise, or come twice.
func checkFields(line []byte, to any) error {
	var known []string
	kind := reflect.TypeOf(to).Elem()
	for i := range kind.NumField() {
		name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
		known = append(known, name)
	}
	d := json.NewDecoder(bytes.NewReader(line))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return fmt.Errorf("found %q, wanted a JSON object", shorten(line))
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return fmt.Errorf("found no JSON: %w", err)
		}
		field, _ := token.(string)
		if !slices.Contains(known, field) {
			return fmt.Errorf("found the field %q, wanted one of %s", field, strings.Join(known, ", "))
		}
		if seen[field] {
			return fmt.Errorf("found the field %q twice", field)
		}
		seen[field] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("found no JSON: %w", err)
		}
	}
	return nil
}

// shorten returns the beginning of a line.
func shorten(line []byte) string {
	if len(line) > 60 {
		return string(line[:60]) + "…"
	}
	return string(line)
}
