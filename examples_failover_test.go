package netlab_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the description of balancer-failover says of packets, as tshark sees it.
func TestBalancerFailoverTshark(t *testing.T) {
	dir := playVariant(t, exampleText(t, "balancer-failover"), "active-passive")
	const since = "frame.time_epoch"
	adverts := column(t, dir, "lb2", "vrrp && frame.time_epoch < 946684812.9 && frame.time_epoch > 946684809", since)
	require.Equal(t, []string{"946684809.218750000", "946684812.828125000"}, adverts, "lb1's last word and lb2's first")
	require.Equal(t, []string{"946684812.828125000"}, column(t, dir, "lb2", "arp.isannouncement && eth.src == 00:00:5e:00:01:01 && frame.p2p_dir == 0", since))
	require.Empty(t, column(t, dir, "lb2", "vrrp && (vrrp.version != 3 || vrrp.checksum.status != 1 || ip.ttl != 255)", since))

	// The DNS variant: nobody asks again within the time to live.
	dir = playVariant(t, exampleText(t, "balancer-failover"), "active-active-dns")
	require.NotEmpty(t, column(t, dir, "user1", "dns.flags.response == 1 && frame.time_epoch < 946684806", since))
	require.Empty(t, column(t, dir, "user1", "dns && frame.time_epoch > 946684810", since))
	// user1 had a connection to lb1. It tries lb1 once more, for 100 ms, then lb2, and stays there.
	lb2 := column(t, dir, "lb2", "tcp.dstport == 80 && frame.p2p_dir == 1 && tcp.flags.syn == 1", "ip.dst")[0]
	require.Equal(t, []string{"946684810.200000000"},
		column(t, dir, "user1", "tcp.flags.syn == 1 && tcp.dstport == 80 && frame.time_epoch > 946684806 && ip.dst != "+lb2, since))
	require.Equal(t, []string{"946684810.300000000"}, column(t, dir, "user1", "tcp.flags.syn == 1 && tcp.dstport == 80 && ip.dst == "+lb2, since))
}

// What the description says of clients without a limit: half of the requests fail until the end.
func TestBalancerFailoverNoConnectTimeout(t *testing.T) {
	const limit, lost = `, "connect_timeout": "100ms"`, `"browse.failed == 2",
        "browse.latency.max == 120ms", "browse.latency.p99 == 30ms", "browse.phases.connect.max == 110ms"`
	text := exampleText(t, "balancer-failover")
	require.Contains(t, text, limit)
	require.Contains(t, text, lost)
	text = strings.Replace(strings.Replace(text, limit, "", 1), lost, `"browse.failed == 70"`, 1)
	r := play(t, parseVariant(t, text, "active-active-dns"), nil, nil)
	for _, e := range r.Expect {
		require.True(t, e.Holds, "%v", e)
	}
}
