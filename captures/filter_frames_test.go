package captures

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// namedFrame is a frame with a short name for the tables of the tests.
type namedFrame struct {
	name string
	data []byte
}

// endpoints are the client and the server of one version of IP.
type endpoints struct {
	name     string
	src, dst netip.Addr
}

var bothVersions = []endpoints{{"IPv4", client4, server4}, {"IPv6", client6, server6}}

// ipFrame makes a frame with a TTL and a traffic class.
func (e endpoints) ipFrame(t testing.TB, proto layers.IPProtocol, ttl, class uint8, parts ...gopacket.SerializableLayer) []byte {
	t.Helper()
	var ip interface {
		gopacket.SerializableLayer
		gopacket.NetworkLayer
	}
	kind := layers.EthernetTypeIPv4
	if e.src.Is4() {
		header := ipv4(e.src, e.dst, proto)
		header.TTL, header.TOS = ttl, class
		ip = header
	} else {
		kind = layers.EthernetTypeIPv6
		header := ipv6(e.src, e.dst, proto)
		header.HopLimit, header.TrafficClass = ttl, class
		ip = header
	}
	if sum, ok := parts[0].(interface {
		SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
	}); ok {
		require.NoError(t, sum.SetNetworkLayerForChecksum(ip))
	}
	return build(t, append([]gopacket.SerializableLayer{ether(kind), ip}, parts...)...)
}

// tcp makes a segment of a connection of its own, so that no analyser takes it for one that is sent again.
func (e endpoints) tcp(t testing.TB, n int, port layers.TCPPort, s layers.TCP, data string) []byte {
	t.Helper()
	s.SrcPort, s.DstPort, s.Seq, s.Window = layers.TCPPort(20000+n), port, 1000, 65535
	if s.ACK {
		s.Ack = 2000
	}
	return e.ipFrame(t, layers.IPProtocolTCP, 64, 0, &s, gopacket.Payload(data))
}

func (e endpoints) udp(t testing.TB, n int, port layers.UDPPort, data string) []byte {
	t.Helper()
	return e.ipFrame(t, layers.IPProtocolUDP, 64, 0, &layers.UDP{SrcPort: layers.UDPPort(20000 + n), DstPort: port}, gopacket.Payload(data))
}

// icmp makes a message of 8 bytes with a type and code of each version, and data after it.
func (e endpoints) icmp(t testing.TB, kind4, code4, kind6, code6 uint8, data string) []byte {
	t.Helper()
	if e.src.Is4() {
		return icmp4Frame(t, e.src, e.dst, kind4, code4, 1, 2, []byte(data))
	}
	return icmp6Frame(t, e.src, e.dst, kind6, code6, append([]byte{0, 1, 0, 2}, data...))
}

// fragment makes a fragment; offset is in bytes.
func (e endpoints) fragment(t testing.TB, proto layers.IPProtocol, offset int, more bool, data []byte) []byte {
	t.Helper()
	if e.src.Is4() {
		return fragment4(t, proto, offset, more, data)
	}
	header := []byte{0, 0, byte(offset >> 8), byte(offset), 0, 0, 0, 7}
	if more {
		header[3] |= 1
	}
	return extended6(t, proto, data, []layers.IPProtocol{protoFragment}, [][]byte{header})
}

// transport returns a frame without its Ethernet and IP headers.
func (e endpoints) transport(frame []byte) []byte {
	if e.src.Is4() {
		return frame[34:]
	}
	return frame[54:]
}

