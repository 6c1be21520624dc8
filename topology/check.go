package topology

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strings"

	"netlab/topology/plan"
	"netlab/units"
)

// checker checks a decoded topology and resolves it. Its root has no value when there is no file.
type checker struct {
	t        *Topology
	root     place
	problems *problems
	options  *Options
	// broken says that a mistake was found before, so that what needs the whole file can't be checked.
	broken bool

	lab *lab
	// nodesKnown and linksKnown say that all nodes and all links are right, so that a name that isn't among them is a
	// mistake of whoever uses it.
	nodesKnown, linksKnown bool
	plan                   *plan.Plan
	// chaos are the faults that were drawn.
	chaos []Fault
	// from are the hosts that use what is checked: which names mean something depends on them.
	from []int
	// zones are those of each node's name servers, once somebody asked for them.
	zones map[int][]*zone
}

// addf notes a mistake, unless something in the same entry couldn't even be decoded.
func (c *checker) addf(at place, format string, args ...any) {
	if at.entry == nil || !c.problems.tainted[at.entry] {
		c.problems.addf(at, format, args...)
	}
}

// run makes all the checks and returns the resolved topology, or nil if there are problems.
func (c *checker) run() *Topology {
	if !c.planned() {
		return nil
	}
	c.checkReachable()
	c.checkGateways()
	c.checkCalls()
	if len(c.problems.list) > 0 {
		return nil
	}
	resolved := c.resolve()
	c.checkExpect(resolved)
	return resolved
}

// planned makes the checks that need no routes, and the plan when nothing was wrong.
func (c *checker) planned() bool {
	checkEnums(c.t, c.root, c.problems)
	c.values()
	c.loadFiles()
	c.general()
	c.expand()
	c.checkNodes()
	c.checkProfiles()
	c.checkLinks()
	c.checkAddresses()
	c.checkHeldAddresses()
	c.checkRouters()
	c.checkRouting()
	c.checkWorkloads()
	c.checkExpanded()
	c.checkFaults()
	c.checkChaos()
	c.checkCaptures()
	c.checkTelemetry()
	if c.broken || len(c.problems.list) > 0 {
		return false
	}
	c.makePlan()
	return c.plan != nil
}

// expand takes ranges apart and finds out whether names can be relied upon.
func (c *checker) expand() {
	c.lab = &lab{t: c.t}
	count := func(known *bool) func(place, string, ...any) {
		return func(at place, format string, args ...any) {
			*known = false
			c.addf(at, format, args...)
		}
	}
	c.nodesKnown = c.t.Nodes.Len() > 0
	c.lab.expandNodes(c.root.field("nodes"), count(&c.nodesKnown))
	c.linksKnown = c.nodesKnown && !c.tainted(c.root.field("links"))
	if c.nodesKnown {
		c.lab.expandLinks(c.root.field("links"), count(&c.linksKnown))
	} else {
		c.lab.ids = NewMatcher("link", nil)
	}
}

// tainted says whether the value at a place could not be decoded.
func (c *checker) tainted(at place) bool { return at.given() && c.problems.tainted[at.v] }

// general checks what belongs to no section.
func (c *checker) general() {
	if at := c.root.field("name"); c.t.Name != "" || at.given() {
		if message := checkLabel(c.t.Name, maxLabel); message != "" {
			c.addf(at, "%s", message)
		}
	}
	if at := c.root.field("seed"); c.t.Seed == 0 && at.given() {
		c.addf(at, "found 0, wanted a whole number from 1 to %d", uint64(math.MaxUint64))
	}
	positive(c, c.root.field("duration"), c.t.Duration)
	if at := c.root.field("nodes"); c.t.Nodes.Len() == 0 && (at.given() || c.root.v == nil) {
		c.addf(at, "the lab has no nodes")
	}
	if c.t.Variants.Len() > 0 {
		c.addf(c.root.field("variants"), "a topology is one variant: these are merged when a file is loaded")
	}
}

// positive reports a zero that the file gives: without it the default holds, which isn't zero.
func positive[T units.Duration | units.Bytes | units.BitRate](c *checker, at place, v T) {
	if v == 0 && at.given() {
		c.addf(at, "found %v, wanted more than that; leave the field out for its default", v)
	}
}

// values reports what no file can hold and only a program can have put in: negative durations, a loss of 3.
func (c *checker) values() {
	if c.root.v == nil {
		c.valuesOf(c.root, reflect.ValueOf(c.t).Elem())
	}
}

// valuesOf checks a value and all that is in it.
func (c *checker) valuesOf(at place, v reflect.Value) {
	walk(at, v, func(at place, v reflect.Value, f structField) bool {
		if v.Kind() == reflect.Pointer && v.IsNil() {
			return false
		}
		m, ok := v.Interface().(encoding.TextMarshaler)
		if !ok {
			return true
		}
		if _, err := m.MarshalText(); err != nil && !v.IsZero() {
			c.addf(at, "%s", strings.TrimPrefix(err.Error(), "units: "))
		}
		return false
	})
}

// checkExpect has the expectations checked by whoever can read them.
func (c *checker) checkExpect(resolved *Topology) {
	if c.options.CheckExpect == nil {
		return
	}
	for i, expression := range c.t.Expect {
		at := c.root.field("expect").item(i)
		offset, err := c.options.CheckExpect(resolved, expression)
		switch {
		case err == nil:
		case at.given() && at.v.kind == stringKind:
			offset = min(max(offset, 0), len(expression))
			c.problems.addAt(at, at.v.offset+literalOffset(at.v.literal, offset), err.Error())
		default:
			c.addf(at, "%s", fmt.Sprintf("%s: %s", quote(expression), err))
		}
	}
}
