package compare

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"netlab/report"
)

// Comparison is several runs side by side. Each list of values has an element for each run, in the order of Runs.
type Comparison struct {
	Runs []Run `json:"runs"`
	// Topology is what differs between the resolved topologies: in the order of the file, never what is the same.
	Topology []Difference `json:"topology"`
	// Groups are the figures of the results.
	Groups []Group `json:"groups"`
	// Expectations are in the order of their first mention.
	Expectations []Expectation `json:"expectations"`
}

// Run is one of the runs.
type Run struct {
	// Title is different for each: the variant's name, or the lab's, or that of the folder.
	Title   string `json:"title"`
	Name    string `json:"name"`
	Variant string `json:"variant,omitempty"`
	Seed    uint64 `json:"seed"`
	// Complete says that the run has written results.
	Complete bool `json:"complete"`
	// Holding is how many of the Expected expectations hold.
	Holding  int `json:"holding"`
	Expected int `json:"expected"`
}

// Difference is a place in the topologies at which they differ.
type Difference struct {
	// Path names the place, such as links.line.queue.type; elements of lists go by their names or their place from 0.
	Path string `json:"path"`
	// Values are as in the file, "" where a topology has nothing there.
	Values []string `json:"values"`
}

// Group is a part of the results: run, workloads, links, nodes or faults.
type Group struct {
	Name    string   `json:"name"`
	Figures []Figure `json:"figures"`
}

// Figure is a value of the results, by the name that it has in expectations, such as upload.goodput or
// links.line.forward.dropped.codel.
type Figure struct {
	Name string `json:"name"`
	// Dimension is what it measures: it follows from the end of its name in the results.
	Dimension Dimension `json:"-"`
	// Unit is ns, B, bit/s, /s, or "" for what has none.
	Unit    string `json:"unit,omitempty"`
	Differs bool   `json:"differs"`
	// Minor says that it is seldom of interest: it is shown only if all are.
	Minor  bool    `json:"minor"`
	Values []Value `json:"values"`
}

// Value is what a run has for a figure.
type Value struct {
	// Known is false if the run has no value for it. Then the rest means nothing.
	Known bool `json:"known"`
	// Number is its value in the unit of the figure, 1 and 0 for yes and no, 0 for texts.
	Number float64 `json:"number"`
	// Text is the value for people.
	Text string `json:"text"`
	// Difference is Number less that of the first run, Ratio Number through that of the first. HasRatio is false for the first run, if
	// either is not known or no number, or if the first is 0.
	Difference float64 `json:"difference"`
	Ratio      float64 `json:"ratio"`
	HasRatio   bool    `json:"has_ratio"`
}

// Expectation is one that at least one of the runs has.
type Expectation struct {
	Text    string    `json:"text"`
	Differs bool      `json:"differs"`
	Values  []Outcome `json:"values"`
}

// Outcome is what became of an expectation in a run.
type Outcome struct {
	// State is holds, fails, inconclusive, or "" if the run doesn't have the expectation.
	State string `json:"state"`
	// Detail are the values that it looked at, or why it could not be decided.
	Detail string `json:"detail,omitempty"`
}

// Runs compares runs, of which there must be at least two. A run without results is compared as far as it goes. An error names the
// file that could not be read.
func Runs(folders []*report.Folder) (*Comparison, error) {
	if len(folders) < 2 {
		return nil, fmt.Errorf("%d runs: want at least 2 to compare", len(folders))
	}
	c := &Comparison{Topology: []Difference{}, Groups: []Group{}, Expectations: []Expectation{}}
	topologies := make([]any, len(folders))
	results := make([]object, len(folders))
	for i, f := range folders {
		var err error
		if topologies[i], err = readFile(filepath.Join(f.Dir, report.TopologyFile)); err != nil {
			return nil, err
		}
		v, err := readFile(filepath.Join(f.Dir, report.ResultsFile))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		results[i], _ = v.(object)
		c.Runs = append(c.Runs, describe(f))
	}
	c.title(folders)
	c.diff("", topologies)
	for _, group := range groups {
		c.addGroup(group, results)
	}
	c.addExpectations(folders)
	return c, nil
}

func describe(f *report.Folder) Run {
	r := Run{Name: f.Topology.Name, Seed: f.Topology.Seed, Complete: f.HasResults, Expected: len(f.Results.Expect)}
	if f.HasResults {
		r.Name, r.Variant, r.Seed = f.Results.Run.Name, f.Results.Run.Variant, f.Results.Run.Seed
	}
	for _, o := range f.Results.Expect {
		if o.Holds {
			r.Holding++
		}
	}
	return r
}

