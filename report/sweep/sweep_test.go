package sweep

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"netlab/report/compare"
)

// plan is two values with five seeds.
func plan() *Plan {
	return &Plan{Name: "lab", Points: []Point{{Set: []string{"links.a--b.loss=0%"}}, {Set: []string{"links.a--b.loss=1%"}}}, Seeds: []uint64{1, 2, 3, 4, 5},
		Replay: func(p Point, seed uint64) string { return fmt.Sprint("replay ", p.Title(), " ", seed) }}
}

// run is a run of which the duration grows with the seed; odd ones hold.
func run(p Point, seed uint64) *Run {
	r := &Run{Point: p, Seed: seed, Checks: []Check{{"x < 3ms", "holds"}}, Figures: []Figure{{"x", compare.Duration, float64(seed) * 1e6, true}, {"n", compare.Count, 7, false}}}
	if seed%2 == 0 {
		r.Code, r.Checks[0].State = 1, "fails"
	}
	return r
}

func fill(t *testing.T, j *Journal, p *Plan, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		require.NoError(t, j.Add(run(p.At(n))))
	}
}

// The quantiles of Student's t are those of any table: 12.706 for one degree of freedom, 2.776 for four, 2.045 for 29.
func TestStudent(t *testing.T) {
	for n, quantile := range map[int]float64{2: 12.7062, 5: 2.7764, 30: 2.0452} {
		d := Distribution{}
		for i := range n {
			d.Values = append(d.Values, float64(i))
		}
		d.finish()
		sd := 0.0
		for _, v := range d.Values {
			sd += (v - d.Mean) * (v - d.Mean)
		}
		require.Equal(t, float64(n-1)/2, d.Mean)
		require.Equal(t, float64(n-1)/2, d.Median)
		require.InDelta(t, sd/float64(n-1), *d.SD**d.SD, 1e-9)
		require.InDelta(t, quantile**d.SD*quantile**d.SD/float64(n), (d.CI95[1]-d.Mean)*(d.CI95[1]-d.Mean), 1e-3)
	}
	one := Distribution{Values: []float64{3}}
	one.finish()
	require.Nil(t, one.SD)
	require.Nil(t, one.CI95)
	require.Equal(t, "3", one.Print())
}

// Intervals after Wilson, from Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		holds, of int
		low, high float64
	}{{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}} {
		s := CheckShare{Holds: c.holds, Of: c.of}
		s.finish()
		require.InDelta(t, c.low, s.CI95[0], 5e-5)
		require.InDelta(t, c.high, s.CI95[1], 5e-5)
	}
}

func TestSummaryAndTable(t *testing.T) {
	p, j := plan(), MemoryJournal()
	fill(t, j, p, 0, 9)
	s := Summarize(p, j)
	require.Equal(t, []int{9, 10, 5, 4}, []int{s.Runs, s.Asked, s.Points[0].Runs, s.Points[1].Runs})
	require.Equal(t, 3e6, s.Points[0].Get("x").Mean)
	require.Equal(t, 3, s.Points[0].Checks[0].Holds)
	require.Len(t, s.Failing, 4)
	require.Equal(t, Failing{p.Points[1], 2, "fails", []string{"x < 3ms"}, "replay links.a--b.loss=1% 2"}, s.Failing[2])
	var text strings.Builder
	require.NoError(t, s.Print(&text, 3))
	require.Contains(t, text.String(), "lab: 9 of 10 runs\n")
	require.Contains(t, text.String(), "x  3ms ± 1.963ms  (1ms to 5ms)\n")
	require.Contains(t, text.String(), "and 1 more\n")
	require.NotContains(t, text.String(), " n ", "what is the same in all runs and nobody asks for isn't shown")

	var table bytes.Buffer
	require.NoError(t, WriteTable(&table, p, j))
	lines, err := csv.NewReader(&table).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"variant", "links.a--b.loss", "seed", "verdict", "x [ns]", "n"}, lines[0])
	require.Equal(t, []string{"", "1%", "4", "fails", "4000000", "7"}, lines[9])
	require.Len(t, lines, 10)

	var page bytes.Buffer
	require.NoError(t, s.WritePage(&page))
	tokens := html.NewTokenizer(bytes.NewReader(page.Bytes()))
	dots := 0
	for kind := tokens.Next(); kind != html.ErrorToken; kind = tokens.Next() {
		if token := tokens.Token(); token.Type == html.SelfClosingTagToken && token.Data == "circle" && token.Attr[0].Val == "dot" {
			dots++
		}
	}
	require.Equal(t, 9, dots, "a dot for each run in the plot of x, and none of n")
	require.NotContains(t, page.String(), "NaN")
}

