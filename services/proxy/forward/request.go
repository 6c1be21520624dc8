package forward

import (
	"encoding/base64"
	"errors"
	"fmt"
	nethttp "net/http"
	"net/url"
	"strconv"
	"strings"

	"netlab/services/proxy/access"
)

// target returns what a request asks for, or why it makes no sense for a proxy.
func target(r *nethttp.Request) (access.Request, error) {
	if r.Method == nethttp.MethodConnect {
		return tunnelTarget(r)
	}
	u := r.URL
	switch {
	case u.Host == "" || u.Hostname() == "":
		return access.Request{}, errors.New("this is a proxy: want a request with a whole URL, such as \"GET http://server/path HTTP/1.1\"")
	case u.Scheme != "http":
		return access.Request{}, fmt.Errorf("%q is not a scheme that this proxy asks for: want http, or a tunnel (CONNECT)", u.Scheme)
	case u.User != nil:
		return access.Request{}, errors.New("the URL has a user's name in it, which http URLs can't have")
	case r.Method == nethttp.MethodTrace:
		return access.Request{}, errors.New("TRACE would show what clients sent to this proxy alone, so it isn't sent on")
	}
	to := access.Request{Host: u.Hostname(), Port: 80, Path: "/"}
	if u.Path != "" {
		to.Path = u.Path
	}
	if u.Port() != "" {
		var err error
		if to.Port, err = port(u); err != nil {
			return access.Request{}, err
		}
	}
	return to, nil
}

// tunnelTarget is [target] of a request for a tunnel, which names a host and a port and has no content.
func tunnelTarget(r *nethttp.Request) (access.Request, error) {
	switch {
	case r.URL.Host == "" || r.URL.Hostname() == "" || r.URL.User != nil || r.URL.Path != "" || r.URL.RawQuery != "":
		return access.Request{}, errors.New("a tunnel leads to a host and a port, as in \"CONNECT server:443 HTTP/1.1\"")
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return access.Request{}, errors.New("a request for a tunnel has no content")
	}
	p, err := port(r.URL)
	return access.Request{Host: r.URL.Hostname(), Port: p}, err
}

func port(u *url.URL) (uint16, error) {
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%q is not a port: want 1 to 65535", u.Port())
	}
	return uint16(n), nil
}

// authorized says whether a request may use the proxy.
func (p *proxy) authorized(r *nethttp.Request) bool {
	if len(p.config.Users) == 0 {
		return true
	}
	given := r.Header.Values("Proxy-Authorization")
	if len(given) != 1 {
		return false
	}
	name, password, ok := basic(given[0])
	return ok && p.config.Users.Known(name, password)
}

// basic reads the credentials of the scheme Basic (RFC 7617, section 2).
func basic(text string) (name, password string, ok bool) {
	scheme, rest, _ := strings.Cut(text, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(data), ":")
}

// viaItself says whether a request has come through the proxy before (RFC 9110, section 7.6.3).
func (p *proxy) viaItself(h nethttp.Header) bool {
	for _, line := range h.Values("Via") {
		for _, one := range strings.Split(line, ",") {
			if words := strings.Fields(one); len(words) > 1 && words[1] == p.name {
				return true
			}
		}
	}
	return false
}
