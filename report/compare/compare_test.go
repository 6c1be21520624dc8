package compare

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/report"
)

const slowTopology = `{
  "name": "lab", "seed": 1, "description": "not compared",
  "nodes": {"a": {"kind": "host"}, "b": {"kind": "host", "tcp": {"sack": true}}},
  "links": [{"name": "line", "between": "a - b", "rate": "1Mbit/s", "queue": "10 packets"}, {"name": "other", "between": "a - b"}],
  "faults": [{"at": "1s", "down": "line"}]
}`

const fastTopology = `{
  "name": "lab", "seed": 1,
  "nodes": {"a": {"kind": "host"}, "b": {"kind": "host", "tcp": {"sack": false}}, "c": {"kind": "router"}},
  "links": [{"name": "other", "between": "a - b"}, {"name": "line", "between": "a - b", "rate": "10Mbit/s", "queue": {"type": "codel"}}],
  "faults": [{"at": "1s", "down": "line"}, {"at": "2s", "up": "line"}]
}`

const slowResults = `{
  "run": {"name": "lab", "variant": "slow", "seed": 1, "duration_ns": 2000000000, "ended": "done", "version": "1"},
  "nodes": {"a": {"kind": "host", "tcp": {"retransmits": 4, "segments_sent": 9}, "ip": {"sent": 9}}},
  "links": {"line": {"forward": {"sent": {"frames": 9, "bytes": 9000}, "dropped": {"loss": 1, "queue_full": 0},
    "queue": {"max_bytes": 4000, "mean_packets": 2.5, "sojourn": {"count": 9, "p99_ns": 40000000}, "buckets": [{"sent": 1}]}}}},
  "workloads": {"upload": {"type": "tcp-transfer", "completed": true, "bytes": 1000000, "goodput_bps": 1000000, "first_byte_ns": null,
    "loss": 0.25, "offered": 2.5, "same": 7, "flows": [{"bytes": 1}]}},
  "expect": [{"text": "upload.goodput > 5Mbit/s", "holds": false, "values": [{"name": "upload.goodput", "value": "1Mbit/s"}]},
    {"text": "upload.intact", "holds": true, "values": []}]
}`

const fastResults = `{
  "run": {"name": "lab", "variant": "fast", "seed": 1, "duration_ns": 2200000000, "ended": "duration", "version": "1"},
  "nodes": {"a": {"kind": "host", "tcp": {"retransmits": 0, "segments_sent": 10}, "ip": {"sent": 10}}},
  "links": {"line": {"forward": {"sent": {"frames": 10, "bytes": 9500}, "dropped": {"loss": 0, "queue_full": 0},
    "queue": {"max_bytes": 1000, "mean_packets": 0.5, "sojourn": {"count": 10, "p99_ns": 4000000}}}}},
  "workloads": {"upload": {"type": "tcp-transfer", "completed": false, "bytes": 1000000, "goodput_bps": 9500000, "first_byte_ns": 5000000,
    "loss": 0.5, "offered": 5, "same": 7}, "new": {"requests": 3}},
  "expect": [{"text": "upload.goodput > 5Mbit/s", "holds": true, "values": [{"name": "upload.goodput", "value": "9.5Mbit/s"}]},
    {"text": "upload.intact", "holds": true, "values": []}, {"text": "new.rtt > 1s", "inconclusive": true, "reason": "no value"}]
}`

// folder writes the folder of a run; results may be "".
func folder(t *testing.T, name, topology, results string) *report.Folder {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.Mkdir(dir, 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(dir, report.TopologyFile), []byte(topology), 0o666))
	if results != "" {
		require.NoError(t, os.WriteFile(filepath.Join(dir, report.ResultsFile), []byte(results), 0o666))
	}
	f, err := report.Load(dir)
	require.NoError(t, err)
	return f
}

func compared(t *testing.T) *Comparison {
	t.Helper()
	c, err := Runs([]*report.Folder{folder(t, "one", slowTopology, slowResults), folder(t, "two", fastTopology, fastResults)})
	require.NoError(t, err)
	return c
}

func printed(t *testing.T, c *Comparison, s Selection, style Style) string {
	t.Helper()
	selected, err := c.Select(s)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, selected.Print(&b, style))
	return b.String()
}

