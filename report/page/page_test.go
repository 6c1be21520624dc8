package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"netlab/captures/telemetry"
	"netlab/report"
)

// folder is a run with some of everything, but without captures.
func folder() *report.Folder {
	var f report.Folder
	must := func(text string, v any) {
		if err := json.Unmarshal([]byte(text), v); err != nil {
			panic(err)
		}
	}
	must(`{"name":"small","description":"First.\n\nSecond.","seed":3,
		"nodes":{"client":{"kind":"host"},"r1":{"kind":"router"},"server":{"kind":"host","services":{"web":{"type":"http-server","listen":":80"}}}},
		"links":[{"name":"client--r1","between":"client - r1","latency":"5ms","rate":"unlimited","loss":"0%","addresses":{"client":["10.0.0.1/31"],"r1":["10.0.0.2/31"]}},
			{"name":"line","between":"r1 - server","latency":"15ms","rate":"10Mbit/s","loss":"1%","queue":{"type":"codel","limit":"64KiB"},
			"backward":{"latency":"2ms"},"addresses":{"r1":["10.0.1.1/31"],"server":["10.0.1.2/31"]}}],
		"faults":[{"name":"cut-1","at":"1s","for":"500ms","cut":"line"},{"at":"2s","every":"1s","times":3,"for":"100ms","pause":["server"]},
			{"name":"acks","drop":"pure-ack","on":["server"]},{"at":"3s","for":"uniform(1s, 2s)","partition":[["client"],["server"]]}]}`, &f.Topology)
	must(`{"run":{"name":"small","variant":"fast","seed":3,"duration_ns":10000000000,"ended":"duration","frames":12345,"events":20000,"version":"0.1.0"},
		"nodes":{"client":{"kind":"host","tcp":{"segments_sent":7,"retransmits":0}}},
		"links":{"client--r1":{"forward":{"sent":{"frames":5,"bytes":500},"delivered":{"frames":5,"bytes":500}},"backward":{}},
			"line":{"forward":{"sent":{"frames":50,"bytes":5000},"delivered":{"frames":40,"bytes":4000},"dropped":{"loss":3,"queue_full":7},
			"queue":{"max_bytes":3000,"max_packets":2,"mean_packets":0.5,"sojourn":{"p50_ns":1000000,"max_ns":5000000},"start_ns":0,"width_ns":1000000000,
			"buckets":[{"max_packets":2,"max_bytes":3000,"sent":4,"avg_sojourn_ns":1000000,"max_sojourn_ns":5000000,"dropped":7},{}]}},"backward":{}}},
		"workloads":{"load":{"type":"http-load","started_ns":1000000000,"ended_ns":3000000000,"completed":true,"requests":3,"succeeded":2,"failed":1,"success_rate":0.6667,
			"goodput_bps":401769,"errors":{"timeout":1,"reset":0},"latency":{"min_ns":2000000,"p99_ns":9000000},"phases":{"dns":null,"connect":{"count":1,"avg_ns":1000000},
			"wait":{"count":3,"avg_ns":1000000}},"bucket_ns":1000000000,"seconds":[{"t_ns":0,"started":2,"succeeded":1,"p50_ns":2000000,"p99_ns":2000000,"max_ns":2000000},
			{"t_ns":1000000000,"started":1,"failed":1}],"histogram":[{"le_ns":2047999,"count":1},{"le_ns":9000000,"count":1}],"flows":[{"from":"client","bytes":4000}]}},
		"faults":{"acks":{"verb":"drop","hits":5}},
		"expect":[{"text":"load.failed == 0","values":[{"name":"load.failed","value":"1"}]},{"text":"load.requests > 0","holds":true},
			{"text":"load.p99 < 1s","inconclusive":true,"reason":"there is no load.p99"}]}`, &f.Results)
	f.HasResults = true
	must(`[{"t_ns":0,"step":1,"kind":"start","node":"client","workload":"load"},{"t_ns":1000000000,"kind":"link-down","link":"line","dir":"forward"},
		{"t_ns":1100000000,"kind":"drop","node":"r1","link":"line","frame":7,"reason":"link_down"},{"t_ns":1500000000,"kind":"link-up","link":"line","dir":"forward"},
		{"t_ns":2000000000,"kind":"crash","node":"server"},{"t_ns":4000000000,"kind":"log","node":"server","reason":"info","detail":"hello"}]`, &f.Events)
	f.Telemetry = &telemetry.File{Links: []*telemetry.Link{{ID: "line", Width: telemetry.FirstWidth, Forward: telemetry.Series{{Sent: 1, Bytes: 1250}}}}}
	return &f
}

