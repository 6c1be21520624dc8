package netlab_test

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/captures"
)

// What the description of l4-vs-l7 says of captures: whom web1 sees, whether there is one connection from end to end, and what
// crosses the balancer in the mode direct.
func TestExampleLayersCaptures(t *testing.T) {
	labs, err := netlab.LoadAll("examples/l4-vs-l7.json", nil)
	require.NoError(t, err)
	sees := map[string]string{"direct-access": "192.0.2.10", "nat": "192.0.2.10", "direct-return": "192.0.2.10",
		"l4-proxy": "10.1.0.10", "l7": "10.1.0.10", "l7-tls": "10.1.0.10"}
	require.Len(t, labs, len(sees))
	for _, lab := range labs {
		variant := lab.Variant()
		dir := t.TempDir()
		r, err := lab.Run(context.Background(), &netlab.RunOptions{Dir: dir}, nil)
		require.NoError(t, err)
		for _, e := range r.Expect {
			require.True(t, e.Holds, "%s: %v", variant, e)
		}
		// Until the switch knows where lb is, web1 gets its packets too.
		web, client := synsOf(t, dir, "web1", "10.1.0.21", "10.1.0.100"), synsOf(t, dir, "client")
		require.Equal(t, []string{sees[variant]}, slices.Sorted(maps.Keys(web)), variant)
		for source, numbers := range web {
			for number := range numbers {
				require.Equal(t, source == "192.0.2.10", client["192.0.2.10"][number], variant)
			}
		}
		if variant == "direct-return" {
			require.Len(t, synsOf(t, dir, "lb"), 1)
			eachSegment(t, dir, "lb", func(source, _ string, _ *layers.TCP) { require.Equal(t, "192.0.2.10", source) })
		}
	}
}

// synsOf returns the initial sequence numbers of connections that a node saw, by the address that opened them: of those to some
// addresses, or of all.
func synsOf(t *testing.T, dir, node string, to ...string) map[string]map[uint32]bool {
	syns := map[string]map[uint32]bool{}
	eachSegment(t, dir, node, func(source, destination string, h *layers.TCP) {
		if h.SYN && !h.ACK && (to == nil || slices.Contains(to, destination)) {
			if syns[source] == nil {
				syns[source] = map[uint32]bool{}
			}
			syns[source][h.Seq] = true
		}
	})
	return syns
}

// eachSegment calls fn for each TCP segment over IPv4 that a node saw.
func eachSegment(t *testing.T, dir, node string, fn func(source, destination string, h *layers.TCP)) {
	t.Helper()
	file, err := captures.ReadFile(filepath.Join(dir, "captures", node+".pcapng"))
	require.NoError(t, err)
	for _, p := range file.Packets {
		g := gopacket.NewPacket(p.Data, layers.LayerTypeEthernet, gopacket.Default)
		h, ok := g.Layer(layers.LayerTypeTCP).(*layers.TCP)
		if !ok {
			continue
		}
		network := g.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
		fn(network.SrcIP.String(), network.DstIP.String(), h)
	}
}
