package captures

import (
	"crypto/tls"
	"encoding/binary"
	"net"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/gopacket/layers"
	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// dataFrame is a segment from the client to the server, or back, with data.
func dataFrame(t testing.TB, up bool, port layers.TCPPort, seq, ack uint32, data string) []byte {
	s := &layers.TCP{SrcPort: 49152, DstPort: port, Seq: seq, Ack: ack, PSH: true, ACK: true, Window: 512}
	if up {
		return tcpFrame(t, client4, server4, s, data)
	}
	s.SrcPort, s.DstPort = s.DstPort, s.SrcPort
	return tcpFrame(t, server4, client4, s, data)
}

// said is what a description tells of the application.
func said(text string) string {
	_, after, _ := strings.Cut(text, "len ")
	_, after, _ = strings.Cut(after, ": ")
	return after
}

// record is a TLS record.
func record(kind byte, body string) string {
	return string([]byte{kind, 3, 3, byte(len(body) >> 8), byte(len(body))}) + body
}

// message is a message of a TLS handshake with n bytes.
func message(kind byte, n int) string {
	return string([]byte{kind, 0, byte(n >> 8), byte(n)}) + strings.Repeat("m", n)
}

// clientHello is what crypto/tls sends first to a server of that name.
func clientHello(t testing.TB, name string) string {
	near, far := net.Pipe()
	go func() {
		_ = tls.Client(near, &tls.Config{ServerName: name, InsecureSkipVerify: name == ""}).Handshake()
	}()
	b := make([]byte, 4096)
	n, err := far.Read(b)
	require.NoError(t, err)
	require.NoError(t, far.Close())
	return string(b[:n])
}

func TestDescribeHTTPAndTLS(t *testing.T) {
	tests := []struct{ name, data, want string }{
		{"request", "GET /chat/ws HTTP/1.1\r\nHost: server\r\n\r\n", "GET /chat/ws HTTP/1.1"},
		{"request to a proxy", "GET http://web.lab/ HTTP/1.1\r\n", "GET http://web.lab/ HTTP/1.1"},
		{"request for a tunnel", "CONNECT web.lab:443 HTTP/1.1\r\n", "CONNECT web.lab:443 HTTP/1.1"},
		{"request in two segments", "POST /a/long/pa", "POST /a/long/pa"},
		{"answer", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK"},
		{"answer of 1.0", "HTTP/1.0 404 Not Found\r\n", "HTTP/1.0 404 Not Found"},
		{"bytes that can't be printed", "GET /\x1b[31m\xff HTTP/1.1\r\n", "GET /.[31m. HTTP/1.1"},
		{"long request", "GET /" + strings.Repeat("x", 500) + " HTTP/1.1\r\n", "GET /" + strings.Repeat("x", appLimit-6) + "…"},
		{"preface", http2Magic, "HTTP/2 preface"},
		{"no request", "GET is a word\r\n", ""},
		{"no path", "PUT until 10.1s\n", ""},
		{"no HTTP", "GET /index.html\r\n", ""},
		{"method of something else", "HELO /client\r\n", ""},
		{"text", "hello", ""},

		{"ClientHello", clientHello(t, "web"), "TLS ClientHello (web)"},
		{"ClientHello without name", clientHello(t, ""), "TLS ClientHello"},
		{"ClientHello cut short", clientHello(t, "web")[:40], "TLS ClientHello"},
		{"server of 1.3", record(22, message(2, 90)) + record(20, "\x01") + strings.Repeat(record(23, "secret"), 4),
			"TLS ServerHello, ChangeCipherSpec, application data x4"},
		{"server of 1.2", record(22, message(2, 70)) + record(22, message(11, 400)) + record(22, message(12, 100)) + record(22, message(14, 0)),
			"TLS ServerHello, Certificate, ServerKeyExchange, ServerHelloDone"},
		{"messages in one record", record(22, message(2, 70)+message(11, 40)+message(14, 0)), "TLS ServerHello, Certificate, ServerHelloDone"},
		{"client of 1.2", record(22, message(16, 33)) + record(20, "\x01") + record(22, strings.Repeat("\x00", 40)),
			"TLS ClientKeyExchange, ChangeCipherSpec, Finished"},
		{"encrypted message", record(22, strings.Repeat("\x00", 40)), "TLS handshake"},
		{"first part of a long message", record(22, message(11, 4000))[:1000], "TLS Certificate"},
		{"alert", record(21, "\x02\x2a"), "TLS alert: bad certificate"},
		{"encrypted alert", record(21, strings.Repeat("a", 26)), "TLS alert (encrypted)"},
		{"data", record(23, "secret"), "TLS application data"},
		{"data whose end comes later", record(23, strings.Repeat("s", 9000))[:1400], "TLS application data"},
		{"record of an unknown version", "\x17\x02\x00\x00\x05hello", ""},
		{"record that is too long", "\x17\x03\x03\x50\x00hello", ""},
		{"record of nothing", "\x17\x03\x03\x00\x00", ""},
		{"middle of a record", "\xa8\x17\x03\x03\x00\x05hello", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, said(Describe(dataFrame(t, true, 8080, 1, 1, test.data))))
		})
	}
	require.Equal(t, "TCP 10.0.0.1:49152 > 10.0.0.2:80 [PSH, ACK] seq 1 ack 1 win 512 len 16: GET / HTTP/1.1",
		Describe(dataFrame(t, true, 80, 1, 1, "GET / HTTP/1.1\r\n")))
}

