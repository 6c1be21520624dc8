package netlab_test

import (
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	// fields are Wireshark's, any of which these frames have; theirs, if it isn't nil, says which of the frames that have one.
	fields []string
	theirs func(tsharkFrame) bool
	ours   func(*analysis.Analysis) int
}

// count counts the frames that tshark has found.
func (a *agreement) count(frames []tsharkFrame) (n int) {
	for _, f := range frames {
		if f.has(a.fields...) && (a.theirs == nil || a.theirs(f)) {
			n++
		}
	}
	return n
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

// flagged are the segments of whose flags in mask just those in set are set.
func flagged(mask, set uint8) func(tsharkFrame) bool {
	return func(f tsharkFrame) bool { return f.flags(mask, set) }
}

// agreements are what is compared beside streams, handshakes, applications and the hierarchy. Headers that ICMP quotes don't count.
var agreements = []agreement{
	{"TCP segments", []string{"tcp.stream"}, nil, func(a *analysis.Analysis) int { return a.TCPTotal.Segments }},
	{"SYNs", []string{"tcp.flags"}, flagged(captures.SYN|captures.ACK, captures.SYN), func(a *analysis.Analysis) int { return a.TCPTotal.SYNs }},
	{"SYN-ACKs", []string{"tcp.flags"}, flagged(captures.SYN|captures.ACK, captures.SYN|captures.ACK),
		func(a *analysis.Analysis) int { return a.TCPTotal.SYNACKs }},
	{"retransmissions or out of order", []string{"tcp.analysis.retransmission", "tcp.analysis.out_of_order",
		"tcp.analysis.fast_retransmission", "tcp.analysis.spurious_retransmission"}, nil,
		marked(analysis.MarkRetransmission, analysis.MarkOutOfOrder)},
	{"duplicate ACKs", []string{"tcp.analysis.duplicate_ack"}, nil, marked(analysis.MarkDuplicateACK)},
	{"lost segments", []string{"tcp.analysis.lost_segment"}, nil, marked(analysis.MarkLostSegment)},
	{"ACKs of unseen segments", []string{"tcp.analysis.ack_lost_segment"}, nil, marked(analysis.MarkAckedUnseen)},
	{"zero windows", []string{"tcp.analysis.zero_window"}, nil, marked(analysis.MarkZeroWindow)},
	{"zero-window probes", []string{"tcp.analysis.zero_window_probe"}, nil, marked(analysis.MarkZeroWindowProbe)},
	{"window updates", []string{"tcp.analysis.window_update"}, nil, marked(analysis.MarkWindowUpdate)},
	{"window full", []string{"tcp.analysis.window_full"}, nil, marked(analysis.MarkWindowFull)},
	{"keep-alives", []string{"tcp.analysis.keep_alive"}, nil, marked(analysis.MarkKeepAlive)},
	{"ACKs of keep-alives", []string{"tcp.analysis.keep_alive_ack"}, nil, marked(analysis.MarkKeepAliveACK)},
	{"ports used again", []string{"tcp.analysis.reused_ports"}, nil, marked(analysis.MarkReused)},
	{"resets", []string{"tcp.flags"}, flagged(captures.RST, captures.RST), marked(analysis.MarkReset)},
	{"FINs", []string{"tcp.flags"}, flagged(captures.FIN, captures.FIN), marked(analysis.MarkCloses)},
	{"ARP requests", []string{"arp.opcode"}, func(f tsharkFrame) bool { return f["arp.opcode"] == "1" },
		func(a *analysis.Analysis) int { return a.ARP["request"] }},
	{"ARP replies", []string{"arp.opcode"}, func(f tsharkFrame) bool { return f["arp.opcode"] == "2" },
		func(a *analysis.Analysis) int { return a.ARP["reply"] }},
}

// difference is where Wireshark counts otherwise, and why.
type difference struct {
	ours, theirs int
	why          string
}

// Reasons that several differences have.
const (
	unused    = "nothing is sent over a connection: Wireshark doesn't take its ACK for the end of the handshake"
	tunnelled = "Wireshark looks at what is inside a tunnel (CONNECT), too"
)

// differences are all there are, by capture and what is counted.
var differences = map[string]difference{
	"routers/dumbbell/r1: window full": {0, 2, "a late segment ends where a RST acknowledged: Wireshark takes the RST's window of 0 for one"},
	"routers/dumbbell/r1: window updates": {254, 252, "a late ACK comes after a RST without ACK: Wireshark takes the latter's number of 0 for " +
		"an acknowledgement, and so the late one for a new one"},
	"load-balancing/source-hash/web4: handshakes": {67, 66, unused},
	"cache-strategies/stampede/db: handshakes":    {6, 5, unused},
	"forward-proxy/client: http.request 1":        {6, 7, tunnelled},
	"forward-proxy/proxy: http.request 1":         {8, 9, tunnelled},
	"forward-proxy/proxy: http.response 1":        {8, 9, tunnelled},
	"forward-proxy/client: http.response 1":       {6, 7, tunnelled},
	"bad-day/r2: ACKs of unseen segments":         {0, 4, "a truncated segment was sent again in full: Wireshark forgets what it saw behind it"},
}

// counts are numbers by what they count.
type counts map[string]int

// analysed is what the analysis counts.
func analysed(t testing.TB, a *analysis.Analysis) counts {
	t.Helper()
	c := counts{"TCP streams": a.TCPTotal.Streams, "handshakes": a.TCPTotal.Handshakes, "UDP streams": a.UDPStreams}
	for _, g := range agreements {
		c[g.what] = g.ours(a)
	}
	c.addApplications(t, a)
	c.addHierarchy("", a.Protocols)
	return c
}

// counted is what tshark counts.
func (r *tsharkReading) counted(t testing.TB) counts {
	t.Helper()
	tcp, udp := map[string]int{}, map[string]bool{}
	for _, f := range r.frames {
		if stream, ok := f["tcp.stream"]; ok {
			flags, err := strconv.Atoi(f["tcp.completeness"])
			require.NoError(t, err)
			tcp[stream] |= flags
		}
		if stream, ok := f["udp.stream"]; ok {
			udp[stream] = true
		}
	}
	c := counts{"TCP streams": len(tcp), "UDP streams": len(udp)}
	for _, flags := range tcp {
		if flags&7 == 7 { // SYN, SYN-ACK and ACK
			c["handshakes"]++
		}
	}
	for _, g := range agreements {
		c[g.what] = g.count(r.frames)
	}
	r.addApplications(c)
	r.addHierarchy(c)
	return c
}

// compareWithTshark compares a capture with what Wireshark finds in it. name is the capture's. It takes the differences that there are
// out of unused. With -v the table is printed.
func compareWithTshark(t *testing.T, name, file string, unused *sync.Map) {
	t.Helper()
	reading := readWithTshark(t, file)
	a, err := analysis.ReadFile(file, analysis.Options{Applications: true})
	require.NoError(t, err)
	ours, theirs := analysed(t, a), reading.counted(t)
	all := maps.Clone(ours)
	maps.Copy(all, theirs)
	var table strings.Builder
	fmt.Fprintf(&table, "%-50s %8s %8s\n", name, "netlab", "tshark")
	for _, what := range slices.Sorted(maps.Keys(all)) {
		key := name + ": " + what
		d, known := differences[key]
		unused.Delete(key)
		switch {
		case known:
			require.NotEmpty(t, d.why, key)
			require.Equal(t, [2]int{d.ours, d.theirs}, [2]int{ours[what], theirs[what]}, key)
		case ours[what] != theirs[what]:
			t.Errorf("%s: netlab %d, tshark %d", key, ours[what], theirs[what])
		}
		if ours[what] != 0 || theirs[what] != 0 {
			fmt.Fprintf(&table, "  %-48s %8d %8d  %s\n", what, ours[what], theirs[what], d.why)
		}
	}
	t.Log(table.String())
}

// usedUp returns the differences of the captures with names of which that is true. When the test and its parts are over none may be left.
func usedUp(t *testing.T, of func(name string) bool) *sync.Map {
	unused := &sync.Map{}
	for key := range differences {
		if of(key) {
			unused.Store(key, true)
		}
	}
	t.Cleanup(func() {
		unused.Range(func(key, _ any) bool {
			if !t.Failed() && !t.Skipped() {
				t.Errorf("%s: a difference that is none", key)
			}
			return true
		})
	})
	return unused
}

// In the names of differences, these come before those of captures that are not from examples as they are.
const (
	foreignCapture = "gopacket/"
	routerCapture  = "routers/"
)

func isForeign(name string) bool  { return strings.HasPrefix(name, foreignCapture) }
func isOfRouter(name string) bool { return strings.HasPrefix(name, routerCapture) }

// The analysis of each capture of each example counts what Wireshark counts.
func TestAnalysisAgreesWithTshark(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector has nothing to find here")
	}
	var playing sync.Mutex
	unused := usedUp(t, func(name string) bool { return !isForeign(name) && !isOfRouter(name) })
	for _, e := range examples.List() {
		for _, lab := range parseAll(t, exampleText(t, e.Name)) {
			name := strings.Trim(e.Name+"/"+lab.Variant(), "/")
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				playing.Lock() // one lab runs at a time
				ended := sync.OnceFunc(playing.Unlock)
				defer ended()
				play(t, lab, &netlab.RunOptions{Dir: dir}, nil)
				ended()
				files := capturesOf(t, dir)
				for _, node := range sortedNodes(files) {
					compareWithTshark(t, name+"/"+node, files[node], unused)
				}
			})
		}
	}
}

