package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"netlab/captures/analysis"
	"netlab/report"
	"netlab/report/story"
	"netlab/units"
)

const explainHelp = `Explain tells in sentences what happened in a run, each with its time and the frames by which
the packets are found in Wireshark: how connections were opened, what was asked and answered,
what the network lost, how the stacks noticed and what it cost, faults, queues, and what the
run was expected to show.

DIR is the folder of a run, or the name of a lab that was run into netlab-out. FILE is a
capture of any origin, in the formats pcapng and pcap, also packed with gzip.

What happens again and again is told once and counted, and a long story is cut down to 60
sentences, the least important left out: --limit gives another number, and --all tells
everything.`

// explainFlags are the flags of the command.
type explainFlags struct {
	streams  []int
	nodes    []string
	from, to time.Duration
	limit    int
	all      bool
	width    int
	json     bool
}

func explainCommand() *cobra.Command {
	f := &explainFlags{}
	c := &cobra.Command{
		Use:               "explain DIR|FILE",
		Short:             "Tell in sentences what happened in a run",
		Long:              explainHelp,
		Args:              oneStory,
		ValidArgsFunction: completeRuns,
		RunE:              func(c *cobra.Command, args []string) error { return explain(c, args[0], f) },
	}
	flags := c.Flags()
	flags.IntSliceVar(&f.streams, "stream", nil, "only connection `N`, by its number in the story; may be repeated")
	flags.StringSliceVar(&f.nodes, "node", nil, "only what concerns node `NAME`; may be repeated")
	flags.Var(storyTime(&f.from), "from", "only from this time of the run, such as 1.5s")
	flags.Var(storyTime(&f.to), "to", "only up to this time of the run")
	flags.IntVar(&f.limit, "limit", 60, "at most `N` sentences")
	flags.BoolVar(&f.all, "all", false, "every sentence, nothing folded")
	flags.IntVar(&f.width, "width", 100, "lines of at most `N` columns")
	flags.BoolVar(&f.json, "json", false, "print the sentences as JSON, with times, frames and nodes")
	c.MarkFlagsMutuallyExclusive("limit", "all")
	_ = c.RegisterFlagCompletionFunc("node", cobra.NoFileCompletions)
	return c
}

// oneStory wants the folder of a run, or a capture.
func oneStory(c *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return fmt.Errorf("which run?\nRun '%s --help' for usage.", c.CommandPath()) //nolint:staticcheck // two sentences for a person
	case 1:
		return nil
	}
	return fmt.Errorf("%s explains one run: found %s", c.CommandPath(), strings.Join(args, ", "))
}

// storyTime reads a time of the run as a file has durations.
func storyTime(to *time.Duration) *value {
	return &value{kind: "D", parse: func(s string) error {
		d, err := units.ParseDuration(s)
		*to = d.Std()
		return err
	}}
}

func explain(c *cobra.Command, arg string, f *explainFlags) error {
	if f.limit < 1 {
		return fmt.Errorf("--limit %d: want 1 or more", f.limit)
	}
	o := story.Options{Streams: f.streams, Nodes: f.nodes, From: f.from, To: f.to, Limit: f.limit, Width: f.width}
	if f.all {
		o.Limit = -1
	}
	if c.Flags().Changed("width") && f.width == 0 {
		o.Width = -1 // 0 is not the default on the command line
	}
	folder, run, damage := openStory(arg)
	if run == nil {
		return damage
	}
	told, err := story.Make(folder, run, o)
	if err != nil {
		return err
	}
	if f.json {
		err = printStoryJSON(c.OutOrStdout(), told)
	} else {
		err = told.Print(c.OutOrStdout(), o.Width)
	}
	return errors.Join(err, damage)
}

// openStory analyses the captures of a run's folder, or a single capture; then there is no folder. If a capture is damaged, the run is what
// precedes the fault, and the error tells of that.
func openStory(arg string) (*report.Folder, *analysis.Run, error) {
	if isCapture(arg) {
		run, err := analysis.OpenFile(arg, analysis.RunOptions{})
		return nil, run, err
	}
	folder, err := openFolder(arg)
	if err != nil {
		return nil, nil, err
	}
	if len(folder.Captures) == 0 {
		return nil, nil, fmt.Errorf("%s: the run has no captures to tell from", folder.Dir)
	}
	var files []analysis.CaptureFile
	for _, f := range folder.Captures {
		files = append(files, analysis.CaptureFile(f))
	}
	run, err := analysis.OpenRun(files, analysis.RunOptions{})
	return folder, run, err
}

// printStoryJSON prints a value as indented JSON.
func printStoryJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
