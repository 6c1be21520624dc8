package ip

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// lowered is a packet as it is after a router took one off its TTL.
func lowered(d datagram) []byte {
	h := header.IPv4(d.frame()[14:])
	h.SetTTL(h.TTL() - 1)
	h.SetChecksum(0)
	h.SetChecksum(^h.CalculateChecksum())
	return h
}

// A router further on answers an inside host's packet by an error about what it got. The host receives one that quotes, to the
// last bit, what the host sent: whatever the protocol, and however little is quoted. So traceroute works through NAT, and path MTU
// discovery.
func TestNATErrorsFromOutside(t *testing.T) {
	quiet := udpFrom(port(hostA, 5000), port(remoteX, 53), "no checksum")
	header.UDP(quiet.payload).SetChecksum(0)
	for name, sent := range map[string]datagram{
		"UDP":                  udpFrom(port(hostA, 5000), port(remoteX, 53), "payload"),
		"UDP without checksum": quiet,
		"TCP":                  tcpFrom(port(hostA, 5000), port(remoteX, 80), syn),
		"ICMP":                 echoFrom(hostA, remoteX, 7, false),
	} {
		for _, quoted := range []int{28, 40, 576} {
			for _, e := range []struct {
				kind, code byte
				word       uint32
			}{{11, 0, 0}, {3, 1, 0}, {3, 4, 1280}} {
				router := netip.MustParseAddr("203.0.113.9")
				b := natBench(t, NATConfig{RandomPorts: true}, func(b *bench) {
					require.NoError(t, b.router.SetRoutes([]Route{{netip.MustParsePrefix("0.0.0.0/0"), remoteX}}))
					b.put(0, 0, sent)
					b.At(0, 0, 10*time.Millisecond, func() {
						src, _ := flowOf(b.got[0].data)
						require.NotEqual(t, uint16(5000), src.Port())
						b.put(b.Elapsed()+time.Millisecond, 1, errorAbout(router, b.got[0].data, e.kind, e.code, e.word, quoted))
					})
				})
				got := b.at(t, 0)
				require.Len(t, got, 1, name)
				kind, code, word, rest := icmpOf(t, got[0])
				require.Equal(t, []any{e.kind, e.code, e.word}, []any{kind, code, word})
				src, dst := ends(got[0])
				require.Equal(t, []netip.Addr{router, hostA}, []netip.Addr{src, dst})
				want := lowered(sent)
				require.Equal(t, []byte(want[:min(quoted, len(want))]), rest, name)
				s := b.router.Stats().NAT
				require.Equal(t, []uint64{1, 1, 1}, []uint64{s.Outbound, s.Inbound, s.Errors})
			}
		}
	}
}

// An error from inside about a packet that came in goes out from the external address, and quotes what the sender sent.
func TestNATErrorsFromInside(t *testing.T) {
	sent := udpFrom(port(remoteX, 40000), port(external, 53), "payload")
	inner := netip.MustParseAddr("10.0.0.77") // a router between the NAT and the host
	b := natBench(t, NATConfig{Forwards: []PortForward{{UDP, 53, port(hostA, 5353)}}}, func(b *bench) {
		b.put(0, 1, sent)
		b.At(0, 0, 10*time.Millisecond, func() {
			for i, from := range []netip.Addr{hostA, inner} {
				b.put(time.Duration(1+i)*time.Second, 0, errorAbout(from, b.got[0].data, 3, 3, 0, 576))
			}
			// About nothing that anybody sent.
			b.put(3*time.Second, 0, errorAbout(hostA, udpFrom(port(remoteX, 1), port(hostA, 2), "?").frame(), 3, 3, 0, 576))
			b.put(4*time.Second, 1, errorAbout(remoteX, udpFrom(port(external, 1), port(remoteX, 2), "?").frame(), 3, 3, 0, 576))
		})
	})
	require.Len(t, b.at(t, 0), 1)
	out := b.at(t, 1)
	require.Len(t, out, 2)
	for _, f := range out {
		_, _, _, rest := icmpOf(t, f)
		require.Equal(t, lowered(sent), rest)
		src, dst := ends(f)
		require.Equal(t, []netip.Addr{external, remoteX}, []netip.Addr{src, dst})
	}
	s := b.router.Stats().NAT
	require.EqualValues(t, 2, s.Errors)
	require.EqualValues(t, 1, s.Untranslatable)
}

// The NAT's own errors quote packets as their senders know them, also when the packet was translated already and nobody answers
// at the next hop.
func TestNATOwnErrors(t *testing.T) {
	sent := udpFrom(port(hostA, 5000), port(remoteX, 53), "payload")
	short := sent
	short.ttl = 1
	b := inBench(t, 3, 0, []int{1}, func(b *bench) {
		b.nat(t, NATConfig{RandomPorts: true})
		b.put(0, 0, sent)
		b.put(10*time.Second, 0, short)
	})
	got := b.at(t, 0)
	require.Len(t, got, 2)
	kind, code, _, rest := icmpOf(t, got[0])
	require.Equal(t, []byte{3, 1}, []byte{kind, code})
	require.Equal(t, lowered(sent), rest)
	kind, _, _, rest = icmpOf(t, got[1])
	require.EqualValues(t, 11, kind)
	require.Equal(t, short.frame()[14:], rest)
}

// Fragments go where the first one went, for 30 seconds; those without a first one don't go anywhere.
func TestNATFragments(t *testing.T) {
	whole := udpFrom(port(hostA, 5000), port(remoteX, 53), string(make([]byte, 2000)))
	piece := func(id uint16, from, to int) []byte {
		d := whole
		d.payload = whole.payload[from:to]
		frame := d.frame()
		h := header.IPv4(frame[14:])
		if h.SetFlagsFragmentOffset(header.IPv4FlagMoreFragments, uint16(from)); to == len(whole.payload) {
			h.SetFlagsFragmentOffset(0, uint16(from))
		}
		h.SetID(id)
		h.SetChecksum(0)
		h.SetChecksum(^h.CalculateChecksum())
		return frame
	}
	b := natBench(t, NATConfig{RandomPorts: true}, func(b *bench) {
		b.send(0, 0, piece(1, 800, 1600)) // too early
		b.send(1*time.Second, 0, piece(1, 0, 800))
		b.send(2*time.Second, 0, piece(1, 800, 1600))
		b.send(3*time.Second, 0, piece(2, 1600, 2008)) // of another one
		b.send(31*time.Second-1, 0, piece(1, 1600, 2008))
		b.send(31*time.Second, 0, piece(1, 1600, 2008)) // too late
	})
	got := b.at(t, 1)
	require.Len(t, got, 3)
	segment := []byte{}
	for _, f := range got {
		src, dst := ends(f)
		require.Equal(t, []netip.Addr{external, remoteX}, []netip.Addr{src, dst})
		segment = append(segment, payloadOf(f)...)
	}
	require.NotEqual(t, uint16(5000), binary.BigEndian.Uint16(segment))
	joined := datagram{src: external, dst: remoteX, protocol: protocolUDP, payload: segment}
	require.True(t, sumsUp(joined.frame()), "put together, the checksum is right")
	require.EqualValues(t, 3, b.router.Stats().Tracking.Fragments)
}
