package captures

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/netem"
)

// compareWithTshark requires that each filter chooses the packets of a file that tshark's display filter chooses. Only
// packets for which within holds are compared; it is a display filter too.
func compareWithTshark(t *testing.T, path, within string, pairs [][2]string) {
	t.Helper()
	c, err := ReadFile(path)
	require.NoError(t, err)
	numbers := func(display string) []string {
		// Each packet by itself, as a filter sees it.
		return tshark(t, path, append([]string{"-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE",
			"-Y", display}, fields("frame.number")...)...)
	}
	compared := map[string]bool{}
	for _, n := range numbers(within) {
		compared[n] = true
	}
	for _, pair := range pairs {
		f := parsed(t, pair[0])[0]
		var got []string
		for i, p := range c.Packets {
			if n := strconv.Itoa(i + 1); compared[n] && f.Match(p.Data) {
				got = append(got, n)
			}
		}
		require.NotEmpty(t, got, pair[0])
		require.Equal(t, numbers("("+within+") && ("+pair[1]+")"), got, "%s: %s", pair[0], pair[1])
	}
}

// writeFrames writes the frames of the tables to a file.
func writeFrames(t *testing.T, choose func(endpoints) []namedFrame) string {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(labOptions(dir))
	require.NoError(t, err)
	at := time.Duration(0)
	for _, e := range bothVersions {
		for _, frame := range choose(e) {
			at += time.Millisecond
			s.Frame(at, 0, netem.Outbound, 0, frame.data, "")
		}
	}
	require.NoError(t, s.Close())
	return filepath.Join(dir, "client.pcapng")
}

func TestTsharkAgreesAboutHeaders(t *testing.T) {
	t.Parallel() // tshark is started often
	path := writeFrames(t, func(e endpoints) []namedFrame { return e.headerFrames(t) })
	const first = " && !(ip.frag_offset > 0) && !(ipv6.fraghdr.offset > 0)"
	compareWithTshark(t, path, "frame.len >= 14", [][2]string{
		{"syn", "tcp.flags.syn == 1 && tcp.flags.ack == 0"},
		{"syn-ack", "tcp.flags.syn == 1 && tcp.flags.ack == 1"},
		{"fin", "tcp.flags.fin == 1"},
		{"rst", "tcp.flags.reset == 1"},
		{"flags psh,ack", "tcp.flags.push == 1 && tcp.flags.ack == 1"},
		{"flags = syn", "tcp.flags == 0x002"},
		{"flags ece or flags cwr or flags urg", "tcp.flags.ece == 1 || tcp.flags.cwr == 1 || tcp.flags.urg == 1"},
		{"pure-ack", "tcp.len == 0 && tcp.flags.ack == 1 && tcp.flags.syn == 0 && tcp.flags.fin == 0 && tcp.flags.reset == 0"},
		{"data", "tcp.len > 0 || udp.length > 8"},
		{"tcp and payload-size = 5", "tcp.len == 5"},
		{"udp and payload-size >= 10 and not fragment", "udp.length >= 18 && !(ip.flags.mf == 1) && !ipv6.fraghdr"},
		{"size > 1000", "ip.len > 1000 || ipv6.plen > 960"},
		{"size <= 60", "ip.len <= 60 || ipv6.plen <= 20"},
		{"ttl <= 1", "ip.ttl <= 1 || ipv6.hlim <= 1"},
		{"dscp ef", "ip.dsfield.dscp == 46 || ipv6.tclass.dscp == 46"},
		{"ecn ce", "ip.dsfield.ecn == 3 || ipv6.tclass.ecn == 3"},
		{"ecn ect0", "ip.dsfield.ecn == 2 || ipv6.tclass.ecn == 2"},
		{"ecn ect1", "ip.dsfield.ecn == 1 || ipv6.tclass.ecn == 1"},
		{"fragment", "ip.flags.mf == 1 || ip.frag_offset > 0 || ipv6.fraghdr.more == 1 || ipv6.fraghdr.offset > 0"},
		{"first-fragment", "(ip.flags.mf == 1 || ipv6.fraghdr.more == 1)" + first},
		{"later-fragment", "ip.frag_offset > 0 || ipv6.fraghdr.offset > 0"},
		{"icmp echo", "icmp.type == 8 || icmpv6.type == 128"},
		{"icmp echo-reply", "icmp.type == 0 || icmpv6.type == 129"},
		{"icmp unreachable", "(icmp.type == 3 && icmp.code != 4) || icmpv6.type == 1"},
		{"icmp too-big", "(icmp.type == 3 && icmp.code == 4) || icmpv6.type == 2"},
		{"icmp time-exceeded", "icmp.type == 11 || icmpv6.type == 3"},
		{"net 10.0.0.0/30", "ip.addr == 10.0.0.0/30 || arp"},
		{"src net fd00::/127", "ipv6.src == fd00::/127"},
		{"port 1000-1999", "tcp.port in {1000..1999} || udp.port in {1000..1999}"},
		{"src port 20012-20013", "udp.srcport in {20012..20013}"},
	})
}

