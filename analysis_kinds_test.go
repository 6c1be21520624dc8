package netlab_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/captures/analysis"
	"netlab/examples"
)

// sentAgain is what a stack and an analysis of its packets know of segments that were sent again.
type sentAgain struct{ Retransmits, Timeouts int }

// stacksCount returns what the stacks of a run count.
func stacksCount(t testing.TB, dir string) map[string]sentAgain {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "results.json"))
	require.NoError(t, err)
	var r struct {
		Nodes map[string]struct{ TCP sentAgain }
	}
	require.NoError(t, json.Unmarshal(data, &r))
	counts := map[string]sentAgain{}
	for node, n := range r.Nodes {
		counts[node] = n.TCP
	}
	return counts
}

// packetsCount returns what the packets tell that a node's own capture shows. SYNs are left out, as the stacks do.
func packetsCount(t testing.TB, node, file string) (c sentAgain) {
	t.Helper()
	a, err := analysis.ReadFile(file, analysis.Options{})
	require.NoError(t, err)
	for _, s := range a.TCP {
		for i := range s.Sides {
			if s.Ends[i].Name != node {
				continue
			}
			c.Timeouts += s.Sides[i].Timeouts
			for kind, n := range s.Sides[i].Retransmitted {
				if kind != analysis.Handshakes && kind != analysis.Copy {
					c.Retransmits += n
				}
			}
		}
	}
	return c
}

// timeoutsToldApart are the hosts whose stack counts other timeouts than their packets tell: long after the last progress, and some
// milliseconds after an ACK with its first SACK block, something is sent again. Here it was not the retransmission timer, but RACK's for
// segments that others overtook; the packets alone allow both.
var timeoutsToldApart = map[string]sentAgain{
	"dumbbell/sender13": {31, 2}, "dumbbell/sender15": {37, 2}, "dumbbell/sender17": {34, 2}, "dumbbell/sender24": {23, 2},
}

// At each host of each example that sends something again, the packets tell how often the retransmission timer ran out: as often as the
// stack counts.
func TestTimeoutsAreThoseOfTheStack(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector has nothing to find here")
	}
	all, again, timeouts := 0, 0, 0
	for _, e := range examples.List() {
		text := exampleText(t, e.Name)
		if e.Name == "capacity" {
			continue // it loses nothing
		}
		text = captureSettings.ReplaceAllString(text, captureAll)
		for _, lab := range parseAll(t, text) {
			name := strings.Trim(e.Name+"/"+lab.Variant(), "/")
			t.Run(name, func(t *testing.T) {
				dir := t.TempDir()
				play(t, lab, &netlab.RunOptions{Dir: dir}, nil)
				stacks := stacksCount(t, dir)
				files := capturesOf(t, dir)
				for _, node := range sortedNodes(files) {
					want, found := stacks[node], packetsCount(t, node, files[node])
					all++
					again += want.Retransmits
					timeouts += want.Timeouts
					if other, ok := timeoutsToldApart[name+"/"+node]; ok {
						require.NotEqual(t, want, found, "%s is told apart by now", node)
						want = other
					}
					require.Equal(t, want, found, node)
				}
			})
		}
	}
	t.Logf("%d captures, %d segments sent again, %d timeouts", all, again, timeouts)
	require.Greater(t, timeouts, 100)
}

// A partition of some seconds: the timer runs out five times, and all that was in flight is sent again.
func TestTimeoutsOfAPartition(t *testing.T) {
	dir := record(t, exampleText(t, "partition"), nil)
	a, err := analysis.ReadFile(capturesOf(t, dir)["client"], analysis.Options{})
	require.NoError(t, err)
	i := slices.IndexFunc(a.TCP, func(s *analysis.TCPStream) bool { return s.Sides[analysis.Client].Timeouts > 0 })
	require.GreaterOrEqual(t, i, 0)
	side := a.TCP[i].Sides[analysis.Client]
	require.Equal(t, 5, side.Timeouts)
	require.Equal(t, map[analysis.Kind]int{analysis.Timeout: 22}, side.Retransmitted)
	for k, r := range a.TCP[i].Retransmissions {
		require.NotZero(t, r.Original)
		if k > 0 { // the first original arrived, but no ACK came back
			require.Equal(t, "partition on client--r1", r.Why)
		}
	}
}
