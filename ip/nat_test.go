package ip

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

// What the kinds of NAT are: who may answer at a port, and whether another destination sees another port (RFC 3489, section 5;
// RFC 4787, sections 4.1 and 5). For UDP and TCP.
func TestNATKinds(t *testing.T) {
	for _, c := range []struct {
		kind                         NATKind
		otherPort, otherHost, shared bool
	}{
		{FullCone, true, true, true},
		{RestrictedCone, true, false, true},
		{PortRestrictedCone, false, false, true},
		{Symmetric, false, false, false},
		{"", false, false, true},
	} {
		for _, tcp := range []bool{false, true} {
			packet := func(src, dst netip.AddrPort) datagram {
				if tcp {
					return tcpFrom(src, dst, syn)
				}
				return udpFrom(src, dst, "?")
			}
			b := natBench(t, NATConfig{Kind: c.kind}, func(b *bench) {
				b.put(0, 0, packet(port(hostA, 5000), port(remoteX, 53)))
				b.put(1*time.Second, 1, packet(port(remoteX, 53), port(external, 5000)))
				b.put(2*time.Second, 1, packet(port(remoteX, 54), port(external, 5000)))
				b.put(3*time.Second, 1, packet(port(remoteY, 53), port(external, 5000)))
				b.put(4*time.Second, 0, packet(port(hostA, 5000), port(remoteY, 99)))
			})
			want := []string{"10.0.1.2:53 10.0.0.2:5000"}
			if c.otherPort {
				want = append(want, "10.0.1.2:54 10.0.0.2:5000")
			}
			if c.otherHost {
				want = append(want, "10.0.1.3:53 10.0.0.2:5000")
			}
			require.Equal(t, want, flows(b.at(t, 0)), "%s", c.kind)
			second := "10.0.1.1:5000 10.0.1.3:99"
			if !c.shared {
				second = "10.0.1.1:5001 10.0.1.3:99"
			}
			require.Equal(t, []string{"10.0.1.1:5000 10.0.1.2:53", second}, flows(b.at(t, 1)), "%s", c.kind)
			s := b.router.Stats().NAT
			require.EqualValues(t, 3-len(want), s.Filtered)
			require.EqualValues(t, len(want), s.Inbound)
			require.EqualValues(t, 2, s.Outbound)
		}
	}
}

// A restricted cone lets an address in for as long as the connection to it lasts, although the mapping lasts longer.
func TestNATFilterEnds(t *testing.T) {
	b := natBench(t, NATConfig{Kind: RestrictedCone}, func(b *bench) {
		b.put(0, 0, udpFrom(port(hostA, 5000), port(remoteX, 53), "?"))
		b.put(200*time.Second, 0, udpFrom(port(hostA, 5000), port(remoteY, 53), "?"))
		b.put(300*time.Second-1, 1, udpFrom(port(remoteX, 54), port(external, 5000), "in time"))
		b.put(300*time.Second, 1, udpFrom(port(remoteX, 55), port(external, 5000), "X is let in by what it sent"))
		b.put(600*time.Second, 1, udpFrom(port(remoteX, 56), port(external, 5000), "too late for everything"))
	})
	require.Equal(t, []string{"10.0.1.2:54 10.0.0.2:5000", "10.0.1.2:55 10.0.0.2:5000"}, flows(b.at(t, 0)))
	require.EqualValues(t, 1, b.router.Stats().NAT.Unsolicited)
}

// Ports stay what they were if that is possible; otherwise the next free one is taken.
func TestNATPortChoice(t *testing.T) {
	source := func(host byte, p uint16) netip.AddrPort { return port(netip.AddrFrom4([4]byte{10, 0, 0, host}), p) }
	b := natBench(t, NATConfig{Ports: PortRange{1024, 5001}, Forwards: []PortForward{{UDP, 1025, port(hostB, 80)}}}, func(b *bench) {
		for i, s := range []netip.AddrPort{source(2, 5000), source(3, 5000), source(4, 5000), source(5, 5000), source(6, 80), source(2, 5000)} {
			b.put(time.Duration(i)*time.Second, 0, udpFrom(s, port(remoteX, 53), "?"))
		}
	})
	var got []uint16
	for _, f := range b.at(t, 1) {
		src, _ := flowOf(f)
		got = append(got, src.Port())
	}
	require.Equal(t, []uint16{5000, 5001, 1024, 1026, 1027, 5000}, got)
	// At random, but the same in every run.
	var runs [2][]string
	for i := range runs {
		b := natBench(t, NATConfig{RandomPorts: true}, func(b *bench) {
			for p := range uint16(20) {
				b.put(time.Duration(p)*time.Second, 0, udpFrom(port(hostA, 2000+p), port(remoteX, 53), "?"))
			}
		})
		runs[i] = flows(b.at(t, 1))
		kept := 0
		for p, f := range b.at(t, 1) {
			src, _ := flowOf(f)
			require.GreaterOrEqual(t, src.Port(), uint16(1024))
			if src.Port() == uint16(2000+p) {
				kept++
			}
		}
		require.Zero(t, kept)
	}
	require.Equal(t, runs[0], runs[1])
	require.Len(t, runs[0], 20)
}

