package ip

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

// wall runs a scenario on a router with a firewall.
func wall(t *testing.T, c FirewallConfig, scenario func(b *bench)) *bench {
	t.Helper()
	return inBench(t, 3, 0, nil, func(b *bench) {
		_, err := b.router.SetFirewall(c)
		require.NoError(t, err)
		scenario(b)
	})
}

// outgoing lets connections out of interface 0 and nothing else.
var outgoing = []FirewallRule{{Name: "out", Action: Accept, In: []int{0}}}

// What answers a connection that was let out comes in, and so do errors about it; what begins one from outside doesn't.
func TestFirewallStateful(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, action := range []Action{Drop, Reject} {
			a, x := far(v6, 0), far(v6, 1)
			query := udpFrom(port(a, 5000), port(x, 53), "?")
			b := wall(t, FirewallConfig{Default: action, Rules: outgoing}, func(b *bench) {
				for i, s := range []step{
					{0, tcpFrom(port(a, 1), port(x, 80), syn)}, {1, tcpFrom(port(x, 80), port(a, 1), syn|ack)},
					{0, query}, {1, udpFrom(port(x, 53), port(a, 5000), "!")},
					{0, echoFrom(a, x, 7, false)}, {1, echoFrom(x, a, 7, true)},
					{1, errorAbout(own(v6, 1), query.frame(), map[bool]byte{false: 11, true: 3}[v6], 0, 0, 100)},
					// And what isn't let in:
					{1, tcpFrom(port(x, 80), port(a, 2), syn)}, {1, udpFrom(port(x, 54), port(a, 5000), "?")}, {1, echoFrom(x, a, 7, false)},
					{1, errorAbout(own(v6, 1), udpFrom(port(a, 1), port(x, 2), "?").frame(), map[bool]byte{false: 11, true: 3}[v6], 0, 0, 100)},
				} {
					b.put(time.Duration(i)*time.Second, s.by, s.packet)
				}
			})
			require.Len(t, b.at(t, 0), 4)
			answers := b.at(t, 1)[3:]
			s := b.router.Stats().Firewall
			require.Equal(t, FirewallAccepted{Established: 3, Related: 1, FirewallDecided: FirewallDecided{Rule: 3}}, s.Accepted)
			require.Equal(t, []RuleStats{{"out", Accept, 3}}, s.Rules)
			require.Equal(t, TrackingStats{Opened: 3, Expired: 3}, *b.router.Stats().Tracking)
			if action == Drop {
				require.Equal(t, FirewallDecided{Default: 4}, s.Dropped)
				require.Empty(t, answers)
				continue
			}
			require.Equal(t, FirewallDecided{Default: 4}, s.Rejected)
			require.Len(t, answers, 3, "an error isn't answered by one")
			require.Equal(t, rst|ack, header.TCP(payloadOf(answers[0])).Flags())
			for _, f := range answers[1:] {
				kind, code, _, _ := icmpOf(t, f)
				require.Equal(t, map[bool][]byte{false: {3, 13}, true: {1, 1}}[v6], []byte{kind, code})
			}
			src, dst := flowOf(answers[0])
			require.Equal(t, []netip.AddrPort{port(a, 2), port(x, 80)}, []netip.AddrPort{src, dst})
		}
	}
}

