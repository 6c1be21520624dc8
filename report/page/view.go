package page

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"netlab/captures/analysis"
	"netlab/report"
	"netlab/units"
)

// view is what the template of a run's page shows.
type view struct {
	frame
	folder *report.Folder
	most   most
	bands  []band

	Run        report.Run
	HasResults bool
	Verdict    verdict
	Duration   time.Duration
	Text       []string // of the lesson, by paragraphs
	Replay     string
	Expect     []report.Outcome
	Holding    int
	Links      []*edge
	Nodes      []*vertex
	Picture    template.HTML
	Describe   string
	Timeline   *timeline
	Faults     listView
	Queues     []*queueView
	Idle       int
	Throughput []linkView
	Workloads  []*workloadView
	Counters   []counterView
	Files      []fileView
	Captures   int
	Captured   bool // at least a packet
}

// frame is what all pages have.
type frame struct {
	Title  string
	Style  template.CSS
	Script template.JS
	Data   template.JS
	Budget units.Bytes
	Limits []limit
	data   data
}

func (f *frame) limit(l limit) { f.Limits = append(f.Limits, l) }

// verdict is what became of the expectations together.
type verdict struct {
	Class string // good, bad, warn or none
	Icon  string
	Text  string
}

var (
	holds        = verdict{"good", "✓", "holds"}
	fails        = verdict{"bad", "✗", "fails"}
	inconclusive = verdict{"warn", "?", "inconclusive"}
	noneExpected = verdict{"none", "–", "expects nothing"}
	unfinished   = verdict{"warn", "?", "no results: the run did not end"}
)

// verdictOf joins the outcomes: one that fails decides, then one that is inconclusive.
func verdictOf(f *report.Folder) verdict {
	if !f.HasResults {
		return unfinished
	}
	if len(f.Results.Expect) == 0 {
		return noneExpected
	}
	v := holds
	for _, o := range f.Results.Expect {
		switch of(o) {
		case fails:
			return fails
		case inconclusive:
			v = inconclusive
		}
	}
	return v
}

// of is the verdict on one expectation.
func of(o report.Outcome) verdict {
	switch {
	case o.Inconclusive:
		return inconclusive
	case o.Holds:
		return holds
	default:
		return fails
	}
}

// fileView is a file of the run.
type fileView struct{ Path, Text string }

// most is how much a page shows of what there can be any number of.
type most struct {
	rows      int // of nodes, links and counters in tables
	events    int // in the list of the timeline
	charts    int // of queues and of links: so many of each get theirs
	workloads int
}

// amounts are what a page shows, if it fits its budget, and what it shows otherwise: half as much, and so on.
func amounts(halved int) most {
	return most{rows: 500 >> halved, events: 1000 >> halved, charts: 24 >> halved, workloads: 96 >> halved}
}

// maxHalved leaves some of everything.
const maxHalved = 4

// newView collects what the page shows. What isn't packets and streams is shown in part if it would take more than half of the budget;
// packets and streams get the rest.
func newView(f *report.Folder, run *analysis.Run, budget int) (*view, error) {
	for halved := 0; ; halved++ {
		v, err := newFrame(f, amounts(halved), budget)
		if err != nil {
			return nil, err
		}
		var n counter
		if err := v.write(&n); err != nil {
			return nil, err
		}
		if halved == maxHalved || int(n) <= budget/2 {
			return v, v.fit(run, budget-int(n))
		}
	}
}

// newFrame collects everything but packets and streams.
func newFrame(f *report.Folder, m most, budget int) (*view, error) {
	v := &view{folder: f, most: m, Run: f.Results.Run, HasResults: f.HasResults, Verdict: verdictOf(f), Duration: runLength(f)}
	var err error
	if v.Style, err = style(); err != nil {
		return nil, err
	}
	if v.Script, err = script(); err != nil {
		return nil, err
	}
	if v.Run.Name == "" { // without results
		v.Run.Name, v.Run.Seed = f.Topology.Name, f.Topology.Seed
	}
	v.Title = v.Run.Name
	if v.Run.Variant != "" {
		v.Title += " / " + v.Run.Variant
	}
	v.Budget = units.Bytes(budget)
	v.Text = paragraphs(f.Topology.Description)
	v.Replay = "netlab run " + report.TopologyFile + " --seed " + strconv.FormatUint(v.Run.Seed, 10)
	v.Expect = f.Results.Expect
	for _, o := range v.Expect {
		if of(o) == holds {
			v.Holding++
		}
	}
	g := newGraph(f)
	v.Describe = g.describe()
	v.Timeline = newTimeline(f, m.events)
	v.bands = v.Timeline.bands()
	v.Faults = faultResults(f)
	v.data = data{Run: runData{v.Run.Name, v.Run.Variant, v.Run.Seed, seconds(v.Duration)}, Charts: []*chart{}}
	v.Nodes, v.Links = v.table(g)
	v.Picture = picture(g, "Topology of "+v.Run.Name, v.Describe)
	if v.Picture == "" && len(g.nodes) > 0 {
		v.limit(limit{What: "nodes in the picture", Shown: 0, Of: len(g.nodes), Text: "too many to draw"})
	} else if len(g.nodes) > maxDrawn {
		v.limit(limit{What: "nodes in the picture", Shown: len(g.gather().nodes), Of: len(g.nodes), Text: "those that are alike are drawn as one"})
	}
	if t := v.Timeline; t.RowsLeft > 0 {
		v.limit(limit{What: "rows of the timeline", Shown: len(t.Rows), Of: len(t.Rows) + t.RowsLeft, Text: "the first ones; " + report.EventsFile + " has all"})
	}
	if t := v.Timeline; t.Left > 0 {
		v.limit(limit{What: "events in the list", Shown: len(t.Events), Of: len(t.Events) + t.Left, Text: "the first ones; " + report.EventsFile + " has all"})
	}
	v.Idle = v.newQueues(g)
	v.newLinks(g)
	v.newWorkloads()
	v.Counters = newCounters(f)
	if n := len(v.Counters); n > m.rows {
		v.Counters = v.Counters[:m.rows]
		v.limit(limit{What: "nodes with their counters", Shown: m.rows, Of: n, Text: "the first ones; " + report.ResultsFile + " has all"})
	}
	v.Files = files(f)
	v.Captures = len(f.Captures)
	return v, nil
}

