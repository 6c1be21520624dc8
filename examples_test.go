package netlab_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/captures"
	"netlab/examples"
	"netlab/netem"
	"netlab/topology/expect"
)

// exampleResults is what the tests of the examples read of results.json.
type exampleResults struct {
	Nodes map[string]struct {
		TCP struct {
			Retransmits int `json:"retransmits"`
		} `json:"tcp"`
	} `json:"nodes"`
	Links map[string]struct {
		Forward, Backward struct {
			Dropped map[string]int `json:"dropped"`
		}
	} `json:"links"`
	Expect []expect.Outcome `json:"expect"`
}

func readResults(t testing.TB, dir string) exampleResults {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "results.json"))
	require.NoError(t, err)
	var r exampleResults
	require.NoError(t, json.Unmarshal(data, &r))
	return r
}

func exampleText(t testing.TB, name string) string {
	t.Helper()
	data, err := examples.Read(name)
	require.NoError(t, err)
	return string(data)
}

// capturesOf returns the captures of a run by node.
func capturesOf(t testing.TB, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "captures", "*.pcapng"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	byNode := map[string]string{}
	for _, f := range files {
		byNode[strings.TrimSuffix(filepath.Base(f), ".pcapng")] = f
	}
	return byNode
}

// Every example says what it shows, runs alike twice, and shows it: all its expectations hold, its captures are without
// fault, and its transcript is the one in examples/testdata.
func TestExamples(t *testing.T) {
	list := examples.List()
	require.Len(t, list, 38)
	for _, e := range list {
		t.Run(e.Name, func(t *testing.T) {
			if raceDetector && e.Name == "capacity" {
				t.Skip("so many requests take minutes with the race detector")
			}
			text := exampleText(t, e.Name)
			require.GreaterOrEqual(t, strings.Count(e.Description, ". "), 3, "a description of several sentences")

			var dirs []variantDir
			for _, lab := range parseAll(t, text) {
				require.Equal(t, e.Name, lab.Name())
				require.NotEmpty(t, lab.Topology().Expect)
				runs := 2
				if raceDetector {
					runs = 1 // Go's scheduler chooses at random then, see TestFourBigPostsOnOneConnection
				}
				dir := requireSameVariant(t, runs, text, lab.Variant(), nil)
				dirs = append(dirs, variantDir{lab.Variant(), dir})
				results := readResults(t, dir)
				for _, outcome := range results.Expect {
					require.True(t, outcome.Holds, "%s: %v %s %s", outcome.Text, outcome.Values, outcome.Reason, lab.Variant())
				}
				t.Run(strings.TrimPrefix(lab.Variant()+"/drops", "/"), func(t *testing.T) { requireDropsInCaptures(t, lab, results, dir) })
				if !raceDetector {
					t.Run(strings.TrimPrefix(lab.Variant()+"/tshark", "/"), func(t *testing.T) {
						t.Parallel()
						requireTsharkIsContent(t, lab, results, dir)
					})
				}
			}
			if !raceDetector {
				requireTranscript(t, e, dirs)
			}
		})
	}
}

// The file of an example is what its name says, and points editors to the schema.
func TestExampleFiles(t *testing.T) {
	for _, e := range examples.List() {
		text := exampleText(t, e.Name)
		require.Contains(t, text, `"$schema": "netlab.schema.json"`, e.Name)
		require.NotContains(t, text, "\t", "%s is indented with spaces", e.Name)
		for i, line := range strings.Split(text, "\n") {
			if !strings.Contains(line, `"description"`) {
				require.LessOrEqual(t, len([]rune(line)), 140, "%s.json:%d", e.Name, i+1)
			}
		}
	}
	_, err := examples.Read("nonsense")
	require.EqualError(t, err, `there is no example "nonsense"`)
}

// start is the virtual time at which captures begin.
var start = epoch

// readCapture reads the capture of a node.
func readCapture(t testing.TB, dir, node string) *captures.Capture {
	t.Helper()
	c, err := captures.ReadFile(filepath.Join(dir, "captures", node+".pcapng"))
	require.NoError(t, err)
	return c
}

// countDrops returns how many frames the results say that the captured interfaces dropped.
func countDrops(lab *netlab.Lab, results exampleResults, c *captures.Capture) int {
	total := 0
	for _, i := range c.Interfaces {
		node, _, _ := strings.Cut(i.Name, "-eth")
		id, _, _ := strings.Cut(i.Description, ";")
		for _, l := range lab.Topology().Links {
			if l.Name != id {
				continue
			}
			from, _, _ := strings.Cut(l.Between, " - ")
			direction := results.Links[id].Backward
			if from == node {
				direction = results.Links[id].Forward
			}
			for reason, n := range direction.Dropped {
				if reason != "node_down" { // these are in the capture at the far end
					total += n
				}
			}
		}
	}
	return total
}

// requireDropsInCaptures requires that each dropped frame is in the capture of the node that sent it, and says why.
func requireDropsInCaptures(t *testing.T, lab *netlab.Lab, results exampleResults, dir string) {
	for node := range capturesOf(t, dir) {
		c := readCapture(t, dir, node)
		commented := 0
		for _, p := range c.Packets {
			if strings.Contains(p.Comment, "dropped: ") && !strings.Contains(p.Comment, "node down") {
				require.Equal(t, netem.Outbound, p.Direction)
				commented++
			}
		}
		require.Equal(t, countDrops(lab, results, c), commented, "%s: drops", node)
	}
}
