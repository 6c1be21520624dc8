package httpcache

import (
	nethttp "net/http"
	"net/textproto"
	"strings"
	"time"
)

// absent is a duration that isn't there.
const absent time.Duration = -1

// maxSeconds is what larger numbers of seconds count as (RFC 9111, section 1.2.2).
const maxSeconds = 1 << 31

// control is what a Cache-Control field says, in a request or a response (section 5.2).
type control struct {
	maxAge, sMaxAge                   time.Duration // or absent
	maxStale, minFresh                time.Duration
	whileRevalidate, ifError          time.Duration // RFC 5861
	noStore, noCache, private, public bool
	mustRevalidate, proxyRevalidate   bool
	mustUnderstand, immutable         bool
	onlyIfCached                      bool
	noCacheFields, privateFields      []string // canonical; the directive itself is not set then
}

func newControl() control {
	return control{maxAge: absent, sMaxAge: absent, maxStale: absent, minFresh: absent, whileRevalidate: absent, ifError: absent}
}

// parseControl reads the lines of a Cache-Control field. What it doesn't know it ignores. Of a directive that comes twice the first
// counts, and one whose number of seconds is none has 0, so that the response is stale (section 4.2.1).
func parseControl(lines []string) control {
	c := newControl()
	for _, line := range lines {
		for line != "" {
			var name, value string
			var has bool
			name, value, has, line = nextDirective(line)
			c.set(strings.ToLower(name), value, has)
		}
	}
	return c
}

// nextDirective cuts the first directive off a line. has says that it has a value.
func nextDirective(line string) (name, value string, has bool, rest string) {
	end := strings.IndexAny(line, ",=")
	if end < 0 {
		return strings.Trim(line, " \t"), "", false, ""
	}
	name = strings.Trim(line[:end], " \t")
	if line[end] == ',' {
		return name, "", false, line[end+1:]
	}
	if strings.HasSuffix(line[:end], " ") || strings.HasSuffix(line[:end], "\t") {
		name = "" // no space may be before the equals sign: it is no directive
	}
	value, rest = line[end+1:], ""
	if strings.HasPrefix(value, `"`) {
		value, rest = unquote(value)
		if comma := strings.IndexByte(rest, ','); comma >= 0 {
			return name, value, true, rest[comma+1:]
		}
		return name, value, true, ""
	}
	if comma := strings.IndexByte(value, ','); comma >= 0 {
		value, rest = value[:comma], value[comma+1:]
	}
	return name, strings.TrimRight(value, " \t"), true, rest
}

// unquote reads a quoted string (RFC 9110, section 5.6.4) at the beginning of s. One without an end goes to the end of s.
func unquote(s string) (value, rest string) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:]
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// set notes a directive.
func (c *control) set(name, value string, has bool) {
	if d := c.duration(name); d != nil {
		if *d != absent {
			return
		}
		if *d = parseSeconds(value); *d == absent {
			*d = 0
		}
		if name == "max-stale" && !has {
			*d = maxSeconds * time.Second // however stale
		}
		return
	}
	switch name {
	case "no-cache":
		c.noCache, c.noCacheFields = c.noCache || !has, append(c.noCacheFields, fieldNames(value, has)...)
	case "private":
		c.private, c.privateFields = c.private || !has, append(c.privateFields, fieldNames(value, has)...)
	default:
		if flag := c.flag(name); flag != nil {
			*flag = true
		}
	}
}

// duration returns where a directive with a number of seconds is kept, nil for others.
func (c *control) duration(name string) *time.Duration {
	switch name {
	case "max-age":
		return &c.maxAge
	case "s-maxage":
		return &c.sMaxAge
	case "max-stale":
		return &c.maxStale
	case "min-fresh":
		return &c.minFresh
	case "stale-while-revalidate":
		return &c.whileRevalidate
	case "stale-if-error":
		return &c.ifError
	}
	return nil
}

// flag returns where a directive without a value is kept, nil for others.
func (c *control) flag(name string) *bool {
	switch name {
	case "no-store":
		return &c.noStore
	case "no-cache":
		return &c.noCache
	case "private":
		return &c.private
	case "public":
		return &c.public
	case "must-revalidate":
		return &c.mustRevalidate
	case "proxy-revalidate":
		return &c.proxyRevalidate
	case "must-understand":
		return &c.mustUnderstand
	case "immutable":
		return &c.immutable
	case "only-if-cached":
		return &c.onlyIfCached
	}
	return nil
}

// fieldNames reads the fields that no-cache and private are about.
func fieldNames(value string, has bool) []string {
	if !has {
		return nil
	}
	list := []string{}
	for _, name := range strings.Split(value, ",") {
		if name = strings.Trim(name, " \t"); isToken(name) {
			list = append(list, textproto.CanonicalMIMEHeaderKey(name))
		}
	}
	return list
}

// parseSeconds reads a number of seconds (RFC 9111, section 1.2.2), or returns absent if it is none.
func parseSeconds(s string) time.Duration {
	if s == "" {
		return absent
	}
	n := int64(0)
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return absent
		}
		n = min(n*10+int64(s[i]-'0'), maxSeconds)
	}
	return time.Duration(n) * time.Second
}

// requestControl reads what a request wants.
func requestControl(h nethttp.Header) control {
	lines := h["Cache-Control"]
	c := parseControl(lines)
	if len(lines) == 0 {
		for _, line := range h["Pragma"] { // section 5.4
			c.noCache = c.noCache || parseControl([]string{line}).noCache
		}
	}
	return c
}

// responseControl reads what a response says to this cache: the first targeted field that makes sense (RFC 9213, section 2.2), or
// Cache-Control. targeted says that it was one of those.
func responseControl(h nethttp.Header, fields []string) (c control, targeted bool) {
	for _, name := range fields {
		if lines := h[name]; len(lines) > 0 {
			if c, ok := parseTargeted(strings.Join(lines, ",")); ok {
				return c, true
			}
		}
	}
	return parseControl(h["Cache-Control"]), false
}
