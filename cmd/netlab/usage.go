package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// plainUsage makes the help of a command list flags as "-o, --output DIR  what it does".
func plainUsage(root *cobra.Command) {
	cobra.AddTemplateFunc("flags", printFlags)
	template := root.UsageTemplate()
	for _, set := range []string{"LocalFlags", "InheritedFlags"} {
		template = strings.ReplaceAll(template, "."+set+".FlagUsages", "flags ."+set)
	}
	root.SetUsageTemplate(template)
}

// printFlags lists flags. What a flag takes is its type, or the word in backquotes in its description.
func printFlags(set *pflag.FlagSet) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name := "      --" + f.Name
		if f.Shorthand != "" {
			name = "  -" + f.Shorthand + ", --" + f.Name
		}
		takes, usage := pflag.UnquoteUsage(f)
		if kind := f.Value.Type(); kind == "bool" || kind == "count" {
			takes = ""
		}
		fmt.Fprintf(w, "%s\t%s\n", strings.TrimRight(name+" "+takes, " "), usage)
	})
	_ = w.Flush()
	return text.String()
}
