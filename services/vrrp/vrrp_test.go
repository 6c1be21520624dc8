package vrrp_test

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

// pair is a lab with two hosts that share an address, each behind a switch of its own, and a user behind a router.
func pair(lb1, lb2, rest string) string {
	return fmt.Sprintf(`{
		"duration": "20s", "seed": 3,
		"nodes": {
			"user": {}, "r1": {"kind": "router"}, "sw": {"kind": "switch"}, "sw2": {"kind": "switch"},
			"lb1": {"services": {"echo": {"type": "tcp-echo"}, "web": {"type": "http-server", "listen": ":80"}, "vip": {"type": "vrrp", "address": "vip" %s}}},
			"lb2": {"services": {"echo": {"type": "tcp-echo"}, "web": {"type": "http-server", "listen": ":80"}, "vip": {"type": "vrrp", "address": "vip" %s}}}
		},
		"addresses": {"vip": {"segment": "sw"}},
		"links": [{"between": "user - r1", "latency": "10ms"}, "r1 - sw", "lb1 - sw", "lb2 - sw2", "sw - sw2"],
		"captures": {"nodes": %s}, %s
	}`, lb1, lb2, `["r1", "lb1", "lb2"]`, rest)
}

// play runs a lab twice, requires the same captures, and what is expected to hold.
func play(t *testing.T, file string, expect ...string) (dir string) {
	t.Helper()
	list := ""
	for i, e := range expect {
		if i > 0 {
			list += ", "
		}
		list += fmt.Sprintf("%q", e)
	}
	file = strings.TrimSuffix(strings.TrimSpace(file), "}") + `, "expect": [` + list + `]}`
	labs, err := netlab.Parse("pair.json", []byte(file), nil)
	require.NoError(t, err)
	var dirs [2]string
	for i := range dirs {
		dirs[i] = t.TempDir()
		r, err := labs[0].Run(context.Background(), &netlab.RunOptions{Dir: dirs[i]}, nil)
		require.NoError(t, err)
		for _, e := range r.Expect {
			require.True(t, e.Holds, "%v", e)
		}
	}
	for _, name := range []string{"lb1", "lb2", "r1"} {
		one, err := os.ReadFile(filepath.Join(dirs[0], "captures", name+".pcapng"))
		require.NoError(t, err)
		two, err := os.ReadFile(filepath.Join(dirs[1], "captures", name+".pcapng"))
		require.NoError(t, err)
		require.True(t, string(one) == string(two), "%s.pcapng differs", name)
	}
	return dirs[0]
}

