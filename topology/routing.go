package topology

import "netlab/units"

// defaultConvergence is how long dynamic routing takes to find new routes.
const defaultConvergence = units.Duration(1e9)

// checkRouting checks how routes follow failures.
func (c *checker) checkRouting() {
	r, at := c.t.Routing, c.root.field("routing")
	if r == nil {
		return
	}
	positive(c, at.field("convergence"), r.Convergence)
	if r.Convergence != 0 && r.Mode != DynamicRouting {
		c.addf(at.field("convergence").name(), "goes with dynamic: static routes never change")
	}
}

// filled returns the routing with its defaults, nil for static routes without multipath.
func (r *Routing) filled() *Routing {
	if r == nil || r.Mode != DynamicRouting && !r.ECMP {
		return nil
	}
	out := *r
	if fill(&out.Mode, StaticRouting); out.Mode == StaticRouting {
		return &out
	}
	fill(&out.Convergence, defaultConvergence)
	return &out
}
