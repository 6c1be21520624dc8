package netlab_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// What browser-cache says of packets is so.
func TestBrowserCachePackets(t *testing.T) {
	text := exampleText(t, "browser-cache")
	const get, status, silence = "http.request", "http.response", "frame.time_relative > 8.11 && frame.time_relative < 28"
	for variant, want := range map[string]struct {
		statuses []string
		asks     int // with If-None-Match
		silent   bool
	}{
		"none":                   {repeat("200", 15), 0, false},
		"max-age":                {repeat("200", 5), 0, true},
		"revalidate":             {slices.Concat(repeat("200", 5), repeat("304", 5), repeat("200", 5)), 10, false},
		"stale-while-revalidate": {slices.Concat(repeat("200", 5), repeat("304", 5), repeat("200", 5)), 10, false},
	} {
		dir := playVariant(t, text, variant)
		require.Equal(t, want.statuses, column(t, dir, "browser", status, "http.response.code"), variant)
		require.Len(t, column(t, dir, "browser", get, "http.request.uri"), len(want.statuses), variant)
		require.Len(t, column(t, dir, "browser", `http.request and http contains "If-None-Match"`, "frame.number"), want.asks, variant)
		require.Equal(t, want.silent, len(column(t, dir, "browser", silence, "frame.number")) == 0, variant)
	}
}
