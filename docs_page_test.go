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
	"netlab/captures"
	"netlab/dns"
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
	// toggles are definitions of objects in whose place true or false may stand.
	toggles []string
}

func newPage(t *testing.T) *page {
	t.Helper()
	text, err := topology.Schema(catalog.Table{})
	require.NoError(t, err)
	p := &page{t: t, order: map[string][]string{}}
	require.NoError(t, json.Unmarshal(text, &p.schema))
	var raw struct {
		Properties json.RawMessage
		Defs       map[string]struct {
			Properties json.RawMessage
			OneOf      []struct{ Properties json.RawMessage }
		} `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(text, &raw))
	p.order["Topology"] = keys(t, raw.Properties)
	for name, def := range raw.Defs {
		p.order[name] = keys(t, def.Properties)
		if o := p.schema.Defs[name].OneOf; isToggle(o) {
			p.order[name] = keys(t, def.OneOf[1].Properties)
			p.toggles = append(p.toggles, name)
			object := o[1]
			object.Description = p.schema.Defs[name].Description
			p.schema.Defs[name] = object
		}
	}
	return p
}

// isToggle says whether something is written as true, false or an object.
func isToggle(ways []property) bool {
	return len(ways) == 2 && ways[0].Type == "boolean" && ways[1].Properties != nil
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
	case p.Type == "object" && p.values() != nil:
		if v := *p.values(); v.Type == "array" {
			return "object of lists of " + readable(of(*v.Items))
		}
		return "object of " + readable(of(*p.values()))
	case p.Const != "":
		return fmt.Sprintf("`%q`", p.Const)
	case p.Enum != nil:
		return "`" + strings.Join(p.Enum, "`, `") + "`"
	case len(p.OneOf) > 0 && p.OneOf[len(p.OneOf)-1].Ref != "" && p.OneOf[0].Type == "boolean":
		return "true, false, or " + readable(strings.TrimPrefix(p.OneOf[len(p.OneOf)-1].Ref, "#/$defs/"))
	case len(p.OneOf) > 0 && p.OneOf[len(p.OneOf)-1].Ref != "" && p.OneOf[0].Type == "string":
		return "text, or " + readable(strings.TrimPrefix(p.OneOf[len(p.OneOf)-1].Ref, "#/$defs/"))
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

// values describes the values of an object with any keys, nil if there is none.
func (p property) values() *property {
	var v property
	if p.Entries == nil || json.Unmarshal(p.Entries, &v) != nil {
		return nil
	}
	return &v
}

// readable turns the name of a type into words.
func readable(name string) string {
	if title, ok := parts[name]; ok {
		return "[" + title + "](#" + strings.ReplaceAll(strings.ToLower(title), " ", "-") + ")"
	}
	words := map[string]string{"string": "text", "boolean": "true or false", "integer": "whole number", "number": "number",
		"object": "object", "BitRate": "bit rate", "Bytes": "size", "QueueLimit": "queue limit", "LinkParams": "link properties",
		"FirewallRule": "rule", "PortForward": "port map", "PortRange": "port or range of ports", "LinkSet": "link properties", "TCP": "TCP settings", "services.Nodes": "name, range, glob, or a list",
		"services.Location": "location"}
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

// parts are the titles of the objects inside the configurations of services and workloads.
var parts = map[string]string{
	"QueueObject":       "Queues",
	"ReorderObject":     "Reordering",
	"CorruptObject":     "Corruption",
	"TruncateObject":    "Truncation",
	"RoutingObject":     "Routing",
	"TelemetryObject":   "Telemetry",
	"DNSObject":         "Name servers",
	"Chaos":             "Chaos",
	"Sweep":             "Sweep",
	"Profile":           "Profiles",
	"Disk":              "Disk",
	"Firewall":          "Firewall",
	"NAT":               "NAT",
	"Timeouts":          "Timeouts of connections",
	"balancer.Redirect": "Redirect of a route",
	"balancer.Route":    "Route of a balancer",
	"balancer.Sticky":   "Sticky sessions",
	"upstream.Config":   "Requests to backends",
	"upstream.Hedge":    "Hedged requests",
	"upstream.Retry":    "Retries of a balancer",
	"upstream.TLS":      "TLS towards backends",
	"access.Lists":      "What a proxy lets through",
	"access.Users":      "Users of a proxy",
	"backend.Backends":  "Backends",
	"backend.Breaker":   "Circuit breaker",
	"backend.Config":    "Pool of backends",
	"backend.Drain":     "Draining",
	"backend.Health":    "Health checks",
	"backend.Outlier":   "Outlier ejection",
	"backend.Queue":     "Queue of a pool",
	"backend.SlowStart": "Slow start",
	"backend.Spec":      "Backend",
	"cdn.Signed":        "Signed URLs",
	"httpcache.Config":  "HTTP cache",
	"httpcache.Toggle":  "HTTP cache, or whether there is one",
	"keys.Config":       "Keys",
	"keys.Popularity":   "Popularity of keys",
	"l4.Table":          "Connection table",
	"limits.Config":     "Limits",
	"reverse.Headers":   "Changes of header fields",
	"reverse.Rule":      "Rule of a reverse proxy",
	"services.Targets":  "Hosts and ports",
	"slo.Config":        "Service level objective",
	"slo.Credit":        "Credit of an agreement",
	"vrrp.Track":        "Tracking of a service",
	"consensus.Config":  "Raft of a store",
	"chat.Reconnect":    "Reconnecting",
	"chat.RoomConfig":   "Chat room",
	"clients.Page":      "Weighted URL",
	"httpclient.Retry":  "Retries",
	"load.Step":         "Step of a schedule",
	"nameserver.Record": "DNS record",
	"nameserver.SRV":    "SRV record",
	"nameserver.View":   "View of a client",
	"secure.Server":     "TLS of a server",
	"secure.Client":     "TLS of a client",
	"web.Handler":       "Handler",
}

// parts describes the objects inside configurations.
func (p *page) parts() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p.schema.Defs)) {
		if len(p.order[name]) == 0 || !strings.Contains(name, ".") || strings.HasPrefix(name, "service.") || strings.HasPrefix(name, "workload.") {
			continue
		}
		title, ok := parts[name]
		require.True(p.t, ok, "the page has no title for %s", name)
		fmt.Fprintf(&b, "### %s\n\n", title)
		if slices.Contains(p.toggles, name) {
			b.WriteString("`true`, `false`, or an object, which means `true`:\n\n")
		}
		b.WriteString(p.table(name) + "\n")
	}
	return strings.TrimSpace(b.String()) + "\n"
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
	for _, name := range f.Open() {
		list = append(list, "`"+name+"`")
	}
	return strings.Join(list, ", ")
}

// counters lists the figures of nodes and links.
func counters() string {
	direction := netlab.DirectionResult{Dropped: netem.Drops{}.Map(), Marked: netem.Drops{}.Marks()}
	return fmt.Sprintf("- hosts: %s\n- hosts that ask name servers: %s\n- routers: %s\n- routers with a firewall or a NAT: %s\n- routers with a firewall: %s, and for each rule %s\n- routers with a NAT: %s\n- switches: %s\n- links, each direction: %s\n- faults: %s\n",
		figures("", ip.Stats{TCP: &ip.TCPStats{}, UDP: &ip.UDPStats{}}), figures("dns", dns.ResolverStats{}), figures("ip", ip.IPStats{}),
		figures("tracking", ip.TrackingStats{}), figures("firewall", ip.FirewallStats{}), figures("firewall.rules.NAME", ip.RuleStats{}),
		figures("nat", ip.NATStats{}), figures("switch", netem.SwitchStats{}), figures("forward", direction), figures("", netlab.FaultResult{RuleStats: &netem.RuleStats{}}))
}

// profiles lists netlab's own profiles.
func profiles() string {
	var b strings.Builder
	b.WriteString("| profile | what it is | both directions | to the user | from the user |\n|---|---|---|---|---|\n")
	text := func(p topology.LinkParams) string {
		data, err := json.Marshal(p)
		if err != nil {
			panic(err)
		}
		return strings.NewReplacer(`{`, "", `}`, "", `"`, "", `:`, " ", `,"`, ", ").Replace(string(data))
	}
	for _, name := range topology.BuiltinProfiles() {
		p, _ := topology.BuiltinProfile(name)
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", name, p.Description, text(p.LinkParams), text(p.Forward), text(p.Backward))
	}
	return b.String()
}

// filterWords lists the language of filters.
func filterWords() string {
	var b strings.Builder
	b.WriteString("| filter | chooses |\n|---|---|\n")
	for _, w := range captures.FilterWords() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(w.Form, "|", `\|`), strings.ReplaceAll(w.Meaning, "|", `\|`))
	}
	return b.String()
}

var generated = regexp.MustCompile(`(?s)<!-- (fields|values|types|parts|counters|profiles|filters):? ?(\w*) -->\n.*?<!-- end -->`)

// fill writes all generated parts of a page anew.
func (p *page) fill(text string) string {
	return generated.ReplaceAllStringFunc(text, func(part string) string {
		m := generated.FindStringSubmatch(part)
		head, _, _ := strings.Cut(part, "\n")
		body := ""
		switch m[1] {
		case "fields":
			var skip []string
			if m[2] == "LinkObject" || m[2] == "LinkSet" || m[2] == "Profile" {
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
		case "parts":
			body = p.parts()
		case "counters":
			body = counters()
		case "profiles":
			body = profiles()
		case "filters":
			body = filterWords()
		}
		return head + "\n\n" + body + "\n<!-- end -->"
	})
}
