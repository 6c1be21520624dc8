package ip

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

// The bench of these tests has the hosts of interface 0 and 2 inside, and those of interface 1 outside.
var (
	hostA    = netip.MustParseAddr("10.0.0.2")
	hostB    = netip.MustParseAddr("10.0.2.2")
	remoteX  = netip.MustParseAddr("10.0.1.2")
	remoteY  = netip.MustParseAddr("10.0.1.3")
	external = netip.MustParseAddr("10.0.1.1")
)

func port(a netip.Addr, n uint16) netip.AddrPort { return netip.AddrPortFrom(a, n) }

const (
	syn = header.TCPFlagSyn
	ack = header.TCPFlagAck
	fin = header.TCPFlagFin
	rst = header.TCPFlagRst
)

// udpFrom is a UDP packet with a right checksum.
func udpFrom(src, dst netip.AddrPort, payload string) datagram {
	u := header.UDP(make([]byte, header.UDPMinimumSize+len(payload)))
	u.Encode(&header.UDPFields{SrcPort: src.Port(), DstPort: dst.Port(), Length: uint16(len(u))})
	copy(u.Payload(), payload)
	d := datagram{src: src.Addr(), dst: dst.Addr(), protocol: protocolUDP, payload: u}
	if u.SetChecksum(^checksum.Checksum(u, pseudo(d))); u.Checksum() == 0 {
		u.SetChecksum(0xffff) // 0 would mean that there is none
	}
	return d
}

// tcpFrom is a TCP segment with a right checksum.
func tcpFrom(src, dst netip.AddrPort, flags header.TCPFlags) datagram {
	s := header.TCP(make([]byte, header.TCPMinimumSize))
	s.Encode(&header.TCPFields{SrcPort: src.Port(), DstPort: dst.Port(), SeqNum: 1000, AckNum: 77, DataOffset: header.TCPMinimumSize, Flags: flags, WindowSize: 1000})
	d := datagram{src: src.Addr(), dst: dst.Addr(), protocol: protocolTCP, df: true, payload: s}
	s.SetChecksum(^checksum.Checksum(s, pseudo(d)))
	return d
}

// echoFrom is an echo request or reply with a right checksum.
func echoFrom(src, dst netip.Addr, id uint16, reply bool) datagram {
	d := datagram{src: src, dst: dst, protocol: protocolICMP, payload: []byte{8, 0, 0, 0, byte(id >> 8), byte(id), 0, 1, 'h', 'i'}}
	switch {
	case src.Is6() && reply:
		d.payload[0] = 129
	case src.Is6():
		d.payload[0] = 128
	case reply:
		d.payload[0] = 0
	}
	if src.Is6() {
		d.protocol = protocolICMPv6
	}
	binary.BigEndian.PutUint16(d.payload[2:], ^checksum.Checksum(d.payload, pseudo(d)))
	return d
}

// errorAbout is an ICMP error from a router about the packet in a frame.
func errorAbout(from netip.Addr, frame []byte, kind, code byte, word uint32, quoted int) datagram {
	src, _ := ends(frame)
	d := datagram{src: from, dst: src, protocol: protocolICMP}
	if from.Is6() {
		d.protocol = protocolICMPv6
	}
	d.payload = append([]byte{kind, code, 0, 0}, binary.BigEndian.AppendUint32(nil, word)...)
	d.payload = append(d.payload, frame[14:min(14+quoted, len(frame))]...)
	binary.BigEndian.PutUint16(d.payload[2:], ^checksum.Checksum(d.payload, pseudo(d)))
	return d
}

// pseudo is the sum of the pseudo-header; ICMP for IPv4 has none.
func pseudo(d datagram) uint16 {
	if d.protocol == protocolICMP {
		return 0
	}
	return header.PseudoHeaderChecksum(tcpip.TransportProtocolNumber(d.protocol), fromNetip(d.src), fromNetip(d.dst), uint16(len(d.payload)))
}

