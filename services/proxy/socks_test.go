package proxy_test

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/proxy"

	"netlab/internal/testlab"
	"netlab/services/proxy/access"
	"netlab/services/proxy/socks"
	"netlab/tcp"
	"netlab/udp"
)

// socksLab runs body with a SOCKS proxy on b and returns what it reports.
func socksLab(t *testing.T, change func(c *socks.Config), body func(l *testlab.Lab)) (r *socks.Result) {
	testlab.Run(t, wire, func(t *testing.T, l *testlab.Lab) {
		i := l.Service(l.B, socks.Type, socksConfig(change))
		l.Sleep(ms)
		body(l)
		l.Sleep(time.Minute)
		found, err := i.Stop()
		require.NoError(t, err)
		r = found.(*socks.Result)
	})
	return r
}

// hostDialer dials from a host of the lab.
type hostDialer struct{ l *testlab.Lab }

// Dial implements proxy.Dialer.
func (d hostDialer) Dial(_, address string) (net.Conn, error) {
	return tcp.Dial(d.l.Context(), d.l.A, address)
}

// The client of golang.org/x/net gets 1 MB there and back, by name and by address.
func TestSOCKSConnect(t *testing.T) {
	data := bytes.Repeat([]byte("netlab tunnels "), 1<<20/15)
	login := func(c *socks.Config) { c.Users = access.Users{"ada": "secret"} }
	r := socksLab(t, login, func(l *testlab.Lab) {
		echoes(l, ":7")
		dialer, err := proxy.SOCKS5("tcp", "b:1080", &proxy.Auth{User: "ada", Password: "secret"}, hostDialer{l})
		require.NoError(t, err)
		for _, to := range []string{"a:7", "10.0.1.1:7", "[fd00:0:0:1::1]:7"} {
			c, err := dialer.Dial("tcp", to)
			require.NoError(t, err, to)
			l.A.Go(func() {
				c.Write(data)
				c.(interface{ CloseWrite() error }).CloseWrite()
			})
			back, err := io.ReadAll(c)
			require.NoError(t, err)
			require.True(t, bytes.Equal(data, back))
			c.Close()
		}
	})
	require.EqualValues(t, 3, r.Tunnels)
	require.EqualValues(t, 3*len(data), r.Sent)
	require.EqualValues(t, 3*len(data), r.Received)
	require.Contains(t, r.Hosts, "10.0.1.1")
}

