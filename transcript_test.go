package netlab_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"netlab/captures"
	"netlab/captures/analysis"
	"netlab/examples"
	"netlab/report"
	"netlab/report/ladder"
)

var update = flag.Bool("update", false, "write the transcripts of the examples into examples/testdata")

// variantDir is the folder of a run, of a variant unless the file has none.
type variantDir struct{ variant, dir string }

// requireTranscript compares an example's transcript, the lesson as text, with the one that is kept.
func requireTranscript(t *testing.T, e examples.Example, dirs []variantDir) {
	t.Helper()
	text := transcript(t, e, dirs)
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

// transcript is the lesson of an example: what it says, and what the expectations of each variant found, with a ladder.
func transcript(t *testing.T, e examples.Example, dirs []variantDir) string {
	t.Helper()
	var b strings.Builder
	drawn := 0
	fmt.Fprintf(&b, "%s\n%s\n\n%s\n", e.Name, strings.Repeat("=", len(e.Name)), wrap(e.Description, 100))
	for _, d := range dirs {
		key := e.Name
		if d.variant != "" {
			key += "/" + d.variant
			fmt.Fprintf(&b, "\n%s\n%s\n", d.variant, strings.Repeat("-", len(d.variant)))
		}
		fmt.Fprint(&b, "\nExpectations\n\n")
		for _, outcome := range readResults(t, d.dir).Expect {
			fmt.Fprintf(&b, "  %s\n", outcome.Text)
			for _, v := range outcome.Values {
				fmt.Fprintf(&b, "      %s = %s\n", v.Name, v.Printed)
			}
		}
		if s, ok := scenes[key]; ok {
			drawn++
			fmt.Fprintf(&b, "\n%s\n\n%s", s.caption, s.ladder(t, d.dir))
		}
	}
	require.Positive(t, drawn, "a scene for the transcript of %s", e.Name)
	return b.String()
}

// ladder draws the scene. Its times count from the start of the run.
func (s scene) ladder(t *testing.T, dir string) string {
	t.Helper()
	f, err := report.Load(dir)
	require.NoError(t, err)
	choice := ladder.Selection{From: s.from}
	var options analysis.RunOptions
	if s.filter != "" {
		filter, err := captures.ParseFilter(s.filter, nil)
		require.NoError(t, err)
		m := ladder.NewMatcher(filter)
		options.Frame, choice.Filter = m.Frame, m.Match
	}
	if s.iface != "" {
		choice.Filter = s.passed(choice.Filter)
	}
	o := ladder.Options{Nodes: s.nodes}
	var run *analysis.Run
	var network *ladder.Network
	if s.node != "" {
		run, err = analysis.OpenFile(filepath.Join(dir, report.CapturesDir, s.node+".pcapng"), options)
	} else {
		var files []analysis.CaptureFile
		for _, c := range f.Captures {
			files = append(files, analysis.CaptureFile(c))
		}
		options.Nodes = s.watch
		run, err = analysis.OpenRun(files, options)
		network = ladder.NewNetwork(&f.Topology)
		for _, e := range ladder.Events(f) {
			if e.At >= s.from {
				o.Events = append(o.Events, e)
			}
		}
	}
	require.NoError(t, err)
	journeys, err := choice.Of(run)
	require.NoError(t, err)
	l, err := ladder.New(run, network, journeys, o)
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, l.Text(&b, ladder.TextOptions{}))
	lines := strings.SplitAfter(strings.TrimSuffix(b.String(), "\n"), "\n")
	end := min(1+s.lines, len(lines))
	text := strings.TrimSuffix(strings.Join(lines[:end], ""), "\n") + "\n"
	if end < len(lines) {
		text += "  …\n"
	}
	return text
}

// passed chooses the packets that passed the scene's interface, of those that another choice lets through.
func (s scene) passed(also func(*analysis.Journey) bool) func(*analysis.Journey) bool {
	return func(j *analysis.Journey) bool {
		return (also == nil || also(j)) && slices.ContainsFunc(j.Hops, func(h analysis.Hop) bool { return h.Interface == s.iface })
	}
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
