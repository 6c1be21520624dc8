package topology

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/invopop/jsonschema"

	"netlab/services"
)

// union defines what a service or a workload looks like: for each type of the catalog an object of its own, chosen by the
// value of "type". base describes what they have in common.
func (b *schemaBuilder) union(name string, catalog Catalog, role services.Role, base *jsonschema.Schema) {
	kind := &jsonschema.Schema{Type: "string", Description: fmt.Sprintf("What kind of %s it is.", role)}
	properties := jsonschema.NewProperties()
	properties.Set("type", kind)
	out := &jsonschema.Schema{Type: "object", Properties: properties, Required: []string{"type"}}
	for _, t := range catalog.Types() {
		if t.Role != role {
			continue
		}
		kind.Enum = append(kind.Enum, t.Name)
		definition := role.String() + "." + t.Name
		b.defs[definition] = b.typeSchema(t, base)
		chosen := jsonschema.NewProperties()
		chosen.Set("type", &jsonschema.Schema{Const: t.Name})
		out.AllOf = append(out.AllOf, &jsonschema.Schema{
			If:   &jsonschema.Schema{Properties: chosen, Required: []string{"type"}},
			Then: reference(definition),
		})
	}
	if kind.Enum == nil {
		properties.Set("type", jsonschema.FalseSchema)
	}
	b.defs[name] = out
}

// typeSchema describes one type: what is in base and the fields of the configuration, with their defaults.
func (b *schemaBuilder) typeSchema(t services.Type, base *jsonschema.Schema) *jsonschema.Schema {
	config := t.Config()
	configType := reflect.TypeOf(config).Elem()
	fields := b.reflect(configType)
	delete(b.defs, typeName(configType))
	defaults := defaultsOf(config)

	out := &jsonschema.Schema{
		Type:                 "object",
		Description:          t.Doc,
		Properties:           jsonschema.NewProperties(),
		AdditionalProperties: jsonschema.FalseSchema,
		Required:             append(append([]string(nil), base.Required...), fields.Required...),
	}
	for name, property := range base.Properties.FromOldest() {
		if name == "type" {
			property = &jsonschema.Schema{Const: t.Name, Description: t.Doc}
		}
		out.Properties.Set(name, property)
	}
	required := map[string]bool{}
	for _, name := range fields.Required {
		required[name] = true
	}
	for name, property := range fields.Properties.FromOldest() {
		if property.Default == nil && !required[name] {
			property.Default = defaults[name]
		}
		out.Properties.Set(name, property)
	}
	return out
}

// defaultsOf returns the values of a new configuration as the file would write them. Empty texts, lists and objects are
// left out: they mean that there is no default.
func defaultsOf(config services.Config) map[string]any {
	out := map[string]any{}
	text, err := marshal(config)
	if err != nil {
		return out
	}
	values := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &values); err != nil {
		return out
	}
	for name, value := range values {
		switch string(value) {
		case `""`, "null", "[]", "{}":
		default:
			out[name] = value
		}
	}
	return out
}
