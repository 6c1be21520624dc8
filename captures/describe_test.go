package captures

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
)

func synOptions() []layers.TCPOption {
	return []layers.TCPOption{
		{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{0x05, 0xb4}},
		{OptionType: layers.TCPOptionKindSACKPermitted, OptionLength: 2},
		{OptionType: layers.TCPOptionKindWindowScale, OptionLength: 3, OptionData: []byte{7}},
	}
}

// sackOption acknowledges blocks given as pairs of numbers.
func sackOption(edges ...uint32) []layers.TCPOption {
	var data []byte
	for _, e := range edges {
		data = binary.BigEndian.AppendUint32(data, e)
	}
	nop := layers.TCPOption{OptionType: layers.TCPOptionKindNop, OptionLength: 1}
	return []layers.TCPOption{nop, nop, {OptionType: layers.TCPOptionKindSACK, OptionLength: uint8(2 + len(data)), OptionData: data}}
}

func TestDescribe(t *testing.T) {
	syn := tcpFrame(t, client4, server4, &layers.TCP{SrcPort: 49152, DstPort: 5001, Seq: 1815, SYN: true, Window: 65535, Options: synOptions()}, "")
	udp6 := udpFrame(t, client6, server6, 33434, 33435, "probe")
	udp4 := udpFrame(t, client4, server4, 5000, 53, strings.Repeat("x", 31))
	target := append(make([]byte, 4), server6.AsSlice()...)
	withMAC := append(append([]byte(nil), target...), append([]byte{2, 1}, serverMAC...)...)
	mtu := func(n uint32, quoted []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, n), quoted...) }
	broken := func(frame []byte, at int, b byte) []byte {
		frame = append([]byte(nil), frame...)
		frame[at] = b
		return frame
	}
	tests := []struct {
		want  string
		frame []byte
	}{
		{"TCP 10.0.0.1:49152 > 10.0.0.2:5001 [SYN] seq 0 win 65535 <mss 1460, sack, wscale 7>",
			tcpFrame(t, client4, server4, &layers.TCP{SrcPort: 49152, DstPort: 5001, SYN: true, Window: 65535, Options: synOptions()}, "")},
		{"TCP [fd00::1]:1 > [fd00::2]:2 [PSH, ACK] seq 5 ack 6 win 100 len 5",
			tcpFrame(t, client6, server6, &layers.TCP{SrcPort: 1, DstPort: 2, Seq: 5, Ack: 6, PSH: true, ACK: true, Window: 100}, "hello")},
		{"TCP 10.0.0.1:1 > 10.0.0.2:2 [ACK] seq 5 ack 100 win 9 sack 200-300, 400-500",
			tcpFrame(t, client4, server4, &layers.TCP{SrcPort: 1, DstPort: 2, Seq: 5, Ack: 100, ACK: true, Window: 9, Options: sackOption(200, 300, 400, 500)}, "")},
		{"TCP 10.0.0.1:1 > 10.0.0.2:2 [ACK] seq 5 ack 100 win 9 dsack 50-100 sack 400-500",
			tcpFrame(t, client4, server4, &layers.TCP{SrcPort: 1, DstPort: 2, Seq: 5, Ack: 100, ACK: true, Window: 9, Options: sackOption(50, 100, 400, 500)}, "")},
		{"TCP 10.0.0.1:1 > 10.0.0.2:2 [no flags] seq 0 win 0", tcpFrame(t, client4, server4, &layers.TCP{SrcPort: 1, DstPort: 2}, "")},
		{"TCP 10.0.0.1:49152 > 10.0.0.2:5001 malformed: header cut short", syn[:14+20+19]},
		{"TCP 10.0.0.1:49152 > 10.0.0.2:5001 malformed: length in the header is impossible", broken(syn, 14+20+12, 0x40)},
		{"TCP 10.0.0.1:49152 > 10.0.0.2:5001 [SYN] seq 1815 win 65535 <malformed option>", broken(syn, 14+20+21, 0)},
		{"UDP 10.0.0.1:5000 > 10.0.0.2:53 len 31", udp4},
		{"UDP 10.0.0.1:5000 > 10.0.0.2:53 len 31", udp4[:14+20+8]}, // snapped
		{"UDP 10.0.0.1 > 10.0.0.2 malformed: header cut short", udp4[:14+20+3]},
		{"UDP 10.0.0.1:5000 > 10.0.0.2:53 malformed: length in the header is impossible", broken(udp4, 14+20+5, 7)},

		{"ICMP 10.0.0.1 > 10.0.0.2 echo request id 1 seq 2 len 56", icmp4Frame(t, client4, server4, 8, 0, 1, 2, make([]byte, 56))},
		{"ICMP 10.0.0.2 > 10.0.0.1 echo reply id 1 seq 2 len 56", icmp4Frame(t, server4, client4, 0, 0, 1, 2, make([]byte, 56))},
		{"ICMP 10.0.0.9 > 10.0.0.1 fragmentation needed, MTU 1400, for TCP 10.0.0.1:49152 > 10.0.0.2:5001",
			icmp4Frame(t, router4, client4, 3, 4, 0, 1400, syn[14:14+28])},
		{"ICMP 10.0.0.2 > 10.0.0.1 port unreachable, for UDP 10.0.0.1:5000 > 10.0.0.2:53", icmp4Frame(t, server4, client4, 3, 3, 0, 0, udp4[14:])},
		{"ICMP 10.0.0.9 > 10.0.0.1 host unreachable", icmp4Frame(t, router4, client4, 3, 1, 0, 0, nil)},
		{"ICMP 10.0.0.9 > 10.0.0.1 unreachable, code 77", icmp4Frame(t, router4, client4, 3, 77, 0, 0, nil)},
		{"ICMP 10.0.0.9 > 10.0.0.1 time to live exceeded, for UDP 10.0.0.1:5000 > 10.0.0.2:53", icmp4Frame(t, router4, client4, 11, 0, 0, 0, udp4[14:])},
		{"ICMP 10.0.0.9 > 10.0.0.1 reassembly time exceeded", icmp4Frame(t, router4, client4, 11, 1, 0, 0, nil)},
		{"ICMP 10.0.0.9 > 10.0.0.1 redirect to 10.0.0.2", icmp4Frame(t, router4, client4, 5, 1, 0x0a00, 0x0002, nil)},
		{"ICMP 10.0.0.9 > 10.0.0.1 type 99 code 3 len 0", icmp4Frame(t, router4, client4, 99, 3, 0, 0, nil)},

		{"ICMPv6 fd00::1 > fd00::2 echo request id 1 seq 2 len 3", icmp6Frame(t, client6, server6, 128, 0, []byte{0, 1, 0, 2, 'a', 'b', 'c'})},
		{"ICMPv6 fd00::2 > fd00::1 packet too big, MTU 1280, for UDP [fd00::1]:33434 > [fd00::2]:33435", icmp6Frame(t, server6, client6, 2, 0, mtu(1280, udp6[14:]))},
		{"ICMPv6 fd00::2 > fd00::1 hop limit exceeded, for UDP [fd00::1]:33434 > [fd00::2]:33435", icmp6Frame(t, server6, client6, 3, 0, mtu(0, udp6[14:]))},
		{"ICMPv6 fd00::2 > fd00::1 port unreachable", icmp6Frame(t, server6, client6, 1, 4, make([]byte, 4))},
		{"ICMPv6 fd00::1 > ff02::1:ff00:2 neighbour solicitation: who has fd00::2?", icmp6Frame(t, client6, netip.MustParseAddr("ff02::1:ff00:2"), 135, 0, target)},
		{"ICMPv6 fd00::2 > fd00::1 neighbour advertisement: fd00::2 is at 02:00:00:00:00:02", icmp6Frame(t, server6, client6, 136, 0, withMAC)},
		{"ICMPv6 fd00::2 > fd00::1 neighbour advertisement: fd00::2", icmp6Frame(t, server6, client6, 136, 0, target)},
		{"ICMPv6 fd00::2 > fd00::1 malformed: neighbour discovery cut short", icmp6Frame(t, server6, client6, 136, 0, target[:12])},

		{"ICMPv6 fd00::2 > fd00::1 unreachable, code 99", icmp6Frame(t, server6, client6, 1, 99, make([]byte, 4))},
		{"ICMPv6 fd00::2 > fd00::1 time exceeded, code 7", icmp6Frame(t, server6, client6, 3, 7, make([]byte, 4))},
		{"ICMPv6 fd00::2 > fd00::1 parameter problem at byte 40", icmp6Frame(t, server6, client6, 4, 0, mtu(40, nil))},
		{"ICMPv6 fd00::2 > fd00::1 echo reply id 1 seq 2 len 0", icmp6Frame(t, server6, client6, 129, 0, []byte{0, 1, 0, 2})},
		{"ICMPv6 fd00::2 > fd00::1 router solicitation", icmp6Frame(t, server6, client6, 133, 0, make([]byte, 4))},
		{"ICMPv6 fd00::2 > fd00::1 router advertisement", icmp6Frame(t, server6, client6, 134, 0, make([]byte, 12))},
		{"ICMPv6 fd00::2 > fd00::1 multicast listener report", icmp6Frame(t, server6, client6, 143, 0, make([]byte, 4))},
		{"ICMPv6 fd00::2 > fd00::1 type 200 code 1 len 2", icmp6Frame(t, server6, client6, 200, 1, make([]byte, 6))},
		{"ICMPv6 fd00::2 > fd00::1 malformed: header cut short", icmp6Frame(t, server6, client6, 128, 0, nil)},
		{"ICMP 10.0.0.9 > 10.0.0.1 parameter problem at byte 9, for ICMP 10.0.0.1 > 10.0.0.2",
			icmp4Frame(t, router4, client4, 12, 0, 9<<8, 0, icmp4Frame(t, client4, server4, 8, 0, 0, 0, nil)[14:42])},

		{"ARP operation 9 from 10.0.0.1 to 10.0.0.2", arpFrame(t, 9, client4, server4)},
		{"ARP malformed: not for IPv4 over Ethernet", broken(arpFrame(t, 1, client4, server4), 14, 9)},
		{"ARP who has 10.0.0.2? tell 10.0.0.1", arpFrame(t, 1, client4, server4)},
		{"ARP 10.0.0.1 is at 02:00:00:00:00:01", arpFrame(t, 2, client4, server4)},
		{"ARP announcement: 10.0.0.1 is at 02:00:00:00:00:01", arpFrame(t, 1, client4, client4)},
		{"ARP probe: who has 10.0.0.2?", arpFrame(t, 1, netip.IPv4Unspecified(), server4)},
		{"ARP malformed: cut short", arpFrame(t, 1, client4, server4)[:40]},

		{"UDP 10.0.0.1:0 > 10.0.0.2:53 len 2992, fragment id 7 bytes 0-16, more follow",
			fragment4(t, layers.IPProtocolUDP, 0, true, []byte{0, 0, 0, 53, 0x0b, 0xb8, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8})},
		{"IPv4 10.0.0.1 > 10.0.0.2 UDP fragment id 7 bytes 1480-1496, more follow", fragment4(t, layers.IPProtocolUDP, 1480, true, make([]byte, 16))},
		{"IPv4 10.0.0.1 > 10.0.0.2 TCP fragment id 7 bytes 2960-2961, last", fragment4(t, layers.IPProtocolTCP, 2960, false, make([]byte, 1))},
		{"GRE 10.0.0.1 > 10.0.0.2 len 4", build(t, ether(layers.EthernetTypeIPv4), ipv4(client4, server4, 47), gopacket.Payload("abcd"))},
		{"IP protocol 253 10.0.0.1 > 10.0.0.2 len 4", build(t, ether(layers.EthernetTypeIPv4), ipv4(client4, server4, 253), gopacket.Payload("abcd"))},
		{"IPv4 02:00:00:00:00:01 > 02:00:00:00:00:02 malformed: header cut short", syn[:20]},
		{"IPv4 10.0.0.1 > 10.0.0.2 malformed: version in the header is not 4", broken(syn, 14, 0x55)},
		{"IPv4 10.0.0.1 > 10.0.0.2 malformed: lengths in the header are impossible", broken(syn, 14, 0x44)},
		{"IPv6 02:00:00:00:00:01 > 02:00:00:00:00:02 malformed: header cut short", udp6[:30]},
		{"IPv6 fd00::1 > fd00::2 malformed: extension header cut short", broken(udp6, 14+6, protoHopByHop)[:14+44]},
		{"LLDP 02:00:00:00:00:01 > 02:00:00:00:00:02 len 50", build(t, ether(0x88cc), gopacket.Payload(make([]byte, 50)))},
		{"Ethernet type 0x9999 02:00:00:00:00:01 > 02:00:00:00:00:02 len 50", build(t, ether(0x9999), gopacket.Payload(make([]byte, 50)))},
		{"Ethernet 02:00:00:00:00:01 > 02:00:00:00:00:02 802.3 frame, length 38", broken(broken(build(t, ether(0x9999)), 12, 0), 13, 38)},
		{"Ethernet malformed: 3 bytes, shorter than an Ethernet header", []byte{1, 2, 3}},
		{"Ethernet malformed: 0 bytes, shorter than an Ethernet header", nil},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) {
			require.Equal(t, test.want, Describe(test.frame))
		})
	}
}

