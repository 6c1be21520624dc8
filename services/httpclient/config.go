package httpclient

import (
	"errors"
	"fmt"
	"maps"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"netlab/http"
	"netlab/services"
	"netlab/services/httpcache"
	"netlab/services/secure"
	"netlab/units"
)

// Auto lets client and server choose the version of HTTP.
const Auto = "auto"

// versions are the versions of HTTP by name.
var versions = map[string]http.Version{"": http.Negotiated, Auto: http.Negotiated,
	string(http.HTTP1): http.HTTP1, string(http.HTTP2): http.HTTP2, string(http.H2C): http.H2C}

// idempotent are the methods whose requests may be repeated without harm (RFC 9110, section 9.2.2).
var idempotent = []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}

// methods are those that a client sends.
var methods = append([]string{"POST", "PATCH"}, idempotent...)

const (
	maxAttempts  = 1000
	maxRedirects = 1000
	// maxBody is the largest body that is sent: it is held in memory.
	maxBody units.Bytes = 64 << 20
)

// Config is what workloads that speak HTTP have in common. They embed it.
type Config struct {
	HTTPVersion    string            `json:"http_version" jsonschema_description:"Version of HTTP: auto is HTTP/2 if an https server offers it and otherwise HTTP/1.1; h2 is HTTP/2 over TLS and nothing else; h2c is HTTP/2 without TLS, from a server that has it switched on." jsonschema:"enum=auto,enum=http/1.1,enum=h2,enum=h2c,default=auto"`
	KeepAlive      bool              `json:"keep_alive" jsonschema_description:"Whether connections are used again." jsonschema:"default=true"`
	MaxConnections int               `json:"max_connections,omitempty" jsonschema_description:"How many connections a client has to one server at most; further requests wait for one. Default: no limit for HTTP/1.1; one for h2 and h2c, unless the server takes no further request on it."`
	Timeout        units.Duration    `json:"timeout" jsonschema_description:"How long a request may take, from the dial to the last byte, redirects included. Each attempt has as long." jsonschema:"default=30s"`
	ConnectTimeout units.Duration    `json:"connect_timeout,omitempty" jsonschema_description:"How long connecting to one address of a server, or of the proxy, may take. Then the next address of the name is tried; after the last one the attempt has failed. Less than timeout. Default: no limit but timeout."`
	Redirects      int               `json:"redirects" jsonschema_description:"How many redirects of a request are followed; one more is a failure. With 0 none is: the response is what the server says." jsonschema:"default=10"`
	Cookies        bool              `json:"cookies,omitempty" jsonschema_description:"Whether the client keeps cookies and sends them back."`
	Retry          Retry             `json:"retry,omitzero" jsonschema_description:"Whether and when failed requests are made again. Default: they aren't."`
	Method         string            `json:"method" jsonschema_description:"Method of the requests." jsonschema:"default=GET"`
	Headers        map[string]string `json:"headers,omitempty" jsonschema_description:"Header fields of the requests. With two or more the bytes of HTTP/2, not their number, differ from run to run."`
	Body           units.Bytes       `json:"body,omitempty" jsonschema_description:"Size of the body of the requests. Default: none."`
	Proxy          services.ProxyURL `json:"proxy,omitempty" jsonschema_description:"The proxy through which all requests go, such as http://proxy:3128 or socks5://user:password@proxy:1080. Default: none."`
	Cache          httpcache.Toggle  `json:"cache,omitzero" jsonschema_description:"A private cache, as a browser has: true, or an object that configures it. Each client has its own; with http-load that is each user, or each host if its users share connections. Default false."`
	TLS            secure.Client     `json:"tls,omitzero" jsonschema_description:"How TLS is used with https URLs."`
}

// Retry says when a failed request is made again: when no connection could be made, it broke or no response came in time, and
// when the status is one of On. The n-th wait is Backoff · Multiplier^(n-1), MaxBackoff at most; Jitter takes a random part of it
// away. The zero value of a field is its default.
type Retry struct {
	Attempts   int               `json:"attempts,omitempty" jsonschema_description:"How often a request is made, the first time included. Default 1: never again."`
	Backoff    units.Duration    `json:"backoff,omitempty" jsonschema_description:"Wait before the second attempt. Default 100ms."`
	Multiplier float64           `json:"multiplier,omitempty" jsonschema_description:"By how much each wait is longer than the one before. Default 2."`
	MaxBackoff units.Duration    `json:"max_backoff,omitempty" jsonschema_description:"Longest wait. Default 10s."`
	Jitter     units.Probability `json:"jitter,omitempty" jsonschema_description:"Part of each wait that is random: with 100% a wait is anything from nothing to its full length, which spreads out clients that failed together. Default 0%."`
	On         []int             `json:"on,omitempty" jsonschema_description:"Status codes after which a request is made again, such as 502, 503 and 504. Failures without a response always count. Default: none."`
	AnyMethod  bool              `json:"any_method,omitempty" jsonschema_description:"Whether requests that do harm when they are repeated, such as POST, are made again as well."`
}

// The defaults of a [Retry].
const (
	DefaultBackoff    = 100 * time.Millisecond
	DefaultMultiplier = 2
	DefaultMaxBackoff = 10 * time.Second
)

// NewConfig returns the defaults.
func NewConfig() Config {
	return Config{HTTPVersion: Auto, KeepAlive: true, Timeout: units.Duration(30 * time.Second), Redirects: 10, Method: "GET"}
}

