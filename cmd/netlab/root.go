package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"netlab/units"
)

const rootHelp = `netlab runs a distributed system inside one process: simulated hosts with real network
stacks, joined by links whose latency, rate, loss and partitions one file declares. It
plays it in virtual time, so an hour passes in seconds, and the same seed gives the same
packets, byte for byte. What comes out are captures that Wireshark opens, and figures.

Begin with an example:

  netlab examples
  netlab run handshake
  netlab examples write handshake`

// newRoot makes the command with all its subcommands.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "netlab",
		Short:         "Play a distributed system in virtual time and see its packets",
		Long:          rootHelp,
		Args:          noSuchCommand,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.DisableFlagsInUseLine = true
	root.SetFlagErrorFunc(explainFlag)
	plainUsage(root)
	root.AddCommand(runCommand(), inspectCommand(), compareCommand(), shrinkCommand(), validateCommand(), explainCommand(), examplesCommand(), schemaCommand(), versionCommand())
	root.AddCommand(ladderCommand(), reportCommand(), checkCommand())
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "completion":
			c.Args = noSuchCommand
			c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		case "help":
			c.Args = noSuchTopic
		}
	}
	return root
}

// noSuchTopic refuses help for what isn't a command.
func noSuchTopic(c *cobra.Command, args []string) error {
	found, rest, err := c.Root().Find(args)
	if err != nil {
		return err
	}
	return noSuchCommand(found, rest)
}

// noSuchCommand refuses arguments to a command that only has subcommands.
func noSuchCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			known = append(known, sub.Name())
		}
	}
	return fmt.Errorf("unknown command %q for %q%s\nRun '%s --help' for usage.", //nolint:staticcheck // two sentences for a person
		args[0], c.CommandPath(), didYouMean(args[0], known, ""), c.CommandPath())
}

// explainFlag adds to a mistake in a flag which one may be meant and where help is.
func explainFlag(c *cobra.Command, err error) error {
	hint := ""
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "" {
		var known []string
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				known = append(known, f.Name)
			}
		})
		hint = didYouMean(unknown.GetSpecifiedName(), known, "--")
	}
	return fmt.Errorf("%w%s\nRun '%s --help' for usage.", err, hint, c.CommandPath()) //nolint:staticcheck // two sentences for a person
}

// didYouMean returns "; did you mean …?" or "".
func didYouMean(found string, known []string, prefix string) string {
	if s := units.Suggest(found, known); s != "" {
		return fmt.Sprintf("; did you mean %s%s?", prefix, s)
	}
	return ""
}

// plural returns "1 node" or "3 nodes".
func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// firstSentence returns a text up to the end of its first sentence.
func firstSentence(text string) string {
	for i, r := range text {
		if (r == '.' || r == '?' || r == '!') && (i+1 == len(text) || text[i+1] == ' ' || text[i+1] == '\n') {
			return text[:i+1]
		}
	}
	return strings.TrimSpace(text)
}
