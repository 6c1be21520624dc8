package page

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

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

// WriteRuns makes report.html in a folder: the comparison of the runs in some folders below it, in their order.
func WriteRuns(dir string, runs []string, o Options) error {
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
