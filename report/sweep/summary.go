package sweep

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"netlab/report/compare"
)

// Summary is what the runs have found together.
type Summary struct {
	Name  string `json:"name"`
	Runs  int    `json:"runs"`  // finished
	Asked int    `json:"asked"` // for
	// Points are in the order of the plan.
	Points []PointSummary `json:"points"`
	// Failing are the runs whose expectations don't all hold, in the order of the plan.
	Failing []Failing `json:"failing"`
}

// PointSummary tells of the runs of a point.
type PointSummary struct {
	Point
	Runs    int            `json:"runs"`
	Holding int            `json:"holding"`
	Checks  []CheckShare   `json:"expect"`
	Figures []Distribution `json:"figures"`
}

// CheckShare is the share of the runs in which an expectation holds, with its 95 % confidence interval after Wilson (1927).
type CheckShare struct {
	Text  string     `json:"text"`
	Holds int        `json:"holds"`
	Of    int        `json:"of"`
	Share float64    `json:"share"`
	CI95  [2]float64 `json:"ci95"`
}

// Distribution tells how the values of a figure lie, over the N runs that have it.
type Distribution struct {
	Name      string            `json:"name"`
	Unit      string            `json:"unit,omitempty"`
	Dimension compare.Dimension `json:"-"`
	N         int               `json:"n"`
	Mean      float64           `json:"mean"`
	// SD is the standard deviation of the sample, with n-1. CI95 is the 95 % confidence interval of the mean by Student's t. Both are
	// missing for less than two runs.
	SD   *float64    `json:"sd,omitempty"`
	CI95 *[2]float64 `json:"ci95,omitempty"`
	Min  float64     `json:"min"`
	// Median is the mean of the two in the middle for an even number.
	Median    float64 `json:"median"`
	Max       float64 `json:"max"`
	Mentioned bool    `json:"-"` // an expectation looks at it
	// Values are those of the runs, in the order of the seeds.
	Values []float64 `json:"-"`
}

// Failing is a run of which not all expectations hold.
type Failing struct {
	Point
	Seed    uint64   `json:"seed"`
	Verdict string   `json:"verdict"`
	Expect  []string `json:"expect"` // those that don't hold
	Replay  string   `json:"replay"`
}

// Summarize puts together the runs of a plan that are finished.
func Summarize(p *Plan, j *Journal) *Summary {
	s := &Summary{Name: p.Name, Asked: p.Len(), Points: []PointSummary{}, Failing: []Failing{}}
	for _, point := range p.Points {
		sum := PointSummary{Point: point, Checks: []CheckShare{}, Figures: []Distribution{}}
		checks, figures := map[string]int{}, map[string]int{}
		for _, seed := range p.Seeds {
			r := j.Get(point, seed)
			if r == nil {
				continue
			}
			s.Runs++
			sum.add(r, checks, figures)
			if r.Code != 0 {
				s.Failing = append(s.Failing, failing(p, r))
			}
		}
		for i := range sum.Checks {
			sum.Checks[i].finish()
		}
		for i := range sum.Figures {
			sum.Figures[i].finish()
		}
		s.Points = append(s.Points, sum)
	}
	return s
}

func failing(p *Plan, r *Run) Failing {
	f := Failing{Point: r.Point, Seed: r.Seed, Verdict: r.Verdict(), Expect: []string{}, Replay: p.Replay(r.Point, r.Seed)}
	for _, c := range r.Checks {
		if c.State != "holds" {
			f.Expect = append(f.Expect, c.Text)
		}
	}
	return f
}

// add counts a run. checks and figures say where those of a name are.
func (s *PointSummary) add(r *Run, checks, figures map[string]int) {
	s.Runs++
	if r.Code == 0 {
		s.Holding++
	}
	for _, c := range r.Checks {
		i, known := checks[c.Text]
		if !known {
			i = len(s.Checks)
			checks[c.Text] = i
			s.Checks = append(s.Checks, CheckShare{Text: c.Text})
		}
		s.Checks[i].Of++
		if c.State == "holds" {
			s.Checks[i].Holds++
		}
	}
	for _, f := range r.Figures {
		i, known := figures[f.Name]
		if !known {
			i = len(s.Figures)
			figures[f.Name] = i
			s.Figures = append(s.Figures, Distribution{Name: f.Name, Unit: f.Dimension.Unit(), Dimension: f.Dimension, Mentioned: f.Mentioned})
		}
		s.Figures[i].Values = append(s.Figures[i].Values, f.Value)
	}
}

// confidence is that of the intervals.
const confidence = 0.95

// finish computes the share and its interval.
func (c *CheckShare) finish() {
	n := float64(c.Of)
	c.Share = float64(c.Holds) / n
	z := distuv.UnitNormal.Quantile((1 + confidence) / 2)
	middle := (c.Share + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(c.Share*(1-c.Share)/n+z*z/(4*n*n))
	c.CI95 = [2]float64{max(middle-half, 0), min(middle+half, 1)}
}

// finish computes what follows from the values.
func (d *Distribution) finish() {
	d.N = len(d.Values)
	sorted := slices.Sorted(slices.Values(d.Values))
	d.Min, d.Max = sorted[0], sorted[d.N-1]
	d.Median = (sorted[(d.N-1)/2] + sorted[d.N/2]) / 2
	if d.N < 2 {
		d.Mean = d.Values[0]
		return
	}
	mean, sd := stat.MeanStdDev(d.Values, nil)
	t := distuv.StudentsT{Sigma: 1, Nu: float64(d.N - 1)}.Quantile((1 + confidence) / 2)
	half := t * sd / math.Sqrt(float64(d.N))
	d.Mean, d.SD, d.CI95 = mean, &sd, &[2]float64{mean - half, mean + half}
}

// Print prints the mean with half the width of its interval for people, or the value that all runs have.
func (d *Distribution) Print() string {
	switch {
	case d.Same() && d.Dimension == compare.Flag && d.Min == 1:
		return "yes"
	case d.Same() && d.Dimension == compare.Flag:
		return "no"
	case d.Same():
		return d.Dimension.Print(d.Min)
	}
	mean := d.Dimension
	switch mean {
	case compare.Flag:
		mean = compare.Share // of the runs in which it is so
	case compare.Count:
		mean = compare.Number
	}
	return mean.Print(d.Mean) + " ± " + mean.Print(d.CI95[1]-d.Mean)
}

// Same says that all runs have the same value.
func (d *Distribution) Same() bool { return d.Min == d.Max }

// Get returns the figure of a name, or nil.
func (s *PointSummary) Get(name string) *Distribution {
	for i := range s.Figures {
		if s.Figures[i].Name == name {
			return &s.Figures[i]
		}
	}
	return nil
}
