package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/spf13/cobra"

	"netlab"
	"netlab/units"
)

const runHelp = `Run plays a topology and prints a summary. FILE is a topology; - is standard input; the
name of an example works where there is no such file.

It writes a folder, netlab-out/<name> unless -o gives another:

  captures/<node>.pcapng    every frame at that node, for Wireshark
  events.jsonl              what happened, one event a line
  results.json              all counters, workloads and expectations
  telemetry.json            congestion windows, round-trip times, traffic of links
  topology.resolved.json    the file as netlab understood it; running it replays the run
  report.html               all of it for a browser, in one file; see 'netlab report'

A file with variants runs each of them, one after the other, each in a folder of its own
below that one, and shows their figures side by side: in the summary, in comparison.json
and in report.html of that folder. Several files are several runs, too.

With --runs or --seeds a file is played with several seeds, with --set with other values,
and a file with a sweep asks for that itself: many runs, several processes at a time. The
folder then holds runs.csv, runs.json and report.html with mean and confidence interval of
each figure, and the summary says how to play each run again that does not hold. After
Ctrl-C the same command goes on. See docs/many-runs.md.

With --watch a run is shown as it goes: nodes, what links carry per second of virtual
time, queues, drops with their reasons, workloads, and faults and other events as they
happen. It keeps pace with the wall's clock, or --speed times that. On a terminal the view
is redrawn in its place; elsewhere one is printed every second of virtual time, or
--watch-every.

With --realtime, --forward lets programs of this machine talk to hosts of the lab:

  --forward 8443=web:443                     127.0.0.1:8443 to port 443 of host web
  --forward 127.0.0.1:8443=client@web:443    host client of the lab connects to it
  --forward udp:[::1]:5353=ns:53             UDP instead of TCP
  --forward 0=web:80                         the machine chooses a port

A host of the lab takes the program's part: what the program sends crosses the lab as
packets of that host. It is the first in the file that reaches the target, unless one is
named. Such a run goes on until its duration is over or Ctrl-C. Programs that have to
trust the lab's certificates find its authority in ca.pem, in the run's folder; a server
to which a port is forwarded has the name localhost too.

The first Ctrl-C (or SIGTERM) ends the run and keeps what was written so far; the second
one kills it.

Exit codes:

  0  all expectations hold, or there are none
  1  an expectation failed
  2  inconclusive: an expectation could not be decided, the run was interrupted, or its
     workloads never get done
  3  a mistake in the command line or in a file, or a file that can't be read or written
  4  an internal error, such as a panic or goroutines that are left after the run

That a workload met an error, such as a refused connection, is a result like others: it
is shown, and what the file expects decides.`

const runExamples = `  netlab run handshake
  netlab run --seed 2 -o /tmp/out topology.json
  netlab run --json topology.json | jq .workloads
  netlab run --seeds 1..200 topology.json
  netlab run --runs 20 --set links.a--b.loss=0%,1%,3% topology.json
  netlab run --watch --speed 0.5x partition
  netlab run --realtime --forward 8080=server:80 topology.json`

// runFlags are what the command line of run says.
type runFlags struct {
	output   string
	noFiles  bool
	seed     *uint64
	duration *units.Duration
	speed    float64
	speedArg string
	realTime bool
	forward  []netlab.Forward
	json     bool
	quiet    bool
	verbose  int
	variant  string
	child    string
	noReport bool
	// reportBudget is how large the report may get, 0 if nothing was said.
	reportBudget units.Bytes

	watch      bool
	watchEvery *units.Duration

	sweepFlags
}

func runCommand() *cobra.Command {
	f := &runFlags{}
	c := &cobra.Command{
		Use:               "run FILE…",
		Short:             "Play a topology, capture its packets and check what it expects",
		Long:              runHelp,
		Example:           runExamples,
		Args:              atLeastOne,
		ValidArgsFunction: completeInputs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.check(c); err != nil {
				return err
			}
			return run(c, f, args)
		},
	}
	flags := c.Flags()
	flags.SortFlags = false
	flags.StringVarP(&f.output, "output", "o", "", "write into folder `DIR` (default netlab-out/<name>)")
	flags.BoolVar(&f.noFiles, "no-files", false, "write no files")
	flags.BoolVar(&f.noReport, "no-report", false, "make no report.html")
	flags.Var(budgetFlag(&f.reportBudget), "report-budget", "how large report.html may get, such as 50MB (default 10MB)")
	flags.StringVar(&f.variant, "variant", "", "run only the variant `NAME` of the file")
	flags.Var(seedFlag(&f.seed), "seed", "seed instead of the file's")
	flags.Var(durationFlag(&f.duration), "duration", "virtual time to run instead of the file's, such as 30s")
	flags.Var(speedFlag(&f.speed), "speed", "pace: 1x is the wall's clock, 10x faster; default unlimited")
	flags.BoolVar(&f.watch, "watch", false, "show the run as it goes, at --speed 1x unless another is given")
	flags.Var(durationFlag(&f.watchEvery), "watch-every", "virtual time between views; default 1s (terminal: 10 a second)")
	flags.BoolVar(&f.realTime, "realtime", false, "run on the machine's clock; runs differ from each other")
	flags.Var(forwardFlag(&f.forward), "forward", "with --realtime, let programs in, as 8443=web:443; repeatable")
	flags.BoolVar(&f.json, "json", false, "print results as JSON; of several runs, an array")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print no summary and no progress")
	flags.CountVarP(&f.verbose, "verbose", "v", "print logs on standard error; -vv: debug messages too")
	f.add(c)
	flags.StringVar(&f.child, "report-for", "", "")
	_ = flags.MarkHidden("report-for")
	_ = c.MarkFlagDirname("output")
	_ = c.RegisterFlagCompletionFunc("variant", completeVariants)
	for _, name := range []string{"seed", "duration", "forward", "watch-every"} {
		_ = c.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	_ = c.RegisterFlagCompletionFunc("speed", cobra.FixedCompletions([]cobra.Completion{"0.1x", "1x", "10x"},
		cobra.ShellCompDirectiveNoFileComp))
	return c
}

