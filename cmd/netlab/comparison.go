package main

import (
	"fmt"
	"io"
	"slices"

	"netlab/report/compare"
)

// printComparison prints the figures that the expectations of several runs look at side by side.
func printComparison(w io.Writer, outcomes []*outcome) error {
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
	t := &compare.Table{Title: "side by side", Titles: titles}
	for _, r := range rows {
		t.Rows = append(t.Rows, compare.Row{Name: r, Cells: cells[r]})
	}
	return t.Print(w, compare.Style{Columns: columns, Bold: newPage(w).bold})
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
