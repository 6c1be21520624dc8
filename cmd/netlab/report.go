package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"netlab/report"
	"netlab/report/compare"
	webpage "netlab/report/page"
	"netlab/units"
)

const reportHelp = `Report makes report.html again from the folder of a run: one file for a browser, with the
topology, a timeline, the packet ladder, plots of TCP connections, queues, workloads and
expectations. It needs nothing else and asks no host for anything. DIR is a folder, or the
name of a lab whose run is below netlab-out.

In a folder with several runs, such as those of a file with variants, it makes the page of
each run and one that shows them side by side, in alphabetical order ('netlab run' keeps
the order of the file's variants).

Packets and plots are thinned until the page fits its budget; the page says what is left
out. 'netlab run' makes the same page, unless --no-report says otherwise.`

const reportExamples = `  netlab report netlab-out/handshake
  netlab report --budget 50MB -o big.html netlab-out/dumbbell`

func reportCommand() *cobra.Command {
	var o webpage.Options
	var file string
	c := &cobra.Command{
		Use:               "report DIR",
		Short:             "Make the HTML report of a run's folder",
		Long:              reportHelp,
		Example:           reportExamples,
		Args:              oneFolder,
		ValidArgsFunction: completeRuns,
		RunE: func(c *cobra.Command, args []string) error {
			if c.Flags().Changed("output") && file == "" {
				return errors.New("--output wants the name of a file")
			}
			return makeReport(c, args[0], file, o)
		},
	}
	c.Flags().VarP(budgetFlag(&o.Budget), "budget", "", "how large the page may get, such as 50MB (default 10MB)")
	c.Flags().StringVarP(&file, "output", "o", "", "write `FILE` (default report.html in the folder)")
	_ = c.RegisterFlagCompletionFunc("budget", cobra.FixedCompletions([]cobra.Completion{"1MB", "10MB", "50MB"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// oneFolder wants the folder of a run, or of several.
func oneFolder(c *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	problem := "which run? Give its folder"
	if len(args) > 1 {
		problem = fmt.Sprintf("%d folders: give one", len(args))
	}
	return fmt.Errorf("%s\nRun '%s --help' for usage.", problem, c.CommandPath()) //nolint:staticcheck // two sentences for a person
}

// makeReport writes the page and says where it is.
func makeReport(c *cobra.Command, arg, file string, o webpage.Options) error {
	dir, err := findFolder(arg)
	if err != nil {
		return err
	}
	if file == "" {
		file = filepath.Join(dir, report.PageFile)
	}
	if err := webpage.WriteFile(dir, file, o); err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.OutOrStdout(), file)
	return err
}

// budgetFlag reads how large a page may get.
func budgetFlag(to *units.Bytes) pflag.Value {
	return &value{kind: "SIZE", parse: func(s string) error {
		b, err := units.ParseBytes(s)
		if err != nil {
			return err
		}
		if b == 0 { // in Options it is the default
			b = 1
		}
		*to = b
		return webpage.Options{Budget: b}.Check()
	}}
}

// writeReport makes the report of a run that was played, unless the command line says otherwise. An error is told; the code is then
// that of a file that can't be written.
func (f *runFlags) writeReport(w io.Writer, j job) (code int) {
	if f.noReport || j.dir == "" {
		return exitHolds
	}
	if err := webpage.WriteFolder(j.dir, webpage.Options{Budget: f.reportBudget}); err != nil {
		complain(w, fmt.Errorf("the report could not be made: %w", err))
		return exitUsage
	}
	return exitHolds
}

// writeComparisons compares the variants of a file, for each file that had several: comparison.json, and the page. It returns the
// pages.
func (f *runFlags) writeComparisons(w io.Writer, jobs []job) (pages []string, code int) {
	if f.noFiles {
		return nil, exitHolds
	}
	for i, j := range jobs {
		if j.dir == j.base || i > 0 && jobs[i-1].base == j.base {
			continue
		}
		var runs []string
		for _, other := range jobs[i:] {
			if other.base != j.base {
				break
			}
			if _, err := os.Stat(filepath.Join(other.dir, report.TopologyFile)); err == nil { // else it was not played
				runs = append(runs, other.dir)
			}
		}
		if len(runs) == 0 {
			continue
		}
		if len(runs) > 1 { // else it was interrupted before there was anything to compare
			if err := writeComparison(filepath.Join(j.base, report.ComparisonFile), runs); err != nil {
				complain(w, fmt.Errorf("the comparison could not be made: %w", err))
				code = exitUsage
				continue
			}
		}
		if f.noReport {
			continue
		}
		if err := webpage.WriteRuns(j.base, runs, webpage.Options{Budget: f.reportBudget}); err != nil {
			complain(w, fmt.Errorf("the comparison could not be made: %w", err))
			code = exitUsage
			continue
		}
		pages = append(pages, filepath.Join(j.base, report.PageFile))
	}
	return pages, code
}

// writeComparison writes what compare --json --all would print of some runs into a file.
func writeComparison(file string, dirs []string) error {
	var folders []*report.Folder
	for _, dir := range dirs {
		f, err := report.Load(dir)
		if err != nil {
			return err
		}
		folders = append(folders, f)
	}
	c, err := compare.Runs(folders)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o666)
}
