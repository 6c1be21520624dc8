package ladder

import (
	"cmp"
	"slices"
	"time"

	"netlab/captures/analysis"
)

// end is what became of a packet on one leg of its way.
type end int

const (
	arrived end = iota
	lost        // the network dropped it
	stopped     // it went no further than a node that is not in the picture, or was on its way when the run ended
)

// leg is the way of a packet from one node to the next.
type leg struct {
	from, to      string // to is "" if it is not known
	sent, arrived time.Duration
	end           end
	parent        int  // the leg that brought it to from, -1 if there is none
	closed        bool // its end is known to be at to
}

// way follows a packet through its sightings. A packet that several nodes received has a leg to each.
func (l *Ladder) way(j *analysis.Journey) []leg {
	if l.network == nil {
		return []leg{l.straight(j)}
	}
	w := walk{ladder: l, journey: j}
	// Sightings at the same nanosecond are in no particular order, so what left comes first, whoever has it.
	for _, inbound := range []bool{false, true} {
		for i := range j.Hops {
			if h := &j.Hops[i]; h.Inbound != inbound {
				continue
			} else if inbound {
				w.in(l.nodeOf(h), h)
			} else {
				w.out(l.nodeOf(h), h)
			}
		}
	}
	w.finish()
	w.connect()
	return w.legs
}

// straight is the way of a packet of which nothing is known but its ends.
func (l *Ladder) straight(j *analysis.Journey) leg {
	g := leg{from: j.From, to: j.To, sent: j.At, arrived: j.At, parent: -1, closed: true}
	if len(j.Hops) > 0 {
		g.arrived = j.Hops[len(j.Hops)-1].At
	}
	if j.Lost != nil {
		g.end, g.closed = lost, false
	}
	return g
}

func (l *Ladder) nodeOf(h *analysis.Hop) string {
	if h.Capture < 0 || h.Capture >= len(l.run.Captures) {
		return ""
	}
	return l.run.Captures[h.Capture].Node
}

// captured says whether what arrives at a node is in a capture.
func (l *Ladder) captured(node string) bool {
	for _, c := range l.run.Captures {
		if c.Node == node {
			return true
		}
	}
	return false
}

// walk puts sightings together.
type walk struct {
	ladder  *Ladder
	journey *analysis.Journey
	legs    []leg
}

// out is a sighting of the packet as it leaves a node.
func (w *walk) out(node string, h *analysis.Hop) {
	g := leg{from: node, to: w.ladder.network.across(h.Interface), sent: h.At, arrived: h.At}
	if h.Dropped {
		g.end = lost
	}
	w.legs = append(w.legs, g)
}

// in is a sighting of the packet as it comes to a node: the end of the first leg there that is still open, or else a further copy, or
// the first sighting of a packet whose sender has no capture.
func (w *walk) in(node string, h *analysis.Hop) {
	far := w.ladder.network.across(h.Interface)
	sent := h.At
	for i := range w.legs {
		g := &w.legs[i]
		if g.end != arrived || g.from != far || g.to != node {
			continue
		}
		if !g.closed {
			g.arrived, g.closed, g.end = h.At, true, endAt(h)
			return
		}
		sent = g.sent
	}
	if w.unseen(far) && w.unseen(w.journey.From) {
		far = w.journey.From
	}
	w.legs = append(w.legs, leg{from: far, to: node, sent: sent, arrived: h.At, closed: true, end: endAt(h)})
}

// unseen says whether a node has no capture.
func (w *walk) unseen(node string) bool {
	return w.ladder.network.has(node) && !w.ladder.captured(node)
}

// endAt is what became of a packet that came to a node: one that is down drops it.
func endAt(h *analysis.Hop) end {
	if h.Dropped {
		return lost
	}
	return arrived
}

