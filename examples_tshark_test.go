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

// sight is what tshark's columns tell of a packet, under their names; a column may have several values.
type sight map[string][]string

// sightColumns are the columns of a [sight]. The comment is the last one since it may hold anything.
var sightColumns = []string{"frame.interface_name", "frame.packet_flags_direction", "ip.src_host", "ip.dst_host", "ipv6.src_host", "ipv6.dst_host",
	"_ws.malformed", "_ws.expert.severity", "ip.checksum.status", "tcp.checksum.status", "udp.checksum.status", "icmp.checksum.status",
	"icmpv6.checksum.status", "icmp.type", "icmpv6.type", "tcp.flags.syn", "tcp.analysis.retransmission", "tcp.analysis.out_of_order",
	"tcp.analysis.lost_segment", "frame.comment"}

// What tshark writes for the severity of an error and for the status of a bad checksum.
const (
	severityError = "8388608"
	checksumBad   = "0"
)

// sights asks tshark once for all that is to be known of a capture: to start it costs more than to read most captures.
func sights(t *testing.T, file string) (list []sight) {
	args := append(slices.Clone(checksums), "-N", "n", "-T", "fields", "-E", "separator=|", "-E", "occurrence=a", "-E", "aggregator=;")
	for _, c := range sightColumns {
		args = append(args, "-e", c)
	}
	for _, row := range tshark(t, file, args...) {
		columns := strings.SplitN(row, "|", len(sightColumns))
		require.Len(t, columns, len(sightColumns))
		s := sight{}
		for i, text := range columns {
			if text != "" {
				s[sightColumns[i]] = strings.Split(text, ";")
			}
		}
		list = append(list, s)
	}
	return list
}

// has says whether a column has a value; without one, whether it has any.
func (s sight) has(column string, value ...string) bool {
	if len(value) == 0 {
		return len(s[column]) > 0
	}
	return slices.Contains(s[column], value[0])
}

func (s sight) comment() string { return strings.Join(s["frame.comment"], ";") }

// faulty is what the filter of that name says.
func (s sight) faulty() bool {
	if s.has("_ws.malformed") || s.has("_ws.expert.severity", severityError) {
		return true
	}
	return slices.ContainsFunc(sightColumns, func(c string) bool {
		return strings.HasSuffix(c, ".checksum.status") && s.has(c, checksumBad)
	})
}

// damaged says that netlab says that it has damaged the packet, or that this is an error that may quote such a packet.
func (s sight) damaged() bool {
	return strings.Contains(s.comment(), "corrupted") || strings.Contains(s.comment(), "truncated") || s.has("icmp.type") || s.has("icmpv6.type")
}

// requireTsharkIsContent requires that Wireshark finds no fault with any capture, that it shows interfaces, names and
// comments, and that it counts the same retransmissions as the stacks.
func requireTsharkIsContent(t *testing.T, lab *netlab.Lab, results exampleResults, dir string) {
	damages := damages(lab)
	for node, file := range capturesOf(t, dir) {
		rows := sights(t, file)
		dropped := 0
		for i, row := range rows {
			require.False(t, row.faulty() && !(damages && row.damaged()), "%s: packet %d has a fault: %v", node, i+1, row)
			require.True(t, strings.HasPrefix(row["frame.interface_name"][0], node+"-eth"), "%s: interface %q", node, row["frame.interface_name"])
			for _, column := range []string{"ip.src_host", "ip.dst_host", "ipv6.src_host", "ipv6.dst_host"} {
				if !row.has(column) {
					continue
				}
				name := row[column][0] // others are those of a packet that this one quotes
				_, known := lab.Topology().Nodes.Get(name)
				_, shared := lab.Topology().Addresses.Get(name)
				require.True(t, known || shared || damages || nobodys(name), "%s: %q is not the name of a node", node, name)
			}
			require.Contains(t, []string{"0x00000001", "0x00000002"}, row["frame.packet_flags_direction"][0], "a direction")
			if strings.Contains(row.comment(), "dropped") && !strings.Contains(row.comment(), "node down") {
				dropped++
			}
		}
		require.Equal(t, countDrops(lab, results, readCapture(t, dir, node)), dropped, "%s: comments in Wireshark", node)
		if n, ok := lab.Topology().Nodes.Get(node); !damages && ok && (n.Kind == "host" || n.Kind == "") && !passesOn(n) {
			requireEqualRetransmissions(t, node, results, rows)
		}
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
func requireEqualRetransmissions(t *testing.T, node string, results exampleResults, rows []sight) {
	again := 0
	for _, row := range rows {
		if !row.has("frame.packet_flags_direction", "0x00000002") {
			continue
		}
		require.False(t, row.has("tcp.analysis.lost_segment"), "%s: lost segments", node)
		if (row.has("tcp.analysis.retransmission") || row.has("tcp.analysis.out_of_order")) && row.has("tcp.flags.syn", "0") {
			again++
		}
	}
	require.Equal(t, results.Nodes[node].TCP.Retransmits, again, "%s: segments sent again", node)
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
	wrong := 0
	for _, row := range sights(t, path) {
		if row.faulty() {
			wrong++
		}
	}
	require.Equal(t, 1, wrong)
}