// The first rule that matches decides, by all that it names.
func TestFirewallRules(t *testing.T) {
	prefixes := func(list ...string) (p []netip.Prefix) {
		for _, s := range list {
			p = append(p, netip.MustParsePrefix(s))
		}
		return p
	}
	for _, v6 := range []bool{false, true} {
		a, x, other := far(v6, 0), far(v6, 1), far(v6, 2)
		udp, tcp, ping := udpFrom(port(a, 5000), port(x, 53), "?"), tcpFrom(port(a, 5000), port(x, 53), syn), echoFrom(a, x, 1, false)
		for name, c := range map[string]struct {
			rule FirewallRule
			hits []datagram
			miss []datagram
		}{
			"any":         {FirewallRule{}, []datagram{udp, tcp, ping, {src: a, dst: x, protocol: 47, payload: make([]byte, 8)}}, nil},
			"protocol":    {FirewallRule{Protocol: UDP}, []datagram{udp}, []datagram{tcp, ping}},
			"ICMP":        {FirewallRule{Protocol: ICMP}, []datagram{ping}, []datagram{tcp, udp}},
			"destination": {FirewallRule{Destinations: prefixes("10.0.1.0/30", "fd00:0:0:1::/64")}, []datagram{udp, ping}, []datagram{udpFrom(port(a, 5000), port(other, 53), "")}},
			"source":      {FirewallRule{Sources: prefixes("10.0.0.2/32", "fd00::2/128")}, []datagram{udp, ping}, []datagram{udpFrom(port(other, 5000), port(x, 53), "")}},
			"own version": {FirewallRule{Sources: prefixes(map[bool]string{false: "::/0", true: "0.0.0.0/0"}[v6])}, nil, []datagram{udp, ping}},
			"ports": {FirewallRule{Protocol: UDP, DestinationPorts: []PortRange{{1, 2}, {53, 60}}, SourcePorts: []PortRange{{5000, 5000}}}, []datagram{udp,
				udpFrom(port(a, 5000), port(x, 60), "")}, []datagram{tcp, udpFrom(port(a, 5000), port(x, 61), ""), udpFrom(port(a, 5001), port(x, 53), "")}},
			"in":      {FirewallRule{In: []int{2, 0}}, []datagram{udp}, nil},
			"not in":  {FirewallRule{In: []int{1, 2}}, nil, []datagram{udp}},
			"out":     {FirewallRule{Out: []int{1}}, []datagram{udp}, []datagram{udpFrom(port(a, 5000), port(other, 53), "")}},
			"not out": {FirewallRule{Out: []int{0, 2}}, nil, []datagram{udp}},
		} {
			c.rule.Action = Drop
			b := wall(t, FirewallConfig{Rules: []FirewallRule{c.rule, {Action: Drop, Sources: prefixes("192.0.2.0/24")}, {Action: Accept}, {Action: Drop}}}, func(b *bench) {
				for i, d := range append(c.hits, c.miss...) {
					b.put(time.Duration(i)*time.Second, 0, d)
				}
			})
			require.Len(t, b.got, len(c.miss), name)
			var hits []uint64
			for _, r := range b.router.Stats().Firewall.Rules {
				hits = append(hits, r.Hits)
			}
			require.Equal(t, []uint64{uint64(len(c.hits)), 0, uint64(len(c.miss)), 0}, hits, "%s, v6 %v", name, v6)
		}
	}
}

// A rule that is added decides before all others, counts, and can be removed. What it forbids goes on where it was let in before,
// unless the connections are forgotten.
func TestFirewallAddRule(t *testing.T) {
	query := udpFrom(port(hostA, 5000), port(remoteX, 53), "?")
	other := udpFrom(port(hostA, 5001), port(remoteX, 53), "?")
	wall(t, FirewallConfig{Rules: outgoing}, func(b *bench) {
		w := b.router.Firewall()
		b.put(0, 0, query)
		var r *Rule
		b.At(0, netem.KindControl, 1*time.Second, func() {
			var err error
			r, err = w.AddRule(FirewallRule{Name: "no DNS", Action: Drop, Protocol: UDP, DestinationPorts: []PortRange{{53, 53}}})
			require.NoError(t, err)
		})
		b.put(2*time.Second, 0, query) // a connection that exists
		b.put(2*time.Second, 0, other)
		b.At(0, netem.KindControl, 3*time.Second, func() {
			require.Len(t, b.got, 2)
			require.EqualValues(t, 1, r.Hits())
			w.Clear()
		})
		b.put(4*time.Second, 0, query)
		b.At(0, netem.KindControl, 5*time.Second, func() {
			require.Len(t, b.got, 2)
			require.Equal(t, []RuleStats{{"no DNS", Drop, 2}, {"out", Accept, 1}}, b.router.Stats().Firewall.Rules)
			r.Remove()
			r.Remove()
		})
		b.put(6*time.Second, 0, query)
		b.At(0, netem.KindControl, 7*time.Second, func() {
			require.Len(t, b.got, 3)
			require.EqualValues(t, 2, r.Hits())
			_, err := w.AddRule(FirewallRule{Name: "x", Action: Drop, In: []int{7}})
			require.EqualError(t, err, "router r: firewall: rule 1 (x): there is no interface 7: the router has 3, counted from 0")
		})
	})
}

