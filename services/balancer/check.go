package balancer

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"netlab/services"
	"netlab/services/balance"
	"netlab/services/balancer/l4"
	"netlab/units"
)

const (
	maxHeader  units.Bytes = 1 << 30
	maxStreams             = 1<<31 - 1
)

// Validate implements services.Config.
func (c *Config) Validate() error {
	list := []error{c.Pool.Validate()}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.Listen == "" {
		add("listen", "missing: want a colon and a port, such as \":80\"")
	}
	switch c.Layer {
	case 4:
		list = append(list, c.validate4(), c.validatePackets(), c.Layer4.Validate())
	case 7:
		list = append(list, c.validate7())
	default:
		add("layer", "found %d, wanted 4 or 7", c.Layer)
	}
	return errors.Join(list...)
}

// given returns the names of the fields of a struct that aren't zero, in their order.
func given(v any) []string {
	var names []string
	s := reflect.Indirect(reflect.ValueOf(v))
	for i := range s.NumField() {
		name, _, _ := strings.Cut(s.Type().Field(i).Tag.Get("json"), ",")
		if name != "" && !s.Field(i).IsZero() {
			names = append(names, name)
		}
	}
	return names
}

// validate4 reports options of layer 7.
func (c *Config) validate4() error {
	var list []error
	for _, name := range given(c) {
		switch name {
		case "listen", "layer":
		case "upstream":
			for _, option := range given(&c.Upstream) {
				if option != "connect_timeout" && option != "proxy_protocol" {
					list = append(list, services.Fieldf("upstream."+option, "layer 4 doesn't read requests: want \"layer\": 7"))
				}
			}
			list = append(list, c.Upstream.Validate("upstream."))
		default:
			list = append(list, services.Fieldf(name, "it is for layer 7, and the layer is 4"))
		}
	}
	if kind, _ := c.Key(); kind.HTTP() {
		list = append(list, services.Fieldf("hash_key", "%q is known of requests of HTTP, which layer 4 doesn't read: want source or flow", c.HashKey))
	}
	return errors.Join(list...)
}

// validatePackets reports options that the mode or the protocol of layer 4 can't follow.
func (c *Config) validatePackets() error {
	var list []error
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	datagrams := c.Protocol == l4.UDP
	if c.Queue != nil {
		switch {
		case c.Rewrites():
			add("queue", "the mode %s refuses the first packet of a connection if no backend may take it, nothing waits: want \"mode\": \"proxy\", or nothing", c.Mode)
		case datagrams:
			add("queue", "a datagram that waits would hold up those of all other clients: want \"protocol\": \"tcp\", or nothing")
		}
	}
	if c.OnBackendDown == l4.Reset && c.Health == nil {
		add("on_backend_down", "nothing finds out that a backend is dead: want health as well, or nothing")
	}
	if c.Rewrites() && datagrams {
		for _, o := range []struct {
			field string
			given bool
		}{{"outlier", c.Outlier != nil}, {"breaker", c.Breaker != nil}} {
			if o.given {
				add(o.field, "the mode %s can't tell whether a flow of UDP has failed: want \"mode\": \"proxy\", or health", c.Mode)
			}
		}
	}
	for _, option := range given(&c.Upstream) {
		switch {
		case option != "connect_timeout" && option != "proxy_protocol":
		case c.Rewrites():
			add("upstream."+option, "the mode %s makes no connections of its own to backends: want \"mode\": \"proxy\", or nothing", c.Mode)
		case datagrams:
			add("upstream."+option, "UDP has no connections: want \"protocol\": \"tcp\", or nothing")
		}
	}
	return errors.Join(list...)
}

// ValidateLocations implements services.Placed for all pools.
func (c *Config) ValidateLocations(locations map[string]services.Location) error {
	list := []error{c.Pool.ValidateLocations(locations)}
	for _, name := range c.poolNames() {
		p := c.Pools[name]
		list = append(list, prefixed([]string{"pools", name}, p.ValidateLocations(locations)))
	}
	return errors.Join(list...)
}

