package netlab_test

import (
	"bytes"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/services/balancer"
	"netlab/services/flood"
	"netlab/topology"
)

// tshark runs tshark on a capture and returns the lines that it prints. Where tshark is not installed the test is skipped, but
// fails in CI. What tshark complains about fails the test.
func tshark(t testing.TB, file string, args ...string) []string {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("tshark is not installed")
		}
		t.Skip("tshark is not installed")
	}
	c := exec.Command(path, append([]string{"-r", file}, args...)...)
	// No one's own settings, and the time zone of the run.
	c.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir(), "TZ=UTC")
	var out, complaints bytes.Buffer
	c.Stdout, c.Stderr = &out, &complaints
	require.NoError(t, c.Run(), complaints.String())
	for line := range strings.Lines(complaints.String()) {
		require.True(t, strings.HasPrefix(line, "Running as user") || strings.TrimSpace(line) == "", "tshark complains: %s", line)
	}
	if out.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
}

// faulty is the filter for packets that Wireshark finds something wrong with that no network may do.
const faulty = `_ws.malformed || _ws.expert.severity == "error" || ip.checksum.status == "Bad" || tcp.checksum.status == "Bad" || ` +
	`udp.checksum.status == "Bad" || icmp.checksum.status == "Bad" || icmpv6.checksum.status == "Bad"`

// damaged is the filter for packets that netlab says it has damaged, and for errors that may quote such a packet.
const damaged = `frame.comment contains "corrupted" || frame.comment contains "truncated" || icmp || icmpv6`

// damages says whether a link of the lab changes what it carries, which makes Wireshark see what no stack saw.
func damages(lab *netlab.Lab) bool {
	for i := range lab.Topology().Links {
		forward, backward := lab.Topology().Links[i].Directions()
		for _, p := range []topology.LinkParams{forward, backward} {
			if p.Corrupt != nil || p.Truncate != nil || p.Duplicate != nil || p.Reorder != nil {
				return true
			}
		}
	}
	return false
}

// checksums are the settings by which Wireshark looks at checksums.
var checksums = []string{"-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
	"-o", "tcp.reassemble_out_of_order:TRUE"}

// requireTsharkIsContent requires that Wireshark finds no fault with any capture, that it shows interfaces, names and
// comments, and that it counts the same retransmissions as the stacks.
func requireTsharkIsContent(t *testing.T, lab *netlab.Lab, results exampleResults, dir string) {
	for node, file := range capturesOf(t, dir) {
		filter := faulty
		if damages(lab) {
			filter = "(" + faulty + ") && !(" + damaged + ")"
		}
		require.Empty(t, tshark(t, file, append(checksums, "-Y", filter)...), "%s: packets with faults", node)

		rows := tshark(t, file, append(checksums, "-N", "n", "-T", "fields", "-E", "separator=|", "-E", "occurrence=f",
			"-e", "frame.interface_name", "-e", "ip.src_host", "-e", "ip.dst_host", "-e", "ipv6.src_host", "-e", "ipv6.dst_host",
			"-e", "frame.packet_flags_direction", "-e", "frame.comment")...)
		dropped := 0
		for _, row := range rows {
			columns := strings.SplitN(row, "|", 7)
			require.Len(t, columns, 7)
			require.True(t, strings.HasPrefix(columns[0], node+"-eth"), "%s: interface %q", node, columns[0])
			for _, name := range columns[1:5] {
				_, known := lab.Topology().Nodes.Get(name)
				_, shared := lab.Topology().Addresses.Get(name)
				require.True(t, name == "" || known || shared || damages(lab) || nobodys(name),
					"%s: %q is not the name of a node", node, name)
			}
			require.Contains(t, []string{"0x00000001", "0x00000002"}, columns[5], "a direction")
			if strings.Contains(columns[6], "dropped") && !strings.Contains(columns[6], "node down") {
				dropped++
			}
		}
		require.Equal(t, countDrops(lab, results, readCapture(t, dir, node)), dropped, "%s: comments in Wireshark", node)
	}
	if !damages(lab) {
		requireEqualRetransmissions(t, lab, results, dir)
	}
}

// nobodys says whether an address is no node's by right: a group's, or one that a flood claims to come from.
func nobodys(name string) bool {
	a, err := netip.ParseAddr(name)
	return err == nil && (a.IsMulticast() || netip.MustParsePrefix(flood.DefaultSources).Contains(a))
}

// passesOn says whether a host sends packets of others on by the NIC by which they came, so that its capture has them twice.
func passesOn(n topology.Node) bool {
	for _, s := range n.Services.All() {
		if b, ok := s.Config.(*balancer.Config); ok && b.Layer == 4 && b.Mode == "direct" {
			return true
		}
	}
	return false
}

// requireEqualRetransmissions requires that Wireshark, at a host, sees as many segments sent again as the host's stack
// counts: those that it calls retransmissions and those that it calls out of order, which is its name for what SACK repairs
// within the first round trip; the stack doesn't count SYNs. The sender's capture misses nothing.
func requireEqualRetransmissions(t *testing.T, lab *netlab.Lab, results exampleResults, dir string) {
	for node, file := range capturesOf(t, dir) {
		n, ok := lab.Topology().Nodes.Get(node)
		if !ok || n.Kind != "host" && n.Kind != "" || passesOn(n) {
			continue
		}
		const again = "tcp.analysis.retransmission || tcp.analysis.out_of_order"
		out := "frame.packet_flags_direction == 2"
		seen := tshark(t, file, "-o", "tcp.reassemble_out_of_order:TRUE", "-Y", "("+again+") && tcp.flags.syn == 0 && "+out)
		require.Len(t, seen, results.Nodes[node].TCP.Retransmits, "%s: segments sent again", node)
		require.Empty(t, tshark(t, file, "-Y", "tcp.analysis.lost_segment && "+out), "%s: lost segments", node)
	}
}

// The filter for faults finds one that is there.
func TestTsharkFindsFaults(t *testing.T) {
	dir := record(t, exampleText(t, "retransmission"), nil)
	file := capturesOf(t, dir)["client"]
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	// A bit in the data of some segment, and the checksum is wrong.
	at := len(data) / 2
	broken := slices.Clone(data)
	broken[at] ^= 1
	path := t.TempDir() + "/broken.pcapng"
	require.NoError(t, os.WriteFile(path, broken, 0o666))
	require.Len(t, tshark(t, path, append(checksums, "-Y", faulty)...), 1)
}