// written is the page of a folder.
func written(t *testing.T, f *report.Folder, o Options) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Write(&b, f, nil, o))
	return b.String()
}

// check parses a page and sees to it that it names its sections, refers only to what is there, and asks nobody for anything.
func check(t *testing.T, text string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	require.NoError(t, err)
	ids := map[string]bool{}
	var references []string
	external := func(value string) bool {
		return strings.Contains(value, "//") || strings.HasPrefix(value, "javascript:")
	}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			switch a.Key {
			case "id":
				require.False(t, ids[a.Val], "two elements are called %s", a.Val)
				ids[a.Val] = true
			case "aria-labelledby":
				references = append(references, strings.Fields(a.Val)...)
			case "href":
				if strings.HasPrefix(a.Val, "#") {
					references = append(references, a.Val[1:])
				}
				require.False(t, external(a.Val), a.Val)
			case "src", "srcset", "action", "poster", "data":
				t.Errorf("<%s %s=%q> loads something", n.Data, a.Key, a.Val)
			case "style":
				require.NotContains(t, a.Val, "url(")
			default:
				require.False(t, strings.HasPrefix(a.Key, "on"), "<%s %s>", n.Data, a.Key)
			}
		}
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "link":
			require.Contains(t, n.Attr, html.Attribute{Key: "href", Val: "data:,"})
		case "button":
			require.True(t, slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "aria-label" && a.Val != "" }) || n.FirstChild != nil)
		case "style":
			require.NotRegexp(t, regexp.MustCompile(`url\(|@import`), n.FirstChild.Data)
		}
	}
	for _, r := range references {
		require.True(t, ids[r], "nothing is called %s", r)
	}
	return root
}

// inner is the text of the element with that id.
func inner(t *testing.T, root *html.Node, id string) string {
	t.Helper()
	for n := range root.Descendants() {
		if slices.Contains(n.Attr, html.Attribute{Key: "id", Val: id}) {
			var b strings.Builder
			for d := range n.Descendants() {
				if d.Type == html.TextNode {
					b.WriteString(d.Data + " ")
				}
			}
			return strings.Join(strings.Fields(b.String()), " ")
		}
	}
	t.Fatalf("there is no element %s", id)
	return ""
}

func TestSections(t *testing.T) {
	text := written(t, folder(), Options{})
	require.Contains(t, text, `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">`)
	root := check(t, text)
	for id, want := range map[string][]string{
		"run":          {"small / fast", "✗ fails", "seed 3", "virtual time 10s", "ended duration", "frames 12,345", "netlab 0.1.0"},
		"lesson":       {"First. Second."},
		"replay":       {"netlab run topology.resolved.json --seed 3"},
		"expectations": {"1 of 3 hold", "✗ fails load.failed == 0 load.failed 1", "✓ holds load.requests > 0", "? inconclusive load.p99 < 1s there is no load.p99"},
		"topology": {"2 hosts, 1 router and 2 links, which lost 10 frames.", "10.0.0.1", "http-server :80", "15ms · 10Mbit/s", "← 2ms · 10Mbit/s", "✗ 10 → server",
			"codel limit 64KiB", "loss 3, queue full 7"},
		"timeline": {"load", "cut-1", "pause-2", "line forward link down", "server crashed", "log", "1 lost", "info hello", "acks drop 5"},
		"queues":   {"line: r1 → server", "2 packets, 3kB", "p50 1ms", "What links carried"},
		"workloads": {"load http-load", "From 1s to 3s.", "success_rate 66.67%", "goodput 401.8kbit/s", "Errors timeout 1", "connect 1 1ms", "25.0%", "75.0%",
			"flows from bytes client 4kB"},
		"counters": {"client host tcp.segments_sent 7"},
		"files":    {"events.jsonl", "results.json", "telemetry.json", "topology.resolved.json"},
		"limits":   {"This page may take 10MB", "Nothing was left out for it."},
	} {
		found := inner(t, root, id)
		for _, w := range want {
			require.Contains(t, found, w, id)
		}
	}
	var embedded struct {
		Charts []chart `json:"charts"`
	}
	require.NoError(t, json.Unmarshal([]byte(inner(t, root, "data")), &embedded))
	var titles []string
	for _, c := range embedded.Charts {
		titles = append(titles, c.Title)
		for _, s := range c.Series {
			require.Len(t, s.V, len(s.T), c.Title)
		}
	}
	require.Equal(t, []string{"Waiting at most", "Time in the queue", "Bytes waiting at most", "Throughput of line", "Requests", "Latency",
		"In flight at most", "Distribution of the latency"}, titles)
	require.Equal(t, []float64{1, 2}, embedded.Charts[4].Series[0].T, "a workload's times count from its start")
	require.Equal(t, len(titles), strings.Count(text, `class="chart" data-chart=`))
}

