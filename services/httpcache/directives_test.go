package httpcache

import (
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDirectives(t *testing.T) {
	c := parseControl([]string{`max-age=60, S-MaxAge="120", foo="a, no-store", private="Set-Cookie, x y", no-cache`, "stale-if-error=5,,immutable"})
	require.Equal(t, 60*time.Second, c.maxAge)
	require.Equal(t, 120*time.Second, c.sMaxAge)
	require.Equal(t, 5*time.Second, c.ifError)
	require.Equal(t, absent, c.minFresh)
	require.Equal(t, []string{"Set-Cookie"}, c.privateFields)
	require.True(t, c.noCache && c.immutable)
	require.False(t, c.private || c.noStore)
	for text, want := range map[string]time.Duration{"max-age=1, max-age=2": time.Second, "max-age": 0, "max-age=": 0, "max-age=x": 0,
		"max-age =5": absent, "max-age= 5": 0, "max-age=99999999999999999999": maxSeconds * time.Second, `max-age="7`: 7 * time.Second} {
		require.Equal(t, want, parseControl([]string{text}).maxAge, text)
	}
}

func TestTargetedField(t *testing.T) {
	for text, want := range map[string]time.Duration{"max-age=60": 60 * time.Second, "max-age=60;a=1;b, no-transform": 60 * time.Second,
		"max-age=1, max-age=2": 2 * time.Second, "foo=(1 2);x, max-age=3, b=:aGk=:": 3 * time.Second, "must-revalidate": absent} {
		c, ok := parseTargeted(text)
		require.True(t, ok, text)
		require.Equal(t, want, c.maxAge, text)
	}
	for _, text := range []string{"", " ", "max-age=60,", "max-age=60 x", `max-age="60"`, "max-age=1.5", "max-age=-1", "Max-Age=1", "max-age=", "&", "no-store=1", "a=:x", "a=(1", `a="`, "a=?2"} {
		_, ok := parseTargeted(text)
		require.False(t, ok, text)
	}
}

func TestRanges(t *testing.T) {
	for text, want := range map[string]span{"bytes=0-": {0, 10}, "bytes=2-4": {2, 3}, "bytes=2-99": {2, 8}, "BYTES=-3": {7, 3}, "bytes=-99": {0, 10},
		"bytes=-0": {0, -1}, "bytes=10-": {0, -1}} {
		got, ok := parseRange(text, 10)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "bytes", "bytes=", "bytes=-", "bytes=4-2", "bytes=0-1,4-5", "items=0-1", "bytes=+1-2", "bytes=1-+2"} {
		_, ok := parseRange(text, 10)
		require.False(t, ok, text)
	}
}

func FuzzCacheControl(f *testing.F) {
	f.Add(`max-age=60, private="a, b", x="\"", no-cache`, "max-age=1;a=(1 2), b=:aGk=:", `"a", W/"b", *`, "bytes=1-2", "Tue, 01 Jan 2030 00:00:00 GMT")
	f.Fuzz(func(t *testing.T, control, targeted, tags, part, date string) {
		c := parseControl([]string{control})
		for _, name := range []string{"max-age", "s-maxage", "max-stale", "min-fresh", "stale-if-error", "stale-while-revalidate"} {
			d := *c.duration(name)
			require.True(t, d >= absent && d <= maxSeconds*time.Second)
		}
		for _, name := range append(c.noCacheFields, c.privateFields...) {
			require.True(t, isToken(name))
		}
		parseTargeted(targeted)
		matchesTag([]string{tags}, `"b"`)
		if s, ok := parseRange(part, 100); ok && s.length >= 0 {
			require.True(t, s.start >= 0 && s.length > 0 && s.start+s.length <= 100)
		}
		if d, ok := parseDate([]string{date}); ok {
			require.NotPanics(t, func() { d.Format(nethttp.TimeFormat) })
		}
		require.False(t, strings.ContainsAny(quoted(control), "\r\n\x00"))
	})
}

func TestConfigIsChecked(t *testing.T) {
	no := false
	for want, c := range map[string]Config{
		"":                         {},
		"cache.size: found -1B":    {Size: -1},
		"cache.max_object: found":  {Size: 10, MaxObject: 11},
		"cache.max_entries: found": {MaxEntries: -1},
		"cache.policy: there is":   {Policy: "mru"},
		"cache.default_ttl: found": {DefaultTTL: -1},
		"cache.heuristics: found":  {Heuristics: &no, HeuristicMax: 1},
		`"a b" is not the name`:    {Targeted: []string{"a b"}},
		"Cache-Control is for all": {Targeted: []string{"cache-control"}},
	} {
		if err := c.Validate("cache"); want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, want)
		}
	}
}
