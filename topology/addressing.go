package topology

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"netlab/topology/plan"
)

// Plan returns interfaces, addresses and routes of the topology's nodes and links, numbered as in the file with its ranges
// taken apart; for a resolved topology these are the indices of Nodes and Links. The error is of type [Errors].
func (t *Topology) Plan() (*plan.Plan, error) {
	c := &checker{t: t, problems: &problems{}, options: &Options{}}
	c.planned()
	return c.plan, c.problems.err()
}

// makePlan has addresses and routes made.
func (c *checker) makePlan() {
	p, err := plan.Make(c.planLab())
	for _, err := range flatten(err) {
		c.planError(err)
	}
	c.plan = p
}

// planLab describes the lab to package plan.
func (c *checker) planLab() *plan.Lab {
	out := &plan.Lab{Shared: c.planShared(), ECMP: c.t.Routing != nil && c.t.Routing.ECMP}
	for n, name := range c.lab.nodes.names {
		node := c.lab.node(n)
		ipv4, ipv6 := c.lab.families(n)
		p := plan.Node{Name: name, IPv4: ipv4, IPv6: ipv6, Subnets: node.Subnets}
		switch c.lab.kind(n) {
		case Router:
			p.Kind = plan.Router
		case Switch:
			p.Kind = plan.Switch
		}
		if node.Routes != nil {
			p.Routes = make([]plan.Route, len(node.Routes))
			for i, r := range node.Routes {
				p.Routes[i] = plan.Route(r)
			}
		}
		out.Nodes = append(out.Nodes, p)
	}
	for _, link := range c.lab.links {
		entry := &c.t.Links[link.entry]
		forward, backward := c.t.effective(entry)
		p := plan.Link{ID: link.id}
		p.Latency[0], p.Latency[1] = forward.Latency.Mean(), backward.Latency.Mean()
		for i, n := range link.ends {
			p.Ends[i] = plan.End{Node: n, Addresses: entry.Addresses[c.lab.name(n)], MAC: entry.MACs[c.lab.name(n)]}
		}
		out.Links = append(out.Links, p)
	}
	return out
}

// planError finds the place of an error of package plan.
func (c *checker) planError(err error) {
	var e *plan.Error
	if !errors.As(err, &e) {
		c.addf(c.root, "%s", err)
		return
	}
	at := c.root
	if n, ok := c.lab.nodes.Index(e.Node); ok {
		at = at.field("nodes").field(c.t.Nodes.entries[c.lab.entry[n]].Name)
	} else if l, ok := c.lab.ids.Index(e.Link); ok {
		at = at.field("links").item(c.lab.links[l].entry)
	} else if e.Shared != "" {
		at = at.field("addresses").field(e.Shared)
	}
	c.addf(at.steps(e.Field), "%s", e.Message)
}

// steps returns the place at a path such as addresses.client[0].
func (p place) steps(path string) place {
	for _, step := range strings.Split(path, ".") {
		name, rest, _ := strings.Cut(step, "[")
		if name != "" {
			p = p.field(name)
		}
		if i, err := strconv.Atoi(strings.TrimSuffix(rest, "]")); err == nil {
			p = p.item(i)
		}
	}
	return p
}

// resolveLink returns one link with everything filled in.
func (c *checker) resolveLink(i int) Link {
	link := c.lab.links[i]
	entry := &c.t.Links[link.entry]
	forward, backward := c.t.effective(entry)
	out := Link{
		Name:       link.id,
		Between:    c.lab.name(link.ends[0]) + " - " + c.lab.name(link.ends[1]),
		LinkParams: c.t.shared(entry),
		Addresses:  map[string][]netip.Prefix{},
		MACs:       map[string]string{},
	}
	out.Forward = forward.without(out.LinkParams)
	out.Backward = backward.without(out.LinkParams)
	for end, n := range link.ends {
		itf := &c.plan.Interfaces[i][end]
		out.MACs[c.lab.name(n)] = itf.MAC.String()
		if len(itf.Addresses) > 0 {
			out.Addresses[c.lab.name(n)] = itf.Addresses
		}
	}
	return out
}