func (c *Config) validate7() error {
	list := []error{c.TLS.Validate("tls"), c.Upstream.Validate("upstream."), c.validateRoutes(), c.Limits.Validate("limits")}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	for _, name := range given(&c.Layer4) {
		add(name, "it is for layer 4, and the layer is 7: want \"layer\": 4")
	}
	if c.H2C && c.TLS.On {
		add("h2c", "found true, but it is HTTP/2 without TLS, and the balancer has TLS: http2 is for that")
	}
	if c.MaxStreams < 0 || c.MaxStreams > maxStreams {
		add("max_streams", "found %d, wanted 1 to %d", c.MaxStreams, maxStreams)
	}
	if c.MaxHeader < 0 || c.MaxHeader > maxHeader {
		add("max_header", "found %s, wanted 1B to %s", c.MaxHeader, maxHeader)
	}
	if c.HeaderTimeout < 0 {
		add("header_timeout", "found %s, wanted more than 0s", c.HeaderTimeout)
	}
	if c.KeepAlive < 0 {
		add("keepalive_timeout", "found %s, wanted more than 0s", c.KeepAlive)
	}
	if c.Sticky != nil {
		list = append(list, c.Sticky.validate("sticky."))
	}
	if c.TLSPassthrough {
		list = append(list, c.validatePassthrough())
	}
	for _, name := range c.poolNames() {
		p := c.Pools[name]
		if name == "" {
			list = append(list, services.FieldPathf([]string{"pools", name}, "the name is empty"))
		}
		list = append(list, prefixed([]string{"pools", name}, p.Validate()))
	}
	return errors.Join(list...)
}

// prefixed returns the errors of a part of a configuration as those of the whole.
func prefixed(path []string, err error) error {
	var list []error
	var walk func(err error)
	walk = func(err error) {
		var field *services.FieldError
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, one := range many.Unwrap() {
				walk(one)
			}
		} else if errors.As(err, &field) {
			list = append(list, services.FieldPathf(append(slices.Clone(path), field.Names()...), "%s", field.Problem))
		} else if err != nil {
			list = append(list, err)
		}
	}
	walk(err)
	return errors.Join(list...)
}

// validatePassthrough reports options that need to read requests.
func (c *Config) validatePassthrough() error {
	var list []error
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	const unread = "tls_passthrough reads no requests"
	for _, name := range given(c) {
		switch name {
		case "tls", "h2c", "http2", "max_streams", "max_header", "sticky":
			add(name, unread)
		case "limits":
			for _, option := range given(&c.Limits) {
				if option != "max_connections" && option != "client_connections" {
					add("limits."+option, unread)
				}
			}
		case "upstream":
			for _, option := range given(&c.Upstream) {
				if !slices.Contains([]string{"connect_timeout", "proxy_protocol", "retry"}, option) {
					add("upstream."+option, unread)
				}
			}
			if r := c.Upstream.Retry; r != nil && (len(r.On) > 0 || r.AnyMethod || r.Budget > 0) {
				add("upstream.retry", "%s: it tries connections again, of which attempts and backoff can be said", unread)
			}
		}
	}
	for i, r := range c.Routes {
		for _, name := range given(&r) {
			if name != "host" && name != "pool" {
				add(fmt.Sprintf("routes[%d].%s", i, name), "%s: want host alone, which the client names in the clear", unread)
			}
		}
	}
	for _, name := range append([]string{""}, c.poolNames()...) {
		p, field := c.Pool, "hash_key"
		if name != "" {
			p, field = c.Pools[name], "pools."+name+".hash_key"
		}
		if kind, _ := p.Key(); kind.HTTP() && kind != balance.KeyHost {
			add(field, "%s: want source, flow or host", unread)
		}
	}
	return errors.Join(list...)
}

