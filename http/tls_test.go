package http_test

import (
	"context"
	stdtls "crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/http"
	"netlab/internal/testlab"
	"netlab/tcp"
	"netlab/tls"
)

// secureLab is a server on b with certificates of the lab and what is needed to make clients on a.
type secureLab struct {
	*testlab.Lab
	server tls.Server
	client tls.Client
	stop   func() error
}

// serveTLS serves a handler over TLS on b, port 443. change, which may be nil, changes the lab before it starts.
func serveTLS(t *testing.T, l *testlab.Lab, h nethttp.HandlerFunc, o http.ServerOptions, change func(s *secureLab)) *secureLab {
	s := &secureLab{Lab: l,
		server: tls.Server{Party: tls.Party{Name: "b"}, Subject: tls.Subject{Names: []string{"b"}}},
		client: tls.Client{Party: tls.Party{Name: "a"}},
	}
	if change != nil {
		change(s)
	}
	config, err := l.Authority.Server(s.server)
	require.NoError(t, err)
	o.TLS, o.Host = config, l.B
	listener, err := tcp.Listen(l.B, ":443")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(l.Context())
	result := make(chan error, 1)
	l.B.Go(func() { result <- http.Serve(ctx, listener, h, &o) })
	s.stop = func() error {
		cancel()
		return <-result
	}
	return s
}

// transport returns a transport of a for a version of HTTP.
func (s *secureLab) transport(t *testing.T, o http.TransportOptions) *nethttp.Transport {
	config, err := s.Authority.Client(s.client)
	require.NoError(t, err)
	o.TLS = config
	return http.NewTransport(s.A, &o)
}

// took returns how long fn takes.
func took(l *testlab.Lab, fn func()) time.Duration {
	start := l.Elapsed()
	fn()
	return l.Elapsed() - start
}

// The first byte of the first response comes after the round trips that RFC 8446 (section 2) and RFC 5246 (section 7.3) say,
// beside the one of TCP: one for TLS 1.3 and two for TLS 1.2. A resumed session of TLS 1.2 needs one (figure 2 there); one of TLS
// 1.3 has no fewer than a new one without early data, which is not used.
func TestRoundTripsWithTLS(t *testing.T) {
	const rtt = 20 * ms
	for _, c := range []struct {
		version        tls.Version
		first, resumed time.Duration
	}{
		{tls.Version13, 3 * rtt, 3 * rtt},
		{tls.Version12, 4 * rtt, 3 * rtt},
	} {
		for _, version := range []http.Version{http.Negotiated, http.HTTP1, http.HTTP2} {
			t.Run(fmt.Sprintf("%s %s", stdtls.VersionName(c.version), version), func(t *testing.T) {
				testlab.Run(t, testlab.Config{Forward: testlab.Wire(rtt/2, 0)}, func(t *testing.T, l *testlab.Lab) {
					var resumed []bool
					s := serveTLS(t, l, func(w nethttp.ResponseWriter, r *nethttp.Request) {
						resumed = append(resumed, r.TLS.DidResume)
						require.Equal(t, c.version, r.TLS.Version)
						require.Equal(t, version != http.HTTP1, r.ProtoMajor == 2)
						hello(w, r)
					}, http.ServerOptions{}, func(s *secureLab) { s.server.MaxVersion = c.version })
					transport := s.transport(t, http.TransportOptions{Version: version})
					client := &nethttp.Client{Transport: transport}
					for i, want := range []time.Duration{c.first, rtt} {
						require.Equal(t, want, took(l, func() { require.Equal(t, "hello /", get(t, client, "https://b/")) }), i)
					}
					transport.CloseIdleConnections()
					require.Equal(t, c.resumed, took(l, func() { get(t, client, "https://b/") }))
					require.Equal(t, []bool{false, false, true}, resumed)
					transport.CloseIdleConnections()
					require.NoError(t, s.stop())
				})
			})
		}
	}
}

