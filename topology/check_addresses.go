package topology

import (
	"slices"

	"netlab/services"
	"netlab/topology/plan"
)

// checkAddresses checks the addresses that have a name of their own.
func (c *checker) checkAddresses() {
	section := c.root.field("addresses")
	for i := range c.t.Addresses.entries {
		e := &c.t.Addresses.entries[i]
		at, a := section.field(e.Name), &e.Value
		if message := checkLabel(e.Name, maxLabel); message != "" {
			c.addf(at.name(), "%s", message)
		}
		if _, taken := c.lab.nodes.Index(e.Name); taken {
			c.addf(at.name(), "%s is the name of a node: give the address another one", e.Name)
		}
		switch {
		case a.Segment == "" && a.Anycast == nil:
			c.addf(at, "it says nothing of where the address is: want \"segment\", the switch in whose network it lies, or \"anycast\", the hosts that have it")
			continue
		case a.Segment != "" && a.Anycast != nil:
			c.addf(at.field("anycast").name(), "an address in a segment is had by one host at a time: want either \"segment\" or \"anycast\"")
			continue
		}
		if at := at.field("addresses"); at.given() && len(a.Addresses) == 0 {
			c.addf(at, "it names no address; leave the field out for the default")
		}
		if !c.linksKnown {
			continue
		}
		if a.Anycast != nil {
			c.checkAnycast(at, a)
		} else {
			c.checkVirtual(at, a)
		}
	}
}

func (c *checker) checkAnycast(at place, a *Address) {
	for _, f := range []string{"host", "silent"} {
		if at := at.field(f); at.given() {
			c.addf(at.name(), "only an address in a segment has it, and this is an anycast address")
		}
	}
	if len(a.Anycast) == 0 {
		c.addf(at.field("anycast"), "it names no hosts")
	}
	c.checkHosts(at.field("anycast"), a.Anycast, -1)
}

func (c *checker) checkVirtual(at place, a *Address) {
	n, ok := c.lab.nodes.Index(a.Segment)
	if !ok {
		c.addf(at.field("segment"), "no node is called %s%s", quote(a.Segment), c.lab.nodes.suggest(a.Segment, c.lab.nodes.names))
		return
	}
	if c.lab.kind(n) != Switch {
		c.addf(at.field("segment"), "%s is a %s, wanted a switch", a.Segment, c.lab.kind(n))
		return
	}
	if c.lab.node(n).Neighbors == Static && a.Host == "" {
		c.addf(at.field("segment"), "the nodes behind %s know each other's MAC addresses from the start (\"neighbors\": \"static\") and wouldn't "+
			"learn who has the address: name its \"host\"", a.Segment)
	}
	if a.Host != "" {
		c.checkHosts(at.field("host"), Patterns{a.Host}, n)
	}
	hosts := c.checkHosts(at.field("silent"), a.Silent, n)
	if h, ok := c.lab.nodes.Index(a.Host); ok && slices.Contains(hosts, h) {
		c.addf(at.field("silent"), "%s answers for the address, as it is its \"host\", and can't be silent about it", a.Host)
	}
}

// checkHosts checks that patterns name hosts, of the segment of a switch if it isn't -1, and returns them.
func (c *checker) checkHosts(at place, patterns Patterns, segment int) (hosts []int) {
	for i, p := range patterns {
		at := at
		if at.given() && at.v.kind == arrayKind {
			at = at.item(i)
		}
		found, err := c.lab.nodes.Match(p)
		if err != nil {
			c.addf(at, "%s", err)
			continue
		}
		for _, n := range found {
			switch {
			case c.lab.kind(n) != Host:
				c.addf(at, "%s is a %s, wanted a host", c.lab.name(n), c.lab.kind(n))
			case !c.lab.linked(n):
				c.addf(at, "%s has no link that gives it an address", c.lab.name(n))
			case segment >= 0 && !c.inSegment(n, segment):
				c.addf(at, "%s is not in the segment of %s", c.lab.name(n), c.lab.name(segment))
			default:
				hosts = append(hosts, n)
				continue
			}
			break
		}
	}
	return hosts
}

// inSegment says whether a host has a link to a switch of the segment that a switch belongs to.
func (c *checker) inSegment(host, sw int) bool {
	seen := map[int]bool{sw: true}
	for queue := []int{sw}; len(queue) > 0; queue = queue[1:] {
		for i := range c.lab.links {
			for end, n := range c.lab.links[i].ends {
				next := c.lab.links[i].ends[1-end]
				switch {
				case n != queue[0] || seen[next]:
				case next == host:
					return true
				case c.lab.kind(next) == Switch:
					seen[next] = true
					queue = append(queue, next)
				}
			}
		}
	}
	return false
}

// planShared describes the addresses to package plan.
func (c *checker) planShared() (list []plan.Shared) {
	for _, e := range c.t.Addresses.Entries() {
		s := plan.Shared{Name: e.Name, Switch: -1, Given: e.Value.Addresses}
		if e.Value.Anycast != nil {
			s.Members, _, _ = c.lab.nodes.MatchAll(e.Value.Anycast)
		} else {
			s.Switch, _ = c.lab.nodes.Index(e.Value.Segment)
		}
		list = append(list, s)
	}
	return list
}

// resolveAddresses returns the addresses with everything filled in.
func (c *checker) resolveAddresses() (out Map[Address]) {
	for i, e := range c.t.Addresses.Entries() {
		a := e.Value
		a.Addresses = c.plan.Shared[i]
		if a.Silent != nil {
			a.Silent = c.names(a.Silent)
		}
		if a.Anycast != nil {
			a.Anycast = c.names(a.Anycast)
		}
		out.Set(e.Name, a)
	}
	return out
}

// checkHeldAddresses checks the addresses that services take.
func (c *checker) checkHeldAddresses() {
	if !c.nodesKnown {
		return
	}
	hosts := c.hostsOfEntries()
	for i, e := range c.t.Nodes.Entries() {
		for name, s := range e.Value.Services.All() {
			c.checkAddressNames(c.root.field("nodes").field(e.Name).field("services").field(name), s.Config, hosts[i])
		}
	}
}

// checkAddressNames checks the names of addresses in a service's configuration: each lies in a segment that the service's hosts
// are on, and nobody has it for good.
func (c *checker) checkAddressNames(at place, config services.Config, hosts []int) {
	if config == nil {
		return
	}
	holder, ok := config.(services.AddressHolder)
	if !ok {
		return
	}
	field, names := holder.HeldAddresses()
	at = at.descend(field)
	known := make([]string, 0, c.t.Addresses.Len())
	for _, e := range c.t.Addresses.Entries() {
		known = append(known, e.Name)
	}
	for i, name := range names {
		at := at
		if at.given() && at.v.kind == arrayKind {
			at = at.item(i)
		}
		a, ok := c.t.Addresses.Get(name)
		switch {
		case !ok:
			c.addf(at, "no address is called %s; declare it in \"addresses\": {%q: {\"segment\": …}}%s", quote(name), name, didYouMean(name, known))
		case a.Segment == "":
			c.addf(at, "%s is an anycast address, which doesn't move from host to host: want one in a \"segment\"", name)
		case a.Host != "":
			c.addf(at, "%s is an address of %s for good: leave its \"host\" out", name, a.Host)
		default:
			sw, isNode := c.lab.nodes.Index(a.Segment)
			for _, n := range hosts {
				if isNode && c.linksKnown && !c.inSegment(n, sw) {
					c.addf(at, "%s is an address in the segment of %s, which %s is not on", name, a.Segment, c.lab.name(n))
					break
				}
			}
		}
	}
}
