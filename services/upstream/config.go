package upstream

import (
	"encoding/json"
	"errors"
	"fmt"
	nethttp "net/http"
	"slices"
	"time"

	"github.com/invopop/jsonschema"

	"netlab/http"
	"netlab/services"
	"netlab/services/secure"
	"netlab/units"
)

// auto lets balancer and backend choose the version of HTTP.
const auto = "auto"

// versions are the versions of HTTP by name.
var versions = map[string]http.Version{"": http.HTTP1, string(http.HTTP1): http.HTTP1, auto: http.Negotiated,
	string(http.HTTP2): http.HTTP2, string(http.H2C): http.H2C}

// Which fields tell backends of the client.
const (
	ForwardX       = "x-forwarded"
	ForwardRFC7239 = "forwarded"
	ForwardBoth    = "both"
	ForwardNone    = "none"
)

// The defaults.
const (
	DefaultConnectTimeout   = 5 * time.Second
	DefaultFirstByteTimeout = 60 * time.Second
	DefaultIdleTimeout      = 60 * time.Second
	DefaultRequestBuffer    = 64 << 10 // bytes
)

const (
	maxAttempts                = 100
	maxHedges                  = 10
	maxConnections             = 1 << 20
	maxBuffer      units.Bytes = 64 << 20
	maxTimeout                 = units.Duration(365 * 24 * time.Hour)
)

// Config says how requests are sent to backends. In the file it is the object "upstream" of a balancer or a proxy. The zero value has
// the defaults.
type Config struct {
	HTTPVersion      string         `json:"http_version,omitempty" jsonschema_description:"Version of HTTP towards backends: http/1.1, h2 over TLS, h2c without TLS, or auto: with TLS what the backend offers, otherwise HTTP/1.1. Default http/1.1." jsonschema:"enum=http/1.1,enum=h2,enum=h2c,enum=auto,default=http/1.1"`
	TLS              TLS            `json:"tls,omitzero" jsonschema_description:"TLS towards backends: true, or an object with details. Default false."`
	KeepAlive        *bool          `json:"keep_alive,omitempty" jsonschema_description:"Whether connections to backends are used again. Default true, but false with proxy_protocol, whose header is for one client."`
	MaxConnections   int            `json:"max_connections,omitempty" zero:"refused" jsonschema_description:"Connections to each backend at most; further requests wait for one. Default: no limit for HTTP/1.1, one at a time for h2 and h2c."`
	IdleConnections  int            `json:"idle_connections,omitempty" zero:"refused" jsonschema_description:"Idle connections to each backend at most. Default 100."`
	IdleTimeout      units.Duration `json:"idle_timeout,omitempty" zero:"refused" jsonschema_description:"How long an idle connection to a backend is kept. Default 1m."`
	ConnectTimeout   units.Duration `json:"connect_timeout,omitempty" zero:"refused" jsonschema_description:"How long a connection to a backend, with its TLS handshake, may take. Default 5s."`
	FirstByteTimeout units.Duration `json:"first_byte_timeout,omitempty" zero:"refused" jsonschema_description:"How long each try may take until the header of the response is there. Default 1m."`
	Timeout          units.Duration `json:"timeout,omitempty" zero:"refused" jsonschema_description:"How long a request may take with all its tries, until the last byte of the response. An upgraded connection is not limited. Default: no limit."`
	RequestBuffer    *units.Bytes   `json:"request_buffer,omitempty" jsonschema_description:"How much of a request's body is kept so that it can be sent again. A body of HTTP/1.1, or one of known size, is taken in up to this before a backend is asked. 0B streams everything. Default 64KiB."`
	Retry            *Retry         `json:"retry,omitempty" jsonschema_description:"Whether a request that failed is tried again. {} has the defaults. Default: it isn't."`
	Hedge            *Hedge         `json:"hedge,omitempty" jsonschema_description:"Whether an idempotent request that takes long is sent to a second backend. Default: it isn't."`
	Forwarded        string         `json:"forwarded,omitempty" jsonschema_description:"How backends learn of the client: x-forwarded (X-Forwarded-For, -Proto, -Host), forwarded (RFC 7239), both or none. Default x-forwarded." jsonschema:"enum=x-forwarded,enum=forwarded,enum=both,enum=none,default=x-forwarded"`
	TrustedProxies   services.Nodes `json:"trusted_proxies,omitempty" jsonschema_description:"Nodes in front of this one whose own word about the client is passed on. What others say is dropped. Default: none."`
	PreserveHost     *bool          `json:"preserve_host,omitempty" jsonschema_description:"Whether backends get the client's Host, or their own name. Default true."`
	ProxyProtocol    string         `json:"proxy_protocol,omitempty" jsonschema_description:"Header of the PROXY protocol, v1 or v2, that each connection to a backend begins with and that tells the client's address. Each request then has a connection of its own. Default: none." jsonschema:"enum=v1,enum=v2"`
}

