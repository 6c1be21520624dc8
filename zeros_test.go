package netlab_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/services"
	"netlab/services/catalog"
	"netlab/units"
)

// A field whose zero value stands for a default refuses a zero in the file, of whatever service or workload it is: it would mean
// something else than it says.
func TestZerosThatMeanADefaultAreRefused(t *testing.T) {
	refused := 0
	for _, typ := range catalog.All() {
		for field, zero := range refusedZeros(reflect.TypeOf(typ.Config()).Elem()) {
			refused++
			config := fmt.Sprintf(`"it": {"type": %q, %s %q: %s}`, typ.Name, requiredFields(reflect.TypeOf(typ.Config()).Elem()), field, zero)
			file := fmt.Sprintf(`{"nodes": {"a": {"services": {%s}}}}`, config)
			if typ.Role == services.Workload {
				file = fmt.Sprintf(`{"nodes": {"a": {}}, "duration": "1s", "workloads": {%s}}`, strings.Replace(config, `"type"`, `"from": "a", "type"`, 1))
			}
			_, err := netlab.Parse("x.json", []byte(file), nil)
			require.ErrorContains(t, err, "it."+field+": found "+strings.Trim(zero, `"`)+", wanted more than", "%s.%s", typ.Name, field)
		}
	}
	require.Greater(t, refused, 20)
}

// refusedZeros returns the fields of a configuration that refuse zeros, with the zero in the file's language. Objects in it are left out.
func refusedZeros(t reflect.Type) map[string]string {
	zeros := map[string]string{}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			for name, zero := range refusedZeros(f.Type) {
				zeros[name] = zero
			}
			continue
		}
		if f.Tag.Get("zero") != "refused" {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch f.Type {
		case reflect.TypeFor[units.Duration](), reflect.TypeFor[units.Bytes](), reflect.TypeFor[units.Probability](), reflect.TypeFor[units.Rate]():
			zeros[name] = fmt.Sprintf("%q", fmt.Sprint(reflect.Zero(f.Type)))
		default:
			zeros[name] = "0"
		}
	}
	return zeros
}

// requiredFields returns the fields of a configuration that can't be left out, as a file has them.
func requiredFields(t reflect.Type) (text string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
			text += requiredFields(f.Type)
		case !strings.Contains(f.Tag.Get("jsonschema"), "required"):
		default:
			value := map[string]string{"keys": `{"count": 10}`, "url": `"http://a/"`, "rate": `"1/s"`}[name]
			if value == "" {
				value = `"a:80"`
			}
			text += fmt.Sprintf("%q: %s,", name, value)
		}
	}
	return text
}
