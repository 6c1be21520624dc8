package tls_test

import (
	"bytes"
	stdtls "crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/tls"
)

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func now() time.Time { return epoch }

func authority(t *testing.T, seed uint64) *tls.Authority {
	a, err := tls.NewAuthority(tls.AuthorityOptions{Seed: seed, Now: now})
	require.NoError(t, err)
	return a
}

func TestCertificatesFollowFromTheSeed(t *testing.T) {
	subject := tls.Subject{Names: []string{"web", "web.lab"}, Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}
	first, err := authority(t, 1).Certificate(subject)
	require.NoError(t, err)
	again, err := authority(t, 1).Certificate(subject)
	require.NoError(t, err)
	other, err := authority(t, 2).Certificate(subject)
	require.NoError(t, err)
	require.Equal(t, first.Certificate, again.Certificate)
	require.NotEqual(t, first.Certificate, other.Certificate)
	require.Equal(t, authority(t, 1).PEM(), authority(t, 1).PEM())

	// What was issued before plays no part, and the same subject has the same certificate.
	a := authority(t, 1)
	_, err = a.Certificate(tls.Subject{Names: []string{"another"}})
	require.NoError(t, err)
	third, err := a.Certificate(subject)
	require.NoError(t, err)
	require.Equal(t, first.Certificate, third.Certificate)
	fourth, err := a.Certificate(subject)
	require.NoError(t, err)
	require.Same(t, third, fourth)

	leaf := first.Leaf
	require.NoError(t, leaf.VerifyHostname("web.lab"))
	require.NoError(t, leaf.VerifyHostname("10.0.0.1"))
	require.Equal(t, epoch.Add(-time.Hour), leaf.NotBefore)
	require.Equal(t, tls.Validity, leaf.NotAfter.Sub(leaf.NotBefore))
}

func TestRandomAuthority(t *testing.T) {
	var raw [2][]byte
	for i := range raw {
		a, err := tls.NewAuthority(tls.AuthorityOptions{Seed: 1, Random: true})
		require.NoError(t, err)
		c, err := a.Certificate(tls.Subject{Names: []string{"web"}})
		require.NoError(t, err)
		require.Equal(t, x509.ECDSA, c.Leaf.PublicKeyAlgorithm)
		_, err = c.Leaf.Verify(x509.VerifyOptions{DNSName: "web", Roots: a.Pool()})
		require.NoError(t, err)
		raw[i] = c.Certificate[0]
	}
	require.NotEqual(t, raw[0], raw[1])
}

func TestCertificateForNobody(t *testing.T) {
	_, err := authority(t, 1).Certificate(tls.Subject{})
	require.EqualError(t, err, "tls: a certificate for nobody")
	_, err = authority(t, 1).Certificate(tls.Subject{Names: []string{"web"}, Fault: "rotten"})
	require.EqualError(t, err, `tls: certificate for web: unknown fault "rotten"`)
}

// recorder keeps what is written to a connection.
type recorder struct {
	net.Conn
	mu  *sync.Mutex
	log *bytes.Buffer
}

func (r recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	r.log.Write(b)
	r.mu.Unlock()
	return r.Conn.Write(b)
}

// exchange is what came of a handshake and a message of the client.
type exchange struct {
	client, server error
	state          stdtls.ConnectionState
	bytes          []byte // of the client
	received       string
}

// loopback returns the two ends of a connection with buffers, unlike net.Pipe's: both sides write at the same time.
func loopback(t *testing.T) (client, server net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	server, err = tls.Listener{Listener: l}.Accept()
	require.NoError(t, err)
	return client, server
}

func handshake(t *testing.T, client, server *stdtls.Config) exchange {
	a, b := loopback(t)
	var x exchange
	var sent bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		s := stdtls.Server(b, server)
		if x.server = s.Handshake(); x.server == nil {
			text, _ := io.ReadAll(s)
			x.received = string(text)
		}
		s.Close()
	}()
	c := stdtls.Client(recorder{a, new(sync.Mutex), &sent}, client)
	if x.client = c.Handshake(); x.client == nil {
		_, x.client = c.Write([]byte("hello"))
		x.state = c.ConnectionState()
	}
	if x.client == nil {
		c.CloseWrite()
		_, x.client = io.Copy(io.Discard, c)
	}
	a.Close()
	<-done
	x.bytes = sent.Bytes()
	return x
}

