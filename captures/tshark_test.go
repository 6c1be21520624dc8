package captures

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab/netem"
)

// wiresharkTool finds a program of Wireshark. Where it is not installed the test is skipped, but fails in CI.
func wiresharkTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

// tshark runs tshark on a file and returns the lines that it prints. It fails the test if tshark complains.
func tshark(t *testing.T, file string, args ...string) []string {
	t.Helper()
	cmd := exec.Command(wiresharkTool(t, "tshark"), append([]string{"-r", file}, args...)...)
	// No one's own settings, and the time zone of the run.
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir(), "TZ=UTC")
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	require.NoError(t, cmd.Run(), complaints.String())
	for _, line := range strings.Split(strings.TrimSpace(complaints.String()), "\n") {
		if line != "" && !strings.HasPrefix(line, "Running as user") {
			t.Errorf("tshark complains: %s", line)
		}
	}
	if out.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
}

// fields are tshark's arguments to print fields with a bar between them.
func fields(names ...string) []string {
	args := []string{"-T", "fields", "-E", "separator=|"}
	for _, n := range names {
		args = append(args, "-e", n)
	}
	return args
}

func TestTsharkReadsTheSample(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sample.pcapng")
	require.NoError(t, os.WriteFile(path, writeBlocks(t, sampleBlocks(t)), 0o666))
	require.Equal(t, []string{
		"946684800.021200000|client-eth0|to r1, 50ms, 1% loss|0x00000002|60|60|",
		"946684800.021200001|client-eth0|to r1, 50ms, 1% loss|0x00000001|59|59|dropped: random loss on r1--server",
		"946684800.021200002|client-eth1||0x00000001|60|54|ü",
		"946684800.021200003|client-eth1|||1500|15|",
		"946684800.021200004|client-eth1|||40|40|x",
	}, tshark(t, path, fields("frame.time_epoch", "frame.interface_name", "frame.interface_description",
		"frame.packet_flags_direction", "frame.len", "frame.cap_len", "frame.comment")...))
}

func TestTsharkReadsASet(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(labOptions(dir))
	require.NoError(t, err)
	s.Frame(21200*time.Microsecond, 0, netem.Outbound, 0, tcpFrame(t, client4, server4, &layers.TCP{SrcPort: 1, DstPort: 5001, SYN: true}, ""), "")
	s.Frame(42400*time.Microsecond, 0, netem.Inbound, 0, tcpFrame(t, server6, client6, &layers.TCP{SrcPort: 5001, DstPort: 1, SYN: true}, ""), "duplicate 1 of 2")
	require.NoError(t, s.Close())
	path := filepath.Join(dir, "client.pcapng")
	require.Equal(t, []string{
		"client-eth0|0x00000002|client|server|||",
		"client-eth0|0x00000001|||server|client|duplicate 1 of 2",
	}, tshark(t, path, append([]string{"-N", "n"},
		fields("frame.interface_name", "frame.packet_flags_direction", "ip.src_host", "ip.dst_host", "ipv6.src_host", "ipv6.dst_host", "frame.comment")...)...))
	require.Len(t, tshark(t, path, "-N", "n", "-Y", `ip.host == "server"`), 1)
	require.Empty(t, tshark(t, filepath.Join(dir, "r1.pcapng")), "a file without packets is read too")

	prefix := filepath.Join(dir, "prefix.pcapng")
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	cut := 0
	for le.Uint32(file[cut:]) != blockStatistics {
		cut += int(le.Uint32(file[cut+4:]))
	}
	require.NoError(t, os.WriteFile(prefix, file[:cut], 0o666))
	require.Len(t, tshark(t, prefix), 2, "a file without statistics is read too")
}

func TestTsharkReadsPlainPcap(t *testing.T) {
	dir := t.TempDir()
	o := labOptions(dir)
	o.Format = Pcap
	s, err := Open(o)
	require.NoError(t, err)
	s.Frame(123456789, 0, netem.Outbound, 0, tcpFrame(t, client4, server4, &layers.TCP{SrcPort: 1, DstPort: 5001, SYN: true}, ""), "")
	require.NoError(t, s.Close())
	require.Equal(t, []string{"946684800.123456789|10.0.0.1|60"},
		tshark(t, filepath.Join(dir, "client.pcap"), fields("frame.time_epoch", "ip.src", "frame.len")...))
}

