package secure_test

import (
	"context"
	stdtls "crypto/tls"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/services"
	"netlab/services/secure"
	"netlab/tcp"
	"netlab/tls"
)

const ms = time.Millisecond

func no() *bool { return new(bool) }

func TestServerAsJSON(t *testing.T) {
	for want, s := range map[string]secure.Server{
		`false`:                       {},
		`true`:                        {On: true},
		`{"min_version":"1.3"}`:       {On: true, Versions: secure.Versions{MinVersion: "1.3"}},
		`{"certificate":"expired"}`:   {On: true, Certificate: tls.Expired},
		`{"resumption":false}`:        {On: true, Resumption: no()},
		`{"names":["web","www.lab"]}`: {On: true, Names: []services.HostName{"web", "www.lab"}},
	} {
		got, err := json.Marshal(s)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
}

func TestValidate(t *testing.T) {
	for want, s := range map[string]secure.Server{
		"":                                {On: true, Certificate: tls.SelfSigned, ClientCertificates: tls.RequireCertificate},
		`tls.min_version: "1.1" is not`:   {Versions: secure.Versions{MinVersion: "1.1"}},
		"tls.max_version: no version is":  {Versions: secure.Versions{MinVersion: "1.3", MaxVersion: "1.2"}},
		`tls.certificate: "x" is no kind`: {Certificate: "x"},
		`tls.client_certificates: "y" is`: {ClientCertificates: "y"},
	} {
		if err := s.Validate("tls"); want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, want)
		}
	}
	require.NoError(t, (&secure.Client{Certificate: tls.Untrusted}).Validate("tls"))
	require.ErrorContains(t, (&secure.Client{Certificate: tls.WrongName}).Validate("tls"), `tls.certificate: "wrong-name" is no kind`)
}

// env returns what a service or a workload would find on a host.
func env(l *testlab.Lab, h *ip.Host, log io.Writer, names ...string) *services.Env {
	e := services.NewEnv(h, nil, services.Service, "s", 0, 1)
	e.Authority, e.KeyLog = l.Authority, log
	e.HostNames = append(e.HostNames, names...)
	return e
}

// talk has a client shake hands with a server and returns what each of them says.
func talk(t *testing.T, l *testlab.Lab, server, client *stdtls.Config, name string) (state stdtls.ConnectionState, atClient, atServer error) {
	listener, err := tcp.Listen(l.B, ":443")
	require.NoError(t, err)
	done := make(chan error, 1)
	l.B.Go(func() {
		c, err := listener.Accept()
		if err == nil {
			s := stdtls.Server(c, server)
			if err = s.HandshakeContext(context.Background()); err == nil {
				_, err = io.Copy(s, s)
			}
			s.Close()
		}
		done <- err
	})
	c, err := tcp.Dial(l.Context(), l.A, "b:443")
	require.NoError(t, err)
	client = client.Clone()
	client.ServerName = name
	s := stdtls.Client(c, client)
	if atClient = s.HandshakeContext(context.Background()); atClient == nil {
		_, err := s.Write([]byte("x"))
		require.NoError(t, err)
		_, atClient = io.ReadFull(s, make([]byte, 1))
	}
	state = s.ConnectionState()
	s.Close()
	listener.Close()
	return state, atClient, <-done
}

func TestHandshakes(t *testing.T) {
	for name, test := range map[string]struct {
		server secure.Server
		client secure.Client
		ask    string // name that the client asks for; "" means b
		failed string // what the client or the server says
	}{
		"plain":           {},
		"by address":      {ask: "10.0.1.2"},
		"by another name": {ask: "www.lab"},
		"by a wrong name": {ask: "a", failed: "certificate is valid for b, www.lab, not a"},
		"chosen names":    {server: secure.Server{Names: []services.HostName{"c"}}, ask: "c"},
		"only chosen":     {server: secure.Server{Names: []services.HostName{"c"}}, failed: "certificate is valid for c, not b"},
		"expired":         {server: secure.Server{Certificate: tls.Expired}, failed: "certificate has expired"},
		"who cares":       {server: secure.Server{Certificate: tls.Expired}, client: secure.Client{Verify: no()}},
		"no certificate":  {server: secure.Server{ClientCertificates: "require"}, failed: "client didn't provide a certificate"},
		"none":            {server: secure.Server{ClientCertificates: "require"}, client: secure.Client{Certificate: "none"}, failed: "client didn't provide a certificate"},
		"mutual":          {server: secure.Server{ClientCertificates: "require"}, client: secure.Client{Certificate: "valid"}},
		"untrusted":       {server: secure.Server{ClientCertificates: "request"}, client: secure.Client{Certificate: "untrusted"}, failed: "unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
				var log strings.Builder
				server, err := test.server.Config(env(l, l.B, &log, "www.lab"), "h2", "http/1.1")
				require.NoError(t, err)
				client, err := test.client.Config(env(l, l.A, nil), "", "h2")
				require.NoError(t, err)
				if test.ask == "" {
					test.ask = "b"
				}
				state, atClient, atServer := talk(t, l, server, client, test.ask)
				if test.failed != "" {
					require.True(t, atClient != nil && strings.Contains(atClient.Error(), test.failed) ||
						atServer != nil && strings.Contains(atServer.Error(), test.failed), "%v, %v", atClient, atServer)
					return
				}
				require.NoError(t, atClient)
				require.NoError(t, atServer)
				require.Equal(t, "h2", state.NegotiatedProtocol)
				require.Contains(t, log.String(), "SERVER_TRAFFIC_SECRET_0 ")
			})
		})
	}
}

// One round trip for TCP, and one or two for TLS (RFC 8446, section 2; RFC 5246, section 7.3), then one for the message.
func TestRoundTrips(t *testing.T) {
	for _, test := range []struct {
		version             string
		full, resumed       time.Duration
		noTickets, noMemory bool
	}{
		{version: "1.3", full: 60 * ms, resumed: 60 * ms},
		{version: "1.2", full: 80 * ms, resumed: 60 * ms},
		{version: "1.2", full: 80 * ms, resumed: 80 * ms, noTickets: true},
		{version: "1.2", full: 80 * ms, resumed: 80 * ms, noMemory: true},
	} {
		testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
			s, c := secure.Server{}, secure.Client{Versions: secure.Versions{MaxVersion: test.version}}
			if test.noTickets {
				s.Resumption = no()
			}
			if test.noMemory {
				c.Resumption = no()
			}
			server, err := s.Config(env(l, l.B, nil))
			require.NoError(t, err)
			client, err := c.Config(env(l, l.A, nil), "")
			require.NoError(t, err)
			for i, want := range []time.Duration{test.full, test.resumed} {
				start := l.Elapsed()
				state, atClient, atServer := talk(t, l, server, client, "b")
				at := l.Elapsed() - start
				require.NoError(t, atClient)
				require.NoError(t, atServer)
				require.Equal(t, i == 1 && !test.noTickets && !test.noMemory, state.DidResume)
				require.Equal(t, want+10*ms, at, "the server has seen the end") // half a round trip later
			}
		})
	}
}
