package sweep

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// The plots' size and margins in pixels.
const (
	plotWidth, plotHeight          = 640., 260.
	marginLeft, marginRight        = 84., 16.
	marginTop, marginBottom        = 14., 44.
	spread                         = 0.6 // of a point's width over which its runs lie
	ticks                          = 4
	maxPlots                       = 24
	maxDots                        = 400 // of a point; above that only mean and range are drawn
	maxLabel                       = 28
	widthPerPoint, widest, capHalf = 56., 1600., 5.
)

// plot is a figure over the points.
type plot struct {
	Title         string
	Width, Height float64
	Left, Right   float64
	Bottom        float64
	Ticks         []tick
	Columns       []column
	Line          string // through the means, as an SVG path
}

type tick struct {
	Y     float64
	Label string
}

// column is a point of the plan in a plot.
type column struct {
	X, Y, Low, High   float64 // mean and its interval
	LabelY            float64
	CapLeft, CapRight float64
	HasCI             bool
	Dots              []dot
	Label, Tip        string
}

type dot struct{ X, Y float64 }

// WritePage writes the summary as a page for a browser, in one file.
func (s *Summary) WritePage(w io.Writer) error {
	type row struct {
		Title   string
		Runs    int
		Holding int
		Cells   []string
	}
	view := struct {
		*Summary
		Columns []string
		Rows    []row
		Plots   []*plot
		Checks  bool
	}{Summary: s}
	names := s.names()
	for _, name := range names {
		for i := range s.Points {
			if slices.ContainsFunc(s.Points[i].shown(), func(d *Distribution) bool { return d.Name == name }) {
				view.Columns = append(view.Columns, name)
				break
			}
		}
	}
	for i := range s.Points {
		p := &s.Points[i]
		r := row{Title: p.Title(), Runs: p.Runs, Holding: p.Holding}
		for _, name := range view.Columns {
			text := "–"
			if d := p.Get(name); d != nil {
				text = d.Print()
			}
			r.Cells = append(r.Cells, text)
		}
		view.Checks = view.Checks || len(p.Checks) > 0
		view.Rows = append(view.Rows, r)
	}
	for _, name := range names {
		if p := s.plot(name); p != nil && len(view.Plots) < maxPlots {
			view.Plots = append(view.Plots, p)
		}
	}
	return page.Execute(w, view)
}

// names are those of all figures, in the order in which they are first met, without those of the run as a whole.
func (s *Summary) names() []string {
	var list []string
	seen := map[string]bool{}
	for i := range s.Points {
		for _, d := range s.Points[i].Figures {
			if !seen[d.Name] && !strings.HasPrefix(d.Name, "run.") {
				seen[d.Name] = true
				list = append(list, d.Name)
			}
		}
	}
	return list
}

// plot draws a figure, unless it is the same in all runs.
func (s *Summary) plot(name string) *plot {
	low, high := math.Inf(1), math.Inf(-1)
	var first *Distribution
	for i := range s.Points {
		if d := s.Points[i].Get(name); d != nil {
			low, high = min(low, d.Min), max(high, d.Max)
			if d.CI95 != nil {
				low, high = min(low, d.CI95[0]), max(high, d.CI95[1])
			}
			first = d
		}
	}
	if first == nil || low >= high {
		return nil
	}
	if low > 0 && low < high/3 {
		low = 0 // plots of sizes begin at nothing where that costs little
	}
	n := float64(len(s.Points))
	p := &plot{Title: name, Width: min(max(plotWidth, marginLeft+marginRight+n*widthPerPoint), widest), Height: plotHeight, Left: marginLeft,
		Bottom: plotHeight - marginBottom}
	p.Right = p.Width - marginRight
	y := func(v float64) float64 {
		return round(p.Bottom - (v-low)/(high-low)*(p.Bottom-marginTop))
	}
	for i := range ticks + 1 {
		v := low + (high-low)*float64(i)/ticks
		p.Ticks = append(p.Ticks, tick{y(v), first.Dimension.Print(v)})
	}
	step := (p.Right - p.Left) / n
	var line []string
	for i := range s.Points {
		point := &s.Points[i]
		d := point.Get(name)
		if d == nil {
			continue
		}
		x := p.Left + step*(float64(i)+0.5)
		c := column{X: round(x), Y: y(d.Mean), LabelY: p.Bottom + 16, CapLeft: round(x - capHalf), CapRight: round(x + capHalf), Label: label(point.Point),
			Tip: fmt.Sprintf("%s: %s, %d runs, %s to %s", point.Title(), d.Print(), d.N, d.Dimension.Print(d.Min), d.Dimension.Print(d.Max))}
		if d.CI95 != nil {
			c.HasCI, c.Low, c.High = true, y(d.CI95[0]), y(d.CI95[1])
		}
		if d.N > 1 && d.N <= maxDots {
			for k, v := range d.Values {
				at := (float64(k)+0.5)/float64(d.N) - 0.5
				c.Dots = append(c.Dots, dot{round(x + at*step*spread), y(v)})
			}
		}
		p.Columns = append(p.Columns, c)
		line = append(line, fmt.Sprintf("%g %g", c.X, c.Y))
	}
	if len(line) > 1 {
		p.Line = "M" + strings.Join(line, " L")
	}
	return p
}

// label names a point below a plot: the values without their paths.
func label(p Point) string {
	var parts []string
	if p.Variant != "" {
		parts = append(parts, p.Variant)
	}
	for _, s := range p.Set {
		_, v, _ := strings.Cut(s, "=")
		parts = append(parts, v)
	}
	text := []rune(strings.Join(parts, " "))
	if len(text) > maxLabel {
		text = append(text[:maxLabel-1], '…')
	}
	return string(text)
}

// round keeps a tenth of a pixel, so that the page is short.
func round(v float64) float64 { return math.Round(10*v) / 10 }