func sortedNodes(files map[string]string) []string { return slices.Sorted(maps.Keys(files)) }

// So does that of captures of busy routers, which have each packet twice, as it comes and as it goes, and packets of closed connections that
// waited in their queues.
func TestRoutersAgreeWithTshark(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector has nothing to find here")
	}
	unused := usedUp(t, isOfRouter)
	text := captureSettings.ReplaceAllString(exampleText(t, "dumbbell"), `"captures": { "nodes": ["r1", "r2"] }`)
	files := capturesOf(t, record(t, text, nil))
	require.Len(t, files, 2)
	for _, node := range sortedNodes(files) {
		compareWithTshark(t, routerCapture+"dumbbell/"+node, files[node], unused)
	}
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
	unused := usedUp(t, isForeign)
	for _, file := range append(files, blocks...) {
		path, err := filepath.Rel(dir, file)
		require.NoError(t, err)
		t.Run(filepath.ToSlash(path), func(t *testing.T) {
			t.Parallel()
			if filepath.Base(file) == "test901.pcapng" {
				a, err := analysis.ReadFile(file, analysis.Options{Applications: true})
				var broken *captures.FormatError
				require.ErrorAs(t, err, &broken, "its second section has a version that there isn't")
				require.Positive(t, broken.Offset)
				require.NotNil(t, a)
				return
			}
			compareWithTshark(t, foreignCapture+filepath.ToSlash(path), file, unused)
		})
	}
}