func TestNoResumption(t *testing.T) {
	for _, side := range []string{"server", "client"} {
		testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
			s := serveTLS(t, l, hello, http.ServerOptions{}, func(s *secureLab) {
				s.server.MaxVersion = tls.Version12
				s.server.NoResumption, s.client.NoResumption = side == "server", side == "client"
			})
			transport := s.transport(t, http.TransportOptions{NoKeepAlive: true})
			for range 2 {
				require.Equal(t, 80*ms, took(l, func() { get(t, &nethttp.Client{Transport: transport}, "https://b/") }))
			}
			require.NoError(t, s.stop())
		})
	}
}

// What both sides speak follows from ALPN.
func TestNegotiation(t *testing.T) {
	for _, c := range []struct {
		server http.ServerOptions
		client http.Version
		want   string
	}{
		{http.ServerOptions{}, http.Negotiated, "HTTP/2.0"},
		{http.ServerOptions{}, http.HTTP1, "HTTP/1.1"},
		{http.ServerOptions{}, http.HTTP2, "HTTP/2.0"},
		{http.ServerOptions{}, http.H2C, "HTTP/2.0"},
		{http.ServerOptions{NoHTTP2: true}, http.Negotiated, "HTTP/1.1"},
		{http.ServerOptions{NoHTTP2: true}, http.HTTP2, "remote error: tls: no application protocol"},
	} {
		testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
			s := serveTLS(t, l, hello, c.server, nil)
			transport := s.transport(t, http.TransportOptions{Version: c.client})
			response, err := (&nethttp.Client{Transport: transport}).Get("https://b/")
			if err != nil {
				require.ErrorContains(t, err, c.want)
			} else {
				require.Equal(t, c.want, response.Proto)
				require.NoError(t, response.Body.Close())
			}
			transport.CloseIdleConnections()
			require.NoError(t, s.stop())
		})
	}
}

// A server that says nothing about protocols speaks HTTP/1.1, which a client that wants HTTP/2 does not take.
func TestHTTP2IsInsistedOn(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		s := &secureLab{Lab: l, client: tls.Client{Party: tls.Party{Name: "a"}}}
		config, err := l.Authority.Server(tls.Server{Party: tls.Party{Name: "b"}, Subject: tls.Subject{Names: []string{"b"}}})
		require.NoError(t, err)
		listener, err := tcp.Listen(l.B, ":443")
		require.NoError(t, err)
		l.B.Go(func() {
			conn, err := listener.Accept()
			require.NoError(t, err)
			require.Error(t, stdtls.Server(conn, config).HandshakeContext(l.Context()))
			conn.Close()
		})
		transport := s.transport(t, http.TransportOptions{Version: http.HTTP2})
		_, err = (&nethttp.Client{Transport: transport}).Get("https://b/")
		require.ErrorIs(t, err, http.ErrNotHTTP2)
		_, err = (&nethttp.Client{Transport: transport}).Get("http://b/")
		require.ErrorContains(t, err, "want an https URL, or version h2c")
		_, err = (&nethttp.Client{Transport: http.NewTransport(l.A, nil)}).Get("https://b/")
		require.ErrorContains(t, err, "no TLS is configured")
		listener.Close()
	})
}

func TestH2C(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		stop := serve(t, l, func(w nethttp.ResponseWriter, r *nethttp.Request) { io.WriteString(w, r.Proto) }, &http.ServerOptions{H2C: true})
		for version, want := range map[http.Version]string{http.H2C: "HTTP/2.0", http.HTTP1: "HTTP/1.1", http.Negotiated: "HTTP/1.1"} {
			transport := http.NewTransport(l.A, &http.TransportOptions{Version: version})
			client := &nethttp.Client{Transport: transport}
			require.Equal(t, 40*ms, took(l, func() { require.Equal(t, want, get(t, client, "http://b/")) }))
			require.Equal(t, 20*ms, took(l, func() { get(t, client, "http://b/") }))
			transport.CloseIdleConnections()
		}
		require.NoError(t, stop())
	})
}

