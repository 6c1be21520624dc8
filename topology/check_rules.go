package topology

import (
	"slices"

	"netlab/netem"
)

// maxCorruptBits is how many bits a rule can flip: those of the shortest IP packet, a header of IPv4.
const maxCorruptBits = 160

// AllPackets is the filter of a rule that chooses every packet.
const AllPackets = "all"

// filter returns the filter of a rule.
func (f *Fault) filter(verb string) string {
	switch verb {
	case "pass":
		return f.Pass
	case "drop":
		return f.Drop
	case "delay":
		return f.Delay
	case "duplicate":
		return f.Duplicate
	case "corrupt":
		return f.Corrupt
	case "truncate":
		return f.Truncate
	case "reset":
		return f.Reset
	case "reject":
		return f.Reject
	}
	return ""
}

// Filter returns the filter of a rule, empty for one that chooses every packet.
func (f *Fault) Filter() string {
	text := f.filter(f.Verb())
	if text == AllPackets {
		return ""
	}
	return text
}

// checkRule checks a fault about packets.
func (c *checker) checkRule(at place, f *Fault, v *verb) {
	value := at.field(v.name)
	text := f.filter(v.name)
	if text == "" {
		c.addf(value, `the filter is empty: want one such as "tcp port 80", or %q for every packet`, AllPackets)
	} else if c.options.CheckFilter != nil && c.nodesKnown && text != AllPackets {
		if err := c.options.CheckFilter(text, c.lab.nodes.names); err != nil {
			c.addf(value, "%s", err)
		}
	}
	c.checkRulePlace(at, f)
	c.checkTrigger(at, f)
	c.atLeastOne(at.field("copies"), f.Copies)
	c.atLeastOne(at.field("bits"), f.Bits)
	positive(c, at.field("to"), f.To)
	positive(c, at.field("mtu"), f.MTU)
	c.positiveTime(at.field("by"), f.By)
	for _, most := range []struct {
		field string
		found int
		most  int
	}{{"copies", f.Copies, netem.MaxCopies}, {"bits", f.Bits, maxCorruptBits}, {"to", int(f.To), maxMTU}, {"mtu", int(f.MTU), maxMTU}} {
		if most.found > most.most {
			c.addf(at.field(most.field), "found %d, wanted up to %d", most.found, most.most)
		}
	}
	if f.MTU > 0 && f.MTU < minMTUv4 {
		c.addf(at.field("mtu"), "found %s, wanted %dB to %dB", f.MTU, minMTUv4, maxMTU)
	}
	switch {
	case v.name != "reject":
	case f.With == "too-big" && f.MTU == 0:
		c.addf(at.field("mtu"), `too-big needs "mtu", which it tells the sender`)
	case f.With != "too-big" && f.MTU != 0:
		c.addf(at.field("mtu").name(), "goes with too-big only")
	}
}

// checkRulePlace checks where a rule acts.
func (c *checker) checkRulePlace(at place, f *Fault) {
	onLinks, onNodes := f.Link != "" || at.field("link").given(), f.On != nil || at.field("on").given()
	switch {
	case onLinks && onNodes:
		c.addf(at.field("link").name(), "the rule is at nodes already: want either on or link")
		return
	case !onLinks && (f.Direction != "" || at.field("direction").given()):
		c.addf(at.field("direction").name(), "goes with link: it is a direction of that")
	case !onNodes && (f.Side != "" || at.field("side").given()):
		c.addf(at.field("side").name(), "goes with on: it is a side of those nodes")
	}
	if onLinks {
		c.faultLinks(at.field("link"), f.Link)
	}
	if !onNodes || !c.nodesKnown {
		return
	}
	if len(f.On) == 0 {
		c.addf(at.field("on"), "the list is empty: want the names of nodes")
	}
	for i, p := range f.On {
		found, err := c.lab.nodes.Match(p)
		switch {
		case err != nil:
			c.addf(at.field("on").item(i), "%s", err)
		case c.linksKnown && !slices.ContainsFunc(found, c.linked):
			c.addf(at.field("on").item(i), "%s has no links, so there are no packets at it", c.lab.name(found[0]))
		}
	}
}

// linked says whether a node has a link.
func (c *checker) linked(n int) bool {
	return slices.ContainsFunc(c.lab.links, func(p pair) bool { return slices.Contains(p.ends[:], n) })
}

// checkTrigger checks on which of the packets a rule acts.
func (c *checker) checkTrigger(at place, f *Fault) {
	first := ""
	for _, t := range []struct {
		name string
		set  bool
	}{{"first", f.First != 0}, {"nth", f.Nth != 0}, {"every_nth", f.EveryNth != 0}, {"share", f.Share != nil}} {
		switch at := at.field(t.name); {
		case !t.set && !at.given():
		case first != "":
			c.addf(at.name(), "the rule has %s already: want one of them", first)
		default:
			first = t.name
		}
	}
	c.atLeastOne(at.field("first"), f.First)
	c.atLeastOne(at.field("nth"), f.Nth)
	c.atLeastOne(at.field("every_nth"), f.EveryNth)
	c.atLeastOne(at.field("limit"), f.Limit)
}
