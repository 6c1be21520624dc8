package netlab_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What headers tell of a CDN, who asks the origin, and when the purge is where.
func TestCDNPackets(t *testing.T) {
	text := exampleText(t, "cdn")
	header := func(dir, name string) []string { // of the responses that user-ap1 gets
		return column(t, dir, "user-ap1", `http.response.line contains "`+name+`"`, "http.response.code")
	}
	dir := playVariant(t, text, "no-cdn")
	require.Len(t, column(t, dir, "origin", "http.request", "frame.number"), 36)
	require.Empty(t, header(dir, "X-Cache"))

	dir = playVariant(t, text, "pull")
	require.Len(t, header(dir, "X-Cache: MISS from edge-ap"), 2)
	require.Len(t, header(dir, "X-Cache: HIT from edge-ap"), 2)
	require.Len(t, header(dir, "Age: 4"), 1)
	require.Len(t, header(dir, "Age: 8"), 1)
	require.Equal(t, repeat("cdn", 4), column(t, dir, "user-ap1", "http.response", "ip.src_host"), "the anycast address answers")
	require.Equal(t, []string{"edge-us", "edge-eu", "edge-ap", "edge-us", "edge-eu", "edge-ap"},
		column(t, dir, "origin", "http.request", "ip.src_host"))
	// The connection takes a round trip of 164 ms, and the request another half.
	require.Equal(t, []string{"946684812.346000000"}, column(t, dir, "edge-ap", `http.request.method == "POST" && http.request.uri == "/.cdn/purge/news"`, "frame.time_epoch"))

	dir = playVariant(t, text, "shield")
	require.Equal(t, []string{"shield", "shield"}, column(t, dir, "origin", "http.request", "ip.src_host"))
	require.Len(t, header(dir, "X-Cache: HIT from edge-ap"), 2)
	require.Len(t, header(dir, "Via: 1.1 shield, 1.1 edge-ap"), 4)
}
