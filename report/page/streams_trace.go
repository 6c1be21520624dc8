package page

import (
	"slices"
	"time"

	"netlab/captures"
	"netlab/captures/analysis"
)

const (
	// mostPoints is how many points a plot has at most.
	mostPoints = 1 << 15
	// rateBuckets is how many parts of a connection's time have a throughput.
	rateBuckets = 200
	// leastBucket is how long they are at least.
	leastBucket = time.Millisecond
)

// Marks of points, the bits of tcpPlot.Marks; above them stands the kind of a retransmission.
const (
	pointServer = 1 << iota // the server sent it
	pointSYN
	pointFIN
	pointRST
	pointLost
	pointZeroWindow
	pointDuplicateACK
	pointOutOfOrder
	pointECN
	pointKind = iota // how far the kind is shifted: its place in kindOrder, from 1
)

// pointNotable are the marks that are kept as long as there is any room.
const pointNotable = ^(pointServer | pointDuplicateACK | pointOutOfOrder | pointECN)

// point is a segment of a plot, or several that became one.
type point struct {
	at       int64 // the first one's
	frame    int   // the first one's
	marks    int
	from, to uint64 // sequence numbers
	ack      uint64 // the last one's
	window   uint64 // the smallest
	inFlight uint64 // the most
	peer     uint64 // what the other side had in flight then, the least
	sack     []analysis.Range
	count    int
}

// sample is a measured round-trip time.
type sample struct {
	at, rtt int64
	side    int
}

// trace is what plots draw of a connection, as its packets passed.
type trace struct {
	frames   int
	flipped  bool // the capture takes the server for the client
	points   []point
	samples  []sample
	lost     map[int]bool // frames that did not arrive, nor any copy of them
	start    int64
	width    int64
	sent     [2][]uint64 // payload by bucket, also of segments that were sent again
	acked    [2][]uint64 // payload that the peer acknowledged
	lastAck  [2]uint64
	hasAcked [2]bool
}

// newTrace is for a connection whose first and last times are known. lost are the frames of its capture that did not arrive.
func newTrace(v analysis.View, lost map[int]bool) *trace {
	width := max(leastBucket, (v.Last-v.First)/rateBuckets+1)
	t := &trace{flipped: v.Flipped, lost: lost, start: int64(v.First), width: int64(width)}
	n := int((v.Last-v.First)/width) + 1
	for side := range t.sent {
		t.sent[side], t.acked[side] = make([]uint64, n), make([]uint64, n)
	}
	return t
}

// add takes the next segment of the connection.
func (t *trace) add(f *analysis.Frame) {
	t.frames++
	p := t.newPoint(f)
	side := p.marks & pointServer
	peer := 1 - side
	bucket := min(int((p.at-t.start)/t.width), len(t.sent[0])-1)
	t.sent[side][bucket] += uint64(f.Segment.Length)
	if f.Segment.Flags&captures.ACK != 0 {
		if t.hasAcked[side] && f.Ack > t.lastAck[side] {
			t.acked[peer][bucket] += f.Ack - t.lastAck[side]
		}
		t.lastAck[side], t.hasAcked[side] = max(t.lastAck[side], f.Ack), true
	}
	if f.RTT > 0 {
		t.samples = append(t.samples, sample{p.at, int64(f.RTT), peer})
		if len(t.samples) >= 4*mostPoints {
			t.samples = thinSamples(t.samples, 2*mostPoints)
		}
	}
	t.points = append(t.points, p)
	if len(t.points) >= 4*mostPoints {
		t.points = thinPoints(t.points, 2*mostPoints)
	}
}

