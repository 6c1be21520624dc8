package backend

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"netlab/services"
	"netlab/services/target"
	"netlab/units"
)

// Backends are the backends of a pool. In the file a single one may stand without the list.
type Backends []Spec

// Spec is a backend, or several that a pattern stands for. In the file it is a plain string if there is nothing else to say.
type Spec struct {
	To             services.TargetPattern `json:"to" jsonschema_description:"Node or nodes and the port." jsonschema:"required"`
	Weight         *float64               `json:"weight,omitempty" jsonschema_description:"Its share relative to others', above 0. Default 1."`
	Backup         bool                   `json:"backup,omitempty" jsonschema_description:"Whether it is used only when no other may be. Default false."`
	MaxConnections int                    `json:"max_connections,omitempty" zero:"refused" jsonschema_description:"How many requests it has under way at most. Default: what max_connections_per_backend says."`
}

// SetString implements [services.Shorthand].
func (b *Backends) SetString(text string) { *b = Backends{{To: services.TargetPattern(text)}} }

// SetString implements [services.Shorthand].
func (s *Spec) SetString(text string) { s.To = services.TargetPattern(text) }

// MarshalJSON writes a backend of which there is nothing else to say as a string.
func (s Spec) MarshalJSON() ([]byte, error) {
	type object Spec
	if s == (Spec{To: s.To}) {
		return json.Marshal(s.To)
	}
	return json.Marshal(object(s))
}

// JSONSchemaExtend adds the plain string.
func (Backends) JSONSchemaExtend(s *jsonschema.Schema) {
	services.ShorthandSchema(s, "web1:80", "web[1..3]:80", "web*:80")
}

// JSONSchemaExtend adds the plain string.
func (Spec) JSONSchemaExtend(s *jsonschema.Schema) {
	services.ShorthandSchema(s, "web1:80", "web[1..3]:80", "web*:80")
}

func (b Backends) validate(field string) error {
	var list []error
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if len(b) == 0 {
		add(field, "missing: want nodes and a port, such as \"web[1..3]:80\"")
	}
	seen := map[services.TargetPattern]bool{}
	primaries := 0
	for i, s := range b {
		at := fmt.Sprintf("%s[%d]", field, i)
		switch {
		case s.To == "":
			add(at+".to", "missing: want a node and a port, such as \"web1:80\"")
		case seen[s.To]:
			add(field, "%q is there twice", string(s.To))
		case !s.To.IsPattern():
			if _, _, err := target.Split(s.To.Target()); err != nil {
				add(at, "%s", err)
			}
		}
		seen[s.To] = true
		if s.Weight != nil && !(*s.Weight > 0 && *s.Weight <= maxWeight) {
			add(at+".weight", "found %v, wanted more than 0, up to %d", *s.Weight, maxWeight)
		}
		if s.MaxConnections < 0 || s.MaxConnections > maxCount {
			add(at+".max_connections", "found %d, wanted 1 to %d", s.MaxConnections, maxCount)
		}
		if !s.Backup {
			primaries++
		}
	}
	if len(b) > 0 && primaries == 0 {
		add(field, "all are backups: want one at least that isn't")
	}
	return errors.Join(list...)
}

// expand replaces patterns by the nodes that they stand for. What else is said of a pattern holds for each of them.
func (b Backends) expand(names func(services.Nodes) services.Nodes) Backends {
	if b == nil {
		return nil
	}
	out := Backends{}
	for _, s := range b {
		for _, one := range s.To.Expand(names) {
			s.To = one
			out = append(out, s)
		}
	}
	return out
}

// names returns what the backends are called: by their host, or by host and port where a host is there several times.
func (b Backends) names() []string {
	count := map[string]int{}
	for _, s := range b {
		count[s.To.Host()]++
	}
	names := make([]string, len(b))
	for i, s := range b {
		names[i] = s.To.Host()
		if count[names[i]] > 1 && s.To.Port() != "" {
			names[i] += "-" + s.To.Port()
		}
	}
	return names
}

// knows says whether there is, or may be as long as there are patterns, a backend of a name.
func (b Backends) knows(name string) bool {
	for i, known := range b.names() {
		if known == name || b[i].To.IsPattern() {
			return true
		}
	}
	return false
}

func (b Backends) suggest(name string) string {
	names := b.names()
	if s := units.Suggest(name, names); s != "" {
		return fmt.Sprintf("; did you mean %q?", s)
	}
	const few = 8
	if len(names) > 0 && len(names) <= few {
		return ": want one of " + strings.Join(names, ", ")
	}
	return ""
}

// port returns the port, or the one that stands for none.
func (s *Spec) port(none uint16) uint16 {
	port, err := strconv.ParseUint(s.To.Port(), 10, 16)
	if err != nil {
		return none
	}
	return uint16(port)
}

// address returns host and port for a dial.
func (s *Spec) address(port uint16) string {
	return net.JoinHostPort(s.To.Host(), strconv.Itoa(int(port)))
}
