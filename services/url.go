package services

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// URL is the address of something on a server of the lab: "http://server/path", "wss://server/chat". A configuration field
// of this type is checked against the nodes of the file.
type URL string

// ports are the schemes that there are, and their ports (RFC 9110, section 4.2; RFC 6455, section 3).
var ports = map[string]uint16{"http": 80, "https": 443, "ws": 80, "wss": 443}

// Parse checks the URL and takes it apart. schemes are those that are wanted, such as "http"; none means http and https. The
// error says what is wrong with the URL and what was wanted.
func (u URL) Parse(schemes ...string) (*url.URL, error) {
	if len(schemes) == 0 {
		schemes = []string{"http", "https"}
	}
	p, err := url.Parse(string(u))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is not a URL: want one such as %q", string(u), schemes[0]+"://server/path")
	case !slices.Contains(schemes, p.Scheme):
		return nil, fmt.Errorf("%q is not a URL of %s: want one such as %q",
			string(u), alternatives(schemes), schemes[0]+"://server/path")
	case p.Opaque != "" || p.Hostname() == "":
		return nil, fmt.Errorf("%q names no host: want one such as %q", string(u), schemes[0]+"://server/path")
	case p.User != nil:
		return nil, fmt.Errorf("%q has a user name, which means nothing here", string(u))
	case p.Fragment != "":
		return nil, fmt.Errorf("%q has a fragment, which is not sent to servers", string(u))
	}
	if port := p.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, fmt.Errorf("%q is not a port: want 1 to 65535", port)
		}
	}
	if a, err := netip.ParseAddr(p.Hostname()); err == nil && a.Zone() != "" {
		return nil, fmt.Errorf("%q has an address with a zone, which means nothing here", string(u))
	}
	return p, nil
}

// alternatives lists words as in "http, https or ws".
func alternatives(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// ParseAny is [URL.Parse] with every scheme that there is.
func (u URL) ParseAny() (*url.URL, error) { return u.Parse("http", "https", "ws", "wss") }

// Host returns the name or address of the server, "" if the URL makes no sense.
func (u URL) Host() string {
	p, err := u.ParseAny()
	if err != nil {
		return ""
	}
	return p.Hostname()
}

// Port returns the port of the server, that of the scheme if the URL has none, 0 if it makes no sense.
func (u URL) Port() uint16 {
	p, err := u.ParseAny()
	switch {
	case err != nil:
		return 0
	case p.Port() == "":
		return ports[p.Scheme]
	}
	port, _ := strconv.ParseUint(p.Port(), 10, 16) // it was checked
	return uint16(port)
}

// Secure says whether the URL asks for TLS.
func (u URL) Secure() bool {
	p, err := u.ParseAny()
	return err == nil && (p.Scheme == "https" || p.Scheme == "wss")
}
