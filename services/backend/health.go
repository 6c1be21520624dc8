package backend

import (
	"errors"
	nethttp "net/http"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"netlab/services"
	"netlab/services/secure"
	"netlab/units"
)

// The kinds of health checks.
const (
	CheckTCP  = "tcp"
	CheckHTTP = "http"
)

// The defaults of a [Health]; HAProxy's are the same but for the timeout.
const (
	DefaultInterval = 2 * time.Second
	DefaultTimeout  = time.Second
	DefaultRise     = 2
	DefaultFall     = 3
)

// maxMatch is how much of the body of an answer is looked at.
const maxMatch = 64 << 10

const maxRise = 1000

// Health says how backends are checked. The first check begins with the service, the next ones every interval after it.
type Health struct {
	Type     string            `json:"type,omitempty" jsonschema_description:"What a check does: tcp connects, http asks for a page. Default tcp." jsonschema:"enum=tcp,enum=http"`
	Interval units.Duration    `json:"interval,omitempty" zero:"refused" jsonschema_description:"Time from the beginning of a check to that of the next. Default 2s."`
	Timeout  units.Duration    `json:"timeout,omitempty" zero:"refused" jsonschema_description:"How long a check may take; it is no longer than the interval. Default 1s, or the interval if that is shorter."`
	Rise     int               `json:"rise,omitempty" zero:"refused" jsonschema_description:"Passed checks in a row until a backend that is down is up. Default 2."`
	Fall     int               `json:"fall,omitempty" zero:"refused" jsonschema_description:"Failed checks in a row until a backend that is up is down. Default 3."`
	Jitter   units.Probability `json:"jitter,omitempty" jsonschema_description:"Each check begins later by a random time up to this share of the interval, so that checks don't come in step. Default 0%."`
	Initial  string            `json:"initial,omitempty" jsonschema_description:"What a backend is before its first checks. Default up." jsonschema:"enum=up,enum=down"`
	Port     uint16            `json:"port,omitempty" zero:"refused" jsonschema_description:"Port that is checked. Default: that of the backend."`
	TLS      *secure.Client    `json:"tls,omitempty" jsonschema_description:"Checks speak TLS; {} has the defaults. Default: they don't."`
	Path     string            `json:"path,omitempty" jsonschema_description:"http: path that is asked for. Default /."`
	Host     string            `json:"host,omitempty" jsonschema_description:"http: value of the Host header. Default: the backend's name and port."`
	Method   string            `json:"method,omitempty" jsonschema_description:"http: method of the request. Default GET." jsonschema:"enum=GET,enum=HEAD,enum=OPTIONS"`
	Status   []int             `json:"status,omitempty" jsonschema_description:"http: status codes that pass. Default: 200 to 399."`
	Match    string            `json:"match,omitempty" jsonschema_description:"http: text that the first 64 KiB of the body must have. Default: none."`
}

// filled returns the settings with the defaults.
func (h Health) filled() Health {
	fill(&h.Type, CheckTCP)
	fill(&h.Interval, units.Duration(DefaultInterval))
	fill(&h.Timeout, min(units.Duration(DefaultTimeout), h.Interval))
	fill(&h.Rise, DefaultRise)
	fill(&h.Fall, DefaultFall)
	fill(&h.Path, "/")
	fill(&h.Method, nethttp.MethodGet)
	return h
}

func fill[T comparable](value *T, preset T) {
	var zero T
	if *value == zero {
		*value = preset
	}
}

// validate returns errors about fields below a prefix such as "health.".
func (h *Health) validate(prefix string) error {
	var list []error
	add := func(field, format string, args ...any) {
		list = append(list, services.Fieldf(prefix+field, format, args...))
	}
	f := h.filled()
	if f.Type != CheckTCP && f.Type != CheckHTTP {
		add("type", "%q is not one of tcp, http", h.Type)
	}
	if f.Interval < 0 {
		add("interval", "found %s, wanted more than 0s", h.Interval)
	}
	if f.Timeout < 0 || f.Timeout > f.Interval {
		add("timeout", "found %s, wanted more than 0s, up to the interval of %s: checks of a backend don't overlap", h.Timeout, f.Interval)
	}
	if f.Rise < 0 || f.Rise > maxRise {
		add("rise", "found %d, wanted 1 to %d", h.Rise, maxRise)
	}
	if f.Fall < 0 || f.Fall > maxRise {
		add("fall", "found %d, wanted 1 to %d", h.Fall, maxRise)
	}
	if f.Jitter < 0 || f.Jitter > 1 {
		add("jitter", "found %s, wanted 0%% to 100%%", h.Jitter)
	}
	if f.Initial != "" && f.Initial != "up" && f.Initial != "down" {
		add("initial", "%q is not one of up, down", h.Initial)
	}
	if h.TLS != nil {
		list = append(list, h.TLS.Validate(prefix+"tls"))
	}
	return errors.Join(append(list, h.validateHTTP(prefix, f.Type))...)
}

func (h *Health) validateHTTP(prefix, typ string) error {
	var list []error
	add := func(field, format string, args ...any) {
		list = append(list, services.Fieldf(prefix+field, format, args...))
	}
	if typ == CheckTCP {
		for _, o := range []struct {
			field string
			given bool
		}{{"path", h.Path != ""}, {"host", h.Host != ""}, {"method", h.Method != ""}, {"status", h.Status != nil}, {"match", h.Match != ""}} {
			if o.given {
				add(o.field, "a check of the type tcp asks for nothing; want \"type\": \"http\"")
			}
		}
		return errors.Join(list...)
	}
	if h.Path != "" && (!strings.HasPrefix(h.Path, "/") || strings.ContainsAny(h.Path, " #\r\n")) {
		add("path", "%q is not a path: want one such as \"/health\"", h.Path)
	}
	if h.Host != "" && !httpguts.ValidHostHeader(h.Host) {
		add("host", "%q is not a host", h.Host)
	}
	switch h.Method {
	case "", nethttp.MethodGet, nethttp.MethodHead, nethttp.MethodOptions:
	default:
		add("method", "%q is not one of GET, HEAD, OPTIONS", h.Method)
	}
	for _, status := range h.Status {
		if status < 200 || status > 599 {
			add("status", "found %d, wanted a status from 200 to 599", status)
		}
	}
	if h.Status != nil && len(h.Status) == 0 {
		add("status", "the list is empty: no check could pass")
	}
	if h.Match != "" && h.Method == nethttp.MethodHead {
		add("match", "an answer to HEAD has no body")
	}
	return errors.Join(list...)
}