// Retry says when a request is tried again. The zero value has the defaults.
type Retry struct {
	Attempts  int               `json:"attempts,omitempty" zero:"refused" jsonschema_description:"How often a request is tried, the first time included. Default 2."`
	On        []int             `json:"on,omitempty" jsonschema_description:"Status codes after which an idempotent request is tried again. Connections that fail and responses that don't come always count. Default 502, 503, 504; [] for none." `
	AnyMethod bool              `json:"any_method,omitempty" jsonschema_description:"Whether requests that do harm when they are repeated, such as POST, are tried again as well. Default false: only if they were never sent."`
	Backoff   units.Duration    `json:"backoff,omitempty" jsonschema_description:"Wait before the next try. Default 0s: at once, since it goes to another backend."`
	Budget    units.Probability `json:"budget,omitempty" zero:"refused" jsonschema_description:"Retries as a share of requests: each request pays so much of a retry in, each retry takes a whole one out, ten are there from the start and ten can be saved. Keeps a backend that is overloaded from getting more. Default: no limit."`
}

// Hedge says when a request is sent a second time. One of Delay and Quantile is needed.
type Hedge struct {
	Delay    units.Duration    `json:"delay,omitempty" zero:"refused" jsonschema_description:"After how long without the header of a response the next request goes out. With a quantile it holds as long as fewer than 20 latencies are known."`
	Quantile units.Probability `json:"quantile,omitempty" zero:"refused" jsonschema_description:"The same as a quantile of the last 256 latencies, such as 95%."`
	Max      int               `json:"max,omitempty" zero:"refused" jsonschema_description:"How many further requests go out at most. Default 1."`
}

// TLS says how TLS is used towards backends. The zero value means that it isn't.
type TLS struct {
	On bool `json:"-"`
	secure.Client
	ServerName services.HostName `json:"server_name,omitempty" jsonschema_description:"Name that is asked for and that the backend's certificate must have. Default: the backend's node."`
}

var _ services.Toggle = (*TLS)(nil)

// SetBool implements services.Toggle.
func (t *TLS) SetBool(on bool) { t.On = on }

// JSONSchemaExtend describes the two ways to write it.
func (TLS) JSONSchemaExtend(schema *jsonschema.Schema) { services.ToggleSchema(schema) }

// MarshalJSON writes true or false where there is nothing more to say.
func (t TLS) MarshalJSON() ([]byte, error) {
	type object TLS
	text, err := json.Marshal(object(t))
	if err == nil && (!t.On || string(text) == "{}") {
		return json.Marshal(t.On)
	}
	return text, err
}

// Validate returns errors about the fields below a prefix such as "upstream.".
func (c *Config) Validate(prefix string) error {
	list := []error{c.TLS.Validate(prefix + "tls")}
	add := func(field, format string, args ...any) {
		list = append(list, services.Fieldf(prefix+field, format, args...))
	}
	version, known := versions[c.HTTPVersion]
	switch {
	case !known:
		add("http_version", "%q is not one of http/1.1, h2, h2c, auto", c.HTTPVersion)
	case version == http.HTTP2 && !c.TLS.On:
		add("http_version", "h2 is HTTP/2 over TLS: want \"tls\": true as well, or h2c")
	case version == http.H2C && c.TLS.On:
		add("http_version", "h2c is HTTP/2 without TLS, and tls is on: want h2")
	case version == http.Negotiated && !c.TLS.On:
		add("http_version", "auto is chosen in the TLS handshake: want \"tls\": true as well, or http/1.1 or h2c")
	}
	between := func(field string, found, most int) {
		if found < 0 || found > most {
			add(field, "found %d, wanted 1 to %d", found, most)
		}
	}
	between("max_connections", c.MaxConnections, maxConnections)
	between("idle_connections", c.IdleConnections, maxConnections)
	for _, d := range []struct {
		field string
		found units.Duration
	}{{"idle_timeout", c.IdleTimeout}, {"connect_timeout", c.ConnectTimeout}, {"first_byte_timeout", c.FirstByteTimeout}, {"timeout", c.Timeout}} {
		if d.found < 0 || d.found > maxTimeout {
			add(d.field, "found %s, wanted more than 0s and at most a year", d.found)
		}
	}
	if c.RequestBuffer != nil && (*c.RequestBuffer < 0 || *c.RequestBuffer > maxBuffer) {
		add("request_buffer", "found %s, wanted 0B to %s", *c.RequestBuffer, maxBuffer)
	}
	if !slices.Contains([]string{"", ForwardX, ForwardRFC7239, ForwardBoth, ForwardNone}, c.Forwarded) {
		add("forwarded", "%q is not one of x-forwarded, forwarded, both, none", c.Forwarded)
	}
	switch c.ProxyProtocol {
	case "":
	case "v1", "v2":
		if c.KeepAlive != nil && *c.KeepAlive {
			add("keep_alive", "found true, but with proxy_protocol a connection is for one client, so that it isn't used again")
		}
		if known && version != http.HTTP1 {
			add("http_version", "found %s, but with proxy_protocol a connection is for one client: want http/1.1", c.HTTPVersion)
		}
	default:
		add("proxy_protocol", "%q is not one of v1, v2", c.ProxyProtocol)
	}
	if c.Retry != nil {
		list = append(list, c.Retry.validate(prefix+"retry."))
	}
	if c.Hedge != nil {
		list = append(list, c.Hedge.validate(prefix+"hedge."))
	}
	return errors.Join(list...)
}