func TestCapinfosSeesTheSection(t *testing.T) {
	path := wiresharkTool(t, "capinfos")
	file := filepath.Join(t.TempDir(), "sample.pcapng")
	require.NoError(t, os.WriteFile(file, writeBlocks(t, sampleBlocks(t)), 0o666))
	out, err := exec.Command(path, file).CombinedOutput()
	require.NoError(t, err, string(out))
	for _, want := range []string{
		"Capture application: netlab 0.1", "lab retransmission", "seed 1", "Number of decryption secrets in file: 1",
		"Name = client-eth0", "Speed = 100000000", "Filter string = tcp", "Time ticks per second = 1000000000", "Number of stat entries = 1",
	} {
		require.Contains(t, string(out), want)
	}
}

// tappedConn is the server's end of a connection whose bytes become frames.
type tappedConn struct {
	net.Conn
	mu       *sync.Mutex
	t        *testing.T
	s        *Set
	at       *time.Duration
	sent     uint32
	received uint32
}

func (c *tappedConn) segment(dir netem.Direction, s layers.TCP, data []byte) {
	src, dst := server4, client4
	s.SrcPort, s.DstPort = 443, 50000
	if dir == netem.Inbound {
		src, dst = client4, server4
		s.SrcPort, s.DstPort = 50000, 443
	}
	s.Window = 65535
	*c.at += time.Millisecond
	c.s.Frame(*c.at, 0, dir, 0, tcpFrame(c.t, src, dst, &s, string(data)), "")
}

func (c *tappedConn) open() {
	c.segment(netem.Inbound, layers.TCP{SYN: true}, nil)
	c.segment(netem.Outbound, layers.TCP{SYN: true, ACK: true, Ack: 1}, nil)
	c.sent, c.received = 1, 1
}

func (c *tappedConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.segment(netem.Outbound, layers.TCP{Seq: c.sent, Ack: c.received, ACK: true, PSH: true}, b)
	c.sent += uint32(len(b))
	c.mu.Unlock()
	return c.Conn.Write(b)
}

func (c *tappedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.mu.Lock()
		c.segment(netem.Inbound, layers.TCP{Seq: c.received, Ack: c.sent, ACK: true, PSH: true}, b[:n])
		c.received += uint32(n)
		c.mu.Unlock()
	}
	return n, err
}

// keyLog hands the lines of a key log on.
type keyLog struct{ s *Set }

func (k keyLog) Write(line []byte) (int, error) {
	k.s.Secrets("server", line)
	return len(line), nil
}

// A request and its answer over TLS 1.3 can be read with the secrets that are in the file.
func TestTsharkDecrypts(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Options{Dir: dir, Epoch: epoch, Names: labNames, Interfaces: []Interface{{Port: 0, Node: "server", Name: "server-eth0"}}})
	require.NoError(t, err)

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)

	near, far := net.Pipe()
	tapped := &tappedConn{Conn: far, mu: new(sync.Mutex), t: t, s: s, at: new(time.Duration)}
	tapped.open()
	server := tls.Server(tapped, &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}},
		KeyLogWriter: keyLog{s}, SessionTicketsDisabled: true,
	})
	client := tls.Client(near, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13})
	served := make(chan error)
	go func() {
		buf := make([]byte, 1000)
		_, err := server.Read(buf)
		if err == nil {
			_, err = server.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"))
		}
		served <- err
	}()
	_, err = client.Write([]byte("GET /secret HTTP/1.1\r\nHost: server\r\n\r\n"))
	require.NoError(t, err)
	_, err = client.Read(make([]byte, 1000))
	require.NoError(t, err)
	require.NoError(t, <-served)
	require.NoError(t, s.Close())

	require.Equal(t, []string{"/secret|", "|200"},
		tshark(t, filepath.Join(dir, "server.pcapng"), append([]string{"-Y", "http"}, fields("http.request.uri", "http.response.code")...)...))
}
