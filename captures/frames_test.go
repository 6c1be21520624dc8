package captures

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
)

// The frames of the tests are made by gopacket, which knows the formats from elsewhere than this package.

var (
	clientMAC = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	serverMAC = net.HardwareAddr{2, 0, 0, 0, 0, 2}
	client4   = netip.MustParseAddr("10.0.0.1")
	server4   = netip.MustParseAddr("10.0.0.2")
	router4   = netip.MustParseAddr("10.0.0.9")
	client6   = netip.MustParseAddr("fd00::1")
	server6   = netip.MustParseAddr("fd00::2")

	epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
)

var labNames = []Name{{client4, "client"}, {server4, "server"}, {router4, "r1"}, {client6, "client"}, {server6, "server"}}

// nameOf names the addresses of labNames.
func nameOf(addr netip.Addr) string {
	c := Capture{Names: labNames}
	return c.NameFunc()(addr)
}

// addressesOf is the inverse of nameOf.
func addressesOf(name string) ([]netip.Addr, bool) {
	var addrs []netip.Addr
	for _, n := range labNames {
		if n.Name == name {
			addrs = append(addrs, n.Addr)
		}
	}
	return addrs, addrs != nil || name == "switch"
}

func build(t testing.TB, parts ...gopacket.SerializableLayer) []byte {
	t.Helper()
	buf := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	require.NoError(t, gopacket.SerializeLayers(buf, options, parts...))
	return buf.Bytes()
}

func ether(kind layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: clientMAC, DstMAC: serverMAC, EthernetType: kind}
}

func ipv4(src, dst netip.Addr, proto layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, IHL: 5, TTL: 64, Id: 7, Protocol: proto, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
}

func ipv6(src, dst netip.Addr, proto layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: proto, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
}

// tcpFrame wraps a segment, whose checksum it sets, into IP and Ethernet.
func tcpFrame(t testing.TB, src, dst netip.Addr, s *layers.TCP, data string) []byte {
	t.Helper()
	if src.Is6() {
		ip := ipv6(src, dst, layers.IPProtocolTCP)
		require.NoError(t, s.SetNetworkLayerForChecksum(ip))
		return build(t, ether(layers.EthernetTypeIPv6), ip, s, gopacket.Payload(data))
	}
	ip := ipv4(src, dst, layers.IPProtocolTCP)
	require.NoError(t, s.SetNetworkLayerForChecksum(ip))
	return build(t, ether(layers.EthernetTypeIPv4), ip, s, gopacket.Payload(data))
}

func udpFrame(t testing.TB, src, dst netip.Addr, srcPort, dstPort layers.UDPPort, data string) []byte {
	t.Helper()
	udp := &layers.UDP{SrcPort: srcPort, DstPort: dstPort}
	if src.Is6() {
		ip := ipv6(src, dst, layers.IPProtocolUDP)
		require.NoError(t, udp.SetNetworkLayerForChecksum(ip))
		return build(t, ether(layers.EthernetTypeIPv6), ip, udp, gopacket.Payload(data))
	}
	ip := ipv4(src, dst, layers.IPProtocolUDP)
	require.NoError(t, udp.SetNetworkLayerForChecksum(ip))
	return build(t, ether(layers.EthernetTypeIPv4), ip, udp, gopacket.Payload(data))
}

func icmp4Frame(t testing.TB, src, dst netip.Addr, kind, code uint8, id, seq uint16, data []byte) []byte {
	t.Helper()
	icmp := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, code), Id: id, Seq: seq}
	return build(t, ether(layers.EthernetTypeIPv4), ipv4(src, dst, layers.IPProtocolICMPv4), icmp, gopacket.Payload(data))
}

func icmp6Frame(t testing.TB, src, dst netip.Addr, kind, code uint8, body []byte) []byte {
	t.Helper()
	ip := ipv6(src, dst, layers.IPProtocolICMPv6)
	icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(kind, code)}
	require.NoError(t, icmp.SetNetworkLayerForChecksum(ip))
	return build(t, ether(layers.EthernetTypeIPv6), ip, icmp, gopacket.Payload(body))
}

func arpFrame(t testing.TB, operation uint16, sender, target netip.Addr) []byte {
	t.Helper()
	return build(t, ether(layers.EthernetTypeARP), &layers.ARP{
		AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4, Operation: operation,
		SourceHwAddress: clientMAC, SourceProtAddress: sender.AsSlice(), DstHwAddress: make([]byte, 6), DstProtAddress: target.AsSlice(),
	})
}

// fragment4 is an IPv4 fragment; offset is in bytes.
func fragment4(t testing.TB, proto layers.IPProtocol, offset int, more bool, data []byte) []byte {
	t.Helper()
	ip := ipv4(client4, server4, proto)
	ip.FragOffset = uint16(offset / 8)
	if more {
		ip.Flags = layers.IPv4MoreFragments
	}
	return build(t, ether(layers.EthernetTypeIPv4), ip, gopacket.Payload(data))
}

// extended6 puts extension headers before what follows: the types and the bytes of each, whose first is set here.
func extended6(t testing.TB, last layers.IPProtocol, data []byte, kinds []layers.IPProtocol, headers [][]byte) []byte {
	t.Helper()
	var body []byte
	for i, h := range headers {
		h = append([]byte(nil), h...)
		h[0] = byte(last)
		if i+1 < len(kinds) {
			h[0] = byte(kinds[i+1])
		}
		body = append(body, h...)
	}
	return build(t, ether(layers.EthernetTypeIPv6), ipv6(client6, server6, kinds[0]), gopacket.Payload(append(body, data...)))
}

// frameZoo is a frame of each kind, for seeds of fuzz targets.
func frameZoo(t testing.TB) [][]byte {
	syn := &layers.TCP{SrcPort: 49152, DstPort: 5001, Seq: 1815, SYN: true, Window: 65535, Options: []layers.TCPOption{
		{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{5, 0xb4}},
	}}
	syn4 := tcpFrame(t, client4, server4, syn, "")
	return [][]byte{
		nil,
		syn4,
		tcpFrame(t, client6, server6, syn, "hello"),
		udpFrame(t, client4, server4, 1000, 53, "query"),
		icmp4Frame(t, client4, server4, 8, 0, 1, 1, []byte("ping")),
		icmp4Frame(t, router4, client4, 3, 4, 0, 1400, syn4[14:]),
		icmp6Frame(t, client6, server6, 135, 0, make([]byte, 20)),
		arpFrame(t, 1, client4, server4),
		fragment4(t, layers.IPProtocolUDP, 8, true, []byte("middle!!")),
		extended6(t, layers.IPProtocolUDP, []byte{0, 1, 0, 2, 0, 8, 0, 0}, []layers.IPProtocol{0, 44}, [][]byte{make([]byte, 8), make([]byte, 8)}),
		build(t, ether(0x88cc), gopacket.Payload("lldp")),
	}
}