// Packets for the router itself are judged only if that is wanted; neighbour discovery always works.
func TestFirewallInput(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, input := range []bool{false, true} {
			b := inBench(t, 3, 0, []int{0}, func(b *bench) {
				_, err := b.router.SetFirewall(FirewallConfig{Default: Drop, Input: input})
				require.NoError(t, err)
				b.send(0, 0, asking(0, far(v6, 0), own(v6, 0)))
				b.put(time.Second, 0, echoFrom(far(v6, 0), own(v6, 1), 1, false))
			})
			s := b.router.Stats()
			if require.NotEmpty(t, b.got); input {
				require.Len(t, b.got, 1)
				require.EqualValues(t, 1, s.Firewall.Dropped.Default)
			} else {
				require.Len(t, b.got, 2)
				require.Zero(t, s.Firewall.Dropped.Default)
			}
		}
	}
	b := wall(t, FirewallConfig{Input: true, Default: Reject}, func(b *bench) {
		b.put(0, 0, tcpFrom(port(hostA, 1), port(own4(0), 22), syn))
		b.put(time.Second, 0, udpFrom(port(hostA, 1), port(own4(0), 22), "?"))
	})
	require.Equal(t, rst|ack, header.TCP(payloadOf(b.at(t, 0)[0])).Flags())
	_, code, _, _ := icmpOf(t, b.got[1].data)
	require.EqualValues(t, 13, code)
}

// Segments out of state are no rule's business, and neither are packets without a transport header.
func TestFirewallOutOfState(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		a, x := far(v6, 0), far(v6, 1)
		for _, action := range []Action{Drop, Reject, Accept} {
			b := wall(t, FirewallConfig{Rules: outgoing, Default: Drop, Tracking: Tracking{OutOfState: action}}, func(b *bench) {
				b.put(0, 0, tcpFrom(port(a, 1), port(x, 80), ack))
				b.put(1*time.Second, 1, tcpFrom(port(x, 80), port(a, 1), ack))
				b.put(2*time.Second, 1, tcpFrom(port(x, 81), port(a, 1), ack))
				b.put(3*time.Second, 0, datagram{src: a, dst: x, protocol: protocolTCP, payload: make([]byte, 19)})
			})
			s := b.router.Stats()
			require.EqualValues(t, 1, s.Tracking.Malformed)
			if action == Accept {
				require.Len(t, b.got, 2)
				require.Equal(t, FirewallDecided{Default: 1}, s.Firewall.Dropped)
				continue
			}
			require.EqualValues(t, 3, s.Tracking.OutOfState)
			require.Zero(t, s.Firewall.Dropped)
			require.Len(t, b.got, map[Action]int{Drop: 0, Reject: 3}[action])
		}
	}
}

// IPv6 fragments follow their first one, whose ports may stand behind other extension headers.
func TestFirewallFragments6(t *testing.T) {
	a, x := far6(0), far6(1)
	whole := udpFrom(port(a, 5000), port(x, 53), "0123456789abcdef")
	options := []byte{44, 0, 0, 0, 0, 0, 0, 0}
	piece := func(id byte, offset, more byte, data []byte) datagram {
		d := datagram{src: a, dst: x, protocol: 60, payload: join(options, []byte{protocolUDP, 0, 0, offset | more, 0, 0, 0, id}, data)}
		return d
	}
	b := wall(t, FirewallConfig{Default: Drop, Rules: []FirewallRule{{Action: Accept, Protocol: UDP, DestinationPorts: []PortRange{{53, 53}}}}}, func(b *bench) {
		b.put(0, 0, piece(1, 8, 1, whole.payload[8:16]))
		b.put(1*time.Second, 0, piece(1, 0, 1, whole.payload[:8]))
		b.put(2*time.Second, 0, piece(1, 8, 1, whole.payload[8:16]))
		b.put(3*time.Second, 0, piece(2, 16, 0, whole.payload[16:]))
		b.put(4*time.Second, 0, piece(1, 16, 0, whole.payload[16:]))
	})
	require.Len(t, b.got, 3)
	require.EqualValues(t, 2, b.router.Stats().Tracking.Fragments)
	require.EqualValues(t, 2, b.router.Stats().Firewall.Accepted.Established)
}