func TestComparison(t *testing.T) {
	require.Equal(t, `topology                slow                fast
nodes.b.tcp.sack        true               false
nodes.c                    –      {kind: router}
links.line.rate      1Mbit/s            10Mbit/s
links.line.queue  10 packets       {type: codel}
faults.1                   –  {at: 2s, up: line}

run           slow         fast
run.duration    2s  2.2s +10.0%
run.ended     done     duration

workloads             slow            fast
upload.completed       yes              no
upload.goodput     1Mbit/s  9.5Mbit/s ×9.5
upload.first_byte        –             5ms
upload.loss            25%             50%
upload.offered       2.5/s        5/s ×2.0
new.requests             –               3

links                                  slow        fast
links.line.forward.dropped.loss           1           0
links.line.forward.queue.max_bytes      4kB  1kB ×0.250
links.line.forward.queue.mean_packets   2.5  0.5 ×0.200
links.line.forward.queue.sojourn.p99   40ms  4ms ×0.100

nodes                    slow  fast
nodes.a.tcp.retransmits     4     0

expectations                slow          fast
upload.goodput > 5Mbit/s   fails         holds
new.rtt > 1s                   –  inconclusive
that hold                 1 of 2        2 of 3
`, printed(t, compared(t), Selection{}, Style{}))
}

func TestFigures(t *testing.T) {
	c := compared(t)
	find := func(name string) *Figure {
		for _, g := range c.Groups {
			for i := range g.Figures {
				if g.Figures[i].Name == name {
					return &g.Figures[i]
				}
			}
		}
		return nil
	}
	for name, want := range map[string]struct {
		dimension Dimension
		differs   bool
		minor     bool
		texts     []string
	}{
		"run.duration":                          {Duration, true, false, []string{"2s", "2.2s"}},
		"upload.goodput":                        {BitRate, true, false, []string{"1Mbit/s", "9.5Mbit/s"}},
		"upload.bytes":                          {Size, false, false, []string{"1MB", "1MB"}},
		"upload.loss":                           {Share, true, false, []string{"25%", "50%"}},
		"upload.offered":                        {Rate, true, false, []string{"2.5/s", "5/s"}},
		"upload.completed":                      {Flag, true, false, []string{"yes", "no"}},
		"upload.first_byte":                     {Duration, true, false, []string{"", "5ms"}},
		"upload.same":                           {Count, false, false, []string{"7", "7"}},
		"links.line.forward.dropped.loss":       {Count, true, false, []string{"1", "0"}},
		"links.line.forward.queue.max_bytes":    {Size, true, false, []string{"4kB", "1kB"}},
		"links.line.forward.queue.mean_packets": {Number, true, false, []string{"2.5", "0.5"}},
		"links.line.forward.queue.sojourn.p99":  {Duration, true, false, []string{"40ms", "4ms"}},
		"links.line.forward.sent.frames":        {Count, true, true, []string{"9", "10"}},
		"nodes.a.tcp.retransmits":               {Count, true, false, []string{"4", "0"}},
		"nodes.a.tcp.segments_sent":             {Count, true, true, []string{"9", "10"}},
		"nodes.a.ip.sent":                       {Count, true, true, []string{"9", "10"}},
	} {
		f := find(name)
		require.NotNil(t, f, name)
		require.Equal(t, want.dimension, f.Dimension, name)
		require.Equal(t, want.differs, f.Differs, name)
		require.Equal(t, want.minor, f.Minor, name)
		require.Equal(t, want.texts, []string{f.Values[0].Text, f.Values[1].Text}, name)
	}
	require.Nil(t, find("run.version"))
	require.Nil(t, find("upload.flows"), "lists are no figures")
	require.Equal(t, Value{Known: true, Number: 9.5e6, Text: "9.5Mbit/s", Difference: 8.5e6, Ratio: 9.5, HasRatio: true}, find("upload.goodput").Values[1])
	require.Equal(t, Value{Known: true, Text: "0", Difference: -4, HasRatio: true}, find("nodes.a.tcp.retransmits").Values[1])
	require.Equal(t, Value{}, find("upload.first_byte").Values[0])
	require.False(t, find("new.requests").Values[1].HasRatio, "there is nothing to compare it with")
}

func TestSelect(t *testing.T) {
	c := compared(t)
	all, err := c.Select(Selection{All: true})
	require.NoError(t, err)
	require.Equal(t, c.Groups, all.Groups)
	require.Equal(t, c.Expectations, all.Expectations)

	only, err := c.Select(Selection{Only: []string{"links.*.sent.*", "upload.same"}})
	require.NoError(t, err)
	require.Empty(t, only.Topology)
	require.Empty(t, only.Expectations)
	require.Len(t, only.Groups, 1, "upload.same is the same")
	require.Len(t, only.Groups[0].Figures, 2)

	only, err = c.Select(Selection{Only: []string{"upload.same"}, All: true})
	require.NoError(t, err)
	require.Equal(t, "upload.same", only.Groups[0].Figures[0].Name)

	_, err = c.Select(Selection{Only: []string{"["}})
	require.EqualError(t, err, `pattern "[": syntax error in pattern`)
}

