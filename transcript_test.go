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
		s, ok := scenes[key]
		require.True(t, ok, "a scene for the transcript of %s", key)
		fmt.Fprintf(&b, "\n%s\n\n%s", s.caption, s.ladder(t, d.dir))
	}
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