// When all ports are taken, packets are dropped, and their senders are told if that is wanted. The moment that a mapping ends, its
// port can be taken again.
func TestNATExhaustion(t *testing.T) {
	for _, reject := range []bool{false, true} {
		b := natBench(t, NATConfig{Ports: PortRange{2000, 2002}, RejectExhausted: reject}, func(b *bench) {
			for i := range uint16(5) {
				b.put(time.Duration(i)*time.Second, 0, udpFrom(port(hostA, 7000+i), port(remoteX, 53), "?"))
			}
			b.put(5*time.Second, 0, tcpFrom(port(hostA, 7000), port(remoteX, 53), syn)) // TCP has ports of its own
			b.put(300*time.Second-1, 0, udpFrom(port(hostA, 8000), port(remoteX, 53), "too early"))
			b.put(300*time.Second, 0, udpFrom(port(hostA, 8001), port(remoteX, 53), "the first one's"))
		})
		require.Equal(t, []string{"10.0.1.1:2000 10.0.1.2:53", "10.0.1.1:2001 10.0.1.2:53", "10.0.1.1:2002 10.0.1.2:53",
			"10.0.1.1:2000 10.0.1.2:53", "10.0.1.1:2000 10.0.1.2:53"}, flows(b.at(t, 1)))
		require.EqualValues(t, 3, b.router.Stats().NAT.Exhausted)
		told := b.at(t, 0)
		if !reject {
			require.Empty(t, told)
			continue
		}
		require.Len(t, told, 3)
		kind, code, _, _ := icmpOf(t, told[0])
		require.Equal(t, []byte{3, 13}, []byte{kind, code})
	}
}

// TCP is told by ICMP too, not by a reset.
func TestNATExhaustionTCP(t *testing.T) {
	b := natBench(t, NATConfig{Ports: PortRange{2000, 2000}, RejectExhausted: true}, func(b *bench) {
		b.put(0, 0, tcpFrom(port(hostA, 1), port(remoteX, 80), syn))
		b.put(time.Second, 0, tcpFrom(port(hostA, 2), port(remoteX, 80), syn))
	})
	kind, code, _, _ := icmpOf(t, b.at(t, 0)[0])
	require.Equal(t, []byte{3, 13}, []byte{kind, code})
}

// The number of connections is bounded, whatever ports there are.
func TestNATMaxEntries(t *testing.T) {
	b := natBench(t, NATConfig{Tracking: Tracking{MaxEntries: 2, UDP: 10 * time.Second}}, func(b *bench) {
		for i := range uint16(3) {
			b.put(time.Duration(i)*time.Second, 0, udpFrom(port(hostA, 7000+i), port(remoteX, 53), "?"))
		}
		b.put(10*time.Second, 0, udpFrom(port(hostA, 7003), port(remoteX, 53), "?"))
		b.At(0, netem.KindControl, 10*time.Second+2*time.Millisecond, func() {
			s := b.router.Stats()
			require.Equal(t, TrackingStats{Opened: 3, Expired: 1, TableFull: 1, Connections: 2}, *s.Tracking)
			require.Equal(t, 2, s.NAT.Mappings)
		})
	})
	require.Len(t, b.at(t, 1), 3)
}

