package lookup_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/dns"
	"netlab/internal/testlab"
	"netlab/services"
	"netlab/services/figures"
	"netlab/services/lookup"
	"netlab/services/nameserver"
	"netlab/units"
)

const (
	ms  = time.Millisecond
	rtt = 20 * ms
)

var (
	a1, a2 = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	b1     = netip.MustParseAddr("2001:db8::1")
)

// bench is a lab with a dns-server on b, which a asks unless resolver is nil.
type bench struct {
	*testlab.Lab
	server *testlab.Instance
}

func lab(t *testing.T, resolver *dns.ResolverConfig, change func(c *nameserver.Config), body func(t *testing.T, l *bench)) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		c := nameserver.NewConfig()
		short := units.Duration(3 * time.Second)
		c.Records = map[string]nameserver.Record{
			"www":  {A: []netip.Addr{a1, a2}, AAAA: []netip.Addr{b1}, TTL: &short},
			"to-b": {Nodes: []string{"b"}, A: []netip.Addr{a1}},
			"text": {TXT: []string{"hello"}},
			"web":  {CNAME: "text"},
		}
		if change != nil {
			change(c)
		}
		b := &bench{Lab: l, server: l.Service(l.B, nameserver.Server, c)}
		if resolver != nil {
			resolver.Servers = []netip.AddrPort{netip.AddrPortFrom(l.B.Addresses()[0], 53)}
			r, err := dns.NewResolver(l.A, *resolver)
			require.NoError(t, err)
			l.A.SetResolver(r)
		}
		l.Sleep(time.Second - l.Elapsed())
		body(t, b)
	})
}

func (l *bench) run(t *testing.T, change func(c *lookup.Config)) *lookup.Result {
	t.Helper()
	c := lookup.NewConfig()
	change(c)
	require.NoError(t, c.Validate())
	found, err := l.Workload(lookup.Type, c, l.A)
	require.NoError(t, err)
	return found.(*lookup.Result)
}

func share(p units.Probability) *units.Probability { return &p }

