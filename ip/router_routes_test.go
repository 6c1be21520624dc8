package ip

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/netem"
)

// Routes are replaced all at once, and networks of interfaces that are down are withdrawn.
func TestReplaceRoutes(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		to, all, net1 := "192.0.2.0/24", "0.0.0.0/0", far4(1)
		if v6 {
			to, all, net1 = "2001:db8::/32", "::/0", far6(1)
		}
		dst := netip.MustParsePrefix(to).Addr().Next()
		send := func(b *bench, at time.Duration, to netip.Addr) {
			b.put(at, 0, udpFrom(port(far(v6, 0), 1), port(to, 2), ""))
		}
		b := inBench(t, 3, 0, nil, func(b *bench) {
			change := func(at time.Duration, want string, routes []Route, down ...int) {
				b.At(0, netem.KindControl, at, func() {
					err := b.router.ReplaceRoutes(routes, down...)
					if want == "" {
						require.NoError(t, err)
					} else {
						require.ErrorContains(t, err, want)
					}
				})
			}
			via := func(to string, i int) Route { return Route{netip.MustParsePrefix(to), far(v6, i)} }
			require.NoError(t, b.router.SetRoutes([]Route{via(to, 1)}))
			send(b, 1*time.Second, dst) // by 1
			change(2*time.Second, "", []Route{via(all, 2)}, 1)
			send(b, 3*time.Second, dst)  // by 2
			send(b, 4*time.Second, net1) // by 2: the network behind 1 is withdrawn
			change(5*time.Second, "no interface that is up is on a network with that address", []Route{via(to, 1)}, 1)
			change(5*time.Second, "there is no interface 3: the router has 3, counted from 0", nil, 3)
			send(b, 6*time.Second, dst) // by 2: nothing has changed
			change(7*time.Second, "", nil)
			send(b, 8*time.Second, net1) // by 1
			send(b, 9*time.Second, dst)  // nowhere
		})
		var ports []int
		for _, r := range b.got {
			ports = append(ports, r.port)
		}
		require.Equal(t, []int{1, 2, 2, 2, 1, 0}, ports)
		require.EqualValues(t, 1, b.router.Stats().IP.NoRoute)
	}
}

func TestRouteErrors(t *testing.T) {
	b := newBench(t, newEngine(), 2, 0)
	all := netip.MustParsePrefix("0.0.0.0/0")
	for want, r := range map[string]Route{
		"route via 10.0.0.2: it leads to no network: name one, such as 10.0.0.0/8":         {Via: far4(0)},
		"route to 0.0.0.0/0: it has no next hop: name a router on one of the own networks": {To: all},
		"route to 0.0.0.0/0 via fd00::2: they are of two IP versions":                      {To: all, Via: far6(0)},
		"route to 0.0.0.0/0 via 192.0.2.1: no interface is on a network with that address": {To: all, Via: netip.MustParseAddr("192.0.2.1")},
	} {
		require.EqualError(t, b.router.ReplaceRoutes([]Route{r}), "router r: "+want)
	}
}

// A router that is down takes nothing and sends nothing, not even what waited for an answer. Up again, it asks its neighbours anew.
func TestRouterDown(t *testing.T) {
	packet := func(v6 bool) datagram { return udpFrom(port(far(v6, 0), 1), port(far(v6, 1), 2), "") }
	for _, v6 := range []bool{false, true} {
		b := inBench(t, 2, 0, []int{1}, func(b *bench) {
			down := func(at time.Duration, down bool) {
				b.At(0, netem.KindControl, at, func() {
					b.router.SetDown(down)
					require.Equal(t, down, b.router.Down())
				})
			}
			b.put(0, 0, packet(v6)) // waits for the neighbour
			down(500*time.Millisecond, true)
			down(600*time.Millisecond, true)
			b.put(time.Second, 0, packet(v6))
			b.put(time.Second, 0, echoFrom(far(v6, 0), own(v6, 0), 1, false))
			down(10*time.Second, false)
			b.put(11*time.Second, 0, packet(v6))
			b.send(11*time.Second+500*time.Millisecond, 1, answering(1, far(v6, 1), own(v6, 1)))
			b.put(12*time.Second, 0, packet(v6))
			down(13*time.Second, true)
			down(14*time.Second, false)
			b.put(15*time.Second, 0, packet(v6)) // the MAC address is gone
		})
		// A request, one more with its packets, and three without an answer.
		requests, packets := 0, 0
		for _, r := range b.got {
			switch {
			case r.port == 0:
				require.Greater(t, r.at, 15*time.Second, "nobody answered")
			case len(r.data) > 14+40 && r.data[14+6] == protocolUDP, len(r.data) > 14+20 && r.data[12] == 8 && r.data[13] == 0:
				packets++
			default:
				requests++
			}
		}
		require.Equal(t, []int{5, 2}, []int{requests, packets}, "v6 %v", v6)
		require.EqualValues(t, 4, b.router.Stats().IP.Forwarded)
		require.EqualValues(t, 2, b.Links()[0].Stats(netem.Backward).Dropped[netem.DropNodeDown])
	}
}
