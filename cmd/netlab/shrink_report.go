package main

import (
	"encoding/json"
	"fmt"
	"io"

	"netlab"
	"netlab/topology"
	"netlab/topology/expect"
)

// shrinkReport is what a search for a smaller schedule found.
type shrinkReport struct {
	Name    string `json:"name"`
	Variant string `json:"variant,omitempty"`
	Seed    uint64 `json:"seed"`
	Trials  int    `json:"trials"`
	// Minimal says that none of the faults that are left can be taken away.
	Minimal bool             `json:"minimal"`
	Kept    []shrunkFault    `json:"kept"`
	Removed []shrunkFault    `json:"removed"`
	Expect  []expect.Outcome `json:"expect"`
	// LeftOut are expectations about faults that were taken away.
	LeftOut []string `json:"left_out,omitempty"`
	File    string   `json:"file"`
}

// shrunkFault is a fault and its place in the file's list.
type shrunkFault struct {
	Index int             `json:"index"`
	Fault json.RawMessage `json:"fault"`
	// Was is the fault before it was made simpler.
	Was json.RawMessage `json:"was,omitempty"`
}

func reportOf(lab *netlab.Lab, found *netlab.Shrunk, file string) *shrinkReport {
	t := lab.Topology()
	r := &shrinkReport{Name: lab.Name(), Variant: lab.Variant(), Seed: t.Seed, Trials: found.Trials, Minimal: found.Minimal,
		Kept: []shrunkFault{}, Removed: []shrunkFault{}, Expect: found.Expect, LeftOut: found.LeftOut, File: file}
	simplified := map[int]bool{}
	for _, i := range found.Simplified {
		simplified[i] = true
	}
	for n, i := range found.Kept {
		kept := shrunkFault{Index: i, Fault: faultText(&found.Lab.Topology().Faults[n])}
		if simplified[i] {
			kept.Was = faultText(&t.Faults[i])
		}
		r.Kept = append(r.Kept, kept)
	}
	for _, i := range found.Removed {
		r.Removed = append(r.Removed, shrunkFault{Index: i, Fault: faultText(&t.Faults[i])})
	}
	return r
}

// faultText is a fault as a file has it, in one line.
func faultText(f *topology.Fault) json.RawMessage {
	text, err := json.Marshal(f)
	if err != nil {
		panic(fmt.Sprintf("a fault of a checked topology can't be written: %v", err))
	}
	return text
}

// print writes the report for a person.
func (r *shrinkReport) print(w io.Writer) error {
	p := newPage(w)
	name := r.Name
	if r.Variant != "" {
		name += "/" + r.Variant
	}
	all := len(r.Kept) + len(r.Removed)
	p.linef("%s  seed %d  %d of %s left after %s", p.bold(name), r.Seed, len(r.Kept), plural(all, "fault"), plural(r.Trials, "trial"))
	if len(r.Kept) == 0 {
		p.linef("it fails without any fault")
	} else if !r.Minimal {
		p.linef("%s: some of what is left may not be needed", p.paint(yellow, "stopped early"))
	}
	p.faults("faults that are left", r.Kept)
	p.faults("taken away", r.Removed)
	p.expectations(r.Expect, false)
	if r.LeftOut != nil {
		p.heading("left out, since they are about what was taken away")
		for _, text := range r.LeftOut {
			p.linef("  %s", text)
		}
	}
	p.linef("\nwritten %s", shellWord(r.File))
	p.linef("replay  netlab run %s", shellWord(r.File))
	return p.print(w)
}

func (p *page) faults(heading string, list []shrunkFault) {
	if len(list) == 0 {
		return
	}
	p.heading(heading)
	for _, f := range list {
		p.linef("  faults[%d]  %s", f.Index, f.Fault)
		if f.Was != nil {
			p.linef("    it was %s", f.Was)
		}
	}
}