// Validate returns errors about the fields.
func (c *Config) Validate() error {
	list := []error{c.Retry.validate("retry."), c.TLS.Validate("tls"), c.validateHeaders(), c.validateProxy(), c.Cache.Validate("cache")}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if _, ok := versions[c.HTTPVersion]; !ok {
		add("http_version", "%q is not one of auto, http/1.1, h2, h2c", c.HTTPVersion)
	}
	if c.MaxConnections < 0 {
		add("max_connections", "found %d, wanted 0 or more", c.MaxConnections)
	}
	if c.Timeout <= 0 {
		add("timeout", "found %s, wanted more than 0s", c.Timeout)
	}
	if c.ConnectTimeout < 0 || c.ConnectTimeout > 0 && c.ConnectTimeout >= c.Timeout {
		add("connect_timeout", "found %s, wanted more than 0s, and less than the timeout of %s", c.ConnectTimeout, c.Timeout)
	}
	if c.Redirects < 0 || c.Redirects > maxRedirects {
		add("redirects", "found %d, wanted 0 to %d", c.Redirects, maxRedirects)
	}
	if !slices.Contains(methods, c.Method) {
		hint := "want one of " + strings.Join(methods, ", ")
		if s := units.Suggest(c.Method, methods); s != "" {
			hint = fmt.Sprintf("did you mean %s?", s)
		}
		add("method", "%q is not a method: %s", c.Method, hint)
	}
	switch {
	case c.Body < 0 || c.Body > maxBody:
		add("body", "found %s, wanted 0B to %s", c.Body, maxBody)
	case c.Body > 0 && (c.Method == "HEAD" || c.Method == "TRACE"):
		add("body", "found %s, but %s requests have no body", c.Body, c.Method)
	}
	return errors.Join(list...)
}

// ownFields are header fields that the client fills in itself.
var ownFields = []string{"Connection", "Content-Length", "Cookie", "Host", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

func (c *Config) validateHeaders() error {
	var list []error
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		wrong := func(format string, args ...any) {
			list = append(list, services.FieldPathf([]string{"headers", name}, format, args...))
		}
		if !token(name) {
			wrong("%q is not the name of a header field", name)
		} else if slices.Contains(ownFields, textproto.CanonicalMIMEHeaderKey(name)) {
			wrong("the client sends %s itself", name)
		}
		if strings.ContainsFunc(c.Headers[name], func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			wrong("%q has a control character, which header fields can't have", c.Headers[name])
		}
	}
	return errors.Join(list...)
}

// token says whether s is a token (RFC 9110, section 5.6.2).
func token(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// validate returns errors about fields below a prefix such as "retry.".
func (r *Retry) validate(prefix string) error {
	var list []error
	add := func(field, format string, args ...any) {
		list = append(list, services.Fieldf(prefix+field, format, args...))
	}
	if r.Attempts < 0 || r.Attempts > maxAttempts {
		add("attempts", "found %d, wanted 1 to %d", r.Attempts, maxAttempts)
	}
	if r.Backoff < 0 {
		add("backoff", "found %s, wanted 0s or more", r.Backoff)
	}
	if r.MaxBackoff < 0 || r.MaxBackoff > 0 && r.MaxBackoff < r.Backoff {
		add("max_backoff", "found %s, wanted no less than the backoff of %s", r.MaxBackoff, r.Backoff)
	}
	if r.Multiplier != 0 && !(r.Multiplier >= 1 && r.Multiplier <= 1000) {
		add("multiplier", "found %v, wanted 1 to 1000", r.Multiplier)
	}
	if r.Jitter < 0 || r.Jitter > 1 {
		add("jitter", "found %s, wanted 0%% to 100%%", r.Jitter)
	}
	for _, status := range r.On {
		if status < 400 || status > 599 {
			add("on", "found %d, wanted a status from 400 to 599", status)
		}
	}
	if len(list) == 0 && r.Attempts <= 1 && (r.Backoff != 0 || r.Multiplier != 0 || r.MaxBackoff != 0 || r.Jitter != 0 || r.On != nil || r.AnyMethod) {
		add("attempts", "found %d, wanted 2 or more: otherwise nothing is retried", max(r.Attempts, 1))
	}
	return errors.Join(list...)
}

// CheckURL returns an error about a field when its URL makes no sense, or doesn't go with the version of HTTP.
func (c *Config) CheckURL(field string, u services.URL) error {
	if u == "" {
		return services.Fieldf(field, "missing: want one such as \"http://server/path\"")
	}
	if _, err := u.Parse(); err != nil {
		return services.Fieldf(field, "%s", err)
	}
	switch {
	case versions[c.HTTPVersion] == http.HTTP2 && !u.Secure():
		return services.Fieldf(field, "%q has no TLS, but http_version h2 is HTTP/2 over TLS: want an https URL, or http_version h2c", string(u))
	case versions[c.HTTPVersion] == http.H2C && u.Secure():
		return services.Fieldf(field, "%q has TLS, but http_version h2c is HTTP/2 without TLS: want an http URL, or http_version h2", string(u))
	}
	return nil
}

// Call returns the port that a valid URL in a field is about, for [services.Caller].
func Call(field string, u services.URL) services.Call {
	return services.Call{Field: field, Host: u.Host(), Protocol: services.TCP, Port: u.Port()}
}
