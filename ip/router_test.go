package ip

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

const udpProtocol = uint8(header.UDPProtocolNumber)

// The longest prefix that contains the destination decides; a route's next hop is found on the router's own networks, even
// if a longer prefix among the routes contains it.
func TestRouterLongestPrefix(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		list := []struct{ to4, to6 string }{
			{"0.0.0.0/0", "::/0"}, {"172.16.0.0/12", "fc00::/16"}, {"172.16.5.0/24", "fc00:5::/32"}, {"172.16.5.5/32", "fc00:5::5/128"},
			{"10.0.4.0/30", "fd00:0:0:4::/126"}, // contains interface 4's neighbour
		}
		var routes []Route
		for i, r := range list {
			to := r.to4
			if v6 {
				to = r.to6
			}
			routes = append(routes, Route{To: netip.MustParsePrefix(to), Via: far(v6, i)})
		}
		// The last one hides the way to the neighbours of interface 4; a route via one of them is right all the same.
		via := netip.MustParsePrefix("192.0.2.0/24")
		if v6 {
			via = netip.MustParsePrefix("2001:db8::/32")
		}
		routes[4].Via = far(v6, 0)
		routes = append(routes, Route{To: via, Via: far(v6, 4)})
		dst := map[string]int{"192.0.3.1": 0, "172.17.0.1": 1, "172.16.5.4": 2, "172.16.5.5": 3, "192.0.2.9": 4, "10.0.2.77": 2, "10.0.4.2": 0, "10.0.4.9": 4}
		if v6 {
			dst = map[string]int{"2001::1": 0, "fc00::1": 1, "fc00:5::6": 2, "fc00:5::5": 3, "2001:db8::9": 4, "fd00:0:0:2::77": 2, "fd00:0:0:4::2": 0, "fd00:0:0:4::9": 4}
		}
		b := inBench(t, 5, 0, nil, func(b *bench) {
			require.NoError(t, b.router.SetRoutes(routes))
			for d, port := range dst {
				a := netip.MustParseAddr(d)
				b.send(time.Duration(port)*time.Second, 0, datagram{src: far(v6, 0), dst: a, protocol: udpProtocol, payload: udpData(far(v6, 0), a, 20)}.frame())
			}
		})
		require.Len(t, b.got, len(dst))
		for _, r := range b.got {
			_, to := ends(r.data)
			require.Equal(t, dst[to.String()], r.port, to)
			near, peer := routerMAC(r.port), farMAC(r.port)
			require.Equal(t, peer[:], r.data[:6])
			require.Equal(t, near[:], r.data[6:12])
		}
		require.EqualValues(t, len(dst), b.router.Stats().IP.Forwarded)
	}
}

func TestRouterRefusesRoutesIntoNowhere(t *testing.T) {
	inBench(t, 1, 0, nil, func(b *bench) {
		err := b.router.SetRoutes([]Route{{To: netip.MustParsePrefix("192.0.2.0/24"), Via: netip.MustParseAddr("10.0.9.1")}})
		require.EqualError(t, err, "router r: route to 192.0.2.0/24 via 10.0.9.1: no interface is on a network with that address")
	})
}

// ends returns a packet's source and destination.
func ends(frame []byte) (src, dst netip.Addr) {
	if binary.BigEndian.Uint16(frame[12:]) == netem.EtherTypeIPv6 {
		h := header.IPv6(frame[14:])
		return toNetip(h.SourceAddress()), toNetip(h.DestinationAddress())
	}
	h := header.IPv4(frame[14:])
	return toNetip(h.SourceAddress()), toNetip(h.DestinationAddress())
}

// icmpOf checks an ICMP message in a frame, checksums too, and returns its type, code, the word that may hold an MTU, and
// the rest.
func icmpOf(t *testing.T, frame []byte) (kind, code byte, word uint32, rest []byte) {
	t.Helper()
	var m []byte
	if binary.BigEndian.Uint16(frame[12:]) == netem.EtherTypeIPv6 {
		h := header.IPv6(frame[14:])
		require.True(t, h.IsValid(len(h)))
		require.Equal(t, header.ICMPv6ProtocolNumber, h.TransportProtocol())
		m = h.Payload()
		require.Equal(t, header.ICMPv6(m).Checksum(), header.ICMPv6Checksum(header.ICMPv6ChecksumParams{
			Header: m, Src: h.SourceAddress(), Dst: h.DestinationAddress()}))
	} else {
		h := header.IPv4(frame[14:])
		require.True(t, h.IsValid(len(h)))
		require.True(t, h.IsChecksumValid())
		require.Equal(t, header.ICMPv4ProtocolNumber, h.TransportProtocol())
		m = h.Payload()
		require.EqualValues(t, 0xffff, checksum.Checksum(m, 0))
	}
	return m[0], m[1], binary.BigEndian.Uint32(m[4:]), m[8:]
}

