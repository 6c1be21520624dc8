package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"netlab/captures/telemetry"
)

// The files of a run in its folder.
const (
	CapturesDir   = "captures"
	ResultsFile   = "results.json"
	EventsFile    = "events.jsonl"
	TopologyFile  = "topology.resolved.json"
	TelemetryFile = "telemetry.json"
	PageFile      = "report.html"
	// ComparisonFile stands beside the folders of a file's variants: their figures side by side.
	ComparisonFile = "comparison.json"
)

// Folder is what a run has left in its folder.
type Folder struct {
	Dir      string
	Topology Topology
	// Results are empty if the run did not get so far as to write them; HasResults says that they are there.
	Results    Results
	HasResults bool
	Events     []Event
	// Telemetry is nil if the run took none down.
	Telemetry *telemetry.File
	// Captures are the captures' files in the order of the topology's nodes.
	Captures []CaptureFile
}

// CaptureFile is a node's capture.
type CaptureFile struct{ Node, Path string }

// NotARunError says that a folder does not hold a run.
type NotARunError struct {
	Dir string
	// Runs are the folders directly below it that do: those of variants.
	Runs []string
}

// Error says what was found and what was wanted.
func (e *NotARunError) Error() string {
	if len(e.Runs) > 0 {
		return fmt.Sprintf("%s: holds several runs: name one of %s", e.Dir, strings.Join(e.Runs, ", "))
	}
	return fmt.Sprintf("%s: is not the folder of a run: it has no %s", e.Dir, TopologyFile)
}

// Load reads the folder of a run. A file that is missing is left out, but for the resolved topology, without which the error is a
// [*NotARunError]. A file that can't be read or understood is an error that names it; events up to a line that was cut short are
// kept.
func Load(dir string) (*Folder, error) {
	f := &Folder{Dir: dir}
	if err := readJSON(filepath.Join(dir, TopologyFile), &f.Topology); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			runs, listErr := Runs(dir)
			if listErr != nil {
				return nil, listErr
			}
			return nil, &NotARunError{dir, runs}
		}
		return nil, err
	}
	err := readJSON(filepath.Join(dir, ResultsFile), &f.Results)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f.HasResults = err == nil
	var t telemetry.File
	if err = readJSON(filepath.Join(dir, TelemetryFile), &t); err == nil {
		f.Telemetry = &t
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if f.Events, err = readEvents(filepath.Join(dir, EventsFile)); err != nil {
		return nil, err
	}
	for _, n := range f.Topology.Nodes {
		for _, extension := range []string{".pcapng", ".pcap"} {
			path := filepath.Join(dir, CapturesDir, n.Name+extension)
			if _, err := os.Stat(path); err == nil {
				f.Captures = append(f.Captures, CaptureFile{n.Name, path})
			}
		}
	}
	return f, nil
}

// Runs returns the folders directly below dir that hold a run, in alphabetical order: those of a file's variants, or of several files.
func Runs(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, e := range entries {
		sub := filepath.Join(dir, e.Name())
		if _, err := os.Stat(filepath.Join(sub, TopologyFile)); err == nil {
			list = append(list, sub)
		}
	}
	return list, nil
}

func readJSON(path string, v any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// readEvents reads lines up to one that is not whole.
func readEvents(path string) ([]Event, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var events []Event
	number := 0
	for line := range bytes.Lines(data) {
		number++
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // the run was cut short here
		}
		var ev Event
		if err := json.Unmarshal(line, &ev); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, number, err)
		}
		events = append(events, ev)
	}
	return events, nil
}

// Members are the members of a JSON object in the order of the file.
type Members[T any] []Member[T]

// Member is one of them.
type Member[T any] struct {
	Name  string
	Value T
}

// Get returns the value of that name and whether there is one.
func (m Members[T]) Get(name string) (v T, ok bool) {
	i := slices.IndexFunc(m, func(e Member[T]) bool { return e.Name == name })
	if i < 0 {
		return v, false
	}
	return m[i].Value, true
}

// UnmarshalJSON reads an object; null has no members.
func (m *Members[T]) UnmarshalJSON(data []byte) error {
	*m = nil
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t == nil {
		return err
	} else if t != json.Delim('{') {
		return fmt.Errorf("found %v: want an object", t)
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		e := Member[T]{Name: t.(string)}
		if err := d.Decode(&e.Value); err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
		*m = append(*m, e)
	}
	return nil
}
