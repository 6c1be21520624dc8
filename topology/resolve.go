package topology

import (
	"netlab/topology/plan"
	"netlab/units"
)

// captureAllUpTo is the size of the largest lab in which every node is captured, and every host watched, by default.
const captureAllUpTo = 64

// defaultAgeing is how long a switch remembers an address (IEEE 802.1Q, 8.8.3).
const defaultAgeing = units.Duration(300e9)

// Resolve checks the topology and returns it as netlab understands it: ranges are single nodes and links, every link has a
// name, defaults and patterns are replaced by what they stand for, and addresses, MAC addresses and routes are given. What
// has no value by default stays out: a run's duration, buffers that the stack tunes.
//
// The result is a valid file that resolves to itself. The nodes of a range share the configurations of their services,
// which are to be treated as read-only, as is everything else that the result shares with t. The error is of type
// [Errors].
func (t *Topology) Resolve() (*Topology, error) {
	c := &checker{t: t, problems: &problems{}, options: &Options{}}
	resolved := c.run()
	if err := c.problems.err(); err != nil {
		return nil, err
	}
	return resolved, nil
}

// resolve makes the resolved topology once everything is checked and planned.
func (c *checker) resolve() *Topology {
	t := c.t
	out := &Topology{
		Schema: t.Schema, Name: t.Name, Description: t.Description, Seed: t.Seed, Duration: t.Duration,
		Expect: t.Expect, Files: t.Files, contents: t.contents,
	}
	if out.Name == "" {
		out.Name = "lab"
	}
	if out.Seed == 0 {
		out.Seed = 1
	}
	subnets := c.segmentNetworks()
	for n, name := range c.lab.nodes.names {
		out.Nodes.Set(name, c.resolveNode(n, subnets))
	}
	for i := range c.lab.links {
		out.Links = append(out.Links, c.resolveLink(i))
	}
	out.Addresses = c.resolveAddresses()
	for name, w := range t.Workloads.All() {
		w.From = c.names(w.From)
		w.Config = c.expanded(w.Config)
		out.Workloads.Set(name, w)
	}
	out.Routing = t.Routing.filled()
	out.Faults = c.resolveFaults()
	out.checkFilter = c.options.CheckFilter
	out.Captures = c.resolveCaptures()
	out.Telemetry = c.resolveTelemetry()
	return out
}

// names returns the names that patterns stand for, in file order.
func (c *checker) names(patterns []string) []string {
	found, _, err := c.lab.nodes.MatchAll(patterns)
	if err != nil {
		panic("topology: a checked pattern doesn't match: " + err.Error())
	}
	return c.lab.nodes.selectNames(found)
}

func (c *checker) resolveNode(n int, subnets map[int]plan.Segment) Node {
	node := *c.lab.node(n)
	node.Kind = c.lab.kind(n)
	if node.Kind == Switch {
		segment := subnets[n]
		node.Subnets = segment.Networks[:]
		if node.Ageing == 0 {
			node.Ageing = defaultAgeing
		}
		if node.Neighbors == "" {
			node.Neighbors = Resolve
		}
		return node
	}
	ipv4, ipv6 := c.lab.families(n)
	switch {
	case ipv4 && ipv6:
		node.IP = Dual
	case ipv4:
		node.IP = IPv4Only
	default:
		node.IP = IPv6Only
	}
	node.Routes = []Route{}
	for _, r := range c.plan.Routes[n] {
		node.Routes = append(node.Routes, Route(r))
	}
	if node.Kind == Router {
		c.resolveRouter(n, &node)
	}
	if node.Kind == Host {
		if node.Prefer == "" {
			node.Prefer = node.IP
			if node.IP == Dual {
				node.Prefer = IPv4Only
			}
		}
		node.TCP = node.TCP.over(c.t.Defaults.TCP).filled()
		node.DNS = c.resolveDNS(n)
		node.Services = c.expandServices(node.Services)
	}
	return node
}

// segmentNetworks returns the segment of each switch.
func (c *checker) segmentNetworks() map[int]plan.Segment {
	of := map[int]plan.Segment{}
	for _, s := range c.plan.Segments {
		for _, n := range s.Switches {
			of[n] = s
		}
	}
	return of
}

func (c *checker) resolveCaptures() *Captures {
	var out Captures
	if c.t.Captures != nil {
		out = *c.t.Captures
	}
	if out.Nodes == nil {
		out.Nodes = Patterns{}
		if c.t.Captures != nil || len(c.lab.nodes.names) <= captureAllUpTo {
			out.Nodes = c.lab.nodes.names
		}
	}
	found, _, err := c.lab.nodes.MatchAll(out.Nodes)
	if err != nil {
		panic("topology: a checked pattern doesn't match: " + err.Error())
	}
	out.Nodes = c.lab.nodes.selectNames(found)
	if out.Secrets == nil {
		out.Secrets = out.Nodes
	} else {
		secrets, _, err := c.lab.nodes.MatchAll(out.Secrets)
		if err != nil {
			panic("topology: a checked pattern doesn't match: " + err.Error())
		}
		out.Secrets = c.lab.nodes.selectNames(secrets)
	}
	interfaces := NewMatcher("captured interface", c.lab.interfaces(found))
	if len(out.Interfaces) == 0 {
		out.Interfaces = interfaces.names
	} else {
		chosen, _, err := interfaces.MatchAll(out.Interfaces)
		if err != nil {
			panic("topology: a checked pattern doesn't match: " + err.Error())
		}
		out.Interfaces = interfaces.selectNames(chosen)
	}
	if out.Format == "" {
		out.Format = "pcapng"
	}
	return &out
}

// over returns the settings with those of base where they give nothing.
func (t TCP) over(base TCP) TCP {
	fill(&t.CongestionControl, base.CongestionControl)
	fill(&t.SACK, base.SACK)
	fill(&t.RACK, base.RACK)
	fill(&t.NoDelay, base.NoDelay)
	fill(&t.SendBuffer, base.SendBuffer)
	fill(&t.ReceiveBuffer, base.ReceiveBuffer)
	fill(&t.KeepAlive, base.KeepAlive)
	fill(&t.UserTimeout, base.UserTimeout)
	fill(&t.Backlog, base.Backlog)
	fill(&t.SYNCookies, base.SYNCookies)
	return t
}

// filled returns the settings with the defaults. Buffers that aren't given stay so, as the stack tunes them, as do
// timers that are off.
func (t TCP) filled() TCP {
	yes := true
	return t.over(TCP{CongestionControl: "cubic", SACK: &yes, RACK: &yes, NoDelay: &yes})
}

// fill sets what has no value yet.
func fill[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}
