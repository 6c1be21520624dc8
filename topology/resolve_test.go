package topology

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// A resolved topology is a file: it loads, it resolves to itself, and it prints the same bytes.
func TestResolveIsAFixpoint(t *testing.T) {
	for name, data := range goodFiles(t) {
		f, err := Load(name, data, catalog, testOptions)
		require.NoError(t, err, name)
		for _, v := range f.Variants {
			requireFixpoint(t, v.Resolved)
		}
	}
}

func requireFixpoint(t testing.TB, resolved *Topology) {
	t.Helper()
	text := resolved.JSON()
	f, err := Load("resolved.json", text, catalog, nil)
	require.NoError(t, err, "%s", text)
	require.Len(t, f.Variants, 1)
	require.Equal(t, string(text), string(f.Variants[0].Topology.JSON()))
	require.Equal(t, string(text), string(f.Variants[0].Resolved.JSON()))
	again, err := resolved.Resolve()
	require.NoError(t, err)
	require.Equal(t, string(text), string(again.JSON()))
}

func TestResolvedFiles(t *testing.T) {
	for _, name := range []string{"retransmission", "everything", "ranges", "minimal"} {
		resolved := loadOne(t, string(goodFiles(t)[name+".jsonc"])).Resolved
		golden := "testdata/good/" + name + ".resolved.json"
		if *update {
			require.NoError(t, os.WriteFile(golden, resolved.JSON(), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), string(resolved.JSON()), name)
	}
}

// loadOne loads a file without variants.
func loadOne(t testing.TB, text string) Variant {
	t.Helper()
	f, err := Load("lab.jsonc", []byte(text), catalog, nil)
	require.NoError(t, err)
	require.Len(t, f.Variants, 1)
	return f.Variants[0]
}

func TestResolveKeepsExplicitRoutes(t *testing.T) {
	v := loadOne(t, `{ "nodes": { "a": { "routes": [] }, "b": {}, "r": { "kind": "router" } }, "links": ["a - r", "r - b"] }`)
	a, _ := v.Resolved.Nodes.Get("a")
	require.Equal(t, []Route{}, a.Routes)
	b, _ := v.Resolved.Nodes.Get("b")
	require.NotEmpty(t, b.Routes)
	requireFixpoint(t, v.Resolved)
}

func TestDirections(t *testing.T) {
	v := loadOne(t, `{
		"defaults": { "link": { "latency": "5ms", "rate": "1Mbit/s" } },
		"nodes": { "a": {}, "b": {} },
		"links": [{ "between": "a - b", "loss": "1%", "forward": { "loss": "1%", "mtu": "1400B" }, "backward": { "loss": "0%", "up": false } }]
	}`)
	link := &v.Resolved.Links[0]
	require.Nil(t, link.Forward.Loss, "it is the same as in both directions")
	forward, backward := link.Directions()
	require.Equal(t, "5ms", forward.Latency.String())
	require.Equal(t, units.FixedRate(1e6), *backward.Rate)
	require.Equal(t, units.Bytes(1400), forward.MTU)
	require.Equal(t, units.Bytes(1500), backward.MTU)
	require.Equal(t, units.Probability(0.01), forward.Loss.Probability())
	require.True(t, backward.Loss.IsZero())
	require.True(t, *forward.Up)
	require.False(t, *backward.Up)
	require.Equal(t, units.QueueLimit{Packets: 1000}, *forward.Queue.Limit)
}

func TestCapturesByDefault(t *testing.T) {
	small := loadOne(t, `{ "nodes": { "a[1..64]": {} } }`).Resolved.Captures
	require.Len(t, small.Nodes, 64)
	large := loadOne(t, `{ "nodes": { "a[1..65]": {} } }`).Resolved
	require.Equal(t, Patterns{}, large.Captures.Nodes)
	requireFixpoint(t, large)
	filtered := loadOne(t, `{ "nodes": { "a[1..65]": {} }, "captures": { "filter": "tcp" } }`).Resolved.Captures
	require.Len(t, filtered.Nodes, 65, "who asks for captures gets them")
	off := loadOne(t, `{ "nodes": { "a": {} }, "captures": { "nodes": [] } }`).Resolved
	require.Equal(t, Patterns{}, off.Captures.Nodes)
	requireFixpoint(t, off)
}

func TestPlanFollowsTheResolvedIndices(t *testing.T) {
	resolved := loadOne(t, `{ "nodes": { "h[1..2]": {}, "r": { "kind": "router" } }, "links": ["h[*] - r"] }`).Resolved
	p, err := resolved.Plan()
	require.NoError(t, err)
	require.Equal(t, "h2-eth0", p.Interfaces[1][0].Name)
	require.Equal(t, "r-eth1", p.Interfaces[1][1].Name)
	require.Equal(t, resolved.Links[1].Addresses["h2"], p.Interfaces[1][0].Addresses)
}

// Programs fill a topology without a file; mistakes then have a path and no position.
func TestResolveOfATopologyMadeInGo(t *testing.T) {
	topology := &Topology{
		Nodes: MapOf(
			Entry[Node]{"client", Node{}},
			Entry[Node]{"server", Node{Services: MapOf(Entry[Service]{"sink", Service{Type: "tcp-sink", Config: &sinkConfig{Listen: ":5001"}}})}},
		),
		Links:     []Link{{Between: "client - server"}},
		Workloads: MapOf(Entry[Workload]{"w", Workload{Type: "tcp-transfer", From: Patterns{"client"}, Config: &transferConfig{To: "server:5001", Bytes: 1}}}),
	}
	resolved, err := topology.Resolve()
	require.NoError(t, err)
	require.Equal(t, "lab", resolved.Name)
	require.Equal(t, uint64(1), resolved.Seed)
	requireFixpoint(t, resolved)

	share := units.Probability(3)
	topology.Links = append(topology.Links, Link{Between: "client - servr"}, Link{Between: "client - server", Name: "x", LinkParams: LinkParams{Duplicate: &share}})
	topology.Nodes.Set("Bad", Node{Kind: "hots"})
	topology.Duration = -1
	topology.Faults = []Fault{{Cut: "client - server", Heal: "all"}}
	_, err = topology.Resolve()
	require.EqualError(t, err, strings.Join([]string{
		`nodes.Bad.kind: "hots" is not one of host, router, switch; did you mean "host"?`,
		`duration: cannot write the duration -1ns: want 0s or more`,
		`links[2].duplicate: cannot write the probability 300%: want 0% to 100%`,
		`nodes.Bad: "Bad" is not a name: want lower-case letters, digits and hyphens, with a letter or digit at both ends; did you mean "bad"?`,
		`links[2]: duplicate 3: want 0 to 1`,
		`faults[0].heal: the fault has 2 verbs, cut and heal: want one; write a fault for each`,
	}, "\n"))
}

func TestMatchLinks(t *testing.T) {
	resolved := loadOne(t, `{
		"nodes": { "h[1..3]": {}, "sw": { "kind": "switch" } },
		"links": ["h[1..2] - sw", { "between": "sw - h3", "name": "uplink" }]
	}`).Resolved
	for pattern, want := range map[string][]LinkMatch{
		"h1 - sw":   {{0, false}},
		"sw - h1":   {{0, true}},
		"h[*] - sw": {{0, false}, {1, false}, {2, true}},
		"* - *":     {{0, false}, {1, false}, {2, false}},
		"uplink":    {{2, false}},
		"h*":        {{0, false}, {1, false}},
		"h2--sw":    {{1, false}},
	} {
		got, err := resolved.MatchLinks(pattern)
		require.NoError(t, err)
		require.Equal(t, want, got, pattern)
	}
	_, err := resolved.MatchLinks("h1 - h2")
	require.EqualError(t, err, "no link joins h1 and h2")
}

// A lab of the largest size loads in reasonable time, and its addresses don't meet.
func TestLargeLab(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	const hosts = 20_000
	v := loadOne(t, fmt.Sprintf(`{
		"duration": "1s",
		"nodes": { "user[1..%d]": {}, "r[1..20]": { "kind": "router" }, "core": { "kind": "router" }, "server": {} },
		"links": [%s "r[*] - core", "core - server"],
		"workloads": { "w": { "type": "load", "from": "user[*]", "to": "server:80" } }
	}`, hosts, func() string {
		var b strings.Builder
		for i := range 20 {
			fmt.Fprintf(&b, `"user[%d..%d] - r%d", `, i*1000+1, i*1000+1000, i+1)
		}
		return b.String()
	}()))
	require.Equal(t, hosts+22, v.Resolved.Nodes.Len())
	seen := map[netip.Addr]bool{}
	for i := range v.Resolved.Links {
		for _, prefixes := range v.Resolved.Links[i].Addresses {
			for _, p := range prefixes {
				require.False(t, seen[p.Addr()])
				seen[p.Addr()] = true
			}
		}
	}
}
