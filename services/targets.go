package services

import (
	"net"
	"net/netip"
	"strings"

	"github.com/invopop/jsonschema"
)

// Shorthand is implemented by pointers to parts of a configuration that the file may also write as a plain string.
type Shorthand interface {
	// SetString takes what the string says.
	SetString(text string)
}

// ShorthandSchema makes the schema of an object or a list that of a [Shorthand]. A type calls it in its JSONSchemaExtend.
func ShorthandSchema(s *jsonschema.Schema, examples ...any) {
	whole := *s
	*s = jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string", Examples: examples}, &whole}, Description: s.Description}
	whole.Description = ""
}

// TargetPattern is a [Target] whose host may be a pattern of nodes: "web[1..3]:80" is web1:80, web2:80 and web3:80, "web*:8080" is
// port 8080 of every node whose name begins with web. What is no pattern is a Target: the name of a node, a name that a name server
// of the lab answers for, or an address, each with a port or without. A configuration field of this type is checked, wherever in
// the configuration it is; a configuration that has one is an [Expander], and the runner finds only names and addresses.
type TargetPattern string

// IsPattern says whether the host is a range or a glob, which stands for any number of nodes.
func (t TargetPattern) IsPattern() bool {
	host, _ := t.split()
	return strings.HasSuffix(host, "*") || strings.Contains(host, "[")
}

// split takes the port off, with its colon. Brackets around an IPv6 address stay out of the host.
func (t TargetPattern) split() (host, port string) {
	text := string(t)
	if _, err := netip.ParseAddr(text); err == nil {
		return text, ""
	}
	if strings.HasPrefix(text, "[") {
		if h, p, err := net.SplitHostPort(text); err == nil {
			return h, ":" + p
		}
		return strings.TrimSuffix(text[1:], "]"), ""
	}
	if i := strings.LastIndexByte(text, ':'); i >= 0 {
		return text[:i], text[i:]
	}
	return text, ""
}

// Host returns the part before the port: a pattern, a name or an address without brackets.
func (t TargetPattern) Host() string {
	host, _ := t.split()
	return host
}

// Port returns the port as it is written, "" if there is none.
func (t TargetPattern) Port() string {
	_, port := t.split()
	return strings.TrimPrefix(port, ":")
}

// Target returns what is no pattern as a Target.
func (t TargetPattern) Target() Target { return Target(t) }

// Expand returns the targets that it stands for: itself if it is no pattern. names is what [Expander.Expand] was given.
func (t TargetPattern) Expand(names func(Nodes) Nodes) []TargetPattern {
	if !t.IsPattern() {
		return []TargetPattern{t}
	}
	host, port := t.split()
	var list []TargetPattern
	for _, name := range names(Nodes{host}) {
		list = append(list, TargetPattern(name+port))
	}
	return list
}

// Targets are several targets: "web[1..3]:80", or a list. In the file a single one is a plain string.
type Targets []TargetPattern

// SetString implements [Shorthand].
func (t *Targets) SetString(text string) { *t = Targets{TargetPattern(text)} }

// Expand returns the targets that they stand for, each once, in the order of the file and of the nodes.
func (t Targets) Expand(names func(Nodes) Nodes) Targets {
	if t == nil {
		return nil
	}
	out := Targets{}
	seen := map[TargetPattern]bool{}
	for _, pattern := range t {
		for _, one := range pattern.Expand(names) {
			if !seen[one] {
				seen[one] = true
				out = append(out, one)
			}
		}
	}
	return out
}

// JSONSchemaExtend lets the file write a single one as a string.
func (Targets) JSONSchemaExtend(s *jsonschema.Schema) {
	ShorthandSchema(s, "web1:80", "web[1..3]:80", "web*:80")
}
