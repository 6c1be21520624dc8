package analysis

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"netlab/captures"
)

// dnsQuestion packs a query.
func dnsQuestion(t testing.TB, id uint16, name string) *dns.Msg {
	m := new(dns.Msg)
	m.SetQuestion(name, dns.TypeA)
	m.Id = id
	return m
}

func dnsBytes(t testing.TB, m *dns.Msg) []byte {
	b, err := m.Pack()
	require.NoError(t, err)
	return b
}

// dnsReply packs a response with records in the text of zone files.
func dnsReply(t testing.TB, query *dns.Msg, code int, records ...string) *dns.Msg {
	m := new(dns.Msg)
	m.SetRcode(query, code)
	for _, text := range records {
		rr, err := dns.NewRR(text)
		require.NoError(t, err)
		m.Answer = append(m.Answer, rr)
	}
	return m
}

// datagrams feeds messages over UDP.
type datagrams struct {
	*listener
	client, server netip.AddrPort
}

func newDatagrams(o Options) *datagrams {
	return &datagrams{newListener(o, 53), netip.MustParseAddrPort("10.0.0.1:5000"), netip.MustParseAddrPort("10.0.0.2:53")}
}

func (d *datagrams) say(side int, b []byte, packet uint64) {
	from, to := d.client, d.server
	if side == Server {
		from, to = to, from
	}
	f := d.next()
	f.Packet = &captures.Packet{ID: packet}
	d.a.apps.dnsMessage(f, from, to, false, f.Number, b)
	d.take(f)
}

func TestDNS(t *testing.T) {
	names := map[netip.Addr]string{netip.MustParseAddr("10.0.0.2"): "ns", netip.MustParseAddr("10.0.0.9"): "web1"}
	d := newDatagrams(Options{Name: func(a netip.Addr) string { return names[a] }})
	q := dnsQuestion(t, 7, "www.lab.")
	d.say(Client, dnsBytes(t, q), 1)
	d.say(Client, dnsBytes(t, q), 1) // the same packet at a router's other interface
	d.say(Client, dnsBytes(t, q), 2) // again
	d.say(Server, dnsBytes(t, dnsReply(t, q, dns.RcodeSuccess, "www.lab. 60 IN CNAME web.lab.", "web.lab. 60 IN A 10.0.0.9", "web.lab. 60 IN A 10.0.0.8")), 3)
	d.say(Server, dnsBytes(t, dnsReply(t, q, dns.RcodeSuccess, "www.lab. 60 IN A 10.0.0.9")), 4) // to the repetition
	other := dnsQuestion(t, 7, "nobody.lab.")
	d.say(Client, dnsBytes(t, other), 5)
	d.say(Server, dnsBytes(t, dnsReply(t, other, dns.RcodeNameError)), 6)
	d.say(Client, dnsBytes(t, dnsQuestion(t, 8, "late.lab.")), 7)
	d.say(Client, []byte("not a message"), 8)

	require.Equal(t, DNS{
		Queries: 5, Responses: 3, Repeated: 1, Unanswered: 1, Codes: map[string]int{"NOERROR": 2, "NXDOMAIN": 1},
		Exchanges: []*DNSExchange{
			{Client: "10.0.0.1:5000", Server: "ns:53", Name: "www.lab", Type: "A", Query: 1, QueryAt: time.Millisecond, Response: 4,
				Took: 3 * time.Millisecond, Code: "NOERROR", Answers: []string{"web.lab", "web1", "10.0.0.8"}, Repeats: 1},
			{Client: "10.0.0.1:5000", Server: "ns:53", Name: "nobody.lab", Type: "A", Query: 6, QueryAt: 6 * time.Millisecond, Response: 7,
				Took: time.Millisecond, Code: "NXDOMAIN"},
			{Client: "10.0.0.1:5000", Server: "ns:53", Name: "late.lab", Type: "A", Query: 8, QueryAt: 8 * time.Millisecond},
		},
	}, d.DNS)
	require.Equal(t, []string{
		"DNS query A www.lab", "DNS query A www.lab", "DNS query A www.lab", "DNS answer A www.lab: CNAME web.lab, web1, 10.0.0.8",
		"DNS answer A www.lab: web1", "DNS query A nobody.lab", "DNS answer A nobody.lab: NXDOMAIN", "DNS query A late.lab",
	}, d.messages)
	require.Equal(t, []string{"dns"}, d.frames[0].Protocols)
	require.Empty(t, d.frames[8].Protocols)
}

// overTCP puts the length before a message.
func overTCP(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

func TestDNSOverTCP(t *testing.T) {
	q := dnsQuestion(t, 1, "www.lab.")
	c := conversation{{Client, overTCP(dnsBytes(t, q))}, {Server, overTCP(dnsBytes(t, dnsReply(t, q, 0, "www.lab. 1 IN A 10.0.0.9")))}}
	for _, n := range cuts {
		l := newListener(Options{}, 53)
		for _, s := range c.cut(n) {
			l.data(s.side, s.b)
		}
		require.Equal(t, []string{"DNS query A www.lab", "DNS answer A www.lab: 10.0.0.9"}, l.messages)
		require.Equal(t, "dns", l.stream.Protocol)
		require.True(t, l.DNS.Exchanges[0].TCP)
		require.Zero(t, l.DNS.Unanswered)
		l.app.gap(l.next(), Client, 3)
		l.data(Client, c[0].b)
		require.Equal(t, 1, l.DNS.Queries, "after a gap the side is not read")
	}
}

// Queries that nobody answers are forgotten at some time, the latest last.
func TestDNSUnanswered(t *testing.T) {
	d := newDatagrams(Options{Limit: 1})
	q := dnsQuestion(t, 0, "www.lab.")
	b := dnsBytes(t, q)
	const n = 2*maxUnanswered + 10
	for i := range n {
		d.client = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 16), 0}), uint16(i))
		d.say(Client, b, 0)
	}
	require.Equal(t, n, d.DNS.Queries)
	require.Equal(t, n, d.DNS.Unanswered)
	require.LessOrEqual(t, len(d.a.apps.dns.open), 2*maxUnanswered)
	require.LessOrEqual(t, len(d.a.apps.dns.order), 2*maxUnanswered)
	d.say(Server, dnsBytes(t, dnsReply(t, q, 0)), 0)
	require.Equal(t, n-1, d.DNS.Unanswered)
	require.Len(t, d.DNS.Exchanges, 1)
}

func FuzzDNS(f *testing.F) {
	q := dnsQuestion(f, 1, "www.lab.")
	f.Add(dnsBytes(f, q), dnsBytes(f, dnsReply(f, q, 0, "www.lab. 1 IN A 10.0.0.9", `www.lab. 1 IN TXT "x"`, "www.lab. 1 IN MX 1 mail.lab.")))
	f.Fuzz(func(t *testing.T, query, response []byte) {
		d := newDatagrams(Options{})
		d.say(Client, query, 0)
		d.say(Server, response, 0)
		require.LessOrEqual(t, d.DNS.Queries+d.DNS.Responses, 2)
		require.GreaterOrEqual(t, d.DNS.Unanswered, 0)
		l := newListener(Options{}, 53)
		l.data(Client, query)
		l.data(Server, overTCP(response[:min(len(response), 1<<16-1)]))
		require.LessOrEqual(t, l.DNS.Responses, 1)
	})
}
