package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		name, lab string
		want      []string
	}{
		{"wrong addresses of an end", "a\nb\na 192.0.2.0/24 192.0.2.255/24 192.0.2.1/32 224.0.0.1/24 127.0.0.1/8 - b ::ffff:1.2.3.4/120 fe80::1/64 192.0.2.1/3", []string{
			"links.a--b.addresses.a[0]: 192.0.2.0/24 is the address of the network itself: the first one for a node is 192.0.2.1",
			"links.a--b.addresses.a[1]: 192.0.2.255/24 is the broadcast address of 192.0.2.0/24: the last one for a node is 192.0.2.254",
			"links.a--b.addresses.a[2]: 192.0.2.1/32 leaves no room for a neighbour: want a prefix length of 31 or less",
			"links.a--b.addresses.a[3]: 224.0.0.1/24 is for several receivers: want a unicast address",
			"links.a--b.addresses.a[4]: 127.0.0.1/8 is a loopback address, which never leaves a host",
			"links.a--b.addresses.b[0]: ::ffff:1.2.3.4/120 is an IPv4 address written as IPv6: write 1.2.3.4",
			"links.a--b.addresses.b[1]: fe80::1/64 is a link-local address, which the stacks choose themselves",
			"links.a--b.addresses.b[2]: 192.0.2.1/3 has a prefix length of 3: want 8 or more",
		}},
		{"two of a version", "a\nb\na 192.0.2.1/24 192.0.2.2/24 - b 192.0.2.3/24", []string{
			"links.a--b.addresses.a[1]: 192.0.2.2/24 is the second IPv4 address of this end, after 192.0.2.1/24: want at most one",
		}},
		{"ends apart", "a\nb\na 192.0.2.1/24 - b 192.0.3.1/24", []string{
			"links.a--b.addresses.b[0]: 192.0.3.1/24 isn't in the network of the other end, 192.0.2.0/24 of 192.0.2.1/24: want both in one network",
		}},
		{"ends with different prefix lengths", "a\nb\na 192.0.2.1/24 - b 192.0.2.2/25", []string{
			"links.a--b.addresses.b[0]: 192.0.2.2/25 isn't in the network of the other end, 192.0.2.0/24 of 192.0.2.1/24: want both in one network",
		}},
		{"ends alike", "a\nb\na 192.0.2.1/24 - b 192.0.2.1/24", []string{
			"links.a--b.addresses.b[0]: both ends have the address 192.0.2.1",
		}},
		{"one end of many", "a\nb\na - b 192.0.2.1/24", []string{
			"links.a--b.addresses.b[0]: 192.0.2.1/24 leaves open which address of 192.0.2.0/24 the other end has: pin one for a too",
		}},
		{"wrong version", "a ipv6\nb ipv4\nc\na 192.0.2.1/24 - c\nc 2001:db8::1/64 - b", []string{
			"links.a--c.addresses.a[0]: 192.0.2.1/24 is an IPv4 address, which a doesn't speak",
			"links.c--b.addresses.c[0]: 2001:db8::1/64 is an IPv6 address, which b at the other end doesn't speak",
		}},
		{"MAC addresses", "a\nb\nc\na mac=02:00 - b mac=01:00:5e:00:00:01\nb mac=02:00:00:00:00:01 - c mac=02-00-00-00-00-01\na mac=00:00:00:00:00:00 - c", []string{
			`links.a--b.macs.a: "02:00" is not a MAC address: want six bytes such as 02:00:00:00:00:01`,
			`links.a--c.macs.a: "00:00:00:00:00:00" means no address: want one such as 02:00:00:00:00:01`,
			`links.a--b.macs.b: "01:00:5e:00:00:01" is a multicast address, as its first byte is odd: want one such as 02:00:00:00:00:01`,
			"links.b--c.macs.c: b-eth1 and c-eth0 have the same MAC address 02:00:00:00:00:01: give one of them another one",
		}},
		{"subnets", "sw switch 192.0.2.1/24 10.0.0.0/31 2001:db8::/127 192.0.2.0/24 192.0.3.0/24\na 10.0.0.0/24", []string{
			"nodes.a.subnets: only a switch has subnets; the addresses of other nodes belong to their links",
			"nodes.sw.subnets[0]: 192.0.2.1/24 has bits set behind its prefix: write 192.0.2.0/24",
			"nodes.sw.subnets[1]: 10.0.0.0/31 has a prefix length of 31: want 8 to 30",
			"nodes.sw.subnets[2]: 2001:db8::/127 has a prefix length of 127: want 16 to 126",
			"nodes.sw.subnets[4]: 192.0.3.0/24 is the second IPv4 network of this segment, after 192.0.2.0/24: want at most one",
		}},
		{"subnets of two switches", "s1 switch 192.0.2.0/24\ns2 switch 192.0.3.0/24\ns1 - s2", []string{
			"nodes.s2.subnets[0]: 192.0.3.0/24 is the second IPv4 network of this segment, after 192.0.2.0/24 of switch s1: want at most one",
		}},
		{"pinned outside the segment", "sw switch 10.9.0.0/16\na\nsw - a 192.0.2.1/24", []string{
			`links.sw--a.addresses.a[0]: 192.0.2.1/24 isn't in 10.9.0.0/16, the network of the segment of switch sw: give the switch "subnets": ["192.0.2.0/24"] or pin another address`,
		}},
		{"pinned twice in a segment", "sw switch 10.9.0.0/16\na\nb\nsw - a 10.9.0.1/16\nsw - b 10.9.0.1/16", []string{
			"links.sw--b.addresses.b[0]: a-eth0 and b-eth0 have the same address 10.9.0.1: give one of them another one",
		}},
		{"address of a switch", "sw switch\na\nsw 10.9.0.1/16 - a", []string{
			"links.sw--a.addresses.sw[0]: sw is a switch and has no address; its hosts have",
		}},
		{"two ports of one host at a switch", "sw switch\na\nx: sw - a\ny: sw - a", []string{
			"links.y.addresses.a: a-eth0 and a-eth1 get the same address 10.104.111.223 in the segment of switch sw after their names: give one of them addresses",
		}},
		{"one network on two links", "a\nb\nc\na 192.0.2.1/30 - b\nb 192.0.2.1/30 - c", []string{
			"links.b--c.addresses: link a--b and link b--c have the same network 192.0.2.0/30: give one of them another one",
		}},
		{"a network in another", "a\nb\nc\na 10.0.0.1/8 - b 10.0.0.2/8\nb - c\na - c", []string{
			"links.a--b.addresses: network 10.187.168.60/31 of link b--c is a part of 10.0.0.0/8 of link a--b: give one of them another one",
		}},
		{"a link to itself", "a\na - a", []string{
			"links.a--a.between: both ends are a: a link joins two nodes",
		}},
		{"loop of switches", "s1 switch\ns2 switch\ns3 switch\ns4 switch\ns1 - s2\ns2 - s3\ns3 - s4\ns1 - s3\nagain: s4 - s3", []string{
			"links.s1--s3.between: switches form a loop by the links s1--s3, s2--s3, s1--s2: frames would circle in it for ever, as netlab's switches have no spanning tree; remove one of these links or make a switch a router",
			"links.again.between: switches form a loop by the links again, s3--s4: frames would circle in it for ever, as netlab's switches have no spanning tree; remove one of these links or make a switch a router",
		}},
		{"routes", "a 10.0.0.0/8>192.0.2.2 10.0.0.1/8>192.0.2.2 10.0.0.0/8>192.0.2.2 11.0.0.0/8>192.0.2.1 ::/0>192.0.2.2 12.0.0.0/8>198.51.100.1\nb ipv4 ::/0>fd00::1\nsw switch 0.0.0.0/0>192.0.2.1\na 192.0.2.1/30 - b", []string{
			"nodes.a.routes[1].to: 10.0.0.1/8 has bits set behind its prefix: write 10.0.0.0/8",
			"nodes.a.routes[2].to: 10.0.0.0/8 is the destination of routes[0] already: only routers share traffic among several next hops",
			"nodes.a.routes[3].via: 192.0.2.1 is an address of a itself: want its neighbour's",
			"nodes.a.routes[4].via: 192.0.2.2 is an IPv4 address and the destination ::/0 is not",
			"nodes.a.routes[5].via: 198.51.100.1 isn't on a network of a, which is on [192.0.2.0/30]",
			"nodes.b.routes[0].to: ::/0 is an IPv6 network, and b doesn't speak IPv6",
			"nodes.sw.routes: a switch has no routes: it passes frames by their MAC addresses",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			plan, err := Make(parse(t, test.lab))
			require.Nil(t, plan)
			require.Equal(t, test.want, messages(t, err))
		})
	}
}

