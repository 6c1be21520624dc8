package clients_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/services"
	"netlab/services/echo"
	"netlab/services/failures"
	"netlab/services/load"
	"netlab/services/load/clients"
	"netlab/tcp"
	"netlab/udp"
	"netlab/units"
)

const ms = time.Millisecond

func u(d time.Duration) units.Duration { return units.Duration(d) }

var wire = testlab.Config{Forward: testlab.Wire(10*ms, 0)}

// run runs a workload on a while a server runs on b.
func run(t *testing.T, lab testlab.Config, server func(l *testlab.Lab), typ services.Type, config services.Config) (r *load.Result) {
	testlab.Run(t, lab, func(t *testing.T, l *testlab.Lab) {
		server(l)
		l.Sleep(ms)
		found, err := l.Workload(typ, config, l.A)
		require.NoError(t, err)
		r = found.(*load.Result)
	})
	return r
}

func tcpEcho(l *testlab.Lab) { l.Service(l.B, echo.TCPServer, &echo.TCPConfig{Listen: ":7"}) }
func udpEcho(l *testlab.Lab) { l.Service(l.B, echo.UDPServer, &echo.UDPConfig{Listen: ":7"}) }
func nothing(*testlab.Lab)   {}

func TestTCPConnections(t *testing.T) {
	c := clients.NewTCPConfig()
	c.To, c.Users, c.Requests = "b", 2, 20
	r := run(t, wire, tcpEcho, clients.TCP, c)
	require.EqualValues(t, 20, r.Succeeded)
	require.EqualValues(t, 2, r.Phases.Connect.Count)
	require.Equal(t, u(20*ms), r.Phases.Connect.Max)
	require.EqualValues(t, 20, r.Phases.Wait.Count)
	require.Equal(t, u(0), r.Phases.Transfer.Max)
	require.EqualValues(t, 2000, r.Bytes)

	c.KeepAlive = false
	r = run(t, wire, tcpEcho, clients.TCP, c)
	require.EqualValues(t, 20, r.Phases.Connect.Count)
	require.Equal(t, u(40*ms), r.Latency.Min)
}

func TestTCPFailures(t *testing.T) {
	c := clients.NewTCPConfig()
	c.To, c.Users, c.Requests, c.Timeout = "b", 1, 2, u(time.Second)
	r := run(t, wire, nothing, clients.TCP, c)
	require.Equal(t, failures.Counts{Refused: 2}, r.Errors)
	require.EqualValues(t, 2, r.ByTarget["b"].Failed)

	silent := func(answer string) func(l *testlab.Lab) {
		return func(l *testlab.Lab) {
			listener, err := tcp.Listen(l.B, ":7")
			require.NoError(t, err)
			l.B.Go(func() {
				defer context.AfterFunc(l.Context(), func() { listener.Close() })()
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					conn.Write([]byte(answer))
					if answer != "" {
						conn.Close()
					}
				}
			})
		}
	}
	r = run(t, wire, silent(""), clients.TCP, c)
	require.Equal(t, failures.Counts{Timeout: 2}, r.Errors)
	require.Equal(t, u(1020*ms), r.ByTarget["b"].Latency.Max)
	r = run(t, wire, silent("half"), clients.TCP, c)
	require.EqualValues(t, 2, r.Errors.Closed+r.Errors.Reset)
	require.EqualValues(t, 8, r.Bytes)
}

func TestTCPResponse(t *testing.T) {
	c := clients.NewTCPConfig()
	size := units.Bytes(100_000)
	c.To, c.Users, c.Requests, c.Request, c.Response = "b", 1, 3, size, &size
	r := run(t, wire, tcpEcho, clients.TCP, c)
	require.EqualValues(t, 3, r.Succeeded)
	require.EqualValues(t, 300_000, r.Bytes)
	require.Positive(t, r.Phases.Transfer.Max)
}

