package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// printComparison prints the figures that the expectations of several runs look at side by side.
func printComparison(w io.Writer, outcomes []*outcome) error {
	p := newPage(w)
	rows, cells := compared(outcomes)
	if len(rows) == 0 {
		return nil
	}
	titles := make([]string, len(outcomes))
	for i, o := range outcomes {
		titles[i] = o.Summary.Name
		if o.Summary.Variant != "" {
			titles[i] = o.Summary.Variant
		}
	}
	first := 0
	for _, r := range rows {
		first = max(first, width(r))
	}
	widths := make([]int, len(titles))
	for i, t := range titles {
		widths[i] = width(t)
		for _, r := range rows {
			widths[i] = max(widths[i], width(cells[r][i]))
		}
	}
	// As many runs side by side as there is room for, at least one.
	for from := 0; from < len(titles); {
		to, used := from, first
		for to < len(titles) && (to == from || used+2+widths[to] <= columns) {
			used += 2 + widths[to]
			to++
		}
		if from > 0 {
			p.linef("")
		}
		p.linef("%s", p.bold(row("side by side", first, titles, widths, from, to)))
		for _, r := range rows {
			p.linef("%s", row(r, first, cells[r], widths, from, to))
		}
		from = to
	}
	return p.print(w)
}

// row prints a name and the cells of some columns, right-aligned.
func row(name string, first int, cells []string, widths []int, from, to int) string {
	var b strings.Builder
	b.WriteString(pad(name, first))
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "  %s%s", strings.Repeat(" ", max(0, widths[i]-width(cells[i]))), cells[i])
	}
	return b.String()
}

// compared returns the rows of the table: figures in the order in which they are first mentioned, and how many
// expectations hold.
func compared(outcomes []*outcome) (rows []string, cells map[string][]string) {
	cells = map[string][]string{}
	put := func(name string, column int, value string) {
		if cells[name] == nil {
			rows = append(rows, name)
			cells[name] = slices.Repeat([]string{"–"}, len(outcomes))
		}
		cells[name][column] = value
	}
	for i, o := range outcomes {
		for _, e := range o.Summary.Expect {
			for _, v := range e.Values {
				put(v.Name, i, v.Printed)
			}
		}
	}
	for i, o := range outcomes {
		list := o.Summary.Expect
		holding := 0
		for _, e := range list {
			if e.Holds {
				holding++
			}
		}
		if len(list) > 0 {
			put("expectations that hold", i, fmt.Sprintf("%d of %d", holding, len(list)))
		}
	}
	return rows, cells
}
