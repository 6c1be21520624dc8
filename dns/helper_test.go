package dns_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/dns"
	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/udp"
)

const ms = time.Millisecond

// link is one on which nothing but the latency takes time.
var link = testlab.Config{Forward: testlab.Wire(10*ms, 0)}

const rtt = 20 * ms

// bench is a lab in which b serves the zone and a asks.
type bench struct {
	*testlab.Lab
	server *dns.Server
}

// lab runs body in a lab with a name server.
func lab(t *testing.T, c testlab.Config, z *dns.Zone, body func(t *testing.T, l *bench)) {
	t.Helper()
	testlab.Run(t, c, func(t *testing.T, l *testlab.Lab) {
		b := &bench{l, &dns.Server{Zone: z}}
		stop := b.serve(t, b.server, ":53")
		defer stop()
		body(t, b)
	})
}

// serve runs a server on b until it is stopped.
func (l *bench) serve(t testing.TB, s *dns.Server, address string) (stop func()) {
	ctx, cancel := context.WithCancel(l.Context())
	done := make(chan error, 1)
	l.B.Go(func() { done <- s.Serve(ctx, l.B, address) })
	l.Sleep(time.Nanosecond)
	return func() {
		cancel()
		require.NoError(t, <-done)
	}
}

// silent opens a port on b at which questions are taken and never answered.
func (l *bench) silent(t testing.TB, port string) (seen func() int) {
	c, err := udp.Listen(l.B, ":"+port)
	require.NoError(t, err)
	n := 0
	l.B.Go(func() {
		for {
			if _, _, err := c.ReadFrom(make([]byte, 1<<16)); err != nil {
				return
			}
			n++
		}
	})
	context.AfterFunc(l.Context(), func() { c.Close() })
	return func() int { return n }
}

func at(h *ip.Host, port uint16) netip.AddrPort { return netip.AddrPortFrom(h.Addresses()[0], port) }

// resolver makes the resolver of a, which asks b unless the configuration says otherwise.
func (l *bench) resolver(t testing.TB, change func(c *dns.ResolverConfig)) *dns.Resolver {
	c := dns.ResolverConfig{Servers: []netip.AddrPort{at(l.B, 53)}, Search: []string{"lab"}}
	if change != nil {
		change(&c)
	}
	r, err := dns.NewResolver(l.A, c)
	require.NoError(t, err)
	l.A.SetResolver(r)
	return r
}

// took returns how long fn takes of the lab's time.
func (l *bench) took(fn func()) time.Duration {
	start := l.Elapsed()
	fn()
	return l.Elapsed() - start
}

// lookup requires that a name has these addresses, and returns how long the lookup took.
func (l *bench) lookup(t testing.TB, r *dns.Resolver, name string, want ...netip.Addr) time.Duration {
	t.Helper()
	return l.took(func() {
		got, err := r.Lookup(l.Context(), name)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}
