package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"netlab"
	"netlab/examples"
)

// input is a file that the command line names, read.
type input struct {
	name string // for errors, and for a lab without a name
	data []byte
	// files is where the files are that it names, nil for an example.
	files fs.FS
}

// standardInput is what a file from there is called.
const standardInput = "standard-input"

// readInput reads a file, standard input ("-"), or the example of that name where there is no such file.
func readInput(c *cobra.Command, name string) (input, error) {
	if name == "-" {
		data, err := io.ReadAll(c.InOrStdin())
		return input{standardInput, data, os.DirFS(".")}, err
	}
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
		if data, err := examples.Read(name); err == nil {
			return input{name: name + ".json", data: data}, nil
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return input{}, fmt.Errorf("there is no file and no example called %q%s", name, didYouMean(name, exampleNames(), ""))
	}
	data, err := os.ReadFile(name)
	return input{name, data, os.DirFS(filepath.Dir(name))}, err
}

// readInputs reads several, of which only one can be standard input.
func readInputs(c *cobra.Command, names []string) ([]input, error) {
	var list []input
	stdin := false
	for _, name := range names {
		if name == "-" && stdin {
			return nil, errors.New("standard input (-) can be read only once")
		}
		stdin = stdin || name == "-"
		in, err := readInput(c, name)
		if err != nil {
			return nil, err
		}
		list = append(list, in)
	}
	return list, nil
}

// chosen returns the lab of a variant, or all labs for no name.
func chosen(in input, labs []*netlab.Lab, variant string) ([]*netlab.Lab, error) {
	if variant == "" {
		return labs, nil
	}
	var known []string
	for _, l := range labs {
		if l.Variant() == variant {
			return []*netlab.Lab{l}, nil
		}
		if l.Variant() != "" {
			known = append(known, l.Variant())
		}
	}
	if known == nil {
		return nil, fmt.Errorf("%s has no variants", in.name)
	}
	return nil, fmt.Errorf("%s has no variant %q%s", in.name, variant, didYouMean(variant, known, ""))
}

// atLeastOne wants a file.
func atLeastOne(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("which file?\nRun '%s --help' for usage.", c.CommandPath()) //nolint:staticcheck // two sentences for a person
	}
	return nil
}

// completeInputs completes the names of examples beside those of files.
func completeInputs(_ *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return completedExamples(), cobra.ShellCompDirectiveDefault
}

// completeVariants completes the variants of the files given so far.
func completeVariants(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var list []cobra.Completion
	for _, name := range args {
		if name == "-" {
			continue
		}
		in, err := readInput(c, name)
		if err != nil {
			continue
		}
		labs, err := netlab.Parse(in.name, in.data, &netlab.LoadOptions{Files: in.files})
		if err != nil {
			continue
		}
		for _, l := range labs {
			if l.Variant() != "" {
				list = append(list, l.Variant())
			}
		}
	}
	return list, cobra.ShellCompDirectiveNoFileComp
}
