package netem

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// address4 and address6 are a station's addresses, in packets made by packet.data.
func address4(n byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, n}) }
func address6(n byte) netip.Addr { return netip.AddrFrom16([16]byte{0: 0xfd, 15: n}) }

// newTalk is a lan whose stations have addresses, and a list of events.
func newTalk(t *testing.T, n *Network, stations int) (l *lan, events *[]Event) {
	l = newLAN(t, n, stations, 0)
	for i := range stations {
		n.SetAddress(address4(byte(i)), NodeID(i))
		n.SetAddress(address6(byte(i)), NodeID(i))
	}
	events = &[]Event{}
	n.Observe(func(ev Event) { *events = append(*events, ev) })
	return l, events
}

// request is an ARP request or a neighbour solicitation of src for dst.
func request(v6 bool, src, dst byte) []byte {
	if !v6 {
		d := make([]byte, 42)
		copy(d, broadcast[:])
		copy(d[12:], []byte{8, 6, 0, 1, 8, 0, 6, 4, 0, 1})
		a, b := address4(src).As4(), address4(dst).As4()
		copy(d[28:], a[:])
		copy(d[38:], b[:])
		return d
	}
	d := append(packet{v6: true, src: src, protocol: protocolICMPv6, ports: [4]byte{135}}.data(), make([]byte, 40)...)
	copy(d, []byte{0x33, 0x33, 0xff, 0, 0, dst})
	group := netip.MustParseAddr(fmt.Sprintf("ff02::1:ff00:%x", dst)).As16()
	target := address6(dst).As16()
	copy(d[38:], group[:])
	copy(d[62:], target[:])
	return d
}

// say makes a station send a packet, or ask for an address, at a time. forwarder is who sends it on behalf of src.
func (l *lan) say(at time.Duration, data []byte, forwarder, src byte) {
	l.At(0, KindTimer, at, func() {
		f := l.NewFrame(len(data))
		copy(f.Data, data)
		if binary.BigEndian.Uint32(f.Data) == 0 { // an address that the switch doesn't know: all receive it
			copy(f.Data, []byte{2, 9})
		}
		source := mac(src)
		copy(f.Data[6:], source[:])
		l.ports[forwarder].Forward(l.Elapsed(), f)
	})
}

func (l *lan) drops(station int) uint64 {
	return l.Links()[station].Stats(Forward).Dropped[DropPartition]
}

// Nodes of different groups can't reach each other, behind one switch either; everybody else can. Frames are dropped, and
// counted, at the sender.
func TestPartitionBetweenGroups(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		bubble(t, Config{}, func(n *Network) {
			l, events := newTalk(t, n, 5)
			_, err := n.Part("split", [][]NodeID{{0, 1}, {2}, {3}}, false)
			require.NoError(t, err)
			cut := [5][5]bool{}
			for _, pair := range [][2]int{{0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}} {
				cut[pair[0]][pair[1]], cut[pair[1]][pair[0]] = true, true
			}
			at := sec
			for src := range byte(5) {
				want := uint64(0)
				for dst := range byte(5) {
					if dst == src {
						continue
					}
					for _, data := range [][]byte{packet{v6: v6, src: src, dst: dst, protocol: protocolTCP}.data(), request(v6, src, dst)} {
						l.At(0, KindControl, at, func() { l.got = nil })
						l.say(at, data, src, src)
						if cut[src][dst] {
							want++
						}
						l.At(0, KindWake, at+sec/2, func() {
							if cut[src][dst] {
								require.Empty(t, l.got)
								require.Equal(t, Event{At: l.Elapsed() - sec/2, Kind: "drop", Node: "h", Link: "h-eth0--sw-eth", Dir: "forward",
									Reason: "partition", Frame: n.Frames()}, withoutStep((*events)[len(*events)-1]))
							} else {
								require.Len(t, l.got, 4)
							}
						})
						at += sec
					}
				}
				l.At(0, KindWake, at, func() { require.Equal(t, want, l.drops(int(src))) })
			}
		})
	}
}

func withoutStep(e Event) Event {
	e.Step = 0
	return e
}

