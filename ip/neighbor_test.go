package ip

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

const second = time.Second

// asking is a neighbour's ARP request or solicitation for an address at interface i, answering its reply to a router's one.
func asking(i int, sender, target netip.Addr) []byte {
	return neighborMessage(i, sender, target, header.ARPRequest, header.ICMPv6NeighborSolicit)
}

func answering(i int, sender, target netip.Addr) []byte {
	return neighborMessage(i, sender, target, header.ARPReply, header.ICMPv6NeighborAdvert)
}

func neighborMessage(i int, sender, target netip.Addr, op header.ARPOp, kind header.ICMPv6Type) []byte {
	mac, near := farMAC(i), routerMAC(i)
	if sender.Is4() {
		d := make([]byte, header.EthernetMinimumSize+header.ARPSize)
		for n := range 6 {
			d[n] = 0xff
		}
		copy(d[6:], mac[:])
		binary.BigEndian.PutUint16(d[12:], netem.EtherTypeARP)
		a := header.ARP(d[14:])
		a.SetIPv4OverEthernet()
		a.SetOp(op)
		copy(a.HardwareAddressSender(), mac[:])
		copy(a.ProtocolAddressSender(), sender.AsSlice())
		copy(a.ProtocolAddressTarget(), target.AsSlice())
		return d
	}
	about, to := target, solicitedNode(target)
	if kind == header.ICMPv6NeighborAdvert {
		about, to = sender, target
	}
	m := header.ICMPv6(make([]byte, 32))
	m.SetType(kind)
	copy(m[8:], about.AsSlice())
	m[24], m[25] = 1, 1
	if kind == header.ICMPv6NeighborAdvert {
		m[4], m[24] = 0x60, 2
	}
	copy(m[26:], mac[:])
	d := datagram{src: sender, dst: to, ttl: 255, protocol: uint8(header.ICMPv6ProtocolNumber), payload: m}.frame()
	copy(d, near[:])
	if kind == header.ICMPv6NeighborSolicit {
		group := multicastMAC(to)
		copy(d, group[:])
	}
	copy(d[6:], mac[:])
	return d
}

// describe says what a frame is, in short.
func describe(t *testing.T, frame []byte) string {
	switch binary.BigEndian.Uint16(frame[12:]) {
	case netem.EtherTypeARP:
		a := header.ARP(frame[14:])
		require.True(t, a.IsValid())
		target, _ := netip.AddrFromSlice(a.ProtocolAddressTarget())
		sender, _ := netip.AddrFromSlice(a.ProtocolAddressSender())
		return fmt.Sprintf("%s %s: %v to %s", map[header.ARPOp]string{1: "request", 2: "reply"}[a.Op()], target, sender, destination(frame))
	case netem.EtherTypeIPv6:
		h := header.IPv6(frame[14:])
		if h.TransportProtocol() == header.ICMPv6ProtocolNumber {
			if m := header.ICMPv6(h.Payload()); m.Type() == header.ICMPv6NeighborSolicit || m.Type() == header.ICMPv6NeighborAdvert {
				icmpOf(t, frame)
				require.EqualValues(t, 255, h.HopLimit())
				target, _ := netip.AddrFromSlice(m[8:24])
				if m.Type() == header.ICMPv6NeighborSolicit {
					return fmt.Sprintf("request %s: %v to %s", target, toNetip(h.SourceAddress()), destination(frame))
				}
				require.EqualValues(t, 0xe0, m[4], "from a router, solicited, override")
				return fmt.Sprintf("reply %s: %v to %s", toNetip(h.DestinationAddress()), target, destination(frame))
			}
		}
	}
	src, dst := ends(frame)
	return fmt.Sprintf("packet %s: %v to %s", dst, src, destination(frame))
}

func destination(frame []byte) string {
	switch m := [6]byte(frame[:6]); {
	case m[0]&1 == 1:
		return "all"
	case m[1] == 1:
		return fmt.Sprintf("far %d", m[5])
	}
	return "?"
}

func log(t *testing.T, b *bench) []string {
	var list []string
	for _, r := range b.got {
		list = append(list, fmt.Sprintf("%v eth%d %s", r.at, r.port, describe(t, r.data)))
	}
	return list
}

func udpTo(v6 bool, dst netip.Addr) []byte {
	return datagram{src: far(v6, 0), dst: dst, protocol: udpProtocol, payload: udpData(far(v6, 0), dst, 20)}.frame()
}

