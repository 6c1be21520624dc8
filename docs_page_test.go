package netlab_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/ip"
	"netlab/netem"
	"netlab/services"
	"netlab/services/catalog"
	"netlab/topology"
	"netlab/topology/expect"
)

// property is what the page about the file says of a field.
type property struct {
	Ref         string              `json:"$ref"`
	Type        string              `json:"type"`
	Description string              `json:"description"`
	Default     any                 `json:"default"`
	Enum        []string            `json:"enum"`
	Examples    []any               `json:"examples"`
	Items       *property           `json:"items"`
	Entries     json.RawMessage     `json:"additionalProperties"`
	OneOf       []property          `json:"oneOf"`
	Const       string              `json:"const"`
	Required    []string            `json:"required"`
	Properties  map[string]property `json:"properties"`
	Defs        map[string]property `json:"$defs"`
}

// page makes the generated parts of docs/file-format.md.
type page struct {
	t      *testing.T
	schema property
	order  map[string][]string // of properties, by definition
}

func newPage(t *testing.T) *page {
	t.Helper()
	text, err := topology.Schema(catalog.Table{})
	require.NoError(t, err)
	p := &page{t: t, order: map[string][]string{}}
	require.NoError(t, json.Unmarshal(text, &p.schema))
	var raw struct {
		Properties json.RawMessage
		Defs       map[string]struct{ Properties json.RawMessage } `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(text, &raw))
	p.order["Topology"] = keys(t, raw.Properties)
	for name, def := range raw.Defs {
		p.order[name] = keys(t, def.Properties)
	}
	return p
}

// keys returns the keys of a JSON object in the order in which they are written.
func keys(t *testing.T, object json.RawMessage) []string {
	t.Helper()
	if object == nil {
		return nil
	}
	var list []string
	d := json.NewDecoder(bytes.NewReader(object))
	_, err := d.Token()
	require.NoError(t, err)
	for d.More() {
		key, err := d.Token()
		require.NoError(t, err)
		list = append(list, key.(string))
		var value json.RawMessage
		require.NoError(t, d.Decode(&value))
	}
	return list
}

// kind says in a word or two what a field takes.
func (p property) kind() string {
	of := func(o property) string { return strings.TrimPrefix(o.Ref, "#/$defs/") + o.Type }
	switch {
	case p.Ref != "":
		return readable(strings.TrimPrefix(p.Ref, "#/$defs/"))
	case p.Const != "":
		return fmt.Sprintf("`%q`", p.Const)
	case p.Enum != nil:
		return "`" + strings.Join(p.Enum, "`, `") + "`"
	case len(p.OneOf) > 0 && p.OneOf[0].Type == "string":
		return "name, range, glob, or a list"
	case p.Type == "array" && p.Items.Type == "array":
		return "list of lists"
	case p.Type == "array" && len(p.Items.OneOf) > 0:
		return "list of links"
	case p.Type == "array":
		return "list of " + readable(of(*p.Items))
	}
	return readable(p.Type)
}

// readable turns the name of a type into words.
func readable(name string) string {
	words := map[string]string{"string": "text", "boolean": "true or false", "integer": "whole number", "number": "number",
		"object": "object", "BitRate": "bit rate", "Bytes": "size", "QueueLimit": "queue limit", "LinkParams": "link properties",
		"LinkSet": "link properties", "TCP": "TCP settings"}
	if w, ok := words[name]; ok {
		return w
	}
	return strings.ToLower(name)
}

// table lists the fields of a definition.
func (p *page) table(name string, skip ...string) string {
	def, ok := p.schema, true
	if name != "Topology" {
		def, ok = p.schema.Defs[name]
	}
	require.True(p.t, ok, "the schema has no %s", name)
	var b strings.Builder
	b.WriteString("| field | takes | meaning |\n|---|---|---|\n")
	for _, field := range p.order[name] {
		if slices.Contains(skip, field) {
			continue
		}
		f := def.Properties[field]
		text := f.Description
		if f.Default != nil && !strings.Contains(text, "Default") {
			text += fmt.Sprintf(" Default `%v`.", f.Default)
		}
		if slices.Contains(def.Required, field) {
			text += " Required."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", field, f.kind(), strings.ReplaceAll(text, "|", `\|`))
	}
	return b.String()
}

// values lists the kinds of values with their examples.
func (p *page) values() string {
	var b strings.Builder
	b.WriteString("| value | examples | meaning |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(p.schema.Defs)) {
		def := p.schema.Defs[name]
		if len(def.Examples) > 0 {
			var list []string
			for _, e := range def.Examples {
				list = append(list, fmt.Sprintf("`%#v`", e))
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", readable(name), strings.Join(list, ", "), def.Description)
		}
	}
	return b.String()
}

// types describes all services or workloads.
func (p *page) types(role services.Role) string {
	var b strings.Builder
	for _, t := range catalog.All() {
		if t.Role != role {
			continue
		}
		name := role.String() + "." + t.Name
		fmt.Fprintf(&b, "### %s\n\n%s\n\n%s\n", t.Name, t.Doc, p.table(name, "type", "from", "start"))
		if t.Result != nil {
			fmt.Fprintf(&b, "Figures: %s.\n\n", figures("", t.Result()))
		}
	}
	if role == services.Workload {
		b.WriteString("### Fields of all workloads\n\n")
		b.WriteString("| field | takes | meaning |\n|---|---|---|\n")
		def := p.schema.Defs["workload.ping"]
		for _, field := range []string{"from", "start"} {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", field, def.Properties[field].kind(), def.Properties[field].Description)
		}
	}
	return strings.TrimSpace(b.String()) + "\n"
}

// figures lists what expectations may say of a value: names and dimensions other than counts.
func figures(prefix string, v any) string {
	f := &expect.Figures{}
	f.Add(prefix, v)
	var list []string
	for _, name := range f.Names() {
		d, _ := f.Dimension(name)
		text := "`" + name + "`"
		if d != expect.Count {
			text += " (" + strings.TrimPrefix(d.String(), "a ") + ")"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

// counters lists the figures of nodes and links.
func counters() string {
	direction := netlab.DirectionResult{Dropped: netem.Drops{}.Map()}
	return fmt.Sprintf("- hosts: %s\n- routers: %s\n- switches: %s\n- links, each direction: %s\n",
		figures("", ip.Stats{TCP: &ip.TCPStats{}, UDP: &ip.UDPStats{}}), figures("ip", ip.IPStats{}),
		figures("switch", netem.SwitchStats{}), figures("forward", direction))
}

var generated = regexp.MustCompile(`(?s)<!-- (fields|values|types|counters):? ?(\w*) -->\n.*?<!-- end -->`)

// fill writes all generated parts of a page anew.
func (p *page) fill(text string) string {
	return generated.ReplaceAllStringFunc(text, func(part string) string {
		m := generated.FindStringSubmatch(part)
		head, _, _ := strings.Cut(part, "\n")
		body := ""
		switch m[1] {
		case "fields":
			var skip []string
			if m[2] == "LinkObject" || m[2] == "LinkSet" {
				skip = p.order["LinkParams"] // they have a table of their own
			}
			body = p.table(m[2], skip...)
		case "values":
			body = p.values()
		case "types":
			role := services.Service
			if m[2] == "workload" {
				role = services.Workload
			}
			body = p.types(role)
		case "counters":
			body = counters()
		}
		return head + "\n\n" + body + "\n<!-- end -->"
	})
}