func TestPagesAreTheSame(t *testing.T) {
	require.Equal(t, written(t, folder(), Options{}), written(t, folder(), Options{}))
}

// What a file says can't become part of the page, whatever it is called.
func TestHostileNames(t *testing.T) {
	const hostile = `</script><img src=x onerror=alert(1)>"'<!--`
	f := folder()
	f.Topology.Description = hostile
	f.Results.Run.Name = hostile
	f.Results.Run.Version = hostile
	f.Topology.Nodes[0].Name = hostile
	f.Topology.Links[0].Name = hostile
	f.Topology.Links[0].Between = hostile + " - r1"
	f.Topology.Links[0].Latency = json.RawMessage(`"<b>\u2028"`)
	f.Results.Workloads[0].Name = hostile
	f.Results.Expect[0].Text = hostile
	f.Events[5].Detail = hostile
	f.Topology.Faults[0] = json.RawMessage(`{"name":"</script>\"><svg onload=alert(1)>","at":"1s","cut":"<i>"}`)
	text := written(t, f, Options{})
	plain := check(t, written(t, folder(), Options{}))
	root := check(t, text)
	count := func(n *html.Node, tag string) (found int) {
		for d := range n.Descendants() {
			if d.Type == html.ElementNode && d.Data == tag {
				found++
			}
		}
		return found
	}
	for _, tag := range []string{"script", "img", "b", "i"} {
		require.Equal(t, count(plain, tag), count(root, tag), tag)
	}
	var embedded data
	require.NoError(t, json.Unmarshal([]byte(inner(t, root, "data")), &struct {
		Run *runData `json:"run"`
	}{&embedded.Run}))
	require.Equal(t, hostile, embedded.Run.Name)
	require.Contains(t, inner(t, root, "lesson"), hostile)
}

func TestBudgetBelowTheLeast(t *testing.T) {
	require.EqualError(t, Write(nil, folder(), nil, Options{Budget: 999_999}), "a budget of 999999B is too small for a report: want 1MB or more")
	require.NoError(t, Options{Budget: MinBudget}.Check())
}

func TestRunWithoutResults(t *testing.T) {
	f := folder()
	f.Results, f.HasResults, f.Telemetry = report.Results{}, false, nil
	root := check(t, written(t, f, Options{}))
	require.Contains(t, inner(t, root, "run"), "small ? no results: the run did not end seed 3 virtual time 4s")
}

func TestEmptyRun(t *testing.T) {
	f := &report.Folder{HasResults: true}
	f.Topology.Name = "nothing"
	root := check(t, written(t, f, Options{}))
	require.Contains(t, inner(t, root, "run"), "nothing – expects nothing")
	require.Contains(t, inner(t, root, "timeline"), "Nothing happened beside the packets.")
}

// A lab of 3,000 hosts with 20,000 events stays within the least budget, and says what isn't there.
func TestLargeRun(t *testing.T) {
	f := folder()
	for i := range 3000 {
		name := fmt.Sprint("h", i)
		f.Topology.Nodes = append(f.Topology.Nodes, report.Member[report.Node]{Name: name, Value: report.Node{Kind: "host"}})
		f.Topology.Links = append(f.Topology.Links, report.Link{Name: name + "--r1", Between: name + " - r1", Latency: json.RawMessage(`"1ms"`)})
		f.Results.Nodes = append(f.Results.Nodes, report.Member[json.RawMessage]{Name: name, Value: json.RawMessage(`{"kind":"host","tcp":{"segments_sent":1}}`)})
		q := *f.Results.Links[1].Value.Forward.Queue
		q.Buckets = slices.Repeat(q.Buckets, 128)
		f.Results.Links = append(f.Results.Links, report.Member[report.LinkResult]{Name: name + "--r1", Value: report.LinkResult{Forward: report.Direction{Queue: &q}}})
	}
	for i := range 20_000 {
		f.Events = append(f.Events, report.Event{TimeNS: 5e9 + int64(i), Kind: "log", Detail: "a line"})
	}
	text := written(t, f, Options{Budget: MinBudget})
	require.Less(t, len(text), int(MinBudget))
	root := check(t, text)
	limits := inner(t, root, "limits")
	for _, want := range []string{"nodes in the picture 4 3,003", "nodes in the table 125 3,003", "links in the table 125 3,002", "events in the list 250 20,005",
		"queues drawn 6 3,001", "nodes with their counters 125 3,001"} {
		require.Contains(t, limits, want)
	}
	limits = inner(t, check(t, written(t, f, Options{})), "limits")
	for _, want := range []string{"nodes in the table 500 3,003", "events in the list 1,000 20,005", "queues drawn 24 3,001"} {
		require.Contains(t, limits, want)
	}
	require.Contains(t, inner(t, root, "topology"), "3,000 hosts")
}

