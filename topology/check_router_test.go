package topology

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// routersFile is testdata/good/routers.jsonc as it is understood.
func routersFile(t testing.TB) *Topology {
	t.Helper()
	return loadOne(t, string(goodFiles(t)["routers.jsonc"])).Resolved
}

// A resolved file says everything: who patterns stand for, which interfaces are inside, and one table for firewall and NAT.
func TestResolvedRouters(t *testing.T) {
	resolved := routersFile(t)
	r1, _ := resolved.Nodes.Get("r1")
	var rules []string
	for _, r := range r1.Firewall.Rules {
		text, err := json.Marshal(r)
		require.NoError(t, err)
		rules = append(rules, strings.Trim(string(text), `"`))
	}
	require.Equal(t, []string{
		"accept tcp to server port 443,8000-8100 as web",
		"accept udp from lan1,lan2,lan3,10.1.0.0/16 source-port 53 to dns,192.0.2.1 port 53 in sw as rule2",
		"reject tcp from sw to 2001:db8::/32,lan1,lan2,lan3 port 22,8000-8100 in sw,spare out isp as ssh",
		"accept icmp to r1 as rule4",
		"drop as rule5",
	}, rules)
	tracking := Tracking{OutOfState: RejectPackets, MaxConnections: 10,
		Timeouts: Timeouts{UDP: seconds(30), TCPEstablished: seconds(7440), TCPTransitory: seconds(240), ICMP: seconds(5)}}
	require.Equal(t, tracking, r1.Firewall.Tracking)
	require.Equal(t, &NAT{
		Outside: "up", Inside: Patterns{"sw", "dns", "server", "spare"}, Kind: SymmetricNAT, Ports: PortRange{5000, 5000}, RandomPorts: true,
		Forward: []PortForward{{RuleTCP, 443, "server:443"}, {RuleUDP, 53, "dns:5353"}, {RuleTCP, 1, "10.1.2.3:80"}},
		Hairpin: true, RejectWhenFull: true, Tracking: tracking,
	}, r1.NAT)
	for name, inside := range map[string]string{"r2": "lan1", "r3": "lan2"} {
		r, _ := resolved.Nodes.Get(name)
		require.Nil(t, r.Firewall)
		require.Equal(t, &NAT{Outside: "isp", Inside: Patterns{inside}, Kind: PortRestrictedCone, Ports: PortRange{1024, 65535},
			Tracking: defaultTracking}, r.NAT)
	}
	dns, _ := resolved.Nodes.Get("dns")
	require.Equal(t, units.Bytes(1<<30), dns.Disk.Capacity)
	require.Equal(t, units.BitRate(8e8), dns.Disk.Rate)
}

func seconds(n int64) units.Duration { return units.Duration(n * 1e9) }

// A text that is understood is written so that it is understood again.
func TestRuleTexts(t *testing.T) {
	for text, want := range map[string]FirewallRule{
		"drop":                              {Action: DropPackets},
		" accept   icmp ":                   {Action: AcceptPackets, Protocol: RuleICMP},
		"reject from a ,b,  c to 10.0.0.1":  {Action: RejectPackets, From: Patterns{"a", "b", "c"}, To: Patterns{"10.0.0.1"}},
		"accept udp port 53 source-port 53": {Action: AcceptPackets, Protocol: RuleUDP, Ports: []PortRange{{53, 53}}, SourcePorts: []PortRange{{53, 53}}},
		"drop from from to to in in out port as as": {Action: DropPackets, From: Patterns{"from"}, To: Patterns{"to"}, In: Patterns{"in"}, Out: Patterns{"port"},
			Name: "as"},
		"accept tcp from 2001:db8::/32 port 1-65535 as x": {Action: AcceptPackets, Protocol: RuleTCP, From: Patterns{"2001:db8::/32"},
			Ports: []PortRange{{1, 65535}}, Name: "x"},
	} {
		var r FirewallRule
		require.NoError(t, r.setText(text), text)
		require.Equal(t, want, r, text)
		again, ok := r.asText()
		require.True(t, ok)
		var second FirewallRule
		written, err := again.MarshalText()
		require.NoError(t, err)
		require.NoError(t, second.setText(string(written)))
		require.Equal(t, want, second)
	}
	for _, r := range []FirewallRule{{}, {Action: DropPackets, Name: "a b"}, {Action: DropPackets, From: Patterns{"a,b"}}, {Action: DropPackets, To: Patterns{}}} {
		_, ok := r.asText()
		require.False(t, ok, "%+v is no text", r)
	}
}

