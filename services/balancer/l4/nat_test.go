package l4_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/services/balancer/l4"
)

const web = `{"type": "http-server", "listen": ":8080", "objects": "1kB"}`

// In the mode nat there is one connection: the backend's capture shows the client's own address and port, the client's the balancer's,
// and sequence numbers are the same at both ends.
func TestNATKeepsTheClient(t *testing.T) {
	for _, c := range []struct{ url, service, client, web string }{
		{"http://10.1.0.10/", "10.1.0.10:80", "10.2.0.2", "10.1.0.21:8080"},
		{"http://[fd00:1::10]/", "[fd00:1::10]:80", "fd00:2::2", "[fd00:1::21]:8080"},
	} {
		p := play(t, segment("10", web, `"duration": "2s", "workloads": {"get": {"type": "http-load", "from": "client", "url": "`+c.url+`",
			"users": 1, "requests": 5}}, "expect": ["get.succeeded == 5"]`),
			l4.Options{Listen: ":80", Config: l4.Config{Mode: l4.NAT}}, pool(1, 8080), nil)
		require.True(t, p.Expect[0].Holds, "%v", p.Expect)
		require.Equal(t, uint64(1), p.l4.Connections)
		service, backend := netip.MustParseAddrPort(c.service), netip.MustParseAddrPort(c.web)
		type number struct{ seq, ack uint32 }
		seen := map[string][]number{}
		for node, other := range map[string]netip.AddrPort{"client": service, "web1": backend} {
			p.tcp(t, node, func(from, to netip.AddrPort, h header.TCP) {
				client, server := from, to
				if from == other {
					client, server = to, from
				}
				require.Equal(t, other, server)
				require.Equal(t, c.client, client.Addr().String())
				seen[node] = append(seen[node], number{h.SequenceNumber(), h.AckNumber()})
			})
		}
		require.NotEmpty(t, seen["client"])
		require.ElementsMatch(t, seen["client"], seen["web1"])
		require.Equal(t, uint64(len(seen["client"])), p.l4.Forward.Packets+p.l4.Backward.Packets)
		require.Equal(t, node(p, "lb").IP.Forwarded, p.l4.Forward.Packets+p.l4.Backward.Packets)
	}
}
