package topology

import (
	"bytes"
	"fmt"
	"io/fs"
	"math"

	"netlab/units"
)

// Options change how [Load] reads a file. The zero value changes nothing.
type Options struct {
	// Seed and Duration replace what the file says, before it is checked. Nil leaves it.
	Seed     *uint64
	Duration *units.Duration
	// Set changes other parts, one after the other, in each variant that has them. A setting that no variant takes is an error.
	Set []Setting
	// Complete says that nothing runs but what the file says, so that a client of a host without services is a mistake. Otherwise
	// a Go program may serve it.
	Complete bool
	// Files is where the files are that the topology names, by paths relative to it. Nil means that it can name none.
	Files fs.FS
	// CheckFilter checks the filter of the captures. nodes are the names of all nodes. Nil doesn't check it.
	CheckFilter func(filter string, nodes []string) error
	// CheckExpect checks an expectation against a resolved topology. offset is the byte of the expression at which the
	// error is. Nil doesn't check them.
	CheckExpect func(resolved *Topology, expression string) (offset int, err error)
}

// File is a file that was found right in all of its variants.
type File struct {
	// Name is the lab's name: what the file says, or the file's own name.
	Name string
	// Variants are the runs that the file asks for, in file order: one without a name when it has no variants.
	Variants []Variant
	// Sweep is what the file says of runs with several seeds and values, nil if it says nothing.
	Sweep *Sweep
}

// Variant is one topology of a file.
type Variant struct {
	// Name is the variant's name, empty in a file without variants.
	Name string
	// Topology is what the file says, with this variant's changes; it has no variants itself.
	Topology *Topology
	// Resolved is what Topology.Resolve returned.
	Resolved *Topology
}

// Load reads a file: JSON with comments and trailing commas. The name is used in errors and for a lab that has no name.
// Services and workloads are decoded by the types of the catalog. options may be nil. The error is of type [Errors] and
// holds every mistake that was found.
func Load(filename string, data []byte, catalog Catalog, options *Options) (*File, error) {
	if options == nil {
		options = &Options{}
	}
	if err := options.check(); err != nil {
		return nil, err
	}
	src := newSource(filename, bytes.TrimPrefix(data, []byte("\ufeff")))
	all := &problems{src: src, tainted: map[*value]bool{}}
	root := parse(src, all)
	switch {
	case root == nil:
		return nil, all.err()
	case root.kind != objectKind:
		all.addf(place{v: root}, "found %s, wanted an object", root.found())
		return nil, all.err()
	}
	f := &File{Name: nameOfFile(filename)}
	if name := root.member("name"); name != nil && name.kind == stringKind {
		f.Name = name.text
	}
	f.Sweep = readSweep(root, all)
	trees := variants(root, all)
	applySettings(trees, options.Set, all)
	found := make([][]Error, len(trees))
	for i, tree := range trees {
		one := &problems{src: src, tainted: all.tainted}
		d := decoder{problems: one, catalog: catalog}
		t := d.topology(tree.root)
		options.apply(t)
		if t.Name == "" {
			t.Name = f.Name
		}
		c := &checker{t: t, root: place{v: tree.root}, problems: one, options: options, broken: len(all.list) > 0}
		resolved := c.run()
		found[i] = one.list
		f.Variants = append(f.Variants, Variant{Name: tree.name, Topology: t, Resolved: resolved})
	}
	all.list = append(all.list, joinVariants(trees, found)...)
	if err := all.err(); err != nil {
		return nil, err
	}
	return f, nil
}

// check refuses overrides that no file could hold.
func (o *Options) check() error {
	var list Errors
	if o.Seed != nil && *o.Seed == 0 {
		list = append(list, Error{Message: fmt.Sprintf("found seed 0, wanted 1 to %d", uint64(math.MaxUint64))})
	}
	if o.Duration != nil && *o.Duration <= 0 {
		list = append(list, Error{Message: fmt.Sprintf("found duration %s, wanted more than 0s", o.Duration)})
	}
	if list != nil {
		return list
	}
	return nil
}

func (o *Options) apply(t *Topology) {
	t.Files = o.Files
	if o.Seed != nil {
		t.Seed = *o.Seed
	}
	if o.Duration != nil {
		t.Duration = *o.Duration
	}
}
