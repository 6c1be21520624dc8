package netlab_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/captures/analysis"
	"netlab/report"
	"netlab/report/story"
)

// storyOf runs an example as it is and tells its story.
func storyOf(t *testing.T, name, variant string, o story.Options) (string, *report.Folder, *analysis.Run) {
	t.Helper()
	dir := t.TempDir()
	play(t, parseVariant(t, exampleText(t, name), variant), &netlab.RunOptions{Dir: dir}, nil)
	f, err := report.Load(dir)
	require.NoError(t, err)
	run := openAnalysis(t, f, analysis.RunOptions{})
	var b bytes.Buffer
	require.NoError(t, story.Tell(&b, f, run, o))
	return b.String(), f, run
}

// The stories of the examples are as examples/testdata has them; -update writes them anew.
func TestStories(t *testing.T) {
	for _, name := range []string{
		"retransmission", "partition", "third-syn-ack", "https", "dns", "crash-restart", "man-in-the-middle", "lan",
	} {
		t.Run(name, func(t *testing.T) {
			text, f, run := storyOf(t, name, "", story.Options{})
			var again bytes.Buffer
			require.NoError(t, story.Tell(&again, f, run, story.Options{}))
			require.Equal(t, text, again.String())
			for _, line := range strings.Split(text, "\n") {
				require.LessOrEqual(t, len([]rune(line)), 100)
			}
			path := filepath.Join("examples", "testdata", name+".story.txt")
			if *update {
				require.NoError(t, os.WriteFile(path, []byte(text), 0o666))
				return
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err, "go test -run TestStories -update . writes it")
			require.Equal(t, string(want), text)
		})
	}
}

// Frames that a story names are in the captures, at the time that it says, and a loss in it is one of the run.
func TestStoryFramesAreInTheCaptures(t *testing.T) {
	_, f, run := storyOf(t, "retransmission", "", story.Options{})
	s, err := story.Make(f, run, story.Options{Limit: -1})
	require.NoError(t, err)
	require.Empty(t, s.Left)
	losses, requested := 0, 0
	for _, e := range s.Sentences {
		for _, frame := range e.Frames {
			capture := -1
			for i, c := range run.Captures {
				if c.Node == frame.Node {
					capture = i
				}
			}
			j := run.JourneyAt(capture, frame.Frame)
			require.NotNil(t, j, "frame %d of %s", frame.Frame, frame.Node)
			require.Contains(t, e.Text, frame.Node+".pcapng")
		}
		if e.Kind != story.Loss {
			continue
		}
		losses++
		if first := run.JourneyAt(0, e.Frames[0].Frame); e.Frames[0].Node == run.Captures[0].Node {
			require.NotNil(t, first.Lost, e.Text)
			require.Equal(t, e.At, first.Lost.At)
			requested += len(e.Frames) / 2
		}
	}
	require.Greater(t, losses, 20)
	require.GreaterOrEqual(t, requested, 29)
}

// Filters leave what concerns a stream, a node or a time.
func TestStoryFilters(t *testing.T) {
	_, f, run := storyOf(t, "dns", "", story.Options{})
	sentences := func(o story.Options) []story.Sentence {
		s, err := story.Make(f, run, o)
		require.NoError(t, err)
		var list []story.Sentence
		for _, e := range s.Sentences {
			if e.Kind != story.Cast && e.Kind != story.Expectation && e.Kind != story.Queue {
				list = append(list, e)
			}
		}
		return list
	}
	all := sentences(story.Options{Limit: -1})
	for _, e := range sentences(story.Options{Limit: -1, Streams: []int{5}}) {
		require.Equal(t, 5, e.Stream, e.Text)
	}
	require.Len(t, sentences(story.Options{Limit: -1, Streams: []int{5}}), 3)
	for _, e := range sentences(story.Options{Limit: -1, From: 22e9, To: 24e9}) {
		require.True(t, e.At >= 22e9 && e.At <= 24e9, e.Text)
	}
	byNode := sentences(story.Options{Limit: -1, Nodes: []string{"client2"}})
	require.NotEmpty(t, byNode)
	require.Less(t, len(byNode), len(all))
	for _, e := range byNode {
		require.NotContains(t, e.Text, "client1")
	}

	short, err := story.Make(f, run, story.Options{Limit: 20})
	require.NoError(t, err)
	require.Len(t, short.Sentences, 20)
	require.NotEmpty(t, short.Left)
	whole, err := story.Make(f, run, story.Options{Limit: 1000})
	require.NoError(t, err)
	require.Empty(t, whole.Left)
	told := 0
	for _, e := range whole.Sentences {
		told += 1 + e.Times
	}
	everything, err := story.Make(f, run, story.Options{Limit: -1})
	require.NoError(t, err)
	require.Len(t, everything.Sentences, told)

	for _, c := range []struct {
		options story.Options
		problem string
	}{
		{story.Options{Streams: []int{6}}, "there is no stream 6: the run has six streams, counted from 0"},
		{story.Options{Nodes: []string{"nobody"}}, `there is no node "nobody": there are client1, client2, r1, ns, web1, web2 and web3`},
		{story.Options{Width: 39}, "a width of 39 columns: want 40 or more"},
		{story.Options{From: 2e9, To: 1e9}, "nothing lies between 2s and 1s: the end is before the beginning"},
	} {
		_, err := story.Make(f, run, c.options)
		require.EqualError(t, err, c.problem)
	}
}

// What routers threw away is told, and is what they counted: each of five the three probes whose time to live was over there.
func TestStoryTellsWhatRoutersDidNotSendOn(t *testing.T) {
	text, f, run := storyOf(t, "traceroute", "", story.Options{Width: 1000})
	require.Contains(t, text, "Three of them ended at each of r1 to r5, which did not send them on.")
	ended := map[string]int{}
	for _, j := range run.Journeys {
		if r := run.EndedAt(j, f.Topology.Routers()); r != "" {
			ended[r]++
		}
	}
	require.Equal(t, map[string]int{"r1": 3, "r2": 3, "r3": 3, "r4": 3, "r5": 3}, ended)
}
