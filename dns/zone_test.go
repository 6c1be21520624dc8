package dns_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	wire "github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"netlab/dns"
)

var (
	a1, a2, a3 = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")
	b1, b2     = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
	client     = netip.MustParseAddr("198.51.100.1")
	european   = netip.MustParseAddr("203.0.113.9")
)

func ttl(d time.Duration) *time.Duration { return &d }

func zone(t testing.TB, change func(c *dns.ZoneConfig)) *dns.Zone {
	t.Helper()
	c := dns.ZoneConfig{
		Origin: "lab", TTL: time.Minute, NegativeTTL: 30 * time.Second,
		Stream: func(name string) *rand.Rand { return rand.New(rand.NewPCG(1, uint64(len(name)))) },
		Records: []dns.Record{
			{Name: "ns", Addresses: []netip.Addr{a1}},
			{Name: "www", Addresses: []netip.Addr{a1, b1, a2, b2, a3}, TTL: ttl(5 * time.Second)},
			{Name: "fixed", Addresses: []netip.Addr{a1, a2, a3}, Rotation: dns.Fixed},
			{Name: "web", CNAME: "www"},
			{Name: "shop", CNAME: "web.lab", TTL: ttl(0)},
			{Name: "away", CNAME: "elsewhere.example."},
			{Name: "dangling", CNAME: "nowhere"},
			{Name: "loop1", CNAME: "loop2"}, {Name: "loop2", CNAME: "loop1"},
			{Name: "_http._tcp", SRV: []dns.SRV{{Priority: 0, Weight: 5, Port: 80, Target: "fixed"}, {Priority: 1, Port: 8080, Target: "other.example."}}},
			{Name: "text", TXT: []string{`v=1 "quoted" \ back`, strings.Repeat("x", 300)}},
			{Name: "deep.below", Addresses: []netip.Addr{a2}},
			{Name: "*.any", Addresses: []netip.Addr{a3}},
			{Name: "known.any", TXT: []string{"here"}},
			{Name: "near", Addresses: []netip.Addr{a1}, Views: []dns.View{{
				For:       func(c netip.Addr) bool { return netip.MustParsePrefix("203.0.113.0/24").Contains(c) },
				Addresses: []netip.Addr{a2},
			}}},
			{Name: "@", TXT: []string{"the zone"}},
		},
	}
	if change != nil {
		change(&c)
	}
	z, err := dns.NewZone(c)
	require.NoError(t, err)
	return z
}

func query(name, qtype string) *wire.Msg {
	m := new(wire.Msg)
	m.SetQuestion(wire.Fqdn(name), wire.StringToType[qtype])
	return m
}

// texts prints records as "name ttl type data".
func texts(list []wire.RR) []string {
	out := []string{}
	for _, rr := range list {
		h := rr.Header()
		out = append(out, fmt.Sprintf("%s %d %s %s", h.Name, h.Ttl, wire.TypeToString[h.Rrtype], strings.TrimPrefix(rr.String(), h.String())))
	}
	return out
}

