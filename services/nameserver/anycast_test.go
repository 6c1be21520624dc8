package nameserver_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
)

// Two name servers have one anycast address. Clients ask the nearest, take its answers, which come from the address that they asked, and
// get to the other one when it has crashed.
func TestAnycast(t *testing.T) {
	for _, version := range []string{"ipv4", "ipv6"} {
		labs, err := netlab.Parse("anycast.json", fmt.Appendf(nil, `{
			"duration": "20s", "defaults": { "ip": %q },
			"nodes": {
				"user": {}, "r0": { "kind": "router" }, "r1": { "kind": "router" }, "r2": { "kind": "router" },
				"near": { "services": { "dns": { "type": "dns-server" }, "echo": { "type": "udp-echo" } } },
				"far": { "services": { "dns": { "type": "dns-server" }, "echo": { "type": "udp-echo" } } }
			},
			"addresses": { "resolver": { "anycast": ["near", "far"] } },
			"links": ["user - r0", { "between": "r0 - r1", "latency": "5ms" }, { "between": "r0 - r2", "latency": "20ms" }, "r1 - near", "r2 - far"],
			"routing": "dynamic", "captures": { "nodes": ["user"] },
			"workloads": {
				"ask": { "type": "dns-lookup", "from": "user", "name": "far.lab", "server": "resolver", "count": 10, "interval": "1s", "start": "500ms", "timeout": "500ms", "attempts": 1 },
				"talk": { "type": "echo", "protocol": "udp", "from": "user", "to": "resolver", "count": 10, "interval": "1s", "start": "500ms", "timeout": "500ms" }
			},
			"faults": [{ "at": "5s", "crash": "near" }],
			"expect": ["ask.answered == 9", "talk.received == 9", "nodes.near.services.dns.queries == 5", "nodes.far.services.dns.queries == 4"]
		}`, version), nil)
		require.NoError(t, err)
		dir := t.TempDir()
		r, err := labs[0].Run(context.Background(), &netlab.RunOptions{Dir: dir}, nil)
		require.NoError(t, err)
		for _, e := range r.Expect {
			require.True(t, e.Holds, "%v", e)
		}
		if _, err := exec.LookPath("tshark"); err != nil {
			continue
		}
		out, err := exec.Command("tshark", "-r", filepath.Join(dir, "captures", "user.pcapng"), "-o", "udp.check_checksum:TRUE", "-Y",
			"udp && frame.p2p_dir == 1", "-T", "fields", "-e", "ip.src", "-e", "ipv6.src", "-e", "udp.checksum.status").Output()
		require.NoError(t, err)
		lines := strings.Split(strings.Trim(string(out), "\n"), "\n")
		require.Len(t, lines, 18)
		for _, line := range lines {
			require.Equal(t, lines[0], line, "all from one address")
			require.True(t, strings.HasSuffix(line, "\t1"), "a checksum that is right: %s", line)
		}
		require.NoError(t, os.RemoveAll(dir))
	}
}
