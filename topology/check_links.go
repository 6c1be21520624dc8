package topology

import (
	"slices"

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
	c.checkParams(at, &c.t.Defaults.Link)
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
		c.checkParams(at, &link.LinkParams)
		c.checkParams(at.field("forward"), &link.Forward)
		c.checkParams(at.field("backward"), &link.Backward)
		ipv6 := slices.ContainsFunc(byEntry[i], c.lab.carriesIPv6)
		c.checkMTU(at, &link.LinkParams, ipv6)
		c.checkMTU(at.field("forward"), &link.Forward, ipv6)
		c.checkMTU(at.field("backward"), &link.Backward, ipv6)
		if link.MTU == 0 && c.t.Defaults.Link.MTU != 0 && ipv6 && c.t.Defaults.Link.MTU < minMTUv6 {
			c.addf(at, "the default MTU of %s is too small for a link with IPv6: want %dB to %dB", c.t.Defaults.Link.MTU, minMTUv6, maxMTU)
		}
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

// checkParams checks properties of links.
func (c *checker) checkParams(at place, p *LinkParams) {
	if p.Rate == 0 && at.field("rate").given() {
		c.addf(at.field("rate"), `found 0bit/s, wanted more than that; a link that carries nothing has "up": false`)
	}
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
