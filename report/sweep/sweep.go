// Package sweep puts together what many runs of one file have found: runs with several seeds, and with several values of what the file
// says. It keeps a journal of finished runs, so that a sweep which was interrupted goes on where it ended, and writes the runs as CSV,
// and mean and confidence interval of each figure as JSON and as a page with plots.
//
// What it writes depends on the runs alone, not on how many were played at a time, in which order they ended, or on the machine.
package sweep

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"netlab/report/compare"
)

// Point is a combination of a variant and values: what is played with each seed.
type Point struct {
	Variant string `json:"variant,omitempty"`
	// Set are the settings as PATH=VALUE, in the order of the axes.
	Set []string `json:"set"`
}

// Title names the point for people: its variant and values, or "all runs" if there is nothing else.
func (p Point) Title() string {
	parts := slices.Clone(p.Set)
	if p.Variant != "" {
		parts = append([]string{p.Variant}, parts...)
	}
	if len(parts) == 0 {
		return "all runs"
	}
	return strings.Join(parts, " ")
}

func (p Point) key() string { return p.Variant + "\x00" + strings.Join(p.Set, "\x00") }

// Figure is a figure of a run, by the name that it has in expectations. Yes is 1 and no is 0.
type Figure struct {
	Name      string            `json:"name"`
	Dimension compare.Dimension `json:"dimension"`
	Value     float64           `json:"value"`
	// Mentioned says that an expectation looks at it.
	Mentioned bool `json:"mentioned,omitempty"`
}

// Check is what became of an expectation.
type Check struct {
	Text string `json:"text"`
	// State is holds, fails or inconclusive.
	State string `json:"state"`
}

// Run is a finished run.
type Run struct {
	Point
	Seed uint64 `json:"seed"`
	// Code is the exit code that the run would have alone: 0 if all expectations hold.
	Code    int      `json:"code"`
	Checks  []Check  `json:"checks"`
	Figures []Figure `json:"figures"`
}

// Verdict says in a word what the exit code means.
func (r *Run) Verdict() string {
	switch r.Code {
	case 0:
		return "holds"
	case 1:
		return "fails"
	case 2:
		return "inconclusive"
	}
	return "error"
}

// NewRun makes a run of its results: figures of the run as a whole, of workloads and of faults, and those of links and nodes that an
// expectation mentions. Times series and texts are left out.
func NewRun(p Point, seed uint64, code int, results []byte) (*Run, error) {
	groups, err := compare.FiguresOf(results)
	if err != nil {
		return nil, err
	}
	var found struct {
		Expect []struct {
			Text         string `json:"text"`
			Holds        bool   `json:"holds"`
			Inconclusive bool   `json:"inconclusive"`
			Values       []struct {
				Name string `json:"name"`
			} `json:"values"`
		} `json:"expect"`
	}
	if err := json.Unmarshal(results, &found); err != nil {
		return nil, err
	}
	r := &Run{Point: p, Seed: seed, Code: code, Checks: []Check{}, Figures: []Figure{}}
	order := map[string]int{} // of those that expectations mention, from 1
	for _, e := range found.Expect {
		c := Check{e.Text, "fails"}
		switch {
		case e.Inconclusive:
			c.State = "inconclusive"
		case e.Holds:
			c.State = "holds"
		}
		r.Checks = append(r.Checks, c)
		for _, v := range e.Values {
			if order[v.Name] == 0 {
				order[v.Name] = len(order) + 1
			}
		}
	}
	for _, g := range groups {
		whole := g.Name == "run" || g.Name == "workloads" || g.Name == "faults"
		for _, f := range g.Figures {
			if f.Name == "run.seed" || f.Dimension == compare.Text || !f.Values[0].Known || order[f.Name] == 0 && (!whole || f.Minor) {
				continue
			}
			r.Figures = append(r.Figures, Figure{f.Name, f.Dimension, f.Values[0].Number, order[f.Name] > 0})
		}
	}
	slices.SortStableFunc(r.Figures, func(a, b Figure) int {
		rank := func(f Figure) int {
			if n := order[f.Name]; n > 0 {
				return n
			}
			return len(order) + 1
		}
		return cmp.Compare(rank(a), rank(b))
	})
	return r, nil
}

// Plan is what is to be played: each point with each seed, in this order.
type Plan struct {
	Name   string
	Points []Point
	Seeds  []uint64
	// Replay returns the command that plays one run again by itself.
	Replay func(p Point, seed uint64) string
}

// Len is how many runs the plan has.
func (p *Plan) Len() int { return len(p.Points) * len(p.Seeds) }

// At returns the n-th run to play.
func (p *Plan) At(n int) (Point, uint64) {
	return p.Points[n/len(p.Seeds)], p.Seeds[n%len(p.Seeds)]
}
