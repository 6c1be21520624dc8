package web_test

import (
	nethttp "net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/services"
	"netlab/services/web"
	"netlab/units"
)

// What the handler static says to caches: its content changes every 10 s of the host's date and depends on the fields in Vary.
func TestStaticForCaches(t *testing.T) {
	expires := units.Duration(time.Minute)
	with(t, handlers(map[string]web.Handler{"/x": {Handler: "static", Changes: units.Duration(10 * time.Second), Expires: &expires,
		Vary: []string{"Accept-Language"}, Headers: map[string]string{"surrogate-key": "a b"}, CacheControl: "no-cache"}}), func(a *asker) {
		first, old := a.do("GET", "/x", "")
		h := first.Header
		require.Equal(t, []string{"Accept-Language", "a b", "no-cache"}, []string{h.Get("Vary"), h.Get("Surrogate-Key"), h.Get("Cache-Control")})
		date, err := nethttp.ParseTime(h.Get("Date"))
		require.NoError(t, err)
		require.Equal(t, date.Add(time.Minute).Format(nethttp.TimeFormat), h.Get("Expires"))
		again, same := a.do("GET", "/x", "")
		require.Equal(t, old, same)
		require.Equal(t, h.Get("ETag"), again.Header.Get("ETag"))
		time.Sleep(10 * time.Second)
		later, changed := a.do("GET", "/x", "")
		require.NotEqual(t, old, changed)
		require.NotEqual(t, h.Get("ETag"), later.Header.Get("ETag"))
		was, err := nethttp.ParseTime(h.Get("Last-Modified"))
		require.NoError(t, err)
		require.Equal(t, was.Add(10*time.Second).Format(nethttp.TimeFormat), later.Header.Get("Last-Modified"))
	})
}

func TestCachingOptionsAreChecked(t *testing.T) {
	for field, h := range map[string]web.Handler{
		"changes":       {Changes: units.Duration(1500 * time.Millisecond)},
		"vary":          {Vary: []string{"*"}},
		"headers":       {Headers: map[string]string{"ETag": "x"}},
		"cache_control": {CacheControl: "a\nb"},
	} {
		h.Handler = "static"
		c := web.NewServerConfig()
		c.Handlers = map[string]web.Handler{"/x": h}
		var wrong *services.FieldError
		require.ErrorAs(t, c.Validate(), &wrong, field)
		require.Equal(t, []string{"handlers", "/x", field}, wrong.Names())
	}
}
