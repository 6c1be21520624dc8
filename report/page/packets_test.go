package page

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/captures"
	"netlab/captures/analysis"
	"netlab/report"
)

// lineFolder is a lab of three nodes in a row.
func lineFolder() *report.Folder {
	f := &report.Folder{}
	for _, n := range []string{"spare", "client", "r1", "server"} {
		f.Topology.Nodes = append(f.Topology.Nodes, report.Member[report.Node]{Name: n})
	}
	f.Topology.Links = []report.Link{{Name: "spare--r1", Between: "spare - r1"}, {Name: "client--r1", Between: "client - r1"}, {Name: "wan", Between: "r1 - server"}}
	return f
}

// lineRun is a run with n segments from client to server, all 1 ms apart. Those whose place is in lost are dropped between r1 and server.
func lineRun(n int, lost ...int) *analysis.Run {
	run := &analysis.Run{}
	for _, node := range []string{"client", "r1", "server"} {
		run.Captures = append(run.Captures, &analysis.Capture{Node: node, Path: "runs/a/captures/" + node + ".pcapng"})
	}
	s := &analysis.Stream{Client: "client:49152", Server: "server:80"}
	for i := range run.Captures {
		s.Views = append(s.Views, analysis.View{Capture: i, TCPStream: &analysis.TCPStream{Index: 3 + i}})
	}
	run.Streams = []*analysis.Stream{s}
	arrived := 0
	for i := range n {
		at := time.Duration(i) * time.Millisecond
		j := &analysis.Journey{
			Index: i, ID: uint64(2*i + 1), At: at, From: "client", To: "server", Protocol: "tcp", Bytes: 1514, Stream: s, Length: 1460, Flags: captures.ACK,
			Text: fmt.Sprintf("client:49152 > server:80 [ACK] seq %d ack 1 len 1460", 1+1460*i),
			Hops: []analysis.Hop{
				{Capture: 0, Interface: "client-eth0", Frame: i + 1, At: at},
				{Capture: 1, Interface: "r1-eth1", Frame: 2*i + 1, At: at + 5, Inbound: true}, {Capture: 1, Interface: "r1-eth2", Frame: 2*i + 2, At: at + 5},
			},
		}
		if slices.Contains(lost, i) {
			j.Lost = &analysis.Loss{At: at + 5, Node: "r1", Link: "wan", Reason: "queue full", Frame: 2*i + 2}
		} else {
			arrived++
			j.Hops = append(j.Hops, analysis.Hop{Capture: 2, Interface: "server-eth0", Frame: arrived, At: at + 20, Inbound: true})
		}
		run.Journeys = append(run.Journeys, j)
	}
	return run
}

// again makes the packet at place i one that repeats the one at place original.
func again(run *analysis.Run, i, original int) {
	r := &analysis.Repeat{
		Retransmission: &analysis.Retransmission{Kind: analysis.Fast}, Journey: run.Journeys[i], Original: run.Journeys[original], Text: "the original was dropped",
	}
	run.Journeys[i].Repeat = r
	run.Repeats = append(run.Repeats, r)
}

func bytesOf(t *testing.T, v any) int {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return len(data)
}

func TestPacketsInColumns(t *testing.T) {
	run := lineRun(4, 1)
	again(run, 3, 1)
	run.Journeys[2].Comments = []string{"duplicate 1 of 2"}
	run.Journeys[3].Message = "GET /"
	run.Journeys[0].Message = "ack 1 len"
	p, limits, err := newPackets(lineFolder(), run, 1<<20)
	require.NoError(t, err)
	require.Empty(t, limits)
	require.Equal(t, &packets{
		Nodes: []string{"client", "r1", "server"},
		Ports: []port{
			{0, "captures/client.pcapng", "client-eth0", 0, 1}, {1, "captures/r1.pcapng", "r1-eth1", 0, 0},
			{1, "captures/r1.pcapng", "r1-eth2", 1, 2}, {2, "captures/server.pcapng", "server-eth0", 1, 1},
		},
		Links:       []string{"client--r1", "wan"},
		Words:       []string{"tcp", "queue full", "duplicate 1 of 2", "GET /", "the original was dropped"},
		Connections: []connection{{0, "client:49152 – server:80", map[string]int{"captures/client.pcapng": 3, "captures/r1.pcapng": 4, "captures/server.pcapng": 5}}},
		Count:       4,
		ID:          []int64{1, 2, 2, 2},
		At:          []int64{0, 1e6, 1e6, 1e6},
		From:        []int{0, 0, 0, 0}, To: []int{2, 2, 2, 2}, Protocol: []int{0, 0, 0, 0}, Bytes: []int{1514, 1514, 1514, 1514}, Stream: []int{0, 0, 0, 0},
		Marks:     []int{0, 0, 0, 0},
		Templates: []string{"client:\ue000 > server:\ue000 [ACK] seq \ue000 ack \ue000 len \ue000"},
		Template:  []int{0, 0, 0, 0},
		Numbers:   []int64{49152, 80, 1, 1, 1460, 0, 0, 1460, 0, 0, 0, 0, 1460, 0, 0, 0, 0, 1460, 0, 0},
		Hops: []int64{
			4, 0, 1, 0, 3, 1, 5, 4, 1, 0, 7, 1, 15,
			3, 0, 1, 0, 3, 1, 5, 4, 1, 0,
			4, 0, 1, 0, 3, 1, 5, 4, 1, 0, 7, 1, 15,
			4, 0, 1, 0, 3, 1, 5, 4, 1, 0, 7, 1, 15,
		},
		Lost:     []loss{{Packet: 1, At: 5, Node: 1, Toward: 2, Link: 1, Reason: 1, Frame: 4}},
		Repeats:  []repeat{{3, analysis.Fast, 1, 4}},
		Comments: [][2]int{{2, 2}},
		Messages: [][2]int{{3, 3}},
	}, p)
}

