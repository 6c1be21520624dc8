package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"netlab/captures"
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

// findFolder returns the folder that an argument means.
func findFolder(arg string) (string, error) {
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.IsDir():
		return arg, nil
	case err == nil:
		return "", fmt.Errorf("%s is a file: want the folder of a run, or a capture", arg)
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
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

// isCapture says whether a path is that of a file that begins as a capture does, packed or not. Standard input is none.
func isCapture(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = captures.NewReader(f)
	return err == nil || errors.Is(err, io.ErrUnexpectedEOF) && info.Size() > 0
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
