package topology

import (
	"slices"
	"strings"
)

var verbs = []string{"cut", "restore", "partition", "heal", "set"}

// checkFaults checks each fault, and that what one undoes was done by an earlier one.
func (c *checker) checkFaults() {
	partitions := map[string]int{}
	for i := range c.t.Faults {
		f, at := &c.t.Faults[i], c.root.field("faults").item(i)
		if f.Name == "" || f.Partition == nil {
			continue
		}
		first, taken := partitions[f.Name]
		message := checkLabel(f.Name, maxLabel)
		switch {
		case message != "":
			c.addf(at.field("name"), "%s", message)
		case f.Name == "all":
			c.addf(at.field("name"), `"all" means all partitions: a partition needs another name`)
		case taken:
			c.addf(at.field("name"), "%q is already the name of faults[%d]", f.Name, first)
		default:
			partitions[f.Name] = i
		}
	}
	for i := range c.t.Faults {
		f, at := &c.t.Faults[i], c.root.field("faults").item(i)
		if verb := c.checkVerb(at, f); verb != "" {
			c.checkFault(at, f, verb, partitions)
		}
	}
}

// checkVerb returns the one verb of a fault, or "" after a report.
func (c *checker) checkVerb(at place, f *Fault) string {
	used := map[string]bool{"cut": f.Cut != "", "restore": f.Restore != "", "partition": f.Partition != nil, "heal": f.Heal != "", "set": f.Set != nil}
	var found []string
	for _, v := range verbs {
		if used[v] || at.field(v).given() {
			found = append(found, v)
		}
	}
	switch len(found) {
	case 1:
		return found[0]
	case 0:
		c.addf(at, "the fault has no verb: want one of %s", strings.Join(verbs, ", "))
	default:
		c.addf(at.field(found[1]).name(), "the fault has %d verbs, %s: want one; write a fault for each", len(found), strings.Join(found, " and "))
	}
	return ""
}

func (c *checker) checkFault(at place, f *Fault, verb string, partitions map[string]int) {
	if c.t.Duration > 0 && f.At >= c.t.Duration {
		c.addf(at.field("at"), "found %s, wanted less than the run's duration of %s", f.At, c.t.Duration)
	}
	positive(c, at.field("for"), f.For)
	c.belongs(at.field("name"), verb, "partition", f.Name != "")
	c.belongs(at.field("link"), verb, "set", f.Link != "")
	if verb == "restore" || verb == "heal" {
		if f.For != 0 || at.field("for").given() {
			c.addf(at.field("for").name(), `%s is done at once and has no "for"`, verb)
		}
	}
	switch verb {
	case "cut":
		c.faultLinks(at.field("cut"), f.Cut)
	case "restore":
		c.checkRestore(at.field("restore"), f)
	case "partition":
		c.checkPartition(at.field("partition"), f.Partition)
	case "heal":
		c.checkHeal(at.field("heal"), f, partitions)
	case "set":
		c.checkSet(at, f)
	}
}

// belongs reports a field that goes with another verb.
func (c *checker) belongs(at place, verb, owner string, set bool) {
	if verb != owner && (set || at.given()) {
		c.addf(at.name(), "goes with %s, not with %s", owner, verb)
	}
}

// faultLinks returns the links that a fault names, after a report where there are none.
func (c *checker) faultLinks(at place, text string) []LinkMatch {
	if !c.linksKnown {
		return nil
	}
	links, err := c.lab.matchLinks(text)
	if err != nil {
		c.addf(at, "%s", err)
	}
	return links
}

