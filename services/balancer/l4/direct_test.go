package l4_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab"
	"netlab/ip"
	"netlab/services"
	"netlab/services/balancer/l4"
)

// share gives the backends an address that they don't answer ARP for.
func share(a string) func(run *netlab.Run) error {
	return func(run *netlab.Run) error {
		for _, name := range []string{"lb", "web1", "web2", "web3"} {
			if err := run.Host(name).AddAddress(0, ip.VirtualAddress{Address: netip.MustParseAddr(a), Silent: name != "lb"}); err != nil {
				return err
			}
		}
		return nil
	}
}

// Direct server return: what clients send crosses the balancer, what they get doesn't, and the packets themselves are not changed.
func TestDirect(t *testing.T) {
	for _, c := range []struct{ address, client, to string }{
		{"10.1.0.100", "10.2.0.2", "10.1.0.100:8080"},
		{"fd00:1::100", "fd00:2::2", "[fd00:1::100]:8080"},
	} {
		p := play(t, segment("1", echo, `"duration": "2s", "workloads": {"get": {"type": "tcp-load", "from": "client", "to": "`+c.to+`",
			"users": 30, "requests": 90}}, "expect": ["get.succeeded == 90"]`),
			l4.Options{Listen: ":8080", Config: l4.Config{Mode: l4.Direct, Address: services.Target(c.address)}}, pool(3, 8080), share(c.address))
		require.True(t, p.Expect[0].Holds, "%v", p.Expect)
		require.Equal(t, uint64(30), p.l4.Connections)
		for _, b := range p.l4.Backends {
			require.Equal(t, uint64(10), b.Connections)
		}
		require.Zero(t, p.l4.Backward)
		vip := netip.MustParseAddr(c.address)
		p.tcp(t, "lb", func(from, to netip.AddrPort, _ header.TCP) {
			require.Equal(t, vip, to.Addr(), "answers don't come this way")
			require.Equal(t, c.client, from.Addr().String())
		})
		answers := 0
		p.tcp(t, "web1", func(from, to netip.AddrPort, _ header.TCP) {
			require.True(t, from.Addr() == vip || to.Addr() == vip)
			if from.Addr() == vip {
				answers++
			}
		})
		require.Positive(t, answers)
	}
}

// A backend that packets reach through a router only can't be served in the mode direct, and a port can't be changed.
func TestDirectErrors(t *testing.T) {
	for want, o := range map[string]struct{ to, listen string }{
		"backend client: its address 10.2.0.2 is on no segment of lb: the mode direct reaches it by its MAC address, so there can't be a router between them": {"client:80", ":80"},
		"backend web1: it listens on port 8080 and the balancer on 80: the mode direct changes no ports, so they must be the same":                            {"web1:8080", ":80"},
	} {
		labs, err := netlab.Parse("lab.json", []byte(segment("1", echo, `"duration": "1s"`)), nil)
		require.NoError(t, err)
		b := l4.New(l4.Options{Listen: o.listen, Config: l4.Config{Mode: l4.Direct, Address: "10.1.0.100"}})
		_, err = labs[0].Run(t.Context(), nil, func(run *netlab.Run) error { return serve(run, b, to(o.to), nil) })
		require.ErrorContains(t, err, want)
	}
}