func TestComparison(t *testing.T) {
	a, b := folder(), folder()
	b.Results.Run.Variant = "slow"
	b.Results.Expect = nil
	save := func(f *report.Folder, failed string) {
		f.Dir = t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(f.Dir, report.TopologyFile), []byte(`{"name":"small"}`), 0o666))
		require.NoError(t, os.WriteFile(filepath.Join(f.Dir, report.ResultsFile), []byte(`{"workloads":{"load":{"failed":`+failed+`}}}`), 0o666))
	}
	save(a, "1")
	save(b, "2")
	var out bytes.Buffer
	require.NoError(t, WriteComparison(&out, []*report.Folder{a, b}, []string{"fast/report.html", ""}, Options{}))
	root := check(t, out.String())
	require.Contains(t, out.String(), `<a href="fast/report.html">fast</a>`)
	require.Contains(t, inner(t, root, "runs"), "slow – expects nothing 3 10s")
	require.Contains(t, inner(t, root, "expectations"), "figure fast slow load.failed 1 2")
	require.Contains(t, inner(t, root, "expectations"), "load.failed == 0 ✗ fails –")
	require.Contains(t, inner(t, root, "differences"), "load.failed 1 2")
	require.Contains(t, inner(t, root, "time"), "Workload load")
	var embedded struct {
		Charts []chart `json:"charts"`
	}
	require.NoError(t, json.Unmarshal([]byte(inner(t, root, "data")), &embedded))
	require.Equal(t, []string{"fast", "slow"}, []string{embedded.Charts[0].Series[0].Label, embedded.Charts[0].Series[1].Label})
	require.Error(t, WriteComparison(&out, nil, nil, Options{}))
	out.Reset()
	require.NoError(t, WriteComparison(&out, []*report.Folder{a}, nil, Options{}), "of a file with one variant")
	check(t, out.String())
}

// A page is replaced as a whole; folders with several runs get a comparison.
func TestWriteFolder(t *testing.T) {
	dir := t.TempDir()
	require.Error(t, WriteFolder(filepath.Join(dir, "missing"), Options{}))
	require.Error(t, WriteFolder(dir, Options{}))
	for _, variant := range []string{"a", "b"} {
		sub := filepath.Join(dir, variant)
		require.NoError(t, os.Mkdir(sub, 0o777))
		require.NoError(t, os.WriteFile(filepath.Join(sub, report.TopologyFile), []byte(`{"name":"two","nodes":{"n":{"kind":"host"}}}`), 0o666))
		require.NoError(t, os.WriteFile(filepath.Join(sub, report.ResultsFile), []byte(`{"run":{"name":"two","variant":"`+variant+`"}}`), 0o666))
	}
	require.NoError(t, WriteFolder(dir, Options{}))
	first, err := os.ReadFile(filepath.Join(dir, report.PageFile))
	require.NoError(t, err)
	require.Contains(t, string(first), `<a href="b/report.html">b</a>`)
	check(t, string(first))
	require.NoError(t, WriteRuns(dir, []string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}, Options{}))
	second, err := os.ReadFile(filepath.Join(dir, report.PageFile))
	require.NoError(t, err)
	require.Equal(t, string(first), string(second))
	require.NoError(t, WriteRuns(dir, []string{filepath.Join(dir, "b"), filepath.Join(dir, "a")}, Options{}))
	turned, err := os.ReadFile(filepath.Join(dir, report.PageFile))
	require.NoError(t, err)
	require.Less(t, strings.Index(string(turned), `<a href="b/report.html">b</a>`), strings.Index(string(turned), `<a href="a/report.html">a</a>`), "in the order that was asked for")
	require.FileExists(t, filepath.Join(dir, "a", report.PageFile))

	require.NoError(t, os.WriteFile(filepath.Join(dir, "b", report.ResultsFile), []byte(`{"run":`), 0o666))
	require.ErrorContains(t, WriteFolder(dir, Options{}), "results.json")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 3, "the old page stays, and nothing else")
}

