package main

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"netlab"
	"netlab/services/slo"
	"netlab/topology/expect"
	"netlab/units"
)

// summary is what a person wants to know of a run. Wall is the one thing in it that isn't in the run's files.
type summary struct {
	Name      string
	Variant   string
	Seed      uint64
	Virtual   time.Duration
	Wall      time.Duration
	Ended     string
	Frames    uint64
	Faults    int // in the file
	Drawn     int // of these by chaos
	Workloads []workload
	Drops     []drops
	Rules     []rule
	Expect    []expect.Outcome
	Output    output
}

// workload is what a workload found.
type workload struct {
	Name, Type string
	Started    time.Duration
	Ended      time.Duration
	Completed  bool
	Endless    bool
	Figures    []figure
	Errors     []figure // by host
	// Level is the workload's service level in words, "" without an objective.
	Level string
}

// figure is a name and a printed value.
type figure struct{ Name, Value string }

// drops is a direction of a link that lost frames.
type drops struct {
	Link    string // link.direction, as in the results
	Reasons []figure
	Total   uint64
	Sent    uint64
}

// rule is a fault about packets.
type rule struct {
	Name, Verb    string
	Hits, Matches uint64
}

// output is what was written.
type output struct {
	Dir      string // "" if nothing was
	Captures []string
	// Uncaptured says why nothing was captured.
	Uncaptured string
	Others     []string
	Report     string
	Replay     string
}

// maxFigures is how many figures of a workload are shown.
const maxFigures = 24

// minor are the parts of a distribution that the summary leaves out where there is a p99: average, p99 and maximum say enough.
var minor = []string{"count", "min", "p50", "p90", "p95", "p999", "p9999"}

// summarize picks what the summary shows.
func summarize(j job, r *netlab.Results, wall time.Duration) summary {
	s := summary{
		Name: r.Run.Name, Variant: r.Run.Variant, Seed: r.Run.Seed, Virtual: r.Run.Duration, Wall: wall, Ended: r.Run.Ended,
		Frames: r.Run.Frames, Expect: r.Expect,
	}
	for i := range j.lab.Topology().Faults {
		s.Faults++
		if j.lab.Topology().Faults[i].Drawn() {
			s.Drawn++
		}
	}
	for name, w := range r.Workloads.All() {
		line := summarizeWorkload(name, w)
		if configured, ok := j.lab.Topology().Workloads.Get(name); ok {
			line.Endless = configured.Config.Endless()
		}
		s.Workloads = append(s.Workloads, line)
	}
	for id, l := range r.Links.All() {
		s.addDrops(id+".forward", l.Forward)
		s.addDrops(id+".backward", l.Backward)
	}
	for name, f := range r.Faults.All() {
		if f.RuleStats != nil {
			s.Rules = append(s.Rules, rule{name, f.Verb, f.Hits, f.Matches})
		}
	}
	s.Output = written(j)
	return s
}

func summarizeWorkload(name string, w netlab.WorkloadResult) workload {
	out := workload{Name: name, Type: w.Type, Started: w.Started, Ended: w.Ended, Completed: w.Completed}
	for _, host := range slices.Sorted(maps.Keys(w.Errors)) {
		out.Errors = append(out.Errors, figure{host, w.Errors[host]})
	}
	out.Level = level(w.SLO)
	if w.Report == nil {
		return out
	}
	figures := &expect.Figures{}
	figures.Add(name, w.Report)
	for _, full := range figures.Names() {
		if dot := strings.LastIndexByte(full, '.'); slices.Contains(minor, full[dot+1:]) {
			if _, has := figures.Dimension(full[:dot] + ".p99"); has {
				continue
			}
		}
		value, ok := printFigure(figures, full)
		if !ok || value == "0" || len(out.Figures) == maxFigures { // what didn't happen needs no room
			continue
		}
		out.Figures = append(out.Figures, figure{strings.TrimPrefix(full, name+"."), value})
	}
	return out
}

// level says in words how a service level was kept.
func level(r *slo.Result) string {
	if r == nil {
		return ""
	}
	if r.Availability == nil {
		return "slo " + r.Objective.String() + ": no requests"
	}
	verdict := "met"
	if !r.Met {
		verdict = "missed"
	}
	text := fmt.Sprintf("slo %s %s: availability %s", r.Objective, verdict, percent(*r.Availability))
	if r.Nines != nil {
		text += fmt.Sprintf(" (%.2f nines)", *r.Nines)
	}
	if r.OutageCount > 0 {
		text += fmt.Sprintf(", down %s in %s", printDuration(r.Downtime.Std()), plural(int(r.OutageCount), "outage"))
	}
	if r.BurnRate != nil && *r.BurnRate > 0 {
		text += ", burn rate " + strconv.FormatFloat(*r.BurnRate, 'g', 3, 64)
	}
	if r.Credit > 0 {
		text += ", credit " + r.Credit.String()
	}
	return text
}

// percent prints a share with four digits after the point at most.
func percent(p units.Probability) string {
	return strconv.FormatFloat(math.Round(p.Float()*1e6)/1e4, 'f', -1, 64) + "%"
}

// printFigure prints a figure as expectations do, and says whether it has a value.
func printFigure(figures *expect.Figures, name string) (value string, ok bool) {
	e, err := expect.Compile(name+" == "+name, figures)
	if err != nil {
		return "", false
	}
	o := e.Evaluate(figures)
	return o.Values[0].Printed, !o.Inconclusive
}

func (s *summary) addDrops(link string, d netlab.DirectionResult) {
	line := drops{Link: link, Sent: d.Sent.Frames}
	for _, reason := range slices.Sorted(maps.Keys(d.Dropped)) {
		if n := d.Dropped[reason]; n > 0 {
			line.Total += n
			line.Reasons = append(line.Reasons, figure{reason, printCount(n)})
		}
	}
	if line.Total > 0 {
		s.Drops = append(s.Drops, line)
	}
}

// written looks at what is in the folder of a run.
func written(j job) output {
	o := output{Dir: j.dir}
	if j.dir == "" {
		return o
	}
	entries, _ := os.ReadDir(j.dir)
	for _, e := range entries {
		switch {
		case e.IsDir():
		case e.Name() == "report.html":
			o.Report = e.Name()
		default:
			o.Others = append(o.Others, e.Name())
		}
	}
	if c := j.lab.Topology().Captures; c != nil {
		for _, node := range c.Nodes {
			name := filepath.Join("captures", node+".pcapng")
			if c.Format == "pcap" {
				name = filepath.Join("captures", node+".pcap")
			}
			if _, err := os.Stat(filepath.Join(j.dir, name)); err == nil {
				o.Captures = append(o.Captures, name)
			}
		}
	}
	if o.Captures == nil {
		o.Uncaptured = "nothing was captured: name nodes in captures.nodes"
		if n := j.lab.Topology().Nodes.Len(); n > 64 {
			o.Uncaptured = "nothing was captured, as in all labs of more than 64 nodes: name nodes in captures.nodes"
		}
	}
	o.Replay = "netlab run " + shellWord(filepath.Join(j.dir, "topology.resolved.json")) +
		" --seed " + strconv.FormatUint(j.lab.Topology().Seed, 10)
	return o
}