// headerFrames differ in what is in the headers of IP, TCP, UDP and ICMP.
func (e endpoints) headerFrames(t testing.TB) []namedFrame {
	segment := layers.TCP{ACK: true, PSH: true}
	udp := &layers.UDP{SrcPort: 20100, DstPort: 9}
	whole := e.transport(e.udp(t, 18, 9, strings.Repeat("x", 72)))
	short := e.tcp(t, 19, 5001, segment, "cut")
	return []namedFrame{
		{"syn", e.tcp(t, 1, 5001, layers.TCP{SYN: true}, "")},
		{"ecnsyn", e.tcp(t, 2, 5001, layers.TCP{SYN: true, ECE: true, CWR: true}, "")},
		{"synack", e.tcp(t, 3, 5001, layers.TCP{SYN: true, ACK: true}, "")},
		{"ack", e.tcp(t, 4, 5001, layers.TCP{ACK: true}, "")},
		{"eceack", e.tcp(t, 5, 5001, layers.TCP{ACK: true, ECE: true}, "")},
		{"push", e.tcp(t, 6, 5001, segment, "hello")},
		{"finack", e.tcp(t, 7, 5001, layers.TCP{FIN: true, ACK: true}, "")},
		{"rst", e.tcp(t, 8, 5001, layers.TCP{RST: true}, "")},
		{"urgent", e.tcp(t, 9, 5001, layers.TCP{ACK: true, URG: true, Urgent: 1}, "!")},
		{"options", e.tcp(t, 10, 1500, layers.TCP{ACK: true, Options: []layers.TCPOption{{OptionType: layers.TCPOptionKindNop}}}, "")},
		{"empty", e.udp(t, 11, 9, "")},
		{"small", e.udp(t, 12, 9, "0123456789")},
		{"large", e.udp(t, 13, 1999, strings.Repeat("0123456789", 100))},
		{"last-hop", e.ipFrame(t, layers.IPProtocolUDP, 1, 0, udp)},
		{"ef", e.ipFrame(t, layers.IPProtocolUDP, 64, 46<<2, udp)},
		{"ect0", e.ipFrame(t, layers.IPProtocolUDP, 64, 2, udp)},
		{"ect1", e.ipFrame(t, layers.IPProtocolUDP, 64, 1, udp)},
		{"ce", e.ipFrame(t, layers.IPProtocolUDP, 64, 34<<2|3, udp)},
		{"ping", e.icmp(t, 8, 0, 128, 0, "abcdefgh")},
		{"pong", e.icmp(t, 0, 0, 129, 0, "abcdefgh")},
		{"no-port", e.icmp(t, 3, 3, 1, 4, "")},
		{"too-big", e.icmp(t, 3, 4, 2, 0, "")},
		{"exceeded", e.icmp(t, 11, 0, 3, 0, "")},
		{"redirect", e.icmp(t, 5, 1, 200, 0, "")},
		{"first", e.fragment(t, layers.IPProtocolUDP, 0, true, whole[:40])},
		{"middle", e.fragment(t, layers.IPProtocolUDP, 40, true, whole[40:56])},
		{"last", e.fragment(t, layers.IPProtocolTCP, 56, false, e.transport(short))},
		{"arp", arpFrame(t, 1, client4, server4)},
		{"lldp", build(t, ether(0x88cc), gopacket.Payload("lldp"))},
		{"runt", []byte{1, 2, 3}},
	}
}

// prefixed puts the length before a DNS message, as over TCP.
func prefixed(b string) string { return string([]byte{byte(len(b) >> 8), byte(len(b))}) + b }

// appFrames differ in what the application says.
func (e endpoints) appFrames(t testing.TB) []namedFrame {
	var frames []namedFrame
	add := func(name string, frame []byte) { frames = append(frames, namedFrame{name, frame}) }
	tcp := func(name string, port layers.TCPPort, data string) {
		add(name, e.tcp(t, 200+len(frames), port, layers.TCP{ACK: true, PSH: true}, data))
	}
	tcp("hello", 443, record(22, message(1, 200)))
	tcp("hellos", 443, record(22, message(2, 70)+message(11, 300)+message(14, 0)))
	tcp("flight", 443, record(22, message(2, 70))+record(20, "\x01")+record(23, strings.Repeat("s", 90)))
	tcp("finished", 443, record(22, message(16, 32))+record(20, "\x01")+record(22, strings.Repeat("\xe1", 40)))
	tcp("retry", 443, record(20, "\x01")+record(22, message(1, 200)))
	tcp("alert", 443, record(21, "\x02\x28"))
	tcp("data", 443, record(23, strings.Repeat("d", 30)))
	tcp("cut", 443, record(22, message(1, 200))[:100])
	tcp("secret", 443, record(22, "\x00\x00\x00\x00\x00\x00\x00\x01"+strings.Repeat("\xe1", 32)))
	tcp("no-tls", 443, "\x16\x02\x00\x00\x05hello")
	tcp("no-length", 443, "\x17\x03\x03\xff\xffhello")
	add("query", e.udp(t, 30, 53, pack(t, question("WEB.lab.", dns.TypeA))))
	add("answer", e.udp(t, 31, 53, pack(t, answer("web.lab.", dns.TypeAAAA, 0))))
	add("other", e.udp(t, 32, 53, pack(t, question("web.lab.example.", dns.TypeA))))
	add("refused", e.udp(t, 33, 53, "\x00\x09\x80\x01\x00\x00\x00\x00\x00\x00\x00\x00"))
	add("junk", e.udp(t, 34, 53, "this is no message of the domain name system"))
	add("5353", e.udp(t, 35, 5353, pack(t, question("web.lab.", dns.TypeA))))
	tcp("pipelined", 53, prefixed(pack(t, question("db.lab.", dns.TypeA)))+prefixed(pack(t, question("web.lab.", dns.TypeA))))
	tcp("tcp-answer", 53, prefixed(pack(t, answer("web.lab.", dns.TypeAAAA, 0))))
	tcp("get", 80, "GET /index HTTP/1.1\r\nHost: web\r\n\r\n")
	tcp("long", 80, "POST /"+strings.Repeat("x", 1000))
	tcp("connect", 80, "CONNECT web:443 HTTP/1.1\r\n\r\n")
	tcp("ok", 80, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	tcp("redis", 6379, "GET key\r\n")
	tcp("http2", 80, http2Magic)
	tcp("words", 5001, strings.Repeat("w", 100)+" GET /")
	tcp("binary", 5001, "\x00\xff\"\\GET")
	add("udp-get", e.udp(t, 40, 5001, "GET / HTTP/1.1\r\n"))
	add("ping", e.icmp(t, 8, 0, 128, 0, "GET /"))
	return frames
}
