package netlab_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What the server says to the cache and to the store is what the description of cache-strategies tells of each strategy.
func TestCacheStrategyPackets(t *testing.T) {
	text := exampleText(t, "cache-strategies")
	const writing = "frame.time_relative >= 5 && frame.time_relative < 12"
	for variant, want := range map[string]struct{ deletes, sets int }{
		"cache-aside": {deletes: 49}, "write-around": {}, "write-through": {sets: 49}, "write-back": {sets: 49},
	} {
		dir := playVariant(t, text, variant)
		asked := func(command string) []string {
			return column(t, dir, "app", `resp.bulk_string.value == "`+command+`" && `+writing, "frame.number")
		}
		require.Len(t, asked("DEL"), want.deletes, variant)
		require.Len(t, asked("SET"), want.sets, variant)
		require.Empty(t, column(t, dir, "app", "_ws.malformed", "frame.number"))
	}

	// 26 questions to the store without protection, five with it.
	require.Len(t, column(t, playVariant(t, text, "stampede"), "db", `http.request.method == "GET"`, "frame.number"), 26)
	require.Len(t, column(t, playVariant(t, text, "single-flight"), "db", `http.request.method == "GET"`, "frame.number"), 5)
}

// After the scan the reader finds all of the most popular keys or none of them.
func TestEvictionPackets(t *testing.T) {
	text := exampleText(t, "eviction")
	for variant, found := range map[string]int{"lru": 0, "arc": 10} {
		dir := playVariant(t, text, variant)
		require.Len(t, column(t, dir, "reader", `resp.bulk_string.value == "GET"`, "frame.number"), 10)
		require.Len(t, column(t, dir, "reader", "resp.bulk_string.length == 100 && tcp.srcport == 6379", "frame.number"), found, variant)
	}
}
