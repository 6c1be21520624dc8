package ip

import (
	"fmt"
	"net/netip"
	"slices"
)

// Firewall is the firewall of a router. Only the engine's loop may use it.
type Firewall struct {
	router *Router
	config FirewallConfig
	rules  []*Rule
	stats  FirewallStats
}

// Rule is a rule of a firewall.
type Rule struct {
	firewall *Firewall
	config   FirewallRule
	hits     uint64
}

func newFirewall(r *Router, c FirewallConfig) *Firewall {
	f := &Firewall{router: r, config: c}
	for _, rule := range c.Rules {
		f.rules = append(f.rules, &Rule{firewall: f, config: rule})
	}
	return f
}

// AddRule adds a rule before all others, so that it decides first. Connections that exist pass without rules: to stop them as
// well, call [Firewall.Clear].
func (f *Firewall) AddRule(c FirewallRule) (*Rule, error) {
	if err := c.validate(f.router); err != nil {
		return nil, fmt.Errorf("router %s: firewall: %s: %w", f.router.name, c.title(0), err)
	}
	r := &Rule{firewall: f, config: c}
	f.rules = slices.Insert(f.rules, 0, r)
	return r, nil
}

// Remove takes the rule away; its Hits stay as they are. Removing it again does nothing.
func (r *Rule) Remove() {
	r.firewall.rules = slices.DeleteFunc(r.firewall.rules, func(other *Rule) bool { return other == r })
}

// Hits is the number of packets that the rule decided about. Packets that follow the first of a connection aren't among them.
func (r *Rule) Hits() uint64 { return r.hits }

// Clear forgets all connections, those that NAT translates too. What becomes of them is up to the rules and to
// [Tracking.OutOfState].
func (f *Firewall) Clear() { f.router.forget() }

// read returns the counters.
func (f *Firewall) read() *FirewallStats {
	s := f.stats
	s.Rules = []RuleStats{}
	for _, r := range f.rules {
		s.Rules = append(s.Rules, RuleStats{Name: r.config.Name, Action: r.config.Action, Hits: r.hits})
	}
	return &s
}

// pass counts a packet that is known.
func (f *Firewall) pass(p *packet) {
	if p.kind == quoting {
		f.stats.Accepted.Related++
	} else {
		f.stats.Accepted.Established++
	}
}

// decide judges a packet that belongs to no connection. dst is where it goes after translation; out is nil if it is for the
// router itself.
func (f *Firewall) decide(in, out *routerInterface, p *packet, dst endpoint) Action {
	action, byRule := f.config.Default, false
	src, to := p.key.src.netip(p.key.version), dst.netip(p.key.version)
	for _, r := range f.rules {
		if r.config.matches(in, out, p, src, to, dst.port) {
			r.hits++
			action, byRule = r.config.Action, true
			break
		}
	}
	counters := &f.stats.Accepted.FirewallDecided
	switch action {
	case Drop:
		counters = &f.stats.Dropped
	case Reject:
		counters = &f.stats.Rejected
	}
	if byRule {
		counters.Rule++
	} else {
		counters.Default++
	}
	return action
}

func (c *FirewallRule) matches(in, out *routerInterface, p *packet, src, dst netip.Addr, port uint16) bool {
	if c.Protocol != "" && c.Protocol.number(p.key.version) != p.key.protocol {
		return false
	}
	if len(c.Out) > 0 && (out == nil || !slices.Contains(c.Out, out.index)) || len(c.In) > 0 && !slices.Contains(c.In, in.index) {
		return false
	}
	if len(c.SourcePorts)+len(c.DestinationPorts) > 0 && (p.kind == laterPiece || p.kind == malformed) {
		return false // its ports aren't known
	}
	return within(c.Sources, src) && within(c.Destinations, dst) && among(c.SourcePorts, p.key.src.port) && among(c.DestinationPorts, port)
}

// within says whether an address is in one of the prefixes, or there are none.
func within(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return len(list) == 0
}

// among says whether a port is in one of the ranges, or there are none.
func among(list []PortRange, port uint16) bool {
	for _, r := range list {
		if r.contains(port) {
			return true
		}
	}
	return len(list) == 0
}
