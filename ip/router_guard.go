package ip

import (
	"fmt"

	"netlab/netem"
)

// SetFirewall gives the router a firewall, after its interfaces were added. It may be done at run time: TCP connections that exist
// are out of state then, see [Tracking.OutOfState]. Only the engine's loop may call it.
func (r *Router) SetFirewall(c FirewallConfig) (*Firewall, error) {
	if r.firewall != nil {
		return nil, fmt.Errorf("router %s has a firewall already: add rules to it", r.name)
	}
	c, err := c.validate(r)
	if err == nil {
		err = r.track(c.Tracking)
	}
	if err != nil {
		return nil, fmt.Errorf("router %s: firewall: %w", r.name, err)
	}
	r.firewall = newFirewall(r, c)
	r.inspects4, r.inspects6 = true, true
	return r.firewall, nil
}

// SetNAT makes the router translate addresses, after its interfaces were added. It may be done at run time, see
// [Router.SetFirewall]. Only the engine's loop may call it.
func (r *Router) SetNAT(c NATConfig) (*NAT, error) {
	if r.nat != nil {
		return nil, fmt.Errorf("router %s has a NAT already: it can have one", r.name)
	}
	c, err := c.validate(r)
	if err == nil {
		err = r.track(c.Tracking)
	}
	if err != nil {
		return nil, fmt.Errorf("router %s: NAT: %w", r.name, err)
	}
	r.nat = newNAT(r, c)
	r.inspects4 = true
	return r.nat, nil
}

// Firewall returns the router's firewall, or nil.
func (r *Router) Firewall() *Firewall { return r.firewall }

// NAT returns the router's address translation, or nil.
func (r *Router) NAT() *NAT { return r.nat }

// track makes the router track connections. A firewall and a NAT share one table.
func (r *Router) track(given Tracking) error {
	config, err := given.validate()
	if err != nil {
		return err
	}
	switch {
	case r.tracker == nil:
		r.tracker = newTracker(given, config)
	case given == Tracking{}, given == r.tracker.given:
	case r.tracker.given == Tracking{}:
		r.tracker.given, r.tracker.config = given, config
	default:
		return fmt.Errorf("NAT and the firewall track connections in one table, but say different things about it: say them in one place")
	}
	return nil
}

// forget forgets all connections and what hangs on them.
func (r *Router) forget() {
	if r.tracker == nil {
		return
	}
	r.tracker.expire(r.net.Elapsed())
	r.tracker.removeIf(func(*flow) bool { return true })
	r.tracker.fragments = fragments{}
}

// SetDown stops the router, as a crash does, or starts it again. While it is down it takes no frames, which its links count as
// dropped, and sends none. What it knew is gone: connections, mappings of NAT, MAC addresses of neighbours, and packets that waited
// for those. Its configuration, rules that were added, routes and counters stay. Only the engine's loop may call it.
func (r *Router) SetDown(down bool) {
	if down && !r.down {
		r.forget()
	}
	for _, i := range r.interfaces {
		if i.port.SetDead(down); down && i.resolver != nil {
			i.resolver.forget()
		}
	}
	r.down = down
}

// Down says whether the router is down.
func (r *Router) Down() bool { return r.down }

// forget drops what is known of neighbours, and the packets that wait for them.
func (s *resolver) forget() {
	var waiting []*netem.Frame
	for _, n := range s.entries {
		if n.timer != nil {
			n.timer.Stop()
		}
		for _, p := range n.pending {
			waiting = append(waiting, p.frame)
		}
	}
	clear(s.entries)
	for _, f := range waiting {
		f.Release()
	}
}
