package topology

import (
	"slices"
	"time"

	"netlab/units"
)

// defaultKinds are those that are drawn when the file names none.
var defaultKinds = []ChaosKind{ChaosCrash, ChaosPause, ChaosCut, ChaosPartition, ChaosOneWayPartition, ChaosSlow, ChaosLoss, ChaosLatency}

// The defaults of chaos; that of quiet is a part of the run.
const (
	defaultChaosEvery = 10 * time.Second
	defaultChaosLeast = time.Second
	defaultChaosMost  = 5 * time.Second
	defaultQuietPart  = 5
)

// maxDrawn is how many faults chaos draws at most.
const maxDrawn = 10_000

// checkChaos checks what chaos draws from, and draws.
func (c *checker) checkChaos() {
	chaos, at := c.t.Chaos, c.root.field("chaos")
	if chaos == nil {
		return
	}
	before := len(c.problems.list)
	c.chaosTime(at.field("every"), chaos.Every)
	c.chaosTime(at.field("for"), chaos.For)
	c.atLeastOne(at.field("count"), chaos.Count)
	c.atLeastOne(at.field("concurrent"), chaos.Concurrent)
	d := newDraw(c, chaos)
	c.checkChaosTimes(at, chaos, d)
	if c.nodesKnown {
		d.nodes = c.chaosNodes(at.field("nodes"), chaos)
	}
	if c.linksKnown {
		d.links = c.chaosLinks(at.field("links"), chaos)
	}
	if !c.nodesKnown || !c.linksKnown || len(c.problems.list) > before {
		return
	}
	c.checkKinds(at, chaos, d)
	if c.broken || len(c.problems.list) > 0 {
		return // what is drawn depends on the whole file
	}
	if c.chaos = d.all(); len(c.chaos) > maxDrawn {
		c.addf(at.field("every"), "more than %d faults would be drawn: want a longer time between them, or a count", maxDrawn)
	}
}

// chaosTime reports a time that is always zero.
func (c *checker) chaosTime(at place, d units.Distribution) {
	if d.IsZero() && at.given() {
		c.addf(at, "found 0s, wanted more than that; leave the field out for its default")
	}
}

// checkChaosTimes checks that there is time for a fault.
func (c *checker) checkChaosTimes(at place, chaos *Chaos, d *draw) {
	positive(c, at.field("quiet"), chaos.Quiet)
	run := c.t.Duration
	switch {
	case run <= 0:
		if duration := c.root.field("duration"); !duration.given() && run == 0 {
			c.addf(at, `chaos draws faults for the time of the run: give the file a "duration"`)
		}
	case d.until <= 0 && chaos.Quiet == 0:
		c.addf(at, "a run of %s is too short for a fault of a millisecond and the quiet time behind it", run)
	case d.until <= 0:
		c.addf(at.field("quiet"), "found %s, wanted less than the run's duration of %s", chaos.Quiet, run)
	case chaos.Start >= d.until:
		c.addf(at.field("start"), "found %s, but every fault has to be over at %s, when the quiet time begins", chaos.Start, d.until)
	case d.every.IsConstant() && chaos.Start+units.Duration(d.every.Mean()) >= d.until:
		c.addf(at.field("every"), "found %s, so that the first fault would begin at %s, but every fault has to be over at %s, when the quiet time begins",
			d.every, chaos.Start+units.Duration(d.every.Mean()), d.until)
	}
}

// chaosNodes returns the nodes that faults may hit.
func (c *checker) chaosNodes(at place, chaos *Chaos) []int {
	if chaos.Nodes == nil {
		var found []int
		for n := range c.lab.nodes.names {
			if kind := c.lab.kind(n); kind == Router || kind == Host && c.lab.node(n).Services.Len() > 0 {
				found = append(found, n)
			}
		}
		return found
	}
	if len(chaos.Nodes) == 0 {
		c.addf(at, "the list is empty: want names of nodes, or kinds without those that hit nodes")
	}
	found := c.patterns(at, c.lab.nodes, chaos.Nodes)
	slices.Sort(found)
	return slices.Compact(found)
}

// chaosLinks returns the links that faults may hit.
func (c *checker) chaosLinks(at place, chaos *Chaos) []int {
	var found []int
	if chaos.Links == nil {
		for i := range c.lab.links {
			found = append(found, i)
		}
		return found
	}
	if len(chaos.Links) == 0 {
		c.addf(at, "the list is empty: want links, or kinds without those that hit links")
	}
	for i, text := range chaos.Links {
		for _, m := range c.faultLinks(at.item(i), text) {
			found = append(found, m.Index)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// checkKinds finds out which kinds have something to hit. Those that the file names must; of the default ones at least one.
func (c *checker) checkKinds(at place, chaos *Chaos, d *draw) {
	if chaos.Kinds == nil {
		for _, kind := range defaultKinds {
			d.add(kind)
		}
		if d.kinds == nil {
			c.addf(at, "there is nothing to hit: the lab has no link, no router and no host with services; name nodes")
		}
		return
	}
	if len(chaos.Kinds) == 0 {
		c.addf(at.field("kinds"), "the list is empty: want kinds of faults")
	}
	for i, kind := range chaos.Kinds {
		at := at.field("kinds").item(i)
		switch known := chaosKinds[kind]; {
		case known.draw == nil: // the enum has been reported
		case slices.Contains(d.kinds, kind):
			c.addf(at, "%s is in the list already", kind)
		case !d.add(kind):
			c.addf(at, "%s has nothing to hit: want %s", kind, known.wants)
		}
	}
}

// drawn returns the faults that chaos draws.
func (c *checker) drawn() []Fault { return c.chaos }