// A partition lasts until it is healed, once; partitions that overlap cut as long as one of them does.
func TestOverlappingPartitions(t *testing.T) {
	bubble(t, Config{}, func(n *Network) {
		l, events := newTalk(t, n, 3)
		var first, second *Partition
		part := func(name string, groups ...[]NodeID) *Partition {
			p, err := n.Part(name, groups, false)
			require.NoError(t, err)
			return p
		}
		do := func(at time.Duration, fn func()) { l.At(0, KindControl, at, fn) }
		do(2*sec, func() { first = part("first", []NodeID{0}, []NodeID{1}) })
		do(3*sec, func() { second = part("second", []NodeID{0}, []NodeID{1, 2}) })
		do(4*sec, func() { n.Heal(first) })
		do(5*sec, func() { n.Heal(second) })
		do(5*sec, func() { n.Heal(second) })
		for i := range 5 {
			for dst := range byte(2) {
				l.say(time.Duration(i+1)*sec+sec/2, packet{dst: dst + 1, protocol: protocolUDP}.data(), 0, 0)
			}
		}
		do(10*sec, func() {
			var arrived []time.Duration
			for _, r := range l.got {
				arrived = append(arrived, r.at)
			}
			// Both pass, one is cut, both, both, none; a frame that passes reaches both stations.
			s := func(n int) time.Duration { return time.Duration(n)*sec + sec/2 }
			require.Equal(t, []time.Duration{s(1), s(1), s(1), s(1), s(2), s(2), s(5), s(5), s(5), s(5)}, arrived)
			require.EqualValues(t, 5, l.drops(0))
			var log []string
			for _, ev := range *events {
				if ev.Kind != "drop" {
					log = append(log, fmt.Sprint(ev.At, " ", ev.Kind, " ", ev.Detail))
				}
			}
			require.Equal(t, []string{"2s partition first", "3s partition second", "4s heal first", "5s heal second"}, log)
		})
	})
}

// A router that forwards a frame for others passes it on even if it is parted from the destination; what it sends itself is
// cut. So is what a node sends to an address of any of the other's interfaces.
func TestForwardedFramesAreCutAtTheirSender(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		bubble(t, Config{}, func(n *Network) {
			l, _ := newTalk(t, n, 3)
			n.SetAddress(address4(12), 2)
			n.SetAddress(address6(12), 2)
			_, err := n.Part("", [][]NodeID{{1}, {2}}, false)
			require.NoError(t, err)
			send := func(forwarder, src, dst byte) {
				l.say(sec, packet{v6: v6, src: src, dst: dst, protocol: protocolTCP}.data(), forwarder, src)
			}
			send(1, 0, 2)  // forwarded
			send(1, 1, 2)  // its own
			send(1, 1, 12) // to another interface
			send(1, 1, 0)  // to somebody else
			send(1, 1, 77) // to nobody
			send(1, 1, 1)  // to itself, over the wire
			l.At(0, KindControl, 2*sec, func() { require.EqualValues(t, 2, l.drops(1)) })
		})
	}
}

func TestPartitionsAreChecked(t *testing.T) {
	bubble(t, Config{}, func(n *Network) {
		_, err := n.Part("", [][]NodeID{{1}}, false)
		require.EqualError(t, err, "a partition needs at least two groups")
		_, err = n.Part("", [][]NodeID{{1, 2}, {3, 1}}, false)
		require.EqualError(t, err, "a node is in two groups of a partition")
		require.Empty(t, n.partitions.active)
	})
}

// What isn't IP, ARP or neighbour discovery, and what is cut short, has no ends.
func TestEndpoints(t *testing.T) {
	ends := func(d []byte) []netip.Addr {
		src, dst := endpoints(&Frame{Data: d})
		return []netip.Addr{src, dst}
	}
	for _, v6 := range []bool{false, true} {
		address := address4
		if v6 {
			address = address6
		}
		require.Equal(t, []netip.Addr{address(1), address(2)}, ends(packet{v6: v6, src: 1, dst: 2}.data()))
		require.Equal(t, []netip.Addr{address(1), address(2)}, ends(request(v6, 1, 2)))
	}
	require.Equal(t, make([]netip.Addr, 2), ends(make([]byte, 100)))
	require.Equal(t, make([]netip.Addr, 2), ends(packet{}.data()[:33]))
	require.Equal(t, make([]netip.Addr, 2), ends(packet{v6: true}.data()[:53]))
	require.Equal(t, make([]netip.Addr, 2), ends(request(false, 1, 2)[:41]))
	require.False(t, slices.Contains(ends(request(true, 1, 2)[:77]), address6(2)))
}
