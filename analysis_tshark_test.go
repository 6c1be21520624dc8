package netlab_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/captures"
	"netlab/captures/analysis"
	"netlab/examples"
)

// agreement is a number of frames that Wireshark and the analysis both find in a capture.
type agreement struct {
	what string
	// filter is Wireshark's for these frames.
	filter string
	ours   func(*analysis.Analysis) int
}

// marked counts the frames with any of some marks that exclude each other.
func marked(marks ...analysis.Mark) func(*analysis.Analysis) int {
	return func(a *analysis.Analysis) (n int) {
		for _, m := range marks {
			n += a.Marks[m.String()]
		}
		return n
	}
}

// agreements are what is compared beside streams and handshakes. Headers that ICMP quotes don't count.
var agreements = []agreement{
	{"TCP segments", "tcp", func(a *analysis.Analysis) int { return a.TCPTotal.Segments }},
	{"SYNs", "tcp.flags.syn == 1 && tcp.flags.ack == 0", func(a *analysis.Analysis) int { return a.TCPTotal.SYNs }},
	{"SYN-ACKs", "tcp.flags.syn == 1 && tcp.flags.ack == 1", func(a *analysis.Analysis) int { return a.TCPTotal.SYNACKs }},
	{"retransmissions or out of order", "tcp.analysis.retransmission || tcp.analysis.out_of_order || " +
		"tcp.analysis.fast_retransmission || tcp.analysis.spurious_retransmission",
		marked(analysis.MarkRetransmission, analysis.MarkOutOfOrder)},
	{"duplicate ACKs", "tcp.analysis.duplicate_ack", marked(analysis.MarkDuplicateACK)},
	{"lost segments", "tcp.analysis.lost_segment", marked(analysis.MarkLostSegment)},
	{"ACKs of unseen segments", "tcp.analysis.ack_lost_segment", marked(analysis.MarkAckedUnseen)},
	{"zero windows", "tcp.analysis.zero_window", marked(analysis.MarkZeroWindow)},
	{"zero-window probes", "tcp.analysis.zero_window_probe", marked(analysis.MarkZeroWindowProbe)},
	{"window updates", "tcp.analysis.window_update", marked(analysis.MarkWindowUpdate)},
	{"window full", "tcp.analysis.window_full", marked(analysis.MarkWindowFull)},
	{"keep-alives", "tcp.analysis.keep_alive", marked(analysis.MarkKeepAlive)},
	{"ACKs of keep-alives", "tcp.analysis.keep_alive_ack", marked(analysis.MarkKeepAliveACK)},
	{"ports used again", "tcp.analysis.reused_ports", marked(analysis.MarkReused)},
	{"resets", "tcp.flags.reset == 1", marked(analysis.MarkReset)},
	{"FINs", "tcp.flags.fin == 1", marked(analysis.MarkCloses)},
	{"ARP requests", "arp.opcode == 1", func(a *analysis.Analysis) int { return a.ARP["request"] }},
	{"ARP replies", "arp.opcode == 2", func(a *analysis.Analysis) int { return a.ARP["reply"] }},
}

// difference is where Wireshark counts otherwise, and why.
type difference struct {
	ours, theirs int
	why          string
}

// differences are all there are, by capture and what is counted.
var differences = map[string]difference{
	"bad-day/r2: ACKs of unseen segments": {0, 4, "a truncated segment was sent again in full: Wireshark forgets what it saw behind it"},
}

// count is what both found.
type count struct {
	what         string
	ours, theirs int
}

// wiresharkCounts returns what Wireshark counts: streams of TCP and UDP, complete handshakes, and the frames of each agreement.
func wiresharkCounts(t testing.TB, file string, list []agreement) []int {
	t.Helper()
	stat := "io,stat,0"
	for _, a := range list {
		stat += ",(" + a.filter + ") && !icmp && !icmpv6"
	}
	lines := tshark(t, file, "-z", stat, "-T", "fields", "-E", "occurrence=f", "-E", "separator=|",
		"-e", "tcp.stream", "-e", "udp.stream", "-e", "tcp.completeness", "-e", "icmp.type", "-e", "icmpv6.type")
	tcp, udp := map[string]int{}, map[string]bool{}
	var counts []int
	for _, line := range lines {
		columns := strings.Split(line, "|")
		switch {
		case len(columns) == 5 && columns[3]+columns[4] == "":
			if columns[0] != "" {
				flags, err := strconv.Atoi(columns[2])
				require.NoError(t, err)
				tcp[columns[0]] |= flags
			}
			if columns[1] != "" {
				udp[columns[1]] = true
			}
		case strings.Contains(line, "<>"):
			for i := 2; i+1 < len(columns)-1; i += 2 { // frames and bytes alternate
				n, err := strconv.Atoi(strings.TrimSpace(columns[i]))
				require.NoError(t, err, line)
				counts = append(counts, n)
			}
		}
	}
	if len(tcp) == 0 && counts == nil {
		counts = make([]int, len(list)) // a capture that takes no time gives a table without rows
	}
	require.Len(t, counts, len(list))
	handshakes := 0
	for _, flags := range tcp {
		if flags&7 == 7 { // SYN, SYN-ACK and ACK
			handshakes++
		}
	}
	return append([]int{len(tcp), handshakes, len(udp)}, counts...)
}

