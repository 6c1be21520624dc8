package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"netlab"
	"netlab/topology/expect"
)

// columns is how wide a summary is.
const columns = 80

// reassemblyNote is for captures of runs that lost frames.
const reassemblyNote = "Wireshark needs tcp.reassemble_out_of_order to follow streams that lost frames."

// printSummary prints the summary of a run.
func printSummary(w io.Writer, s *summary) error {
	p := newPage(w)
	p.head(s)
	p.workloads(s.Workloads)
	p.drops(s.Drops)
	p.rules(s.Rules)
	p.expectations(s.Expect, s.Ended == netlab.EndedInterrupted)
	p.output(&s.Output, len(s.Drops) > 0)
	return p.print(w)
}

func (p *page) head(s *summary) {
	name := s.Name
	if s.Variant != "" {
		name += "/" + s.Variant
	}
	p.linef("%s  seed %d  %s virtual in %s (%s)  %s frames", p.bold(name), s.Seed, printDuration(s.Virtual),
		printDuration(s.Wall), printSpeed(s.Virtual, s.Wall), printCount(s.Frames))
	if s.Drawn > 0 {
		p.linef("%s, %d drawn by chaos", plural(s.Faults, "fault"), s.Drawn)
	}
	if s.Ended == netlab.EndedInterrupted {
		p.linef("%s: what follows is how far it came", p.paint(yellow, "interrupted"))
	}
}

func (p *page) workloads(list []workload) {
	if len(list) == 0 {
		return
	}
	p.heading("workloads")
	names, types := 0, 0
	for _, w := range list {
		names, types = max(names, width(w.Name)), max(types, width(w.Type))
	}
	for _, w := range list {
		p.linef("  %s  %s  %s", pad(w.Name, names), pad(w.Type, types), w.state())
		var words []string
		for _, f := range w.Figures {
			words = append(words, f.Name+" "+f.Value)
		}
		p.wrap("    ", words, "  ")
		if w.Level != "" {
			p.wrap("    ", strings.Fields(w.Level), " ")
		}
		for _, e := range w.Errors {
			p.linef("    %s %s: %s", p.paint(red, "error on"), e.Name, strings.ReplaceAll(e.Value, "\n", "\n    "))
		}
	}
}

// state says how far a workload came.
func (w *workload) state() string {
	switch {
	case w.Completed:
		return "done at " + printDuration(w.Ended)
	case w.Started == 0 && w.Ended == 0 && len(w.Figures) == 0:
		return "not started"
	case w.Endless:
		return "ran to the end"
	}
	return "not done at the end"
}

func (p *page) drops(list []drops) {
	if len(list) == 0 {
		return
	}
	p.heading("frames dropped")
	longest := 0
	for _, d := range list {
		longest = max(longest, width(d.Link))
	}
	for _, d := range list {
		var reasons []string
		for _, r := range d.Reasons {
			reasons = append(reasons, r.Name+" "+r.Value)
		}
		p.linef("  %s  %s of %s: %s", pad(d.Link, longest), printCount(d.Total), printCount(d.Sent), strings.Join(reasons, ", "))
	}
}

func (p *page) rules(list []rule) {
	if len(list) == 0 {
		return
	}
	p.heading("packet rules")
	names := 0
	for _, r := range list {
		names = max(names, width(r.Name))
	}
	for _, r := range list {
		p.linef("  %s  %s %s of %s", pad(r.Name, names), r.Verb, printCount(r.Hits), plural(int(r.Matches), "packet"))
	}
}

// expectations prints a line for each, with the values in it.
func (p *page) expectations(list []expect.Outcome, interrupted bool) {
	if len(list) == 0 {
		return
	}
	heading := "expectations"
	if interrupted {
		heading += " (as far as it came)"
	}
	p.heading(heading)
	longest := 0
	for _, o := range list {
		if n := width(o.Text); n <= columns*3/5 {
			longest = max(longest, n)
		}
	}
	for _, o := range list {
		text, detail := o.Text, explained(o)
		line := fmt.Sprintf("  %s %s", p.mark(&o), pad(text, longest))
		if width(text) > longest || 4+longest+2+width(detail) > columns {
			p.linef("%s", strings.TrimRight(line, " "))
			p.wrap("      ", strings.Split(detail, ", "), ", ")
			continue
		}
		p.linef("%s  %s", line, detail)
	}
}

// explained returns the values that an expectation looked at, or why it could not be decided.
func explained(o expect.Outcome) string {
	if o.Inconclusive && o.Reason != "" {
		return o.Reason
	}
	if len(o.Values) == 1 {
		return o.Values[0].Printed
	}
	var list []string
	for _, v := range o.Values {
		list = append(list, v.String())
	}
	return strings.Join(list, ", ")
}

// mark is the sign of an expectation.
func (p *page) mark(o *expect.Outcome) string {
	switch {
	case o.Inconclusive:
		return p.paint(yellow, "?")
	case o.Holds:
		return p.paint(green, "✓")
	}
	return p.paint(red, "✗")
}

func (p *page) output(o *output, dropped bool) {
	if o.Dir == "" {
		return
	}
	p.heading("files in " + shellWord(o.Dir))
	switch len(o.Captures) {
	case 0:
		p.linef("  %s", o.Uncaptured)
	case 1:
		p.linef("  %s", o.Captures[0])
	default:
		p.linef("  captures (%d)", len(o.Captures))
	}
	p.wrap("  ", o.Others, "  ")
	if o.Report != "" {
		p.linef("open    %s", shellWord(filepath.Join(o.Dir, o.Report)))
	}
	if len(o.Captures) > 0 {
		p.linef("open    wireshark %s", shellWord(filepath.Join(o.Dir, o.Captures[0])))
	}
	p.linef("replay  %s", o.Replay)
	if dropped && len(o.Captures) > 0 {
		p.linef("%s", reassemblyNote)
	}
}

// width is how many columns a text takes.
func width(s string) int { return utf8.RuneCountInString(s) }

// pad fills a text with spaces.
func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-width(s))) }
