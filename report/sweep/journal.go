package sweep

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// The files of a sweep's folder.
const (
	JournalFile = "runs.jsonl"
	TableFile   = "runs.csv"
	SummaryFile = "runs.json"
	PageFile    = "report.html"
)

// journalFormat is the version of the journal's format.
const journalFormat = 1

// header is the journal's first line.
type header struct {
	Format int `json:"format"`
	// Of says what the runs are of: a sum of the file, and of all that changes it but axes and seeds.
	Of string `json:"of"`
}

// OtherSweepError says that a folder holds the journal of something else.
type OtherSweepError struct{ Path string }

// Error implements error.
func (e *OtherSweepError) Error() string {
	return fmt.Sprintf("%s holds runs of another file, of other options or of another build of netlab: --fresh replaces them, -o writes elsewhere", e.Path)
}

// Journal holds the runs that are finished. It grows with each: a line is written at once, and one that was torn is cut off when the
// journal is opened again. A nil *Journal keeps nothing.
type Journal struct {
	file *os.File
	runs map[string]*Run
}

func key(p Point, seed uint64) string { return fmt.Sprintf("%s\x00%d", p.key(), seed) }

// OpenJournal opens the journal in a folder, which is made if it is missing. of says what the runs are of; fresh throws away what is
// there. The error is of type [OtherSweepError] if that is of something else.
func OpenJournal(dir, of string, fresh bool) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, JournalFile)
	j := &Journal{runs: map[string]*Run{}}
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if fresh {
		data = nil
	}
	whole, err := j.read(path, of, data)
	if err != nil {
		return nil, err
	}
	if j.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return nil, err
	}
	if err := j.file.Truncate(int64(whole)); err != nil {
		return nil, err
	}
	if _, err := j.file.Seek(0, io.SeekEnd); err != nil {
		return nil, err
	}
	if whole == 0 {
		return j, j.write(header{journalFormat, of})
	}
	return j, nil
}

// read reads the journal's lines and returns how many bytes the whole ones have.
func (j *Journal) read(path, of string, data []byte) (whole int, err error) {
	in := bufio.NewReader(bytes.NewReader(data))
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return whole, nil // what is left was torn
		}
		if n == 1 {
			var h header
			switch err := json.Unmarshal(line, &h); {
			case err != nil:
				return 0, fmt.Errorf("%s:1: %w: it is no journal of netlab", path, err)
			case h.Format != journalFormat:
				return 0, fmt.Errorf("%s:1: found format %d, wanted %d: another version of netlab wrote it", path, h.Format, journalFormat)
			case h.Of != of:
				return 0, &OtherSweepError{path}
			}
		} else {
			r := &Run{}
			if err := json.Unmarshal(line, r); err != nil {
				return 0, fmt.Errorf("%s:%d: %w: the line was damaged", path, n, err)
			}
			j.runs[key(r.Point, r.Seed)] = r
		}
		whole += len(line)
	}
}

func (j *Journal) write(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = j.file.Write(append(line, '\n'))
	return err
}

// MemoryJournal returns a journal that is kept in memory alone.
func MemoryJournal() *Journal { return &Journal{runs: map[string]*Run{}} }

// Add takes down a finished run.
func (j *Journal) Add(r *Run) error {
	j.runs[key(r.Point, r.Seed)] = r
	if j.file == nil {
		return nil
	}
	return j.write(r)
}

// Get returns a run, or nil if it isn't finished.
func (j *Journal) Get(p Point, seed uint64) *Run { return j.runs[key(p, seed)] }

// Close closes the journal's file.
func (j *Journal) Close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}

// Sort writes the journal anew: the runs of the plan in its order, then others. So the file of a finished sweep is the same however its
// runs were played.
func (j *Journal) Sort(dir, of string, p *Plan) error {
	if j.file == nil {
		return nil
	}
	var list []*Run
	in := map[string]bool{}
	for n := range p.Len() {
		point, seed := p.At(n)
		if r := j.Get(point, seed); r != nil {
			list = append(list, r)
			in[key(point, seed)] = true
		}
	}
	for _, k := range slices.Sorted(maps.Keys(j.runs)) {
		if !in[k] {
			list = append(list, j.runs[k])
		}
	}
	if err := j.file.Close(); err != nil {
		return err
	}
	path := filepath.Join(dir, JournalFile)
	err := replace(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		if err := e.Encode(header{journalFormat, of}); err != nil {
			return err
		}
		for _, r := range list {
			if err := e.Encode(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	j.file, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o666)
	return err
}