// compareWithTshark compares a capture with what Wireshark finds in it. name is the capture's. It returns which of the known differences
// there are.
func compareWithTshark(t *testing.T, name, file string) (found []string) {
	t.Helper()
	theirs := wiresharkCounts(t, file, agreements)
	a, err := analysis.ReadFile(file, analysis.Options{Applications: true})
	require.NoError(t, err)
	counts := []count{
		{"TCP streams", a.TCPTotal.Streams, theirs[0]},
		{"handshakes", a.TCPTotal.Handshakes, theirs[1]},
		{"UDP streams", a.UDPStreams, theirs[2]},
	}
	for i, g := range agreements {
		counts = append(counts, count{g.what, g.ours(a), theirs[3+i]})
	}
	var table strings.Builder
	fmt.Fprintf(&table, "%-50s %8s %8s\n", name, "netlab", "tshark")
	for _, c := range counts {
		key := name + ": " + c.what
		d, known := differences[key]
		if known {
			require.NotEmpty(t, d.why, key)
			require.Equal(t, count{c.what, d.ours, d.theirs}, c, key)
			found = append(found, key)
		} else if c.ours != c.theirs {
			t.Errorf("%s: netlab %d, tshark %d", key, c.ours, c.theirs)
		}
		if c.ours != 0 || c.theirs != 0 {
			fmt.Fprintf(&table, "  %-48s %8d %8d  %s\n", c.what, c.ours, c.theirs, d.why)
		}
	}
	t.Log(table.String())
	return found
}

// The analysis of each capture of each example counts what Wireshark counts.
func TestAnalysisAgreesWithTshark(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector has nothing to find here")
	}
	var found []string
	for _, e := range examples.List() {
		text := exampleText(t, e.Name)
		for _, lab := range parseAll(t, text) {
			name := strings.Trim(e.Name+"/"+lab.Variant(), "/")
			t.Run(name, func(t *testing.T) {
				dir := t.TempDir()
				play(t, lab, &netlab.RunOptions{Dir: dir}, nil)
				files := capturesOf(t, dir)
				for _, node := range sortedNodes(files) {
					found = append(found, compareWithTshark(t, name+"/"+node, files[node])...)
				}
			})
		}
	}
	if !t.Failed() {
		requireAllFound(t, found, func(key string) bool { return !strings.HasPrefix(key, "gopacket/") })
	}
}

// requireAllFound requires that there is no difference in the tables that isn't in the captures.
func requireAllFound(t *testing.T, found []string, of func(key string) bool) {
	for key := range differences {
		if of(key) {
			require.Contains(t, found, key, "a difference that is none")
		}
	}
}

func sortedNodes(files map[string]string) []string {
	var nodes []string
	for n := range files {
		nodes = append(nodes, n)
	}
	slices.Sort(nodes)
	return nodes
}

// So does that of captures that netlab did not make: the test data of gopacket (github.com/google/gopacket v1.1.19), recorded on
// loopback interfaces and on Ethernet by tcpdump and Wireshark.
func TestForeignCapturesAgreeWithTshark(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/google/gopacket").Output()
	require.NoError(t, err)
	dir := strings.TrimSpace(string(out))
	files, err := filepath.Glob(filepath.Join(dir, "pcap", "*.pcap"))
	require.NoError(t, err)
	blocks, err := filepath.Glob(filepath.Join(dir, "pcapgo", "tests", "*", "*.pcapng"))
	require.NoError(t, err)
	require.Len(t, files, 3)
	require.Len(t, blocks, 52)
	var found []string
	for _, file := range append(files, blocks...) {
		path, err := filepath.Rel(dir, file)
		require.NoError(t, err)
		t.Run(filepath.ToSlash(path), func(t *testing.T) {
			if filepath.Base(file) == "test901.pcapng" {
				a, err := analysis.ReadFile(file, analysis.Options{Applications: true})
				var broken *captures.FormatError
				require.ErrorAs(t, err, &broken, "its second section has a version that there isn't")
				require.Positive(t, broken.Offset)
				require.NotNil(t, a)
				return
			}
			found = append(found, compareWithTshark(t, "gopacket/"+filepath.ToSlash(path), file)...)
		})
	}
	if !t.Failed() {
		requireAllFound(t, found, func(key string) bool { return strings.HasPrefix(key, "gopacket/") })
	}
}