// pack makes a message: the question, what happened to it, and records as in a zone file.
func pack(t testing.TB, m *dns.Msg, records ...string) string {
	t.Helper()
	for _, r := range records {
		rr, err := dns.NewRR(r)
		require.NoError(t, err)
		m.Answer = append(m.Answer, rr)
	}
	b, err := m.Pack()
	require.NoError(t, err)
	return string(b)
}

func question(name string, kind uint16) *dns.Msg {
	m := new(dns.Msg)
	m.SetQuestion(name, kind)
	m.SetEdns0(1232, false)
	return m
}

func answer(name string, kind uint16, rcode int) *dns.Msg {
	return new(dns.Msg).SetRcode(question(name, kind), rcode)
}

func TestDescribeDNS(t *testing.T) {
	truncated := answer("big.lab.", dns.TypeTXT, dns.RcodeSuccess)
	truncated.Truncated = true
	addresses := pack(t, answer("www.lab.", dns.TypeA, 0), "www.lab. 5 A 10.0.0.1", "www.lab. 5 A 10.0.0.2", "www.lab. 5 A 10.0.0.7")
	notify := question("lab.", dns.TypeSOA)
	notify.Opcode = dns.OpcodeNotify
	tests := []struct{ name, data, want string }{
		{"query", pack(t, question("www.lab.", dns.TypeA)), "DNS query A www.lab"},
		{"query for the root", pack(t, question(".", dns.TypeNS)), "DNS query NS ."},
		{"answer", addresses, "DNS answer A www.lab: client, server, 10.0.0.7"},
		{"answer of IPv6", pack(t, answer("www.lab.", dns.TypeAAAA, 0), "www.lab. 5 AAAA fd00::9"), "DNS answer AAAA www.lab: fd00::9"},
		{"alias", pack(t, answer("www.lab.", dns.TypeA, 0), "www.lab. 5 CNAME web.lab.", "web.lab. 5 A 10.0.0.7"), "DNS answer A www.lab: CNAME web.lab, 10.0.0.7"},
		{"service", pack(t, answer("_chat._tcp.lab.", dns.TypeSRV, 0), "_chat._tcp.lab. 5 SRV 1 2 8080 web.lab."), "DNS answer SRV _chat._tcp.lab: web.lab:8080"},
		{"text", pack(t, answer("lab.", dns.TypeTXT, 0), `lab. 5 TXT "a b" "c"`), `DNS answer TXT lab: "a bc"`},
		{"others", pack(t, answer("lab.", dns.TypeANY, 0), "lab. 5 NS ns.lab.", "lab. 5 MX 1 mail.lab.", "lab. 5 PTR web.lab.", "lab. 5 SOA ns.lab. me.lab. 1 2 3 4 5"),
			"DNS answer ANY lab: ns.lab, mail.lab, web.lab, SOA"},
		{"no such name", pack(t, answer("wwww.lab.", dns.TypeA, dns.RcodeNameError)), "DNS answer A wwww.lab: NXDOMAIN"},
		{"failure", pack(t, answer("www.lab.", dns.TypeA, dns.RcodeServerFailure)), "DNS answer A www.lab: SERVFAIL"},
		{"no such record", pack(t, answer("www.lab.", dns.TypeAAAA, 0)), "DNS answer AAAA www.lab: none"},
		{"truncated", pack(t, truncated), "DNS answer TXT big.lab: truncated"},
		{"notification", pack(t, notify), "DNS notify SOA lab"},
		{"name with odd bytes", pack(t, question(`a\200\010.lab.`, dns.TypeA)), `DNS query A a\200\010.lab`},
		{"end missing", addresses[:len(addresses)-20], "DNS answer A www.lab: malformed"},
		{"not DNS", strings.Repeat("x", 31), ""},
		{"header only", addresses[:12], ""},
		{"nothing", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := Describer{Name: nameOf}
			require.Equal(t, test.want, said(d.Describe(udpFrame(t, client4, server4, 5000, 53, test.data))))
			require.Equal(t, test.want, said(d.Describe(udpFrame(t, server6, client6, 53, 5000, test.data))))
		})
	}

	query := tests[0].data
	require.Empty(t, said(Describe(udpFrame(t, client4, server4, 5000, 5001, query))), "another port")
	require.Equal(t, "UDP 10.0.0.1:5000 > 10.0.0.2:53 len 36: DNS query A www.lab", Describe(udpFrame(t, client4, server4, 5000, 53, query)))
	snapped := udpFrame(t, server4, client4, 53, 5000, addresses)
	require.Equal(t, "DNS answer A www.lab: cut short", said(Describe(snapped[:len(snapped)-40])))

	stream := string(binary.BigEndian.AppendUint16(nil, uint16(len(addresses)))) + addresses
	require.Equal(t, "DNS answer A www.lab: 10.0.0.1, 10.0.0.2, 10.0.0.7", said(Describe(dataFrame(t, false, 53, 1, 1, stream))))
	require.Equal(t, "DNS answer A www.lab: cut short", said(Describe(dataFrame(t, false, 53, 1, 1, stream[:len(stream)-40]))))
	require.Empty(t, said(Describe(dataFrame(t, false, 53, 1, 1, addresses))), "no length before it")
}

