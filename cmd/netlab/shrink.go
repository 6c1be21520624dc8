package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"netlab"
	"netlab/topology/expect"
	"netlab/units"
)

const shrinkHelp = `Shrink cuts down a schedule of faults with which an expectation fails: it takes faults
away as long as the expectation still fails, and writes the smallest file that does. What
chaos has drawn counts as faults of the file. FILE is a topology; - is standard input; the
name of an example works where there is no such file.

It plays the lab again and again, each time in a process of its own, several at a time.
What it finds doesn't depend on how many. None of the faults that are left can be taken
away; there may be a smaller schedule all the same, of other faults.

The lab fails in the same way when everything that failed with all faults fails again, or
the one expectation that --expect names, by its number in the file or its text. What can't
be decided doesn't fail.

The file that it writes, <file>.shrunk.json beside FILE unless -o gives another, is the
file as netlab understood it, with the faults that are left, and without expectations that
are about others. With --simplify these are made simpler too: once instead of again and
again, for sure instead of with a probability, for a shorter time.

Exit codes:

  0  the smallest file that fails was written
  2  nothing fails, or the search was interrupted; then the smallest file so far is
     written
  3  a mistake in the command line or in a file, or a file that can't be read or written
  4  an internal error, such as a panic in one of the runs`

const shrinkExamples = `  netlab shrink topology.json
  netlab shrink netlab-out/lab/topology.resolved.json -o smallest.json
  netlab shrink --expect 2 --simplify topology.json
  netlab shrink --expect 'upload.intact' --trials 100 topology.json`

// shrinkFlags are what the command line of shrink says.
type shrinkFlags struct {
	output   string
	seed     *uint64
	duration *units.Duration
	variant  string
	expect   string
	jobs     int
	trials   int
	simplify bool
	json     bool
	quiet    bool
}

func shrinkCommand() *cobra.Command {
	f := &shrinkFlags{}
	c := &cobra.Command{
		Use:               "shrink FILE",
		Short:             "Find the few faults of a file with which it fails",
		Long:              shrinkHelp,
		Example:           shrinkExamples,
		Args:              exactlyOne,
		ValidArgsFunction: completeInputs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.check(c); err != nil {
				return err
			}
			return shrink(c, f, args[0])
		},
	}
	flags := c.Flags()
	flags.SortFlags = false
	flags.StringVarP(&f.output, "output", "o", "", "write `FILE` (default <file>.shrunk.json)")
	flags.StringVar(&f.expect, "expect", "", "expectation that must fail, by number or text; default: all that do")
	flags.BoolVar(&f.simplify, "simplify", false, "make the faults that are left simpler and shorter too")
	flags.IntVarP(&f.jobs, "jobs", "j", runtime.NumCPU(), "play `N` labs at a time")
	flags.IntVar(&f.trials, "trials", 0, "play `N` labs at most; default as many as it takes")
	flags.StringVar(&f.variant, "variant", "", "variant `NAME` of the file")
	flags.Var(seedFlag(&f.seed), "seed", "seed instead of the file's")
	flags.Var(durationFlag(&f.duration), "duration", "virtual time to run instead of the file's, such as 30s")
	flags.BoolVar(&f.json, "json", false, "print what was found as JSON")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print no summary and no progress")
	_ = c.MarkFlagFilename("output")
	_ = c.RegisterFlagCompletionFunc("variant", completeVariants)
	for _, name := range []string{"seed", "duration", "expect", "jobs", "trials"} {
		_ = c.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	return c
}

// exactlyOne wants one file.
func exactlyOne(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("found %d files, wanted one", len(args))
	}
	return atLeastOne(c, args)
}

// check refuses values of flags that make no sense.
func (f *shrinkFlags) check(c *cobra.Command) error {
	given := func(name string) bool { return c.Flags().Changed(name) }
	switch {
	case given("output") && f.output == "":
		return errors.New("--output wants the name of a file")
	case given("variant") && f.variant == "":
		return errors.New("--variant wants the name of a variant")
	case given("expect") && f.expect == "":
		return errors.New("--expect wants the number or the text of an expectation")
	case f.jobs < 1:
		return fmt.Errorf("--jobs %d: want 1 or more", f.jobs)
	case f.trials < 1 && given("trials"):
		return fmt.Errorf("--trials %d: want 1 or more", f.trials)
	}
	return nil
}