// A forwarded port leads inside whoever sends, and what the host there sends leaves from it.
func TestNATForward(t *testing.T) {
	for _, kind := range []NATKind{FullCone, Symmetric} {
		b := natBench(t, NATConfig{Kind: kind, Forwards: []PortForward{{TCP, 8080, port(hostA, 80)}, {UDP, 53, port(hostB, 5353)}}}, func(b *bench) {
			b.put(0, 1, tcpFrom(port(remoteX, 40000), port(external, 8080), syn))
			b.put(1*time.Second, 0, tcpFrom(port(hostA, 80), port(remoteX, 40000), syn|ack))
			b.put(2*time.Second, 1, udpFrom(port(remoteY, 1), port(external, 53), "?"))
			b.put(3*time.Second, 2, udpFrom(port(hostB, 5353), port(remoteX, 9), "?"))
			b.put(4*time.Second, 1, tcpFrom(port(remoteX, 40001), port(external, 8081), syn)) // nothing there
		})
		require.Equal(t, []string{"10.0.1.2:40000 10.0.0.2:80"}, flows(b.at(t, 0)))
		require.Equal(t, []string{"10.0.1.1:8080 10.0.1.2:40000", "10.0.1.1:53 10.0.1.2:9"}, flows(b.at(t, 1)))
		require.Equal(t, []string{"10.0.1.3:1 10.0.2.2:5353"}, flows(b.at(t, 2)))
		s := b.router.Stats().NAT
		require.EqualValues(t, 1, s.Unsolicited)
		require.Zero(t, s.Created+uint64(s.Mappings))
	}
}

// By hairpinning, hosts behind the same NAT talk by their external addresses, and see each other's.
func TestNATHairpin(t *testing.T) {
	// Both get a port by sending somewhere; then A sends to B's, B to A's, and A again.
	scenario := func(b *bench) {
		b.put(0, 0, udpFrom(port(hostA, 5000), port(remoteX, 53), "?"))
		b.put(1*time.Second, 2, udpFrom(port(hostB, 6000), port(remoteX, 53), "?"))
		b.put(2*time.Second, 0, udpFrom(port(hostA, 5000), port(external, 6000), "1"))
		b.put(3*time.Second, 0, udpFrom(port(hostA, 5000), port(external, 6000), "2"))
		b.put(4*time.Second, 2, udpFrom(port(hostB, 6000), port(external, 5000), "3"))
		b.put(5*time.Second, 0, udpFrom(port(hostA, 5000), port(external, 6000), "4"))
	}
	const toA, toB = "10.0.1.1:6000 10.0.0.2:5000", "10.0.1.1:5000 10.0.2.2:6000"
	for _, c := range []struct {
		kind     NATKind
		atA, atB []string
		filtered uint64
	}{
		{FullCone, []string{toA}, []string{toB, toB, toB}, 0},
		{RestrictedCone, []string{toA}, []string{toB}, 2},
		{PortRestrictedCone, []string{toA}, []string{toB}, 2},
		{Symmetric, nil, nil, 4},
	} {
		b := natBench(t, NATConfig{Kind: c.kind, Hairpin: true}, scenario)
		require.Equal(t, c.atA, flows(b.at(t, 0)), c.kind)
		require.Equal(t, c.atB, flows(b.at(t, 2)), c.kind)
		s := b.router.Stats()
		require.Equal(t, c.filtered, s.NAT.Filtered, c.kind)
		require.EqualValues(t, len(c.atA)+len(c.atB), s.NAT.Hairpinned, c.kind)
	}
	// Errors find their way as well.
	b := natBench(t, NATConfig{Hairpin: true, Forwards: []PortForward{{UDP, 80, port(hostB, 8080)}}}, func(b *bench) {
		b.put(0, 0, udpFrom(port(hostA, 5000), port(external, 80), "?"))
		b.At(0, netem.KindControl, time.Second, func() { b.put(2*time.Second, 2, errorAbout(hostB, b.got[0].data, 3, 3, 0, 100)) })
	})
	_, _, _, rest := icmpOf(t, b.at(t, 0)[0])
	require.Equal(t, lowered(udpFrom(port(hostA, 5000), port(external, 80), "?")), rest)
	src, _ := ends(b.at(t, 0)[0])
	require.Equal(t, external, src)
	// Without it the router refuses.
	b = natBench(t, NATConfig{Kind: FullCone}, scenario)
	for _, i := range []int{0, 2} {
		kind, code, _, _ := icmpOf(t, b.at(t, i)[0])
		require.Equal(t, []byte{3, 3}, []byte{kind, code})
	}
	// A port that is forwarded can be reached from inside too.
	b = natBench(t, NATConfig{Hairpin: true, Forwards: []PortForward{{TCP, 80, port(hostB, 8080)}}}, func(b *bench) {
		b.put(0, 0, tcpFrom(port(hostA, 5000), port(external, 80), syn))
		b.put(time.Second, 2, tcpFrom(port(hostB, 8080), port(external, 5000), syn|ack))
	})
	require.Equal(t, []string{"10.0.1.1:5000 10.0.2.2:8080"}, flows(b.at(t, 2)))
	require.Equal(t, []string{"10.0.1.1:80 10.0.0.2:5000"}, flows(b.at(t, 0)))
}

