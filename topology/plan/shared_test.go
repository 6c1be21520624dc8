package plan

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

const twoSites = `
	user
	r0 router
	r1 router
	r2 router
	near
	far
	user - r0
	r0 - r1 5ms
	r0 - r2 20ms
	r1 - r2 1ms
	r1 - near
	r2 - far`

// Each router sends to the nearest host: r1 to near, r2 to far, and r0 to near by r1.
func TestAnycastGoesToTheNearest(t *testing.T) {
	lab := parse(t, twoSites)
	lab.Shared = []Shared{{Name: "www", Switch: -1, Members: []int{lab.find("near"), lab.find("far")}}}
	p, err := Make(lab)
	require.NoError(t, err)
	require.Len(t, p.Shared[0], 2)
	via := func(p *Plan, tables [][]Route, node string) (list []string) {
		for _, r := range tables[lab.find(node)] {
			if r.To.Addr() == p.Shared[0][0] {
				list = append(list, p.nodeOf(r.Via))
			}
		}
		return list
	}
	require.Equal(t, []string{"near"}, via(p, p.Routes, "r1"))
	require.Equal(t, []string{"far"}, via(p, p.Routes, "r2"))
	require.Equal(t, []string{"r1"}, via(p, p.Routes, "r0"))

	gone := make([]bool, len(lab.Nodes))
	gone[lab.find("near")] = true
	tables := p.Reroute(make([]bool, len(lab.Links)), gone)
	require.Equal(t, []string{"r2"}, via(p, tables, "r1"), "near is down")
	require.Equal(t, []string{"r1"}, via(p, tables, "r0"))
	gone[lab.find("far")] = true
	require.Empty(t, via(p, p.Reroute(make([]bool, len(lab.Links)), gone), "r0"), "nobody is left")
}

// nodeOf returns the name of the node that has an address.
func (p *Plan) nodeOf(a netip.Addr) string {
	if p.owners == nil {
		p.index()
	}
	return p.lab.Nodes[p.owners[a]].Name
}

// Two paths of the same latency and as many hops are both taken, by routers alone; a longer one isn't.
func TestEqualCostPaths(t *testing.T) {
	lab := parse(t, `
		a
		r1 router
		up router
		down router
		slow router
		r2 router
		b
		sw switch
		c
		a - r1
		r1 - up 1ms
		r1 - down 1ms
		r1 - slow 2ms
		up - r2 1ms
		down - r2 1ms
		slow - r2 1ms
		r2 - b
		up - sw
		down - sw
		sw - c`)
	for _, ecmp := range []bool{false, true} {
		lab.ECMP = ecmp
		p, err := Make(lab)
		require.NoError(t, err)
		got := map[string][]string{}
		for _, r := range p.Routes[lab.find("r1")] {
			if !r.To.Addr().Is4() {
				continue
			}
			for _, name := range []string{"b", "c"} {
				port := p.Ports[lab.find(name)][0]
				if r.To.Contains(p.Interfaces[port.Link][port.End].Address(IPv4).Addr()) {
					got[name] = append(got[name], p.nodeOf(r.Via))
				}
			}
		}
		want := map[string][]string{"b": {"up"}, "c": {"up"}}
		if ecmp {
			want = map[string][]string{"b": {"up", "down"}, "c": {"up", "down"}}
		}
		require.Equal(t, want, got)
		require.Len(t, p.Routes[lab.find("a")], 2, "a host has its default routes")
	}
}

func TestSharedAddressesThatClash(t *testing.T) {
	lab := parse(t, `
		sw switch 192.0.2.0/24
		a
		b
		sw - a 192.0.2.7/24
		sw - b`)
	lab.Shared = []Shared{
		{Name: "vip", Given: []netip.Addr{netip.MustParseAddr("192.0.2.7")}},
		{Name: "out", Given: []netip.Addr{netip.MustParseAddr("198.51.100.1")}},
		{Name: "two", Given: []netip.Addr{netip.MustParseAddr("192.0.2.8"), netip.MustParseAddr("192.0.2.9")}},
		{Name: "any", Switch: -1, Members: []int{1}, Given: []netip.Addr{netip.MustParseAddr("192.0.2.10")}},
		{Name: "fine"},
	}
	_, err := Make(lab)
	require.Equal(t, []string{
		"addresses.vip.addresses[0]: a-eth0 has the address 192.0.2.7 already: give one of them another one",
		"addresses.out.addresses[0]: 198.51.100.1 is no host's address in 192.0.2.0/24, the network of the segment of switch sw",
		"addresses.two.addresses[1]: 192.0.2.9 is the second IPv4 address, after 192.0.2.8: want at most one",
		"addresses.any.addresses: network 192.0.2.10/32 of address any is a part of 192.0.2.0/24 of segment sw: give one of them another one",
	}, messages(t, err))
}
