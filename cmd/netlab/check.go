package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"netlab/services/history"
	"netlab/units"
)

const checkHelp = `Check says whether a consistency model allows what the clients of a store saw. FILE is a
history: operations with the times of their invocation and completion, what they asked for
and what they were answered, as JSON lines; - is standard input.

Of what isn't allowed it shows the few operations that are a violation by themselves, with
the one that made it so marked by a >.

Models, of which the file names the one that is checked unless --model does; linearizable
if neither says:

%s
A search that takes more steps than --steps is given up, on each machine at the same one.

Exit codes:

  0  the model allows the history
  1  it doesn't
  2  that can't be decided: too many steps, a model that says nothing about such
     operations, or a file that isn't a history
  3  a mistake in the command line, or a file that can't be read or written
  4  an internal error`

const checkExamples = `  netlab check history.jsonl
  netlab check --model no-stale-reads history.jsonl
  netlab check --model sequential --svg violation.svg history.jsonl`

// checkFlags are what the command line of check says.
type checkFlags struct {
	model string
	svg   string
	steps int64
	json  bool
}

func checkCommand() *cobra.Command {
	f := &checkFlags{}
	c := &cobra.Command{
		Use:     "check FILE",
		Short:   "Say whether a consistency model allows what clients saw",
		Long:    fmt.Sprintf(checkHelp, modelLines()),
		Example: checkExamples,
		Args:    exactlyOne,
		RunE:    func(c *cobra.Command, args []string) error { return check(c, f, args[0]) },
	}
	flags := c.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.model, "model", "", "consistency model `NAME`; default: the file's, or "+history.DefaultModel)
	flags.StringVar(&f.svg, "svg", "", "draw the operations of the violation into `FILE`")
	flags.Int64Var(&f.steps, "steps", history.DefaultSteps, "give up after `N` steps")
	flags.BoolVar(&f.json, "json", false, "print the verdict and figures of the history as JSON")
	_ = c.MarkFlagFilename("svg", "svg")
	_ = c.RegisterFlagCompletionFunc("model", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var list []cobra.Completion
		for _, m := range history.Models() {
			list = append(list, cobra.CompletionWithDesc(m.Name, m.Doc))
		}
		return list, cobra.ShellCompDirectiveNoFileComp
	})
	_ = c.RegisterFlagCompletionFunc("steps", cobra.NoFileCompletions)
	return c
}

// modelLines lists the models, one a line.
func modelLines() string {
	var b strings.Builder
	for _, m := range history.Models() {
		fmt.Fprintf(&b, "  %-16s  %s\n", m.Name, m.Doc)
	}
	return b.String()
}

// check checks a history and prints the verdict.
func check(c *cobra.Command, f *checkFlags, name string) error {
	switch {
	case f.steps < 1:
		return fmt.Errorf("--steps %d: want 1 or more", f.steps)
	case c.Flags().Changed("svg") && f.svg == "":
		return errors.New("--svg wants the name of a file")
	}
	if c.Flags().Changed("model") {
		var known []string
		for _, m := range history.Models() {
			if m.Name == f.model {
				known = nil
				break
			}
			known = append(known, m.Name)
		}
		if known != nil {
			hint := didYouMean(f.model, known, "")
			if units.Suggest(f.model, known) == "" {
				hint = ": want one of " + strings.Join(known, ", ")
			}
			return fmt.Errorf("there is no model %q%s", f.model, hint)
		}
	}
	h, err := openHistory(c, name)
	if err != nil {
		return err
	}
	model := f.model
	if model == "" {
		model = h.Model
	}
	if model == "" {
		model = history.DefaultModel
	}
	v := history.Check(h, model, history.Options{MaxSteps: f.steps})
	if f.json {
		err = printJSON(c.OutOrStdout(), struct {
			history.Verdict
			History history.Stats `json:"history"`
		}{v, history.Summary(h)})
	} else {
		_, err = fmt.Fprint(c.OutOrStdout(), v.Text())
	}
	if err != nil {
		return err
	}
	if f.svg != "" {
		if err := os.WriteFile(f.svg, []byte(v.SVG()), 0o666); err != nil {
			return err
		}
	}
	switch v.Result {
	case history.Holds:
		return nil
	case history.Violated:
		return &exitError{code: exitFails}
	}
	return &exitError{code: exitInconclusive}
}

// openHistory reads a history. What can be read but isn't one can't be decided.
func openHistory(c *cobra.Command, name string) (*history.History, error) {
	in, file := c.InOrStdin(), standardInput
	if name != "-" {
		opened, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer opened.Close()
		in, file = opened, name
	}
	h, err := history.Parse(in, file)
	if err != nil {
		return nil, &exitError{exitInconclusive, err}
	}
	return h, nil
}
