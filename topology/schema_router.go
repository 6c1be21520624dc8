package topology

import "github.com/invopop/jsonschema"

// These have the fields of their types and not the methods, by which the types are described here.
type (
	firewallRuleObject FirewallRule
	portForwardObject  PortForward
)

// JSONSchema describes a rule to editors: a text or an object.
func (FirewallRule) JSONSchema() *jsonschema.Schema {
	const pattern = `^\s*(accept|drop|reject)(\s+(tcp|udp|icmp))?(\s+(from|source-port|to|port|in|out|as)\s+\S.*)?$`
	return &jsonschema.Schema{
		Description: "A rule: an action, perhaps a protocol, and then any of from PLACES, source-port PORTS, to PLACES, port PORTS, in NEIGHBOURS, " +
			"out NEIGHBOURS, as NAME; several values are parted by commas. Or an object.",
		Examples: []any{"accept tcp to server port 443", "drop from 10.0.0.0/8", "reject udp port 53,8000-8100 in isp as no-dns"},
		OneOf:    []*jsonschema.Schema{{Type: "string", Pattern: pattern}, reference("FirewallRuleObject")},
	}
}

// JSONSchema describes a port map to editors: a text or an object.
func (PortForward) JSONSchema() *jsonschema.Schema {
	const pattern = `^\s*(tcp|udp)\s+[1-9][0-9]{0,4}\s+to\s+\S+\s*$`
	return &jsonschema.Schema{
		Description: "A port map: a protocol, an external port, and the inside host and port to which it leads. Or an object.",
		Examples:    []any{"tcp 8080 to web:80", "udp 53 to ns"},
		OneOf:       []*jsonschema.Schema{{Type: "string", Pattern: pattern}, reference("PortForwardObject")},
	}
}

// JSONSchema describes a port or a range of ports to editors.
func (PortRange) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		Description: "A port from 1 to 65535, or a range of them with both ends.",
		Examples:    []any{80, "8000-8100"},
		OneOf: []*jsonschema.Schema{
			{Type: "integer", Minimum: "1", Maximum: "65535"},
			{Type: "string", Pattern: `^[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?$`},
		},
	}
}