// What a Go program gets wrong is reported as what a file does, and never written as something else.
func TestRoutersMadeInGo(t *testing.T) {
	router := func(f *Firewall, n *NAT) string {
		_, err := (&Topology{
			Nodes: MapOf(Entry[Node]{"a", Node{}}, Entry[Node]{"r", Node{Kind: Router, Firewall: f, NAT: n}}, Entry[Node]{"b", Node{}}),
			Links: []Link{{Between: "a - r"}, {Between: "r - b"}},
		}).Resolve()
		require.Error(t, err)
		return err.Error()
	}
	require.Equal(t, strings.Join([]string{
		"nodes.r.firewall.timeouts.udp: cannot write the duration -1ns: want 0s or more",
		"nodes.r.firewall.max_connections: found -1, wanted 1 or more",
		"nodes.r.firewall.rules[0].action: missing, wanted accept, drop or reject",
		"nodes.r.firewall.rules[0].ports[0]: 80-70 is no range of ports: want 1 to 65535, the smaller one first",
		"nodes.r.firewall.rules[0].from: the list is empty, so nothing would match; leave the field out for any",
		`nodes.r.nat.forward[0].port: "0" is not a port: want 1 to 65535`,
		`nodes.r.nat.forward[0].to: "" names no host, wanted one such as "server:5001"`,
		`nodes.r.nat.outside: r has no neighbour and no link called ""; its neighbours are a, b`,
	}, "\n"), router(
		&Firewall{Rules: []FirewallRule{{Protocol: RuleTCP, Ports: []PortRange{{80, 70}}, From: Patterns{}}}, Tracking: Tracking{MaxConnections: -1, Timeouts: Timeouts{UDP: -1}}},
		&NAT{Forward: []PortForward{{Protocol: RuleTCP}}}))
}

// A client behind a NAT reaches servers that have no route back to it, but not the other way round.
func TestReachableThroughNAT(t *testing.T) {
	lab := func(from, to, routes string) error {
		_, err := Load("lab.json", []byte(`{
			"nodes": { "a": {}, "home": { "kind": "router", "nat": { "outside": "cgn" } },
				"cgn": { "kind": "router", "nat": { "outside": "isp", "inside": "home" }, "routes": [`+routes+`] },
				"isp": { "kind": "router", "routes": [] }, "b": {} },
			"links": ["a - home", "home - cgn", { "between": "cgn - isp", "addresses": { "isp": ["192.0.2.1/24"], "cgn": ["192.0.2.2/24"] } }, "isp - b"],
			"workloads": { "w": { "type": "load", "from": "`+from+`", "to": "`+to+`:80" } }, "duration": "1s"
		}`), catalog, nil)
		return err
	}
	const out = `{ "to": "0.0.0.0/0", "via": "192.0.2.1" }`
	require.NoError(t, lab("a", "b", out))
	require.NoError(t, lab("b", "cgn", out))
	require.ErrorContains(t, lab("a", "b", ""), "there is no way from a to b")
	require.ErrorContains(t, lab("b", "a", out), "there is no way from b to a")
	require.ErrorContains(t, lab("b", "home", out), "there is no way from b to home")
}

func FuzzRule(f *testing.F) {
	for _, seed := range []string{"accept tcp from a to b port 80", "drop", "reject udp source-port 1-2,3 in x out y as z", "accept from a, b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var r FirewallRule
		if r.setText(text) != nil {
			return
		}
		again, ok := r.asText()
		require.True(t, ok, "%q is read as %+v and can't be written", text, r)
		written, err := again.MarshalText()
		require.NoError(t, err)
		var second FirewallRule
		require.NoError(t, second.setText(string(written)))
		require.Equal(t, r, second)
	})
}

func FuzzPortForward(f *testing.F) {
	f.Add("tcp 8080 to web:80")
	f.Add("udp 53 to [::1]")
	f.Fuzz(func(t *testing.T, text string) {
		var p, second PortForward
		if p.setText(text) != nil {
			return
		}
		again, ok := p.asText()
		require.True(t, ok)
		written, err := again.MarshalText()
		require.NoError(t, err)
		require.NoError(t, second.setText(string(written)))
		require.Equal(t, p, second)
	})
}