func pair(t *testing.T, a *tls.Authority, s tls.Server, c tls.Client) (client, server *stdtls.Config) {
	s.Name, c.Name = "web.https", "user.browse"
	if s.Subject.Names == nil {
		s.Subject.Names = []string{"web"}
	}
	c.ServerName = "web"
	server, err := a.Server(s)
	require.NoError(t, err)
	client, err = a.Client(c)
	require.NoError(t, err)
	return client, server
}

func TestVersionsAndProtocols(t *testing.T) {
	for _, test := range []struct {
		server, client tls.Party
		version        uint16
		protocol       string
		fails          string
	}{
		{version: tls.Version13},
		{server: tls.Party{MaxVersion: tls.Version12}, version: tls.Version12},
		{client: tls.Party{MaxVersion: tls.Version12}, version: tls.Version12},
		{server: tls.Party{MinVersion: tls.Version13}, client: tls.Party{MaxVersion: tls.Version12}, fails: "protocol version not supported"},
		{server: tls.Party{Protocols: []string{"h2", "http/1.1"}}, client: tls.Party{Protocols: []string{"http/1.1"}}, version: tls.Version13, protocol: "http/1.1"},
		{server: tls.Party{Protocols: []string{"h2"}}, client: tls.Party{Protocols: []string{"dot"}}, fails: "no application protocol"},
	} {
		client, server := pair(t, authority(t, 1), tls.Server{Party: test.server}, tls.Client{Party: test.client})
		x := handshake(t, client, server)
		if test.fails != "" {
			require.ErrorContains(t, x.client, test.fails)
			continue
		}
		require.NoError(t, x.client)
		require.Equal(t, test.version, x.state.Version)
		require.Equal(t, test.protocol, x.state.NegotiatedProtocol)
		require.Equal(t, "hello", x.received)
	}
}

func TestFaultsOfServers(t *testing.T) {
	for fault, want := range map[tls.Fault]string{
		tls.NoFault:     "",
		tls.Expired:     "certificate has expired or is not yet valid: current time 2000-01-01T00:00:00Z is after 1999-12-31T23:00:00Z",
		tls.NotYetValid: "certificate has expired or is not yet valid: current time 2000-01-01T00:00:00Z is before 2000-01-02T00:00:00Z",
		tls.WrongName:   "certificate is valid for wrong-name.invalid, not web",
		tls.Untrusted:   "certificate signed by unknown authority",
		tls.SelfSigned:  "certificate signed by unknown authority",
	} {
		s := tls.Server{Subject: tls.Subject{Names: []string{"web"}, Fault: fault}}
		client, server := pair(t, authority(t, 1), s, tls.Client{})
		x := handshake(t, client, server)
		if want == "" {
			require.NoError(t, x.client)
		} else {
			require.ErrorContains(t, x.client, want, fault)
			require.ErrorContains(t, x.server, "bad certificate", fault)
		}
		client, server = pair(t, authority(t, 1), s, tls.Client{Unverified: true})
		require.NoError(t, handshake(t, client, server).client, fault)
	}
}

