package topology

import (
	"errors"
	"slices"

	"netlab/services"
)

// checkWorkloads checks each workload.
func (c *checker) checkWorkloads() {
	for i := range c.t.Workloads.entries {
		e := &c.t.Workloads.entries[i]
		at := c.root.field("workloads").field(e.Name)
		if message := checkLabel(e.Name, maxLabel); message != "" {
			c.addf(at.name(), "%s", message)
		} else if slices.Contains(reserved, e.Name) {
			c.addf(at.name(), "%q means something else in expectations: a workload needs another name", e.Name)
		}
		w := &e.Value
		c.checkFrom(at.field("from"), w.From)
		if c.t.Duration > 0 && w.Start >= c.t.Duration {
			c.addf(at.field("start"), "found %s, wanted less than the run's duration of %s", w.Start, c.t.Duration)
		}
		c.from = c.clients(w.From)
		c.checkConfig(at, w.Type, w.Config)
		c.checkAsker(at, w.Config)
		c.checkLevel(at, w)
		if c.t.Duration == 0 && w.Config != nil && w.Config.Endless() {
			c.addf(at, `this %s never ends by itself: the file needs a "duration"`, w.Type)
		}
	}
}

// checkLevel checks the objective of a workload.
func (c *checker) checkLevel(at place, w *Workload) {
	if w.SLO == nil {
		return
	}
	for _, err := range flatten(w.SLO.Validate()) {
		var field *services.FieldError
		if errors.As(err, &field) {
			c.addf(at.descend(field.Field), "%s", field.Problem)
		}
	}
}

// checkFrom checks that a workload runs on hosts.
func (c *checker) checkFrom(at place, from Patterns) {
	if len(from) == 0 && (at.given() || c.root.v == nil) {
		c.addf(at, "the list is empty: a workload runs on at least one host")
	}
	if !c.nodesKnown {
		return
	}
	for i, p := range from {
		found, err := c.lab.nodes.Match(p)
		if err != nil {
			c.addf(at.item(i), "%s", err)
			continue
		}
		for _, n := range found {
			if kind := c.lab.kind(n); kind == Router || kind == Switch {
				c.addf(at.item(i), "%s is a %s: workloads run on hosts", c.lab.name(n), kind)
				break
			}
		}
	}
}