// Rules see inside addresses in both directions.
func TestFirewallWithNAT(t *testing.T) {
	rules := []FirewallRule{{Action: Accept, Sources: []netip.Prefix{netip.MustParsePrefix("10.0.0.2/32")}, Out: []int{1}},
		{Action: Accept, Protocol: TCP, Destinations: []netip.Prefix{netip.MustParsePrefix("10.0.2.2/32")}, DestinationPorts: []PortRange{{8080, 8080}}}}
	b := wall(t, FirewallConfig{Default: Reject, Rules: rules}, func(b *bench) {
		b.nat(t, NATConfig{Forwards: []PortForward{{TCP, 80, port(hostB, 8080)}, {TCP, 81, port(hostB, 8081)}}})
		for i, s := range []step{{0, udpFrom(port(hostA, 1), port(remoteX, 2), "")}, {1, udpFrom(port(remoteX, 2), port(external, 1024), "")},
			{1, tcpFrom(port(remoteX, 1), port(external, 80), syn)}, {1, tcpFrom(port(remoteX, 2), port(external, 81), syn)},
			{2, udpFrom(port(hostB, 1), port(remoteX, 2), "")}} {
			b.put(time.Duration(i)*time.Second, s.by, s.packet)
		}
	})
	require.Len(t, b.at(t, 0), 1)
	require.Equal(t, []string{"10.0.1.1:1024 10.0.1.2:2", "10.0.1.1:81 10.0.1.2:2"}, flows(b.at(t, 1)), "a query, and a reset as if from the host")
	require.Equal(t, "10.0.1.2:1 10.0.2.2:8080", flows(b.at(t, 2))[0])
	require.EqualValues(t, 2, b.router.Stats().Firewall.Rejected.Default)
	require.EqualValues(t, 1, b.router.Stats().NAT.Created, "what is rejected takes no port")
}

func TestFirewallConfigErrors(t *testing.T) {
	b := newBench(t, newEngine(), 2, 0)
	rule := func(r FirewallRule) FirewallConfig { return FirewallConfig{Rules: []FirewallRule{{Action: Drop}, r}} }
	mapped := netip.MustParsePrefix("::ffff:10.0.0.0/104")
	for want, c := range map[string]FirewallConfig{
		`default: there is no action "x": say accept, drop or reject`:                        {Default: "x"},
		"rule 2: there is no action: say accept, drop or reject":                             rule(FirewallRule{}),
		`rule 2 (web): there is no protocol "gre": say tcp, udp or icmp, or nothing for any`: rule(FirewallRule{Name: "web", Action: Drop, Protocol: "gre"}),
		"rule 2: ::ffff:10.0.0.0/104 is no IPv4 or IPv6 prefix such as 10.0.0.0/8":           rule(FirewallRule{Action: Drop, Sources: []netip.Prefix{mapped}}),
		"rule 2: invalid Prefix is no IPv4 or IPv6 prefix such as 10.0.0.0/8":                rule(FirewallRule{Action: Drop, Destinations: []netip.Prefix{{}}}),
		"rule 2: it has ports, but no protocol that has them: say tcp or udp":                rule(FirewallRule{Action: Drop, Protocol: ICMP, SourcePorts: []PortRange{{1, 2}}}),
		"rule 2: ports 2-1: the first is greater than the last":                              rule(FirewallRule{Action: Drop, Protocol: TCP, DestinationPorts: []PortRange{{2, 1}}}),
		"rule 2: there is no interface 2: the router has 2, counted from 0":                  rule(FirewallRule{Action: Drop, Out: []int{0, 2}}),
		"the timeout for ICMP connections is -1s: it must not be negative":                   {Tracking: Tracking{ICMP: -time.Second}},
	} {
		_, err := b.router.SetFirewall(c)
		require.EqualError(t, err, "router r: firewall: "+want)
		require.Nil(t, b.router.Firewall())
	}
}
