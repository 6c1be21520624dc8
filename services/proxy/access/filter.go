package access

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	"netlab/services"
)

// Filter says which hosts a proxy leads to. What Deny has is refused, and if Allow says something, so is what it doesn't have. The zero
// value allows everything.
type Filter struct {
	Allow Lists `json:"allow,omitzero" jsonschema_description:"What may be asked for; what isn't in each list that is given is refused with status 403. Default: everything."`
	Deny  Lists `json:"deny,omitzero" jsonschema_description:"What is refused with status 403 even if it is allowed. Default: nothing."`
}

// Lists are hosts, ports and paths.
type Lists struct {
	Hosts []string `json:"hosts,omitempty" jsonschema_description:"Names or addresses of hosts, as clients write them: www.lab is this one, .lab is lab and all names below it, and * stands for any characters. Default: none."`
	Ports []uint16 `json:"ports,omitempty" jsonschema_description:"Ports of hosts. Default: none."`
	Paths []string `json:"paths,omitempty" jsonschema_description:"Paths of URLs, in which * stands for any characters. A proxy doesn't see those of tunnels: no denied path keeps one out, and where only some paths are allowed tunnels are refused. Default: none."`
}

// Request is what a client asks a proxy for.
type Request struct {
	// Host is the name or the address of a host.
	Host string
	Port uint16
	// Path is that of the URL, decoded. It is "" for tunnels, whose paths nobody sees.
	Path string
}

// Validate returns errors about the fields. paths says whether the proxy sees the paths of URLs at all.
func (f *Filter) Validate(paths bool) error {
	return errors.Join(f.Allow.validate("allow", paths), f.Deny.validate("deny", paths))
}

func (l *Lists) validate(field string, paths bool) error {
	var list []error
	add := func(name, format string, args ...any) {
		list = append(list, services.Fieldf(field+"."+name, format, args...))
	}
	for _, h := range l.Hosts {
		switch _, err := netip.ParseAddr(h); {
		case err == nil:
		case strings.Trim(h, ".") == "" || strings.ContainsAny(h, "/ \t"):
			add("hosts", "%q is not the name of a host: want one such as \"www.lab\", \".lab\" or \"*.lab\"", h)
		case strings.Contains(h, ":"):
			add("hosts", "%q has a port: ports have a list of their own", h)
		}
	}
	if slices.Contains(l.Ports, 0) {
		add("ports", "found 0, wanted 1 to 65535")
	}
	for _, p := range l.Paths {
		if !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "*") {
			add("paths", "%q is not a path: want one such as \"/private/*\"", p)
		}
	}
	if len(l.Paths) > 0 && !paths {
		add("paths", "found %q, but this proxy doesn't see the paths of URLs: http-proxy does", l.Paths[0])
	}
	return errors.Join(list...)
}

// Check returns why a request is refused, or "".
func (f *Filter) Check(r Request) (reason string) {
	host := canonical(r.Host)
	if p, found := matching(f.Deny.Hosts, host, matchHost); found {
		return fmt.Sprintf("host %s is denied by %q", host, p)
	}
	if slices.Contains(f.Deny.Ports, r.Port) {
		return fmt.Sprintf("port %d is denied", r.Port)
	}
	at := ""
	if r.Path != "" {
		at = clean(r.Path)
		if p, found := matching(f.Deny.Paths, at, glob); found {
			return fmt.Sprintf("path %s is denied by %q", at, p)
		}
	}
	if _, found := matching(f.Allow.Hosts, host, matchHost); !found && len(f.Allow.Hosts) > 0 {
		return fmt.Sprintf("host %s is not one of those that are allowed", host)
	}
	if len(f.Allow.Ports) > 0 && !slices.Contains(f.Allow.Ports, r.Port) {
		return fmt.Sprintf("port %d is not one of those that are allowed", r.Port)
	}
	if _, found := matching(f.Allow.Paths, at, glob); len(f.Allow.Paths) > 0 && (r.Path == "" || !found) {
		if r.Path == "" {
			return "only some paths are allowed, and those in a tunnel can't be seen"
		}
		return fmt.Sprintf("path %s is not one of those that are allowed", at)
	}
	return ""
}

// canonical returns a host's name as patterns have it: lower case, without brackets or the final dot; of addresses their usual form.
func canonical(host string) string {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// clean takes dots and double slashes out of a path, so that /a/../private is seen for what it is. A slash at the end stays.
func clean(p string) string {
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	c := path.Clean(p)
	if strings.HasSuffix(p, "/") && c != "/" {
		c += "/"
	}
	return c
}

// matching returns the first pattern that matches a text.
func matching(patterns []string, text string, match func(pattern, text string) bool) (pattern string, found bool) {
	for _, p := range patterns {
		if match(p, text) {
			return p, true
		}
	}
	return "", false
}

// matchHost says whether a pattern matches a canonical name.
func matchHost(pattern, host string) bool {
	if below, ok := strings.CutPrefix(pattern, "."); ok {
		below = strings.ToLower(below)
		return host == below || strings.HasSuffix(host, "."+below)
	}
	return glob(canonical(pattern), host)
}

// glob says whether a text matches a pattern in which * stands for any characters, slashes and none at all included.
func glob(pattern, text string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, first)
	if !ok {
		return false
	}
	for {
		var part string
		part, rest, star = strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(text, part)
		}
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
}
