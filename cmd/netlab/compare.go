package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"netlab/report"
	"netlab/report/compare"
	webpage "netlab/report/page"
	"netlab/units"
)

const compareHelp = `Compare sets runs side by side: what differs between their topologies, their figures with
how each compares with the first run's, and which expectations hold. DIR is the folder of
a run; the name of a lab means its folder in netlab-out. Of a folder with the runs of
several variants all are compared, in alphabetical order; name them one by one for
another.

Only what differs is shown, and of nodes and links what matters most: TCP, drops, queues.
--all shows everything that the results have. Figures go by the names that they have in
expectations; --only chooses them by these names, where * stands for any text.

A factor (×3.2) or a change (+12.0%) after a value is against the first run.`

const compareExamples = `  netlab run bufferbloat && netlab compare bufferbloat
  netlab compare netlab-out/bufferbloat/drop-tail netlab-out/bufferbloat/codel
  netlab compare bufferbloat --only 'probe.rtt.*' --only 'links.*.dropped.*'
  netlab compare before after --json | jq '.groups[].figures[].name'`

// compareFlags are what the command line of compare says.
type compareFlags struct {
	all   bool
	only  []string
	json  bool
	html  string
	width int
	// budget is how large the page may get, 0 if nothing was said.
	budget units.Bytes
}

func compareCommand() *cobra.Command {
	f := &compareFlags{}
	c := &cobra.Command{
		Use:               "compare DIR…",
		Short:             "Set runs side by side",
		Long:              compareHelp,
		Example:           compareExamples,
		Args:              someRuns,
		ValidArgsFunction: completeRuns,
		RunE:              func(c *cobra.Command, args []string) error { return f.run(c, args) },
	}
	flags := c.Flags()
	flags.SortFlags = false
	flags.BoolVar(&f.all, "all", false, "show also what is the same, and all that nodes and links counted")
	flags.StringArrayVar(&f.only, "only", nil, "show only figures named like `GLOB`, as 'probe.rtt.*'; repeatable")
	flags.BoolVar(&f.json, "json", false, "print the comparison as JSON")
	flags.StringVar(&f.html, "html", "", "write the runs side by side, with charts, into `FILE` for a browser")
	flags.Var(budgetFlag(&f.budget), "budget", "with --html, how large the file may get, such as 50MB (default 10MB)")
	flags.IntVar(&f.width, "width", 0, "print lines of `N` columns; default: the terminal's, else 80")
	for _, name := range []string{"only", "width", "budget"} {
		_ = c.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	return c
}

// someRuns wants the folders of runs.
func someRuns(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("which runs? Give their folders\nRun '%s --help' for usage.", c.CommandPath()) //nolint:staticcheck // two sentences for a person
	}
	return nil
}

func (f *compareFlags) run(c *cobra.Command, args []string) error {
	if c.Flags().Changed("html") && (f.html == "" || f.json || f.all || f.only != nil) {
		return errors.New("--html wants the name of a file, and shows what it shows: it excludes --json, --all and --only")
	}
	if c.Flags().Changed("budget") && f.html == "" {
		return errors.New("--budget is for a file: give --html FILE, too")
	}
	if !c.Flags().Changed("width") {
		f.width = max(terminalWidth(c.OutOrStdout(), columns), minWidth)
	}
	if err := checkWidth(f.width); err != nil {
		return err
	}
	folders, err := openRuns(args)
	if err != nil {
		return err
	}
	if len(folders) == 1 {
		return fmt.Errorf("%s: is one run: name another to compare it with", folders[0].Dir)
	}
	if f.html != "" {
		return webpage.WriteComparisonFile(f.html, folders, webpage.Options{Budget: f.budget})
	}
	comparison, err := compare.Runs(folders)
	if err != nil {
		return err
	}
	shown, err := comparison.Select(compare.Selection{All: f.all, Only: f.only})
	if err != nil {
		return fmt.Errorf("--only: %w", err)
	}
	out := c.OutOrStdout()
	if f.json {
		return printJSON(out, shown)
	}
	for i, r := range comparison.Runs {
		if !r.Complete {
			fmt.Fprintf(c.ErrOrStderr(), "netlab: %s has no results: it did not get to its end\n", folders[i].Dir)
		}
	}
	if len(shown.Tables()) == 0 {
		if len(f.only) > 0 && !f.all {
			_, err = fmt.Fprintln(out, "no figure of that name differs; --all shows those that are the same too")
		} else {
			_, err = fmt.Fprintln(out, "nothing differs")
		}
		return err
	}
	return shown.Print(out, compare.Style{Columns: f.width, Bold: newPage(out).bold})
}

// openRuns reads the folders of runs. A folder that holds the runs of variants stands for all of them.
func openRuns(args []string) ([]*report.Folder, error) {
	var folders []*report.Folder
	for _, arg := range args {
		dir, err := findFolder(arg)
		if err != nil {
			return nil, err
		}
		dirs := []string{dir}
		if _, err := os.Stat(filepath.Join(dir, report.TopologyFile)); errors.Is(err, fs.ErrNotExist) {
			runs, err := report.Runs(dir)
			if err != nil {
				return nil, err
			}
			if len(runs) > 0 {
				dirs = runs
			}
		}
		for _, d := range dirs {
			folder, err := report.Load(d)
			if err != nil {
				return nil, err
			}
			folders = append(folders, folder)
		}
	}
	return folders, nil
}
