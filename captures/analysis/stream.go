package analysis

import (
	"net/netip"
	"time"

	"netlab/captures"
)

// streamState is what the analyzer keeps of a connection while it lasts.
type streamState struct {
	sides [2]sideState
	app   application
	ended [2]bool // the application knows that nothing more comes
	reset bool
	// closed says that the connection is over and that less of it is remembered.
	closed bool
}

// sideState is what the analyzer keeps of what one end has sent. Sequence numbers count from that of the SYN and don't wrap around.
// Where the SYN was not captured, the first number seen is 1.
type sideState struct {
	known bool   // base is
	base  uint32 // the sequence number of the SYN
	// sent says that there was a segment. first is its number, next the one after the highest that was sent, data the one after the highest
	// payload.
	sent              bool
	first, next, data int64
	probed            int64 // the number after that of a zero-window probe, which next leaves out
	fin               int64 // the number of its FIN, 0 if there was none
	pieces            pieces
	// queuedFrom and queuedTo are the range of what still waited in a link's queue when later segments were dropped.
	queuedFrom, queuedTo int64

	// What it told the other end: the latest acknowledgement of the other's numbers, and the window as it stands in the header, and scaled.
	acks       bool
	ack        int64
	rawWindow  uint16
	window     uint64
	duplicates int    // times that it was repeated
	evidence   int    // of these, without copies that the network made
	lastID     uint64 // of the latest packet
	lastMarks  Marks

	// What the other end told of it.
	acknowledged int64 // the highest number that was
	ackable      int64 // the highest number whose acknowledgement is no surprise
	sacked       int64 // the end of the highest block
	progress     time.Duration

	lastAt, lastDataAt time.Duration
	estimate           estimate
	recovery           recovery
	reassembly         reassembly
}

// unwrap returns a sequence number of this side from its start, as near as possible to what it has sent.
func (d *sideState) unwrap(n uint32) int64 { return d.next + int64(int32(n-d.base-uint32(d.next))) }

// begin sets where the numbers of a side start.
func (d *sideState) begin(base uint32, next int64) {
	d.known, d.base, d.next, d.first, d.data = true, base, next, next, next
	d.acknowledged, d.ackable = next, next
	d.pieces = pieces{floor: -1 << 62}
}

// inFlight is the payload that was sent and is not acknowledged.
func (d *sideState) inFlight() uint64 { return uint64(max(d.data-max(d.acknowledged, d.first, 1), 0)) }

// addSegment finds the connection of a segment and analyses it.
func (a *Analyzer) addSegment(f *Frame) {
	src, dst, ok := f.ends()
	if !ok {
		return
	}
	key, _ := keyOf(src, dst)
	s, ok := a.tcp.get(key)
	if ok && reopens(s, src, &f.Segment) {
		a.endStream(s)
		f.Marks.set(MarkReused)
		ok = false
	}
	if !ok {
		s = a.newStream(f, src, dst)
		a.tcp.put(key, s)
	}
	side := sideOf(s, src)
	f.Stream, f.Side = s, side
	s.Frames++
	s.Last, s.LastFrame = f.At, f.Number
	a.analysis.TCPTotal.Segments++
	a.segment(f, s.state.(*streamState))
}

// sideOf returns which side an end is. The sides of a connection of an end with itself are the same.
func sideOf(s *TCPStream, end netip.AddrPort) int {
	if c := &s.Ends[Client]; c.Port == end.Port() && c.Addr == end.Addr() {
		return Client
	}
	return Server
}

// reopens says whether a SYN begins another connection with the same ports: it has another initial sequence number.
func reopens(s *TCPStream, src netip.AddrPort, t *captures.Segment) bool {
	if t.Flags&(captures.SYN|captures.ACK) != captures.SYN {
		return false
	}
	d := &s.state.(*streamState).sides[sideOf(s, src)]
	return d.known && d.base != t.Seq
}

func (a *Analyzer) newStream(f *Frame, src, dst netip.AddrPort) *TCPStream {
	if f.Segment.Flags&(captures.SYN|captures.ACK) == captures.SYN|captures.ACK {
		src, dst = dst, src
	}
	total := &a.analysis.TCPTotal
	st := &streamState{}
	for i := range st.sides {
		st.sides[i].reassembly.total = &a.waiting
	}
	s := &TCPStream{
		Index: total.Streams, Ends: a.ends(src, dst), FirstFrame: f.Number, First: f.At, Close: Close{How: CloseOpen},
		state: st,
	}
	for i := range s.Sides {
		s.Sides[i].Scale = -1
		s.Sides[i].Retransmitted = map[Kind]int{}
	}
	total.Streams++
	if a.room(len(a.analysis.TCP)) {
		a.analysis.TCP = append(a.analysis.TCP, s)
	}
	return s
}

// endStream sums a connection up of which nothing more will come.
func (a *Analyzer) endStream(s *TCPStream) {
	st, ok := s.state.(*streamState)
	if !ok {
		return
	}
	for i := range s.Sides {
		a.endApplication(nil, st, i)
		r := &st.sides[i].reassembly
		r.resize(-r.size) // of what came after the end
		side := &s.Sides[i]
		side.RTT = st.sides[i].estimate.sum()
		if took := side.LastByte - side.FirstByte; took > 0 {
			side.Throughput = float64(side.Unique) / took.Seconds()
		}
	}
	s.state = nil
}
