package topology

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"netlab/services"
	"netlab/units"
)

// Schema returns the JSON schema (draft 2020-12) of files whose services and workloads are those of the catalog. Editors
// complete and explain by it; it accepts a little more than [Load], which has the last word. The bytes are the same every
// time.
//
// It describes files without variants exactly as strictly as their types are. What a variant changes isn't described
// beyond its sections, because every part of it may be missing.
func Schema(catalog Catalog) ([]byte, error) {
	b := schemaBuilder{defs: jsonschema.Definitions{}}
	root := b.reflect(reflect.TypeFor[Topology]())
	b.defs["Node"] = b.reflect(reflect.TypeFor[Node]())
	b.defs["Address"] = b.reflect(reflect.TypeFor[Address]())
	b.defs["Profile"] = b.reflect(reflect.TypeFor[Profile]())
	b.defs["LinkObject"] = b.reflect(reflect.TypeFor[linkObject]())
	b.defs["DNSObject"] = b.reflect(reflect.TypeFor[dnsObject]())
	b.defs["FirewallRuleObject"] = b.reflect(reflect.TypeFor[firewallRuleObject]())
	b.defs["PortForwardObject"] = b.reflect(reflect.TypeFor[portForwardObject]())
	b.defs["QueueObject"] = b.reflect(reflect.TypeFor[queueObject]())
	b.defs["ReorderObject"] = b.reflect(reflect.TypeFor[reorderObject]())
	b.defs["CorruptObject"] = b.reflect(reflect.TypeFor[corruptObject]())
	b.defs["TruncateObject"] = b.reflect(reflect.TypeFor[truncateObject]())
	b.defs["RoutingObject"] = b.reflect(reflect.TypeFor[routingObject]())
	b.defs["TelemetryObject"] = b.reflect(reflect.TypeFor[telemetryObject]())
	b.defs["Fault"].OneOf = oneVerb()
	b.union("Service", catalog, services.Service, b.reflect(reflect.TypeFor[serviceObject]()))
	b.union("Workload", catalog, services.Workload, b.reflect(reflect.TypeFor[workloadObject]()))
	for _, name := range []string{"Topology", "linkObject", "dnsObject", "firewallRuleObject", "portForwardObject", "serviceObject", "workloadObject", "telemetryObject"} {
		delete(b.defs, name)
	}
	root.Version = jsonschema.Version
	root.Title = "netlab lab"
	root.Definitions = b.defs
	text, err := json.Marshal(root)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// These have the fields of their types and not the methods, by which the types are described elsewhere.
type (
	linkObject      Link
	dnsObject       DNS
	queueObject     Queue
	reorderObject   Reorder
	corruptObject   Corrupt
	truncateObject  Truncate
	routingObject   Routing
	serviceObject   Service
	telemetryObject Telemetry
	workloadObject  Workload
)

// schemaBuilder collects definitions.
type schemaBuilder struct{ defs jsonschema.Definitions }

// reflect returns the schema of a struct, and keeps the definitions that it refers to.
func (b *schemaBuilder) reflect(t reflect.Type) *jsonschema.Schema {
	r := jsonschema.Reflector{Anonymous: true, RequiredFromJSONSchemaTags: true, Mapper: mapType, Namer: typeName}
	schema := r.ReflectFromType(t)
	for name, def := range schema.Definitions {
		b.defs[name] = def
	}
	return b.defs[typeName(t)]
}

// typeName names a definition. Configurations have the name of their package as well.
func typeName(t reflect.Type) string {
	pkg := path.Base(t.PkgPath())
	if t.Name() == "" || t.PkgPath() == "" || pkg == "units" || pkg == "topology" {
		return t.Name()
	}
	return pkg + "." + t.Name()
}

const (
	labelPattern = `[a-z0-9]([a-z0-9-]*[a-z0-9])?`
	nodePattern  = `^([a-z0-9]([a-z0-9-]*[a-z0-9])?|[a-z0-9-]*\[[0-9]{1,9}\.\.[0-9]{1,9}\])$`
	portPattern  = `^:[1-9][0-9]{0,4}$`
)

// mapType describes the types that the file writes in another way than Go's.
func mapType(t reflect.Type) *jsonschema.Schema {
	text := func(pattern string, examples ...any) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Pattern: pattern, Examples: examples}
	}
	one := uint64(1)
	switch t {
	case reflect.TypeFor[Link]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{text(`^\s*\S+\s+-\s+\S+\s*$`, "client - r1", "web[*] - sw"), reference("LinkObject")}}
	case reflect.TypeFor[Patterns]():
		list := &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "string"}}
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{text("", "client", "web[1..3]", "web[*]", "web*"), list}}
	case reflect.TypeFor[DNS]():
		list := &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "string"}}
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{text("", "ns", "ns[1..2]"), list, reference("DNSObject")}}
	case reflect.TypeFor[Queue]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{text("", "64KiB", "100 packets", "codel", "fq-codel"), reference("QueueObject")}}
	case reflect.TypeFor[Reorder]():
		return shareOr("ReorderObject")
	case reflect.TypeFor[Corrupt]():
		return shareOr("CorruptObject")
	case reflect.TypeFor[Truncate]():
		return shareOr("TruncateObject")
	case reflect.TypeFor[Routing]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string", Enum: []any{"static", "dynamic"}}, reference("RoutingObject")}}
	case reflect.TypeFor[Telemetry]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "boolean"}, {Type: "string", Enum: []any{"on", "off"}}, reference("TelemetryObject")}}
	case reflect.TypeFor[RawObject]():
		return variantSchema()
	case reflect.TypeFor[SweepValues]():
		return &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "array", MinItems: &one, Items: &jsonschema.Schema{Type: "string"}}}
	case reflect.TypeFor[netip.Prefix]():
		return text(`^[0-9A-Fa-f:.]+/[0-9]{1,3}$`, "192.0.2.0/24", "2001:db8::/64")
	case reflect.TypeFor[netip.Addr]():
		return text(`^[0-9A-Fa-f:.]+$`, "192.0.2.1", "2001:db8::1")
	case targetType:
		return text("", "server:5001", "server")
	case patternType:
		return text("", "web1:80", "web[1..3]:80", "web*:80")
	case proxyURLType:
		return text("", "http://proxy:3128", "socks5://user:password@proxy:1080")
	case urlType:
		return text("", "http://server/path")
	case hostNameType:
		return text("", "server", "www.lab")
	case listenTCPType, listenUDPType, listenAnyType:
		return text(portPattern, ":80")
	}
	if t.Kind() == reflect.Struct && strings.HasPrefix(t.Name(), "Map[") && t.PkgPath() == nodeType.PkgPath() {
		return mapSchema(t)
	}
	return nil
}

