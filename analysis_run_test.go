package netlab_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/captures"
	"netlab/captures/analysis"
	"netlab/examples"
	"netlab/netem"
	"netlab/report"
	"netlab/services/flood"
)

// captureSettings are the places of an example, and of its variants, that choose what is captured.
var captureSettings = regexp.MustCompile(`"captures": \{[^{}]*\}`)

// captureAll replaces them.
const captureAll = `"captures": { "nodes": "*" }`

// runCaptured runs a variant of a text with all its nodes captured, and returns its folder.
func runCaptured(t testing.TB, text, variant string) *report.Folder {
	t.Helper()
	dir := t.TempDir()
	play(t, parseVariant(t, captureSettings.ReplaceAllString(text, captureAll), variant), &netlab.RunOptions{Dir: dir}, nil)
	f, err := report.Load(dir)
	require.NoError(t, err)
	return f
}

// openAnalysis joins the captures of a folder.
func openAnalysis(t testing.TB, f *report.Folder, o analysis.RunOptions) *analysis.Run {
	t.Helper()
	var files []analysis.CaptureFile
	for _, c := range f.Captures {
		files = append(files, analysis.CaptureFile(c))
	}
	run, err := analysis.OpenRun(files, o)
	require.NoError(t, err)
	return run
}

// What the packets tell is what the emulator knows: every drop is the end of a packet's journey, and every segment that a stack sent
// again is tied to the right original and has the right cause.
func TestAnalysisKnowsWhatTheEmulatorKnows(t *testing.T) {
	causes := map[analysis.Cause]int{}
	for _, e := range examples.List() {
		if raceDetector && e.Name == "capacity" {
			continue // so many requests take minutes with the race detector
		}
		text := exampleText(t, e.Name)
		for _, lab := range parseAll(t, text) {
			t.Run(strings.Trim(e.Name+"/"+lab.Variant(), "/"), func(t *testing.T) {
				f := runCaptured(t, text, lab.Variant())
				run := openAnalysis(t, f, analysis.RunOptions{})
				require.Zero(t, run.Left)
				raw := rawPackets(t, f)
				drops := requireDrops(t, f, run, raw)
				requireRepeats(t, f, run, raw, drops)
				requireStreams(t, run)
				for _, r := range run.Repeats {
					causes[r.Why]++
					if hides(lab) {
						continue
					}
					require.NotEqual(t, analysis.Unknown, r.Why, "frame %d: with all captures, all is known: %s", r.Frame, r.Text)
				}
			})
		}
	}
	for _, c := range []analysis.Cause{analysis.OriginalLost, analysis.ACKLost, analysis.Late, analysis.Unread, analysis.Needless} {
		require.NotZero(t, causes[c], "no example has a segment that was sent again because of: %s", c)
	}
}

// hides says whether packets vanish in a lab where captures don't tell of it: in a router's firewall, which counts them, and at whoever
// gets what was meant for made-up addresses.
func hides(lab *netlab.Lab) bool {
	for _, n := range lab.Topology().Nodes.All() {
		if n.Firewall != nil {
			return true
		}
	}
	for _, w := range lab.Topology().Workloads.All() {
		if w.Type == flood.SYN.Name {
			return true
		}
	}
	return false
}

// rawPackets returns the packets of each capture by node, as they are in the file.
func rawPackets(t *testing.T, f *report.Folder) map[string][]*captures.Packet {
	raw := map[string][]*captures.Packet{}
	for _, c := range f.Captures {
		file, err := captures.ReadFile(c.Path)
		require.NoError(t, err)
		raw[c.Node] = file.Packets
	}
	return raw
}

// dropWords are the words for reasons of drops in the comments of packets.
var dropWords = map[string]string{
	"loss": "random loss", "queue_full": "queue full", "link_down": "link down", "partition": "partition", "too_big": "larger than the MTU",
	"red": "random early detection", "codel": "CoDel", "pie": "PIE", "node_down": "node down",
}

