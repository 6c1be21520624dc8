package ip_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/tcp"
)

// A host's routes change at run time; what leads to itself stays.
func TestHostReplaceRoutes(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		all, gateway, far, near, self := "0.0.0.0/0", "10.0.1.2", "10.0.2.2:80", "10.0.1.2:80", "10.0.1.1:80"
		if v6 {
			all, gateway, far, near, self = "::/0", "fd00:0:0:1::2", "[fd00:0:0:2::2]:80", "[fd00:0:0:1::2]:80", "[fd00:0:0:1::1]:80"
		}
		testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0), Routers: 1}, func(t *testing.T, l *testlab.Lab) {
			for _, h := range []*ip.Host{l.A, l.B} {
				listener, err := tcp.Listen(h, ":80")
				require.NoError(t, err)
				defer listener.Close()
			}
			reach := func(to string) string {
				c, err := tcp.Dial(l.Context(), l.A, to)
				if err != nil {
					return err.Error()
				}
				require.NoError(t, c.Close())
				return "ok"
			}
			change := func(want string, routes []ip.Route, down ...int) {
				l.At(l.Elapsed(), func() {
					err := l.A.ReplaceRoutes(routes, down...)
					if want == "" {
						require.NoError(t, err)
					} else {
						require.EqualError(t, err, want)
					}
				})
				l.Sleep(time.Millisecond)
			}
			route := ip.Route{To: netip.MustParsePrefix(all), Via: netip.MustParseAddr(gateway)}
			require.Equal(t, "ok", reach(self))
			require.Equal(t, "ok", reach(far))
			change("", nil)
			require.Contains(t, reach(far), "unreachable")
			require.Contains(t, reach(near), "refused", "the router is on the own network")
			require.Equal(t, "ok", reach(self))
			change("", nil, 0)
			require.Contains(t, reach(near), "unreachable")
			require.Equal(t, "ok", reach(self))
			change("", []ip.Route{route})
			require.Equal(t, "ok", reach(far))
			change("host a: route to "+all+" via "+gateway+": no interface that is up is on a network with that address", []ip.Route{route}, 0)
			change("host a: down: there is no interface 1: the host has 1, counted from 0", nil, 1)
			change("host a: route to "+all+": it has no next hop: name a router on one of the own networks", []ip.Route{{To: route.To}})
			require.Equal(t, "ok", reach(far))
		})
	}
}
