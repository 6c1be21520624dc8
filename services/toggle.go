package services

import "github.com/invopop/jsonschema"

// Toggle is implemented by pointers to parts of a configuration that the file may write as true or false, or as an object,
// which means true.
type Toggle interface {
	// SetBool switches the part on or off.
	SetBool(on bool)
}

// ToggleSchema makes the schema of an object that of a [Toggle]. A type calls it in its JSONSchemaExtend.
func ToggleSchema(s *jsonschema.Schema) {
	object := *s
	*s = jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "boolean"}, &object}, Description: s.Description}
	object.Description = ""
}

// HostName is a name that the lab's file knows: that of a node, or one that a name server of the lab answers for. A
// configuration field of this type is checked.
type HostName string

// Zone is implemented by configurations of name servers, whose names other configurations may use.
type Zone interface {
	// ZoneNames returns the names that the server has addresses for, absolute and without the final dot, each with the nodes
	// whose addresses are given, if any.
	ZoneNames() map[string][]string
}
