package topology

import (
	"reflect"
	"slices"

	"netlab/units"
)

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

// positiveTime reports a time that is always zero.
func (c *checker) positiveTime(at place, d *units.Distribution) {
	if d != nil && d.IsZero() {
		c.addf(at, "found 0s, wanted more than that")
	}
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
			c.addf(at, "no fault %s has cut %s", f.upTo(), c.lab.links[l.Index].id)
			return
		}
	}
}

func isFalse(b *bool) bool { return b != nil && !*b }

// checkPartition checks the groups of a partition.
func (c *checker) checkPartition(at place, f *Fault) {
	groups := f.Partition
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
func (c *checker) checkHeal(at place, f *Fault, names map[string]int) {
	if f.Heal == "all" {
		if !slices.ContainsFunc(c.t.Faults, func(g Fault) bool { return g.Partition != nil && g.At <= f.At }) {
			c.addf(at, "there is no partition %s", f.upTo())
		}
		return
	}
	var partitions []string
	for i := range c.t.Faults {
		if g := &c.t.Faults[i]; g.Partition != nil && g.Name != "" {
			partitions = append(partitions, g.Name)
		}
	}
	i, ok := names[f.Heal]
	switch {
	case !ok || !slices.Contains(partitions, f.Heal):
		c.addf(at, "no partition is called %s%s", quote(f.Heal), didYouMean(f.Heal, partitions))
	case c.t.Faults[i].At > f.At:
		c.addf(at, "%s begins at %s, after this", f.Heal, c.t.Faults[i].At)
	}
}

// checkSet checks what a set fault changes.
func (c *checker) checkSet(at place, f *Fault) {
	set := at.field("set")
	if f.Set != nil {
		if reflect.DeepEqual(*f.Set, LinkSet{}) && (c.root.v == nil || len(set.v.children) == 0) {
			c.addf(set, "nothing is changed: want at least one property of links, such as latency, rate, queue or loss")
		}
		c.checkParams(set, &f.Set.LinkParams, &f.Set.Forward, &f.Set.Backward)
	}
	links := c.faultLinks(at.field("link"), f.Link)
	if f.Set == nil || len(links) == 0 {
		return
	}
	ipv6 := slices.ContainsFunc(links, func(l LinkMatch) bool { return c.lab.carriesIPv6(&c.lab.links[l.Index]) })
	c.checkMTUs(set, ipv6, &f.Set.LinkParams, &f.Set.Forward, &f.Set.Backward)
	for _, l := range links {
		if !c.checkSetOn(set, f.Set, l) {
			return // the others would mostly say the same
		}
	}
}

// checkSetOn checks what a link is like after a change, if nothing else has changed it before.
func (c *checker) checkSetOn(at place, s *LinkSet, l LinkMatch) bool {
	link := &c.t.Links[c.lab.links[l.Index].entry]
	if _, known := c.t.profile(link.Profile); !known {
		return false
	}
	forward, backward := c.t.effective(link)
	if l.Reversed {
		forward, backward = backward, forward
	}
	for i, p := range []LinkParams{forward.With(s.LinkParams).With(s.Forward), backward.With(s.LinkParams).With(s.Backward)} {
		params := p.Params()
		if err := params.Validate(); err != nil {
			c.addParamError(at, at.field([]string{"forward", "backward"}[i]), err)
			return false
		}
	}
	return true
}
