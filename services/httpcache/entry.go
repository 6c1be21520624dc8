package httpcache

import (
	nethttp "net/http"
	"net/url"
	"strings"
	"time"
)

// overhead is what an entry weighs beside its content and its header.
const overhead = 256

// entry is a stored response. Nobody changes it: one that is validated is replaced by another with the same content.
type entry struct {
	id   string // the key and what Vary is about
	key  string
	url  string
	vary []varyField

	status int
	proto  string
	header nethttp.Header
	body   []byte // nil while it is on its way
	length int64  // of the content, -1 while that isn't known

	policy   policy
	received time.Time     // or validated
	initial  time.Duration // the age then
	tags     []string
	order    uint64 // of storing
	hits     *uint64
}

// varyField is a field of the request that chose a response.
type varyField struct{ name, value string }

// newEntry makes an entry of a response whose content is still to come. h isn't changed.
func (c *Cache) newEntry(key, url string, r *nethttp.Request, status int, proto string, h nethttp.Header, p policy, requested, received time.Time) *entry {
	e := &entry{key: key, url: url, status: status, proto: proto, header: c.endToEnd(h, &p), length: -1,
		policy: p, received: received, initial: initialAge(h, requested, received), hits: new(uint64)}
	if e.header.Get("Date") == "" {
		e.header.Set("Date", received.UTC().Format(nethttp.TimeFormat)) // RFC 9110, section 6.6.1
	}
	var id strings.Builder
	id.WriteString(key)
	for _, name := range varyNames(h) {
		f := varyField{name, varyValue(r.Header, name)}
		e.vary = append(e.vary, f)
		id.WriteString("\n" + f.name + ": " + f.value)
	}
	e.id = id.String()
	for _, line := range h["Surrogate-Key"] {
		e.tags = append(e.tags, strings.Fields(line)...)
	}
	for _, line := range h["Cache-Tag"] {
		for _, tag := range strings.Split(line, ",") {
			if tag = strings.Trim(tag, " \t"); tag != "" {
				e.tags = append(e.tags, tag)
			}
		}
	}
	return e
}

// matches says whether the entry is for a request with these fields (section 4.1).
func (e *entry) matches(h nethttp.Header) bool {
	for _, f := range e.vary {
		if varyValue(h, f.name) != f.value {
			return false
		}
	}
	return true
}

// size is what the entry weighs in the store.
func (e *entry) size() int64 {
	n := int64(overhead+len(e.id)+len(e.url)) + int64(len(e.body))
	for name, lines := range e.header {
		for _, line := range lines {
			n += int64(len(name) + len(line) + len(": \r\n"))
		}
	}
	return n
}

// age is the entry's age (section 4.2.3).
func (e *entry) age(now time.Time) time.Duration { return e.initial + max(0, now.Sub(e.received)) }

// ttl is how long the entry is fresh yet, negative if it isn't.
func (e *entry) ttl(now time.Time) time.Duration { return e.policy.lifetime - e.age(now) }

// validators says whether the origin can be asked whether the entry is still right.
func (e *entry) validators() bool {
	return e.header.Get("ETag") != "" || e.header.Get("Last-Modified") != ""
}

// updated returns the entry with what a 304, or the answer to a HEAD, says of it (section 3.2). h isn't changed.
func (c *Cache) updated(e *entry, h nethttp.Header, requested, received time.Time) *entry {
	next := *e
	next.header = e.header.Clone()
	if h.Get("Date") == "" {
		delete(next.header, "Date")
	}
	delete(next.header, "Age")
	news := policy{control: parseControl(h["Cache-Control"])}
	for name, lines := range c.endToEnd(h, &news) {
		if name != "Content-Length" {
			next.header[name] = lines
		}
	}
	next.policy = c.read(e.status, next.header, received)
	next.received, next.initial = received, initialAge(next.header, requested, received)
	if next.header.Get("Date") == "" {
		next.header.Set("Date", received.UTC().Format(nethttp.TimeFormat))
	}
	return &next
}

// contradicts says whether what a 304 or the answer to a HEAD says is about another response than the stored one (sections 4.3.4 and
// 4.3.5): it has a strong validator, or a length, that differs.
func (e *entry) contradicts(h nethttp.Header, head bool) bool {
	if tag := h.Get("ETag"); tag != "" && (head || !weak(tag)) && tag != e.header.Get("ETag") {
		return true
	}
	if head {
		modified, length := h.Get("Last-Modified"), h.Get("Content-Length")
		return modified != "" && modified != e.header.Get("Last-Modified") ||
			length != "" && e.header.Get("Content-Length") != "" && length != e.header.Get("Content-Length")
	}
	return false
}

// URLOf returns the URL of a request in the form in which the cache compares URLs: the scheme and the host in small letters, without
// the scheme's own port and without a fragment.
func URLOf(r *nethttp.Request) string {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	scheme := r.URL.Scheme
	if scheme == "" {
		if scheme = "http"; r.TLS != nil {
			scheme = "https"
		}
	}
	return normalURL(scheme, host, r.URL)
}

func normalURL(scheme, host string, u *url.URL) string {
	scheme, host = strings.ToLower(scheme), strings.ToLower(host)
	switch scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	text := scheme + "://" + host + path
	if u.RawQuery != "" || u.ForceQuery {
		text += "?" + u.RawQuery
	}
	return text
}
