package netem

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A rule looks at the directions of links that it is told, each once.
func TestRulePlaces(t *testing.T) {
	// There are 3 frames from a to b and 2 back, on each of two links.
	for name, test := range map[string]struct {
		places func(c *chain) []Place
		own    bool
		want   int
	}{
		"nowhere: where each frame begins": {func(*chain) []Place { return nil }, false, 5},
		"leaving a":                        {func(c *chain) []Place { return []Place{{c.a, Outbound}} }, false, 3},
		"arriving at a":                    {func(c *chain) []Place { return []Place{{c.a, Inbound}} }, false, 2},
		"both at a":                        {func(c *chain) []Place { return []Place{{c.a, Outbound}, {c.a, Inbound}} }, false, 5},
		"leaving the router":               {func(c *chain) []Place { return []Place{{c.ra, Outbound}, {c.rb, Outbound}} }, false, 5},
		"leaving the router, its own":      {func(c *chain) []Place { return []Place{{c.ra, Outbound}, {c.rb, Outbound}} }, true, 0},
		"arriving at b, from the router":   {func(c *chain) []Place { return []Place{{c.b, Inbound}} }, true, 0},
		"arriving at the router, own":      {func(c *chain) []Place { return []Place{{c.ra, Inbound}, {c.rb, Inbound}} }, true, 5},
		"one direction twice":              {func(c *chain) []Place { return []Place{{c.a, Outbound}, {c.ra, Inbound}, {c.a, Outbound}} }, false, 3},
		"everywhere": {func(c *chain) []Place {
			return []Place{{c.a, Outbound}, {c.ra, Outbound}, {c.rb, Outbound}, {c.b, Outbound}}
		}, false, 10},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v6 := range []bool{false, true} {
				var r *Rule
				onChain(t, Params{}, func(c *chain) {
					r = c.rule(RuleConfig{Action: ActPass, Places: test.places(c), Own: test.own})
					for i := range 3 {
						c.send(sec, c.a, c.udp(v6, byte(i)))
					}
					back := c.udp(v6, 9)
					p, _ := parseIP(back)
					src, dst := p.addresses()
					was := append([]byte{}, src...)
					copy(src, dst)
					copy(dst, was)
					for range 2 {
						c.send(sec, c.b, back)
					}
				})
				require.EqualValues(t, test.want, r.Hits())
			}
		})
	}
}

// Behind a switch too, a frame is its sender's: also ARP, neighbour discovery, and what has no address yet.
func TestRuleOwnBehindSwitch(t *testing.T) {
	bubble(t, Config{}, func(n *Network) {
		l, _ := newTalk(t, n, 3)
		for i, p := range l.ports {
			p.mac = mac(byte(i))
		}
		r, err := n.AddRule(RuleConfig{Name: "x", Action: ActPass})
		require.NoError(t, err)
		discover := packet{protocol: protocolUDP, dst: 2}.data()
		clear(discover[26:30])
		local := packet{v6: true, src: 1, protocol: protocolUDP, dst: 2}.data()
		copy(local[22:], []byte{0xfe, 0x80})
		outside := packet{protocol: protocolUDP, dst: 2}.data()
		copy(outside[26:], []byte{192, 0, 2, 1})
		for i, test := range []struct {
			data      []byte
			forwarder byte
			own       bool
		}{
			{request(false, 1, 2), 1, true},
			{request(true, 1, 2), 1, true},
			{packet{src: 1, dst: 2, protocol: protocolUDP}.data(), 1, true},
			{packet{v6: true, src: 1, dst: 2, protocol: protocolUDP}.data(), 1, true},
			{packet{src: 1, dst: 2, protocol: protocolUDP}.data(), 0, false}, // by a router on its way
			{discover, 1, true},
			{discover, 0, false}, // with somebody else's MAC address
			{local, 1, true},
			{outside, 1, false},
			{append(make([]byte, 12), 0x88, 0xcc), 1, true}, // LLDP
		} {
			at := time.Duration(1+i) * sec
			l.say(at, test.data, test.forwarder, 1)
			var before uint64
			l.At(0, KindControl, at-1, func() { before = r.Hits() })
			l.At(0, KindControl, at+1, func() { require.Equal(t, test.own, r.Hits() == before+1, "frame %d", i) })
		}
	})
}
