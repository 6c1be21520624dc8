package services

import (
	"encoding/json"

	"github.com/invopop/jsonschema"
)

// ListenBoth is the address that a service listens on over TCP and UDP, ":port". A configuration field of this type is checked
// as [ListenTCP] and [ListenUDP] are.
type ListenBoth string

// Nodes are nodes of the file: names, ranges and globs. In the file a single one is a plain string. A configuration field of this
// type is checked; a configuration that has one is an [Expander].
type Nodes []string

// SetString makes a list of one pattern.
func (n *Nodes) SetString(pattern string) { *n = Nodes{pattern} }

// MarshalJSON writes a single pattern as a string.
func (n Nodes) MarshalJSON() ([]byte, error) {
	if len(n) == 1 {
		return json.Marshal(n[0])
	}
	return json.Marshal([]string(n))
}

// JSONSchema describes the two ways to write it.
func (Nodes) JSONSchema() *jsonschema.Schema {
	text := &jsonschema.Schema{Type: "string", Examples: []any{"web1", "web[1..3]", "web[*]", "web*"}}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{text, {Type: "array", Items: &jsonschema.Schema{Type: "string"}}}}
}

// Expander is implemented by configurations that name nodes by patterns. Validate is called for what the file says and for what
// Expand makes of it.
type Expander interface {
	// Expand returns a copy in which all [Nodes] are replaced by what names returns for them, the names of the hosts and routers
	// that they stand for, and all [TargetPattern]s by what they expand to with names.
	Expand(names func(Nodes) Nodes) Config
}

// NameServer is implemented by configurations of services that hosts may ask for names. Its ZoneNames are known once it is
// expanded.
type NameServer interface {
	Config
	Zone
	Expander
	// Origin is the zone, absolute and without the final dot.
	Origin() string
}

// Asker is implemented by configurations of clients that ask a name server for more than addresses, so that the hosts table
// does not serve them.
type Asker interface {
	// AsksServers says whether the hosts that it runs on need "dns".
	AsksServers() bool
}

// AddressHolder is implemented by configurations of services that take addresses of the file's "addresses" at run time. The names
// are checked: each is in a segment that the service's host is on.
type AddressHolder interface {
	// HeldAddresses returns the json name of the field and the names in it.
	HeldAddresses() (field string, names []string)
}