// The levels of the pyramid: the exact packets at each budget.
func TestPacketsFitTheBudget(t *testing.T) {
	const n = 1000
	f := lineFolder()
	run := lineRun(n, 500)
	again(run, 900, 500)
	ofLevel := func(step int) []*analysis.Journey {
		return choose(run.Journeys, func(i int) bool { return i%step == 0 || i >= 497 && i <= 503 || i >= 897 && i <= 903 })
	}
	for _, step := range []int{1, 2, 4, 8, 64, 1024} {
		want := ofLevel(step)
		budget := bytesOf(t, tabulate(f, run, want))
		p, limits, err := newPackets(f, run, budget)
		require.NoError(t, err)
		require.Equal(t, tabulate(f, run, want), p, "every %d", step)
		shown := 0
		for _, g := range p.Gaps {
			shown += g[1]
		}
		require.Equal(t, n-len(want), shown, "what is left out is counted")
		if step == 1 {
			require.Empty(t, limits)
			continue
		}
		require.Len(t, limits, 1)
		require.Equal(t, len(want), limits[0].Shown)
		require.Equal(t, n, limits[0].Of)
		less, _, err := newPackets(f, run, budget-1)
		require.NoError(t, err)
		require.Less(t, len(less.At), len(want), "a byte less and it is the next level")
	}
}

func TestPacketsThatFindNoRoom(t *testing.T) {
	var all []int
	for i := range 256 {
		all = append(all, i)
	}
	run := lineRun(256, all...)
	run.Left = 1000
	half := choose(run.Journeys, func(i int) bool { return i%2 == 0 })
	p, limits, err := newPackets(lineFolder(), run, bytesOf(t, tabulate(lineFolder(), run, half)))
	require.NoError(t, err)
	require.Len(t, p.Lost, 128, "every second of those that are notable")
	require.Equal(t, 1256, limits[0].Of)
	require.Equal(t, []int{256, 1256}, []int{limits[1].Shown, limits[1].Of}, "the limit of the analysis")
	require.Equal(t, [2]int{128, 1001}, p.Gaps[len(p.Gaps)-1], "the last one, and those beyond the limit of the analysis")

	p, limits, err = newPackets(lineFolder(), run, 10)
	require.NoError(t, err)
	require.Empty(t, p.At)
	require.Equal(t, 0, limits[0].Shown)

	p, limits, err = newPackets(lineFolder(), &analysis.Run{}, 1000)
	require.NoError(t, err)
	require.Empty(t, limits)
	require.Zero(t, p.Count)
}

func TestSplitNumbers(t *testing.T) {
	const place = "\ue000"
	for _, c := range []struct {
		text, template string
		numbers        []int64
	}{
		{"", "", nil},
		{"ping", "ping", nil},
		{"seq 12 ack 0", "seq " + place + " ack " + place, []int64{12, 0}},
		{"10.0.0.1:80", strings.Repeat(place+".", 3) + place + ":" + place, []int64{10, 0, 0, 1, 80}},
		{"id 007 x1", "id 007 x" + place, []int64{1}},
		{"999999999999999 1000000000000000", place + " 1000000000000000", []int64{999999999999999}},
		{"é" + place + "5", "é\ufffd" + place, []int64{5}},
	} {
		template, numbers := splitNumbers(c.text)
		require.Equal(t, c.template, template)
		require.Equal(t, c.numbers, numbers)
	}
}
