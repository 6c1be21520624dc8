package topology

import (
	"slices"
	"strings"

	"netlab/units"
)

// The sizes of IP packets that a link must at least carry (RFC 8200 section 5, RFC 791) and can at most have.
const (
	minMTUv6 = 1280
	minMTUv4 = 68
	maxMTU   = 65535
)

// checkLinks checks each entry of the links.
func (c *checker) checkLinks() {
	at := c.root.field("defaults").field("link")
	c.checkParams(at, &c.t.Defaults.Link, nil, nil)
	c.checkMTU(at, &c.t.Defaults.Link, false)
	byEntry := make([][]*pair, len(c.t.Links))
	for i := range c.lab.links {
		p := &c.lab.links[i]
		byEntry[p.entry] = append(byEntry[p.entry], p)
	}
	for i := range c.t.Links {
		link := &c.t.Links[i]
		at := c.root.field("links").item(i)
		if link.Name != "" || at.field("name").given() {
			if message := checkLabel(link.Name, maxLinkName); message != "" {
				c.addf(at.field("name"), "%s", message)
			}
		}
		c.checkParams(at, &link.LinkParams, &link.Forward, &link.Backward)
		ipv6 := slices.ContainsFunc(byEntry[i], c.lab.carriesIPv6)
		c.checkMTUs(at, ipv6, &link.LinkParams, &link.Forward, &link.Backward)
		c.checkInheritedMTU(at, link, ipv6)
		c.checkTogether(at, link)
		c.checkPins(at, link, byEntry[i])
	}
}

// carriesIPv6 says whether an end of the link is a host or router that speaks IPv6.
func (l *lab) carriesIPv6(p *pair) bool {
	for _, n := range p.ends {
		if _, ipv6 := l.families(n); ipv6 && l.kind(n) != Switch {
			return true
		}
	}
	return false
}

// checkParams checks properties of links one by one, those of both directions and of each; nil means that there are none.
func (c *checker) checkParams(at place, both, forward, backward *LinkParams) {
	for _, part := range []struct {
		at place
		p  *LinkParams
	}{{at, both}, {at.field("forward"), forward}, {at.field("backward"), backward}} {
		if part.p == nil {
			continue
		}
		positive(c, part.at.field("burst"), part.p.Burst)
		positive(c, part.at.field("peak_rate"), part.p.PeakRate)
		if r := part.p.Reorder; r != nil {
			at := part.at.field("reorder")
			c.atLeastOne(at.field("gap"), r.Gap)
			c.atLeastOne(at.field("depth"), r.Depth)
			positive(c, at.field("hold"), r.Hold)
		}
		if x := part.p.Corrupt; x != nil {
			c.atLeastOne(part.at.field("corrupt").field("bits"), x.Bits)
		}
		if q := part.p.Queue; q != nil {
			c.checkQueue(part.at.field("queue"), q)
		}
	}
}

// atLeastOne reports a count that is given and not positive.
func (c *checker) atLeastOne(at place, n int) {
	if n < 0 || n == 0 && at.given() {
		c.addf(at, "found %d, wanted 1 or more", n)
	}
}

// checkQueue checks a queue by itself.
func (c *checker) checkQueue(at place, q *Queue) {
	positive(c, at.field("target"), q.Target)
	positive(c, at.field("interval"), q.Interval)
	positive(c, at.field("burst"), q.Burst)
	positive(c, at.field("quantum"), q.Quantum)
	positive(c, at.field("min_threshold"), q.MinThreshold)
	positive(c, at.field("max_threshold"), q.MaxThreshold)
	c.atLeastOne(at.field("flows"), q.Flows)
	if q.Weight == 0 && at.field("weight").given() {
		c.addf(at.field("weight"), "found 0, wanted more than that and up to 1")
	}
	band := map[units.DSCP]int{}
	for i, points := range q.Bands {
		for j, p := range points {
			if other, twice := band[p]; twice {
				c.addf(at.field("bands").item(i).item(j), "%s is in band %d already", p, other)
			}
			band[p] = i
		}
	}
	if len(q.Bands) > maxBands {
		c.addf(at.field("bands"), "found %d bands, wanted up to %d", len(q.Bands), maxBands)
	}
}

