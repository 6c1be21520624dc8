package ip

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

// Whatever arrives at a router with a firewall and NAT, in any order, it doesn't fall over, loses no frame's memory, and what it
// keeps fits together.
func FuzzTracking(f *testing.F) {
	var all [][]byte
	for _, v6 := range []bool{false, true} {
		a, x := far(v6, 0), far(v6, 1)
		query := udpFrom(port(a, 5000), port(x, 53), "?")
		for _, d := range []datagram{query, tcpFrom(port(a, 1), port(x, 80), syn), echoFrom(a, x, 7, false), echoFrom(x, a, 7, true),
			errorAbout(own(v6, 1), query.frame(), map[bool]byte{false: 11, true: 3}[v6], 0, 0, 100),
			tcpFrom(port(x, 80), port(own(v6, 1), 1), syn|ack), udpFrom(port(a, 9), port(own(v6, 1), 5000), ""),
			errorAbout(x, udpFrom(port(own(v6, 1), 5000), port(x, 53), "?").frame(), map[bool]byte{false: 3, true: 1}[v6], 3, 0, 100)} {
			all = append(all, d.frame())
		}
	}
	for i, first := range all {
		f.Add(first, all[(i+5)%len(all)], uint8(i))
	}
	f.Fuzz(func(t *testing.T, first, second []byte, order uint8) {
		if len(first) > netem.DefaultMTU || len(second) > netem.DefaultMTU {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			e := netem.NewEngine(netem.Config{Limit: 10 * time.Hour})
			b := newBench(t, e, 3, 576, 2)
			require.NoError(t, b.router.SetRoutes([]Route{
				{netip.PrefixFrom(netip.IPv4Unspecified(), 0), far4(1)}, {netip.PrefixFrom(netip.IPv6Unspecified(), 0), far6(1)}}))
			kinds := []NATKind{FullCone, RestrictedCone, PortRestrictedCone, Symmetric}
			outOfState := []Action{Drop, Reject, Accept}
			b.nat(t, NATConfig{Kind: kinds[order%4], Hairpin: order&4 != 0, Forwards: []PortForward{{UDP, 53, port(hostA, 53)}},
				Tracking: Tracking{OutOfState: outOfState[order%3]}})
			_, err := b.router.SetFirewall(FirewallConfig{Input: order&8 != 0, Default: Reject, Rules: []FirewallRule{{Action: Accept, In: []int{0, 2}},
				{Action: Accept, Protocol: UDP, DestinationPorts: []PortRange{{53, 53}}}}})
			require.NoError(t, err)
			check := stock(t, e)
			at := time.Duration(0)
			for _, data := range [][]byte{first, second, first, second} {
				for i := range 3 {
					frame := append([]byte{}, data...)
					repair(frame, routerMAC(i))
					at += time.Second
					b.send(at, i, frame)
				}
			}
			b.At(0, netem.KindControl, at+5*time.Second, func() { b.router.consistent(t) })
			b.run(t)
			require.Zero(t, b.InFlight())
			check()
			for _, r := range b.got {
				if h := header.IPv4(r.data[14:]); binary.BigEndian.Uint16(r.data[12:]) == netem.EtherTypeIPv4 {
					require.True(t, h.IsValid(len(h)) && h.IsChecksumValid())
				}
			}
			b.router.tracker.expire(never)
			b.router.consistent(t)
			require.Zero(t, b.router.tracker.count)
			require.Len(t, b.router.NAT().Mappings(), 1)
		})
	})
}

// consistent checks that the tables of connections and mappings say the same.
func (r *Router) consistent(t *testing.T) {
	listed := 0
	uses := map[*mapping]int{}
	for i := range r.tracker.lists {
		for f := r.tracker.lists[i].first; f != nil; f = f.next {
			listed++
			for d, key := range f.keys {
				require.Same(t, f, r.tracker.flows[key])
				if m := f.mappings[d]; m != nil {
					uses[m]++
				}
			}
		}
	}
	require.Equal(t, r.tracker.count, listed)
	mappings := 0
	for i := range r.nat.pools {
		p := &r.nat.pools[i]
		for external, m := range p.byPort {
			require.Equal(t, uses[m], m.flows)
			require.Same(t, m, r.nat.bySource[m.key])
			require.Equal(t, external, m.external)
			if !m.static {
				mappings++
				require.Positive(t, m.flows)
			}
		}
	}
	require.Equal(t, mappings, r.nat.stats.Mappings)
}
