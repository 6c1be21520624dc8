package plan

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// only returns the lines about one IP version of a lab that speaks both alike.
func half(lines []string) []string { return lines[:len(lines)/2] }

func TestRoutes(t *testing.T) {
	for _, test := range []struct {
		name, lab string
		want      map[string][]string
	}{
		{"a host alone with another", "a\nb\na - b", map[string][]string{"a": {}, "b": {}}},
		{"one router", "a\nr router\nb\na - r\nr - b", map[string][]string{
			"a": {"0.0.0.0/0 via r"}, "r": {}, "b": {"0.0.0.0/0 via r"}}},
		{"a chain: stubs have defaults", "a\nr1 router\nr2 router\nr3 router\nb\na - r1\nr1 - r2\nr2 - r3\nr3 - b", map[string][]string{
			"r1": {"0.0.0.0/0 via r2"}, "r3": {"0.0.0.0/0 via r2"}, "r2": {"a--r1 via r1", "r3--b via r3"}}},
		{"two routers with each other only", "a\nr1 router\nr2 router\nb\na - r1\nr1 - r2\nr2 - b", map[string][]string{
			"r1": {"r2--b via r2"}, "r2": {"a--r1 via r1"}}},
		{"latency decides", "r1 router\nr2 router\nr3 router\nb\nr1 - r2 10ms\nr1 - r3 1ms\nr3 - r2 1ms\nr2 - b", map[string][]string{
			"r1": {"r3--r2 via r3", "r2--b via r3"}}},
		{"each direction has its own", "r1 router\nr2 router\nr3 router\na\nb\nr1 - r2 10ms|1ms\nr1 - r3 1ms\nr3 - r2 1ms\nr2 - b\na - r1", map[string][]string{
			"r1": {"r3--r2 via r3", "r2--b via r3"}, "r2": {"a--r1 via r1", "r1--r3 via r1"}}},
		{"then hops", "r1 router\nr2 router\nr3 router\nb\nr1 - r3 1ms\nr3 - r2 1ms\nr1 - r2 2ms\nr2 - b", map[string][]string{
			"r1": {"r3--r2 via r3", "r2--b via r2"}}},
		{"then file order", "r1 router\nr3 router\nr2 router\nr4 router\nb\nr1 - r2\nr1 - r3\nr2 - r4\nr3 - r4\nr4 - b", map[string][]string{
			"r1": {"r3--r4 via r3", "r4--b via r3", "r2--r4 via r2"}}},
		{"hosts don't forward", "r1 router\na\nr2 router\nb\nr1 - a\na - r2\nr2 - b", map[string][]string{
			"r1": {}, "r2": {}, "a": {"0.0.0.0/0 via r2"}, "b": {"0.0.0.0/0 via r2"}}},
		{"a host with two ways out", "a\nr1 router\nr2 router\nb\nc\na - r1\na - r2\nr1 - b\nr2 - c", map[string][]string{
			"a": {"r1--b via r1", "r2--c via r2"}}},
		{"a host with two ways out of which one is best for all", "a\nr1 router\nr2 router\nb\na - r1 1ms\na - r2 9ms\nr1 - b\nr1 - r2", map[string][]string{
			"a": {"0.0.0.0/0 via r1"}}},
		{"two links to one router", "a\nr router\nb\nx: a - r 5ms\ny: a - r 1ms\nr - b", map[string][]string{
			"a": {"0.0.0.0/0 via r"}}},
		{"through switches", "a\ns1 switch\ns2 switch\nr router\nb\na - s1\ns1 - s2\ns2 - r\nr - b", map[string][]string{
			"a": {"0.0.0.0/0 via r"}, "r": {}, "b": {"0.0.0.0/0 via r"}}},
		{"a switch costs no hop", "r1 router\ns switch\nr2 router\nb\nr1 - s\ns - r2\nr3 router\nr1 - r3\nr3 - r2\nr2 - b\nc\nr3 - c", map[string][]string{
			"r1": {"r3--r2 via r2", "r2--b via r2", "r3--c via r3"}}},
		{"hosts of a switch with two routers", "a\nb\ns switch\nr1 router\nr2 router\nc\nd\na - s\nb - s\ns - r1\ns - r2\nr1 - c\nr2 - d", map[string][]string{
			"a": {"r1--c via r1", "r2--d via r2"}, "b": {"r1--c via r1", "r2--d via r2"},
			"r1": {"r2--d via r2"}, "r2": {"r1--c via r1"}}},
		{"no way", "a\nr1 router\nr2 router\nb\na - r1\nr2 - b", map[string][]string{
			"a": {"0.0.0.0/0 via r1"}, "r1": {}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, p := mustMake(t, test.lab)
			for node, want := range test.want {
				got := p.print(node)
				require.ElementsMatch(t, want, append([]string{}, half(got)...), node)
				require.True(t, len(got)%2 == 0, "as many IPv6 routes as IPv4 routes")
			}
		})
	}
}

