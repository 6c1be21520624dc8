package compare

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Style says how a comparison is printed. The zero value is plain text of 80 columns.
type Style struct {
	// Columns is how wide it is at most, as far as that can be; 0 means 80.
	Columns int
	// Bold returns a text in bold; nil leaves texts as they are.
	Bold func(string) string
}

// Table is names with a cell for each run. It is printed with as many runs side by side as there is room for.
type Table struct {
	Title  string
	Titles []string // of the runs
	Rows   []Row
	// First says that the first run is repeated in front of others that it does not fit beside.
	First bool
}

// Row is a row of a table.
type Row struct {
	Name  string
	Cells []string
}

// maxName is how much of a line a name may take before its cells go to the next line.
const maxName = 0.55

// Print prints the table.
func (t *Table) Print(w io.Writer, s Style) error {
	if s.Columns == 0 {
		s.Columns = 80
	}
	if s.Bold == nil {
		s.Bold = func(text string) string { return text }
	}
	longest := int(float64(s.Columns) * maxName)
	names := width(t.Title)
	widths := make([]int, len(t.Titles))
	for i, title := range t.Titles {
		widths[i] = width(title)
	}
	for _, r := range t.Rows {
		if n := width(r.Name); n <= longest {
			names = max(names, n)
		}
		for i, c := range r.Cells {
			widths[i] = max(widths[i], width(c))
		}
	}
	var b strings.Builder
	for from := 0; from < len(t.Titles); {
		var shown []int
		used := names
		if t.First && from > 0 {
			shown, used = []int{0}, names+2+widths[0]
		}
		for start := from; from < len(t.Titles) && (from == start || used+2+widths[from] <= s.Columns); from++ {
			used += 2 + widths[from]
			shown = append(shown, from)
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		line := func(name string, cells []string) string {
			text := name + strings.Repeat(" ", max(0, names-width(name)))
			if width(name) > names {
				text = name + "\n" + strings.Repeat(" ", names)
			}
			for _, i := range shown {
				text += "  " + strings.Repeat(" ", widths[i]-width(cells[i])) + cells[i]
			}
			return strings.TrimRight(text, " ")
		}
		b.WriteString(s.Bold(line(t.Title, t.Titles)) + "\n")
		for _, r := range t.Rows {
			b.WriteString(line(r.Name, r.Cells) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Print prints the comparison as tables.
func (c *Comparison) Print(w io.Writer, s Style) error {
	tables := c.Tables()
	for i, t := range tables {
		if i > 0 {
			if _, err := io.WriteString(w, "\n"); err != nil {
				return err
			}
		}
		if err := t.Print(w, s); err != nil {
			return err
		}
	}
	return nil
}

// Tables returns the comparison as tables that have at least a row: topology, the groups of figures, expectations. Where there is
// nothing, it is "–"; after each number but those of the first run stands how it compares with that.
func (c *Comparison) Tables() []*Table {
	var titles []string
	for _, r := range c.Runs {
		titles = append(titles, r.Title)
	}
	var tables []*Table
	add := func(title string, rows []Row) {
		if len(rows) > 0 {
			tables = append(tables, &Table{Title: title, Titles: titles, Rows: rows, First: true})
		}
	}
	var rows []Row
	for _, d := range c.Topology {
		r := Row{Name: d.Path}
		for _, v := range d.Values {
			r.Cells = append(r.Cells, orDash(shorten(v)))
		}
		rows = append(rows, r)
	}
	add("topology", rows)
	for _, g := range c.Groups {
		rows = nil
		for _, f := range g.Figures {
			r := Row{Name: f.Name}
			for _, v := range f.Values {
				r.Cells = append(r.Cells, f.cell(v))
			}
			rows = append(rows, r)
		}
		add(g.Name, rows)
	}
	rows = nil
	holding := Row{Name: "that hold"}
	for _, r := range c.Runs {
		holding.Cells = append(holding.Cells, fmt.Sprintf("%d of %d", r.Holding, r.Expected))
	}
	for _, e := range c.Expectations {
		r := Row{Name: e.Text}
		for _, v := range e.Values {
			r.Cells = append(r.Cells, orDash(v.State))
		}
		rows = append(rows, r)
	}
	if len(rows) > 0 {
		rows = append(rows, holding)
	}
	add("expectations", rows)
	return tables
}

// maxValue is how much of a topology's value is printed.
const maxValue = 32

func shorten(text string) string {
	if width(text) <= maxValue {
		return text
	}
	return string([]rune(text)[:maxValue-1]) + "…"
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// cell is a value with how it compares with that of the first run.
func (f *Figure) cell(v Value) string {
	switch {
	case !v.Known:
		return "–"
	case !v.HasRatio || f.Dimension == Share || v.Difference == 0 || v.Number == 0:
		return v.Text
	}
	return v.Text + " " + printRatio(v.Ratio)
}

// printRatio prints a ratio: as a percentage of change where it is near 1, as a factor where it is far from it.
func printRatio(r float64) string {
	switch {
	case r > 0.5 && r < 2:
		percent := fmt.Sprintf("%+.1f%%", 100*(r-1))
		if percent == "+0.0%" || percent == "-0.0%" {
			return "≈"
		}
		return percent
	case math.Abs(r) >= 100:
		return "×" + strconv.FormatFloat(r, 'f', 0, 64)
	case r > 0 && r < 0.001:
		return "×<0.001"
	case math.Abs(r) < 1:
		return "×" + strconv.FormatFloat(r, 'f', 3, 64)
	}
	return "×" + strconv.FormatFloat(r, 'f', 1, 64)
}

func width(s string) int { return utf8.RuneCountInString(s) }