func TestUDP(t *testing.T) {
	c := clients.NewUDPConfig()
	c.To, c.Rate, c.Arrivals, c.Duration = "b", 100, load.Constant, u(10*time.Second)
	r := run(t, wire, udpEcho, clients.UDP, c)
	require.EqualValues(t, 1000, r.Succeeded)
	require.Equal(t, u(20*ms), r.Latency.Max)
	require.EqualValues(t, 3, r.MaxInFlight) // one is answered as the next but one is due
	require.Equal(t, u(20*ms), r.Phases.Wait.Max)
	require.Equal(t, units.Rate(100), *r.Offered)

	// What is lost has failed after the timeout.
	lossy := testlab.Config{Forward: netem.Params{Latency: units.Constant(10 * ms), Loss: testlab.Loss(0.1), MTU: 1500}, Backward: testlab.Wire(10*ms, 0)}
	r = run(t, lossy, udpEcho, clients.UDP, c)
	require.InDelta(t, 100, r.Failed, 40)
	require.Equal(t, failures.Counts{Timeout: r.Failed}, r.Errors)
	require.Equal(t, u(20*ms), r.Latency.Max)
	require.Equal(t, u(time.Second), r.ByTarget["b"].Latency.Max)

	c.Rate, c.Users, c.Arrivals, c.ThinkTime = 0, 1, "", units.Constant(time.Second)
	require.EqualValues(t, 10, run(t, wire, nothing, clients.UDP, c).Errors.Refused)

	// An answer that comes after the timeout is not taken for that to the next request.
	c.Timeout, c.ThinkTime = u(15*ms), units.Distribution{}
	r = run(t, wire, udpEcho, clients.UDP, c)
	require.Zero(t, r.Succeeded)
}

// nameServer answers queries for names below lab: big.lab has so many addresses that an answer over UDP is truncated.
func nameServer(l *testlab.Lab) {
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		name := q.Question[0].Name
		n := 1
		switch {
		case strings.HasPrefix(name, "big."):
			n = 100
		case strings.HasPrefix(name, "missing."):
			n, m.Rcode = 0, dns.RcodeNameError
		case strings.HasPrefix(name, "broken."):
			n, m.Rcode = 0, dns.RcodeServerFailure
		}
		for i := range n {
			rr, err := dns.NewRR(fmt.Sprintf("%s 60 IN A 192.0.2.%d", name, i))
			require.NoError(l.T, err)
			m.Answer = append(m.Answer, rr)
		}
		size := dns.MinMsgSize
		if opt := q.IsEdns0(); opt != nil {
			size = int(opt.UDPSize())
		}
		if w.RemoteAddr().Network() == "udp" {
			m.Truncate(size)
		}
		w.WriteMsg(m)
	})
	packets, err := udp.Listen(l.B, ":53")
	require.NoError(l.T, err)
	listener, err := tcp.Listen(l.B, ":53")
	require.NoError(l.T, err)
	for _, s := range []*dns.Server{{PacketConn: packets, Handler: handler}, {Listener: listener, Handler: handler}} {
		l.B.Go(func() { s.ActivateAndServe() })
		context.AfterFunc(l.Context(), func() { s.Shutdown() })
	}
}

func TestDNS(t *testing.T) {
	query := func(change func(c *clients.DNSConfig)) *load.Result {
		c := clients.NewDNSConfig()
		c.To, c.Users, c.Requests, c.Names = "b", 1, 9, []string{"www.lab", "missing.lab", "broken.lab"}
		change(c)
		return run(t, wire, nameServer, clients.DNS, c)
	}
	r := query(func(*clients.DNSConfig) {})
	require.Equal(t, map[string]uint64{"NOERROR": 3, "NXDOMAIN": 3, "SERVFAIL": 3}, r.Status)
	require.EqualValues(t, 6, r.Succeeded)
	require.Equal(t, failures.Counts{Status: 3}, r.Errors)
	require.Equal(t, u(20*ms), r.Latency.Max)
	require.Equal(t, u(20*ms), r.Phases.Wait.Max)

	// A truncated answer costs a handshake and another round trip.
	r = query(func(c *clients.DNSConfig) { c.Names = []string{"big.lab"} })
	require.EqualValues(t, 9, r.Succeeded)
	require.Equal(t, u(60*ms), r.Latency.Max)
	require.EqualValues(t, 9, r.Phases.Connect.Count)
	require.Greater(t, r.Bytes, units.Bytes(9*1500))
	r = query(func(c *clients.DNSConfig) { c.Names, c.UDPSize = []string{"big.lab"}, 8192 })
	require.Equal(t, u(20*ms), r.Latency.Max)
	require.Nil(t, r.Phases.Connect)

	// With a random label every name is new.
	r = query(func(c *clients.DNSConfig) { c.Random, c.Query = true, "TXT" })
	require.Equal(t, map[string]uint64{"NOERROR": 9}, r.Status)

	// The host's resolver, which is a table here, takes no time.
	r = query(func(c *clients.DNSConfig) {
		c.To, c.Cache, c.Names, c.ThinkTime = "", true, []string{"b", "c"}, units.Constant(time.Second)
	})
	require.Equal(t, map[string]uint64{"NOERROR": 5, "NXDOMAIN": 4}, r.Status)
	require.Equal(t, u(0), r.Latency.Max)
}

