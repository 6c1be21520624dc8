package dns_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	wire "github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"netlab/dns"
	"netlab/tcp"
)

// A lookup takes a round trip, for IPv4 and IPv6 addresses together, and a connection by name one more than by address.
func TestFirstConnectionCostsOneRoundTripMore(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		r := l.resolver(t, nil)
		l.Names.Add("unknown", a1) // the hosts table is not asked
		require.Equal(t, rtt, l.lookup(t, r, "www.lab", a1, a2, a3, b1, b2))
		require.Equal(t, dns.ResolverStats{Lookups: 1, Queries: 2}, r.Stats())
		_, err := l.A.Resolve(l.Context(), "unknown")
		require.Error(t, err)
	})
	for _, c := range []struct {
		name string
		want time.Duration
	}{{"b.lab", 2 * rtt}, {"b", 2 * rtt}, {"10.0.1.2", rtt}} {
		z := zone(t, func(c *dns.ZoneConfig) {
			c.Records = []dns.Record{{Name: "b", Addresses: []netip.Addr{netip.MustParseAddr("10.0.1.2")}}}
		})
		lab(t, link, z, func(t *testing.T, l *bench) {
			l.resolver(t, nil)
			listener, err := tcp.Listen(l.B, ":80")
			require.NoError(t, err)
			defer listener.Close()
			for _, want := range []time.Duration{c.want, rtt} { // and then the name is known
				require.Equal(t, want, l.took(func() {
					conn, err := tcp.Dial(l.Context(), l.A, c.name+":80")
					require.NoError(t, err)
					conn.Close()
				}), c.name)
			}
		})
	}
}

func TestAnswersLiveAsLongAsTheirTTL(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		r := l.resolver(t, nil)
		l.lookup(t, r, "www.lab", a1, a2, a3, b1, b2)
		until := l.Elapsed() + 5*time.Second
		l.Sleep(until - l.Elapsed() - 1)
		require.Zero(t, l.lookup(t, r, "www.lab", a1, a2, a3, b1, b2), "a nanosecond before its end")
		l.Sleep(1)
		require.Equal(t, until, l.Elapsed())
		require.Equal(t, rtt, l.lookup(t, r, "WWW.lab", a2, a3, a1, b2, b1), "rotated by one")
		require.Zero(t, l.lookup(t, r, "www", a2, a3, a1, b2, b1))
		require.Equal(t, dns.ResolverStats{Lookups: 4, Hits: 2, Queries: 4}, r.Stats())
		// An alias with a TTL of 0 is never kept, whatever it leads to.
		for range 2 {
			require.Equal(t, rtt, l.lookupAny(t, r, "shop.lab"))
		}
		answers, err := r.Query(l.Context(), "www.lab", wire.TypeA)
		require.NoError(t, err)
		require.Equal(t, until+5*time.Second+rtt-l.Elapsed(), answers[0].TTL)
		require.True(t, answers[0].Hit)
	})
}

// lookupAny returns how long a lookup that finds something took.
func (l *bench) lookupAny(t testing.TB, r *dns.Resolver, name string) time.Duration {
	return l.took(func() {
		_, err := r.Lookup(l.Context(), name)
		require.NoError(t, err)
	})
}

func TestWithoutCache(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		r := l.resolver(t, func(c *dns.ResolverConfig) { c.NoCache = true })
		require.Equal(t, rtt, l.lookup(t, r, "ns", a1))
		require.Equal(t, rtt, l.lookup(t, r, "ns", a1))
		require.Equal(t, dns.ResolverStats{Lookups: 2, Queries: 4}, r.Stats())
	})
}

func TestCacheIsBounded(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		r := l.resolver(t, func(c *dns.ResolverConfig) { c.CacheSize = 4 }) // two names
		l.lookup(t, r, "ns", a1)
		l.lookup(t, r, "deep.below.lab", a2)
		require.Zero(t, l.lookup(t, r, "ns", a1))
		l.lookup(t, r, "x.any.lab", a3)
		require.Zero(t, l.lookup(t, r, "ns", a1))
		require.Equal(t, rtt, l.lookup(t, r, "deep.below.lab", a2), "it was used least recently")
	})
}

