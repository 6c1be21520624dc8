package dns

import (
	"fmt"
	"strings"

	wire "github.com/miekg/dns"
)

// The limits of RFC 1035, section 2.3.4.
const (
	maxLabel = 63
	maxName  = 253 // without the final dot
)

// CheckName returns an error that says what is wrong with a domain name, absolute or not. Labels are made of letters, digits,
// hyphens and underscores; the first may be "*".
func CheckName(name string) error {
	text := strings.TrimSuffix(name, ".")
	switch {
	case text == "":
		return fmt.Errorf("%q is not a domain name: want labels with dots between them, such as \"www.lab\"", name)
	case len(text) > maxName:
		return fmt.Errorf("%q has %d characters: a domain name has at most %d", name, len(text), maxName)
	}
	for i, label := range strings.Split(text, ".") {
		switch {
		case label == "":
			return fmt.Errorf("%q is not a domain name: there is nothing between two dots", name)
		case len(label) > maxLabel:
			return fmt.Errorf("%q has a label of %d characters: want at most %d", name, len(label), maxLabel)
		case label == "*" && i == 0:
			continue
		}
		for _, r := range label {
			if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
				return fmt.Errorf("%q is not a domain name: %q is none of letters, digits, hyphen and underscore", name, r)
			}
		}
	}
	return nil
}

// Absolute returns the absolute name, in lower case and with the final dot, that a name in the data of a zone stands for: "@" is
// the zone itself, a name with a final dot and one that already ends in the zone's are absolute, and others are below the zone.
func Absolute(name, origin string) string {
	origin = wire.CanonicalName(origin)
	switch {
	case name == "@" || name == "":
		return origin
	case strings.HasSuffix(name, "."):
		return wire.CanonicalName(name)
	}
	full := wire.CanonicalName(name)
	if wire.IsSubDomain(origin, full) {
		return full
	}
	if origin == "." {
		return full
	}
	return full + origin
}

// parent returns the name above an absolute one, "." at the end.
func parent(name string) string {
	if i, end := wire.NextLabel(name, 0); !end {
		return name[i:]
	}
	return "."
}