// shrink cuts a file down and prints what was found.
func shrink(c *cobra.Command, f *shrinkFlags, name string) error {
	in, err := readInput(c, name)
	if err != nil {
		return err
	}
	lab, err := f.lab(in)
	if err != nil {
		return err
	}
	number, err := f.expectation(lab)
	if err != nil {
		return err
	}
	screen := newConsole(c.ErrOrStderr())
	stop := listenForSignals(screen, false)
	defer stop.release()
	found, err := lab.Shrink(stop.ctx, &netlab.ShrinkOptions{
		Play:   func(ctx context.Context, l *netlab.Lab) ([]expect.Outcome, error) { return playChild(ctx, in.name, l) },
		Expect: number, Jobs: f.jobs, Trials: f.trials, Simplify: f.simplify, Progress: f.progress(screen),
	})
	screen.finish()
	code := exitHolds
	switch {
	case errors.Is(err, netlab.ErrNothingFails):
		return &exitError{exitInconclusive, fmt.Errorf("%s: %w", lab.Name(), err)}
	case stop.ended():
		code = exitInconclusive
	case err != nil:
		complain(c.ErrOrStderr(), err)
		code = exitInternal
	}
	if found == nil || found.Lab == nil {
		return &exitError{code: code}
	}
	out := f.file(in, lab)
	if err := os.WriteFile(out, found.Lab.Topology().JSON(), 0o666); err != nil {
		return err
	}
	if err := f.print(c, lab, found, out); err != nil || code == exitHolds {
		return err
	}
	return &exitError{code: code}
}

// lab reads the one lab that is meant.
func (f *shrinkFlags) lab(in input) (*netlab.Lab, error) {
	all, err := netlab.Parse(in.name, in.data, &netlab.LoadOptions{Files: in.files, Seed: f.seed, Duration: f.duration, Complete: true})
	if err != nil {
		return nil, err
	}
	labs, err := chosen(in, all, f.variant)
	switch {
	case err != nil:
		return nil, err
	case len(labs) > 1:
		return nil, fmt.Errorf("%s has %d variants: say which with --variant", in.name, len(labs))
	case len(labs[0].Topology().Faults) == 0:
		return nil, fmt.Errorf("%s has no faults to take away", in.name)
	}
	return labs[0], nil
}

// expectation returns the number of the expectation that is named, from 1, or 0 if none is.
func (f *shrinkFlags) expectation(lab *netlab.Lab) (int, error) {
	if f.expect == "" {
		return 0, nil
	}
	all := lab.Topology().Expect
	if i := slices.Index(all, strings.TrimSpace(f.expect)); i >= 0 {
		return i + 1, nil
	}
	n, err := strconv.Atoi(f.expect)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s expects no %q%s", lab.Name(), f.expect, didYouMean(f.expect, all, ""))
	case n < 1 || n > len(all):
		return 0, fmt.Errorf("%s has %s: --expect wants 1 to %d", lab.Name(), plural(len(all), "expectation"), len(all))
	}
	return n, nil
}

// file returns where the smallest file is written: beside the one that was read, so that paths in it lead to the same files.
func (f *shrinkFlags) file(in input, lab *netlab.Lab) string {
	if f.output != "" {
		return f.output
	}
	base := strings.TrimSuffix(in.name, filepath.Ext(in.name))
	if v := lab.Variant(); v != "" {
		base += "." + v
	}
	return base + ".shrunk.json"
}

// progress returns what tells of trials as they are made, nil if nobody wants to know.
func (f *shrinkFlags) progress(screen *console) func(netlab.Trial) {
	if f.quiet {
		return nil
	}
	best := -1
	return func(t netlab.Trial) {
		verdict := "doesn't fail"
		if t.Failed {
			verdict = "fails"
		}
		line := fmt.Sprintf("trial %d with %s: %s; the smallest that fails has %d", t.Number, plural(t.Faults, "fault"), verdict, t.Best)
		if t.Best == best {
			screen.show(line)
			return
		}
		best = t.Best
		screen.say(line)
	}
}

// print prints what was found.
func (f *shrinkFlags) print(c *cobra.Command, lab *netlab.Lab, found *netlab.Shrunk, file string) error {
	r := reportOf(lab, found, file)
	switch {
	case f.json:
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return &exitError{exitInternal, err}
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "%s\n", text)
		return err
	case !f.quiet:
		return r.print(c.OutOrStdout())
	}
	return nil
}