// That there is nothing is remembered for the zone's negative TTL.
func TestNothingIsRemembered(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		r := l.resolver(t, nil)
		fail := func(name, want string) time.Duration {
			return l.took(func() {
				_, err := r.Lookup(l.Context(), name)
				var failed *net.DNSError
				require.ErrorAs(t, err, &failed)
				require.True(t, failed.IsNotFound)
				require.False(t, failed.IsTimeout || failed.IsTemporary)
				require.Equal(t, name, failed.Name)
				require.Equal(t, "10.0.1.2:53", failed.Server)
				require.Equal(t, want, failed.Err)
			})
		}
		require.Equal(t, rtt, fail("no.lab.", "no such host"))
		until := l.Elapsed() + 30*time.Second
		require.Equal(t, rtt, fail("text.lab.", "no such host: text.lab has no address"))
		l.Sleep(until - l.Elapsed() - 1)
		require.Zero(t, fail("no.lab.", "no such host"))
		l.Sleep(1)
		require.Equal(t, rtt, fail("no.lab.", "no such host"))
	})
}

func TestSearch(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		r := l.resolver(t, func(c *dns.ResolverConfig) { c.Search = []string{"example", "below.lab", "lab."} })
		// example is refused, below.lab hasn't it, lab has it.
		require.Equal(t, 3*rtt, l.lookup(t, r, "ns", a1))
		require.Equal(t, 2*rtt, l.lookup(t, r, "deep", a2))
		// With a dot a name is tried as it is first; the zone refuses that, and example as well.
		require.Equal(t, 4*rtt, l.lookup(t, r, "x.any", a3))
		for _, name := range []string{"ns.", "www.example."} {
			_, err := r.Lookup(l.Context(), name)
			var failed *net.DNSError
			require.ErrorAs(t, err, &failed)
			require.True(t, dns.IsRefused(err))
			require.False(t, failed.IsNotFound || failed.IsTimeout || failed.IsTemporary)
			require.Equal(t, "server misbehaving: REFUSED", failed.Err)
		}
		_, err := r.Lookup(l.Context(), "a b")
		require.ErrorContains(t, err, `lookup a b: "a b" is not a domain name`)
	})
}

// A truncated answer is asked for again over TCP: a round trip for the question, one for the handshake, one for the answer.
func TestTruncatedAnswersComeOverTCP(t *testing.T) {
	var many []netip.Addr
	for i := range 40 {
		many = append(many, netip.AddrFrom4([4]byte{10, 9, 0, byte(i)}))
	}
	z := zone(t, func(c *dns.ZoneConfig) {
		c.Rotation, c.Records = dns.Fixed, []dns.Record{{Name: "many", Addresses: many}}
	})
	lab(t, link, z, func(t *testing.T, l *bench) {
		r := l.resolver(t, nil)
		require.Equal(t, 3*rtt, l.lookup(t, r, "many", many...))
		require.Equal(t, dns.ResolverStats{Lookups: 1, Queries: 3, TCP: 1}, r.Stats())
		require.Zero(t, l.lookup(t, r, "many", many...))
		require.Equal(t, dns.ServerStats{Queries: map[string]uint64{"A": 2, "AAAA": 1}, Replies: map[string]uint64{"NOERROR": 3}, TCP: 1, Truncated: 1},
			l.server.Stats())
		edns := l.resolver(t, func(c *dns.ResolverConfig) { c.UDPSize = 1232 })
		require.Equal(t, rtt, l.lookup(t, edns, "many", many...))
	})
}

