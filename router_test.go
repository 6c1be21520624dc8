package netlab_test

import (
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
)

// requireHolds requires that every expectation holds, and that there is one.
func requireHolds(t testing.TB, results *netlab.Results) {
	t.Helper()
	for _, e := range results.Expect {
		require.True(t, e.Holds, "%s: %v %s", e.Text, e.Values, e.Reason)
	}
	require.NotEmpty(t, results.Expect)
}

// A firewall is one for both IP versions: what rules let in passes with its answers, the rest doesn't, and every packet is counted
// by what decided about it.
func TestFirewallOfALab(t *testing.T) {
	for _, version := range []string{"ipv4", "ipv6"} {
		t.Run(version, func(t *testing.T) {
			lab := parse(t, `{
				"duration": "20s",
				"defaults": { "ip": "`+version+`" },
				"nodes": {
					"lan[1..2]": {},
					"sw": { "kind": "switch" },
					"r1": { "kind": "router", "firewall": {
						"default": "drop", "input": true,
						"rules": [
							"accept udp from lan[*] to server port 7 in sw as echo",
							{ "action": "reject", "protocol": "tcp", "from": "sw", "to": ["server"], "ports": [9, "7-8"], "out": "server", "name": "no-tcp" },
							"accept icmp to server",
							"accept icmp to r1 as knock"
						]
					} },
					"server": { "services": { "udp": { "type": "udp-echo" }, "tcp": { "type": "tcp-echo" } } }
				},
				"links": ["lan[*] - sw", "sw - r1", { "between": "r1 - server", "latency": "10ms" }],
				"workloads": {
					"allowed":  { "type": "echo", "protocol": "udp", "from": "lan[*]", "to": "server", "count": 3 },
					"refused":  { "type": "echo", "protocol": "tcp", "from": "lan1", "to": "server", "count": 3 },
					"pings":    { "type": "ping", "from": "lan2", "to": "server", "count": 4 },
					"at-home":  { "type": "ping", "from": "lan2", "to": "r1", "count": 5 },
					"outside":  { "type": "ping", "from": "server", "to": "lan1", "count": 6 }
				},
				"expect": [
					"allowed.received == 6 and allowed.intact",
					"not refused.completed or refused.sent == 0",
					"pings.received == 4 and at-home.received == 5",
					"outside.lost == 6",
					"nodes.r1.firewall.rules.echo.hits == 2",
					"nodes.r1.firewall.rules.no-tcp.hits == 1 and nodes.r1.firewall.rejected.rule == 1",
					"nodes.r1.firewall.rules.rule3.hits == 1",
					"nodes.r1.firewall.rules.knock.hits == 5",
					"nodes.r1.firewall.accepted.rule == 2 + 1 + 5",
					"nodes.r1.firewall.accepted.established == (6 - 2) + 6 + (4 - 1) + 4",
					"nodes.r1.firewall.dropped.default == 6",
					"nodes.r1.tracking.opened == 3",
					"nodes.lan1.tcp.resets_received == 1"
				]
			}`)
			results := play(t, lab, nil, nil)
			requireHolds(t, results)
		})
	}
}

// natLab is a client behind a NAT and two servers, which have no way to the client but the router's external address.
func natLab(nat string) string {
	return `{
		"duration": "30s",
		"nodes": {
			"client": {}, "web": { "services": { "sink": { "type": "tcp-sink", "listen": ":80" } } },
			"home": { "kind": "router", "nat": ` + nat + ` },
			"isp": { "kind": "router", "routes": [] },
			"a": { "services": { "echo": { "type": "udp-echo" } } }, "b": { "services": { "echo": { "type": "udp-echo" } } }
		},
		"links": ["home - isp", "client - home", "web - home", "isp - a", "isp - b"]
	}`
}

// The kinds of NAT, by which answers get to a client that sent from one port to two servers.
func TestNATOfALab(t *testing.T) {
	for _, tc := range []struct {
		nat                string
		same               bool // one external port for both
		otherPort, unasked bool // who may send to it: another port of a server, a server that wasn't asked
		exhausted          bool // there is no port for the second server
	}{
		{`{ "outside": "isp", "kind": "full-cone" }`, true, true, true, false},
		{`{ "outside": "home--isp", "kind": "restricted-cone", "inside": "client" }`, true, true, false, false},
		{`{ "outside": "isp", "inside": ["client", "web"] }`, true, false, false, false},
		{`{ "outside": "isp", "kind": "symmetric", "ports": 5000 }`, false, false, false, true},
		{`{ "outside": "isp", "kind": "symmetric", "ports": "5000-5001" }`, false, false, false, false},
	} {
		t.Run(tc.nat, func(t *testing.T) {
			lab := parse(t, natLab(tc.nat))
			play(t, lab, nil, func(run *netlab.Run) error {
				listen := func(host, port string) net.PacketConn {
					c, err := run.Host(host).ListenPacket("udp", port)
					require.NoError(t, err)
					return c
				}
				client, a, b, other := listen("client", ":9"), listen("a", ":9"), listen("b", ":9"), listen("a", ":10")
				receive := func(c net.PacketConn) (from string, ok bool) {
					require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Second)))
					_, peer, err := c.ReadFrom(make([]byte, 10))
					if err != nil {
						return "", false
					}
					return peer.String(), true
				}
				send := func(c net.PacketConn, to string) {
					_, err := c.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(to)))
					require.NoError(t, err)
				}
				send(client, addressOf(lab, "a")+":9")
				external, ok := receive(a)
				require.True(t, ok)
				require.NotEqual(t, addressOf(lab, "client")+":9", external)

				send(b, external) // b wasn't asked yet
				_, ok = receive(client)
				require.Equal(t, tc.unasked, ok)
				send(other, external)
				_, ok = receive(client)
				require.Equal(t, tc.otherPort, ok)
				send(a, external)
				from, ok := receive(client)
				require.True(t, ok)
				require.Equal(t, addressOf(lab, "a")+":9", from)

				send(client, addressOf(lab, "b")+":9")
				second, ok := receive(b)
				require.Equal(t, !tc.exhausted, ok)
				require.Equal(t, tc.same, second == external)
				for _, c := range []net.PacketConn{client, a, b, other} {
					require.NoError(t, c.Close())
				}
				return nil
			})
		})
	}
}