// maxBands is how many bands a priority queue can have: one for each code point.
const maxBands = 64

// checkTogether checks whether the properties of each direction of a link make sense together.
func (c *checker) checkTogether(at place, link *Link) {
	if _, known := c.t.profile(link.Profile); !known {
		return
	}
	forward, backward := c.t.effective(link)
	for i, p := range []*LinkParams{&forward, &backward} {
		params := p.Params()
		if err := params.Validate(); err != nil {
			own := at.field([]string{"forward", "backward"}[i])
			c.addParamError(at, own, err)
			return // the other direction would mostly say the same
		}
	}
}

// addParamError reports what is wrong with properties of a link at the field that it names: of the direction, or of both.
func (c *checker) addParamError(both, own place, err error) {
	field, _, _ := strings.Cut(err.Error(), " ")
	if field == "mtu" || strings.HasSuffix(err.Error(), "its data is missing") {
		return // checkMTU or loadFiles has said so
	}
	for _, at := range []place{own, both} {
		if at := at.descend(strings.TrimSuffix(field, ":")); at.given() {
			c.addf(at, "%s", err)
			return
		}
	}
	c.addf(both, "%s", err)
}

// checkMTU checks a given MTU.
func (c *checker) checkMTU(at place, p *LinkParams, ipv6 bool) {
	least, reason := units.Bytes(minMTUv4), ""
	if ipv6 {
		least, reason = minMTUv6, " on a link with IPv6"
	}
	given := p.MTU != 0 || at.field("mtu").given()
	if given && (p.MTU < least || p.MTU > maxMTU) {
		c.addf(at.field("mtu"), "found %s, wanted %dB to %dB%s", p.MTU, int64(least), maxMTU, reason)
	}
}

// checkMTUs checks the MTUs that a link gives, for both directions and for each.
func (c *checker) checkMTUs(at place, ipv6 bool, both, forward, backward *LinkParams) {
	c.checkMTU(at, both, ipv6)
	c.checkMTU(at.field("forward"), forward, ipv6)
	c.checkMTU(at.field("backward"), backward, ipv6)
}

// checkInheritedMTU checks the MTU that a link has from its profile or the defaults.
func (c *checker) checkInheritedMTU(at place, link *Link, ipv6 bool) {
	profile, known := c.t.profile(link.Profile)
	if !ipv6 || !known {
		return
	}
	for _, d := range []struct{ own, profile LinkParams }{{link.Forward, profile.Forward}, {link.Backward, profile.Backward}} {
		both := c.t.Defaults.Link.With(profile.LinkParams).With(d.profile)
		if mtu := both.MTU; link.MTU == 0 && d.own.MTU == 0 && mtu != 0 && mtu < minMTUv6 {
			from := "default MTU"
			if profile.LinkParams.With(d.profile).MTU != 0 {
				from, at = "profile's MTU", at.field("profile")
			}
			c.addf(at, "the %s of %s is too small for a link with IPv6: want %dB to %dB", from, mtu, minMTUv6, maxMTU)
			return // the other direction would say the same
		}
	}
}

// checkPins checks for which nodes addresses and MAC addresses are given. What they are is checked with the plan.
func (c *checker) checkPins(at place, link *Link, pairs []*pair) {
	pins := map[string][]string{"addresses": sortedKeys(link.Addresses), "macs": sortedKeys(link.MACs)}
	for _, field := range []string{"addresses", "macs"} {
		switch {
		case len(pins[field]) == 0 || len(pairs) == 0:
		case len(pairs) > 1:
			c.addf(at.field(field), "%s belong to one link, but %s stands for %d; give the links one by one", field, quote(link.Between), len(pairs))
		default:
			ends := []string{c.lab.name(pairs[0].ends[0]), c.lab.name(pairs[0].ends[1])}
			for _, node := range pins[field] {
				if !slices.Contains(ends, node) {
					c.addf(at.field(field).field(node).name(), "%s is no end of this link: want %s or %s", quote(node), ends[0], ends[1])
				}
			}
		}
	}
	for node := range link.Addresses {
		if n, ok := c.lab.nodes.Index(node); ok && c.lab.kind(n) == Switch {
			c.addf(at.field("addresses").field(node).name(), "%s is a switch and has no addresses", node)
		}
	}
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