// Nobody answers: every attempt takes the timeout, and then the error is a timeout.
func TestTimeouts(t *testing.T) {
	for _, c := range []struct {
		timeout  time.Duration
		attempts int
		want     time.Duration
	}{{0, 0, 10 * time.Second}, {time.Second, 3, 3 * time.Second}} {
		lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
			seen := l.silent(t, "5300")
			r := l.resolver(t, func(x *dns.ResolverConfig) {
				x.Servers, x.Timeout, x.Attempts = []netip.AddrPort{at(l.B, 5300)}, c.timeout, c.attempts
			})
			require.Equal(t, c.want, l.took(func() {
				_, err := r.Lookup(l.Context(), "ns")
				require.EqualError(t, err, "lookup ns on 10.0.1.2:5300: i/o timeout")
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				var failed *net.DNSError
				require.ErrorAs(t, err, &failed)
				require.True(t, failed.IsTimeout && failed.IsTemporary)
				require.False(t, failed.IsNotFound)
			}))
			questions := 2 * r.Config().Attempts
			require.Equal(t, questions, seen())
			require.Equal(t, dns.ResolverStats{Lookups: 1, Queries: uint64(questions), Timeouts: uint64(questions)}, r.Stats())
			_, err := r.Lookup(l.Context(), "ns")
			require.Error(t, err, "it is not remembered")
			require.EqualValues(t, 2*questions, r.Stats().Queries)
		})
	}
}

// The next server is asked after the timeout of one that is silent, and at once after one where nobody listens.
func TestFailover(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		l.silent(t, "5300")
		r := l.resolver(t, func(c *dns.ResolverConfig) {
			c.Servers = []netip.AddrPort{at(l.B, 5300), at(l.B, 53)}
		})
		require.Equal(t, 5*time.Second+rtt, l.lookup(t, r, "ns", a1))
		r = l.resolver(t, func(c *dns.ResolverConfig) {
			c.Servers = []netip.AddrPort{at(l.B, 5301), at(l.B, 0)}
		})
		require.Equal(t, 2*rtt, l.lookup(t, r, "ns", a1))
		require.Equal(t, dns.ResolverStats{Lookups: 1, Queries: 4, Errors: 2}, r.Stats())
		// Two zones on two servers: who does not serve a name passes the question on.
		other := zone(t, func(c *dns.ZoneConfig) {
			c.Origin, c.Records = "example", []dns.Record{{Name: "www", Addresses: []netip.Addr{a3}}, {Name: "here", CNAME: "ns.lab."}}
		})
		defer l.serve(t, &dns.Server{Zone: other}, ":54")()
		r = l.resolver(t, func(c *dns.ResolverConfig) { c.Servers = []netip.AddrPort{at(l.B, 53), at(l.B, 54)} })
		require.Equal(t, 2*rtt, l.lookup(t, r, "www.example", a3))
		// An alias into the other zone: refused, the alias, and then what it leads to.
		require.Equal(t, 3*rtt, l.lookup(t, r, "here.example", a1))
		require.Zero(t, l.lookup(t, r, "here.example", a1))
	})
}

// A lost question is asked again; the other one was answered and is not.
func TestLoss(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		r := l.resolver(t, nil)
		l.cut(l.Elapsed()+5*ms, 100*ms)
		l.Sleep(6 * ms)
		require.Equal(t, 5*time.Second+rtt, l.lookup(t, r, "ns", a1))
		require.Equal(t, dns.ResolverStats{Lookups: 1, Queries: 4, Timeouts: 2}, r.Stats())
	})
}

// cut takes the link down for a time.
func (l *bench) cut(from, length time.Duration) {
	set := func(down bool) func() {
		return func() {
			for d := range 2 {
				p := l.Links[0].Params(d)
				p.Down = down
				if err := l.Links[0].Set(d, p); err != nil {
					l.T.Error(err)
				}
			}
		}
	}
	l.At(from, set(true))
	l.At(from+length, set(false))
}

// The server is cut off: what is known goes on working until its time to live is over.
func TestCutOff(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		r := l.resolver(t, nil)
		l.lookupAny(t, r, "www")
		until := l.Elapsed() + 5*time.Second
		l.cut(l.Elapsed()+ms, time.Minute)
		l.Sleep(until - l.Elapsed() - 1)
		require.Zero(t, l.lookupAny(t, r, "www"))
		l.Sleep(1)
		for range 2 {
			require.Equal(t, 10*time.Second, l.took(func() {
				_, err := r.Lookup(l.Context(), "www")
				require.True(t, errors.Is(err, os.ErrDeadlineExceeded), err)
			}))
		}
		l.Sleep(time.Minute)
		require.Equal(t, rtt, l.lookupAny(t, r, "www"))
	})
}

