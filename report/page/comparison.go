package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"netlab/captures/telemetry"
	"netlab/report"
	"netlab/report/compare"
	"netlab/units"
)

// comparison is what the template of several runs shows.
type comparison struct {
	frame
	Runs     []comparedRun
	Text     []string
	Looked   []compare.Figure // what expectations looked at
	Expect   []compare.Expectation
	Topology []compare.Difference
	Figures  []compare.Group // that differ
	Groups   []chartGroup
}

// comparedRun is a run with the address of its page.
type comparedRun struct {
	Name    string
	Page    string // "" if it has none
	Run     report.Run
	Verdict verdict
	Length  time.Duration
	folder  *report.Folder
}

// chartGroup are charts in which runs lie over one another.
type chartGroup struct {
	Title  string
	Charts []int
}

// WriteComparison writes the page of several runs side by side: what differs between their topologies and results, as package compare finds
// it, what they expected, and workloads, queues and links over time in common charts. pages are the addresses of the runs' own pages,
// relative to this one, "" for one that has none; nil is the same as all "".
func WriteComparison(w io.Writer, folders []*report.Folder, pages []string, o Options) error {
	if err := o.Check(); err != nil {
		return err
	}
	if len(folders) == 0 {
		return errors.New("a comparison wants at least one run")
	}
	v, err := newComparison(folders, pages, o.budget())
	if err != nil {
		return err
	}
	return v.write(w)
}

// WriteComparisonFile writes the comparison of some runs into a file, which refers to those pages of the runs that are there.
func WriteComparisonFile(file string, folders []*report.Folder, o Options) error {
	var pages []string
	for _, f := range folders {
		page := filepath.Join(f.Dir, report.PageFile)
		if _, err := os.Stat(page); err != nil {
			page = ""
		} else if page, err = filepath.Rel(filepath.Dir(file), page); err != nil {
			page = ""
		}
		pages = append(pages, filepath.ToSlash(page))
	}
	var b bytes.Buffer
	if err := WriteComparison(&b, folders, pages, o); err != nil {
		return err
	}
	return replaceFile(file, b.Bytes())
}

// runsOf returns the folders of runs below dir, nil if dir holds a run itself.
func runsOf(dir string) ([]string, error) {
	runs, err := report.Runs(dir)
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	var none *report.NotARunError
	if _, err := report.Load(dir); !errors.As(err, &none) {
		return nil, nil
	}
	return runs, nil
}

// WriteRuns makes report.html in a folder that holds several runs: their comparison.
func WriteRuns(dir string, o Options) error {
	runs, err := report.Runs(dir)
	if err != nil {
		return err
	}
	return writeRuns(filepath.Join(dir, report.PageFile), runs, o)
}

// writeRuns writes the comparison of the runs in some folders into a file.
func writeRuns(file string, dirs []string, o Options) error {
	var folders []*report.Folder
	for _, dir := range dirs {
		f, err := report.Load(dir)
		if err != nil {
			return err
		}
		folders = append(folders, f)
	}
	return WriteComparisonFile(file, folders, o)
}

func newComparison(folders []*report.Folder, pages []string, budget int) (*comparison, error) {
	v := &comparison{}
	v.Budget = units.Bytes(budget)
	var titles []string
	for i, f := range folders {
		r := comparedRun{Name: f.Results.Run.Variant, Run: f.Results.Run, Verdict: verdictOf(f), Length: runLength(f), folder: f}
		if r.Name == "" {
			r.Name = f.Topology.Name
		}
		if i < len(pages) {
			r.Page = pages[i]
		}
		v.Runs = append(v.Runs, r)
		if !slices.Contains(titles, f.Topology.Name) {
			titles = append(titles, f.Topology.Name)
		}
		v.data.Run.Duration = max(v.data.Run.Duration, seconds(r.Length))
	}
	v.Title = strings.Join(titles, ", ")
	v.data.Run.Name = v.Title
	v.data.Charts = []*chart{}
	v.Text = paragraphs(folders[0].Topology.Description)
	for _, f := range folders {
		if f.Topology.Description != folders[0].Topology.Description {
			v.Text = nil
		}
	}
	if err := v.compare(folders); err != nil {
		return nil, err
	}
	v.overlayWorkloads()
	v.overlayQueues()
	v.overlayLinks()
	var err error
	if v.Style, err = style(); err != nil {
		return nil, err
	}
	if v.Script, err = script(); err != nil {
		return nil, err
	}
	return v, v.fit(budget)
}