// Faults whose times are drawn at random are where the events say that they were; what did not happen is no bar.
func TestFaultsAtRandomTimes(t *testing.T) {
	var f report.Folder
	require.NoError(t, json.Unmarshal([]byte(`{"faults":[
		{"name":"outage","at":"1s","for":"uniform(1s, 2s)","every":"uniform(3s, 4s)","times":2,"cut":"line"},
		{"name":"fixed","at":"3s","for":"500ms","cut":"line"},
		{"name":"parted","at":"2s","for":"uniform(1s, 2s)","partition":[["a"],["b"]]},
		{"name":"crashes","at":"0s","every":"uniform(1s, 9s)","for":"1s","crash":"h[*]"},
		{"name":"louder","at":"1s","for":"uniform(1s, 2s)","set":{"loss":"5%"},"link":"line"},
		{"name":"skipped","at":"5s","for":"1s","pause":"a"}]}`), &f.Topology))
	require.NoError(t, json.Unmarshal([]byte(`{"run":{"duration_ns":10000000000},"faults":{"skipped":{"verb":"pause","times":0,"skipped":1}}}`), &f.Results))
	for _, e := range []struct {
		at                       float64
		kind, node, link, detail string
	}{
		{1, "link-down", "", "line", ""}, {1, "set", "", "line", "loss 5%"}, {1.5, "crash", "h2", "", ""}, {2, "partition", "", "", "parted: a | b"},
		{2.25, "link-up", "", "line", ""}, {2.5, "restart", "h2", "", ""}, {2.6, "set", "", "line", "loss 0%"}, {3, "link-down", "", "line", ""},
		{3.5, "link-up", "", "line", ""}, {3.75, "heal", "", "", "parted: a | b"}, {6, "crash", "h1", "", ""}, {7, "link-down", "", "line", ""}, {8, "restart", "h1", "", ""},
	} {
		f.Events = append(f.Events, report.Event{TimeNS: int64(e.at * 1e9), Kind: e.kind, Node: e.node, Link: e.link, Detail: e.detail})
	}
	bars := map[string][]string{}
	for _, r := range newTimeline(&f, 100).Rows {
		for _, b := range r.Bars {
			require.False(t, b.Open, b.Text)
			bars[r.Label] = append(bars[r.Label], fmt.Sprint(b.from, " ", b.to))
		}
	}
	for name, want := range map[string][]string{
		"outage": {"1s 2.25s", "7s 10s"}, "fixed": {"3s 3.5s"}, "parted": {"2s 3.75s"}, "crashes": {"1.5s 2.5s", "6s 8s"}, "louder": {"1s 2.6s"}, "skipped": {"5s 5s"},
	} {
		require.Equal(t, want, bars[name], name)
	}
}

// Fifty leaves on one side of a node fit into a screen, each card apart from the others and from the links to those behind it.
func TestManyLeavesStandInColumns(t *testing.T) {
	var f report.Folder
	for _, name := range []string{"r1", "r2"} {
		f.Topology.Nodes = append(f.Topology.Nodes, report.Member[report.Node]{Name: name, Value: report.Node{Kind: "router"}})
	}
	f.Topology.Links = append(f.Topology.Links, report.Link{Name: "path", Between: "r1 - r2"})
	for i := range 50 {
		for _, side := range []string{"a", "b"} {
			name := fmt.Sprint(side, i)
			router := map[string]string{"a": "r1", "b": "r2"}[side]
			f.Topology.Nodes = append(f.Topology.Nodes, report.Member[report.Node]{Name: name, Value: report.Node{Kind: "host"}})
			f.Topology.Links = append(f.Topology.Links, report.Link{Name: name + "--r", Between: name + " - " + router})
		}
	}
	g := newGraph(&f)
	_, height := g.layout()
	require.Less(t, height, 700.0)
	for i, v := range g.nodes {
		for _, o := range g.nodes[:i] {
			apart := max(v.x-o.x, o.x-v.x) >= (v.width+o.width)/2 || max(v.y-o.y, o.y-v.y) >= (v.height+o.height)/2
			require.True(t, apart, "%s and %s", v.Name, o.Name)
		}
		for column, lower := range v.through {
			y := v.y + lower
			for _, o := range g.nodes {
				if o.side == v.side && len(o.through) == column && leaf(o) {
					require.Greater(t, max(y-o.y, o.y-y), o.height/2, "the link to %s passes %s", v.Name, o.Name)
				}
			}
		}
	}
}
