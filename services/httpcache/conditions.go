package httpcache

import (
	nethttp "net/http"
	"strconv"
	"strings"
	"time"
)

// weak says whether an entity tag is weak (RFC 9110, section 8.8.3).
func weak(tag string) bool { return strings.HasPrefix(tag, "W/") }

// matchesTag says whether a field such as If-None-Match names an entity tag, weakly compared (section 8.8.3.2).
func matchesTag(lines []string, tag string) bool {
	if tag == "" {
		return false
	}
	tag = strings.TrimPrefix(tag, "W/")
	for _, line := range lines {
		for line != "" {
			var one string
			if one, line = nextTag(line); one == tag || one == "*" {
				return true
			}
		}
	}
	return false
}

// nextTag cuts the first entity tag off a list, without its mark of weakness. What is no tag, but stands between commas, is taken for one
// as it is, as servers that forget the quotation marks expect.
func nextTag(list string) (tag, rest string) {
	list = strings.TrimLeft(list, " \t,")
	list = strings.TrimPrefix(list, "W/")
	if strings.HasPrefix(list, `"`) {
		if end := strings.IndexByte(list[1:], '"'); end >= 0 {
			return list[:end+2], list[end+2:]
		}
	}
	tag, rest, _ = strings.Cut(list, ",")
	return strings.TrimRight(tag, " \t"), rest
}

// unchanged says whether the client of a request has what an entry holds already (RFC 9111, section 4.3.2), so that 304 is the answer.
func (e *entry) unchanged(r *nethttp.Request) bool {
	if e.status != nethttp.StatusOK {
		return false
	}
	if lines := r.Header["If-None-Match"]; len(lines) > 0 {
		return matchesTag(lines, e.header.Get("ETag")) || len(lines) == 1 && strings.TrimSpace(lines[0]) == "*"
	}
	since, ok := parseDate(r.Header["If-Modified-Since"])
	if !ok {
		return false
	}
	modified, ok := parseDate(e.header["Last-Modified"])
	if !ok {
		modified = dateOf(e.header, e.received.Truncate(time.Second))
	}
	return !modified.After(since)
}

// conditionFields are those of a request that are about what its client has already.
var conditionFields = []string{"If-None-Match", "If-Modified-Since", "If-Range", "Range"}

// conditional says whether a request has one of them.
func conditional(h nethttp.Header) bool {
	for _, name := range conditionFields {
		if len(h[name]) > 0 {
			return true
		}
	}
	return false
}

// preconditions says whether a request has conditions that only the origin can judge (RFC 9111, section 4.3.2).
func preconditions(h nethttp.Header) bool {
	return len(h["If-Match"]) > 0 || len(h["If-Unmodified-Since"]) > 0
}

// validating returns the request that asks the origin whether an entry is still right (section 4.3.1).
func (e *entry) validating(r *nethttp.Request) *nethttp.Request {
	v := r.Clone(r.Context())
	if v.Header == nil {
		v.Header = nethttp.Header{}
	}
	for _, name := range conditionFields {
		delete(v.Header, name)
	}
	if tag := e.header.Get("ETag"); tag != "" {
		v.Header.Set("If-None-Match", tag)
	}
	if modified := e.header.Get("Last-Modified"); modified != "" {
		v.Header.Set("If-Modified-Since", modified)
	}
	return v
}

// span is a part of some content.
type span struct{ start, length int64 }

// rangeOf returns the part of an entry that a request wants (RFC 9110, section 14). ok is false if it wants the whole, or what amounts
// to it: several ranges, one of another unit, or one under a condition that doesn't hold. A length of -1 means that the range is
// beyond the end.
func (e *entry) rangeOf(r *nethttp.Request) (part span, ok bool) {
	lines := r.Header["Range"]
	if len(lines) != 1 || e.status != nethttp.StatusOK || r.Method != nethttp.MethodGet {
		return span{}, false
	}
	if condition := r.Header.Get("If-Range"); condition != "" {
		if strings.HasSuffix(condition, `"`) {
			if weak(condition) || condition != e.header.Get("ETag") {
				return span{}, false
			}
		} else if condition != e.header.Get("Last-Modified") {
			return span{}, false
		}
	}
	return parseRange(lines[0], int64(len(e.body)))
}

// parseRange reads a field Range about content of a length.
func parseRange(text string, length int64) (part span, ok bool) {
	unit, text, found := strings.Cut(text, "=")
	if !found || !strings.EqualFold(unit, "bytes") {
		return span{}, false
	}
	first, last, found := strings.Cut(strings.Trim(text, " \t"), "-")
	if !found {
		return span{}, false
	}
	if first == "" {
		n, err := strconv.ParseUint(last, 10, 63)
		if err != nil || !digit(last[0]) {
			return span{}, false
		}
		if n == 0 {
			return span{length: -1}, true
		}
		n = min(n, uint64(length))
		return span{length - int64(n), int64(n)}, true
	}
	start, err := strconv.ParseUint(first, 10, 63)
	if err != nil || !digit(first[0]) {
		return span{}, false
	}
	end := uint64(length) // after the last
	if last != "" {
		n, err := strconv.ParseUint(last, 10, 63)
		if err != nil || !digit(last[0]) || n < start {
			return span{}, false
		}
		end = min(end, n+1)
	}
	if start >= uint64(length) {
		return span{length: -1}, true
	}
	return span{int64(start), int64(end - start)}, true
}
