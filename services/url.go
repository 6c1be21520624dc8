package services

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
)

// URL is the address of something on an HTTP server of the lab: "http://server/path". A configuration field of this type is
// checked against the nodes of the file.
type URL string

// Parse checks the URL and takes it apart. The error says what is wrong with it and what was wanted.
func (u URL) Parse() (*url.URL, error) {
	p, err := url.Parse(string(u))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is not a URL: want one such as \"http://server/path\"", string(u))
	case p.Scheme == "https":
		return nil, fmt.Errorf("%q asks for TLS, which is not there yet: want http", string(u))
	case p.Scheme != "http":
		return nil, fmt.Errorf("%q is not an HTTP URL: want one such as \"http://server/path\"", string(u))
	case p.Opaque != "" || p.Hostname() == "":
		return nil, fmt.Errorf("%q names no host: want one such as \"http://server/path\"", string(u))
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

// Host returns the name or address of the server, "" if the URL makes no sense.
func (u URL) Host() string {
	p, err := u.Parse()
	if err != nil {
		return ""
	}
	return p.Hostname()
}

// Port returns the port of the server, 80 if the URL has none, 0 if it makes no sense.
func (u URL) Port() uint16 {
	const web = 80
	p, err := u.Parse()
	switch {
	case err != nil:
		return 0
	case p.Port() == "":
		return web
	}
	port, _ := strconv.ParseUint(p.Port(), 10, 16) // it was checked
	return uint16(port)
}
