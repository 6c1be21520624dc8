package netlab_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The slow server sees the balancer as its only client, learns of the users from a header field, and with the source hash hears of
// two of them only.
func TestLoadBalancingPackets(t *testing.T) {
	text := exampleText(t, "load-balancing")
	for variant, want := range map[string]struct{ requests, users int }{
		"round-robin": {200, 8}, "weighted-round-robin": {62, 8}, "source-hash": {200, 2},
	} {
		dir := playVariant(t, text, variant)
		users := column(t, dir, "web4", "http.request", "http.x_forwarded_for")
		require.Len(t, users, want.requests, variant)
		slices.Sort(users)
		require.Len(t, slices.Compact(users), want.users, variant)
		from := column(t, dir, "web4", "http.request", "ip.src")
		require.Len(t, slices.Compact(from), 1, variant)
		require.Len(t, column(t, dir, "web4", `http.request && http contains "Via: 1.1 lb"`, "frame.number"), want.requests)
	}
}