func (r *Retry) validate(prefix string) error {
	var list []error
	add := func(field, format string, args ...any) {
		list = append(list, services.Fieldf(prefix+field, format, args...))
	}
	if r.Attempts < 0 || r.Attempts > maxAttempts {
		add("attempts", "found %d, wanted 1 to %d", r.Attempts, maxAttempts)
	}
	for i, code := range r.On {
		if code < 400 || code > 599 {
			add(fmt.Sprintf("on[%d]", i), "found %d, wanted a status from 400 to 599", code)
		}
	}
	if r.Backoff < 0 || r.Backoff > maxTimeout {
		add("backoff", "found %s, wanted 0s to a year", r.Backoff)
	}
	if r.Budget < 0 || r.Budget > 1 {
		add("budget", "found %s, wanted more than 0%%, up to 100%%", r.Budget)
	}
	return errors.Join(list...)
}

func (h *Hedge) validate(prefix string) error {
	var list []error
	add := func(field, format string, args ...any) {
		list = append(list, services.Fieldf(prefix+field, format, args...))
	}
	if h.Delay < 0 || h.Delay > maxTimeout {
		add("delay", "found %s, wanted more than 0s and at most a year", h.Delay)
	}
	if h.Quantile < 0 || h.Quantile >= 1 {
		add("quantile", "found %s, wanted more than 0%%, below 100%%", h.Quantile)
	}
	if h.Delay == 0 && h.Quantile == 0 {
		add("delay", "missing: want a duration such as 50ms, or a quantile")
	}
	if h.Max < 0 || h.Max > maxHedges {
		add("max", "found %d, wanted 1 to %d", h.Max, maxHedges)
	}
	return errors.Join(list...)
}

// Expand returns a copy in which patterns of nodes are replaced by the nodes that they stand for, for [services.Expander].
func (c Config) Expand(names func(services.Nodes) services.Nodes) Config {
	if c.TrustedProxies != nil {
		c.TrustedProxies = names(c.TrustedProxies)
	}
	return c
}

// scheme returns that of backends' URLs.
func (c *Config) scheme() string {
	if c.TLS.On {
		return "https"
	}
	return "http"
}

// Port returns the port of backends that have none.
func (c *Config) Port() uint16 {
	if c.TLS.On {
		return 443
	}
	return 80
}

// keepAlive says whether connections are used again.
func (c *Config) keepAlive() bool {
	return c.ProxyProtocol == "" && (c.KeepAlive == nil || *c.KeepAlive)
}

func (c *Config) preserveHost() bool { return c.PreserveHost == nil || *c.PreserveHost }

// requestBuffer returns how much of a body is kept.
func (c *Config) requestBuffer() int {
	if c.RequestBuffer == nil {
		return DefaultRequestBuffer
	}
	return int(*c.RequestBuffer)
}

// or returns a duration or the default.
func or(d units.Duration, standard time.Duration) time.Duration {
	if d == 0 {
		return standard
	}
	return d.Std()
}

// attempts returns how often a request is tried.
func (r *Retry) attempts() int {
	switch {
	case r == nil:
		return 1
	case r.Attempts == 0:
		return 2
	}
	return r.Attempts
}

// after says whether a status is one after which a request is tried again.
func (r *Retry) after(status int) bool {
	if r == nil {
		return false
	}
	if r.On == nil {
		return status == nethttp.StatusBadGateway || status == nethttp.StatusServiceUnavailable || status == nethttp.StatusGatewayTimeout
	}
	return slices.Contains(r.On, status)
}

// idempotent says whether a request may be repeated without harm (RFC 9110, section 9.2.2).
func idempotent(method string) bool {
	switch method {
	case nethttp.MethodGet, nethttp.MethodHead, nethttp.MethodPut, nethttp.MethodDelete, nethttp.MethodOptions, nethttp.MethodTrace:
		return true
	}
	return false
}
