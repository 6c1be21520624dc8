package balance

import (
	"math"

	"netlab/services"
)

// geographic takes a backend at the declared location that is nearest to the client's; those at the same place take turns by weight.
// Backends that declare none come last. If it isn't known where the client is, all take turns.
//
// Which place is nearer is told by the angle between two places seen from the middle of a sphere, that is by the scalar product
// of their unit vectors: the order is that of [services.Location.Distance].
type geographic struct {
	members
	places []*place
}

// place is a location and the backends at it.
type place struct {
	at       vector
	location services.Location
	known    bool
	list     []*member
	tried    bool
}

type vector [3]float64

func direction(l services.Location) vector {
	const degree = math.Pi / 180
	sin, cos := math.Sincos(l.Latitude * degree)
	east, north := math.Sincos(l.Longitude * degree)
	return vector{cos * north, cos * east, sin}
}

func (v vector) dot(w vector) float64 { return v[0]*w[0] + v[1]*w[1] + v[2]*w[2] }

func (a *geographic) Set(backends []Backend) {
	if !a.set(backends) {
		return
	}
	a.places = nil
	type key struct {
		latitude, longitude float64
		known               bool
	}
	known := map[key]*place{}
	for _, b := range a.list {
		k := key{known: b.HasLocation}
		if b.HasLocation {
			k.latitude, k.longitude = b.Location.Latitude, b.Location.Longitude
		}
		p := known[k]
		if p == nil {
			p = &place{location: b.Location, known: b.HasLocation, at: direction(b.Location)}
			known[k] = p
			a.places = append(a.places, p)
		}
		p.list = append(p.list, b)
	}
}

func (a *geographic) Pick(r *Request) (int, bool) {
	if !r.HasLocation {
		return smooth(a.list, r)
	}
	for _, p := range a.places {
		p.tried = false
	}
	here := direction(r.Location)
	for range a.places {
		var best *place
		nearest := math.Inf(-1)
		for _, p := range a.places {
			if p.tried {
				continue
			}
			near := -2.0 // farther than the other end of the world
			if p.known {
				near = p.at.dot(here)
			}
			if near > nearest {
				best, nearest = p, near
			}
		}
		if i, ok := smooth(best.list, r); ok {
			return i, true
		}
		best.tried = true
	}
	return 0, false
}
