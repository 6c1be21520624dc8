package plan

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAddressesOfALinkAndASegment(t *testing.T) {
	_, p := mustMake(t, `
		client
		r1 router
		sw switch
		web1
		web2 ipv6
		client - r1
		r1 - sw
		sw - web1
		sw - web2`)
	client, r1 := p.Interfaces[0][0], p.Interfaces[0][1]
	require.Equal(t, "client-eth0", client.Name)
	require.Equal(t, "r1-eth0", r1.Name)
	require.Equal(t, "r1-eth1", p.Interfaces[1][0].Name)
	require.Equal(t, "sw-eth2", p.Interfaces[3][0].Name)
	require.Len(t, client.Addresses, 2)
	require.Equal(t, 31, client.Address(IPv4).Bits())
	require.Equal(t, 127, client.Address(IPv6).Bits())
	require.Zero(t, client.Address(IPv4).Addr().As4()[3]&1, "the first end has the even address")
	require.Equal(t, client.Address(IPv4).Addr().Next(), r1.Address(IPv4).Addr())
	require.Equal(t, client.Address(IPv6).Addr().Next(), r1.Address(IPv6).Addr())
	require.Empty(t, p.Interfaces[1][1].Addresses, "a switch's port has no address")

	web1, web2 := p.Interfaces[2][1], p.Interfaces[3][1]
	require.Equal(t, p.Segments[0].Networks[IPv4], web1.Address(IPv4).Masked())
	require.Equal(t, p.Segments[0].Networks[IPv6], web1.Address(IPv6).Masked())
	require.False(t, web2.Address(IPv4).IsValid(), "web2 speaks IPv6 only")
	require.Equal(t, web1.Address(IPv6).Addr().Next(), web2.Address(IPv6).Addr(), "neighbours by name")
	four, six := web1.Address(IPv4).Addr().As4(), web1.Address(IPv6).Addr().As16()
	require.Equal(t, four[2:], six[14:], "one number for both versions")
	require.Equal(t, byte(2), web1.MAC[0])
}

// These are what labs in the field have in their captures and notes: a change here renumbers them all.
func TestAddressesStayAsTheyAre(t *testing.T) {
	_, p := mustMake(t, `
		client
		r1 router
		server
		sw switch
		client - r1
		r1 - server
		r1 - sw`)
	var got []string
	for _, link := range p.Interfaces {
		for _, itf := range link {
			for _, a := range itf.Addresses {
				got = append(got, itf.Name+" "+a.String())
			}
			got = append(got, itf.Name+" "+itf.MAC.String())
		}
	}
	require.Equal(t, []string{
		"client-eth0 10.203.217.142/31",
		"client-eth0 fd00:1::4b:d98e/127",
		"client-eth0 02:12:85:ac:36:03",
		"r1-eth0 10.203.217.143/31",
		"r1-eth0 fd00:1::4b:d98f/127",
		"r1-eth0 02:ed:a0:b4:53:39",
		"r1-eth1 10.191.176.108/31",
		"r1-eth1 fd00:1::3f:b06c/127",
		"r1-eth1 02:ed:a0:cb:6b:f8",
		"server-eth0 10.191.176.109/31",
		"server-eth0 fd00:1::3f:b06d/127",
		"server-eth0 02:b1:e3:2b:8c:94",
		"r1-eth2 10.104.169.75/16",
		"r1-eth2 fd00:0:0:68::a94b/64",
		"r1-eth2 02:ed:a0:e2:84:b7",
		"sw-eth0 02:2c:3f:da:2d:e6",
	}, got)
}

func TestALabThatGrowsKeepsItsAddresses(t *testing.T) {
	_, before := mustMake(t, `
		sw switch
		r1 router
		web1
		sw - web1
		r1 - sw
		up: r1 - web1`)
	_, after := mustMake(t, `
		aaa
		sw switch
		r1 router
		web1
		web2
		sw - web1
		r1 - sw
		up: r1 - web1
		aaa - r1
		sw - web2
		up2: r1 - web2`)
	require.Equal(t, before.Interfaces, after.Interfaces[:3])
}

func TestPinnedAddresses(t *testing.T) {
	_, p := mustMake(t, `
		a
		b
		c
		sw switch 192.0.2.0/24 2001:db8::/64
		d
		e
		a 198.51.100.1/24 - b 198.51.100.77/24
		c - a 198.18.0.129/31 mac=02:00:00:00:00:09
		b - c 203.0.113.5/30
		sw - d 192.0.2.200/24
		sw - e`)
	address := func(link, end int, f Family) string { return p.Interfaces[link][end].Address(f).String() }
	require.Equal(t, "198.51.100.77/24", address(0, 1, IPv4))
	require.True(t, strings.HasPrefix(address(0, 1, IPv6), "fd00:1::"), "the other version is computed")
	require.Equal(t, "198.18.0.128/31", address(1, 0, IPv4))
	require.Equal(t, "02:00:00:00:00:09", p.Interfaces[1][1].MAC.String())
	require.Equal(t, "203.0.113.6/30", address(2, 0, IPv4))
	require.Equal(t, "192.0.2.200/24", address(3, 1, IPv4))
	require.True(t, strings.HasPrefix(address(4, 1, IPv4), "192.0.2."))
	require.True(t, strings.HasPrefix(address(4, 1, IPv6), "2001:db8::"))
}

// A link carries an IP version if both ends speak it.
func TestFamilies(t *testing.T) {
	lab, p := mustMake(t, `
		old ipv4
		new ipv6
		r1 router
		r2 router ipv6
		old - r1
		new - r1
		r1 - r2`)
	require.Len(t, p.Interfaces[0][1].Addresses, 1)
	require.True(t, p.Interfaces[0][1].Address(IPv4).IsValid())
	require.False(t, p.Interfaces[2][0].Address(IPv4).IsValid())
	require.Equal(t, []string{"0.0.0.0/0 via r1"}, p.print("old"))
	require.Equal(t, []string{"::/0 via r1"}, p.print("new"))
	require.True(t, p.Reachable(lab.find("old"), lab.find("r1"), IPv4))
	require.False(t, p.Reachable(lab.find("old"), lab.find("r1"), IPv6))
	require.False(t, p.Reachable(lab.find("old"), lab.find("new"), IPv4))
	require.True(t, p.Reachable(lab.find("new"), lab.find("r2"), IPv6))
}

func TestHostNumbersFitTheSubnet(t *testing.T) {
	for _, test := range []struct {
		subnets string
		most    uint64
	}{{"192.0.2.0/30 2001:db8::/64", 2}, {"192.0.2.0/24 2001:db8::/64", 254}, {"10.0.0.0/8 2001:db8::/126", 2},
		{"10.0.0.0/8 2001:db8::/32", 65534}} {
		lab := parse(t, "sw switch "+test.subnets)
		networks := [2]string{lab.Nodes[0].Subnets[0].String(), lab.Nodes[0].Subnets[1].String()}
		for _, name := range []string{"a", "b", "web1", "web2", "web999", "x-y-z7"} {
			n := hostNumber(name, [2]netip.Prefix{lab.Nodes[0].Subnets[0], lab.Nodes[0].Subnets[1]})
			require.GreaterOrEqual(t, n, uint64(1), networks)
			require.LessOrEqual(t, n, test.most, networks)
		}
	}
}
