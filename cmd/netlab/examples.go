package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"netlab/examples"
	"netlab/services/catalog"
	"netlab/topology"
)

func examplesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "examples",
		Short: "List, show and write the examples",
		Long: `Examples lists the topologies that come with netlab, with what each of them shows. Run one
by its name: netlab run handshake.`,
		Args:              noSuchCommand,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              listExamples,
	}
	c.AddCommand(examplesShowCommand(), examplesWriteCommand())
	return c
}

func listExamples(c *cobra.Command, _ []string) error {
	list := examples.List()
	indent := ""
	for _, e := range list {
		indent = strings.Repeat(" ", max(len(indent), len(e.Name)+2))
	}
	for _, e := range list {
		p := newPage(c.OutOrStdout())
		p.wrap(indent, strings.Fields(firstSentence(e.Description)), " ")
		text := strings.TrimSpace(p.text.String())
		if _, err := fmt.Fprintf(c.OutOrStdout(), "%s%s\n", pad(e.Name, len(indent)), text); err != nil {
			return err
		}
	}
	return nil
}

func examplesShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "show NAME",
		Short:             "Print an example",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeExamples,
		RunE: func(c *cobra.Command, args []string) error {
			data, err := readExample(args[0])
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(data)
			return err
		},
	}
}

func examplesWriteCommand() *cobra.Command {
	var dir string
	var force bool
	c := &cobra.Command{
		Use:   "write [NAME…]",
		Short: "Write examples into files, to be changed and run",
		Long: `Write writes examples, all of them if no name is given, into NAME.json files, and beside
them netlab.schema.json, by which editors complete. Files that exist are kept: if one of
them differs, nothing is written, unless --force is given.`,
		ValidArgsFunction: completeExamples,
		RunE: func(c *cobra.Command, args []string) error {
			files, err := exampleFiles(args)
			if err != nil {
				return err
			}
			return writeFiles(c, dir, files, force)
		},
	}
	c.Flags().StringVarP(&dir, "dir", "d", ".", "write into folder `DIR`, which is made if it is missing")
	c.Flags().BoolVar(&force, "force", false, "replace files that exist")
	_ = c.MarkFlagDirname("dir")
	return c
}

// exampleFiles returns the files of examples, or of all, with the schema.
func exampleFiles(names []string) ([]input, error) {
	if len(names) == 0 {
		names = exampleNames()
	}
	var files []input
	for _, name := range names {
		data, err := readExample(name)
		if err != nil {
			return nil, err
		}
		files = append(files, input{name: name + ".json", data: data})
	}
	schema, err := topology.Schema(catalog.Table{})
	if err != nil {
		return nil, &exitError{exitInternal, err}
	}
	return append(files, input{name: schemaName, data: schema}), nil
}

// writeFiles writes files into a folder. Unless it is forced, one that exists and differs keeps all from being written.
func writeFiles(c *cobra.Command, dir string, files []input, force bool) error {
	var missing []input
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		old, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) || err == nil && force && !bytes.Equal(old, f.data):
			missing = append(missing, f)
		case err != nil:
			return err
		case !bytes.Equal(old, f.data):
			return fmt.Errorf("%s exists and differs: use --force to replace it", path)
		default:
			fmt.Fprintf(c.OutOrStdout(), "%s is there already\n", path)
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, f := range missing {
		path := filepath.Join(dir, f.name)
		if err := os.WriteFile(path, f.data, 0o666); err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "wrote %s\n", path)
	}
	return nil
}

// readExample returns an example or says which one may be meant.
func readExample(name string) ([]byte, error) {
	data, err := examples.Read(name)
	if err != nil {
		return nil, fmt.Errorf("%w%s", err, didYouMean(name, exampleNames(), ""))
	}
	return data, nil
}

func exampleNames() []string {
	var names []string
	for _, e := range examples.List() {
		names = append(names, e.Name)
	}
	return names
}

func completedExamples() []cobra.Completion {
	var list []cobra.Completion
	for _, e := range examples.List() {
		list = append(list, cobra.CompletionWithDesc(e.Name, firstSentence(e.Description)))
	}
	return list
}

func completeExamples(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return completedExamples(), cobra.ShellCompDirectiveNoFileComp
}
