package main

import (
	"github.com/spf13/cobra"

	"netlab/services/catalog"
	"netlab/topology"
)

// schemaName is the name under which files refer to the schema.
const schemaName = "netlab.schema.json"

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of the files",
		Long: `Schema prints the JSON schema (draft 2020-12) of topology files. Editors complete and
explain by it when a file has the line

  "$schema": "netlab.schema.json",

and the schema lies beside the file:

  netlab schema > netlab.schema.json`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, _ []string) error {
			text, err := topology.Schema(catalog.Table{})
			if err != nil {
				return &exitError{exitInternal, err}
			}
			_, err = c.OutOrStdout().Write(text)
			return err
		},
	}
}
