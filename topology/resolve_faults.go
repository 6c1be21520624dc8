package topology

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"netlab/units"
)

// DefaultFactor is how many times as long things take with slow and slow_disk if the file doesn't say.
const DefaultFactor = 10

// defaultFlap is how long links that flap are down and up if the file doesn't say.
const defaultFlap = time.Second

// resolveFaults returns the faults of the file and those that chaos draws, resolved, each with a name.
func (c *checker) resolveFaults() []Fault {
	taken := map[string]bool{}
	for i := range c.t.Faults {
		taken[c.t.Faults[i].Name] = true
	}
	var out []Fault
	for _, f := range append(slices.Clone(c.t.Faults), c.drawn()...) {
		f = c.resolveFault(f)
		if f.Name == "" {
			f.Name = faultName(f.Verb(), len(out)+1, taken)
			taken[f.Name] = true
		}
		out = append(out, f)
	}
	return out
}

// faultName returns a free name for a fault: its verb and a number, its own place among the faults if that is free.
func faultName(verb string, n int, taken map[string]bool) string {
	for ; ; n++ {
		name := fmt.Sprintf("%s-%d", strings.ReplaceAll(verb, "_", "-"), n)
		if !taken[name] {
			return name
		}
	}
}

// afterAll is the time of a fault that is injected, while it is checked: everything else has happened.
const afterAll = units.Duration(math.MaxInt64)

// upTo says in an error what counts as before the fault.
func (f *Fault) upTo() string {
	if f.At == afterAll {
		return "so far"
	}
	return "up to " + f.At.String()
}

// ResolveFault checks and resolves a fault for a resolved topology, as if it stood at the end of its faults and everything before had
// happened. before are the faults that there have been so far. A fault without a name gets one. The error is of type [Errors].
func (t *Topology) ResolveFault(f Fault, before []Fault) (Fault, error) {
	whole := *t
	whole.Faults = append(slices.Clone(before), f)
	c := &checker{t: &whole, problems: &problems{}, options: &Options{CheckFilter: t.checkFilter}, nodesKnown: true, linksKnown: true, lab: newLab(t)}
	i := len(before)
	at := c.root.field("faults").item(i)
	last := &whole.Faults[i]
	checkEnums(&whole, c.root, c.problems)
	c.valuesOf(at, reflect.ValueOf(last).Elem())
	c.loadFiles()
	names := c.checkFaultNames()
	if v := c.checkVerb(at, last); v != nil {
		c.checkTiming(at, last, v)
		last.At = afterAll
		c.checkFault(at, last, v, names)
	}
	if err := c.problems.err(); err != nil {
		return Fault{}, err
	}
	last.At = f.At
	out := c.resolveFault(*last)
	if out.Name == "" {
		taken := map[string]bool{}
		for _, b := range before {
			taken[b.Name] = true
		}
		out.Name = faultName(out.Verb(), i+1, taken)
	}
	return out, nil
}

// resolveFault returns a fault with names in place of patterns and with the defaults of its verb.
func (c *checker) resolveFault(f Fault) Fault {
	switch f.Verb() {
	case "flap":
		for _, d := range []**units.Distribution{&f.DownTime, &f.UpTime} {
			if *d == nil {
				second := units.Constant(defaultFlap)
				*d = &second
			}
		}
	case "slow", "slow_disk":
		fill(&f.Factor, DefaultFactor)
	case "fail_dns":
		fill(&f.Answer, "servfail")
	case "reject":
		fill(&f.With, "port-unreachable")
	case "duplicate":
		fill(&f.Copies, 1)
	case "corrupt":
		fill(&f.Bits, 1)
	}
	groups := f.Partition
	f.Partition = nil
	for _, g := range groups {
		f.Partition = append(f.Partition, c.names(g))
	}
	for _, list := range []*Patterns{&f.Crash, &f.Restart, &f.Pause, &f.Resume, &f.Slow, &f.Skew, &f.Drift, &f.FailDNS, &f.FillDisk, &f.SlowDisk,
		&f.FailSync, &f.SkipSync, &f.TearWrites, &f.CorruptDisk} {
		if *list != nil {
			*list = c.fitting(f.Verb(), *list)
		}
	}
	if f.On != nil {
		f.On = c.names(f.On)
	}
	return f
}

// fitting returns the names that patterns stand for, without nodes for which the verb means nothing.
func (c *checker) fitting(verb string, patterns Patterns) Patterns {
	found, _, err := c.lab.nodes.MatchAll(patterns)
	if err != nil {
		panic("topology: a checked pattern doesn't match: " + err.Error())
	}
	return c.lab.nodes.selectNames(slices.DeleteFunc(found, func(n int) bool { return c.cannotHave(verb, n) != "" }))
}