func TestDescribeIPv6Extensions(t *testing.T) {
	udp := []byte{0, 1, 0, 2, 0, 12, 0, 0, 'd', 'a', 't', 'a'}
	plain, long := make([]byte, 8), append([]byte{0, 1}, make([]byte, 14)...)
	frame := extended6(t, layers.IPProtocolUDP, udp, []layers.IPProtocol{0, 43, 60}, [][]byte{plain, long, plain})
	require.Equal(t, "UDP [fd00::1]:1 > [fd00::2]:2 len 4", Describe(frame))

	first := []byte{0, 0, 0, 1, 0, 0, 0, 9}
	frame = extended6(t, layers.IPProtocolUDP, udp, []layers.IPProtocol{60, 44}, [][]byte{plain, first})
	require.Equal(t, "UDP [fd00::1]:1 > [fd00::2]:2 len 4, fragment id 9 bytes 0-12, more follow", Describe(frame))

	second := []byte{0, 0, 0, 16, 0, 0, 0, 9}
	frame = extended6(t, layers.IPProtocolUDP, udp, []layers.IPProtocol{44}, [][]byte{second})
	require.Equal(t, "IPv6 fd00::1 > fd00::2 UDP fragment id 9 bytes 16-28, last", Describe(frame))
}

// A connection as a Describer tells it, with initial sequence numbers near the wrap-around.
func TestDescriberCountsFromTheSYN(t *testing.T) {
	const isnClient, isnServer = 0xffffff00, 500
	up := func(s layers.TCP, data string) []byte {
		s.SrcPort, s.DstPort, s.Window = 49152, 5001, 512
		return tcpFrame(t, client4, server4, &s, data)
	}
	down := func(s layers.TCP, data string) []byte {
		s.SrcPort, s.DstPort, s.Window = 5001, 49152, 512
		return tcpFrame(t, server4, client4, &s, data)
	}
	var seq uint32 = isnClient
	d := Describer{Name: nameOf}
	for _, step := range []struct {
		frame []byte
		want  string
	}{
		{up(layers.TCP{Seq: seq, SYN: true, Options: synOptions()}, ""), "client:49152 > server:5001 [SYN] seq 0 win 512 <mss 1460, sack, wscale 7>"},
		{up(layers.TCP{Seq: seq, SYN: true}, ""), "client:49152 > server:5001 [SYN] seq 0 win 512"},
		{down(layers.TCP{Seq: isnServer, Ack: seq + 1, SYN: true, ACK: true}, ""), "server:5001 > client:49152 [SYN, ACK] seq 0 ack 1 win 512"},
		{up(layers.TCP{Seq: seq + 1, Ack: isnServer + 1, ACK: true, PSH: true}, strings.Repeat("x", 1420)),
			"client:49152 > server:5001 [PSH, ACK] seq 1 ack 1 len 1420"},
		{down(layers.TCP{Seq: isnServer + 1, Ack: seq + 1421, ACK: true, Options: sackOption(seq+2841, seq+4261)}, ""),
			"server:5001 > client:49152 [ACK] seq 1 ack 1421 sack 2841-4261"},
		{up(layers.TCP{Seq: seq + 1421, Ack: isnServer + 1, FIN: true, ACK: true}, ""), "client:49152 > server:5001 [FIN, ACK] seq 1421 ack 1"},
		{up(layers.TCP{Seq: 77, SYN: true}, ""), "client:49152 > server:5001 [SYN] seq 0 win 512"}, // the ports again
		{down(layers.TCP{Seq: 9000, Ack: 78, SYN: true, ACK: true}, ""), "server:5001 > client:49152 [SYN, ACK] seq 0 ack 1 win 512"},
	} {
		require.Equal(t, step.want, d.Describe(step.frame))
	}
	zero := layers.TCP{SrcPort: 5001, DstPort: 49152, Seq: 9001, Ack: 78, ACK: true}
	require.Equal(t, "server:5001 > client:49152 [ACK] seq 1 ack 1 win 0", d.Describe(tcpFrame(t, server4, client4, &zero, "")))

	middle := layers.TCP{SrcPort: 1, DstPort: 2, Seq: 12345, Ack: 678, ACK: true, Window: 1}
	require.Equal(t, "client:1 > server:2 [ACK] seq 1 ack 1", d.Describe(tcpFrame(t, client4, server4, &middle, "")))
	require.Equal(t, "ARP who has server? tell client", d.Describe(arpFrame(t, 1, client4, server4)))
	require.Equal(t, "UDP client:9 > server:53 len 1", d.Describe(udpFrame(t, client6, server6, 9, 53, "x")))
}

func FuzzDescribe(f *testing.F) {
	for _, frame := range frameZoo(f) {
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		d := Describer{Name: nameOf}
		for _, s := range []string{Describe(frame), d.Describe(frame)} {
			require.NotEmpty(t, s)
			require.NotContains(t, s, "\n")
		}
	})
}