// Each error goes to the sender, from the interface that the packet came by, and quotes as much of the packet as it should.
func TestRouterErrors(t *testing.T) {
	nowhere4, nowhere6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	tcp := make([]byte, 40)
	const forwarded, silence = 255, 254 // instead of an error
	for name, c := range map[string]struct {
		packet     datagram
		mtu        int
		kind, code byte
		word       uint32
		quoted     int
	}{
		"v4 TTL":           {packet: datagram{dst: far4(1), ttl: 1, protocol: udpProtocol}, kind: 11, quoted: 28},
		"v4 TTL 0":         {packet: datagram{dst: far4(1), ttl: 255, protocol: udpProtocol}, mtu: 0, kind: forwarded},
		"v6 hop limit":     {packet: datagram{dst: far6(1), ttl: 1, protocol: udpProtocol}, kind: 3, quoted: 48},
		"v4 no route":      {packet: datagram{dst: nowhere4, protocol: udpProtocol}, kind: 3, quoted: 28},
		"v6 no route":      {packet: datagram{dst: nowhere6, protocol: udpProtocol}, kind: 1, quoted: 48},
		"v4 port":          {packet: datagram{dst: own4(1), protocol: udpProtocol}, kind: 3, code: 3, quoted: 28},
		"v6 port":          {packet: datagram{dst: own6(1), protocol: udpProtocol}, kind: 1, code: 4, quoted: 48},
		"v4 protocol":      {packet: datagram{dst: own4(0), protocol: 99, payload: tcp}, kind: 3, code: 2, quoted: 60},
		"v4 too big":       {packet: datagram{dst: far4(1), protocol: udpProtocol, df: true, payload: make([]byte, 1000)}, mtu: 1001, kind: 3, code: 4, word: 1001, quoted: 548},
		"v6 too big":       {packet: datagram{dst: far6(1), protocol: udpProtocol, payload: make([]byte, 1400)}, mtu: 1300, kind: 2, word: 1300, quoted: 1232},
		"v4 exact MTU":     {packet: datagram{dst: far4(1), protocol: udpProtocol, df: true, payload: make([]byte, 980)}, mtu: 1000, kind: forwarded},
		"v6 exact MTU":     {packet: datagram{dst: far6(1), protocol: udpProtocol, payload: make([]byte, 1260)}, mtu: 1300, kind: forwarded},
		"v4 short segment": {packet: datagram{dst: own4(0), protocol: 6, payload: tcp[:19]}, kind: silence},
		"v6 short segment": {packet: datagram{dst: own6(0), protocol: 6, payload: tcp[:19]}, kind: silence},
	} {
		t.Run(name, func(t *testing.T) {
			c.packet.src = far(c.packet.dst.Is6(), 0)
			if c.packet.payload == nil {
				c.packet.payload = udpData(c.packet.src, c.packet.dst, 8)
			}
			frame := c.packet.frame()
			b := inBench(t, 2, c.mtu, nil, func(b *bench) { b.send(time.Second, 0, frame) })
			if c.kind == silence {
				require.Empty(t, b.got)
				return
			}
			require.Len(t, b.got, 1)
			if c.kind == forwarded {
				require.Equal(t, 1, b.got[0].port)
				require.Len(t, b.got[0].data, len(frame))
				return
			}
			require.Equal(t, 0, b.got[0].port)
			require.Equal(t, time.Second+2*time.Millisecond, b.got[0].at)
			kind, code, word, rest := icmpOf(t, b.got[0].data)
			require.Equal(t, []any{c.kind, c.code, c.word}, []any{kind, code, word})
			src, dst := ends(b.got[0].data)
			require.Equal(t, own(dst.Is6(), 0), src)
			require.Equal(t, c.packet.src, dst)
			require.Equal(t, frame[14:14+c.quoted], rest)
			require.EqualValues(t, 1, b.router.Stats().IP.ICMPSent)
		})
	}
}