// finish says what became of legs that nobody saw the end of, and adds those at both ends of the way that nobody saw at all.
func (w *walk) finish() {
	j := w.journey
	for i := range w.legs {
		g := &w.legs[i]
		switch {
		case g.closed || g.end == lost:
		case w.unseen(g.to):
			g.closed = true
		default:
			g.end = stopped
		}
	}
	if len(w.legs) == 0 {
		return
	}
	first, last := 0, 0
	for i := range w.legs {
		if w.legs[i].sent < w.legs[first].sent {
			first = i
		}
		if w.legs[i].arrived > w.legs[last].arrived {
			last = i
		}
	}
	if g := w.legs[last]; j.Lost == nil && g.closed && g.end == arrived && g.to != j.To && w.unseen(g.to) && w.unseen(j.To) {
		w.legs = append(w.legs, leg{from: g.to, to: j.To, sent: g.arrived, arrived: g.arrived, closed: true})
	}
	if g := w.legs[first]; g.from != j.From && w.unseen(j.From) && !w.reaches(g.from) {
		w.legs = append(w.legs, leg{from: j.From, to: g.from, sent: g.sent, arrived: g.sent, closed: true})
	}
}

// reaches says whether a leg ends at a node.
func (w *walk) reaches(node string) bool {
	for i := range w.legs {
		if w.legs[i].to == node {
			return true
		}
	}
	return false
}

// connect finds for each leg the one that brought the packet to its start: the latest that had arrived there. The sender's first one
// has none.
func (w *walk) connect() {
	root := -1
	for i := range w.legs {
		if g := &w.legs[i]; g.from == w.journey.From && (root < 0 || g.sent < w.legs[root].sent) {
			root = i
		}
	}
	for i := range w.legs {
		g := &w.legs[i]
		g.parent = -1
		if i == root {
			continue
		}
		for k := range w.legs {
			p := &w.legs[k]
			if k != i && p.closed && p.end == arrived && p.to == g.from && p.arrived <= g.sent && (g.parent < 0 || p.arrived >= w.legs[g.parent].arrived) {
				g.parent = k
			}
		}
	}
	w.sort()
}

// sort puts the legs in the order of the way, also where all of them took no time.
func (w *walk) sort() {
	depth := func(i int) int {
		n := 0
		for ; w.legs[i].parent >= 0 && n < len(w.legs); n++ {
			i = w.legs[i].parent
		}
		return n
	}
	order := make([]int, len(w.legs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(depth(a), depth(b)), cmp.Compare(w.legs[a].sent, w.legs[b].sent))
	})
	sorted := make([]leg, len(order))
	for to, from := range order {
		sorted[to] = w.legs[from]
		if p := sorted[to].parent; p >= 0 {
			sorted[to].parent = slices.Index(order, p)
		}
	}
	w.legs = sorted
}

// span is the way of a packet from one column to another.
type span struct {
	from, to      int // to is where it was heading if it didn't arrive
	sent, arrived time.Duration
	end           end
}

// spans returns the way of a packet between the columns, in order of time. It is empty if the packet doesn't show.
func (l *Ladder) spans(j *analysis.Journey, legs []leg) []span {
	var list []span
	var halted []span
	for i := range legs {
		g := &legs[i]
		from, sent, ok := l.origin(legs, i)
		if !ok {
			continue
		}
		to, shown := l.column[g.to]
		s := span{from: from, to: to, sent: sent, arrived: g.arrived, end: g.end}
		switch {
		case shown && to != from && (g.closed || g.end == lost):
			list = append(list, s)
		case g.end == lost:
			s.to = l.towards(from, j.To)
			list = append(list, s)
		case g.end == stopped || !shown && !continues(legs, i):
			s.to, s.end = l.towards(from, j.To), stopped
			if shown && to != from {
				s.to = to
			}
			halted = append(halted, s)
		}
	}
	if len(list) == 0 && len(halted) > 0 {
		if _, both := l.column[j.To]; both {
			return halted[:1]
		}
	}
	return list
}

// origin returns the last column that a packet left before or at the start of a leg.
func (l *Ladder) origin(legs []leg, i int) (column int, sent time.Duration, ok bool) {
	for range legs {
		if c, ok := l.column[legs[i].from]; ok {
			return c, legs[i].sent, true
		}
		if i = legs[i].parent; i < 0 {
			break
		}
	}
	return 0, 0, false
}

// continues says whether a packet went on from the end of a leg.
func continues(legs []leg, i int) bool {
	for k := range legs {
		if legs[k].parent == i {
			return true
		}
	}
	return false
}

// towards returns the column at which a packet would have arrived in the end, or the one beside if that isn't shown.
func (l *Ladder) towards(from int, to string) int {
	if c, ok := l.column[to]; ok && c != from {
		return c
	}
	if from == len(l.columns)-1 {
		return from - 1
	}
	return from + 1
}