func TestMutualTLS(t *testing.T) {
	user := func(f tls.Fault) *tls.Subject { return &tls.Subject{Names: []string{"user"}, Fault: f} }
	for _, test := range []struct {
		wants   tls.ClientCertificates
		client  *tls.Subject
		fails   string
		subject string
	}{
		{tls.NoCertificate, nil, "", ""},
		{tls.NoCertificate, user(tls.NoFault), "", ""}, // nobody asks
		{tls.RequestCertificate, nil, "", ""},
		{tls.RequestCertificate, user(tls.NoFault), "", "user"},
		{tls.RequestCertificate, user(tls.Expired), "expired", ""},
		{tls.RequireCertificate, user(tls.NoFault), "", "user"},
		{tls.RequireCertificate, nil, "client didn't provide a certificate", ""},
		{tls.RequireCertificate, user(tls.Untrusted), "unknown authority", ""},
	} {
		for _, version := range []tls.Version{tls.Version12, tls.Version13} {
			var got string
			client, server := pair(t, authority(t, 1), tls.Server{ClientCertificates: test.wants},
				tls.Client{Subject: test.client, Party: tls.Party{MaxVersion: version}})
			server.VerifyConnection = func(s stdtls.ConnectionState) error {
				if len(s.PeerCertificates) > 0 {
					got = s.PeerCertificates[0].Subject.CommonName
				}
				return nil
			}
			x := handshake(t, client, server)
			if test.fails != "" {
				require.ErrorContains(t, x.server, test.fails)
				require.Error(t, x.client)
				continue
			}
			require.NoError(t, x.server)
			require.NoError(t, x.client)
			require.Equal(t, test.subject, got)
		}
	}
	// A server's certificate is none for a client.
	client, server := pair(t, authority(t, 1), tls.Server{ClientCertificates: tls.RequireCertificate}, tls.Client{})
	client.GetClientCertificate = func(*stdtls.CertificateRequestInfo) (*stdtls.Certificate, error) { return &server.Certificates[0], nil }
	require.ErrorContains(t, handshake(t, client, server).server, "incompatible key usage")
}

func TestResumption(t *testing.T) {
	for _, test := range []struct {
		client, server bool // without resumption
		resumed        bool
	}{{false, false, true}, {true, false, false}, {false, true, false}} {
		for _, version := range []tls.Version{tls.Version12, tls.Version13} {
			client, server := pair(t, authority(t, 1), tls.Server{Party: tls.Party{NoResumption: test.server}},
				tls.Client{Party: tls.Party{NoResumption: test.client, MaxVersion: version}})
			require.False(t, handshake(t, client, server).state.DidResume)
			x := handshake(t, client, server)
			require.NoError(t, x.client)
			require.Equal(t, test.resumed, x.state.DidResume)
		}
	}
}

func TestEqualBytesAndKeyLogs(t *testing.T) {
	for _, version := range []tls.Version{tls.Version12, tls.Version13} {
		run := func(seed uint64) (sent []byte, log string) {
			var lines bytes.Buffer
			client, server := pair(t, authority(t, seed), tls.Server{Party: tls.Party{KeyLog: &lines}},
				tls.Client{Party: tls.Party{MaxVersion: version}})
			x := handshake(t, client, server)
			require.NoError(t, x.client)
			return x.bytes, lines.String()
		}
		sent, log := run(1)
		again, logAgain := run(1)
		other, _ := run(2)
		require.Equal(t, sent, again)
		require.Equal(t, log, logAgain)
		require.NotEqual(t, sent, other)
		if version == tls.Version12 {
			require.Equal(t, 1, strings.Count(log, "CLIENT_RANDOM "))
		} else {
			require.Equal(t, 1, strings.Count(log, "CLIENT_TRAFFIC_SECRET_0 "))
		}
	}
}

// The secrets of a session that is resumed are logged too, for the random of the connection that resumes it.
func TestKeyLogOfResumedSessions(t *testing.T) {
	for _, version := range []tls.Version{tls.Version12, tls.Version13} {
		var atServer, atClient bytes.Buffer
		client, server := pair(t, authority(t, 1), tls.Server{Party: tls.Party{KeyLog: &atServer}},
			tls.Client{Party: tls.Party{MaxVersion: version, KeyLog: &atClient}})
		tls.LogResumed(server)
		var randoms []string
		for i := range 4 { // each connection after the first resumes the one before, by a new ticket
			x := handshake(t, client, server)
			require.NoError(t, x.client)
			require.Equal(t, i > 0, x.state.DidResume)
			randoms = append(randoms, fmt.Sprintf("%x", x.bytes[11:43]))
		}
		if version == tls.Version13 {
			require.Equal(t, atClient.String(), atServer.String())
			continue
		}
		lines := strings.Split(strings.TrimSpace(atServer.String()), "\n")
		require.Len(t, lines, 4)
		_, secret, _ := strings.Cut(strings.TrimPrefix(lines[0], "CLIENT_RANDOM "), " ")
		require.Len(t, secret, 2*48)
		for i, random := range randoms {
			require.Equal(t, "CLIENT_RANDOM "+random+" "+secret, lines[i])
		}
	}
}