// One lookup a second: every third second the answer has to be fetched, and begins with the next address.
func TestRotationAndTTL(t *testing.T) {
	lab(t, &dns.ResolverConfig{Search: []string{"lab"}}, nil, func(t *testing.T, l *bench) {
		r := l.run(t, func(c *lookup.Config) { c.Name, c.Count = "www", 9 })
		require.EqualValues(t, 9, r.Lookups)
		require.EqualValues(t, 9, r.Answered)
		require.Equal(t, share(1), r.SuccessRate)
		// It is known from 1.02 s to 4.02 s and so on.
		require.EqualValues(t, 6, r.Hits)
		require.Equal(t, map[string]uint64{"NOERROR": 9}, r.Rcodes)
		require.Equal(t, map[string]uint64{"192.0.2.1": 5, "192.0.2.2": 4}, r.First)
		require.Equal(t, &figures.Latency{Max: units.Duration(rtt), Avg: units.Duration(rtt / 3), P99: units.Duration(rtt)}, r.Latency)
		require.Equal(t, lookup.Answer{At: 1e9, Latency: units.Duration(rtt), Name: "www.lab", Rcode: "NOERROR",
			Records: []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"}}, r.Answers[0])
		require.Equal(t, lookup.Answer{At: 5e9, Latency: units.Duration(rtt), Name: "www.lab", Rcode: "NOERROR",
			Records: []string{"192.0.2.2", "192.0.2.1", "2001:db8::1"}}, r.Answers[4])
		require.True(t, r.Answers[3].Hit)

		found, err := l.server.Stop()
		require.NoError(t, err)
		require.Equal(t, &nameserver.Result{Queries: 6, Types: map[string]uint64{"A": 3, "AAAA": 3}, Replies: map[string]uint64{"NOERROR": 6}}, found)
	})
}

func TestRecords(t *testing.T) {
	lab(t, &dns.ResolverConfig{}, nil, func(t *testing.T, l *bench) {
		for _, c := range []struct {
			name, record, server, rcode string
			records                     []string
			failures                    lookup.Failures
			first                       map[string]uint64
		}{
			{name: "text.lab", record: "txt", rcode: "NOERROR", records: []string{`"hello"`}},
			{name: "text.lab", record: "txt", server: "b", rcode: "NOERROR", records: []string{`"hello"`}},
			{name: "b.lab", record: "a", server: "b:53", rcode: "NOERROR", records: []string{"10.0.1.2"}, first: map[string]uint64{"b": 1}},
			{name: "to-b.lab", record: "address", rcode: "NOERROR", records: []string{"192.0.2.1", "10.0.1.2", "fd00:0:0:1::2"}, first: map[string]uint64{"192.0.2.1": 1}},
			{name: "lab", record: "ns", rcode: "NOERROR", records: []string{"b.lab."}},
			{name: "text.lab", record: "a", rcode: "NOERROR", failures: lookup.Failures{NotFound: 1}},
			{name: "web.lab", record: "txt", rcode: "NOERROR", records: []string{"text.lab.", `"hello"`}},
			{name: "web.lab", record: "address", rcode: "NOERROR", records: []string{"text.lab.", "text.lab."}, failures: lookup.Failures{NotFound: 1}},
			{name: "nothing.lab", record: "address", rcode: "NXDOMAIN", failures: lookup.Failures{NotFound: 1}},
			{name: "www.example", record: "a", failures: lookup.Failures{Refused: 1}},
			{name: "www.lab", record: "a", server: "b:54", failures: lookup.Failures{Other: 1}},
		} {
			r := l.run(t, func(x *lookup.Config) { x.Name, x.Record, x.Server = c.name, c.record, services.Target(c.server) })
			require.Equal(t, c.failures, r.Failures, c.name)
			require.Equal(t, c.records, r.Answers[0].Records, c.name)
			require.Equal(t, c.rcode, r.Answers[0].Rcode, c.name)
			require.Equal(t, c.rcode == "", r.Answers[0].Error != "", c.name)
			if c.first != nil {
				require.Equal(t, c.first, r.First)
			}
		}
	})
}

// A lookup that waits for its server does not hold up the next one, which waits for the same answer.
func TestServerThatIsSilent(t *testing.T) {
	lab(t, &dns.ResolverConfig{Timeout: time.Second}, nil, func(t *testing.T, l *bench) {
		p := l.Links[0].Params(0)
		p.Down = true
		l.At(1500*ms, func() { _ = l.Links[0].Set(0, p) })
		r := l.run(t, func(c *lookup.Config) { c.Name, c.Count = "www.lab", 8 })
		// Known until 4.02 s; asked at 5 s and, as the answer to that fails at 7 s, at 7 s.
		require.Equal(t, lookup.Failures{Timeout: 4}, r.Failures)
		require.EqualValues(t, 3, r.Hits)
		require.Equal(t, share(0.5), r.SuccessRate)
		require.Equal(t, lookup.Answer{At: 5e9, Latency: 2e9, Error: "lookup www.lab on 10.0.1.2:53: i/o timeout"}, r.Answers[4])
		require.Equal(t, units.Duration(1e9), r.Answers[5].Latency)
		require.EqualValues(t, 4, r.Answered)
	})
}

// Without a name server the hosts table answers, and no packet is sent.
func TestHostsTable(t *testing.T) {
	lab(t, nil, nil, func(t *testing.T, l *bench) {
		r := l.run(t, func(c *lookup.Config) { c.Name = "b" })
		require.Equal(t, []string{"10.0.1.2", "fd00:0:0:1::2"}, r.Answers[0].Records)
		require.Zero(t, r.Latency.Max)
		require.Zero(t, l.Delivered(0, 0))
		r = l.run(t, func(c *lookup.Config) { c.Name = "c" })
		require.Equal(t, lookup.Failures{NotFound: 1}, r.Failures)
		c := lookup.NewConfig()
		c.Name, c.Record = "b", "txt"
		_, err := l.Workload(lookup.Type, c, l.A)
		require.EqualError(t, err, `a asks no name server: give it "dns", or the workload a "server"`)
	})
}

func TestValidate(t *testing.T) {
	for want, change := range map[string]func(c *lookup.Config){
		`name: missing: want a domain name such as "www.lab"`:                                                       func(c *lookup.Config) { c.Name = "" },
		`record: "mx" is not one of address, a, aaaa, cname, srv, txt, ns, soa`:                                     func(c *lookup.Config) { c.Record = "mx" },
		`count: found -1, wanted 0 or more`:                                                                         func(c *lookup.Config) { c.Count = -1 },
		`interval: found 0s, wanted more than 0s`:                                                                   func(c *lookup.Config) { c.Interval = 0 },
		`udp_size: found 1B, wanted 512B to 65535B`:                                                                 func(c *lookup.Config) { c.Server, c.UDPSize = "b", 1 },
		`attempts: is for a "server" that is asked directly; the host's resolver has its own, in "dns" of the node`: func(c *lookup.Config) { c.Attempts = 1 },
	} {
		c := lookup.NewConfig()
		c.Name = "www.lab"
		require.NoError(t, c.Validate())
		change(c)
		require.EqualError(t, c.Validate(), want)
	}
}

// A dns-server that is made to fail does so for every client, also after a crash and a restart in between.
func TestFailingServer(t *testing.T) {
	lab(t, nil, nil, func(t *testing.T, l *bench) {
		ask := func() *lookup.Result {
			return l.run(t, func(c *lookup.Config) {
				c.Server, c.Name, c.Count, c.Timeout, c.Attempts = "b", "www.lab.", 1, units.Duration(time.Second), 1
			})
		}
		failer := l.server.Runner().(services.DNSFailer)
		undo, err := failer.FailQueries("servfail")
		require.NoError(t, err)
		require.EqualValues(t, 1, ask().Failures.Refused)
		more, err := failer.FailQueries("silence")
		require.NoError(t, err)
		require.EqualValues(t, 1, ask().Failures.Timeout)
		l.Crash(l.B)
		l.Restart(l.B)
		l.Sleep(ms)
		require.EqualValues(t, 1, ask().Failures.Timeout)
		more()
		require.EqualValues(t, 1, ask().Failures.Refused)
		undo()
		require.EqualValues(t, 1, ask().Answered)
		_, err = failer.FailQueries("later")
		require.ErrorContains(t, err, `"later" is no answer of a name server that fails`)
		found, err := l.server.Stop()
		require.NoError(t, err)
		r := found.(*nameserver.Result)
		require.EqualValues(t, 10, r.Queries)
		require.EqualValues(t, 8, r.Failed)
		require.EqualValues(t, 4, r.Unanswered)
		require.Equal(t, map[string]uint64{"SERVFAIL": 4, "NOERROR": 2}, r.Replies)
	})
}

// After a restart the places in the rotations are those of the start, and the counts go on.
func TestRestartOfTheServer(t *testing.T) {
	lab(t, nil, nil, func(t *testing.T, l *bench) {
		first := func() string {
			r := l.run(t, func(c *lookup.Config) { c.Server, c.Name, c.Record, c.Count = "b", "www.lab.", "a", 1 })
			return r.Answers[0].Records[0]
		}
		require.Equal(t, a1.String(), first())
		l.Crash(l.B)
		l.Restart(l.B)
		l.Sleep(ms)
		require.Equal(t, a1.String(), first())
		require.Equal(t, a2.String(), first())
		require.EqualValues(t, 3, l.server.Result().(*nameserver.Result).Queries)
	})
}
