package balancer

import (
	"cmp"
	"maps"
	"net"
	nethttp "net/http"
	"net/url"
	"slices"
	"strings"
)

// Route says which requests go where. All that it asks for must fit.
type Route struct {
	Host       string            `json:"host,omitempty" jsonschema_description:"Host that the client asks for, without a port: www.shop.lab, or *.shop.lab for every name below. Default: any."`
	Path       string            `json:"path,omitempty" jsonschema_description:"The path, exactly. Default: any."`
	PathPrefix string            `json:"path_prefix,omitempty" jsonschema_description:"Beginning of the path: /api is /api and what is below /api/. Default: any."`
	Methods    []string          `json:"methods,omitempty" jsonschema_description:"Methods, such as GET. Default: any."`
	Headers    map[string]string `json:"headers,omitempty" jsonschema_description:"Header fields by name, each with the value that it must have; * is any, but it must be there."`
	Cookies    map[string]string `json:"cookies,omitempty" jsonschema_description:"The same for cookies."`

	Pool          string    `json:"pool,omitempty" jsonschema_description:"Name of the pool that gets the request. Default: the balancer's own backends."`
	RewritePrefix *string   `json:"rewrite_prefix,omitempty" jsonschema_description:"What replaces the path_prefix in the path that the backend gets, such as / or /v2."`
	Redirect      *Redirect `json:"redirect,omitempty" jsonschema_description:"Answers with a redirect instead."`
}

// Redirect is where a client is sent instead. What isn't given stays as the client has it; the query always does.
type Redirect struct {
	Scheme string `json:"scheme,omitempty" jsonschema_description:"http or https." jsonschema:"enum=http,enum=https"`
	Host   string `json:"host,omitempty" jsonschema_description:"Host, with a port if it isn't that of the scheme."`
	Path   string `json:"path,omitempty" jsonschema_description:"Path."`
	Status int    `json:"status,omitempty" zero:"refused" jsonschema_description:"301, 302, 303, 307 or 308. Default 308: permanent, with the same method."`
}

// fits says whether a request fits.
func (r *Route) fits(q *nethttp.Request) bool {
	if !r.fitsHost(hostOnly(q.Host)) ||
		r.Path != "" && q.URL.Path != r.Path ||
		r.PathPrefix != "" && !below(q.URL.Path, r.PathPrefix) ||
		len(r.Methods) > 0 && !slices.Contains(r.Methods, q.Method) {
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		if !fitsOne(q.Header.Values(name), r.Headers[name]) {
			return false
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Cookies)) {
		var values []string
		for _, c := range q.CookiesNamed(name) {
			values = append(values, c.Value)
		}
		if !fitsOne(values, r.Cookies[name]) {
			return false
		}
	}
	return true
}

// fitsHost says whether a host without port fits.
func (r *Route) fitsHost(host string) bool {
	if r.Host == "" {
		return true
	}
	if domain, ok := strings.CutPrefix(strings.ToLower(r.Host), "*"); ok {
		return strings.HasSuffix(strings.ToLower(host), domain) && len(host) > len(domain)
	}
	return strings.EqualFold(host, r.Host)
}

func fitsOne(found []string, want string) bool {
	return len(found) > 0 && (want == "*" || slices.Contains(found, want))
}

// below says whether a path is a prefix or below it.
func below(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(prefix, "/"))
}

// hostOnly returns a host without its port and brackets.
func hostOnly(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// rewrite changes the path of a request that goes to a backend.
func (r *Route) rewrite(u *url.URL) {
	if r.RewritePrefix == nil {
		return
	}
	swap := func(path string) string {
		rest := strings.TrimPrefix(path, r.PathPrefix)
		to := *r.RewritePrefix
		switch {
		case strings.HasSuffix(to, "/") && strings.HasPrefix(rest, "/"):
			return to + rest[1:]
		case !strings.HasSuffix(to, "/") && rest != "" && rest[0] != '/':
			return to + "/" + rest
		}
		return to + rest
	}
	escaped := u.EscapedPath()
	u.Path = swap(u.Path)
	u.RawPath = swap(escaped) // net/url takes it if it fits Path
}

// location is where a request is redirected to.
func (d *Redirect) location(q *nethttp.Request) (location string, status int) {
	scheme := "http"
	if q.TLS != nil {
		scheme = "https"
	}
	host := cmp.Or(d.Host, q.Host)
	if d.Host == "" && d.Scheme != "" && d.Scheme != scheme {
		host = hostOnly(q.Host) // the port is that of the other scheme
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
	}
	to := url.URL{Scheme: cmp.Or(d.Scheme, scheme), Host: host, Path: q.URL.Path, RawPath: q.URL.RawPath, RawQuery: q.URL.RawQuery}
	if d.Path != "" {
		to.Path, to.RawPath = d.Path, ""
	}
	return to.String(), cmp.Or(d.Status, nethttp.StatusPermanentRedirect)
}