func (c *Config) validateRoutes() error {
	var list []error
	used := map[string]bool{}
	for i := range c.Routes {
		r := &c.Routes[i]
		at := fmt.Sprintf("routes[%d]", i)
		list = append(list, r.validate(at+"."))
		used[r.Pool] = true
		if _, ok := c.Pools[r.Pool]; r.Pool != "" && !ok {
			list = append(list, services.Fieldf(at+".pool", "%q is none of the pools%s", r.Pool, suggest(r.Pool, c.poolNames())))
		}
	}
	for _, name := range c.poolNames() {
		if name != "" && !used[name] {
			list = append(list, services.FieldPathf([]string{"pools", name}, "no route leads to it"))
		}
	}
	return errors.Join(list...)
}

func suggest(found string, known []string) string {
	if s := units.Suggest(found, known); s != "" {
		return fmt.Sprintf("; did you mean %q?", s)
	}
	if len(known) > 0 {
		return ": want one of " + strings.Join(known, ", ")
	}
	return ", of which there are none"
}

func (r *Route) validate(at string) error {
	var list []error
	add := func(field, format string, args ...any) {
		list = append(list, services.Fieldf(at+field, format, args...))
	}
	if h := strings.TrimPrefix(r.Host, "*."); r.Host != "" && (h == "" || strings.ContainsAny(h, "*/:@ ")) {
		add("host", "%q is not a host: want one such as www.shop.lab or *.shop.lab, without a port", r.Host)
	}
	for _, f := range []struct{ field, path string }{{"path", r.Path}, {"path_prefix", r.PathPrefix}} {
		if f.path != "" && (f.path[0] != '/' || strings.ContainsAny(f.path, "?#")) {
			add(f.field, "%q is not a path: want one that begins with /, without a query", f.path)
		}
	}
	if r.Path != "" && r.PathPrefix != "" {
		add("path_prefix", "there is a path already, and both would have to fit")
	}
	for i, m := range r.Methods {
		if !httpguts.ValidHeaderFieldName(m) || m != strings.ToUpper(m) {
			add(fmt.Sprintf("methods[%d]", i), "%q is not a method: want one such as GET", m)
		}
	}
	for _, part := range []struct {
		field string
		names map[string]string
	}{{"headers", r.Headers}, {"cookies", r.Cookies}} {
		for _, name := range slices.Sorted(maps.Keys(part.names)) {
			if !httpguts.ValidHeaderFieldName(name) {
				list = append(list, services.FieldPathf(append(strings.Split(at+part.field, "."), name), "%q is not a name", name))
			}
		}
	}
	if r.RewritePrefix != nil {
		switch to := *r.RewritePrefix; {
		case r.PathPrefix == "":
			add("rewrite_prefix", "there is no path_prefix that it could replace")
		case to == "" || to[0] != '/' || strings.ContainsAny(to, "?#%"):
			add("rewrite_prefix", "%q is not a path: want one that begins with /, without a query", to)
		}
	}
	if r.Redirect != nil {
		if r.Pool != "" || r.RewritePrefix != nil {
			add("redirect", "the request is answered here, so that no pool and no rewriting can be said")
		}
		list = append(list, r.Redirect.validate(at+"redirect."))
	}
	return errors.Join(list...)
}

func (d *Redirect) validate(at string) error {
	var list []error
	add := func(field, format string, args ...any) {
		list = append(list, services.Fieldf(at+field, format, args...))
	}
	if d.Scheme == "" && d.Host == "" && d.Path == "" {
		add("scheme", "missing, as are host and path: the redirect would lead to where it is")
	}
	if d.Scheme != "" && d.Scheme != "http" && d.Scheme != "https" {
		add("scheme", "%q is not one of http, https", d.Scheme)
	}
	if strings.ContainsAny(d.Host, "/@?# ") {
		add("host", "%q is not a host", d.Host)
	}
	if d.Path != "" && (d.Path[0] != '/' || strings.ContainsAny(d.Path, "?#")) {
		add("path", "%q is not a path: want one that begins with /, without a query", d.Path)
	}
	if !slices.Contains([]int{0, 301, 302, 303, 307, 308}, d.Status) {
		add("status", "found %d, wanted 301, 302, 303, 307 or 308", d.Status)
	}
	return errors.Join(list...)
}