// An ICMP error, a later fragment, a group address, and a source that isn't one host are never answered by an ICMP error
// (RFC 1122, section 3.2.2; RFC 4443, section 2.4).
func TestNoErrorsAboutErrors(t *testing.T) {
	for name, change := range map[string]func(v6 bool, d *datagram, frame *[]byte){
		"an error": func(v6 bool, d *datagram, _ *[]byte) {
			d.protocol, d.payload = 1, append([]byte{3, 1, 0, 0}, make([]byte, 40)...)
			if v6 {
				d.protocol, d.payload[0] = 58, 1
			}
		},
		"no source": func(v6 bool, d *datagram, _ *[]byte) {
			d.src = netip.IPv4Unspecified()
			if v6 {
				d.src = netip.IPv6Unspecified()
			}
		},
		"a group as source": func(v6 bool, d *datagram, _ *[]byte) {
			d.src = netip.MustParseAddr("224.0.0.5")
			if v6 {
				d.src = netip.MustParseAddr("ff02::5")
			}
		},
		"broadcast as source": func(v6 bool, d *datagram, _ *[]byte) {
			if d.src = netip.MustParseAddr("255.255.255.255"); v6 {
				d.src = netip.IPv6Unspecified()
			}
		},
		"a later fragment": func(v6 bool, d *datagram, frame *[]byte) {
			if v6 {
				d.src = netip.IPv6Unspecified()
				return
			}
			*frame = d.frame()
			h := header.IPv4((*frame)[14:])
			h.SetFlagsFragmentOffset(0, 80)
			h.SetChecksum(0)
			h.SetChecksum(^h.CalculateChecksum())
		},
		"a group": func(v6 bool, d *datagram, _ *[]byte) {
			if d.dst = netip.MustParseAddr("224.0.0.5"); v6 {
				d.dst = netip.MustParseAddr("ff05::5")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v6 := range []bool{false, true} {
				for _, dst := range []netip.Addr{far(v6, 1), own(v6, 0)} {
					d := datagram{src: far(v6, 0), dst: dst, ttl: 1, protocol: udpProtocol, payload: make([]byte, 40)}
					var frame []byte
					change(v6, &d, &frame)
					if frame == nil {
						frame = d.frame()
					}
					b := inBench(t, 2, 0, nil, func(b *bench) {
						require.NoError(t, b.router.SetRoutes([]Route{{netip.MustParsePrefix("0.0.0.0/0"), far4(1)}, {netip.MustParsePrefix("::/0"), far6(1)}}))
						b.send(time.Second, 0, frame)
					})
					require.Empty(t, b.got, "v6 %v", v6)
				}
			}
		})
	}
}

// A router answers pings to any of its addresses, whatever they carry; a broken checksum isn't answered.
func TestRouterEcho(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for i := range 2 {
			message := append([]byte{8, 0, 0, 0, 1, 2, 3, 4}, bytes.Repeat([]byte("x"), 100)...)
			d := datagram{src: far(v6, 0), dst: own(v6, i), protocol: 1, ttl: 1, payload: message}
			if v6 {
				d.protocol, message[0] = 58, 128
				m := header.ICMPv6(message)
				m.SetChecksum(header.ICMPv6Checksum(header.ICMPv6ChecksumParams{Header: m, Src: fromNetip(d.src), Dst: fromNetip(d.dst)}))
			} else {
				binary.BigEndian.PutUint16(message[2:], ^checksum.Checksum(message, 0))
			}
			frame := d.frame()
			b := inBench(t, 2, 0, nil, func(b *bench) { b.send(0, 0, frame) })
			require.Len(t, b.got, 1)
			kind, _, word, rest := icmpOf(t, b.got[0].data)
			require.Equal(t, map[bool]byte{false: 0, true: 129}[v6], kind)
			require.EqualValues(t, 0x01020304, word)
			require.Equal(t, message[8:], rest)
			src, dst := ends(b.got[0].data)
			require.Equal(t, []netip.Addr{d.dst, d.src}, []netip.Addr{src, dst})
		}
	}
	bad := datagram{src: far4(0), dst: own4(0), protocol: 1, payload: []byte{8, 0, 1, 1, 1, 2, 3, 4}}.frame()
	require.Empty(t, inBench(t, 1, 0, nil, func(b *bench) { b.send(0, 0, bad) }).got)
}