// Whoever asks what is being asked already waits for that answer.
func TestEqualQuestionsAreAskedOnce(t *testing.T) {
	const users = 100
	for _, noCache := range []bool{false, true} {
		lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
			r := l.resolver(t, func(c *dns.ResolverConfig) { c.NoCache = noCache })
			var done sync.WaitGroup
			for i := range users {
				done.Add(1)
				l.A.Go(func() {
					defer done.Done()
					l.Sleep(time.Duration(i) * 100 * time.Microsecond)
					want := rtt - time.Duration(i)*100*time.Microsecond
					if got := l.lookupAny(t, r, "www"); got != want {
						t.Errorf("user %d: %s, wanted %s", i, got, want)
					}
				})
			}
			done.Wait()
			require.Equal(t, dns.ResolverStats{Lookups: users, Joined: users - 1, Queries: 2}, r.Stats())
			require.EqualValues(t, 1, l.server.Stats().Queries["AAAA"])
		})
	}
}

// Who gives up does not take the question away from the others; when all have, it is given up.
func TestGivingUp(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		r := l.resolver(t, nil)
		first, cancel := context.WithCancelCause(l.Context())
		l.A.Go(func() {
			l.Sleep(5 * ms)
			cancel(errors.New("changed my mind"))
		})
		var err error
		l.A.Go(func() { _, err = r.Lookup(first, "www") })
		require.Equal(t, rtt, l.lookupAny(t, r, "www"))
		require.ErrorContains(t, err, "lookup www: changed my mind")
		require.EqualValues(t, 2, r.Stats().Queries)

		l.silent(t, "5300")
		r = l.resolver(t, func(c *dns.ResolverConfig) { c.Servers = []netip.AddrPort{at(l.B, 5300)} })
		for range 2 {
			ctx, cancel := context.WithCancel(l.Context())
			l.A.Go(func() {
				l.Sleep(time.Second)
				cancel()
			})
			require.Equal(t, time.Second, l.took(func() {
				_, err := r.Lookup(ctx, "www")
				require.ErrorIs(t, err, context.Canceled)
			}))
		}
		require.Equal(t, dns.ResolverStats{Lookups: 2, Queries: 4}, r.Stats())
	})
}

// A host asks only for addresses that it can use, and over the IP version that it has.
func TestOverIPv6(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		r := l.resolver(t, func(c *dns.ResolverConfig) { c.Servers = []netip.AddrPort{netip.AddrPortFrom(l.B.Addresses()[1], 53)} })
		require.Equal(t, rtt, l.lookupAny(t, r, "www"))
		// A host may ask itself, without a frame.
		frames := l.Delivered(0, 0)
		own, err := dns.NewResolver(l.B, dns.ResolverConfig{Servers: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53")}})
		require.NoError(t, err)
		require.Zero(t, l.lookupAny(t, own, "www.lab"))
		address, ok := dns.ServerAddress(l.B, "b")
		require.True(t, ok)
		own, err = dns.NewResolver(l.B, dns.ResolverConfig{Servers: []netip.AddrPort{netip.AddrPortFrom(address, 0)}})
		require.NoError(t, err)
		require.Zero(t, l.lookupAny(t, own, "www.lab"))
		require.Equal(t, frames, l.Delivered(0, 0))
	})
}

func TestResolversThatAreWrong(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		server := []netip.AddrPort{at(l.B, 53)}
		for _, c := range []dns.ResolverConfig{
			{}, {Servers: server, Timeout: -1}, {Servers: server, Attempts: -1}, {Servers: server, CacheSize: -1},
			{Servers: server, UDPSize: 511}, {Servers: server, Search: []string{"a b"}},
		} {
			_, err := dns.NewResolver(l.A, c)
			require.Error(t, err)
		}
	})
}