// tshark returns the fields of the frames that a filter matches, a line each.
func tshark(t *testing.T, dir, node, filter string, fields ...string) []string {
	t.Helper()
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("tshark isn't there")
	}
	args := []string{"-r", filepath.Join(dir, "captures", node+".pcapng"), "-Y", filter, "-T", "fields"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	out, err := exec.Command("tshark", args...).Output()
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

const stronger = `, "priority": 200`

// lb1, the stronger, becomes active after 3 s + (256 − 200)/256 s and advertises each second, for the last time at 9.21875 s before it
// crashes at 10 s. lb2 waits for 3 s + (256 − 100)/256 s from then on: 12.828125 s. lb1 is back at 15 s and takes the address after
// another 3.21875 s.
func TestTheAddressMovesInTime(t *testing.T) {
	dir := play(t, pair(stronger, "", `"faults": [{"at": "10s", "for": "5s", "crash": "lb1"}]`),
		"nodes.lb1.services.vip.ipv4.last_silence == 3218.75ms",
		"nodes.lb1.services.vip.ipv4.takeovers == 2",
		"nodes.lb2.services.vip.ipv4.last_silence == 3609.375ms",
		"nodes.lb2.services.vip.ipv4.takeovers == 1",
		"nodes.lb2.services.vip.ipv4.active_time == 5390.625ms",
		"nodes.lb2.services.vip.ipv6.active_time == 5390.625ms",
	)
	for node, want := range map[string][]string{"lb1": {"3.218750000", "18.218750000"}, "lb2": {"12.828125000"}} {
		for _, filter := range []string{"arp.isannouncement", "icmpv6.nd.na.flag.o==1 && icmpv6.nd.na.flag.s==0"} {
			var at []string
			for _, line := range tshark(t, dir, node, filter+" && frame.p2p_dir==0", "frame.time_epoch") {
				at = append(at, strings.TrimLeft(line[len("9466848"):], "0")) // seconds since 2000-01-01T00:00:00Z
			}
			require.Equal(t, want, at, "%s %s", node, filter)
		}
	}
	adverts := tshark(t, dir, "lb2", "vrrp", "vrrp.version", "vrrp.checksum.status", "eth.src", "ip.ttl", "ipv6.hlim")
	require.Len(t, adverts, 30)
	for _, line := range adverts {
		require.Contains(t, []string{"3\t1\t00:00:5e:00:01:01\t255\t", "3\t1\t00:00:5e:00:02:01\t\t255"}, line)
	}
}

// Without preemption the address stays where it is.
func TestNoPreemption(t *testing.T) {
	play(t, pair(stronger+`, "preempt": false`, "", `"faults": [{"at": "10s", "for": "5s", "crash": "lb1"}]`),
		"nodes.lb1.services.vip.ipv4.takeovers == 1",
		`nodes.lb1.services.vip.ipv4.state == "backup"`,
		"nodes.lb2.services.vip.ipv4.active_time == 7171.875ms",
	)
}

// With a delay the host hears the weaker one out: lb1 is back at 10 s, patient until 14 s, and takes the address 3.21875 s after the last
// advertisement that it heeded, that of 13.828125 s.
func TestPreemptionAfterADelay(t *testing.T) {
	play(t, pair(stronger+`, "preempt_delay": "4s"`, "", `"faults": [{"at": "5s", "for": "5s", "crash": "lb1"}]`),
		"nodes.lb1.services.vip.ipv4.takeovers == 2",
		"nodes.lb1.services.vip.ipv4.last_silence == 3218.75ms",
		"nodes.lb2.services.vip.ipv4.active_time == 9218.75ms",
	)
}

// The owner is active from the first moment.
func TestTheOwnerIsActiveAtOnce(t *testing.T) {
	play(t, pair(`, "priority": 255`, "", `"faults": []`),
		"nodes.lb1.services.vip.ipv4.active_time == 20s",
		"nodes.lb2.services.vip.ipv4.takeovers == 0",
		"nodes.lb2.services.vip.ipv4.advertisements_received == 20",
	)
}

// A cut between the two makes both active: split brain. When it heals, the stronger answers the weaker's next advertisement, which steps
// back.
func TestSplitBrain(t *testing.T) {
	play(t, pair(stronger, "", `"faults": [{"at": "8s", "for": "6s", "cut": "sw - sw2"}]`),
		"nodes.lb1.services.vip.ipv4.active_time == 16781.25ms",
		"nodes.lb2.services.vip.ipv4.takeovers == 1",
		"nodes.lb2.services.vip.ipv4.active_time > 2s",
		`nodes.lb2.services.vip.ipv4.state == "backup"`,
	)
}

// A check of the balancer itself that fails lowers its priority from 200 to 50. lb1 has begun to wait before, and takes the address, but its
// advertisements are no word to lb2, which takes it over in its own time.
func TestTrackedPort(t *testing.T) {
	play(t, pair(stronger+`, "track": {"to": "lb1:81", "decrement": 150, "fall": 1}`, "", `"faults": []`),
		"nodes.lb1.services.vip.track_falls == 1",
		"nodes.lb1.services.vip.ipv4.active_time == 390.625ms",
		"nodes.lb2.services.vip.ipv4.active_time == 16390.625ms",
	)
}

// A connection to the address doesn't survive the move: the new host's stack answers with RST.
func TestConnectionsAreReset(t *testing.T) {
	play(t, pair(stronger, "", `"faults": [{"at": "10s", "crash": "lb1"}],
		"workloads": {"talk": {"type": "echo", "from": "user", "to": "vip", "count": 40, "interval": "200ms", "start": "5s", "timeout": "10s"}}`),
		"not talk.intact",
		"nodes.lb2.tcp.resets_sent >= 1",
		"nodes.lb1.tcp.resets_sent == 0",
	)
}

// Active-active: each host is the stronger one of a group of its own, and serves its address. When lb1 crashes lb2 has both, until lb1
// is back and takes its own again; of the other address nobody notices anything.
func TestTwoGroupsWithCrossedPriorities(t *testing.T) {
	service := func(first, second int) string {
		return fmt.Sprintf(`, "priority": %d}, "vip2": {"type": "vrrp", "address": "vip2", "vrid": 2, "priority": %d`, first, second)
	}
	file := strings.Replace(pair(service(200, 100), service(100, 200), `"faults": [{"at": "10s", "for": "5s", "crash": "lb1"}],
		"workloads": {
			"one": {"type": "ping", "from": "user", "to": "vip", "start": "5s", "count": 14, "timeout": "500ms"},
			"two": {"type": "ping", "from": "user", "to": "vip2", "start": "5s", "count": 14, "timeout": "500ms"}
		}`), `"vip": {"segment": "sw"}`, `"vip": {"segment": "sw"}, "vip2": {"segment": "sw2"}`, 1)
	dir := play(t, file,
		"nodes.lb1.services.vip.ipv4.takeovers == 2",
		"nodes.lb1.services.vip2.ipv4.takeovers == 0",
		"nodes.lb1.services.vip2.ipv4.active_time == 0s",
		"nodes.lb2.services.vip.ipv4.last_silence == 3609.375ms",
		"nodes.lb2.services.vip.ipv4.active_time == 5390.625ms",
		"nodes.lb2.services.vip2.ipv4.takeovers == 1",
		"nodes.lb2.services.vip2.ipv4.active_time == 16781.25ms",
		"nodes.lb2.services.vip2.ipv4.dropped.checksum == 0",
		"one.lost == 3", // those of 10, 11 and 12 s
		"two.lost == 0",
	)
	macs := tshark(t, dir, "lb2", "arp.isannouncement && frame.p2p_dir == 0", "eth.src")
	require.Equal(t, []string{"00:00:5e:00:01:02", "00:00:5e:00:01:01"}, macs)
}