func TestAnswers(t *testing.T) {
	const soa = "lab. 30 SOA ns.lab. hostmaster.lab. 1 3600 600 86400 30"
	z := zone(t, nil)
	for _, c := range []struct {
		name, qtype, rcode string
		answer, authority  []string
	}{
		{"ns.lab", "A", "NOERROR", []string{"ns.lab. 60 A 192.0.2.1"}, nil},
		{"NS.Lab", "A", "NOERROR", []string{"NS.Lab. 60 A 192.0.2.1"}, nil},
		{"ns.lab", "AAAA", "NOERROR", nil, []string{soa}}, // NODATA
		{"no.lab", "A", "NXDOMAIN", nil, []string{soa}},
		{"no.such.lab", "TXT", "NXDOMAIN", nil, []string{soa}},
		{"below.lab", "A", "NOERROR", nil, []string{soa}}, // only has names below it
		{"deep.below.lab", "A", "NOERROR", []string{"deep.below.lab. 60 A 192.0.2.2"}, nil},
		{"lab", "A", "NOERROR", nil, []string{soa}},
		{"lab", "TXT", "NOERROR", []string{`lab. 60 TXT "the zone"`}, nil},
		{"lab", "SOA", "NOERROR", []string{"lab. 60 SOA ns.lab. hostmaster.lab. 1 3600 600 86400 30"}, nil},
		{"lab", "NS", "NOERROR", []string{"lab. 60 NS ns.lab."}, nil},
		{"fixed.lab", "A", "NOERROR", []string{"fixed.lab. 60 A 192.0.2.1", "fixed.lab. 60 A 192.0.2.2", "fixed.lab. 60 A 192.0.2.3"}, nil},
		{"web.lab", "CNAME", "NOERROR", []string{"web.lab. 60 CNAME www.lab."}, nil},
		{"away.lab", "A", "NOERROR", []string{"away.lab. 60 CNAME elsewhere.example."}, nil},
		{"web.lab", "TXT", "NOERROR", []string{"web.lab. 60 CNAME www.lab."}, []string{soa}},
		{"dangling.lab", "A", "NXDOMAIN", []string{"dangling.lab. 60 CNAME nowhere.lab."}, []string{soa}},
		{"_http._tcp.lab", "SRV", "NOERROR", []string{"_http._tcp.lab. 60 SRV 0 5 80 fixed.lab.", "_http._tcp.lab. 60 SRV 1 0 8080 other.example."}, nil},
		{"text.lab", "TXT", "NOERROR", []string{`text.lab. 60 TXT "v=1 \"quoted\" \\ back"`,
			`text.lab. 60 TXT "` + strings.Repeat("x", 255) + `" "` + strings.Repeat("x", 45) + `"`}, nil},
		{"what.ever.any.lab", "A", "NOERROR", []string{"what.ever.any.lab. 60 A 192.0.2.3"}, nil},
		{"what.any.lab", "TXT", "NOERROR", nil, []string{soa}},
		{"known.any.lab", "A", "NOERROR", nil, []string{soa}},    // it exists, so the wildcard is not for it
		{"x.known.any.lab", "A", "NXDOMAIN", nil, []string{soa}}, // nor for what is below it
		{"www.example", "A", "REFUSED", nil, nil},
		{"notlab", "A", "REFUSED", nil, nil},
		{"lab", "AXFR", "REFUSED", nil, nil},
	} {
		t.Run(c.name+" "+c.qtype, func(t *testing.T) {
			q := query(c.name, c.qtype)
			reply := z.Answer(q, client)
			// What goes over the wire is what counts.
			packet, err := reply.Pack()
			require.NoError(t, err)
			m := new(wire.Msg)
			require.NoError(t, m.Unpack(packet))
			require.Equal(t, c.rcode, wire.RcodeToString[m.Rcode])
			require.Equal(t, append([]string{}, c.answer...), texts(m.Answer))
			require.Equal(t, append([]string{}, c.authority...), texts(m.Ns))
			require.Equal(t, q.Id, m.Id)
			require.Equal(t, q.Question, m.Question)
			require.Equal(t, c.rcode != "REFUSED", m.Authoritative)
			require.False(t, m.RecursionAvailable)
		})
	}
}

func TestAliasesAreFollowed(t *testing.T) {
	reply := zone(t, nil).Answer(query("shop.lab", "AAAA"), client)
	require.Equal(t, []string{"shop.lab. 0 CNAME web.lab.", "web.lab. 60 CNAME www.lab.", "www.lab. 5 AAAA 2001:db8::1", "www.lab. 5 AAAA 2001:db8::2"},
		texts(reply.Answer))
	// A loop ends.
	require.Len(t, zone(t, nil).Answer(query("loop1.lab", "A"), client).Answer, 8)
}

// The addresses of the servers that a record names come along.
func TestAdditional(t *testing.T) {
	q := query("_http._tcp.lab", "SRV")
	q.SetEdns0(1232, false)
	extra := zone(t, nil).Answer(q, client).Extra
	require.Equal(t, []string{"fixed.lab. 60 A 192.0.2.1", "fixed.lab. 60 A 192.0.2.2", "fixed.lab. 60 A 192.0.2.3"}, texts(extra[:3]))
	require.IsType(t, &wire.OPT{}, extra[3])
}

func TestRotation(t *testing.T) {
	first := func(z *dns.Zone, name string, n int) string {
		var list []string
		for range n {
			reply := z.Answer(query(name, "A"), client)
			require.Len(t, reply.Answer, 3)
			list = append(list, strings.TrimPrefix(reply.Answer[0].(*wire.A).A.String(), "192.0.2."))
		}
		return strings.Join(list, "")
	}
	z := zone(t, nil)
	require.Equal(t, "1231231", first(z, "www.lab", 7))
	z.Answer(query("www.lab", "AAAA"), client)
	require.Equal(t, "23", first(z, "WWW.lab", 2), "each type and name has a turn of its own")
	require.Equal(t, "111", first(z, "fixed.lab", 3))

	shuffled := func() string {
		return first(zone(t, func(c *dns.ZoneConfig) { c.Rotation = dns.Shuffled }), "www.lab", 300)
	}
	order := shuffled()
	for _, n := range []string{"1", "2", "3"} {
		require.InDelta(t, 100, strings.Count(order, n), 30) // 3.7 standard deviations
	}
	require.Equal(t, order, shuffled())
}

