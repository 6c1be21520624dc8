package topology

import "netlab/services"

// Locations returns where the nodes are that say so, by name. The topology is a resolved one.
func (t *Topology) Locations() map[string]services.Location {
	found := map[string]services.Location{}
	for name, n := range t.Nodes.All() {
		if n.Location != nil {
			found[name] = *n.Location
		}
	}
	return found
}

// locations returns where the nodes are that say so, by name.
func (c *checker) locations() map[string]services.Location {
	found := map[string]services.Location{}
	for n, name := range c.lab.nodes.names {
		if l := c.lab.node(n).Location; l != nil {
			found[name] = *l
		}
	}
	return found
}
