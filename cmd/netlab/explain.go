package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"netlab/captures/analysis"
	"netlab/report"
	"netlab/report/story"
)

const explainHelp = `Explain tells in sentences what happened in a run, each with its time and the frames by
which the packets are found in Wireshark: how connections were opened, what was asked and
answered, what the network lost, how the stacks noticed and what it cost, faults, queues,
and what the run was expected to show.

FILE is a capture of any program in the formats pcapng and pcap, also compressed by gzip.
DIR is the folder of a run; the name of a lab means its folder in netlab-out.

What happens again and again is told once and counted, and a long story is cut down to 60
sentences, the least important left out: --limit gives another number, and --all tells
everything.`

const explainExamples = `  netlab explain retransmission
  netlab explain retransmission --from 1s --to 2s --all
  netlab explain https --node client --json
  netlab explain trace.pcapng --stream 0`

// defaultSentences is how long a story is unless the command line says otherwise, proseColumns how wide its lines are at most.
const (
	defaultSentences = 60
	proseColumns     = 100
)

// explainFlags are the flags of the command.
type explainFlags struct {
	streams  []int
	nodes    []string
	from, to *time.Duration
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
		Example:           explainExamples,
		Args:              oneRun,
		ValidArgsFunction: completeRuns,
		RunE:              func(c *cobra.Command, args []string) error { return explain(c, args[0], f) },
	}
	flags := c.Flags()
	flags.SortFlags = false
	flags.IntSliceVar(&f.streams, "stream", nil, "only connection `N`, by its number in the story; repeatable")
	flags.StringSliceVar(&f.nodes, "node", nil, "only what concerns node `NAME`; repeatable")
	flags.Var(timeFlag(&f.from), "from", "only from time `T` of the run on, such as 1.5s")
	flags.Var(timeFlag(&f.to), "to", "only up to time `T`")
	flags.IntVar(&f.limit, "limit", defaultSentences, "tell at most `N` sentences; 0: all")
	flags.BoolVar(&f.all, "all", false, "tell every sentence, nothing folded; the same as --limit 0")
	flags.IntVar(&f.width, "width", 0, "print lines of `N` columns; default: the terminal's, but at most 100")
	flags.BoolVar(&f.json, "json", false, "print the sentences as JSON, with times, frames and nodes")
	c.MarkFlagsMutuallyExclusive("limit", "all")
	for _, name := range []string{"stream", "node", "from", "to", "limit", "width"} {
		_ = c.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	return c
}

func explain(c *cobra.Command, arg string, f *explainFlags) error {
	if f.limit < 0 {
		return fmt.Errorf("--limit %d: want 0 for all, or a number of sentences", f.limit)
	}
	if err := checkTimes(f.from, f.to); err != nil {
		return err
	}
	if !c.Flags().Changed("width") {
		f.width = min(max(terminalWidth(c.OutOrStdout(), proseColumns), minWidth), proseColumns)
	}
	if err := checkWidth(f.width); err != nil {
		return err
	}
	o := story.Options{Streams: f.streams, Nodes: f.nodes, Limit: f.limit, Width: f.width}
	if f.all || f.limit == 0 {
		o.Limit = -1
	}
	if f.from != nil {
		o.From = *f.from
	}
	if f.to != nil {
		o.To = max(*f.to, 1) // 0 is no limit there
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
		err = printJSON(c.OutOrStdout(), told)
	} else {
		err = told.Print(c.OutOrStdout(), o.Width)
	}
	return errors.Join(err, damage)
}

// openStory analyses the captures of a run's folder, or a single capture; then there is no folder. If a capture is damaged, the run is what
// precedes the fault, and the error tells of that.
func openStory(arg string) (*report.Folder, *analysis.Run, error) {
	if info, err := os.Stat(arg); err == nil && !info.IsDir() {
		run, err := analysis.OpenFile(arg, analysis.RunOptions{})
		return nil, run, err
	}
	folder, err := openFolder(arg)
	if err != nil {
		return nil, nil, err
	}
	if len(folder.Captures) == 0 {
		return nil, nil, fmt.Errorf("%s: holds no captures", folder.Dir)
	}
	run, err := analysis.OpenRun(captureFiles(folder), analysis.RunOptions{})
	return folder, run, err
}
