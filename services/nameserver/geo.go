package nameserver

import (
	"errors"
	"maps"
	"net/netip"
	"slices"

	"netlab/dns"
	"netlab/services"
)

var _ services.Placed = (*Config)(nil)

// ValidateLocations implements services.Placed: it isn't known how near a node without a location is.
func (c *Config) ValidateLocations(locations map[string]services.Location) error {
	var list []error
	for _, name := range slices.Sorted(maps.Keys(c.Records)) {
		r := c.Records[name]
		if !r.Geo {
			continue
		}
		for _, n := range r.Nodes {
			if _, ok := locations[n]; !ok {
				list = append(list, services.FieldPathf([]string{"records", name, "geo"}, "node %s has no location: want one, such as "+
					"\"location\": \"eu-west\"", n))
			}
		}
	}
	return errors.Join(list...)
}

// geoViews returns what clients at each location are told of a record: the addresses of the nearest nodes. The location of a client
// is that of the host that asks, which, as a resolver of its own, is the client itself.
func (r *Record) geoViews(env *services.Env) []dns.View {
	type place struct{ latitude, longitude float64 }
	at := func(l services.Location) place { return place{l.Latitude, l.Longitude} }
	var views []dns.View
	made := map[place]bool{}
	for _, client := range slices.Sorted(maps.Keys(env.Locations)) {
		here := env.Locations[client]
		if made[at(here)] {
			continue
		}
		made[at(here)] = true
		views = append(views, dns.View{
			For: func(client netip.Addr) bool {
				l, ok := env.LocationOf(client)
				return ok && l.Same(here)
			},
			Addresses: addresses(env.Host, nil, nil, nearest(here, r.Nodes, env.Locations)),
		})
	}
	return views
}

// nearest returns those of some nodes with locations that are nearest to a place, in their order.
func nearest(to services.Location, nodes services.Nodes, locations map[string]services.Location) services.Nodes {
	var found services.Nodes
	var least float64
	for _, n := range nodes {
		d := to.Distance(locations[n])
		if found == nil || d < least {
			found, least = nil, d
		}
		if d == least {
			found = append(found, n)
		}
	}
	return found
}
