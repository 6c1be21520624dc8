package nameserver_test

import (
	"net/netip"
	"testing"

	wire "github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"netlab/dns"
	"netlab/internal/testlab"
	"netlab/services"
	"netlab/services/nameserver"
)

func expand(c *nameserver.Config) *nameserver.Config {
	return c.Expand(func(n services.Nodes) services.Nodes {
		out := services.Nodes{}
		for _, p := range n {
			switch p {
			case "*":
				out = append(out, "ns", "web1", "web2")
			case "web*":
				out = append(out, "web1", "web2")
			default:
				out = append(out, p)
			}
		}
		return out
	}).(*nameserver.Config)
}

func TestZoneNames(t *testing.T) {
	c := nameserver.NewConfig()
	c.Zone = "Lab."
	a := []netip.Addr{netip.MustParseAddr("192.0.2.1")}
	c.Records = map[string]nameserver.Record{
		"@":      {A: a},
		"www":    {Nodes: services.Nodes{"web*"}},
		"near":   {A: a, ByClient: []nameserver.View{{Clients: services.Nodes{"web1"}, Nodes: services.Nodes{"web2"}}}},
		"alias":  {CNAME: "again"},
		"again":  {CNAME: "www.lab"},
		"direct": {CNAME: "web1"},
		"away":   {CNAME: "www.example."},
		"text":   {TXT: []string{"x"}},
		"web2":   {A: a},
	}
	require.NoError(t, c.Validate())
	e := expand(c)
	require.NoError(t, e.Validate())
	require.Equal(t, "lab", e.Origin())
	require.Equal(t, map[string][]string{
		"lab": nil, "ns.lab": {"ns"}, "web1.lab": {"web1"}, "web2.lab": nil,
		"www.lab": {"web1", "web2"}, "near.lab": {"web2"}, "alias.lab": {"web1", "web2"}, "again.lab": {"web1", "web2"}, "direct.lab": {"web1"},
	}, e.ZoneNames())
	require.Equal(t, services.Nodes{"web*"}, c.Records["www"].Nodes, "the original stays")
	c.Nodes = services.Nodes{}
	require.NotContains(t, expand(c).ZoneNames(), "ns.lab")
}

// Clients are told apart by the name of their node or by their network.
func TestAnswersByClient(t *testing.T) {
	one, two, three := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")
	for _, c := range []struct {
		view nameserver.View
		want netip.Addr
	}{
		{nameserver.View{Clients: services.Nodes{"a"}, A: []netip.Addr{two}}, two},
		{nameserver.View{Clients: services.Nodes{"b"}, A: []netip.Addr{two}}, one},
		{nameserver.View{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, A: []netip.Addr{three}}, three},
		{nameserver.View{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.2.0/24")}, A: []netip.Addr{three}}, one},
	} {
		testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
			config := nameserver.NewConfig()
			config.Records = map[string]nameserver.Record{"near": {A: []netip.Addr{one}, ByClient: []nameserver.View{c.view}}}
			l.Service(l.B, nameserver.Server, config)
			l.Sleep(1)
			r, err := dns.NewResolver(l.A, dns.ResolverConfig{Servers: []netip.AddrPort{netip.AddrPortFrom(l.B.Addresses()[0], 53)}})
			require.NoError(t, err)
			answers, err := r.Query(l.Context(), "near.lab", wire.TypeA)
			require.NoError(t, err)
			require.Equal(t, []netip.Addr{c.want}, answers[0].Addresses())
		})
	}
}

func TestValidate(t *testing.T) {
	for want, change := range map[string]func(c *nameserver.Config){
		`listen: missing: want a colon and a port, such as ":53"`:      func(c *nameserver.Config) { c.Listen = "" },
		`rotation: missing: want one of round-robin, fixed, random`:    func(c *nameserver.Config) { c.Rotation = "" },
		`rotation: "up" is not one of round-robin, fixed, random`:      func(c *nameserver.Config) { c.Rotation = "up" },
		`zone: "*.lab" is not a domain name: want one such as "lab"`:   func(c *nameserver.Config) { c.Zone = "*.lab" },
		`ttl: found 1ns, wanted whole seconds from 0s to 596523h14m7s`: func(c *nameserver.Config) { c.TTL = 1 },
		`records.www.cname: the zone has no "wbe1.lab"; did you mean "web1"?`: func(c *nameserver.Config) {
			c.Nodes, c.Records = services.Nodes{"web1"}, map[string]nameserver.Record{"www": {CNAME: "wbe1"}}
		},
	} {
		c := nameserver.NewConfig()
		require.NoError(t, c.Validate())
		change(c)
		require.EqualError(t, c.Validate(), want)
	}
}