func TestTsharkAgreesAboutApplications(t *testing.T) {
	t.Parallel() // tshark is started often
	path := writeFrames(t, func(e endpoints) []namedFrame { return e.appFrames(t) })
	// tshark doesn't look into the record of which the segment has the first 100 bytes only.
	compareWithTshark(t, path, "!(tcp.len == 100)", [][2]string{
		{`payload "GET /"`, `tcp.payload contains "GET /" || udp.payload contains "GET /" || data.data contains "GET /"`},
		{"payload-prefix hex 160303", "tcp.payload[0:3] == 16:03:03"},
		{"payload hex 00ff22", "tcp.payload contains 00:ff:22"},
		{"tls", "tls.record.content_type || tls.record.opaque_type"},
		{"tls alert", "tls.record.content_type == 21"},
		{"tls change-cipher-spec", "tls.record.content_type == 20"},
		{"tls application", "tls.record.content_type == 23 || tls.record.opaque_type == 23"},
		{"tls server-hello-done", "tls.handshake.type == 14"},
	})
	compareWithTshark(t, path, "udp.port == 53 && !frame contains \"no message\"", [][2]string{
		{"dns query", "dns.flags.response == 0"},
		{"dns response", "dns.flags.response == 1"},
		{"dns name web.lab", `lower(dns.qry.name) == "web.lab"`},
	})
	compareWithTshark(t, path, "tcp.port == 80", [][2]string{
		{"http response", "http.response"},
	})
}

// A handshake of crypto/tls, with a certificate of the client, in both versions that it has.
func TestTsharkAgreesAboutHandshakes(t *testing.T) {
	t.Parallel() // tshark is started often
	pairs := [][2]string{
		{"tls", "tls.record.content_type || tls.record.opaque_type"},
		{"tls handshake", "tls.record.content_type == 22"},
		{"tls change-cipher-spec", "tls.record.content_type == 20"},
		{"tls application", "tls.record.content_type == 23 || tls.record.opaque_type == 23"},
		{"tls client-hello", "tls.handshake.type == 1"},
		{"tls server-hello", "tls.handshake.type == 2"},
	}
	clear := [][2]string{
		{"tls certificate", "tls.handshake.type == 11"},
		{"tls server-key-exchange", "tls.handshake.type == 12"},
		{"tls certificate-request", "tls.handshake.type == 13"},
		{"tls server-hello-done", "tls.handshake.type == 14"},
		{"tls certificate-verify", "tls.handshake.type == 15"},
		{"tls client-key-exchange", "tls.handshake.type == 16"},
		{"tls new-session-ticket", "tls.handshake.type == 4"},
		// A Finished is encrypted and has no type: the record after ChangeCipherSpec.
		{"tls finished", "tls.record.content_type == 20 && tls.record.content_type == 22"},
	}
	compareWithTshark(t, handshakeCapture(t, tls.VersionTLS12), "frame", append(clear, pairs...))
	path := handshakeCapture(t, tls.VersionTLS13)
	compareWithTshark(t, path, "frame", pairs)
	c, err := ReadFile(path)
	require.NoError(t, err)
	for _, pair := range clear {
		f := parsed(t, pair[0])[0]
		for _, p := range c.Packets {
			require.False(t, f.Match(p.Data), "TLS 1.3 encrypts it: %s", pair[0])
		}
	}
}

// handshakeCapture runs one connection and returns the file with its frames, without its secrets.
func handshakeCapture(t *testing.T, version uint16) string {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(Options{Dir: dir, Epoch: epoch, Interfaces: []Interface{{Port: 0, Node: "server", Name: "server-eth0"}}})
	require.NoError(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)

	// The first curve makes a ClientHello that fits into one segment.
	config := &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}, InsecureSkipVerify: true,
		MinVersion: version, MaxVersion: version, CurvePreferences: []tls.CurveID{tls.X25519}, ClientAuth: tls.RequireAnyClientCert,
		ClientSessionCache: tls.NewLRUClientSessionCache(1), ServerName: "server",
	}
	near, far := net.Pipe()
	tapped := &tappedConn{Conn: far, mu: new(sync.Mutex), t: t, s: s, at: new(time.Duration)}
	tapped.open()
	served := make(chan error)
	go func() {
		server := tls.Server(tapped, config)
		_, err := server.Read(make([]byte, 1000))
		if err == nil {
			_, err = server.Write([]byte("answer"))
		}
		served <- err
	}()
	client := tls.Client(near, config)
	require.NoError(t, client.Handshake())
	answered := make(chan error)
	go func() { // a pipe has no buffer, and the server writes tickets before it reads
		_, err := client.Read(make([]byte, 1000))
		answered <- err
	}()
	_, err = client.Write([]byte("question"))
	require.NoError(t, err)
	require.NoError(t, <-served)
	require.NoError(t, <-answered)
	require.NoError(t, s.Close())
	return filepath.Join(dir, "server.pcapng")
}
