package analysis

import (
	"cmp"
	"slices"
)

// hops gives each journey its sightings.
func (j *joiner) hops() {
	slices.SortStableFunc(j.seen, func(a, b sighting) int {
		return cmp.Or(cmp.Compare(a.journey, b.journey), cmp.Compare(a.at, b.at))
	})
	for begin := 0; begin < len(j.seen); {
		end := begin + 1
		for end < len(j.seen) && j.seen[end].journey == j.seen[begin].journey && j.seen[end].at == j.seen[begin].at {
			end++
		}
		arrange(j.seen[begin:end])
		begin = end
	}
	all := make([]Hop, len(j.seen))
	begin := 0
	for i, s := range j.seen {
		all[i] = Hop{
			Capture: int(s.capture), Interface: j.views[s.capture].interfaces[int(s.iface)], Frame: int(s.frame), At: s.at,
			Inbound: s.inbound, Dropped: !s.delivered, entrusted: s.entrusted,
		}
		if i+1 == len(j.seen) || j.seen[i+1].journey != s.journey {
			j.run.Journeys[s.journey].Hops = all[begin : i+1 : i+1]
			begin = i + 1
		}
	}
}

// arrange orders the sightings of a packet at the same time: where it comes from, then by its time to live, and of each router or switch
// what came in before what went out.
func arrange(list []sighting) {
	if len(list) < 2 {
		return
	}
	other := func(s sighting) bool { // the node has one of the other direction with the same time to live, as switches do
		return slices.ContainsFunc(list, func(o sighting) bool { return o.capture == s.capture && o.inbound != s.inbound && o.ttl == s.ttl })
	}
	place := func(s sighting) int {
		switch passes := other(s); {
		case s.origin:
			return -1
		case passes && s.inbound:
			return 1
		case passes:
			return 2
		case s.inbound:
			return 3
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b sighting) int {
		if a.origin != b.origin {
			return cmp.Compare(place(a), place(b))
		}
		return cmp.Or(cmp.Compare(b.ttl, a.ttl), cmp.Compare(place(a), place(b)))
	})
}
