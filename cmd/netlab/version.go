package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"netlab"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "Print the versions of netlab, Go and gVisor",
		Long:              "Version prints the versions of netlab, of the Go release that built it and of the network\nstack in it.",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(c.OutOrStdout(), "netlab %s\nGo %s\ngVisor %s\n", netlab.Version(), runtime.Version(),
				versionOf("gvisor.dev/gvisor"))
			return err
		},
	}
}

// versionOf returns the version of a module that this binary was built with.
func versionOf(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, d := range info.Deps {
		if d.Path != module {
			continue
		}
		if d.Replace != nil {
			d = d.Replace
		}
		return d.Version
	}
	return "unknown"
}
