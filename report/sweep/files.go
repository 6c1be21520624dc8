package sweep

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// WriteFiles writes the table of runs, the summary and, if it is wanted, the page into a folder. Each file replaces an earlier one as a
// whole.
func WriteFiles(dir string, p *Plan, j *Journal, page bool) (*Summary, error) {
	s := Summarize(p, j)
	files := []struct {
		name  string
		write func(io.Writer) error
	}{
		{TableFile, func(w io.Writer) error { return WriteTable(w, p, j) }},
		{SummaryFile, s.WriteJSON},
		{PageFile, s.WritePage},
	}
	if !page {
		files = files[:2]
	}
	for _, f := range files {
		if err := replace(filepath.Join(dir, f.name), f.write); err != nil {
			return s, err
		}
	}
	return s, nil
}

// replace writes a file beside the one of that name and then puts it in its place.
func replace(path string, write func(io.Writer) error) error {
	f, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	err = write(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// WriteJSON writes the summary.
func (s *Summary) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(s)
}

// WriteTable writes a line for each finished run as CSV (RFC 4180), in the order of the plan: variant, values, seed, verdict and
// figures, whose unit stands in brackets in the first line. What a run doesn't have is empty.
func WriteTable(w io.Writer, p *Plan, j *Journal) error {
	var runs []*Run
	var columns, axes []string
	place := map[string]int{}
	for n := range p.Len() {
		r := j.Get(p.At(n))
		if r == nil {
			continue
		}
		runs = append(runs, r)
		for _, f := range r.Figures {
			if _, known := place[f.Name]; !known {
				place[f.Name] = len(columns)
				name := f.Name
				if unit := f.Dimension.Unit(); unit != "" {
					name += " [" + unit + "]"
				}
				columns = append(columns, name)
			}
		}
	}
	if len(p.Points) > 0 {
		for _, s := range p.Points[0].Set {
			path, _, _ := strings.Cut(s, "=")
			axes = append(axes, path)
		}
	}
	out := csv.NewWriter(w)
	if err := out.Write(slices.Concat([]string{"variant"}, axes, []string{"seed", "verdict"}, columns)); err != nil {
		return err
	}
	for _, r := range runs {
		line := []string{r.Variant}
		for _, s := range r.Set {
			_, v, _ := strings.Cut(s, "=")
			line = append(line, v)
		}
		line = append(line, strconv.FormatUint(r.Seed, 10), r.Verdict())
		cells := make([]string, len(columns))
		for _, f := range r.Figures {
			cells[place[f.Name]] = strconv.FormatFloat(f.Value, 'f', -1, 64)
		}
		if err := out.Write(append(line, cells...)); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// Print prints the summary for people: a table of the figures that expectations look at, and what failed, up to most of the runs.
func (s *Summary) Print(w io.Writer, most int) error {
	var b strings.Builder
	if s.Runs < s.Asked {
		fmt.Fprintf(&b, "%s: %d of %d runs\n", s.Name, s.Runs, s.Asked)
	} else {
		fmt.Fprintf(&b, "%s: %d runs\n", s.Name, s.Runs)
	}
	for i := range s.Points {
		p := &s.Points[i]
		if p.Runs == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s  (%d of %d hold)\n", p.Title(), p.Holding, p.Runs)
		width := 0
		shown := p.shown()
		for _, d := range shown {
			width = max(width, len(d.Name))
		}
		for _, d := range shown {
			fmt.Fprintf(&b, "  %-*s  %s", width, d.Name, d.Print())
			if !d.Same() {
				fmt.Fprintf(&b, "  (%s to %s)", d.Dimension.Print(d.Min), d.Dimension.Print(d.Max))
			}
			b.WriteByte('\n')
		}
		for _, c := range p.Checks {
			if c.Holds < c.Of {
				fmt.Fprintf(&b, "  ✗ %s  in %d of %d runs\n", c.Text, c.Of-c.Holds, c.Of)
			}
		}
	}
	if len(s.Failing) > 0 {
		fmt.Fprintf(&b, "\nnot holding\n")
		for i, f := range s.Failing {
			if i == most {
				fmt.Fprintf(&b, "  and %d more\n", len(s.Failing)-most)
				break
			}
			fmt.Fprintf(&b, "  %s\n", f.Replay)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// maxShown is how many figures of a point are shown where all can't be.
const maxShown = 12

// shown are the figures that expectations look at, and others that differ between the runs as far as there is room.
func (p *PointSummary) shown() []*Distribution {
	var list []*Distribution
	for i := range p.Figures {
		d := &p.Figures[i]
		if d.Mentioned || !d.Same() && !strings.HasPrefix(d.Name, "run.") && len(list) < maxShown {
			list = append(list, d)
		}
	}
	return list
}
