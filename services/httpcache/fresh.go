package httpcache

import (
	nethttp "net/http"
	"slices"
	"strings"
	"time"
)

// heuristicStatuses are those whose responses may be stored without saying so (RFC 9110, section 15.1; 206 isn't stored here).
var heuristicStatuses = []int{200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501}

// understood are the statuses for which this cache does all that they ask of one (RFC 9111, section 5.2.2.3).
var understood = []int{200, 203, 204, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 406, 410, 414, 415, 421, 500, 501, 502, 503, 504}

// policy is what a response says about its storing and its use, as far as it concerns this cache.
type policy struct {
	control
	lifetime time.Duration // how long it is fresh
	explicit bool          // it says so itself
	strict   bool          // it may not be used when it is stale
}

// read makes the policy of a response that was received at a time.
func (c *Cache) read(status int, h nethttp.Header, received time.Time) policy {
	control, targeted := responseControl(h, c.targeted)
	p := policy{control: control}
	shared := c.options.Shared
	p.strict = p.mustRevalidate || p.noCache || shared && (p.proxyRevalidate || p.sMaxAge != absent)
	p.lifetime, p.explicit = 0, true
	date := dateOf(h, received)
	switch {
	case shared && p.sMaxAge != absent:
		p.lifetime = p.sMaxAge
	case p.maxAge != absent:
		p.lifetime = p.maxAge
	case !targeted && len(h["Expires"]) > 0:
		if expires, ok := parseDate(h["Expires"]); ok {
			p.lifetime = max(0, expires.Sub(date))
		} // section 5.3: another value, such as 0, is in the past
	default:
		p.explicit = false
		if slices.Contains(heuristicStatuses, status) || p.public {
			p.lifetime = c.guess(h, date)
		}
	}
	if p.whileRevalidate == absent {
		p.whileRevalidate = c.config.StaleWhileRevalidate.Std()
	}
	if p.ifError == absent {
		p.ifError = c.config.StaleIfError.Std()
	}
	return p
}

// guess returns how long a response is fresh that doesn't say it (section 4.2.2).
func (c *Cache) guess(h nethttp.Header, date time.Time) time.Duration {
	if c.heuristicShare > 0 {
		if modified, ok := parseDate(h["Last-Modified"]); ok && modified.Before(date) {
			return min(time.Duration(float64(date.Sub(modified))*c.heuristicShare), c.heuristicMax)
		}
	}
	return c.config.DefaultTTL.Std()
}

// dateOf returns a response's date, or when it was received if it has none.
func dateOf(h nethttp.Header, received time.Time) time.Time {
	if date, ok := parseDate(h["Date"]); ok {
		return date
	}
	return received
}

// dateLayouts are the three forms of a date (RFC 9110, section 5.6.7).
var dateLayouts = []string{nethttp.TimeFormat, "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC}

// parseDate reads a field that is a date: one line, in one of the three forms to the letter, but for
// capitals and small letters, and for a wrong day of the week.
func parseDate(lines []string) (time.Time, bool) {
	if len(lines) != 1 {
		return time.Time{}, false
	}
	text := lines[0]
	if n := len(text) - len("GMT"); n > 0 && strings.EqualFold(text[n:], "GMT") {
		text = text[:n] + "GMT"
	}
	for _, layout := range dateLayouts {
		if date, err := time.Parse(layout, text); err == nil && strings.EqualFold(pastDay(date.Format(layout)), pastDay(text)) {
			return date.UTC(), true
		}
	}
	return time.Time{}, false
}

// pastDay returns a date without the day of the week.
func pastDay(date string) string {
	_, rest, _ := strings.Cut(date, " ")
	return rest
}

// initialAge is the age of a response when it was received (section 4.2.3). Dates have whole seconds, so that the time between Date and
// the reception is counted in whole seconds as well: within one second a response is as old as its way took.
func initialAge(h nethttp.Header, requested, received time.Time) time.Duration {
	apparent := max(0, received.Truncate(time.Second).Sub(dateOf(h, received.Truncate(time.Second))))
	age := absent
	if lines := h["Age"]; len(lines) > 0 {
		first, _, _ := strings.Cut(lines[0], ",") // section 5.1: the first of several
		age = parseSeconds(strings.Trim(first, " \t"))
	}
	return max(apparent, max(age, 0)+received.Sub(requested))
}

// storable says whether the response to a GET request may be stored (section 3), and is of any use then.
func (c *Cache) storable(r *nethttp.Request, status int, h nethttp.Header, p *policy) bool {
	shared := c.options.Shared
	switch {
	case status < 200 || status == nethttp.StatusPartialContent || status == nethttp.StatusNotModified:
		return false
	case p.mustUnderstand && !slices.Contains(understood, status):
		return false
	case p.noStore && !p.mustUnderstand:
		return false
	case shared && p.private:
		return false
	case shared && len(r.Header["Authorization"]) > 0 && !p.mustRevalidate && !p.public && p.sMaxAge == absent: // section 3.5
		return false
	case slices.Contains(varyNames(h), "*"):
		return false // it would never be used
	case !p.explicit && !p.public && !p.private && !slices.Contains(heuristicStatuses, status):
		return false
	case p.lifetime == 0 && h.Get("ETag") == "" && h.Get("Last-Modified") == "" && p.whileRevalidate <= 0 && p.ifError <= 0:
		return false
	}
	return true
}

// hopByHop are the fields of a connection, and those between a client and its proxy, which aren't stored (section 3.1).
var hopByHop = []string{"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization",
	"Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// endToEnd returns what is stored of a response's header, in a map of its own.
func (c *Cache) endToEnd(h nethttp.Header, p *policy) nethttp.Header {
	kept := h.Clone()
	if kept == nil {
		kept = nethttp.Header{}
	}
	for _, line := range h["Connection"] {
		for _, name := range strings.Split(line, ",") {
			kept.Del(strings.Trim(name, " \t"))
		}
	}
	for _, name := range hopByHop {
		delete(kept, name)
	}
	for _, name := range p.noCacheFields {
		delete(kept, name)
	}
	if c.options.Shared {
		for _, name := range p.privateFields {
			delete(kept, name)
		}
	}
	return kept
}

// varyNames returns the fields of the request that chose a response, canonical and sorted.
func varyNames(h nethttp.Header) []string {
	var list []string
	for _, line := range h["Vary"] {
		for _, name := range strings.Split(line, ",") {
			if name = nethttp.CanonicalHeaderKey(strings.Trim(name, " \t")); name != "" {
				list = append(list, name)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// varyValue returns a field of a request as it is compared: its lines in one, without the space around commas.
func varyValue(h nethttp.Header, name string) string {
	lines := h[name]
	if len(lines) == 1 && !strings.ContainsAny(lines[0], ", \t") {
		return lines[0]
	}
	var parts []string
	for _, line := range lines {
		for _, part := range strings.Split(line, ",") {
			parts = append(parts, strings.Trim(part, " \t"))
		}
	}
	return strings.Join(parts, ",")
}