// step is a segment of a connection and what is said of it.
type step struct {
	up   bool
	data string
	want string
}

// follow describes segments, each of which comes right after the earlier ones of its direction, with one Describer.
func follow(t *testing.T, steps []step) {
	t.Helper()
	var d Describer
	seq := map[bool]uint32{true: 0xfffffff0, false: 7} // one of them wraps around
	for _, s := range steps {
		require.Equal(t, s.want, said(d.Describe(dataFrame(t, s.up, 80, seq[s.up], seq[!s.up], s.data))))
		seq[s.up] += uint32(len(s.data))
	}
}

const upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"

// socketFrame is a WebSocket frame with n bytes; first is its first byte. The key of a masked one is "KEY!".
func socketFrame(first byte, masked bool, n int, data string) string {
	b, mask := []byte{first}, byte(0)
	if masked {
		mask = 0x80
	}
	switch {
	case n < 126:
		b = append(b, mask|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, mask|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, mask|127), uint64(n))
	}
	data += strings.Repeat("w", n-len(data))
	if masked {
		b = append(b, "KEY!"...)
		masked := []byte(data)
		for i := range masked {
			masked[i] ^= "KEY!"[i%4]
		}
		data = string(masked)
	}
	return string(b) + data
}

func TestDescribeWebSocket(t *testing.T) {
	long := socketFrame(0x82, false, 70_000, "")
	follow(t, []step{
		{true, "GET /chat/ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", "GET /chat/ws HTTP/1.1"},
		{false, upgrade, "HTTP/1.1 101 Switching Protocols"},
		{true, socketFrame(0x81, true, 42, ""), "WebSocket text 42 B"},
		{false, socketFrame(0x81, false, 300, "") + socketFrame(0x89, false, 0, ""), "WebSocket text 300 B, ping"},
		{true, socketFrame(0x8a, true, 0, ""), "WebSocket pong"},
		{true, socketFrame(0xc1, true, 9, ""), "WebSocket text 9 B compressed"},
		{true, socketFrame(0x01, true, 9, "") + socketFrame(0x80, true, 8, ""), "WebSocket text 9 B, more follow, continuation 8 B"},
		{false, strings.Repeat(socketFrame(0x82, false, 5, ""), 3), "WebSocket binary 5 B x3"},
		{false, long[:1400], "WebSocket binary 70000 B"},
		{false, long[1400:50_000], ""},
		{false, long[50_000:] + socketFrame(0x81, false, 4, ""), "WebSocket text 4 B"},
		{true, socketFrame(0x88, true, 2, "\x03\xe8"), "WebSocket close 1000"},
		{false, socketFrame(0x88, false, 0, ""), "WebSocket close"},
		{false, "GET / HTTP/1.1\r\n", ""},
	})
	follow(t, []step{
		{false, upgrade + socketFrame(0x81, false, 5, ""), "HTTP/1.1 101 Switching Protocols, WebSocket text 5 B"},
		{true, "\xff\xff no frame", ""},
	})
	follow(t, []step{{false, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: tea\r\n\r\n", "HTTP/1.1 101 Switching Protocols"}, {true, socketFrame(0x81, true, 4, ""), ""}})
	require.Empty(t, said(Describe(dataFrame(t, true, 80, 1, 1, socketFrame(0x81, true, 42, "")))), "by itself a frame isn't one")
}

// After a gap a segment is taken for frames again as soon as they fill it; what is sent again is named again.
func TestDescribeFramesAfterLoss(t *testing.T) {
	var d Describer
	message := socketFrame(0x81, false, 98, "") // 100 bytes
	tell := func(seq uint32, data string) string { return said(d.Describe(dataFrame(t, false, 80, seq, 1, data))) }
	tell(1, upgrade)
	begin := uint32(1 + len(upgrade))
	require.Equal(t, "WebSocket text 98 B", tell(begin, message))
	require.Empty(t, tell(begin+160, message[60:]), "the middle of a frame, whose beginning is missing")
	require.Equal(t, "WebSocket text 98 B", tell(begin+200, message))
	require.Equal(t, "WebSocket text 98 B", tell(begin+100, message), "sent again")
	require.Equal(t, "WebSocket text 98 B", tell(begin+300, message[:50]), "the beginning of a frame")
	require.Empty(t, tell(begin+350, message[50:]))
}

func TestDescribeHTTP2(t *testing.T) {
	frame := func(kind, flags byte, stream uint32, n int) string {
		b := binary.BigEndian.AppendUint32([]byte{0, byte(n >> 8), byte(n), kind, flags}, stream)
		return string(b) + strings.Repeat("h", n)
	}
	follow(t, []step{
		{true, http2Magic + frame(4, 0, 0, 18) + frame(8, 0, 0, 4), "HTTP/2 preface, SETTINGS, WINDOW_UPDATE"},
		{false, frame(4, 0, 0, 24) + frame(4, 1, 0, 0), "HTTP/2 SETTINGS, SETTINGS ACK"},
		{true, frame(1, 5, 1, 30), "HTTP/2 HEADERS[1]"},
		{false, frame(1, 4, 1, 40) + frame(0, 1, 1, 1024), "HTTP/2 HEADERS[1], DATA[1] 1024 B"},
		{true, frame(6, 1, 0, 8), "HTTP/2 PING ACK"},
		{false, "\x00\x00\x04\x77\x00\x00\x00\x00\x00abcd", ""},
	})
	follow(t, []step{{true, http2Magic, "HTTP/2 preface"}, {true, frame(4, 0, 0, 0), "HTTP/2 SETTINGS"}})
}

// Whatever applications send is told in one line of bounded length, also by a Describer that follows frames.
func FuzzDescribeApplication(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", upgrade, http2Magic, clientHello(f, "web"), record(21, "\x02\x2a") + record(22, message(11, 30)),
		pack(f, question("www.lab.", dns.TypeA)), pack(f, answer("www.lab.", dns.TypeA, 0), "www.lab. 5 CNAME web.lab.", "web.lab. 5 A 10.0.0.7"),
		socketFrame(0x88, true, 2, "\x03\xe8"), "\x00\x00\x04\x08\x00\x00\x00\x00\x00abcd",
	} {
		f.Add([]byte(s), []byte(s))
	}
	f.Fuzz(func(t *testing.T, one, two []byte) {
		one, two = one[:min(len(one), 60_000)], two[:min(len(two), 60_000)]
		framed := func(begin string) []string {
			var d Describer
			d.Describe(dataFrame(t, false, 80, 1, 1, begin))
			seq := uint32(1 + len(begin))
			return []string{d.Describe(dataFrame(t, false, 80, seq, 1, string(one))), d.Describe(dataFrame(t, false, 80, seq+uint32(len(one)), 1, string(two)))}
		}
		lines := append(framed(upgrade), framed(http2Magic)...)
		for _, port := range []layers.TCPPort{53, 80} {
			lines = append(lines, Describe(dataFrame(t, true, port, 1, 1, string(one))))
		}
		datagram := udpFrame(t, client4, server4, 5000, 53, string(one))
		lines = append(lines, Describe(datagram), Describe(datagram[:14+20+8+len(one)/2]))
		for _, s := range lines {
			require.True(t, utf8.ValidString(s), "%q", s)
			require.False(t, strings.ContainsFunc(s, unicode.IsControl), "%q", s)
			require.LessOrEqual(t, width(s), appLimit+120, "%q", s)
		}
	})
}