// A neighbour that never answers is asked three times, a second apart; then what waits is answered by "host unreachable". The
// next packet begins anew.
func TestRouterGivesUpOnANeighbor(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		b := inBench(t, 2, 0, []int{1}, func(b *bench) {
			b.send(1*second, 0, udpTo(v6, far(v6, 1)))
			b.send(2*second, 0, udpTo(v6, far(v6, 1)))
			b.send(10*second, 0, udpTo(v6, far(v6, 1)))
		})
		ask := fmt.Sprintf("eth1 request %s: %s to all", far(v6, 1), own(v6, 1))
		fail := fmt.Sprintf("eth0 packet %s: %s to far 0", far(v6, 0), own(v6, 0))
		require.Equal(t, []string{"1.002s " + ask, "2.002s " + ask, "3.002s " + ask, "4.002s " + fail, "4.002s " + fail,
			"10.002s " + ask, "11.002s " + ask, "12.002s " + ask, "13.002s " + fail}, log(t, b))
		kind, code, _, _ := icmpOf(t, b.got[3].data)
		require.Equal(t, map[bool][2]byte{false: {3, 1}, true: {1, 3}}[v6], [2]byte{kind, code})
		require.EqualValues(t, 3, b.router.Stats().IP.Unresolved)
		require.Empty(t, b.router.interfaces[1].resolver.entries)
	}
}

// What waits for a neighbour leaves in order when it answers; then its address is known for five minutes.
func TestRouterFindsANeighbor(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		b := inBench(t, 2, 0, []int{1}, func(b *bench) {
			for _, at := range []time.Duration{1 * second, 2 * second, 302 * second, 303 * second} {
				b.send(at, 0, udpTo(v6, far(v6, 1)))
			}
			b.send(2*second+500*time.Millisecond, 1, answering(1, far(v6, 1), own(v6, 1)))
		})
		ask := fmt.Sprintf("eth1 request %s: %s to all", far(v6, 1), own(v6, 1))
		packet := fmt.Sprintf("eth1 packet %s: %s to far 1", far(v6, 1), far(v6, 0))
		require.Equal(t, []string{"1.002s " + ask, "2.002s " + ask, "2.502s " + packet, "2.502s " + packet, "5m2.002s " + packet,
			"5m3.002s " + ask, "5m4.002s " + ask, "5m5.002s " + ask}, log(t, b)[:8])
	}
}

// Who asks the router for its address is known to it from then on. It answers for the addresses of that interface only.
func TestRouterAnswersNeighbors(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		b := inBench(t, 2, 0, []int{1}, func(b *bench) {
			b.send(1*second, 1, asking(1, far(v6, 1), own(v6, 1)))
			b.send(2*second, 0, udpTo(v6, far(v6, 1)))
			b.send(3*second, 1, asking(1, far(v6, 1), own(v6, 0)))
			b.send(4*second, 1, asking(1, far(v6, 1), far(v6, 1)))
			late := asking(1, far(v6, 1), own(v6, 1))
			if v6 {
				late[14+7] = 254 // it has passed a router
			} else {
				late[14+1] = 6 // it isn't about Ethernet
			}
			b.send(5*second, 1, late)
		})
		require.Equal(t, []string{fmt.Sprintf("1.002s eth1 reply %s: %s to far 1", far(v6, 1), own(v6, 1)),
			fmt.Sprintf("2.002s eth1 packet %s: %s to far 1", far(v6, 1), far(v6, 0))}, log(t, b))
	}
}

// At most 64 packets wait for one neighbour; the oldest go.
func TestRouterKeepsWhatWaitsWithinLimits(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		b := inBench(t, 2, 0, []int{1}, func(b *bench) {
			for i := range 70 {
				frame := udpTo(v6, far(v6, 1))
				frame[len(frame)-1] = byte(i)
				b.send(second+time.Duration(i), 0, frame)
			}
			b.send(1500*time.Millisecond, 1, answering(1, far(v6, 1), own(v6, 1)))
		})
		require.Len(t, b.got, 65)
		for i, r := range b.got[1:] {
			require.EqualValues(t, i+6, r.data[len(r.data)-1])
		}
		s := b.router.Stats().IP
		require.EqualValues(t, []uint64{70, 6, 64}, []uint64{s.Forwarded, s.Unresolved, s.Sent})
	}
}

// Where all know each other nobody is asked, and who isn't known doesn't exist. The router answers those who ask all the same.
func TestRouterWithStaticNeighbors(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		b := inBench(t, 2, 0, nil, func(b *bench) {
			known := &Neighbors{}
			known.Add(far(v6, 1), farMAC(1))
			b.router.interfaces[1].neighbors = known
			b.send(1*second, 0, udpTo(v6, far(v6, 1)))
			b.send(2*second, 0, udpTo(v6, own(v6, 1).Next().Next()))
			b.send(3*second, 1, asking(1, far(v6, 1), own(v6, 1)))
		})
		require.Equal(t, []string{fmt.Sprintf("1.002s eth1 packet %s: %s to far 1", far(v6, 1), far(v6, 0)),
			fmt.Sprintf("2.002s eth0 packet %s: %s to far 0", far(v6, 0), own(v6, 0)),
			fmt.Sprintf("3.002s eth1 reply %s: %s to far 1", far(v6, 1), own(v6, 1))}, log(t, b))
	}
}
