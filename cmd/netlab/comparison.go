package main

import (
	"fmt"
	"io"
	"slices"

	"netlab/report"
	"netlab/report/compare"
)

// printComparison prints the figures that the expectations of several runs look at side by side. known, if it is not nil, knows the
// figures of the runs, those too that their own expectations don't look at.
func printComparison(w io.Writer, outcomes []*outcome, known *compare.Comparison) error {
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
	if known != nil {
		fill(cells, known)
	}
	t := &compare.Table{Title: "side by side", Titles: titles}
	for _, r := range rows {
		t.Rows = append(t.Rows, compare.Row{Name: r, Cells: cells[r]})
	}
	return t.Print(w, compare.Style{Columns: columns, Bold: newPage(w).bold})
}

// unknown is what stands in a cell without a value.
const unknown = "–"

// fill sets the cells of figures that a run has, but doesn't look at.
func fill(cells map[string][]string, known *compare.Comparison) {
	for _, g := range known.Groups {
		for _, f := range g.Figures {
			for i, text := range cells[f.Name] {
				if text == unknown && f.Values[i].Known {
					cells[f.Name][i] = f.Values[i].Text
				}
			}
		}
	}
}

// foldersOf returns the folders of runs, or nil if one of them has left none.
func foldersOf(outcomes []*outcome) []*report.Folder {
	var folders []*report.Folder
	for _, o := range outcomes {
		if o.Summary.Output.Dir == "" {
			return nil
		}
		f, err := report.Load(o.Summary.Output.Dir)
		if err != nil || !f.HasResults {
			return nil
		}
		folders = append(folders, f)
	}
	return folders
}

// compared returns the rows of the table: figures in the order in which they are first mentioned, and how many
// expectations hold.
func compared(outcomes []*outcome) (rows []string, cells map[string][]string) {
	cells = map[string][]string{}
	put := func(name string, column int, value string) {
		if cells[name] == nil {
			rows = append(rows, name)
			cells[name] = slices.Repeat([]string{unknown}, len(outcomes))
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