func TestExpectations(t *testing.T) {
	c := compared(t)
	require.Equal(t, []Expectation{
		{Text: "upload.goodput > 5Mbit/s", Differs: true, Values: []Outcome{{"fails", "1Mbit/s"}, {"holds", "9.5Mbit/s"}}},
		{Text: "upload.intact", Values: []Outcome{{State: "holds"}, {State: "holds"}}},
		{Text: "new.rtt > 1s", Differs: true, Values: []Outcome{{}, {"inconclusive", "no value"}}},
	}, c.Expectations)
}

// A run with itself differs in nothing.
func TestSame(t *testing.T) {
	one := folder(t, "one", slowTopology, slowResults)
	c, err := Runs([]*report.Folder{one, one})
	require.NoError(t, err)
	require.Empty(t, c.Topology)
	s, err := c.Select(Selection{})
	require.NoError(t, err)
	require.Empty(t, s.Groups)
	require.Equal(t, []string{"run 1", "run 2"}, []string{c.Runs[0].Title, c.Runs[1].Title})
}

// A run that was cut short has no results, and is compared as far as it goes.
func TestIncomplete(t *testing.T) {
	c, err := Runs([]*report.Folder{folder(t, "one", slowTopology, slowResults), folder(t, "two", slowTopology, "")})
	require.NoError(t, err)
	require.True(t, c.Runs[0].Complete)
	require.False(t, c.Runs[1].Complete)
	require.Equal(t, []string{"lab/slow", "lab"}, []string{c.Runs[0].Title, c.Runs[1].Title})
	require.False(t, c.Groups[0].Figures[0].Values[1].Known)
	_, err = Runs([]*report.Folder{folder(t, "one", slowTopology, "")})
	require.EqualError(t, err, "1 runs: want at least 2 to compare")
}

func TestErrors(t *testing.T) {
	one := folder(t, "one", slowTopology, slowResults)
	two := folder(t, "two", slowTopology, slowResults)
	path := filepath.Join(two.Dir, report.ResultsFile)
	require.NoError(t, os.WriteFile(path, []byte(slowResults[:100]), 0o666))
	_, err := Runs([]*report.Folder{one, two})
	require.ErrorContains(t, err, path+": the file ends too early")
	require.NoError(t, os.Remove(filepath.Join(two.Dir, report.TopologyFile)))
	_, err = Runs([]*report.Folder{one, two})
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Where there is no room for all, the first run is repeated beside the others.
func TestTableBreaks(t *testing.T) {
	table := Table{Title: "figures", Titles: []string{"first", "second", "third", "fourth"}, First: true, Rows: []Row{
		{"rtt", []string{"1ms", "2ms ×2.0", "3ms ×3.0", "4ms ×4.0"}},
		{"a.name.that.is.longer.than.half.a.line", []string{"1", "2", "3", "4"}},
	}}
	var b bytes.Buffer
	require.NoError(t, table.Print(&b, Style{Columns: 40}))
	require.Equal(t, `figures  first    second     third
rtt        1ms  2ms ×2.0  3ms ×3.0
a.name.that.is.longer.than.half.a.line
             1         2         3

figures  first    fourth
rtt        1ms  4ms ×4.0
a.name.that.is.longer.than.half.a.line
             1         4
`, b.String())
}

func TestRatio(t *testing.T) {
	for r, want := range map[float64]string{
		1.5: "+50.0%", 1.0001: "≈", 0.6: "-40.0%", 2: "×2.0", 12.34: "×12.3", 123.4: "×123", 0.25: "×0.250", 0.0001: "×<0.001", -2: "×-2.0",
	} {
		require.Equal(t, want, printRatio(r))
	}
}

func TestJSON(t *testing.T) {
	c := compared(t)
	data, err := json.Marshal(c)
	require.NoError(t, err)
	again, err := json.Marshal(compared(t))
	require.NoError(t, err)
	require.Equal(t, data, again)
	require.Contains(t, string(data), `"unit":"bit/s"`)
	require.Contains(t, string(data), `{"path":"links.line.rate","values":["1Mbit/s","10Mbit/s"]}`)
}
