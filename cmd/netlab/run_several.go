package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"netlab/report/compare"
)

// runSeveral plays several labs, each in a process of its own: a lab in virtual time has its process to itself, and what
// libraries keep between two of them could make the second one differ.
func runSeveral(c *cobra.Command, f *runFlags, jobs []job, screen *console, stop *signals) error {
	var codes []int
	var outcomes []*outcome
	for _, j := range jobs {
		if stop.ended() {
			codes = append(codes, exitInconclusive)
			break
		}
		o, code, err := runChild(c, f, j, stop)
		if err != nil {
			screen.say(fmt.Sprintf("netlab: %s: %v", j.title(), err))
		}
		codes = append(codes, code)
		if o == nil {
			continue
		}
		outcomes = append(outcomes, o)
		if f.json || f.quiet {
			continue
		}
		if err := printSummary(c.OutOrStdout(), &o.Summary); err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout())
	}
	pages, code := f.writeComparisons(c.ErrOrStderr(), jobs)
	codes = append(codes, code)
	if err := printTogether(c, f, outcomes); err != nil {
		return err
	}
	if !f.json && !f.quiet {
		for _, page := range pages {
			fmt.Fprintf(c.OutOrStdout(), "\nopen    %s\n", shellWord(page))
		}
	}
	if code := worst(codes); code != exitHolds {
		return &exitError{code: code}
	}
	return nil
}

// printTogether prints what the runs have in common: the array of results, or the table.
func printTogether(c *cobra.Command, f *runFlags, outcomes []*outcome) error {
	switch {
	case f.json:
		results := []json.RawMessage{}
		for _, o := range outcomes {
			results = append(results, o.Results)
		}
		text, err := json.MarshalIndent(results, "", "  ")
		if err != nil {
			return &exitError{exitInternal, err}
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "%s\n", text)
		return err
	case !f.quiet && len(outcomes) > 1:
		var known *compare.Comparison
		if folders := foldersOf(outcomes); folders != nil {
			var err error
			if known, err = compare.Runs(folders); err != nil {
				return &exitError{exitInternal, err}
			}
		}
		return printComparison(c.OutOrStdout(), outcomes, known)
	}
	return nil
}

// runChild plays a lab in a child process. The outcome is nil if there is none; the child has said why.
func runChild(c *cobra.Command, f *runFlags, j job, stop *signals) (*outcome, int, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, exitInternal, err
	}
	var stdout bytes.Buffer
	// The context ends by a signal, which is passed on; the child then ends by itself.
	cmd := exec.CommandContext(stop.ctx, binary, childArgs(f, j)...)
	cmd.Args[0] = os.Args[0]
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(j.in.data), &stdout, c.ErrOrStderr()
	if err := cmd.Start(); err != nil {
		return nil, exitInternal, err
	}
	stop.began(cmd.Process)
	err = cmd.Wait()
	stop.over(cmd.Process)
	if _, failed := err.(*exec.ExitError); err != nil && !failed && context.Cause(stop.ctx) == nil {
		return nil, exitInternal, err
	}
	o := &outcome{}
	if json.Unmarshal(stdout.Bytes(), o) == nil {
		return o, cmd.ProcessState.ExitCode(), nil
	}
	switch code := cmd.ProcessState.ExitCode(); {
	case stop.ended():
		return nil, exitInconclusive, nil
	case code == exitUsage || code == exitInternal:
		return nil, code, nil
	default:
		return nil, exitInternal, fmt.Errorf("the run's process ended without results: %s", cmd.ProcessState)
	}
}

// childArgs is the command line of the process that plays one lab. It reads the file from standard input, so that files
// that can be read only once work, and all variants see the same text.
func childArgs(f *runFlags, j job) []string {
	args := []string{"run", "--report-for", j.in.name}
	if v := j.lab.Variant(); v != "" {
		args = append(args, "--variant", v)
	}
	if f.noFiles {
		args = append(args, "--no-files")
	} else {
		args = append(args, "--output", j.base)
	}
	if f.noReport {
		args = append(args, "--no-report")
	}
	if f.reportBudget > 0 {
		args = append(args, "--report-budget", f.reportBudget.String())
	}
	if f.seed != nil {
		args = append(args, "--seed", strconv.FormatUint(*f.seed, 10))
	}
	if f.duration != nil {
		args = append(args, "--duration", f.duration.String())
	}
	for _, s := range f.settings {
		args = append(args, "--set", s.String())
	}
	if f.speedArg != "" {
		args = append(args, "--speed", f.speedArg)
	}
	if f.realTime {
		args = append(args, "--realtime")
	}
	if f.quiet {
		args = append(args, "--quiet")
	}
	if f.verbose > 0 {
		args = append(args, "-"+strings.Repeat("v", f.verbose))
	}
	return append(args, "-")
}

// childInput is what the parent process passes on.
func childInput(c *cobra.Command, name string) ([]input, error) {
	data, err := io.ReadAll(c.InOrStdin())
	return []input{{name, data, os.DirFS(filepath.Dir(name))}}, err
}
