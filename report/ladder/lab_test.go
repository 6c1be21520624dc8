package ladder

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/captures"
	"netlab/captures/analysis"
	"netlab/report"
)

var update = flag.Bool("update", false, "write the pictures into testdata")

// golden compares a picture with the one that is kept.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o777))
		require.NoError(t, os.WriteFile(path, got, 0o666))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test ./report/ladder -update writes it")
	require.Equal(t, string(want), string(got), name)
}

// hop is how long a link takes in these tests.
const hop = 10 * time.Millisecond

// lab makes journeys by hand.
type lab struct {
	t       *testing.T
	topo    report.Topology
	network *Network
	run     *analysis.Run
	stream  *analysis.Stream
	unseen  []string // nodes without captures
}

// newLab makes a lab of links such as "client - r1". Nodes whose names begin with r are routers, with sw switches. Those in unseen have
// no captures.
func newLab(t *testing.T, links []string, unseen ...string) *lab {
	l := &lab{t: t, run: &analysis.Run{}, stream: &analysis.Stream{Client: "client:49152", Server: "server:5001"}, unseen: unseen}
	for _, link := range links {
		a, b, _ := strings.Cut(link, " - ")
		for _, name := range []string{a, b} {
			if _, ok := l.topo.Nodes.Get(name); ok {
				continue
			}
			kind := "host"
			if strings.HasPrefix(name, "sw") {
				kind = "switch"
			}
			l.topo.Nodes = append(l.topo.Nodes, report.Member[report.Node]{Name: name, Value: report.Node{Kind: kind}})
			if !contains(unseen, name) {
				l.run.Captures = append(l.run.Captures, &analysis.Capture{Node: name})
			}
		}
		l.topo.Links = append(l.topo.Links, report.Link{Name: a + "--" + b, Between: link})
	}
	l.network = NewNetwork(&l.topo)
	return l
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// upload is a lab of a client and a server behind a router.
func uploadLab(t *testing.T) *lab { return newLab(t, []string{"client - r1", "r1 - server"}) }

// iface returns a node's interface to another, and the link's name.
func (l *lab) iface(node, to string) (iface, link string) {
	n := 0
	for _, k := range l.topo.Links {
		a, b, _ := strings.Cut(k.Between, " - ")
		if a == node && b == to || a == to && b == node {
			return fmt.Sprintf("%s-eth%d", node, n), k.Name
		}
		if a == node || b == node {
			n++
		}
	}
	l.t.Fatalf("no link between %s and %s", node, to)
	return "", ""
}

func (l *lab) capture(node string) int {
	for i, c := range l.run.Captures {
		if c.Node == node {
			return i
		}
	}
	return -1
}

// send makes a packet that takes a path such as "client r1 server". "client r1 x server" loses it between r1 and server, and
// "client r1 ." ends at r1.
func (l *lab) send(at time.Duration, path, text string) *analysis.Journey {
	j := &analysis.Journey{Index: len(l.run.Journeys), ID: uint64(len(l.run.Journeys) + 1), At: at, Text: text, Protocol: "tcp"}
	names := strings.Fields(path)
	j.From, j.To = names[0], names[len(names)-1]
	if before, _, ok := strings.Cut(text, " > "); ok {
		f := strings.Fields(before)
		_, after, _ := strings.Cut(text, " > ")
		j.From, j.To = hostOf(f[len(f)-1]), hostOf(strings.Fields(after)[0])
	}
	l.walk(j, at, names)
	if strings.Contains(text, "[") && !strings.Contains(text, "ICMP") {
		l.segment(j)
	}
	l.run.Journeys = append(l.run.Journeys, j)
	return j
}

func hostOf(end string) string {
	if i := strings.LastIndexByte(end, ':'); i > 0 && strings.Count(end, ":") == 1 {
		return end[:i]
	}
	return end
}

// walk adds the sightings of a path.
func (l *lab) walk(j *analysis.Journey, at time.Duration, names []string) {
	frame := 0
	see := func(node, iface string, at time.Duration, in bool) {
		if c := l.capture(node); c >= 0 {
			frame = 10*j.Index + len(j.Hops) + 1
			j.Hops = append(j.Hops, analysis.Hop{Capture: c, Interface: iface, Frame: frame, At: at, Inbound: in})
		}
	}
	for i := 0; i+1 < len(names); i++ {
		from, to := names[i], names[i+1]
		switch {
		case to == ".":
			return
		case to == "x":
			iface, link := l.iface(from, names[i+2])
			see(from, iface, at, false)
			j.Hops[len(j.Hops)-1].Dropped = true
			j.Lost = &analysis.Loss{At: at, Node: from, Link: link, Reason: "random loss", Frame: frame}
			return
		}
		out, _ := l.iface(from, to)
		in, _ := l.iface(to, from)
		see(from, out, at, false)
		at += hop
		see(to, in, at, true)
	}
}

// segment reads what a description says of a segment.
func (l *lab) segment(j *analysis.Journey) {
	j.Stream = l.stream
	names := map[string]uint8{"SYN": captures.SYN, "ACK": captures.ACK, "FIN": captures.FIN, "RST": captures.RST, "PSH": captures.PSH}
	inside := j.Text[strings.IndexByte(j.Text, '[')+1 : strings.IndexByte(j.Text, ']')]
	for _, f := range strings.Split(inside, ", ") {
		j.Flags |= names[f]
	}
	if _, after, ok := strings.Cut(j.Text, " len "); ok {
		_, err := fmt.Sscan(after, &j.Length)
		require.NoError(l.t, err)
	}
}

// again says that a packet repeats another.
func (l *lab) again(j, original *analysis.Journey, kind analysis.Kind, why analysis.Cause) {
	j.Repeat = &analysis.Repeat{Retransmission: &analysis.Retransmission{Kind: kind}, Stream: l.stream, Journey: j, Original: original, Why: why}
	j.Marks |= analysis.Marks(analysis.MarkRetransmission)
}

func (l *lab) ladder(o Options) *Ladder {
	l.t.Helper()
	d, err := New(l.run, l.network, l.run.Journeys, o)
	require.NoError(l.t, err)
	return d
}

// text draws and checks what holds for any text.
func (l *lab) text(o Options, to TextOptions) []byte {
	l.t.Helper()
	var b bytes.Buffer
	require.NoError(l.t, l.ladder(o).Text(&b, to))
	limit := to.Width
	if limit == 0 {
		limit = DefaultWidth
	}
	if !to.Color {
		for _, line := range strings.Split(b.String(), "\n") {
			require.LessOrEqual(l.t, width(line), limit, line)
			require.Equal(l.t, strings.TrimRight(line, " "), line)
			require.False(l.t, to.ASCII && width(line) != len(line), line)
		}
	}
	return b.Bytes()
}
