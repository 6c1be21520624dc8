package balance

import (
	"fmt"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// KeyKind is what of a request is its key.
type KeyKind string

// The kinds of keys. Those up to KeyFlow are known of any connection, the others of HTTP requests only.
const (
	KeySource KeyKind = "source" // the client's address
	KeyFlow   KeyKind = "flow"   // both addresses and ports
	KeyPath   KeyKind = "path"
	KeyURI    KeyKind = "uri" // path and query
	KeyHost   KeyKind = "host"
	KeyHeader KeyKind = "header" // the value of the header field NAME
	KeyCookie KeyKind = "cookie" // the value of the cookie NAME
	KeyQuery  KeyKind = "query"  // the first value of the query's parameter NAME
)

// HTTP says whether only an HTTP request has such a key.
func (k KeyKind) HTTP() bool { return k != KeySource && k != KeyFlow }

var keyKinds = []string{"source", "flow", "path", "uri", "host", "header", "cookie", "query"}

// ParseKey reads the text of "hash_key": a kind and, where it has one, a name: "header X-User". Empty text means source.
func ParseKey(text string) (kind KeyKind, name string, err error) {
	if text == "" {
		return KeySource, "", nil
	}
	word, name, named := strings.Cut(text, " ")
	kind = KeyKind(word)
	switch kind {
	case KeySource, KeyFlow, KeyPath, KeyURI, KeyHost:
		if named {
			return "", "", fmt.Errorf("%q is not a key: %s has no name; did you mean %q?", text, word, word)
		}
	case KeyHeader, KeyCookie, KeyQuery:
		switch {
		case name == "":
			return "", "", fmt.Errorf("%q is not a key: want the name as well, such as %q", text, word+" user")
		case kind != KeyQuery && !httpguts.ValidHeaderFieldName(name), kind == KeyQuery && strings.ContainsAny(name, " &=#"):
			return "", "", fmt.Errorf("%q is not a key: %q is not the name of a %s", text, name, word)
		}
	default:
		hint := didYouMean(word, keyKinds)
		if before, after, ok := strings.Cut(text, ":"); ok && !named {
			hint = fmt.Sprintf("; did you mean %q?", before+" "+after)
		}
		return "", "", fmt.Errorf("%q is not a key: want one of source, flow, path, uri, host, header NAME, cookie NAME, query NAME%s", text, hint)
	}
	return kind, name, nil
}

// Key returns the kind of the configured key and its name. The configuration is valid.
func (c *Config) Key() (kind KeyKind, name string) {
	kind, name, _ = ParseKey(c.HashKey)
	return kind, name
}