// Echo requests are told apart by their identifiers. The router answers pings for its external address itself.
func TestNATEcho(t *testing.T) {
	b := natBench(t, NATConfig{}, func(b *bench) {
		b.put(0, 0, echoFrom(hostA, remoteX, 7, false))
		b.put(1*time.Second, 2, echoFrom(hostB, remoteX, 7, false)) // the same one
		b.put(2*time.Second, 1, echoFrom(remoteX, external, 7, true))
		b.put(3*time.Second, 1, echoFrom(remoteX, external, 8, true))
		b.put(4*time.Second, 1, echoFrom(remoteX, external, 9, true)) // nobody's
		b.put(5*time.Second, 1, echoFrom(remoteX, external, 7, false))
	})
	require.Equal(t, []string{"10.0.1.2:7 10.0.0.2:7"}, flows(b.at(t, 0)))
	require.Equal(t, []string{"10.0.1.2:7 10.0.2.2:7"}, flows(b.at(t, 2)))
	require.Equal(t, []string{"10.0.1.1:7 10.0.1.2:7", "10.0.1.1:8 10.0.1.2:8", "10.0.1.1:7 10.0.1.2:7"}, flows(b.at(t, 1)))
}

// What NAT can't translate it doesn't let out; what isn't its business it doesn't touch.
func TestNATLeavesAlone(t *testing.T) {
	b := natBench(t, NATConfig{}, func(b *bench) {
		b.put(0, 0, datagram{src: hostA, dst: remoteX, protocol: 47, payload: make([]byte, 20)})
		b.put(1*time.Second, 0, udpFrom(port(hostA, 1), port(hostB, 2), "between inside hosts"))
		b.put(2*time.Second, 1, udpFrom(port(remoteX, 3), port(hostA, 4), "routed"))
		b.put(3*time.Second, 0, udpFrom(port(hostA, 4), port(remoteX, 3), "its answer"))
		b.put(4*time.Second, 0, udpFrom(port(far6(0), 1000), port(far6(1), 2000), "IPv6"))
	})
	require.Equal(t, []string{"10.0.0.2:1 10.0.2.2:2"}, flows(b.at(t, 2)))
	require.Equal(t, []string{"10.0.1.2:3 10.0.0.2:4"}, flows(b.at(t, 0)))
	require.Equal(t, []string{"10.0.0.2:4 10.0.1.2:3", "[fd00::2]:1000 [fd00:0:0:1::2]:2000"}, flows(b.at(t, 1)))
	require.Equal(t, NATStats{Untranslatable: 1}, *b.router.Stats().NAT)
}

// A corrupted packet stays corrupted, a missing UDP checksum stays missing, and one that comes out as 0 is sent as 65535.
func TestNATChecksums(t *testing.T) {
	missing := udpFrom(port(hostA, 5000), port(remoteX, 53), "none")
	header.UDP(missing.payload).SetChecksum(0)
	corrupted := udpFrom(port(hostA, 5000), port(remoteX, 53), "none")
	corrupted.payload[9] ^= 4
	segment := tcpFrom(port(hostA, 5000), port(remoteX, 53), syn)
	segment.payload[15] ^= 1
	b := natBench(t, NATConfig{}, func(b *bench) {
		b.put(0, 0, missing)
		b.put(1*time.Second, 0, corrupted)
		b.put(2*time.Second, 0, segment)
		for i := range 1 << 16 { // one of these sums up to 0
			b.put(3*time.Second+time.Duration(i)*time.Millisecond, 0, udpFrom(port(hostA, 5000), port(remoteX, 53), string([]byte{byte(i >> 8), byte(i)})))
		}
	})
	require.Len(t, b.got, 3+1<<16)
	require.Zero(t, header.UDP(payloadOf(b.got[0].data)).Checksum())
	require.False(t, sumsUp(b.got[1].data))
	require.False(t, sumsUp(b.got[2].data))
	full := 0
	for _, r := range b.got[3:] {
		require.True(t, sumsUp(r.data))
		require.NotZero(t, header.UDP(payloadOf(r.data)).Checksum())
		if header.UDP(payloadOf(r.data)).Checksum() == 0xffff {
			full++
		}
	}
	require.Positive(t, full)
}