// addressOf returns the first IPv4 address of a node.
func addressOf(lab *netlab.Lab, node string) string {
	for _, l := range lab.Topology().Links {
		for _, a := range l.Addresses[node] {
			return a.Addr().String()
		}
	}
	return ""
}

// A port map leads to an inside host, whoever calls, and what is inside can't be called otherwise.
func TestPortForwardOfALab(t *testing.T) {
	results := playText(t, `{
		"duration": "30s",
		"defaults": { "ip": "ipv4" },
		"nodes": {
			"client": {}, "web": { "services": { "sink": { "type": "tcp-sink", "listen": ":80" }, "echo": { "type": "udp-echo" } } },
			"home": { "kind": "router",
				"firewall": { "default": "drop", "rules": ["accept in web,client", "accept tcp to web port 80 in isp as web"], "timeouts": { "udp": "2s" } },
				"nat": { "outside": "isp", "forward": ["tcp 8080 to web:80", { "protocol": "udp", "port": 7, "to": "web" }], "hairpin": true } },
			"isp": { "kind": "router", "routes": [] },
			"a": { "services": { "echo": { "type": "udp-echo" } } }
		},
		"links": ["home - isp", "client - home", "web - home", "isp - a"],
		"workloads": {
			"upload":  { "type": "tcp-transfer", "from": "a", "to": "home:8080", "bytes": "10kB" },
			"within":  { "type": "tcp-transfer", "from": "client", "to": "home:8080", "bytes": "10kB", "start": "5s" },
			"closed":  { "type": "echo", "protocol": "udp", "from": "a", "to": "home", "count": 2 },
			"unknown": { "type": "echo", "protocol": "udp", "from": "a", "to": "home:9", "count": 3 },
			"out":     { "type": "echo", "protocol": "udp", "from": "client", "to": "a", "count": 4, "interval": "3s" }
		},
		"expect": [
			"upload.intact and within.intact",
			"nodes.home.firewall.rules.web.hits == 1",
			"closed.lost == 2 and nodes.home.firewall.dropped.default == 2",
			"unknown.lost == 3 and nodes.home.nat.unsolicited == 3",
			"out.received == 4 and nodes.home.nat.created == 4 + 1",
			"nodes.home.tracking.expired >= 3",
			"nodes.home.nat.hairpinned > 10",
			"nodes.home.nat.outbound > 4 and nodes.home.nat.inbound > 4"
		]
	}`, nil)
	requireHolds(t, results)
}

// What a NAT hides is no secret: who outside has a route to the inside gets there, unless a firewall is in the way.
func TestNATIsNoFirewall(t *testing.T) {
	const text = `{
		"duration": "5s",
		"nodes": { "client": {}, "home": { "kind": "router", "nat": { "outside": "b" } }, "b": {} },
		"links": ["client - home", "home - b"],
		"workloads": { "ping": { "type": "ping", "from": "b", "to": "client", "count": 2 } },
		"variants": {
			"nat": { "expect": ["ping.received == 2"] },
			"both": { "nodes": { "home": { "firewall": { "rules": ["drop in b"] } } }, "expect": ["ping.received == 0", "nodes.home.firewall.dropped.rule == 2"] }
		}
	}`
	for _, lab := range parseAll(t, text) {
		requireHolds(t, play(t, lab, nil, nil))
	}
}

// Connections outlive neither the router's memory nor its limits.
func TestConnectionsOfALab(t *testing.T) {
	const text = `{
		"duration": "1m",
		"nodes": { "a": {}, "b": {}, "r": { "kind": "router", "firewall": { "rules": ["drop in b"], "out_of_state": "reject",
			"timeouts": { "tcp_established": "10s" } } } },
		"links": ["a - r", "r - b"]
	}`
	playText(t, text, func(run *netlab.Run) error {
		l, err := run.Host("b").Listen("tcp", ":80")
		require.NoError(t, err)
		c, err := run.Host("a").Dial("tcp", "b:80")
		require.NoError(t, err)
		peer, err := l.Accept()
		require.NoError(t, err)
		time.Sleep(9 * time.Second)
		_, err = c.Write([]byte("x"))
		require.NoError(t, err)
		_, err = io.ReadFull(peer, make([]byte, 1))
		require.NoError(t, err, "the connection is remembered")
		time.Sleep(11 * time.Second)
		_, err = c.Write([]byte("x"))
		require.NoError(t, err)
		_, err = c.Read(make([]byte, 1))
		require.ErrorContains(t, err, "connection reset")
		require.NoError(t, c.Close())
		require.NoError(t, peer.Close())
		return l.Close()
	})
}

// Expectations know the counters that a router has, and no others.
func TestExpectationsAboutRouters(t *testing.T) {
	_, err := netlab.Parse("lab.json", []byte(`{
		"nodes": { "r": { "kind": "router" }, "a": {} }, "links": ["a - r"],
		"expect": ["nodes.r.nat.created == 0"]
	}`), nil)
	require.ErrorContains(t, err, "nodes.r.nat.created")
}
