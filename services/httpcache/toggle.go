package httpcache

import (
	"encoding/json"

	"github.com/invopop/jsonschema"

	"netlab/services"
)

// Toggle is a cache that the file writes as true, as false, or as an object that configures it.
type Toggle struct {
	// On says that there is a cache.
	On bool `json:"-"`
	Config
}

// SetBool implements services.Toggle.
func (t *Toggle) SetBool(on bool) { t.On = on }

// JSONSchemaExtend describes the two ways to write it.
func (Toggle) JSONSchemaExtend(schema *jsonschema.Schema) { services.ToggleSchema(schema) }

// MarshalJSON writes true or false where there is nothing more to say.
func (t Toggle) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(t.Config)
	if err == nil && (!t.On || string(text) == "{}") {
		return json.Marshal(t.On)
	}
	return text, err
}