// checkRestore checks that the links are down by then.
func (c *checker) checkRestore(at place, f *Fault) {
	links := c.faultLinks(at, f.Restore)
	if len(links) == 0 {
		return
	}
	down := map[int]bool{}
	for i := range c.t.Faults {
		g := &c.t.Faults[i]
		text := g.Cut
		if s := g.Set; s != nil && (isFalse(s.Up) || isFalse(s.Forward.Up) || isFalse(s.Backward.Up)) {
			text = g.Link
		}
		if text == "" || g.At > f.At {
			continue
		}
		cut, _ := c.lab.matchLinks(text) // its own error is reported elsewhere
		for _, l := range cut {
			down[l.Index] = true
		}
	}
	for _, l := range links {
		forward, backward := c.t.effective(&c.t.Links[c.lab.links[l.Index].entry])
		if !down[l.Index] && !isFalse(forward.Up) && !isFalse(backward.Up) {
			c.addf(at, "no fault up to %s has cut %s", f.At, c.lab.links[l.Index].id)
			return
		}
	}
}

func isFalse(b *bool) bool { return b != nil && !*b }

// checkPartition checks the groups of a partition.
func (c *checker) checkPartition(at place, groups [][]string) {
	if len(groups) == 0 {
		c.addf(at, "there is no group: want at least one list of nodes")
	}
	if !c.nodesKnown {
		return
	}
	group := map[int]int{}
	for g, members := range groups {
		if len(members) == 0 {
			c.addf(at.item(g), "the group is empty")
		}
		for i, p := range members {
			at := at.item(g).item(i)
			found, err := c.lab.nodes.Match(p)
			if err != nil {
				c.addf(at, "%s", err)
			}
			for _, n := range found {
				other, taken := group[n]
				switch {
				case c.lab.kind(n) == Switch:
					c.addf(at, "%s is a switch, which sends nothing of its own: cut its links instead", c.lab.name(n))
				case taken && other != g:
					c.addf(at, "%s is already in partition[%d]: groups have no node in common", c.lab.name(n), other)
				default:
					group[n] = g
					continue
				}
				break
			}
		}
	}
	if len(groups) == 1 && len(groups[0]) > 0 {
		for n := range c.lab.nodes.names {
			if _, in := group[n]; !in && c.lab.kind(n) != Switch {
				return
			}
		}
		c.addf(at.item(0), "the only group holds every node, so there is nothing to part it from")
	}
}

// checkHeal checks that there is something to heal.
func (c *checker) checkHeal(at place, f *Fault, partitions map[string]int) {
	if f.Heal == "all" {
		if !slices.ContainsFunc(c.t.Faults, func(g Fault) bool { return g.Partition != nil && g.At <= f.At }) {
			c.addf(at, "there is no partition up to %s", f.At)
		}
		return
	}
	i, ok := partitions[f.Heal]
	switch {
	case !ok:
		var names []string
		for name := range partitions {
			names = append(names, name)
		}
		c.addf(at, "no partition is called %s%s", quote(f.Heal), didYouMean(f.Heal, names))
	case c.t.Faults[i].At > f.At:
		c.addf(at, "%s begins at %s, after this", f.Heal, c.t.Faults[i].At)
	}
}

// checkSet checks what a set fault changes.
func (c *checker) checkSet(at place, f *Fault) {
	set := at.field("set")
	if f.Set != nil {
		if *f.Set == (LinkSet{}) && (c.root.v == nil || len(set.v.children) == 0) {
			c.addf(set, "nothing is changed: want at least one of latency, rate, queue, loss, mtu, up")
		}
		c.checkParams(set, &f.Set.LinkParams)
		c.checkParams(set.field("forward"), &f.Set.Forward)
		c.checkParams(set.field("backward"), &f.Set.Backward)
	}
	if f.Link == "" {
		c.addf(at.field("link"), `set needs "link", which names the links that change`)
		return
	}
	links := c.faultLinks(at.field("link"), f.Link)
	if f.Set == nil || len(links) == 0 {
		return
	}
	ipv6 := slices.ContainsFunc(links, func(l LinkMatch) bool { return c.lab.carriesIPv6(&c.lab.links[l.Index]) })
	for _, part := range []struct {
		at     place
		params *LinkParams
	}{{set, &f.Set.LinkParams}, {set.field("forward"), &f.Set.Forward}, {set.field("backward"), &f.Set.Backward}} {
		c.checkMTU(part.at, part.params, ipv6)
	}
}