func (t *trace) newPoint(f *analysis.Frame) point {
	s := &f.Segment
	p := point{
		at: int64(f.At), frame: f.Number, from: f.Seq, to: f.Seq + uint64(s.Length), ack: f.Ack, window: f.Window, inFlight: f.InFlight,
		peer: f.PeerInFlight,
		sack: slices.Clone(f.SACK), count: 1,
	}
	if (f.Side == analysis.Server) != t.flipped {
		p.marks |= pointServer
	}
	for _, m := range []struct {
		is   bool
		mark int
	}{
		{s.Flags&captures.SYN != 0, pointSYN},
		{s.Flags&captures.FIN != 0, pointFIN},
		{s.Flags&captures.RST != 0, pointRST},
		{t.lost[f.Number] || f.Marks&analysis.Marks(analysis.MarkDropped) != 0, pointLost},
		{f.Marks&analysis.Marks(analysis.MarkZeroWindow) != 0, pointZeroWindow},
		{f.Marks&analysis.Marks(analysis.MarkDuplicateACK) != 0, pointDuplicateACK},
		{f.Marks&analysis.Marks(analysis.MarkOutOfOrder) != 0, pointOutOfOrder},
		{f.Marks&analysis.Marks(analysis.MarkECN) != 0, pointECN},
	} {
		if m.is {
			p.marks |= m.mark
		}
	}
	if r := f.Retransmission; r != nil {
		p.marks |= (slices.Index(kindOrder, r.Kind) + 1) << pointKind
	}
	return p
}

// thinPoints makes at most limit points of a list: all between two times of an even grid become one for each side, but for notable
// ones. The grid is the finest that does; if there are too many notable ones, they are merged too.
func thinPoints(list []point, limit int) []point {
	if len(list) <= limit {
		return list
	}
	for _, keep := range []int{pointNotable, 0} {
		for buckets := limit; buckets > 0; buckets /= 2 {
			if thin := mergePoints(list, buckets, keep); len(thin) <= limit {
				return thin
			}
		}
	}
	return list[:limit]
}

// mergePoints makes one point for each side of those between two of buckets times, but for those with a mark in keep.
func mergePoints(list []point, buckets, keep int) []point {
	start := list[0].at
	width := max(1, (list[len(list)-1].at-start)/int64(buckets)+1)
	var out []point
	open := [2]int{-1, -1} // where in out each side's point of this bucket is
	bucket := int64(-1)
	for _, p := range list {
		if b := (p.at - start) / width; b != bucket {
			bucket, open = b, [2]int{-1, -1}
		}
		side := p.marks & pointServer
		switch i := open[side]; {
		case p.marks&keep != 0:
			out = append(out, p)
			open[side] = -1 // points stay in order
		case i < 0:
			open[side] = len(out)
			out = append(out, p)
		default:
			out[i].merge(&p)
		}
	}
	return out
}

// merge adds a later point of the same side.
func (p *point) merge(q *point) {
	if q.to > q.from {
		if p.to == p.from {
			p.from, p.to = q.from, q.to
		} else {
			p.from, p.to = min(p.from, q.from), max(p.to, q.to)
		}
	}
	p.marks |= q.marks & (1<<pointKind - 1)
	if p.marks>>pointKind == 0 {
		p.marks |= q.marks
	}
	p.ack, p.window, p.inFlight = max(p.ack, q.ack), min(p.window, q.window), max(p.inFlight, q.inFlight)
	p.peer = min(p.peer, q.peer)
	if len(q.sack) > 0 {
		p.sack = q.sack
	}
	p.count += q.count
}

// thinSamples keeps the smallest and the largest of each side between two times of an even grid, at most limit in all.
func thinSamples(list []sample, limit int) []sample {
	if len(list) <= limit || limit < 4 {
		return list
	}
	start := list[0].at
	width := max(1, (list[len(list)-1].at-start)/int64(limit/4)+1)
	var out []sample
	for i := 0; i < len(list); {
		bucket := (list[i].at - start) / width
		end := i
		var least, most [2]int
		for k := range least {
			least[k], most[k] = -1, -1
		}
		for ; end < len(list) && (list[end].at-start)/width == bucket; end++ {
			k := list[end].side
			if least[k] < 0 || list[end].rtt < list[least[k]].rtt {
				least[k] = end
			}
			if most[k] < 0 || list[end].rtt > list[most[k]].rtt {
				most[k] = end
			}
		}
		for ; i < end; i++ {
			if slices.Contains(least[:], i) || slices.Contains(most[:], i) {
				out = append(out, list[i])
			}
		}
	}
	return out
}
