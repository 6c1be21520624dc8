package netlab_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"netlab/captures"
	"netlab/examples"
)

var update = flag.Bool("update", false, "write the transcripts of the examples into examples/testdata")

// scene is the part of an example that its transcript shows: what passed one interface from a time on, as lines of a ladder
// between nodes.
type scene struct {
	node, iface string // an empty interface is the node's only one
	filter      string // of package captures; empty is everything
	nodes       []string
	from        time.Duration
	lines       int
	caption     string
}

var scenes = map[string]scene{
	"handshake": {node: "client", nodes: []string{"client", "server"}, lines: 25, caption: "All of it, as the client sees it"},
	"retransmission": {node: "r1", iface: "r1-eth1", nodes: []string{"client", "server"}, from: 4805 * time.Millisecond, lines: 28,
		caption: "A loss after 4.8 s and its repair, in front of the lossy link"},
	"udp-vs-tcp": {node: "r1", iface: "r1-eth1", nodes: []string{"client", "server"}, from: 7400 * time.Millisecond, lines: 32,
		caption: "A datagram is lost after 7.45 s, a segment after 7.55 s; in front of the lossy link"},
	"traceroute": {node: "client", nodes: []string{"client", "r1", "r2", "r3", "r4", "r5", "server"}, lines: 26,
		caption: "Each probe gets one router further"},
	"lan": {node: "host1", nodes: []string{"host1", "host2", "host3", "server"}, lines: 26, caption: "What host1 sees of itself, host2, host3 and the server"},
	"dumbbell": {node: "r1", iface: "r1-eth0", nodes: []string{"sender1", "sender2", "receiver"}, lines: 26,
		caption: "Two of the fifty flows, in front of the bottleneck"},
	"partition": {node: "client", filter: "tcp", nodes: []string{"client", "server"}, from: 2015 * time.Millisecond, lines: 30,
		caption: "The upload as the client sees it, without the pings: the partition begins at 2 s and ends at 7 s"},
}

// requireTranscript compares an example's transcript, the lesson as text, with the one that is kept.
func requireTranscript(t *testing.T, e examples.Example, dir string) {
	t.Helper()
	text := transcript(t, e, dir)
	path := filepath.Join("examples", "testdata", e.Name+".txt")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o666))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test -run TestExamples -update . writes it")
	require.Equal(t, string(want), text)
}

// transcript is the lesson of an example: what it says, what its expectations found, and a ladder.
func transcript(t *testing.T, e examples.Example, dir string) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n\n%s\n\nExpectations\n\n", e.Name, strings.Repeat("=", len(e.Name)), wrap(e.Description, 100))
	for _, outcome := range readResults(t, dir).Expect {
		fmt.Fprintf(&b, "  %s\n", outcome.Text)
		for _, v := range outcome.Values {
			fmt.Fprintf(&b, "      %s = %s\n", v.Name, v.Printed)
		}
	}
	s, ok := scenes[e.Name]
	require.True(t, ok, "a scene for the transcript")
	fmt.Fprintf(&b, "\n%s\n\n%s", s.caption, s.ladder(t, dir))
	return b.String()
}

// ladder draws the scene. Its times count from the start of the run.
func (s scene) ladder(t *testing.T, dir string) string {
	t.Helper()
	c := readCapture(t, dir, s.node)
	var filter *captures.Filter
	if s.filter != "" {
		var err error
		filter, err = captures.ParseFilter(s.filter, nil)
		require.NoError(t, err)
	}
	var packets []*captures.Packet
	for _, p := range c.Packets {
		if (s.iface == "" || c.Interfaces[p.Interface].Name == s.iface) && (filter == nil || filter.Match(p.Data)) {
			packets = append(packets, p)
		}
	}
	var b strings.Builder
	require.NoError(t, captures.Ladder(&b, packets, captures.LadderOptions{Nodes: s.nodes, Name: c.NameFunc(), Start: start}))
	lines := strings.SplitAfter(strings.TrimSuffix(b.String(), "\n"), "\n")
	head, body := lines[0], lines[1:]
	first := 0
	for first < len(body) && (body[first][:ladderTime] == strings.Repeat(" ", ladderTime) || lineTime(t, body[first]) < s.from) {
		first++
	}
	end := min(first+s.lines, len(body))
	text := head + strings.Join(body[first:end], "")
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	if end < len(body) {
		text += "  …\n"
	}
	return text
}

// ladderTime is the width of a ladder's column of times.
const ladderTime = 12

// lineTime returns the time in a line of a ladder.
func lineTime(t *testing.T, line string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(strings.TrimSpace(line[:ladderTime]) + "s")
	require.NoError(t, err, line)
	return d
}

// wrap breaks a text into lines.
func wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case column == 0:
		case column+1+n > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}
