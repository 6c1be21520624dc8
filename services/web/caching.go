package web

import (
	"fmt"
	"maps"
	nethttp "net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

// caching sets what the handler "static" says to caches, at a time.
func (h *Handler) caching(header nethttp.Header, now time.Time) {
	for name, value := range h.Headers {
		header.Set(name, value)
	}
	if h.CacheControl != "" {
		header.Set("Cache-Control", h.CacheControl)
	}
	if h.Expires != nil {
		header.Set("Expires", now.Add(h.Expires.Std()).UTC().Format(nethttp.TimeFormat))
	}
	if len(h.Vary) > 0 {
		header.Set("Vary", strings.Join(h.Vary, ", "))
	}
}

// version returns the name of the object that a request wants, which says all that its content depends on: the path, how often it has
// changed, and the fields of the request that it varies with. modified is when it changed last; first is that of the first version.
func (h *Handler) version(r *nethttp.Request, now, first time.Time) (name string, modified time.Time) {
	name, modified = r.URL.Path, first
	if h.Changes > 0 {
		if n := now.Sub(first) / h.Changes.Std(); n > 0 {
			name += fmt.Sprintf("\nversion %d", n)
			modified = first.Add(n * h.Changes.Std())
		}
	}
	for _, field := range h.Vary {
		name += "\n" + field + ": " + strings.Join(r.Header.Values(field), ", ")
	}
	return name, modified
}

// ownHeaders are fields of responses that options or the server itself set.
var ownHeaders = []string{"Cache-Control", "Connection", "Content-Digest", "Content-Length", "Content-Range", "Content-Type", "Date",
	"Etag", "Expires", "Last-Modified", "Transfer-Encoding", "Vary"}

// validateCaching checks what the handler "static" says to caches.
func (h *Handler) validateCaching(add func(field, format string, args ...any)) {
	plain := func(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) }
	if !plain(h.CacheControl) {
		add("cache_control", "%q is not a header field's value", h.CacheControl)
	}
	for _, name := range h.Vary {
		if name == "*" || !fieldName(name) {
			add("vary", "%q is not the name of a header field", name)
		}
	}
	if h.Changes < 0 || h.Changes > 0 && h.Changes.Std() < time.Second {
		add("changes", "found %s, wanted 1s or more: dates have whole seconds", h.Changes)
	}
	if h.Changes.Std()%time.Second != 0 {
		add("changes", "found %s, wanted whole seconds, as dates have", h.Changes)
	}
	for _, name := range slices.Sorted(maps.Keys(h.Headers)) {
		switch {
		case !fieldName(name):
			add("headers", "%q is not the name of a header field", name)
		case slices.Contains(ownHeaders, textproto.CanonicalMIMEHeaderKey(name)):
			add("headers", "the server sends %s itself", name)
		case !plain(h.Headers[name]):
			add("headers", "%q is not a header field's value", h.Headers[name])
		}
	}
}

// fieldName says whether s is a token (RFC 9110, section 5.6.2), as names of header fields are.
func fieldName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}