// write writes the page.
func (v *comparison) write(w io.Writer) error {
	if err := v.embed(); err != nil {
		return err
	}
	return templates.ExecuteTemplate(w, "comparison.html", v)
}

// fit leaves out charts, the last ones first, until the page fits.
func (v *comparison) fit(budget int) error {
	all := len(v.data.Charts)
	for {
		var n counter
		if err := v.write(&n); err != nil {
			return err
		}
		if int(n) <= budget-1000 || len(v.data.Charts) == 0 {
			break
		}
		keep := len(v.data.Charts) * 3 / 4
		v.data.Charts = v.data.Charts[:keep]
		for i := range v.Groups {
			v.Groups[i].Charts = slices.DeleteFunc(v.Groups[i].Charts, func(c int) bool { return c >= keep })
		}
	}
	if left := len(v.data.Charts); left < all {
		v.limit(limit{What: "charts", Shown: left, Of: all, Text: "the first ones"})
	}
	return nil
}

// compare finds what differs, and what expectations looked at. A single run differs from none.
func (v *comparison) compare(folders []*report.Folder) error {
	if len(folders) < 2 {
		return nil
	}
	all, err := compare.Runs(folders)
	if err != nil {
		return err
	}
	differ, err := all.Select(compare.Selection{})
	if err != nil {
		return err
	}
	for i := range v.Runs {
		v.Runs[i].Name = all.Runs[i].Title
	}
	v.Expect = all.Expectations
	for _, o := range v.names(func(f *report.Folder) (list []string) {
		for _, o := range f.Results.Expect {
			for _, value := range o.Values {
				list = append(list, value.Name)
			}
		}
		return list
	}) {
		for _, g := range all.Groups {
			if i := slices.IndexFunc(g.Figures, func(f compare.Figure) bool { return f.Name == o }); i >= 0 {
				v.Looked = append(v.Looked, g.Figures[i])
				break
			}
		}
	}
	v.Topology, v.Figures = differ.Topology, differ.Groups
	if n := len(v.Topology); n > maxDiffering {
		v.Topology = v.Topology[:maxDiffering]
		v.limit(limit{What: "places at which topologies differ", Shown: maxDiffering, Of: n, Text: "the first ones; netlab compare prints all"})
	}
	for i, g := range v.Figures {
		if n := len(g.Figures); n > maxDiffering {
			v.Figures[i].Figures = g.Figures[:maxDiffering]
			v.limit(limit{What: "figures of " + g.Name + " that differ", Shown: maxDiffering, Of: n, Text: "the first ones; netlab compare prints all"})
		}
	}
	return nil
}

// colours are told apart by number; maxDiffering is how many differences of a kind are shown, maxCharts how many queues, and how many links, are drawn.
const (
	colours      = 8 // that the style sheet has for series
	maxDiffering = 300
	maxCharts    = 24
)

// overlay keeps a chart of several runs' series if at least one has values.
func (v *comparison) overlay(group *chartGroup, title, unit, x string, list []series) {
	if len(list) == 0 {
		return
	}
	for i := range list { // a run has the same colour everywhere
		run := slices.IndexFunc(v.Runs, func(r comparedRun) bool { return r.Name == list[i].Label })
		list[i].Color = fmt.Sprintf("--s%d", run%colours+1)
	}
	c := &chart{Title: title, X: x, Unit: unit, Series: list}
	if x == "time" {
		c.Group = "run"
	}
	group.Charts = append(group.Charts, len(v.data.Charts))
	v.data.Charts = append(v.data.Charts, c)
}

func (v *comparison) keep(g chartGroup) {
	if len(g.Charts) > 0 {
		v.Groups = append(v.Groups, g)
	}
}

