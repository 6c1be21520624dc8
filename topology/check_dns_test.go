package topology

import (
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services"
	"netlab/services/nameserver"
)

func TestResolvedNameServers(t *testing.T) {
	resolved := loadOne(t, string(goodFiles(t)["dns.jsonc"])).Resolved
	yes, no := true, false
	for name, want := range map[string]DNS{
		"ns1":   {},
		"other": {Servers: Patterns{"ns2", "ns1"}, Search: []string{"lab"}, Timeout: 2e9, Attempts: 2, Cache: &yes},
		"us1":   {Servers: Patterns{"ns1", "ns2"}, Search: []string{"lab"}, Timeout: 2e9, Attempts: 2, Cache: &yes},
		"eu1":   {Servers: Patterns{"other", "ns1"}, Search: []string{"example"}, Timeout: 2e9, Attempts: 1, Cache: &no},
		"sw":    {},
	} {
		n, ok := resolved.Nodes.Get(name)
		require.True(t, ok)
		require.Equal(t, want, n.DNS, name)
	}
}

// A resolved zone has names in place of patterns, so that it is known what it holds.
func TestResolvedZones(t *testing.T) {
	file := loadOne(t, string(goodFiles(t)["dns.jsonc"]))
	config := func(t *Topology, node string) *nameserver.Config {
		n, _ := t.Nodes.Get(node)
		s, _ := n.Services.Get("names")
		return s.Config.(*nameserver.Config)
	}
	zone := config(file.Resolved, "other")
	require.Equal(t, services.Nodes{}, zone.Nodes)
	require.Equal(t, services.Nodes{"web1", "web2"}, zone.Records["www"].Nodes)
	require.Equal(t, services.Nodes{"eu1"}, zone.Records["near"].ByClient[0].Clients)
	require.Equal(t, map[string][]string{
		"www.example": {"web1", "web2"}, "shop.example": {"web1", "web2"}, "near.example": {"web1", "web2"}, "*.any.example": nil,
	}, zone.ZoneNames())
	require.Equal(t, services.Nodes{"ns1", "ns2", "other", "web1", "web2", "eu1", "us1"}, config(file.Resolved, "ns2").Nodes)
	require.Equal(t, []string{"eu1"}, config(file.Resolved, "ns1").ZoneNames()["eu1.lab"])
	// What the file says stays as it is.
	require.Nil(t, config(file.Topology, "ns[1..2]").Nodes)
	require.Equal(t, services.Nodes{"web[*]"}, config(file.Topology, "other").Records["www"].Nodes)
}

func TestDescend(t *testing.T) {
	root := parse(newSource("x", []byte(`{ "a": { "b.c": [{ "d": 1 }, 2], "b": { "c": 3 } } }`)), &problems{tainted: map[*value]bool{}})
	for path, want := range map[string]string{
		"a.b.c[0].d": "1", "a.b.c[1]": "2", "a.b.c": "a list", "a.b": "an object",
	} {
		p := place{v: root}.descend(path)
		require.True(t, p.given(), path)
		require.Equal(t, want, p.v.found(), path)
		require.Equal(t, path, p.path())
	}
	for _, path := range []string{"a.x", "x.y[2].z", "a.b.c[7].d", "a..b"} {
		require.Equal(t, path, place{v: root}.descend(path).path())
	}
}
