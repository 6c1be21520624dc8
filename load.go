package netlab

import (
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"

	"netlab/captures"
	"netlab/services/catalog"
	"netlab/topology"
	"netlab/topology/expect"
	"netlab/units"
)

// LoadOptions replace parts of a file. The zero value, and nil, replace nothing.
type LoadOptions struct {
	Seed     *uint64
	Duration *units.Duration
	// Set replaces other values, or adds some that the file leaves out.
	Set []topology.Setting
	// Files is where the files are that the topology names, such as tables of delays. Nil means the folder of the file; what comes from
	// standard input can name files of the working directory.
	Files fs.FS
	// Complete says that nothing runs but what the file says. Then a workload that talks to a host without services is a
	// mistake; otherwise the function given to [Lab.Run] may serve it.
	Complete bool
}

// Load reads the topology of a lab from a file; the name "-" means standard input. The error is of type [topology.Errors] when the
// file is wrong. A file with variants has several labs: use [LoadAll].
func Load(filename string, o *LoadOptions) (*Lab, error) {
	labs, err := LoadAll(filename, o)
	if err != nil {
		return nil, err
	}
	if len(labs) != 1 {
		return nil, fmt.Errorf("%s has %d variants: use LoadAll", filename, len(labs))
	}
	return labs[0], nil
}

// LoadAll reads the labs of a file: one for each variant, in file order, or one if it has none.
func LoadAll(filename string, o *LoadOptions) ([]*Lab, error) {
	var data []byte
	var err error
	if filename == "-" {
		filename = "standard-input"
		data, err = io.ReadAll(os.Stdin)
	} else {
		data, err = os.ReadFile(filename)
	}
	if err != nil {
		return nil, err
	}
	options := LoadOptions{}
	if o != nil {
		options = *o
	}
	if options.Files == nil {
		options.Files = os.DirFS(filepath.Dir(filename)) // that of standard-input is the working directory
	}
	return Parse(filename, data, &options)
}

// Parse is [LoadAll] for the content of a file. filename is for errors and for a lab that has no name. Without LoadOptions.Files the
// file can name no others.
func Parse(filename string, data []byte, o *LoadOptions) ([]*Lab, error) {
	if o == nil {
		o = &LoadOptions{}
	}
	f, err := topology.Load(filename, data, catalog.Table{}, &topology.Options{
		Seed: o.Seed, Duration: o.Duration, Set: o.Set, Complete: o.Complete, Files: o.Files, CheckFilter: checkFilter, CheckExpect: checkExpect,
	})
	if err != nil {
		return nil, err
	}
	var labs []*Lab
	for _, v := range f.Variants {
		lab, err := newLab(v.Resolved)
		if err != nil {
			return nil, err
		}
		lab.variant, lab.sweep = v.Name, f.Sweep
		labs = append(labs, lab)
	}
	return labs, nil
}

// New makes a lab of Go values. What t leaves out is filled in as in a file.
func New(t *topology.Topology) (*Lab, error) {
	resolved, err := t.Resolve()
	if err != nil {
		return nil, err
	}
	if resolved.Captures.Filter != "" {
		var names []string
		for name := range resolved.Nodes.All() {
			names = append(names, name)
		}
		if err := checkFilter(resolved.Captures.Filter, names); err != nil {
			return nil, fmt.Errorf("captures.filter: %w", err)
		}
	}
	for i, text := range resolved.Expect {
		if _, err := checkExpect(resolved, text); err != nil {
			return nil, fmt.Errorf("expect[%d]: %w", i, err)
		}
	}
	return newLab(resolved)
}

// checkFilter parses a capture filter before the nodes have addresses.
func checkFilter(filter string, nodes []string) error {
	known := map[string]bool{}
	for _, n := range nodes {
		known[n] = true
	}
	// Any address stands for those of a node.
	_, err := captures.ParseFilter(filter, func(name string) ([]netip.Addr, bool) {
		return []netip.Addr{netip.IPv6Unspecified()}, known[name]
	})
	return err
}

// checkExpect compiles an expectation against the figures that a run of the topology will have.
func checkExpect(t *topology.Topology, text string) (offset int, err error) {
	if _, err = expect.Compile(text, prototypeFigures(t, mentioned(text))); err != nil {
		_, err = expect.Compile(text, prototypeFigures(t, nil)) // for a suggestion all names are needed
	}
	if e, ok := err.(*expect.Error); ok {
		return e.Offset, fmt.Errorf("%s", e.Message)
	}
	return 0, err
}