// put makes the far end of an interface send a packet.
func (b *bench) put(at time.Duration, i int, d datagram) {
	frame := d.frame()
	mac, peer := routerMAC(i), farMAC(i)
	copy(frame, mac[:])
	copy(frame[6:], peer[:])
	b.send(at, i, frame)
}

// at returns what arrived at the far end of an interface, in order, and checks it.
func (b *bench) at(t *testing.T, i int) (frames [][]byte) {
	t.Helper()
	for _, r := range b.got {
		if r.port == i {
			wellFormed(t, r.data)
			frames = append(frames, r.data)
		}
	}
	return frames
}

// flowOf returns a packet's ends with ports; the identifier of an echo is that of both.
func flowOf(frame []byte) (src, dst netip.AddrPort) {
	a, b := ends(frame)
	segment := payloadOf(frame)
	switch protocolOf(frame) {
	case protocolTCP, protocolUDP:
		return port(a, binary.BigEndian.Uint16(segment)), port(b, binary.BigEndian.Uint16(segment[2:]))
	}
	id := binary.BigEndian.Uint16(segment[4:])
	return port(a, id), port(b, id)
}

func protocolOf(frame []byte) uint8 {
	if binary.BigEndian.Uint16(frame[12:]) == netem.EtherTypeIPv6 {
		return frame[14+6]
	}
	return frame[14+9]
}

func payloadOf(frame []byte) []byte {
	if binary.BigEndian.Uint16(frame[12:]) == netem.EtherTypeIPv6 {
		return frame[14+header.IPv6MinimumSize:]
	}
	return frame[14+header.IPv4(frame[14:]).HeaderLength():]
}

// wellFormed checks all checksums of a packet that is no fragment, and that UDP has one unless it is 0.
func wellFormed(t *testing.T, frame []byte) {
	t.Helper()
	if binary.BigEndian.Uint16(frame[12:]) == netem.EtherTypeIPv4 {
		h := header.IPv4(frame[14:])
		require.True(t, h.IsValid(len(h)) && h.IsChecksumValid(), "header checksum")
		if h.More() || h.FragmentOffset() != 0 {
			return
		}
	}
	require.True(t, sumsUp(frame), "transport checksum")
}

// sumsUp says whether the transport checksum is right, or absent.
func sumsUp(frame []byte) bool {
	src, dst := ends(frame)
	segment := payloadOf(frame)
	d := datagram{src: src, dst: dst, protocol: protocolOf(frame), payload: segment}
	if d.protocol == protocolUDP && binary.BigEndian.Uint16(segment[udpSumAt:]) == 0 {
		return true
	}
	return checksum.Checksum(segment, pseudo(d)) == 0xffff
}

// natBench runs a scenario on a router with NAT.
func natBench(t *testing.T, c NATConfig, scenario func(b *bench)) *bench {
	t.Helper()
	return inBench(t, 3, 0, nil, func(b *bench) {
		b.nat(t, c)
		scenario(b)
	})
}

func (b *bench) nat(t testing.TB, c NATConfig) *NAT {
	c.Inside, c.Outside = []int{0, 2}, 1
	n, err := b.router.SetNAT(c)
	require.NoError(t, err)
	return n
}

// flows returns the ends of frames.
func flows(frames [][]byte) (list []string) {
	for _, f := range frames {
		src, dst := flowOf(f)
		list = append(list, src.String()+" "+dst.String())
	}
	return list
}

func newEngine() *netem.Engine { return netem.NewEngine(netem.Config{}) }

// longBench is inBench with three interfaces and a day of time.
func longBench(t *testing.T, scenario func(b *bench)) *bench {
	t.Helper()
	var b *bench
	synctest.Test(t, func(t *testing.T) {
		b = newBench(t, netem.NewEngine(netem.Config{Limit: 24 * time.Hour}), 3, 0)
		scenario(b)
		b.run(t)
	})
	return b
}
