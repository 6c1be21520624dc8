package page

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"

	"netlab/captures/analysis"
	"netlab/report"
	"netlab/units"
)

// DefaultBudget is how large a page gets at most if nothing else is asked for, and MinBudget the least that can be: the scripts and
// the style sheet take part of it.
const (
	DefaultBudget units.Bytes = 10_000_000
	MinBudget     units.Bytes = 1_000_000
)

// Options say how a page is made.
type Options struct {
	// Budget is how large the file may get, at least MinBudget. 0 is DefaultBudget. What is drawn is thinned to fit. Text that a
	// run's files bring along, such as its description, is kept whatever its length.
	Budget units.Bytes
}

// Check says what is wrong with the options.
func (o Options) Check() error {
	if o.Budget != 0 && o.Budget < MinBudget {
		return fmt.Errorf("a budget of %s is too small for a report: want %s or more", o.Budget, MinBudget)
	}
	return nil
}

func (o Options) budget() int {
	if o.Budget == 0 {
		return int(DefaultBudget)
	}
	return int(o.Budget)
}

// Write writes the page of a run. run is what its captures show, nil if it has none.
func Write(w io.Writer, f *report.Folder, run *analysis.Run, o Options) error {
	if err := o.Check(); err != nil {
		return err
	}
	v, err := newView(f, run, o.budget())
	if err != nil {
		return err
	}
	return v.write(w)
}

// WriteFolder makes report.html in the folder of a run, or in one that holds several runs, such as those of variants: there it is their
// comparison, which refers to the pages of the runs; these are made too. The file is there as a whole or not at all: one that an
// earlier call made stays until the new one is done.
func WriteFolder(dir string, o Options) error {
	return WriteFile(dir, filepath.Join(dir, report.PageFile), o)
}

// WriteFile is [WriteFolder] with another name for the file.
func WriteFile(dir, file string, o Options) error {
	if err := o.Check(); err != nil {
		return err
	}
	runs, err := runsOf(dir)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if err := WriteFolder(run, o); err != nil {
			return err
		}
	}
	if runs != nil {
		return writeRuns(file, runs, o)
	}
	var page bytes.Buffer
	if err := writeRun(&page, dir, o); err != nil {
		return err
	}
	return replaceFile(file, page.Bytes())
}

// writeRun writes the page of a folder with a run.
func writeRun(w io.Writer, dir string, o Options) error {
	f, err := report.Load(dir)
	if err != nil {
		return err
	}
	run, err := openRun(f)
	if err != nil {
		return err
	}
	return Write(w, f, run, o)
}

// openRun reads the captures of a run; without captures it is nil.
func openRun(f *report.Folder) (*analysis.Run, error) {
	if len(f.Captures) == 0 {
		return nil, nil
	}
	var files []analysis.CaptureFile
	for _, c := range f.Captures {
		files = append(files, analysis.CaptureFile(c))
	}
	names := map[netip.Addr]string{}
	for _, v := range newGraph(f).nodes {
		for _, a := range v.Addresses {
			if addr, err := netip.ParseAddr(a); err == nil {
				names[addr] = v.Name
			}
		}
	}
	return analysis.OpenRun(files, analysis.RunOptions{Limit: maxJourneys, Name: func(a netip.Addr) string { return names[a] }})
}

// maxJourneys is how many packets of a run are looked at for the ladder: more than budgets of some 100 MB hold.
const maxJourneys = 500_000

// replaceFile puts a file in place of another one, at once.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".report-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it is renamed
	_, err = f.Write(data)
	if chmod := f.Chmod(0o644); err == nil {
		err = chmod
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