func TestGivenRoutesReplaceTheComputedOnes(t *testing.T) {
	lab, p := mustMake(t, "a\nr1 router 0.0.0.0/0>192.0.2.2\nr2 router\nb\na - r1\nr1 192.0.2.1/30 - r2\nr2 - b")
	require.Equal(t, []Route{{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParseAddr("192.0.2.2")}}, p.Routes[1])
	a, b := lab.find("a"), lab.find("b")
	require.True(t, p.Reachable(a, b, IPv4))
	require.False(t, p.Reachable(a, b, IPv6), "r1 has no IPv6 route")

	lab.Nodes[1].Routes = []Route{}
	p, err := Make(lab)
	require.NoError(t, err)
	require.Empty(t, p.Routes[1], "no routes is a choice too")
	require.False(t, p.Reachable(a, b, IPv4))
}

func TestReachable(t *testing.T) {
	lab, p := mustMake(t, `
		a
		sw switch
		r1 router
		r2 router 0.0.0.0/0>192.0.2.1
		b
		island
		a - sw
		sw - r1
		r1 192.0.2.1/30 - r2
		r2 - b`)
	for _, test := range []struct {
		a, b string
		want bool
	}{{"a", "b", true}, {"b", "a", true}, {"a", "r2", true}, {"r1", "b", true}, {"a", "a", true},
		{"a", "sw", false}, {"a", "island", false}, {"island", "a", false}} {
		require.Equal(t, test.want, p.Reachable(lab.find(test.a), lab.find(test.b), IPv4), "%s %s", test.a, test.b)
	}

	// Two routers that send everything to each other: the packets end, and so does the search.
	lab, p = mustMake(t, `
		r1 router 0.0.0.0/0>192.0.2.2
		r2 router 0.0.0.0/0>192.0.2.1
		r3 router
		b
		r1 192.0.2.1/30 - r2
		r3 - b`)
	require.False(t, p.Reachable(lab.find("r1"), lab.find("b"), IPv4))
}

// In a lab without given routes everything that is joined by routers and switches reaches everything.
func TestComputedRoutesReachEverything(t *testing.T) {
	lab := tree(40, 3)
	// A ring on top and a second way out for some hosts.
	for i := 1; i < 40; i += 7 {
		lab.Links = append(lab.Links, Link{ID: fmt.Sprintf("ring%d", i), Ends: [2]End{{Node: i}, {Node: (i + 13) % 40}},
			Latency: [2]time.Duration{time.Duration(i) * time.Millisecond, 3 * time.Millisecond}})
		lab.Links = append(lab.Links, Link{ID: fmt.Sprintf("second%d", i), Ends: [2]End{{Node: 40 + i}, {Node: i / 2}}})
	}
	p, err := Make(lab)
	require.NoError(t, err)
	for a := range lab.Nodes {
		for b := range lab.Nodes {
			for f := IPv4; f <= IPv6; f++ {
				require.True(t, p.Reachable(a, b, f), "%s %s %s", lab.Nodes[a].Name, lab.Nodes[b].Name, f)
			}
		}
	}
}

// tree returns a binary tree of routers with hosts on each.
func tree(routers, hosts int) *Lab {
	lab := &Lab{}
	for r := range routers {
		lab.Nodes = append(lab.Nodes, Node{Name: fmt.Sprintf("r%d", r+1), Kind: Router, IPv4: true, IPv6: true})
	}
	link := func(a, b int) {
		lab.Links = append(lab.Links, Link{ID: lab.Nodes[a].Name + "--" + lab.Nodes[b].Name, Ends: [2]End{{Node: a}, {Node: b}},
			Latency: [2]time.Duration{time.Millisecond, time.Millisecond}})
	}
	for r := 1; r < routers; r++ {
		link(r, (r-1)/2)
	}
	for r := range routers {
		for range hosts {
			n := len(lab.Nodes)
			lab.Nodes = append(lab.Nodes, Node{Name: fmt.Sprintf("h%d", n-routers+1), IPv4: true, IPv6: true})
			link(n, r)
		}
	}
	return lab
}

// behindSwitch returns hosts and two routers on one switch, and a host behind each router.
func behindSwitch(hosts int) *Lab {
	lab := &Lab{Nodes: []Node{{Name: "sw", Kind: Switch}}}
	add := func(name string, kind Kind, to int) int {
		n := len(lab.Nodes)
		lab.Nodes = append(lab.Nodes, Node{Name: name, Kind: kind, IPv4: true, IPv6: true})
		lab.Links = append(lab.Links, Link{ID: name + "--" + lab.Nodes[to].Name, Ends: [2]End{{Node: n}, {Node: to}}})
		return n
	}
	for r := range 2 {
		add(fmt.Sprintf("server%d", r), Host, add(fmt.Sprintf("gw%d", r), Router, 0))
	}
	for h := range hosts {
		add(fmt.Sprintf("h%d", h+1), Host, 0)
	}
	return lab
}

func BenchmarkMake(b *testing.B) {
	for name, lab := range map[string]*Lab{
		"10000 hosts on a router":            tree(1, 10_000),
		"100 routers with 100 hosts each":    tree(100, 100),
		"10000 hosts on a switch, 2 routers": behindSwitch(10_000),
		"1000 routers with one host on each": tree(1000, 1),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Make(lab); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
