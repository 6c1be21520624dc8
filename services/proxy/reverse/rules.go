package reverse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	nethttp "net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"netlab/services"
	"netlab/services/upstream"
)

// The actions of a rule.
const (
	Allow = "allow"
	Deny  = "deny"
)

// Rule lets requests in or not. All that it asks for must fit; one that asks for nothing fits every request.
type Rule struct {
	Action  string            `json:"action" jsonschema_description:"What happens to requests that fit." jsonschema:"required,enum=allow,enum=deny"`
	Clients services.Nodes    `json:"clients,omitempty" jsonschema_description:"Nodes that the request comes from. Default: any."`
	Methods []string          `json:"methods,omitempty" jsonschema_description:"Methods, such as GET. Default: any."`
	Paths   []string          `json:"paths,omitempty" jsonschema_description:"Paths: /admin is this one and what is below it. Dots and double slashes are taken out before. Default: any."`
	Hosts   []string          `json:"hosts,omitempty" jsonschema_description:"Hosts that the client asks for, without a port. Default: any."`
	Headers map[string]string `json:"headers,omitempty" jsonschema_description:"Header fields by name, each with the value that it must have; * is any, but it must be there."`
}

// Headers changes header fields: first some are removed, then some are set, then some are added.
type Headers struct {
	Remove []string          `json:"remove,omitempty" jsonschema_description:"Fields that are taken out."`
	Set    map[string]string `json:"set,omitempty" jsonschema_description:"Fields that get this value and no other."`
	Add    map[string]string `json:"add,omitempty" jsonschema_description:"Fields that get this value beside those that are there."`
}

// framing are the fields that say where a message ends, and to whom it goes: they are the proxy's own business.
var framing = []string{"Connection", "Content-Length", "Host", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

func (h *Headers) validate(at string) error {
	var list []error
	check := func(field, name, value string) {
		wrong := func(format string, args ...any) { list = append(list, services.Fieldf(at+field, format, args...)) }
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			wrong("%q is not the name of a header field", name)
		case slices.Contains(framing, nethttp.CanonicalHeaderKey(name)):
			wrong("%s says how messages are sent, which is the proxy's own business", name)
		case !httpguts.ValidHeaderFieldValue(value):
			wrong("%q has a character that header fields can't have", value)
		}
	}
	for _, name := range h.Remove {
		check("remove", name, "")
	}
	for _, name := range slices.Sorted(maps.Keys(h.Set)) {
		check("set", name, h.Set[name])
	}
	for _, name := range slices.Sorted(maps.Keys(h.Add)) {
		check("add", name, h.Add[name])
	}
	return errors.Join(list...)
}

// change changes header fields.
func (h *Headers) change(fields nethttp.Header) {
	for _, name := range h.Remove {
		fields.Del(name)
	}
	for _, name := range slices.Sorted(maps.Keys(h.Set)) {
		fields.Set(name, h.Set[name])
	}
	for _, name := range slices.Sorted(maps.Keys(h.Add)) {
		fields.Add(name, h.Add[name])
	}
}

func (c *Config) validateRules() error {
	var list []error
	for i, r := range c.Rules {
		at := fmt.Sprintf("rules[%d].", i)
		add := func(field, format string, args ...any) {
			list = append(list, services.Fieldf(at+field, format, args...))
		}
		if r.Action != Allow && r.Action != Deny {
			add("action", "%q is not one of %s, %s", r.Action, Allow, Deny)
		}
		for _, p := range r.Paths {
			if !strings.HasPrefix(p, "/") {
				add("paths", "%q is not a path: want one such as \"/admin\"", p)
			}
		}
		for _, m := range r.Methods {
			if !httpguts.ValidHeaderFieldName(m) || m != strings.ToUpper(m) {
				add("methods", "%q is not a method: want one such as GET", m)
			}
		}
		for _, h := range r.Hosts {
			if h == "" || strings.ContainsAny(h, "/:@* ") {
				add("hosts", "%q is not a host: want one such as www.shop.lab, without a port", h)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
			if !httpguts.ValidHeaderFieldName(name) {
				add("headers", "%q is not the name of a header field", name)
			}
		}
	}
	return errors.Join(list...)
}

// fits says whether a request from an address fits. clients are those of the rule.
func (r *Rule) fits(q *nethttp.Request, from netip.Addr, clients []netip.Addr) bool {
	if len(r.Clients) > 0 && !slices.Contains(clients, from) || len(r.Methods) > 0 && !slices.Contains(r.Methods, q.Method) {
		return false
	}
	at := path.Clean("/" + q.URL.Path)
	if len(r.Paths) > 0 && !slices.ContainsFunc(r.Paths, func(p string) bool {
		p = strings.TrimSuffix(p, "/")
		return at == p || strings.HasPrefix(at, p+"/") || p == ""
	}) {
		return false
	}
	host := (&url.URL{Host: q.Host}).Hostname()
	if len(r.Hosts) > 0 && !slices.ContainsFunc(r.Hosts, func(h string) bool { return strings.EqualFold(h, strings.TrimSuffix(host, ".")) }) {
		return false
	}
	for name, want := range r.Headers { // in any order: all must fit
		found := q.Header.Values(name)
		if len(found) == 0 || want != "*" && !slices.Contains(found, want) {
			return false
		}
	}
	return true
}

// serve puts rules and limits in front of the balancer.
func (r *runner) serve(ctx context.Context, env *services.Env, next nethttp.Handler) (nethttp.Handler, error) {
	clients := make([][]netip.Addr, len(r.config.Rules))
	for i, rule := range r.config.Rules {
		var err error
		if clients[i], err = upstream.Resolve(ctx, env, rule.Clients); err != nil {
			return nil, fmt.Errorf("rules[%d].clients: %w", i, err)
		}
	}
	return nethttp.HandlerFunc(func(w nethttp.ResponseWriter, q *nethttp.Request) {
		r.count(&r.received)
		source, _ := netip.ParseAddrPort(q.RemoteAddr)
		for i := range r.config.Rules {
			rule := &r.config.Rules[i]
			if !rule.fits(q, source.Addr().Unmap(), clients[i]) {
				continue
			}
			if rule.Action == Deny {
				r.count(&r.denied)
				upstream.Answer(w, env, nethttp.StatusForbidden, "this site doesn't let the request in")
				return
			}
			break
		}
		if most := int64(r.config.MaxBody); most > 0 {
			if q.ContentLength > most {
				r.count(&r.tooLarge)
				w.Header().Set("Connection", "close")
				upstream.Answer(w, env, nethttp.StatusRequestEntityTooLarge, "the content is too large")
				return
			}
			q.Body = nethttp.MaxBytesReader(w, q.Body, most)
		}
		next.ServeHTTP(w, q)
	}), nil
}

func (r *runner) count(n *uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*n++
}

// request changes the header that backends get.
func (r *runner) request(out, _ *nethttp.Request) { r.config.RequestHeaders.change(out.Header) }

// response changes the header that clients get.
func (r *runner) response(response *nethttp.Response) {
	r.config.ResponseHeaders.change(response.Header)
}
