package services

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
)

// ProxyURL is the address of a proxy: "http://proxy:3128", "socks5://user:password@proxy:1080". A configuration field of this type is
// checked against the nodes of the file.
type ProxyURL string

// The schemes of proxies.
const (
	// HTTPProxy is a proxy that speaks HTTP with its clients (RFC 9110, section 3.7).
	HTTPProxy = "http"
	// SOCKS5 is a proxy that speaks SOCKS version 5 (RFC 1928).
	SOCKS5 = "socks5"
)

// proxyPorts are the ports of proxies whose URL says none, by scheme: Squid's, and that of RFC 1928.
var proxyPorts = map[string]uint16{HTTPProxy: 3128, SOCKS5: 1080}

// Parse checks the URL and takes it apart. The error says what is wrong with it and what was wanted.
func (u ProxyURL) Parse() (*url.URL, error) {
	p, err := url.Parse(string(u))
	switch {
	case err != nil || p.Scheme == "":
		return nil, fmt.Errorf("%q is not the URL of a proxy: want one such as \"http://proxy:3128\" or \"socks5://proxy:1080\"", string(u))
	case proxyPorts[p.Scheme] == 0:
		return nil, fmt.Errorf("%q is not a kind of proxy: want http or socks5, as in \"http://proxy:3128\"", p.Scheme)
	case p.Opaque != "" || p.Hostname() == "":
		return nil, fmt.Errorf("%q names no host: want one such as %q", string(u), p.Scheme+"://proxy")
	case p.Path != "" && p.Path != "/" || p.RawQuery != "" || p.Fragment != "":
		return nil, fmt.Errorf("%q has more than a host and a port, which means nothing for a proxy", string(u))
	}
	if port := p.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, fmt.Errorf("%q is not a port: want 1 to 65535", port)
		}
	}
	if a, err := netip.ParseAddr(p.Hostname()); err == nil && a.Zone() != "" {
		return nil, fmt.Errorf("%q has an address with a zone, which means nothing here", string(u))
	}
	if p.User != nil {
		const longest = 255 // RFC 1929, section 2
		password, _ := p.User.Password()
		if name := p.User.Username(); name == "" || len(name) > longest || len(password) > longest {
			return nil, fmt.Errorf("%q has a user's name or password of the wrong length: want up to %d bytes, a name at least 1", string(u), longest)
		}
		if p.Scheme == SOCKS5 && password == "" {
			return nil, fmt.Errorf("%q has a user without a password, which socks5 needs", string(u))
		}
	}
	return p, nil
}

// Host returns the name or address of the proxy, "" if the URL makes no sense.
func (u ProxyURL) Host() string {
	p, err := u.Parse()
	if err != nil {
		return ""
	}
	return p.Hostname()
}

// Port returns the port of the proxy, 3128 or 1080 if the URL has none, 0 if it makes no sense.
func (u ProxyURL) Port() uint16 {
	p, err := u.Parse()
	switch {
	case err != nil:
		return 0
	case p.Port() == "":
		return proxyPorts[p.Scheme]
	}
	port, _ := strconv.ParseUint(p.Port(), 10, 16) // it was checked
	return uint16(port)
}

// Proxied is implemented by configurations of clients that may reach the hosts of their URLs through a proxy.
type Proxied interface {
	// ThroughProxy says whether the client, so configured, does: then it need not reach those hosts itself.
	ThroughProxy() bool
}
