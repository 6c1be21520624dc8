package secure

import (
	"errors"

	"netlab/services"
	"netlab/tls"
)

// versions are the versions by name.
var versions = map[string]tls.Version{"": 0, "1.2": tls.Version12, "1.3": tls.Version13}

// Versions limits the versions of a server or a client.
type Versions struct {
	MinVersion string `json:"min_version,omitempty" jsonschema_description:"Oldest version of TLS that is accepted. Default 1.2." jsonschema:"enum=1.2,enum=1.3"`
	MaxVersion string `json:"max_version,omitempty" jsonschema_description:"Newest version of TLS that is accepted. Default 1.3." jsonschema:"enum=1.2,enum=1.3"`
}

// validate returns errors about fields below a prefix such as "tls.".
func (v Versions) validate(prefix string) error {
	var list []error
	for _, f := range []struct{ name, value string }{{"min_version", v.MinVersion}, {"max_version", v.MaxVersion}} {
		if _, ok := versions[f.value]; !ok {
			list = append(list, services.Fieldf(prefix+f.name, "%q is not one of 1.2, 1.3", f.value))
		}
	}
	if list == nil && v.MinVersion == "1.3" && v.MaxVersion == "1.2" {
		list = append(list, services.Fieldf(prefix+"max_version", "no version is between 1.3 and 1.2"))
	}
	return errors.Join(list...)
}