// What clients say that isn't SOCKS5, or that they may not have, and what they are told.
func TestSOCKSRefusals(t *testing.T) {
	const hello, accepted = "\x05\x01\x00", "\x05\x00"
	const nowhere = "\x00\x01\x00\x00\x00\x00\x00\x00" // reserved, IPv4, 0.0.0.0:0
	filtered := func(c *socks.Config) { c.Deny.Hosts, c.Allow.Ports = []string{"10.0.*"}, []uint16{7, 8} }
	users := func(c *socks.Config) { c.Users = access.Users{"ada": "secret"} }
	for _, c := range []struct {
		name, sent string
		change     func(c *socks.Config)
		want       string
		count      func(r *socks.Result) uint64
	}{
		{"version 4", "\x04\x01\x00\x07\x0a\x00\x01\x01ada\x00", nil, "", malformed},
		{"HTTP", "GET / HTTP/1.1\r\n\r\n", nil, "", malformed},
		{"no methods", "\x05\x00", nil, "\x05\xff", unauthorized},
		{"unknown method", "\x05\x01\x01", nil, "\x05\xff", unauthorized},
		{"no user", "\x05\x01\x00", users, "\x05\xff", unauthorized},
		{"wrong password", "\x05\x02\x00\x02\x01\x03ada\x05wrong", users, "\x05\x02\x01\x01", unauthorized},
		{"wrong version of the login", "\x05\x01\x02\x05\x03ada\x06secret", users, "\x05\x02", malformed},
		{"half a greeting", "\x05\x09\x00", nil, "", malformed},
		{"bind", hello + "\x05\x02\x00\x01\x0a\x00\x01\x01\x00\x07", nil, accepted + "\x05\x07" + nowhere, malformed},
		{"no command", hello + "\x05\x09\x00\x01\x0a\x00\x01\x01\x00\x07", nil, accepted + "\x05\x07" + nowhere, malformed},
		{"no type of address", hello + "\x05\x01\x00\x02\x0a\x00\x01\x01\x00\x07", nil, accepted + "\x05\x08" + nowhere, malformed},
		{"version of the request", hello + "\x04\x01\x00\x01\x0a\x00\x01\x01\x00\x07", nil, accepted + "\x05\x01" + nowhere, malformed},
		{"empty name", hello + "\x05\x01\x00\x03\x00\x00\x07", nil, accepted + "\x05\x01" + nowhere, malformed},
		{"name with a line", hello + "\x05\x01\x00\x03\x03a\nb\x00\x07", nil, accepted + "\x05\x01" + nowhere, malformed},
		{"denied host", hello + "\x05\x01\x00\x01\x0a\x00\x01\x01\x00\x07", filtered, accepted + "\x05\x02" + nowhere, denied},
		{"denied host as a name", hello + "\x05\x01\x00\x03\x0810.0.1.1\x00\x07", filtered, accepted + "\x05\x02" + nowhere, denied},
		{"port that isn't allowed", hello + "\x05\x01\x00\x03\x01a\x00\x09", filtered, accepted + "\x05\x02" + nowhere, denied},
		{"nobody listens", hello + "\x05\x01\x00\x03\x01a\x00\x08", filtered, accepted + "\x05\x05" + nowhere, failed},
		{"unknown name", hello + "\x05\x01\x00\x03\x01x\x00\x08", filtered, accepted + "\x05\x04" + nowhere, failed},
		{"nobody answers", hello + "\x05\x01\x00\x01\x0a\x00\x01\x63\x00\x08", nil, accepted + "\x05\x06" + nowhere, failed},
		{"no UDP", hello + "\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00", func(c *socks.Config) { c.UDP = false }, accepted + "\x05\x07" + nowhere, malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := socksLab(t, c.change, func(l *testlab.Lab) {
				s := dial(l, ":1080")
				defer s.Close()
				io.WriteString(s, c.sent)
				s.CloseWrite()
				got, err := io.ReadAll(s)
				if err == nil {
					require.Equal(t, c.want, string(got))
				}
			})
			require.EqualValues(t, 1, c.count(r), "%+v", r)
			require.EqualValues(t, 1, r.Refused+r.Failed)
			require.Zero(t, r.Tunnels)
		})
	}
}

func malformed(r *socks.Result) uint64    { return r.Malformed }
func unauthorized(r *socks.Result) uint64 { return r.Unauthorized }
func denied(r *socks.Result) uint64       { return r.Denied }
func failed(r *socks.Result) uint64       { return r.Failed }

func TestSOCKSLimits(t *testing.T) {
	r := socksLab(t, func(c *socks.Config) { c.MaxConnections, c.HandshakeTimeout = 1, u(5*time.Second) }, func(l *testlab.Lab) {
		slow := dial(l, ":1080")
		defer slow.Close()
		second := dial(l, ":1080")
		_, err := second.Read(make([]byte, 1))
		require.Error(t, err, "one too many")
		second.Close()
		start := l.Elapsed()
		_, err = slow.Read(make([]byte, 1))
		require.Error(t, err)
		require.InDelta(t, 5*time.Second, l.Elapsed()-start, float64(100*ms))
	})
	require.EqualValues(t, 1, r.Limited)
	require.EqualValues(t, 1, r.Malformed)
}

