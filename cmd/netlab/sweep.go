package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"netlab"
	"netlab/report/sweep"
	"netlab/topology"
)

// sweepFlags say that one file is played several times.
type sweepFlags struct {
	runs      int
	seeds     string
	set       []string
	processes int
	fresh     bool
	noSweep   bool
	// settings are the values of set that stand alone, axes those of which there are several.
	settings []topology.Setting
	axes     []axis
}

// axis is a path with the values that it has in turn.
type axis struct {
	path   string
	values []string
}

func (f *sweepFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVar(&f.set, "set", nil, "`PATH=V,…` another value, or several in turn; repeatable")
	flags.IntVar(&f.runs, "runs", 0, "play `N` seeds, from the file's or --seed on")
	flags.StringVar(&f.seeds, "seeds", "", "play these `SEEDS`, such as 1..200 or 1..10,77")
	flags.IntVar(&f.processes, "processes", 0, "play `N` runs at a time (default: one for each processor)")
	flags.BoolVar(&f.fresh, "fresh", false, "play runs again that were finished before")
	flags.BoolVar(&f.noSweep, "no-sweep", false, "play a file with a sweep once")
	for _, name := range []string{"set", "runs", "seeds", "processes"} {
		_ = c.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
}

// check reads the settings and refuses flags that exclude each other.
func (f *sweepFlags) check(c *cobra.Command, child bool) error {
	given := func(name string) bool { return c.Flags().Changed(name) }
	switch {
	case given("runs") && f.runs < 1:
		return fmt.Errorf("--runs %d: want 1 or more", f.runs)
	case f.runs > topology.MaxSeeds:
		return fmt.Errorf("--runs %d: want up to %d", f.runs, topology.MaxSeeds)
	case given("runs") && given("seeds"):
		return errors.New("--runs and --seeds exclude each other")
	case given("seeds") && given("seed"):
		return errors.New("--seeds and --seed exclude each other")
	case given("processes") && f.processes < 1:
		return fmt.Errorf("--processes %d: want 1 or more", f.processes)
	case f.noSweep && (given("runs") || given("seeds") || given("fresh")):
		return errors.New("--no-sweep excludes --runs, --seeds and --fresh")
	}
	if !given("processes") {
		f.processes = runtime.NumCPU()
	}
	if given("seeds") {
		if _, err := topology.SeedList(f.seeds).Seeds(); err != nil {
			return fmt.Errorf("--seeds: %w", err)
		}
	}
	for _, text := range f.set {
		path, value, ok := strings.Cut(text, "=")
		if !ok || path == "" {
			return fmt.Errorf("--set %q: want PATH=VALUE, such as links.a--b.loss=1%%", text)
		}
		values := []string{value}
		if !child { // that is given one value, which may hold commas
			values = splitValues(value)
		}
		if slices.ContainsFunc(f.axes, func(a axis) bool { return a.path == path }) ||
			slices.ContainsFunc(f.settings, func(s topology.Setting) bool { return s.Path == path }) {
			return fmt.Errorf("--set %s is given twice: several values have commas between them", path)
		}
		if len(values) == 1 {
			f.settings = append(f.settings, topology.Setting{Path: path, Value: values[0]})
			continue
		}
		for i, v := range values {
			if slices.Contains(values[:i], v) {
				return fmt.Errorf("--set %s has the value %q twice", path, v)
			}
		}
		if f.noSweep {
			return fmt.Errorf("--set %s has several values, and --no-sweep plays one run", path)
		}
		f.axes = append(f.axes, axis{path, values})
	}
	return nil
}

// splitValues splits a text at the commas that stand in no string, list or object.
func splitValues(text string) []string {
	var list []string
	start, depth, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted:
			if c == '\\' {
				i++
			}
			quoted = c != '"'
		case c == '"':
			quoted = true
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case c == ',' && depth == 0:
			list = append(list, text[start:i])
			start = i + 1
		}
	}
	return append(list, text[start:])
}

// matrix is a file that is played several times.
type matrix struct {
	in   input
	plan sweep.Plan
	// of is a sum of what the runs have in common.
	of  string
	dir string // "" writes nothing
	// labs are the labs of the points.
	labs []*netlab.Lab
}

// severalRuns returns what is to be played several times, nil if every file is played once.
func severalRuns(c *cobra.Command, f *runFlags, inputs []input, jobs []job) (*matrix, error) {
	if len(inputs) == 1 {
		var labs []*netlab.Lab
		for _, j := range jobs {
			labs = append(labs, j.lab)
		}
		return matrixOf(c, f, inputs[0], labs)
	}
	if f.runs > 0 || f.seeds != "" || len(f.axes) > 0 || f.fresh {
		return nil, fmt.Errorf("several seeds or values are for one file, found %d files", len(inputs))
	}
	for _, j := range jobs {
		if j.lab.Sweep() != nil && !f.noSweep {
			return nil, fmt.Errorf("%s has a sweep, and several files are played once each: run it alone, or give --no-sweep", j.in.name)
		}
	}
	return nil, nil
}