// What is read of results: figures of workloads, and of links those that an expectation mentions, which come first.
func TestFiguresOfResults(t *testing.T) {
	const results = `{"run": {"name": "l", "seed": 3, "duration_ns": 5}, "workloads": {"w": {"type": "x", "goodput_bps": 7, "intact": true, "list": [1]}},
		"links": {"a--b": {"forward": {"sent": {"frames": 3, "bytes": 4}}}},
		"expect": [{"text": "links.a--b.forward.sent.bytes > 1B", "holds": true, "values": [{"name": "links.a--b.forward.sent.bytes", "value": "4B"}]},
			{"text": "y", "holds": false, "inconclusive": true, "values": []}]}`
	r, err := NewRun(Point{}, 3, 2, []byte(results))
	require.NoError(t, err)
	require.Equal(t, []Check{{"links.a--b.forward.sent.bytes > 1B", "holds"}, {"y", "inconclusive"}}, r.Checks)
	require.Equal(t, []Figure{{"links.a--b.forward.sent.bytes", compare.Size, 4, true}, {"run.duration", compare.Duration, 5, false},
		{"w.goodput", compare.BitRate, 7, false}, {"w.intact", compare.Flag, 1, false}}, r.Figures)
	_, err = NewRun(Point{}, 1, 0, []byte("{"))
	require.Error(t, err)
}

// A journal goes on where it ended, whatever its last line looks like, and the files are those of a sweep that was never interrupted.
func TestJournal(t *testing.T) {
	files := func(dir string) (out []string) {
		for _, name := range []string{JournalFile, TableFile, SummaryFile, PageFile} {
			data, err := os.ReadFile(filepath.Join(dir, name))
			require.NoError(t, err)
			out = append(out, string(data))
		}
		return out
	}
	finish := func(dir string, j *Journal, p *Plan) []string {
		require.NoError(t, j.Sort(dir, "a", p))
		require.NoError(t, j.Close())
		_, err := WriteFiles(dir, p, j, true)
		require.NoError(t, err)
		return files(dir)
	}
	p, whole := plan(), t.TempDir()
	j, err := OpenJournal(whole, "a", false)
	require.NoError(t, err)
	fill(t, j, p, 0, p.Len())
	want := finish(whole, j, p)

	dir := t.TempDir()
	path := filepath.Join(dir, JournalFile)
	j, err = OpenJournal(dir, "a", false)
	require.NoError(t, err)
	fill(t, j, p, 7, p.Len()) // the last ones first, as processes may have ended
	require.NoError(t, j.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data[:len(data)-5], 0o666)) // torn
	j, err = OpenJournal(dir, "a", false)
	require.NoError(t, err)
	require.NotNil(t, j.Get(p.At(8)))
	require.Nil(t, j.Get(p.At(9)), "the torn line is no run")
	fill(t, j, p, 9, 10)
	fill(t, j, p, 0, 7)
	require.Equal(t, want, finish(dir, j, p))

	_, err = OpenJournal(dir, "b", false)
	var other *OtherSweepError
	require.ErrorAs(t, err, &other)
	require.ErrorContains(t, err, path)
	data, err = os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, bytes.Replace(data, []byte(`"seed":3`), []byte(`"seed":x`), 1), 0o666))
	_, err = OpenJournal(dir, "a", false)
	require.ErrorContains(t, err, JournalFile+":4:")
	for text, message := range map[string]string{"{\"format\":2,\"of\":\"a\"}\n": ":1: found format 2, wanted 1", "hello\n": ":1: "} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o666))
		_, err = OpenJournal(dir, "a", false)
		require.ErrorContains(t, err, message)
	}
	j, err = OpenJournal(dir, "b", true)
	require.NoError(t, err)
	require.Nil(t, j.Get(p.At(0)))
	require.NoError(t, j.Close())
}

// The journal's lines are what the documentation says.
func TestJournalLine(t *testing.T) {
	line, err := json.Marshal(run(Point{Variant: "v", Set: []string{"a=1"}}, 2))
	require.NoError(t, err)
	require.JSONEq(t, `{"variant": "v", "set": ["a=1"], "seed": 2, "code": 1, "checks": [{"text": "x < 3ms", "state": "fails"}],
		"figures": [{"name": "x", "dimension": 3, "value": 2e6, "mentioned": true}, {"name": "n", "dimension": 1, "value": 7}]}`, string(line))
}