func TestSOCKSDatagrams(t *testing.T) {
	r := socksLab(t, func(c *socks.Config) { c.Deny.Hosts = []string{"ads"} }, func(l *testlab.Lab) {
		server, err := udp.Listen(l.A, ":53")
		require.NoError(t, err)
		defer server.Close()
		l.A.Go(func() {
			b := make([]byte, 100)
			for {
				n, from, err := server.ReadFromAddrPort(b)
				if err != nil {
					return
				}
				require.Equal(t, "10.0.1.2", from.Addr().Unmap().String(), "the proxy's address")
				server.WriteToAddrPort(append([]byte("re: "), b[:n]...), from)
			}
		})
		control := dial(l, ":1080")
		io.WriteString(control, "\x05\x01\x00\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00")
		expectBytes(t, control, "\x05\x00\x05\x00\x00\x01\x0a\x00\x01\x02")
		port := make([]byte, 2)
		_, err = io.ReadFull(control, port)
		require.NoError(t, err)
		relay := netip.AddrPortFrom(netip.MustParseAddr("10.0.1.2"), uint16(port[0])<<8|uint16(port[1]))
		client, err := udp.Listen(l.A, ":0")
		require.NoError(t, err)
		defer client.Close()
		send := func(datagram string) {
			_, err := client.WriteToAddrPort([]byte(datagram), relay)
			require.NoError(t, err)
		}
		receive := func() string {
			b := make([]byte, 100)
			client.SetReadDeadline(time.Now().Add(time.Second))
			n, _, err := client.ReadFromAddrPort(b)
			if err != nil {
				return ""
			}
			return string(b[:n])
		}
		const answer = "\x00\x00\x00\x01\x0a\x00\x01\x01\x00\x35re: hi"
		send("\x00\x00\x00\x01\x0a\x00\x01\x01\x00\x35hi")
		require.Equal(t, answer, receive())
		send("\x00\x00\x00\x03\x01a\x00\x35hi")
		require.Equal(t, answer, receive(), "by name")
		for _, bad := range []string{"", "\x00\x00", "\x00\x00\x01\x01\x0a\x00\x01\x01\x00\x35hi", "\x00\x00\x00\x09hi", "\x00\x00\x00\x03\x03ads\x00\x35hi",
			"\x00\x00\x00\x03\x03xyz\x00\x35hi", "\x00\x00\x00\x03\xffx"} {
			send(bad)
			require.Empty(t, receive(), "%q", bad)
		}
		// A stranger gets nothing through.
		stranger, err := udp.Listen(l.A, ":0")
		require.NoError(t, err)
		stranger.WriteToAddrPort([]byte("\x00\x00\x00\x01\x0a\x00\x01\x01\x00\x35hi"), relay)
		stranger.Close()
		l.Sleep(time.Second)

		// The association ends with the connection.
		control.Close()
		l.Sleep(time.Second)
		send("\x00\x00\x00\x01\x0a\x00\x01\x01\x00\x35hi")
		require.Empty(t, receive())
	})
	require.EqualValues(t, 1, r.Associations)
	require.EqualValues(t, 4, r.Datagrams)
	require.EqualValues(t, 8, r.DatagramsDropped)
	require.EqualValues(t, 4, r.Sent)
	require.Zero(t, r.Failed)
}

func TestSOCKSValidate(t *testing.T) {
	require.NoError(t, socksConfig(nil).Validate())
	for field, change := range map[string]func(c *socks.Config){
		"listen":            func(c *socks.Config) { c.Listen = "" },
		"deny.paths":        func(c *socks.Config) { c.Deny.Paths = []string{"/x"} },
		"users":             func(c *socks.Config) { c.Users = access.Users{"": "x"} },
		"connect_timeout":   func(c *socks.Config) { c.ConnectTimeout = 0 },
		"handshake_timeout": func(c *socks.Config) { c.HandshakeTimeout = -1 },
		"idle_timeout":      func(c *socks.Config) { c.IdleTimeout = -1 },
		"max_connections":   func(c *socks.Config) { c.MaxConnections = 1 << 21 },
	} {
		require.ErrorContains(t, socksConfig(change).Validate(), field)
	}
}