func TestAnswersByClient(t *testing.T) {
	z := zone(t, nil)
	require.Equal(t, []string{"near.lab. 60 A 192.0.2.1"}, texts(z.Answer(query("near.lab", "A"), client).Answer))
	require.Equal(t, []string{"near.lab. 60 A 192.0.2.2"}, texts(z.Answer(query("near.lab", "A"), european).Answer))
	require.Empty(t, z.Answer(query("near.lab", "AAAA"), european).Answer)
}

func TestQueriesThatAreNone(t *testing.T) {
	z := zone(t, nil)
	update := query("www.lab", "A")
	update.Opcode = wire.OpcodeUpdate
	require.Equal(t, wire.RcodeNotImplemented, z.Answer(update, client).Rcode)
	two := query("www.lab", "A")
	two.Question = append(two.Question, two.Question[0])
	require.Equal(t, wire.RcodeFormatError, z.Answer(two, client).Rcode)
	chaos := query("version.bind", "TXT")
	chaos.Question[0].Qclass = wire.ClassCHAOS
	require.Equal(t, wire.RcodeRefused, z.Answer(chaos, client).Rcode)
	newer := query("www.lab", "A")
	newer.SetEdns0(1232, false)
	newer.IsEdns0().SetVersion(1)
	reply := z.Answer(newer, client)
	require.Equal(t, wire.RcodeBadVers, reply.Rcode)
	require.Empty(t, reply.Answer)
}

func TestZonesThatAreWrong(t *testing.T) {
	for want, change := range map[string]func(c *dns.ZoneConfig){
		`"" is not a domain name: want labels with dots between them, such as "www.lab"`:                  func(c *dns.ZoneConfig) { c.Origin = "" },
		`found a time to live of 1.5s, wanted whole seconds from 0s to 596523h14m7s`:                      func(c *dns.ZoneConfig) { c.TTL = 1500 * time.Millisecond },
		`found a time to live of -1s, wanted whole seconds from 0s to 596523h14m7s`:                       func(c *dns.ZoneConfig) { c.NegativeTTL = -time.Second },
		`record "WWW.lab": the name has a record already`:                                                 func(c *dns.ZoneConfig) { c.Records = []dns.Record{{Name: "www"}, {Name: "WWW.lab"}} },
		`record "www.example.": the name is outside of the zone lab`:                                      func(c *dns.ZoneConfig) { c.Records[0].Name = "www.example." },
		`record "a b": "a b" is not a domain name: ' ' is none of letters, digits, hyphen and underscore`: func(c *dns.ZoneConfig) { c.Records[0].Name = "a b" },
		`record "ns": an alias has nothing else (RFC 1034, section 3.6.2)`:                                func(c *dns.ZoneConfig) { c.Records[0].CNAME = "www" },
		`record "@": the zone itself can't be an alias: it has name servers`:                              func(c *dns.ZoneConfig) { c.Records = []dns.Record{{Name: "@", CNAME: "www"}} },
		`record "ns": the rotation "up" is not one of round-robin, fixed, random`:                         func(c *dns.ZoneConfig) { c.Records[0].Rotation = "up" },
		`record "ns": the rotation "random" needs a random stream`:                                        func(c *dns.ZoneConfig) { c.Records[0].Rotation, c.Stream = dns.Shuffled, nil },
		`record "ns": found a time to live of 1ms, wanted whole seconds from 0s to 596523h14m7s`:          func(c *dns.ZoneConfig) { c.Records[0].TTL = ttl(time.Millisecond) },
	} {
		c := dns.ZoneConfig{Origin: "lab", Stream: func(string) *rand.Rand { return nil }, Records: []dns.Record{{Name: "ns", Addresses: []netip.Addr{a1}}}}
		change(&c)
		_, err := dns.NewZone(c)
		require.EqualError(t, err, want)
	}
}

func TestNames(t *testing.T) {
	for _, good := range []string{"a", "www.lab", "www.lab.", "_http._tcp", "*.lab", "A-b.1", strings.Repeat("x", 63)} {
		require.NoError(t, dns.CheckName(good), good)
	}
	for _, bad := range []string{"", ".", "..", "a..b", ".a", "a b", "a.*", "a*", "ä", `a\.b`, strings.Repeat("x", 64), strings.Repeat("x.", 128)} {
		require.Error(t, dns.CheckName(bad), bad)
	}
	for _, c := range [][2]string{{"@", "lab."}, {"www", "www.lab."}, {"WWW.lab", "www.lab."}, {"www.example", "www.example.lab."},
		{"www.example.", "www.example."}, {"lab", "lab."}, {"mylab", "mylab.lab."}} {
		require.Equal(t, c[1], dns.Absolute(c[0], "lab"))
	}
}
