package randomlab_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/internal/randomlab"
	"netlab/services/catalog"
)

// The same seed gives the same lab, and other seeds give others.
func TestLabsAreRepeatable(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(200) {
		text := string(randomlab.Generate(seed))
		require.Equal(t, text, string(randomlab.Generate(seed)))
		seen[text] = true
	}
	require.Len(t, seen, 200)
}

// Every lab is valid, and its resolved form resolves to itself.
func TestLabsAreValid(t *testing.T) {
	labs := uint64(500)
	if testing.Short() {
		labs = 100
	}
	for seed := range labs {
		text := randomlab.Generate(seed)
		found, err := netlab.Parse("random.json", text, &netlab.LoadOptions{Complete: true})
		require.NoError(t, err, "seed %d\n%s", seed, text)
		resolved := found[0].Topology().JSON()
		again, err := netlab.Parse("random.json", resolved, &netlab.LoadOptions{Complete: true})
		require.NoError(t, err, "seed %d\n%s", seed, resolved)
		require.Equal(t, string(resolved), string(again[0].Topology().JSON()), "seed %d", seed)
	}
}

// systems are the types that only make sense as parts of a system that somebody has put together, which random labs are not. Their
// packages have labs of their own.
var systems = []string{"app-server", "balancer", "cdn-edge", "cdn-publish", "http-proxy", "kv-cache", "kv-load", "reverse-proxy",
	"slow-store", "slowloris", "store", "socks-proxy", "syn-flood", "vrrp"}

// Sooner or later everything turns up: each verb, each kind that chaos draws, each type of the catalog, each property of a link.
func TestLabsHaveEverything(t *testing.T) {
	all := strings.Builder{}
	for seed := range uint64(500) {
		all.Write(randomlab.Generate(seed))
	}
	text := all.String()
	var words []string
	for _, c := range catalog.All() {
		if !slices.Contains(systems, c.Name) {
			words = append(words, c.Name)
		}
	}
	words = append(words, "cut", "restore", "flap", "set", "partition", "one_way", "heal", "crash", "restart", "pause", "resume", "slow", "skew",
		"drift", "fail_dns", "pass", "drop", "delay", "duplicate", "corrupt", "truncate", "reset", "reject", "firewall", "nat", "routing", "chaos",
		"switch", "profile", "latency_correlation", "keep_order", "burst", "peak_rate", "reorder", "mtu", "red", "codel", "fq-codel", "pie", "priority")
	for _, w := range words {
		quoted, err := json.Marshal(w)
		require.NoError(t, err)
		require.Contains(t, text, string(quoted), "no lab has %s", w)
	}
}
