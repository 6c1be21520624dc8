package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"netlab"
	"netlab/netem"
	"netlab/topology"
)

// The exit codes, as in "netlab help run".
const (
	exitHolds        = int(netlab.Holds)
	exitFails        = int(netlab.Fails)
	exitInconclusive = int(netlab.Inconclusive)
	exitUsage        = 3
	exitInternal     = 4
)

// exitError ends the command with a code. Without an error in it nothing more is to be said.
type exitError struct {
	code int
	err  error
}

// Error implements error.
func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

// Unwrap returns the error that ended the command.
func (e *exitError) Unwrap() error { return e.err }

// codeOf returns the exit code for what a command returned. What says nothing else is a mistake in the command line or in
// a file.
func codeOf(err error) int {
	var e *exitError
	switch {
	case err == nil:
		return exitHolds
	case errors.As(err, &e):
		return e.code
	}
	return exitUsage
}

// complain prints an error: those of a topology as they are, which is how editors and terminals recognise a place, and
// others with the command's name in front.
func complain(w io.Writer, err error) {
	var e *exitError
	if errors.As(err, &e) {
		err = e.err
	}
	if err == nil {
		return
	}
	var mistakes topology.Errors
	if !errors.As(err, &mistakes) {
		fmt.Fprintf(w, "netlab: %v\n", err)
		return
	}
	for i := range mistakes {
		fmt.Fprintln(w, mistakes[i].Error())
	}
}

// codeOfRun returns the exit code of a run.
func codeOfRun(results *netlab.Results, err error) int {
	switch {
	case err != nil:
		return codeOfFailure(err)
	case results.Run.Ended == netlab.EndedInterrupted:
		return exitInconclusive // what holds or fails so far need not at the end
	}
	return int(results.Verdict())
}

// codeOfFailure returns the exit code for what went wrong in a run.
func codeOfFailure(err error) int {
	var file *fs.PathError
	var panicked *netlab.PanicError
	var forward *netlab.ForwardError
	switch {
	case errors.As(err, &panicked) || errors.Is(err, netlab.ErrNoProgress):
		return exitInternal
	case errors.Is(err, netem.ErrStandstill) || errors.Is(err, netem.ErrLimit):
		return exitInconclusive // a lab that never gets done
	case errors.As(err, &file) || errors.As(err, &forward):
		return exitUsage
	}
	return exitInternal
}

// worst returns the code that several runs have together: an internal error hides everything, a failed expectation hides
// one that could not be decided.
func worst(codes []int) int {
	for _, code := range []int{exitInternal, exitUsage, exitFails, exitInconclusive} {
		if slices.Contains(codes, code) {
			return code
		}
	}
	return exitHolds
}