// Names that meet by hash are found by trying.
func TestCollisionsNameBothAndWhatToPin(t *testing.T) {
	letters := func(i int) string {
		return strings.Map(func(r rune) rune { return 'a' + r - '0' }, fmt.Sprint(i))
	}
	meet := func(slotOf func(name string) any) (string, string) {
		seen := map[any]string{}
		for i := 0; ; i++ {
			name := letters(i)
			if other, ok := seen[slotOf(name)]; ok {
				return other, name
			}
			seen[slotOf(name)] = name
		}
	}

	a, b := meet(func(name string) any { return linkNetworks(name) })
	_, err := Make(parse(t, fmt.Sprintf("x\ny\n%s: x - y\n%s: x - y", a, b)))
	require.Equal(t, []string{fmt.Sprintf("links.%s.addresses: links %s and %s hash to the same network %s: give one of them addresses",
		b, a, b, linkNetworks(a)[IPv4])}, messages(t, err))

	a, b = meet(func(name string) any { return segmentNetworks(name) })
	_, err = Make(parse(t, fmt.Sprintf("%s switch\n%s switch\nx\ny\n%s - x\n%s - y", a, b, a, b)))
	require.Equal(t, []string{fmt.Sprintf("nodes.%s.subnets: switches %s and %s hash to the same network %s: give one of them subnets",
		b, a, b, segmentNetworks(a)[IPv4])}, messages(t, err))

	networks := segmentNetworks("sw")
	a, b = meet(func(name string) any { return hostNumber(name, networks) })
	_, err = Make(parse(t, fmt.Sprintf("sw switch\n%s\n%s\nsw - %s\nsw - %s", a, b, a, b)))
	require.Equal(t, []string{fmt.Sprintf("links.sw--%s.addresses.%s: %s-eth0 and %s-eth0 get the same address %s in the segment "+
		"of switch sw after their names: give one of them addresses", b, b, a, b, plus(networks[IPv4], hostNumber(a, networks)))},
		messages(t, err))
}

func TestALinkWithoutItsNodeIsAPanic(t *testing.T) {
	require.PanicsWithValue(t, "plan: link a--b: node 1 of 1", func() {
		Make(&Lab{Nodes: []Node{{Name: "a"}}, Links: []Link{{ID: "a--b", Ends: [2]End{{Node: 0}, {Node: 1}}}}})
	})
}
