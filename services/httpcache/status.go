package httpcache

import (
	"strconv"
	"strings"
	"time"
)

// Reason is why a request went on to the next server (RFC 9211, section 2.2).
type Reason string

// The reasons.
const (
	Bypass   Reason = "bypass"    // the cache was told not to handle the request
	Method   Reason = "method"    // the request's method can't be answered from a cache
	URIMiss  Reason = "uri-miss"  // nothing is stored for the URL
	VaryMiss Reason = "vary-miss" // what is stored is for other requests
	Request  Reason = "request"   // a fresh response is stored, but the request doesn't want it
	Stale    Reason = "stale"     // what is stored is stale, or has to be validated
	Partial  Reason = "partial"   // a part was asked for, and the whole isn't stored
)

// Status is what a cache did with a request.
type Status struct {
	// Hit says that the response came from the store and nobody was asked.
	Hit bool
	// Forward is why the request went on, empty if it didn't. It is also set, beside Hit, where a validation began in the background
	// and where a stale response covers a failure of the origin; then Detail says which.
	Forward Reason
	// ForwardStatus is the status of the next server's response, 0 if there was none.
	ForwardStatus int
	// Stored says that the response was to be stored, Collapsed that the request waited for another one's response.
	Stored, Collapsed bool
	// Validated says that the next server answered with 304 and the content came from the store.
	Validated bool
	// Stale says that the response was no longer fresh.
	Stale bool
	// HasTTL says that TTL is known: how long the response is fresh yet, negative since when it isn't.
	HasTTL bool
	TTL    time.Duration
	// Key is the key of the response in the store.
	Key string
	// Detail is "stale-while-revalidate", "stale-if-error", "max-stale", "only-if-cached" or "no-cache" where that explains more.
	Detail string
}

// FromStore says that the content came from the store, validated or not.
func (s *Status) FromStore() bool { return s.Hit || s.Validated }

// Member returns the status as a member of the field Cache-Status, with the cache's name: "edge; hit; ttl=57".
func (s *Status) Member(name string) string {
	var b strings.Builder
	if isToken(name) && (name[0] >= 'a' && name[0] <= 'z' || name[0] >= 'A' && name[0] <= 'Z' || name[0] == '*') {
		b.WriteString(name)
	} else {
		b.WriteString(quoted(name))
	}
	if s.Hit {
		b.WriteString("; hit")
	} else if s.Forward != "" {
		b.WriteString("; fwd=" + string(s.Forward))
		if s.ForwardStatus > 0 {
			b.WriteString("; fwd-status=" + strconv.Itoa(s.ForwardStatus))
		}
		if s.Stored {
			b.WriteString("; stored")
		}
		if s.Collapsed {
			b.WriteString("; collapsed")
		}
	}
	if s.HasTTL {
		b.WriteString("; ttl=" + strconv.FormatInt(int64(s.TTL/time.Second), 10))
	}
	if s.Key != "" && !s.Hit {
		b.WriteString("; key=" + quoted(s.Key))
	}
	if s.Detail != "" {
		b.WriteString("; detail=" + s.Detail)
	}
	return b.String()
}

// quoted returns a string of structured fields (RFC 9651, section 3.3.3). Bytes that it can't have become question marks.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c >= 0x7f:
			b.WriteByte('?')
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			fallthrough
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