// check refuses flags that exclude each other.
func (f *runFlags) check(c *cobra.Command) error {
	given := func(name string) bool { return c.Flags().Changed(name) }
	f.speedArg = c.Flags().Lookup("speed").Value.String()
	switch {
	case given("output") && f.noFiles:
		return errors.New("--output and --no-files exclude each other")
	case given("output") && f.output == "":
		return errors.New("--output wants the name of a folder")
	case given("speed") && f.realTime:
		return errors.New("--speed and --realtime exclude each other: real time has its own pace")
	case len(f.forward) > 0 && !f.realTime:
		return errors.New("--forward goes with --realtime only: virtual time can't wait for programs outside the lab")
	case given("report-budget") && (f.noReport || f.noFiles):
		return errors.New("--report-budget is for a report: it excludes --no-report and --no-files")
	case given("variant") && f.variant == "":
		return errors.New("--variant wants the name of a variant")
	}
	if err := f.sweepFlags.check(c, f.child != ""); err != nil {
		return err
	}
	return f.checkWatch()
}

// checkWatch refuses flags that watching excludes, and gives it a pace.
func (f *runFlags) checkWatch() error {
	switch {
	case !f.watch && f.watchEvery != nil:
		return errors.New("--watch-every goes with --watch only")
	case !f.watch:
		return nil
	case f.json:
		return errors.New("--watch and --json exclude each other: both are for standard output")
	case f.quiet:
		return errors.New("--watch and --quiet exclude each other")
	case f.verbose > 0:
		return errors.New("--watch and --verbose exclude each other: what is logged is among the events that --watch shows")
	}
	if f.speed == 0 && !f.realTime {
		f.speed = 1
	}
	return nil
}

// readingGC is how much the heap may grow between two collections while files are read: five times what is live, and not twice. That
// is soon over, and the first collections of a process are many for little.
const readingGC = 400

// run plays what the command line asks for and prints what came out.
func run(c *cobra.Command, f *runFlags, args []string) error {
	percent := debug.SetGCPercent(readingGC)
	done := sync.OnceFunc(func() { debug.SetGCPercent(percent) })
	defer done()
	var inputs []input
	var err error
	if f.child != "" {
		inputs, err = childInput(c, f.child)
	} else {
		inputs, err = readInputs(c, args)
	}
	if err != nil {
		return err
	}
	jobs, err := jobsOf(c, f, inputs)
	if err != nil {
		return err
	}
	if f.child == "" {
		m, err := severalRuns(c, f, inputs, jobs)
		if err != nil {
			return err
		}
		if m != nil {
			done()
			screen := newConsole(c.ErrOrStderr())
			stop := listenForSignals(screen, false)
			defer stop.release()
			return runSweep(c, f, m, screen, stop)
		}
	}
	done()
	if len(f.forward) > 0 && len(jobs) > 1 {
		return fmt.Errorf("--forward wants one lab, found %d: name one file, and one of its variants with --variant", len(jobs))
	}
	if f.watch && len(jobs) > 1 {
		return fmt.Errorf("--watch wants one lab, found %d: name one file, and one of its variants with --variant", len(jobs))
	}
	screen := newConsole(c.ErrOrStderr())
	stop := listenForSignals(screen, f.child != "")
	defer stop.release()
	if len(jobs) == 1 {
		return runSingle(c, f, jobs[0], screen, stop)
	}
	return runSeveral(c, f, jobs, screen, stop)
}

// runSingle plays one lab in this process.
func runSingle(c *cobra.Command, f *runFlags, j job, screen *console, stop *signals) error {
	results, took, err := play(f, j, screen, newWatch(c.OutOrStdout(), f, j), stop)
	complain(c.ErrOrStderr(), err)
	if results == nil {
		return &exitError{code: codeOfFailure(err)}
	}
	done := &exitError{code: worst([]int{codeOfRun(results, err), f.writeReport(c.ErrOrStderr(), j)})}
	r := outcome{Summary: summarize(j, results, took)}
	if f.child != "" || f.json {
		if r.Results, err = json.MarshalIndent(results, "", "  "); err != nil {
			return &exitError{exitInternal, err}
		}
	}
	switch {
	case f.child != "":
		err = json.NewEncoder(c.OutOrStdout()).Encode(r)
	case f.json:
		_, err = fmt.Fprintf(c.OutOrStdout(), "%s\n", r.Results)
	case !f.quiet:
		err = printSummary(c.OutOrStdout(), &r.Summary)
	}
	if err != nil {
		return err
	}
	if done.code == exitHolds {
		return nil
	}
	return done
}

// outcome is what a run has to say to a person and to programs. A process that runs one variant for another process writes
// it to its standard output.
type outcome struct {
	Summary summary         `json:"summary"`
	Results json.RawMessage `json:"results"`
}

// options are the options that replace parts of a file.
func (f *runFlags) options(in input) *netlab.LoadOptions {
	return &netlab.LoadOptions{Files: in.files, Seed: f.seed, Duration: f.duration, Set: f.settings, Complete: true}
}