// title gives each run a title of its own: the first of several ways to do so in which no two are alike.
func (c *Comparison) title(folders []*report.Folder) {
	for _, way := range []func(i int) string{
		func(i int) string { return c.Runs[i].Variant },
		func(i int) string { return c.Runs[i].Name },
		func(i int) string { return strings.TrimSuffix(c.Runs[i].Name+"/"+c.Runs[i].Variant, "/") },
		func(i int) string { return fmt.Sprintf("seed %d", c.Runs[i].Seed) },
		func(i int) string { return filepath.Base(filepath.Clean(folders[i].Dir)) },
		func(i int) string { return fmt.Sprintf("run %d", i+1) },
	} {
		seen := map[string]bool{"": true}
		unique := true
		for i := range c.Runs {
			title := way(i)
			unique = unique && !seen[title]
			seen[title] = true
			c.Runs[i].Title = title
		}
		if unique {
			return
		}
	}
}

// diff adds what differs between values at a place in the topologies.
func (c *Comparison) diff(at string, values []any) {
	objects := make([]object, len(values))
	lists := make([]list, len(values))
	areObjects, areLists := true, true
	for i, v := range values {
		var ok bool
		objects[i], ok = v.(object)
		areObjects = areObjects && ok
		lists[i], ok = v.(list)
		areLists = areLists && ok
	}
	if areLists {
		objects, areObjects = keyed(lists), true
	}
	if !areObjects {
		d := Difference{Path: at}
		for _, v := range values {
			d.Values = append(d.Values, text(v))
		}
		if differ(d.Values) {
			c.Topology = append(c.Topology, d)
		}
		return
	}
	for _, name := range names(objects) {
		if at == "" && (name == "$schema" || name == "description" || name == "expect") {
			continue
		}
		below := make([]any, len(objects))
		for i, o := range objects {
			below[i] = o.get(name)
		}
		c.diff(strings.TrimPrefix(at+"."+name, "."), below)
	}
}

func differ[T comparable](list []T) bool {
	return slices.ContainsFunc(list, func(v T) bool { return v != list[0] })
}

func (c *Comparison) addExpectations(folders []*report.Folder) {
	index := map[string]int{}
	for i, f := range folders {
		for _, o := range f.Results.Expect {
			n, ok := index[o.Text]
			if !ok {
				n = len(c.Expectations)
				index[o.Text] = n
				c.Expectations = append(c.Expectations, Expectation{Text: o.Text, Values: make([]Outcome, len(folders))})
			}
			c.Expectations[n].Values[i] = outcome(&o)
		}
	}
	for i := range c.Expectations {
		e := &c.Expectations[i]
		for _, v := range e.Values {
			e.Differs = e.Differs || v.State != e.Values[0].State
		}
	}
}

func outcome(o *report.Outcome) Outcome {
	var values []string
	for _, v := range o.Values {
		if len(o.Values) == 1 {
			values = append(values, v.Value)
		} else {
			values = append(values, v.Name+" = "+v.Value)
		}
	}
	out := Outcome{State: "fails", Detail: strings.Join(values, ", ")}
	switch {
	case o.Inconclusive:
		out.State = "inconclusive"
		if o.Reason != "" {
			out.Detail = o.Reason
		}
	case o.Holds:
		out.State = "holds"
	}
	return out
}

// Selection says what of a comparison is of interest. The zero value is: what differs, without minor figures.
type Selection struct {
	// All takes also what is the same in all runs, and minor figures.
	All bool
	// Only are patterns of [path.Match] for names of figures, such as "links.*.dropped.*". If there are any, figures that match one of
	// them are taken, minor or not, and topologies and expectations are left out.
	Only []string
}

// Select returns the part of a comparison that is of interest. An error is [path.ErrBadPattern].
func (c *Comparison) Select(s Selection) (*Comparison, error) {
	for _, pattern := range s.Only {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, fmt.Errorf("pattern %q: %w", pattern, err)
		}
	}
	out := &Comparison{Runs: c.Runs, Topology: []Difference{}, Groups: []Group{}, Expectations: []Expectation{}}
	for _, g := range c.Groups {
		kept := Group{Name: g.Name}
		for _, f := range g.Figures {
			named := slices.ContainsFunc(s.Only, func(pattern string) bool {
				ok, _ := path.Match(pattern, f.Name)
				return ok
			})
			if (s.All || f.Differs) && (named || len(s.Only) == 0 && (s.All || !f.Minor)) {
				kept.Figures = append(kept.Figures, f)
			}
		}
		if kept.Figures != nil {
			out.Groups = append(out.Groups, kept)
		}
	}
	if len(s.Only) > 0 {
		return out, nil
	}
	out.Topology = c.Topology
	for _, e := range c.Expectations {
		if s.All || e.Differs {
			out.Expectations = append(out.Expectations, e)
		}
	}
	return out, nil
}
