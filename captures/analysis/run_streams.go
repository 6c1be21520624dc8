package analysis

import (
	"cmp"
	"slices"
	"time"
)

// connections finds out which streams of the captures are the same connection: those that have packets in common. It is a union-find
// structure (Tarjan, 1975) whose elements are the streams, and which knows of each whether its sides are those of its root.
type connections struct {
	known  map[[2]int]int32 // by capture and stream
	places [][2]int         // the reverse
	parent []int32
	turned []bool // against its parent
}

// node returns the element of a capture's stream.
func (c *connections) node(capture, stream int) int32 {
	place := [2]int{capture, stream}
	if n, ok := c.known[place]; ok {
		return n
	}
	if c.known == nil {
		c.known = map[[2]int]int32{}
	}
	n := int32(len(c.parent))
	c.known[place] = n
	c.places = append(c.places, place)
	c.parent = append(c.parent, n)
	c.turned = append(c.turned, false)
	return n
}

// root returns what stands for all streams of a connection, and whether its sides are the other way round.
func (c *connections) root(n int32) (root int32, turned bool) {
	for c.parent[n] != n {
		turned = turned != c.turned[n]
		n = c.parent[n]
	}
	return n, turned
}

// join makes two streams one; turned says that the client of one is the server of the other. Streams that are one already stay as
// they are.
func (c *connections) join(a, b int32, turned bool) {
	ra, ta := c.root(a)
	rb, tb := c.root(b)
	if ra == rb {
		return
	}
	if rb < ra {
		ra, rb = rb, ra
	}
	c.parent[rb], c.turned[rb] = ra, turned != (ta != tb)
}

// streams makes the connections of the run, and tells the journeys to which they belong.
func (j *joiner) streams() {
	run := j.run
	for capture, c := range run.Captures {
		for _, s := range c.TCP {
			j.ends.node(capture, s.Index)
		}
	}
	j.joinByAddress()
	byRoot := map[int32]*Stream{}
	upright := map[*Stream]bool{} // the root's sides are those of the view that decides
	for n, place := range j.ends.places {
		root, turned := j.ends.root(int32(n))
		s := byRoot[root]
		if s == nil {
			s = &Stream{}
			byRoot[root] = s
			run.Streams = append(run.Streams, s)
		}
		list := run.Captures[place[0]].TCP
		if place[1] < len(list) { // else it is beyond the limit of the analysis
			s.Views = append(s.Views, View{Capture: place[0], Flipped: turned, TCPStream: list[place[1]]})
		}
	}
	run.Streams = slices.DeleteFunc(run.Streams, func(s *Stream) bool { return len(s.Views) == 0 })
	for _, s := range run.Streams {
		slices.SortFunc(s.Views, func(a, b View) int { return cmp.Or(cmp.Compare(a.Capture, b.Capture), cmp.Compare(a.Index, b.Index)) })
		// Who saw the connection being opened knows which side is the client.
		judge := max(slices.IndexFunc(s.Views, func(v View) bool { return v.Handshake.SYN > 0 }), 0)
		upright[s] = !s.Views[judge].Flipped
		if !upright[s] {
			for i := range s.Views {
				s.Views[i].Flipped = !s.Views[i].Flipped
			}
		}
		s.describe(run)
	}
	slices.SortStableFunc(run.Streams, func(a, b *Stream) int { return cmp.Compare(a.first(), b.first()) })
	for i, s := range run.Streams {
		s.Index = i
	}
	for i, flow := range j.flows {
		if flow.node == 0 {
			continue
		}
		root, turned := j.ends.root(flow.node - 1)
		s := byRoot[root]
		if len(s.Views) == 0 {
			continue
		}
		journey := run.Journeys[i]
		journey.Stream, journey.Side = s, int(flow.side)
		if turned == upright[s] {
			journey.Side = 1 - journey.Side
		}
	}
}

// joinByAddress joins streams none of whose packets has a journey, because they are beyond the limit: those between the same ends at the
// same time.
func (j *joiner) joinByAddress() {
	if j.run.Left == 0 {
		return
	}
	type pair [2]Address
	ends := func(s *TCPStream) pair {
		a, b := s.Ends[Client], s.Ends[Server]
		a.Name, b.Name = "", ""
		return pair{a, b}
	}
	known := map[pair][]View{}
	for capture, c := range j.run.Captures {
		for _, s := range c.TCP {
			key := ends(s)
			same := func(v View) bool { return v.Capture != capture && v.First <= s.Last && s.First <= v.Last }
			if i := slices.IndexFunc(known[key], same); i >= 0 {
				v := known[key][i]
				j.ends.join(j.ends.node(v.Capture, v.Index), j.ends.node(capture, s.Index), false)
			}
			known[key] = append(known[key], View{Capture: capture, TCPStream: s})
		}
	}
}

// first is when the first packet of the connection was seen.
func (s *Stream) first() (at time.Duration) {
	for i, v := range s.Views {
		if i == 0 || v.First < at {
			at = v.First
		}
	}
	return at
}

// describe names the ends and chooses the best view.
func (s *Stream) describe(run *Run) {
	client := &s.Views[s.End(run, Client)]
	s.Client, s.Server = client.End(Client).String(), client.End(Server).String()
	heavier := Client
	if client.Sent(Server).Unique > client.Sent(Client).Unique {
		heavier = Server
	}
	s.Best = s.End(run, heavier)
}

// End returns the index in Views of the capture that is nearest to an end of the connection: that of the host itself if there is one.
func (s *Stream) End(run *Run, side int) int {
	best := -1
	better := func(own bool, v *View, bestOwn bool, b *View) bool {
		if own != bestOwn {
			return own
		}
		// A packet that opens the connection is seen at the client first and at the server last. A router that translates addresses has
		// those of an end, too.
		return side == Client && v.First < b.First || side == Server && v.First > b.First
	}
	var bestOwn bool
	for i := range s.Views {
		v := &s.Views[i]
		own := run.Captures[v.Capture].Node == v.End(side).Name
		if best < 0 || better(own, v, bestOwn, &s.Views[best]) {
			best, bestOwn = i, own
		}
	}
	return best
}

// End returns an end of the connection as the capture shows it.
func (v *View) End(side int) Address { return v.Ends[v.side(side)] }

// Sent returns what an end of the connection sent.
func (v *View) Sent(side int) *Side { return &v.Sides[v.side(side)] }

// side returns which of the capture's sides a side of the connection is.
func (v *View) side(side int) int {
	if v.Flipped {
		return 1 - side
	}
	return side
}