func TestDNSTimeout(t *testing.T) {
	c := clients.NewDNSConfig()
	c.To, c.Users, c.Requests, c.Names = "b", 1, 2, []string{"www.lab"}
	deaf := func(l *testlab.Lab) {
		_, err := udp.Listen(l.B, ":53")
		require.NoError(t, err)
	}
	r := run(t, wire, deaf, clients.DNS, c)
	require.Equal(t, failures.Counts{Timeout: 2}, r.Errors)
	require.Equal(t, u(2*time.Second), r.ByTarget["b"].Latency.Max)
}

func TestValidate(t *testing.T) {
	tcpConfig := func(change func(c *clients.TCPConfig)) services.Config {
		c := clients.NewTCPConfig()
		c.To, c.Users = "b", 1
		change(c)
		return c
	}
	udpConfig := func(change func(c *clients.UDPConfig)) services.Config {
		c := clients.NewUDPConfig()
		c.To, c.Users = "b", 1
		change(c)
		return c
	}
	dnsConfig := func(change func(c *clients.DNSConfig)) services.Config {
		c := clients.NewDNSConfig()
		c.To, c.Users, c.Names = "b", 1, []string{"www.lab"}
		change(c)
		return c
	}
	none := units.Bytes(0)
	for _, c := range []struct {
		field  string // empty when it is valid
		config services.Config
	}{
		{"", tcpConfig(func(c *clients.TCPConfig) {})},
		{"", udpConfig(func(c *clients.UDPConfig) {})},
		{"", dnsConfig(func(c *clients.DNSConfig) {})},
		{"", dnsConfig(func(c *clients.DNSConfig) { c.To, c.Cache = "", true })},
		{"users", tcpConfig(func(c *clients.TCPConfig) { c.Users = 0 })},
		{"to", tcpConfig(func(c *clients.TCPConfig) { c.To = "" })},
		{"request", tcpConfig(func(c *clients.TCPConfig) { c.Request = 0 })},
		{"response", tcpConfig(func(c *clients.TCPConfig) { c.Response = &none })},
		{"timeout", tcpConfig(func(c *clients.TCPConfig) { c.Timeout = 0 })},
		{"to", udpConfig(func(c *clients.UDPConfig) { c.To = "b:x" })},
		{"size", udpConfig(func(c *clients.UDPConfig) { c.Size = 7 })},
		{"timeout", udpConfig(func(c *clients.UDPConfig) { c.Timeout = -1 })},
		{"to", dnsConfig(func(c *clients.DNSConfig) { c.To = "" })},
		{"to", dnsConfig(func(c *clients.DNSConfig) { c.Cache = true })},
		{"query", dnsConfig(func(c *clients.DNSConfig) { c.Query = "MX" })},
		{"udp_size", dnsConfig(func(c *clients.DNSConfig) { c.UDPSize = 511 })},
		{"names", dnsConfig(func(c *clients.DNSConfig) { c.Names = nil })},
		{"names", dnsConfig(func(c *clients.DNSConfig) { c.Names = []string{"a..b"} })},
		{"names", dnsConfig(func(c *clients.DNSConfig) { c.Names = []string{strings.Repeat("a", 64)} })},
	} {
		err := c.config.Validate()
		if c.field == "" {
			require.NoError(t, err)
			continue
		}
		var wrong *services.FieldError
		require.ErrorAs(t, err, &wrong)
		require.Equal(t, c.field, wrong.Field)
	}
}
