package dns_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	wire "github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"netlab/dns"
	"netlab/tcp"
)

// fail makes a server fail and returns what ends that.
func fail(t *testing.T, s *dns.Server, kind dns.FailureKind) (undo func()) {
	f, err := s.Fail(kind)
	require.NoError(t, err)
	return f.Remove
}

// What a resolver with one server tells its programs, and what it remembers.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		kind     dns.FailureKind
		timeout  bool
		notFound bool
		took     time.Duration
		queries  uint64
		// remembered says that the same name is not asked for again.
		remembered bool
	}{
		{dns.ServFail, false, false, rtt, 2, false}, // RFC 2308, section 7: a server failure needn't be cached
		{dns.Refused, false, false, rtt, 2, false},
		{dns.NXDomain, false, true, rtt, 2, true},
		{dns.Silent, true, false, 2 * time.Second, 4, false}, // a second for each attempt
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
				r := l.resolver(t, func(c *dns.ResolverConfig) { c.Timeout = time.Second })
				undo := fail(t, l.server, c.kind)
				ask := func() (*net.DNSError, time.Duration) {
					var failed *net.DNSError
					took := l.took(func() {
						_, err := r.Lookup(l.Context(), "www.lab.")
						require.ErrorAs(t, err, &failed)
					})
					return failed, took
				}
				failed, took := ask()
				require.Equal(t, c.timeout, failed.IsTimeout)
				require.Equal(t, c.notFound, failed.IsNotFound)
				require.Equal(t, c.kind == dns.ServFail || c.kind == dns.Refused, dns.IsRefused(failed))
				require.Equal(t, c.kind == dns.ServFail || c.kind == dns.Silent, failed.IsTemporary)
				require.Equal(t, c.took, took)
				stats := l.server.Stats()
				require.Equal(t, c.queries, stats.Failed)
				require.Equal(t, c.timeout, stats.Unanswered == c.queries)
				undo()
				if c.remembered {
					_, took = ask()
					require.Zero(t, took)
					l.Sleep(time.Minute) // the zone's negative TTL is less
				}
				l.lookup(t, r, "www.lab.", a1, a2, a3, b1, b2)
				require.Equal(t, c.queries, l.server.Stats().Failed)
			})
		})
	}
}

// A resolver asks the next server when one can't or won't answer, at once, and when it is silent after the timeout. That a name
// doesn't exist is an answer: nobody else is asked.
func TestFailuresOfTheFirstServer(t *testing.T) {
	for kind, want := range map[dns.FailureKind]time.Duration{dns.ServFail: 2 * rtt, dns.Refused: 2 * rtt, dns.Silent: time.Second + rtt, dns.NXDomain: 0} {
		lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
			stop := l.serve(t, &dns.Server{Zone: zone(t, nil)}, ":54")
			defer stop()
			r := l.resolver(t, func(c *dns.ResolverConfig) {
				c.Servers, c.Timeout = []netip.AddrPort{at(l.B, 53), at(l.B, 54)}, time.Second
			})
			fail(t, l.server, kind)
			if want == 0 {
				_, err := r.Lookup(l.Context(), "www.lab.")
				require.ErrorContains(t, err, "no such host")
				require.EqualValues(t, 2, r.Stats().Queries)
				return
			}
			require.Equal(t, want, l.lookup(t, r, "www.lab.", a1, a2, a3, b1, b2), kind)
		})
	}
}

// Of several failures in force the latest counts, in whatever order they end.
func TestTheLatestFailureCounts(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		r := l.resolver(t, func(c *dns.ResolverConfig) { c.NoCache, c.Attempts = true, 1 })
		says := func(want string) {
			t.Helper()
			_, err := r.Lookup(l.Context(), "www.lab.")
			if want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, want)
			}
		}
		first, second, third := fail(t, l.server, dns.ServFail), fail(t, l.server, dns.Refused), fail(t, l.server, dns.ServFail)
		says("SERVFAIL")
		third()
		says("REFUSED")
		third()
		says("REFUSED")
		first()
		says("REFUSED")
		second()
		says("")
		_, err := l.server.Fail("nothing")
		require.EqualError(t, err, `"nothing" is no answer of a name server that fails: want one of servfail, refused, nxdomain, silence`)
	})
}

// Over TCP a server fails as well; a connection stays open that it says nothing over.
func TestFailuresOverTCP(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		ask := func() (*wire.Msg, error) {
			raw, err := tcp.Dial(l.Context(), l.A, at(l.B, 53).String())
			require.NoError(t, err)
			defer raw.Close()
			require.NoError(t, raw.SetReadDeadline(l.Net.Epoch().Add(l.Elapsed()+time.Second)))
			c := wire.Conn{Conn: raw}
			m := new(wire.Msg).SetQuestion("www.lab.", wire.TypeA)
			m.SetEdns0(1232, false)
			require.NoError(t, c.WriteMsg(m))
			return c.ReadMsg()
		}
		for kind, want := range map[dns.FailureKind]int{dns.ServFail: wire.RcodeServerFailure, dns.Refused: wire.RcodeRefused,
			dns.NXDomain: wire.RcodeNameError} {
			undo := fail(t, l.server, kind)
			m, err := ask()
			require.NoError(t, err)
			require.Equal(t, want, m.Rcode)
			require.NotNil(t, m.IsEdns0())
			require.Equal(t, kind == dns.NXDomain, len(m.Ns) == 1)
			undo()
		}
		fail(t, l.server, dns.Silent)
		_, err := ask()
		var timeout net.Error
		require.ErrorAs(t, err, &timeout)
		require.True(t, timeout.Timeout())
		stats := l.server.Stats()
		require.EqualValues(t, 4, stats.Failed)
		require.EqualValues(t, 1, stats.Unanswered)
		require.EqualValues(t, 4, stats.TCP)
		require.Zero(t, stats.Malformed)
	})
}