// requireDrops requires that each drop in the events is a hop at which a packet ended, and the other way round. The packet is lost unless
// a copy of it was seen at its destination: of those that a switch floods, or the network copies, some may be dropped and one arrive. It
// returns the drops by packet.
func requireDrops(t *testing.T, f *report.Folder, run *analysis.Run, raw map[string][]*captures.Packet) map[uint64][]*report.Event {
	drops := map[uint64][]*report.Event{}
	for i := range f.Events {
		if ev := &f.Events[i]; ev.Kind == "drop" {
			drops[ev.Frame] = append(drops[ev.Frame], ev)
		}
	}
	reached := map[string]map[uint64]bool{} // by node the packets that came there
	for node, packets := range raw {
		reached[node] = map[uint64]bool{}
		for _, p := range packets {
			if p.Direction == netem.Inbound && !strings.Contains(p.Comment, "dropped: ") {
				reached[node][p.ID] = true
			}
		}
	}
	ended := 0
	for _, j := range run.Journeys {
		var times []time.Duration
		for _, h := range j.Hops {
			if h.Dropped {
				times = append(times, h.At)
			}
		}
		list := drops[j.ID]
		require.Len(t, times, len(list), "drops of packet %d", j.ID)
		if len(list) == 0 {
			require.Nil(t, j.Lost, "packet %d was not dropped", j.ID)
			continue
		}
		ended++
		for i, ev := range list {
			require.Equal(t, ev.At(), times[i], "drop %d of packet %d", i+1, j.ID)
		}
		if reached[j.To][j.ID] {
			require.Nil(t, j.Lost, "a copy of packet %d arrived at %s", j.ID, j.To)
			continue
		}
		last := list[len(list)-1]
		reason := last.Detail
		if reason == "" {
			reason = dropWords[last.Reason]
		}
		require.NotNil(t, j.Lost, "packet %d", j.ID)
		require.Equal(t, last.At(), j.Lost.At)
		require.Equal(t, last.Link, j.Lost.Link)
		require.Equal(t, reason, j.Lost.Reason)
		require.Equal(t, last.Node, j.Lost.Node)
		p := raw[j.Lost.Node][j.Lost.Frame-1]
		require.Equal(t, j.ID, p.ID)
		require.Contains(t, p.Comment, "dropped: "+reason+" on "+last.Link)
	}
	require.Len(t, drops, ended, "drops of packets that are in no capture")
	return drops
}

// requireRepeats requires that there is a repeat for each segment that a stack counted as sent again, that its original carried its first
// byte, and that it was dropped if and only if the cause says so.
func requireRepeats(t *testing.T, f *report.Folder, run *analysis.Run, raw map[string][]*captures.Packet, drops map[uint64][]*report.Event) {
	byNode := map[string]int{}
	for _, r := range run.Repeats {
		node, _, _ := strings.Cut(r.Stream.Client, ":")
		if r.From == analysis.Server {
			node, _, _ = strings.Cut(r.Stream.Server, ":")
		}
		if r.Kind != analysis.Handshakes { // the stacks don't count SYNs
			byNode[node]++
		}
		require.NotNil(t, r.Journey)
		require.NotEmpty(t, r.Text)
		require.NotNil(t, r.Original, "frame %d of %s", r.Frame, node)
		again, original := segmentOf(t, raw[run.Captures[r.Capture].Node][r.Frame-1]), segmentOf(t, raw[run.Captures[r.Capture].Node][r.Retransmission.Original-1])
		offset := int(int32(again.Seq - original.Seq))
		require.GreaterOrEqual(t, offset, 0)
		if len(again.Data) > 0 {
			require.Less(t, offset, original.Length, "the original of frame %d of %s", r.Frame, node)
			n := min(len(again.Data), len(original.Data)-offset)
			require.Equal(t, original.Data[offset:offset+n], again.Data[:n])
		}
		lost := len(drops[r.Original.ID]) > 0 && r.Original.Lost != nil
		require.Equal(t, lost, r.Why == analysis.OriginalLost, "frame %d of %s: %s: %s", r.Frame, node, r.Why, r.Text)
	}
	results := readResults(t, f.Dir)
	for node, n := range results.Nodes {
		require.Equal(t, n.TCP.Retransmits, byNode[node], "segments that %s sent again", node)
	}
}

func segmentOf(t *testing.T, p *captures.Packet) captures.Segment {
	var h captures.Headers
	var s captures.Segment
	require.True(t, h.Parse(captures.LinkEthernet, p.Data) && h.TCP(&s))
	return s
}

// requireStreams requires that each connection is there once, with the views of all that saw it.
func requireStreams(t *testing.T, run *analysis.Run) {
	views := 0
	for _, s := range run.Streams {
		views += len(s.Views)
		client, _, _ := strings.Cut(s.Client, ":")
		if nobodys(client) {
			continue // the address is made up
		}
		require.Equal(t, client, run.Captures[s.Views[s.End(run, analysis.Client)].Capture].Node)
	}
	all := 0
	for _, c := range run.Captures {
		all += len(c.TCP)
	}
	require.Equal(t, all, views)
}
