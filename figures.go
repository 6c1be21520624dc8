package netlab

import (
	"reflect"
	"slices"
	"strings"

	"netlab/dns"
	"netlab/ip"
	"netlab/netem"
	"netlab/services"
	"netlab/services/catalog"
	"netlab/services/slo"
	"netlab/topology"
	"netlab/topology/expect"
)

// chooser says whether the figures of the thing with that name are wanted. Nil wants all.
type chooser func(name string) bool

// mentioned wants the figures of what some expectations may be about: of thousands of nodes and links they name a few.
func mentioned(texts ...string) chooser {
	return func(name string) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, name) })
	}
}

func (c chooser) wants(name string) bool { return c == nil || c(name) }

// prototypeFigures are the figures that a run of a resolved topology will have, without values.
func prototypeFigures(t *topology.Topology, choose chooser) *expect.Figures {
	table := catalog.Table{}
	f := &expect.Figures{}
	report := func(role services.Role, kind string) any {
		if s, ok := table.Lookup(role, kind); ok && s.Result != nil {
			return s.Result()
		}
		return nil
	}
	for name, n := range t.Nodes.All() {
		if !choose.wants(name) {
			continue
		}
		switch n.Kind {
		case topology.Switch:
			f.Add("nodes."+name+".switch", netem.SwitchStats{})
		case topology.Router:
			addStats(f, name, routerStats(n))
		default:
			addStats(f, name, ip.Stats{TCP: &ip.TCPStats{}, UDP: &ip.UDPStats{}})
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
		if !choose.wants(l.Name) {
			continue
		}
		d := DirectionResult{Dropped: netem.Drops{}.Map(), Marked: netem.Drops{}.Marks()}
		f.Add("links."+l.Name, LinkResult{d, d})
	}
	for i := range t.Faults {
		r := FaultResult{}
		if t.Faults[i].IsRule() {
			r.RuleStats = &netem.RuleStats{}
		}
		f.Add("faults."+t.Faults[i].Name, r)
	}
	for name, w := range t.Workloads.All() {
		f.Add(name, workloadFrame{})
		if r := report(services.Workload, w.Type); r != nil {
			f.Add(name, r)
		}
		if w.SLO != nil {
			f.Add(name, workloadLevel{new(slo.Result)})
		}
	}
	return f
}

// routerStats are the counters that a router has.
func routerStats(n topology.Node) ip.Stats {
	var s ip.Stats
	if n.Firewall != nil || n.NAT != nil {
		s.Tracking = &ip.TrackingStats{}
	}
	if n.Firewall != nil {
		s.Firewall = &ip.FirewallStats{}
		for i := range n.Firewall.Rules {
			s.Firewall.Rules = append(s.Firewall.Rules, ip.RuleStats{Name: n.Firewall.Rules[i].Name})
		}
	}
	if n.NAT != nil {
		s.NAT = &ip.NATStats{}
	}
	return s
}

// addStats adds the counters that a node has. Those of a firewall's rules are added by their names.
func addStats(f *expect.Figures, node string, s ip.Stats) {
	v := reflect.ValueOf(s)
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if part := v.Field(i); part.Kind() != reflect.Pointer || !part.IsNil() {
			f.Add("nodes."+node+"."+name, part.Interface())
		}
	}
	if s.Firewall == nil {
		return
	}
	for _, r := range s.Firewall.Rules {
		if r.Name != "" { // a rule that a Go program added may have none
			f.Add("nodes."+node+".firewall.rules."+r.Name, r)
		}
	}
}

// resultFigures are the figures of a run.
func resultFigures(res *Results, choose chooser) *expect.Figures {
	f := &expect.Figures{}
	for name, n := range res.Nodes.All() {
		if !choose.wants(name) {
			continue
		}
		if n.Stats != nil {
			addStats(f, name, *n.Stats)
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
		if choose.wants(name) {
			f.Add("links."+name, l)
		}
	}
	for name, r := range res.Faults.All() {
		f.Add("faults."+name, r)
	}
	for name, w := range res.Workloads.All() {
		f.Add(name, workloadFrame{w.Type, w.Started, w.Ended, w.Completed, nil})
		if w.Report != nil {
			f.Add(name, w.Report)
		}
		if w.SLO != nil {
			f.Add(name, workloadLevel{w.SLO})
		}
	}
	return f
}