// Thirty requests that start together take one round trip with HTTP/2, as one does, on one connection; HTTP/1.1 needs one after
// the other, or more connections. The second thirty wait for no connection and so come a nanosecond after each other: each is a
// segment of its own, and the congestion window of ten segments has to grow before it lets so many pass.
func TestMultiplexing(t *testing.T) {
	const rtt = 20 * ms
	for _, c := range []struct {
		o           http.TransportOptions
		rounds      []time.Duration
		connections int32
	}{
		{http.TransportOptions{Version: http.HTTP2}, []time.Duration{3 * rtt, 2 * rtt, 2 * rtt, rtt}, 1},
		{http.TransportOptions{Version: http.HTTP1, MaxConnsPerServer: 1}, []time.Duration{32 * rtt, 30 * rtt}, 1},
		{http.TransportOptions{Version: http.HTTP1, MaxConnsPerServer: 6}, []time.Duration{7 * rtt, 5 * rtt}, 6},
	} {
		testlab.Run(t, testlab.Config{Forward: testlab.Wire(rtt/2, 0)}, func(t *testing.T, l *testlab.Lab) {
			var connections atomic.Int32
			s := serveTLS(t, l, hello, http.ServerOptions{ConnState: count(&connections)}, nil)
			transport := s.transport(t, c.o)
			client := &nethttp.Client{Transport: transport}
			for _, want := range c.rounds {
				require.Equal(t, want, took(l, func() { getAll(t, l, client, 30) }).Round(time.Microsecond))
			}
			require.Equal(t, c.connections, connections.Load())
			transport.CloseIdleConnections()
			require.NoError(t, s.stop())
		})
	}
}

// getAll makes n requests that start together.
func getAll(t *testing.T, l *testlab.Lab, client *nethttp.Client, n int) {
	done := make(chan struct{}, n)
	for i := range n {
		l.A.Go(func() {
			get(t, client, fmt.Sprintf("https://b/%d", i))
			done <- struct{}{}
		})
	}
	for range n {
		<-done
	}
}

// Each fault of a certificate is found, and said by the error that crypto/x509 has for it.
func TestCertificateFaults(t *testing.T) {
	fail := func(server, client tls.Fault, clients tls.ClientCertificates) (err error) {
		testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
			s := serveTLS(t, l, hello, http.ServerOptions{}, func(s *secureLab) {
				s.server.Subject.Fault, s.server.ClientCertificates = server, clients
				if client != "" {
					s.client.Subject = &tls.Subject{Names: []string{"a"}, Fault: client}
				}
			})
			transport := s.transport(t, http.TransportOptions{})
			var response *nethttp.Response
			if response, err = (&nethttp.Client{Transport: transport}).Get("https://b/"); err == nil {
				require.NoError(t, response.Body.Close())
			}
			transport.CloseIdleConnections()
			require.NoError(t, s.stop())
		})
		return err
	}
	as := func(server tls.Fault, target any) {
		t.Helper()
		err := fail(server, "", "")
		require.ErrorAs(t, err, target)
		var verification *stdtls.CertificateVerificationError
		require.ErrorAs(t, err, &verification)
	}
	var invalid x509.CertificateInvalidError
	as(tls.Expired, &invalid)
	require.Equal(t, x509.Expired, invalid.Reason)
	as(tls.NotYetValid, &invalid)
	require.Equal(t, x509.Expired, invalid.Reason)
	as(tls.WrongName, new(x509.HostnameError))
	as(tls.Untrusted, new(x509.UnknownAuthorityError))
	as(tls.SelfSigned, new(x509.UnknownAuthorityError))

	// Mutual TLS: the server says by an alert what it does not like.
	err := fail("", tls.NoFault, tls.RequireCertificate)
	require.NoError(t, err)
	err = fail("", "", tls.RequestCertificate)
	require.NoError(t, err)
	for _, c := range []struct {
		client tls.Fault
		want   string
	}{{"", "certificate required"}, {tls.Expired, "expired certificate"}, {tls.Untrusted, "unknown certificate authority"}} {
		err = fail("", c.client, tls.RequireCertificate)
		var alert stdtls.AlertError
		if !errors.As(err, &alert) {
			require.ErrorContains(t, err, "tls: "+c.want)
		}
		require.ErrorContains(t, err, c.want)
	}
}

// count counts new connections.
func count(n *atomic.Int32) func(net.Conn, nethttp.ConnState) {
	return func(_ net.Conn, state nethttp.ConnState) {
		if state == nethttp.StateNew {
			n.Add(1)
		}
	}
}
