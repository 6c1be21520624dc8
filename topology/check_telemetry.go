package topology

import (
	"fmt"
	"slices"
	"strconv"

	"netlab/units"
)

// The least and the most points of a connection's telemetry, and how many there are by default.
const (
	minTelemetryPoints     = 16
	maxTelemetryPoints     = 65536
	defaultTelemetryPoints = 512
)

// checkTelemetry checks what is taken down over time.
func (c *checker) checkTelemetry() {
	t, at := c.t.Telemetry, c.root.field("telemetry")
	if t == nil {
		return
	}
	if points := at.field("points"); (t.Points != 0 || points.given()) && (t.Points < minTelemetryPoints || t.Points > maxTelemetryPoints) {
		c.addf(points, "found %d, wanted %d to %d", t.Points, minTelemetryPoints, maxTelemetryPoints)
	}
	if !c.nodesKnown {
		return
	}
	for i, p := range t.Nodes {
		found, err := c.lab.nodes.Match(p)
		if err != nil {
			c.addf(at.field("nodes").item(i), "%s", err)
		} else if len(c.hostsOf(found)) == 0 {
			c.addf(at.field("nodes").item(i), "%s is a %s: telemetry watches the TCP connections of hosts", c.lab.name(found[0]), c.lab.kind(found[0]))
		}
	}
}

// hostsOf returns those of some nodes that are hosts.
func (c *checker) hostsOf(nodes []int) []int {
	return slices.DeleteFunc(slices.Clone(nodes), func(n int) bool { return c.lab.kind(n) == Router || c.lab.kind(n) == Switch })
}

// resolveTelemetry returns what is taken down over time. Patterns take in hosts only.
func (c *checker) resolveTelemetry() *Telemetry {
	var out Telemetry
	if c.t.Telemetry != nil {
		out = *c.t.Telemetry
	}
	if out.Nodes == nil {
		out.Nodes = Patterns{}
		if c.t.Telemetry != nil || len(c.lab.nodes.names) <= captureAllUpTo {
			out.Nodes = c.lab.nodes.names
		}
	}
	found, _, err := c.lab.nodes.MatchAll(out.Nodes)
	if err != nil {
		panic("topology: a checked pattern doesn't match: " + err.Error())
	}
	out.Nodes = append(Patterns{}, c.lab.nodes.selectNames(c.hostsOf(found))...)
	switch {
	case len(out.Nodes) == 0:
		out.Points = 0 // nothing has points
	case out.Points == 0:
		out.Points = defaultTelemetryPoints
	}
	return &out
}

var telemetryWords = []string{"on", "off"}

// SetBool switches telemetry of all hosts on, or all of it off.
func (t *Telemetry) SetBool(on bool) {
	*t = Telemetry{}
	if !on {
		t.Nodes = Patterns{}
	}
}

// setText reads on and off, which are the same as true and false.
func (t *Telemetry) setText(text string) error {
	if _, err := strconv.ParseFloat(text, 64); err == nil { // numbers come as they are written, too
		return fmt.Errorf(`found %s, wanted true, false, "on", "off" or an object`, text)
	}
	if !slices.Contains(telemetryWords, text) {
		return &units.ParseError{Found: text, Problem: `is neither "on" nor "off"`, Suggestion: units.Suggest(text, telemetryWords)}
	}
	t.SetBool(text == "on")
	return nil
}

// MarshalJSON writes false for what is switched off.
func (t Telemetry) MarshalJSON() ([]byte, error) {
	if t.Nodes != nil && len(t.Nodes) == 0 && t.Points == 0 {
		return marshal(false)
	}
	type object Telemetry
	return marshal(object(t))
}