// matrixOf returns what is to be played several times, nil if the file is played once. labs are the file's without axes.
func matrixOf(c *cobra.Command, f *runFlags, in input, labs []*netlab.Lab) (*matrix, error) {
	var file topology.Sweep
	if s := labs[0].Sweep(); s != nil && !f.noSweep {
		file = *s
	}
	axes := axesOf(&file, f)
	seeds, err := f.seedsOf(&file, labs[0].Topology().Seed)
	if err != nil {
		return nil, err
	}
	asked := f.runs > 0 || f.seeds != "" || file.Seeds != "" || len(axes) > 0
	if !asked {
		if f.fresh {
			return nil, errors.New("--fresh goes with several runs: --runs, --seeds, --set with several values, or a file with a sweep")
		}
		return nil, nil
	}
	switch {
	case f.realTime || f.watch:
		return nil, errors.New("several runs of a file have no --realtime, no --forward and no --watch")
	case f.reportBudget > 0:
		return nil, errors.New("the report of several runs has no budget: it holds no packets")
	}
	m := &matrix{in: in, plan: sweep.Plan{Name: labs[0].Name(), Seeds: seeds}}
	for _, set := range combinations(axes) {
		labs, err := parseJob(c, f, in, slices.Concat(f.settings, set))
		if err != nil {
			return nil, err
		}
		for _, l := range labs {
			p := sweep.Point{Variant: l.Variant(), Set: []string{}}
			for _, s := range set {
				p.Set = append(p.Set, s.String())
			}
			m.plan.Points = append(m.plan.Points, p)
			m.labs = append(m.labs, l)
		}
	}
	// Variants first, as they are shown.
	m.sortByVariant(labs)
	m.plan.Replay = func(p sweep.Point, seed uint64) string { return f.replay(in.name, p, seed) }
	if f.noFiles {
		return m, nil
	}
	m.dir = folder(f, labs[0], false)
	m.of, err = f.sumOf(in)
	return m, err
}

// sortByVariant puts the points of a variant together.
func (m *matrix) sortByVariant(variants []*netlab.Lab) {
	var points []sweep.Point
	var labs []*netlab.Lab
	for _, v := range variants {
		for i, p := range m.plan.Points {
			if p.Variant == v.Variant() {
				points, labs = append(points, p), append(labs, m.labs[i])
			}
		}
	}
	m.plan.Points, m.labs = points, labs
}

// parseJob reads the labs of a file with settings.
func parseJob(c *cobra.Command, f *runFlags, in input, set []topology.Setting) ([]*netlab.Lab, error) {
	options := f.options(in)
	options.Set = set
	labs, err := netlab.Parse(in.name, in.data, options)
	if err == nil {
		labs, err = chosen(in, labs, f.variant)
	}
	if err != nil {
		complain(c.ErrOrStderr(), err)
		return nil, &exitError{code: exitUsage}
	}
	return labs, nil
}

// axesOf returns the axes of the file, as far as the command line says nothing of them, and those of the command line.
func axesOf(file *topology.Sweep, f *runFlags) []axis {
	var list []axis
	for path, values := range file.Set.All() {
		if slices.ContainsFunc(f.settings, func(s topology.Setting) bool { return s.Path == path }) {
			continue
		}
		if slices.ContainsFunc(f.axes, func(a axis) bool { return a.path == path }) {
			continue
		}
		a := axis{path: path}
		for _, v := range values {
			if len(splitValues(v)) > 1 { // as the command line has to have it
				quoted, _ := json.Marshal(v)
				v = string(quoted)
			}
			a.values = append(a.values, v)
		}
		list = append(list, a)
	}
	return append(list, f.axes...)
}

// combinations returns each combination of the values, those of the last axis changing fastest.
func combinations(axes []axis) [][]topology.Setting {
	list := [][]topology.Setting{nil}
	for _, a := range axes {
		var longer [][]topology.Setting
		for _, c := range list {
			for _, v := range a.values {
				longer = append(longer, append(slices.Clone(c), topology.Setting{Path: a.path, Value: v}))
			}
		}
		list = longer
	}
	return list
}

// seedsOf returns the seeds to play. first is that of the file or of --seed.
func (f *runFlags) seedsOf(file *topology.Sweep, first uint64) ([]uint64, error) {
	switch {
	case f.seeds != "":
		return topology.SeedList(f.seeds).Seeds()
	case f.runs > 0:
		var list []uint64
		for i := range uint64(f.runs) {
			if first+i < first {
				return nil, fmt.Errorf("--runs %d: there are no so many seeds from %d on", f.runs, first)
			}
			list = append(list, first+i)
		}
		return list, nil
	case file.Seeds != "" && f.seed == nil:
		return file.Seeds.Seeds()
	}
	return []uint64{first}, nil
}

// replay is the command that plays one run of a sweep by itself, with all its files.
func (f *runFlags) replay(name string, p sweep.Point, seed uint64) string {
	if name == standardInput {
		name = "-"
	}
	words := []string{"netlab", "run", shellWord(name), "--no-sweep"}
	if p.Variant != "" {
		words = append(words, "--variant", shellWord(p.Variant))
	}
	for _, s := range f.settings {
		words = append(words, "--set", shellWord(s.String()))
	}
	for _, s := range p.Set {
		words = append(words, "--set", shellWord(s))
	}
	if f.duration != nil {
		words = append(words, "--duration", f.duration.String())
	}
	return strings.Join(append(words, "--seed", fmt.Sprint(seed)), " ")
}

// sumOf is a sum of all that the runs of a sweep have in common: the program itself, the file, and what the command line says instead.
func (f *runFlags) sumOf(in input) (string, error) {
	h := sha256.New()
	binary, err := os.Executable()
	if err != nil {
		return "", err
	}
	program, err := os.Open(binary)
	if err != nil {
		return "", err
	}
	defer program.Close()
	if _, err := io.Copy(h, program); err != nil {
		return "", err
	}
	fmt.Fprintf(h, "%d\n%s\n", len(in.data), in.data)
	for _, s := range f.settings {
		fmt.Fprintf(h, "%q\n", s.String())
	}
	if f.duration != nil {
		fmt.Fprintf(h, "duration %s\n", f.duration)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:16]), nil
}

// file returns the path of one of the sweep's files.
func (m *matrix) file(name string) string { return filepath.Join(m.dir, name) }
