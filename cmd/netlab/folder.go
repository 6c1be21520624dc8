package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"netlab/report"
)

// openFolder reads the folder of a run. Where there is no such folder, the argument may be the name of a lab or an example that was
// written to the default folder.
func openFolder(arg string) (*report.Folder, error) {
	dir, err := findFolder(arg)
	if err != nil {
		return nil, err
	}
	return report.Load(dir)
}

// captureEndings are the ends of names by which an argument is taken for a capture even if there is no such file.
var captureEndings = []string{".pcapng", ".pcap", ".cap", ".gz"}

// findFolder returns the folder that an argument means.
func findFolder(arg string) (string, error) {
	if arg == "-" {
		return "", errors.New("standard input (-) can be inspected only: name a file or a folder")
	}
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.IsDir():
		return arg, nil
	case err == nil:
		return "", fmt.Errorf("%s is a file: want the folder of a run", arg)
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	if slices.Contains(captureEndings, filepath.Ext(arg)) {
		return "", fmt.Errorf("there is no file %s", arg)
	}
	written := filepath.Join(outputRoot, arg)
	if info, err := os.Stat(written); err == nil && info.IsDir() && filepath.IsLocal(arg) {
		return written, nil
	}
	if _, err := readExample(arg); err == nil {
		return "", fmt.Errorf("%s was not run here: there is no folder %s; make it with 'netlab run %s'", arg, written, arg)
	}
	return "", fmt.Errorf("there is no run in a folder called %q%s", arg, didYouMean(arg, runNames(), ""))
}

// runNames returns the names of the folders below the default one.
func runNames() []string {
	entries, err := os.ReadDir(outputRoot)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

// completeRuns completes the names of runs in the default folder beside those of files.
func completeRuns(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return runNames(), cobra.ShellCompDirectiveDefault
}