// mapSchema describes a Map[T].
func mapSchema(t reflect.Type) *jsonschema.Schema {
	elem := reflect.New(t).Interface().(ordered).newValue()
	names := `^` + labelPattern + `$`
	if _, ok := elem.(*Node); ok {
		names = nodePattern
	}
	values := mapType(reflect.TypeOf(elem).Elem())
	if values == nil {
		values = reference(typeName(reflect.TypeOf(elem).Elem()))
	}
	return &jsonschema.Schema{
		Type:                 "object",
		PropertyNames:        &jsonschema.Schema{Pattern: names},
		AdditionalProperties: values,
	}
}

// shareOr describes what is a share or an object.
func shareOr(object string) *jsonschema.Schema {
	share := units.Probability(0).JSONSchema()
	return &jsonschema.Schema{OneOf: append(slices.Clone(share.OneOf), reference(object))}
}

func reference(name string) *jsonschema.Schema { return &jsonschema.Schema{Ref: "#/$defs/" + name} }

// variantSchema names the sections that a variant can change.
func variantSchema() *jsonschema.Schema {
	properties := jsonschema.NewProperties()
	for _, f := range fieldsOf(reflect.TypeFor[Topology]()) {
		if f.name != "$schema" && f.name != "name" && f.name != "variants" {
			properties.Set(f.name, jsonschema.TrueSchema)
		}
	}
	return &jsonschema.Schema{
		Type:                 "object",
		Description:          "The parts that change, as a JSON Merge Patch (RFC 7386): null removes, lists are replaced as a whole.",
		Properties:           properties,
		AdditionalProperties: jsonschema.FalseSchema,
	}
}

// oneVerb says that a fault has exactly one verb.
func oneVerb() []*jsonschema.Schema {
	var out []*jsonschema.Schema
	for _, verb := range verbNames() {
		out = append(out, &jsonschema.Schema{Title: verb, Required: []string{verb}})
	}
	return out
}
