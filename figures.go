package netlab

import (
	"netlab/dns"
	"netlab/ip"
	"netlab/netem"
	"netlab/services"
	"netlab/services/catalog"
	"netlab/topology"
	"netlab/topology/expect"
)

// prototypeFigures are the figures that a run of a resolved topology will have, without values.
func prototypeFigures(t *topology.Topology) *expect.Figures {
	table := catalog.Table{}
	f := &expect.Figures{}
	report := func(role services.Role, kind string) any {
		if s, ok := table.Lookup(role, kind); ok && s.Result != nil {
			return s.Result()
		}
		return nil
	}
	for name, n := range t.Nodes.All() {
		switch n.Kind {
		case topology.Switch:
			f.Add("nodes."+name+".switch", netem.SwitchStats{})
		case topology.Router:
			f.Add("nodes."+name, ip.Stats{})
		default:
			f.Add("nodes."+name, ip.Stats{TCP: &ip.TCPStats{}, UDP: &ip.UDPStats{}})
			if len(n.DNS.Servers) > 0 {
				f.Add("nodes."+name+".dns", dns.ResolverStats{})
			}
		}
		for service, s := range n.Services.All() {
			if r := report(services.Service, s.Type); r != nil {
				f.Add("nodes."+name+".services."+service, r)
			}
		}
	}
	for _, l := range t.Links {
		d := DirectionResult{Dropped: netem.Drops{}.Map()}
		f.Add("links."+l.Name, LinkResult{d, d})
	}
	for name, w := range t.Workloads.All() {
		f.Add(name, workloadFrame{})
		if r := report(services.Workload, w.Type); r != nil {
			f.Add(name, r)
		}
	}
	return f
}

// resultFigures are the figures of a run.
func resultFigures(res *Results) *expect.Figures {
	f := &expect.Figures{}
	for name, n := range res.Nodes.All() {
		if n.Stats != nil {
			f.Add("nodes."+name, *n.Stats)
		}
		if n.DNS != nil {
			f.Add("nodes."+name+".dns", *n.DNS)
		}
		if n.Switch != nil {
			f.Add("nodes."+name+".switch", *n.Switch)
		}
		for service, s := range n.Services.All() {
			f.Add("nodes."+name+".services."+service, s.Report)
		}
	}
	for name, l := range res.Links.All() {
		f.Add("links."+name, l)
	}
	for name, w := range res.Workloads.All() {
		f.Add(name, workloadFrame{w.Type, w.Started, w.Ended, w.Completed, nil})
		if w.Report != nil {
			f.Add(name, w.Report)
		}
	}
	return f
}