// overlayWorkloads lays the runs' workloads of one name over one another.
func (v *comparison) overlayWorkloads() {
	for _, name := range v.names(func(f *report.Folder) (list []string) {
		for _, m := range f.Results.Workloads {
			list = append(list, m.Name)
		}
		return list
	}) {
		var rate, p50, p99 []series
		for _, run := range v.Runs {
			raw, _ := run.folder.Results.Workloads.Get(name)
			var r workloadResult
			if json.Unmarshal(raw, &r) != nil || len(r.Seconds) == 0 || r.Bucket <= 0 {
				continue
			}
			var t []float64
			var done, half, most []*float64
			for _, s := range r.Seconds {
				t = append(t, seconds(r.Started+s.T))
				done = append(done, value(float64(s.Succeeded)/r.Bucket.Seconds()))
				half, most = append(half, known(s.P50)), append(most, known(s.P99))
			}
			rate, p50, p99 = append(rate, series{Label: run.Name, Kind: "step", T: t, V: done}), append(p50, series{Label: run.Name, Kind: "line", T: t, V: half}), append(p99, series{Label: run.Name, Kind: "line", T: t, V: most})
		}
		g := chartGroup{Title: "Workload " + name}
		v.overlay(&g, name+": requests that succeeded a second", "1/s", "time", rate)
		v.overlay(&g, name+": latency, p50", "s", "time", p50)
		v.overlay(&g, name+": latency, p99", "s", "time", p99)
		v.keep(g)
	}
}

// names are those that list gives for the runs, each once, in the order of their first appearance.
func (v *comparison) names(list func(*report.Folder) []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, r := range v.Runs {
		for _, n := range list(r.folder) {
			if !seen[n] {
				seen[n] = true
				out = append(out, n)
			}
		}
	}
	return out
}

// known is a duration in seconds, nil if it is not known.
func known(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	return value(d.Seconds())
}

// overlayQueues lays the queues of one direction of a link over one another, where frames waited or were dropped in a run.
func (v *comparison) overlayQueues() {
	links := v.names(func(f *report.Folder) (list []string) {
		for _, l := range f.Results.Links {
			list = append(list, l.Name)
		}
		return list
	})
	var groups []chartGroup
	for _, id := range links {
		for _, direction := range []string{"forward", "backward"} {
			var length, wait, lost []series
			worth := false
			for _, run := range v.Runs {
				r, _ := run.folder.Results.Links.Get(id)
				q := r.Forward.Queue
				if direction == "backward" {
					q = r.Backward.Queue
				}
				if q == nil {
					continue
				}
				worth = worth || q.MaxPackets > 1 || dropped(q) > 0
				for _, c := range queueCharts(q) {
					for _, s := range c.Series {
						kind := s.Label
						s.Label = run.Name
						switch {
						case kind == "waiting" && c.Unit == "packets":
							s.Kind = "step"
							length = append(length, s)
						case kind == "longest":
							wait = append(wait, s)
						case kind == "dropped":
							lost = append(lost, s)
						}
					}
				}
			}
			if !worth {
				continue
			}
			g := chartGroup{Title: "Queue of " + id + ", " + direction}
			v.overlay(&g, "Waiting at most", "packets", "time", length)
			v.overlay(&g, "Longest time in the queue", "s", "time", wait)
			v.overlay(&g, "Dropped by the queue", "packets", "time", lost)
			groups = append(groups, g)
		}
	}
	for i, g := range groups {
		if i == maxCharts {
			v.limit(limit{What: "queues drawn", Shown: i, Of: len(groups), Text: "the first ones"})
			break
		}
		v.keep(g)
	}
}

// overlayLinks lays what links carried over one another.
func (v *comparison) overlayLinks() {
	ids := v.names(func(f *report.Folder) (list []string) {
		if f.Telemetry != nil {
			for _, l := range f.Telemetry.Links {
				list = append(list, l.ID)
			}
		}
		return list
	})
	if len(ids) > maxCharts {
		v.limit(limit{What: "links drawn over time", Shown: maxCharts, Of: len(ids), Text: "the first ones"})
		ids = ids[:maxCharts]
	}
	for _, id := range ids {
		g := chartGroup{Title: "Link " + id}
		for _, direction := range []string{"forward", "backward"} {
			var list []series
			for _, run := range v.Runs {
				if run.folder.Telemetry == nil {
					continue
				}
				i := slices.IndexFunc(run.folder.Telemetry.Links, func(l *telemetry.Link) bool { return l.ID == id })
				if i < 0 {
					continue
				}
				l := run.folder.Telemetry.Links[i]
				carried := l.Forward
				if direction == "backward" {
					carried = l.Backward
				}
				list = append(list, throughput(run.Name, l.Width, carried))
			}
			v.overlay(&g, "Throughput of "+id+", "+direction, "bit/s", "time", list)
		}
		v.keep(g)
	}
}
