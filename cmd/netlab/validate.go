package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"netlab"
)

const validateHelp = `Validate reads files and says whether they are right. All mistakes are reported on
standard error, one a line; the exit code is then 3. A name may also be that of an
example, and - is standard input.

With --resolved it prints the file as netlab understood it: ranges are single nodes, and
defaults, addresses and routes are written out. The result is again a valid file.`

func validateCommand() *cobra.Command {
	var resolved bool
	var variant string
	c := &cobra.Command{
		Use:               "validate FILE…",
		Short:             "Check files without running them",
		Long:              validateHelp,
		Args:              atLeastOne,
		ValidArgsFunction: completeInputs,
		RunE: func(c *cobra.Command, args []string) error {
			if resolved && len(args) > 1 {
				return errors.New("--resolved prints one file: give one")
			}
			return validate(c, args, variant, resolved)
		},
	}
	c.Flags().BoolVar(&resolved, "resolved", false, "print the whole file as netlab understood it")
	c.Flags().StringVar(&variant, "variant", "", "only the variant `NAME` of the file")
	_ = c.RegisterFlagCompletionFunc("variant", completeVariants)
	return c
}

// validate checks the files one after the other. A mistake in one doesn't hide those in the next.
func validate(c *cobra.Command, names []string, variant string, resolved bool) error {
	var failed error
	for _, name := range names {
		err := validateOne(c, name, variant, resolved)
		if err == nil {
			continue
		}
		complain(c.ErrOrStderr(), err)
		failed = &exitError{code: exitUsage}
	}
	return failed
}

func validateOne(c *cobra.Command, name, variant string, resolved bool) error {
	in, err := readInput(c, name)
	if err != nil {
		return err
	}
	all, err := netlab.Parse(in.name, in.data, &netlab.LoadOptions{Files: in.files, Complete: true})
	if err != nil {
		return err
	}
	labs, err := chosen(in, all, variant)
	if err != nil {
		return err
	}
	if !resolved {
		_, err := fmt.Fprintf(c.OutOrStdout(), "%s: ok (%s)\n", in.name, contents(labs))
		return err
	}
	if len(labs) > 1 {
		return fmt.Errorf("%s has %d variants: say which with --variant", in.name, len(labs))
	}
	_, err = c.OutOrStdout().Write(labs[0].Topology().JSON())
	return err
}

// contents counts what a file has; of several variants, what the first one has.
func contents(labs []*netlab.Lab) string {
	t := labs[0].Topology()
	text := fmt.Sprintf("%s, %s, %s", plural(t.Nodes.Len(), "node"), plural(len(t.Links), "link"),
		plural(t.Workloads.Len(), "workload"))
	if len(labs) > 1 {
		text += ", " + plural(len(labs), "variant")
	}
	return text
}