// table is the nodes and links that tables show.
func (v *view) table(g *graph) ([]*vertex, []*edge) {
	nodes, links := g.nodes, g.links
	if len(nodes) > v.most.rows {
		nodes = nodes[:v.most.rows]
		v.limit(limit{What: "nodes in the table", Shown: v.most.rows, Of: len(g.nodes), Text: "the first ones; " + report.TopologyFile + " has all"})
	}
	if len(links) > v.most.rows {
		links = links[:v.most.rows]
		v.limit(limit{What: "links in the table", Shown: v.most.rows, Of: len(g.links), Text: "the first ones; " + report.ResultsFile + " has all"})
	}
	return nodes, links
}

func (v *view) newWorkloads() {
	for i, m := range v.folder.Results.Workloads {
		if i == v.most.workloads {
			v.limit(limit{What: "workloads", Shown: i, Of: len(v.folder.Results.Workloads), Text: "the first ones; " + report.ResultsFile + " has all"})
			return
		}
		v.Workloads = append(v.Workloads, v.newWorkload(m.Name, m.Value))
	}
}

// fit makes packets and streams in what is left of the budget: half for each, and what one doesn't need for the other.
func (v *view) fit(run *analysis.Run, left int) error {
	if v.Captured = run != nil && len(run.Journeys) > 0; !v.Captured {
		return nil
	}
	const forLimits = 4000 // the list of limits grows by a few lines yet
	left = max(left-forLimits, 0)
	var err error
	var streamLimits, packetLimits []limit
	if v.data.Packets, packetLimits, err = newPackets(v.folder, run, left/2); err != nil {
		return err
	}
	packets, err := sizeOf(v.data.Packets)
	if err != nil {
		return err
	}
	if v.data.Streams, streamLimits, err = newStreams(v.folder, run, left-packets); err != nil {
		return err
	}
	streams, err := sizeOf(v.data.Streams)
	if err != nil {
		return err
	}
	if len(packetLimits) > 0 && left-streams > left/2 {
		if v.data.Packets, packetLimits, err = newPackets(v.folder, run, left-streams); err != nil {
			return err
		}
	}
	v.Limits = slices.Concat(v.Limits, packetLimits, streamLimits)
	return nil
}

// sizeOf is how long a value is as JSON.
func sizeOf(v any) (int, error) {
	text, err := json.Marshal(v)
	return len(text), err
}

// counter counts bytes.
type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// write writes the page.
func (v *view) write(w io.Writer) error {
	if err := v.embed(); err != nil {
		return err
	}
	return templates.ExecuteTemplate(w, "run.html", v)
}

// embed sets the data as JSON, in which no character means anything in HTML.
func (f *frame) embed() error {
	text, err := json.Marshal(f.data)
	f.Data = template.JS(text)
	return err
}

// paragraphs parts a text at empty lines.
func paragraphs(text string) []string {
	var list []string
	for p := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			list = append(list, p)
		}
	}
	return list
}

// files are those of the run.
func files(f *report.Folder) []fileView {
	var list []fileView
	for i, c := range f.Captures {
		if i == maxCaptures {
			list = append(list, fileView{report.CapturesDir + "/", fmt.Sprintf("%d more captures", len(f.Captures)-i)})
			break
		}
		list = append(list, fileView{report.CapturesDir + "/" + c.Path[strings.LastIndexAny(c.Path, `/\`)+1:], "what " + c.Node + " sent and received, for Wireshark"})
	}
	list = append(list, fileView{report.EventsFile, "what happened, one event a line"})
	if f.HasResults {
		list = append(list, fileView{report.ResultsFile, "all counters, workloads and expectations"})
	}
	if f.Telemetry != nil {
		list = append(list, fileView{report.TelemetryFile, "congestion windows, round-trip times and links over time"})
	}
	return append(list, fileView{report.TopologyFile, "the lab with all defaults; running it replays the run"})
}

const maxCaptures = 100
