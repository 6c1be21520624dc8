package netlab

import (
	"net/netip"

	"netlab/captures"
	"netlab/netem"
	"netlab/topology"
)

// addRule puts a packet rule in force.
func (r *Run) addRule(f *topology.Fault) (*netem.Rule, error) {
	c := netem.RuleConfig{
		Name: f.Name, First: f.First, Nth: f.Nth, EveryNth: f.EveryNth, Limit: f.Limit,
		Action: netem.Action(f.Verb()), Copies: f.Copies, Bits: f.Bits, To: int(f.To),
		Rejection: netem.Rejection(f.With), MTU: int(f.MTU),
	}
	if f.Share != nil {
		c.Share = *f.Share
	}
	if f.By != nil {
		c.Delay = *f.By
	}
	if text := f.Filter(); text != "" {
		filter, err := captures.ParseFilter(text, func(name string) ([]netip.Addr, bool) {
			addrs := r.names.Lookup(name)
			return addrs, addrs != nil
		})
		if err != nil {
			return nil, err
		}
		c.Match = filter.Match
	}
	var err error
	c.Places, err = r.rulePlaces(f)
	if err != nil {
		return nil, err
	}
	return r.net.AddRule(c)
}

// rulePlaces returns where a rule acts; none means where each packet begins its way.
func (r *Run) rulePlaces(f *topology.Fault) ([]netem.Place, error) {
	var places []netem.Place
	if f.Link != "" {
		links, err := r.lab.topology.MatchLinks(f.Link)
		if err != nil {
			return nil, err
		}
		for _, m := range links {
			a, b := r.net.Links()[m.Index].Ports()
			if m.Reversed {
				a, b = b, a
			}
			if f.Direction != topology.BackwardOnly {
				places = append(places, netem.Place{Port: a, Way: netem.Outbound})
			}
			if f.Direction != topology.ForwardOnly {
				places = append(places, netem.Place{Port: b, Way: netem.Outbound})
			}
		}
		return places, nil
	}
	at := map[string]bool{}
	for _, n := range f.On {
		at[n] = true
	}
	for _, p := range r.net.Ports() {
		if !at[p.Host()] || p.Link() == nil {
			continue
		}
		if f.Side != topology.SideIn {
			places = append(places, netem.Place{Port: p, Way: netem.Outbound})
		}
		if f.Side == topology.SideIn || f.Side == topology.SideBoth {
			places = append(places, netem.Place{Port: p, Way: netem.Inbound})
		}
	}
	return places, nil
}
