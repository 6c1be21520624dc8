package analysis

import (
	"encoding/binary"
	"time"

	"netlab/captures"
)

const (
	// minRTO is the least retransmission timeout of common systems, and what a tail loss probe waits for a delayed ACK.
	minRTO = 200 * time.Millisecond
	// reaction is the longest that a host takes from an ACK to what it sends because of it. After more, it was a timer.
	reaction = 100 * time.Microsecond
	// duplicatesForFast is how many duplicate ACKs start loss recovery (RFC 5681, section 3.2).
	duplicatesForFast = 3
)

// recovery is what a side does after its retransmission timer has run out.
type recovery struct {
	until  int64 // what was sent when it did; the recovery ends when that is acknowledged
	since  time.Duration
	probed int64 // what was sent when a tail loss probe was
}

// packetID returns what tells a packet from others: the capture's own identifier, else that of IPv4, else 0.
func packetID(f *Frame) uint64 {
	if f.Packet.ID != 0 {
		return f.Packet.ID
	}
	if f.Headers.IPVersion() != 4 {
		return 0
	}
	if id := binary.BigEndian.Uint16(f.Headers.Network()[4:]); id != 0 {
		return 1<<63 | uint64(f.Segment.Seq^f.Segment.Ack)<<16 | uint64(id)
	}
	return 0
}

// repeat finds out what a segment repeats and why.
func (a *Analyzer) repeat(f *Frame, n *numbers, me, peer *sideState) {
	p := me.pieces.find(n.seq)
	r := &Retransmission{
		Frame: f.Number, At: f.At, Side: f.Side, Seq: f.Seq, Length: f.Segment.Length,
	}
	if n.seq == me.acknowledged {
		r.DuplicateACKs = peer.duplicates
	}
	if p != nil {
		r.Original, r.OriginalAt, r.Why = p.frame, p.at, p.why
		r.previous = p.again
		r.limit()
	}
	var timeout bool
	r.Kind, timeout = me.kind(f, n, p, peer)
	f.Retransmission = r
	side := &f.Stream.Sides[f.Side]
	side.Retransmitted[r.Kind]++
	side.RetransmittedBytes += uint64(r.Length)
	if timeout {
		side.Timeouts++
	}
	a.analysis.TCPTotal.Retransmitted[r.Kind]++
	if a.room(a.repeats) {
		a.repeats++
		f.Stream.Retransmissions = append(f.Stream.Retransmissions, r)
	}
}

// maxPrevious is how many earlier retransmissions of a segment are remembered with the latest.
const maxPrevious = 16

// limit forgets the earlier ones.
func (r *Retransmission) limit() {
	for range maxPrevious {
		if r = r.previous; r == nil {
			return
		}
	}
	r.previous = nil
}

// kind says why the piece p is sent again, nil if it is not remembered, and whether the retransmission timer has just run out.
func (d *sideState) kind(f *Frame, n *numbers, p *piece, peer *sideState) (k Kind, timeout bool) {
	switch {
	case p != nil && p.id != 0 && p.id == packetID(f):
		return Copy, false
	case f.Segment.Flags&captures.SYN != 0:
		return Handshakes, false
	case n.end <= d.acknowledged:
		return Spurious, false
	case peer.acks && peer.window == 0:
		return Probe, false
	}
	quiet := f.At - max(d.lastDataAt, peer.lastAt)
	stuck := f.At - d.progress
	if p != nil && d.progress < p.first {
		stuck = f.At - p.first
	}
	recovering := d.acknowledged < d.recovery.until && n.seq < d.recovery.until
	evidence := d.sacked >= n.end || peer.evidence >= duplicatesForFast
	switch {
	case !evidence && !recovering && n.end == d.next && d.mayProbe(f.Stream, n, quiet):
		d.recovery.probed = d.next
		return TailLossProbe, false
	case n.seq <= d.acknowledged && stuck >= minRTO && quiet > reaction && !d.mayReorder(f, p, peer, quiet):
	case recovering:
		return Timeout, false
	case evidence || n.seq > d.acknowledged || quiet < d.estimate.smooth:
		return Fast, false
	}
	d.recovery.until, d.recovery.since = d.next, f.At
	return Timeout, true
}

// mayReorder says whether a segment that is sent again after such a silence is RACK's: as long as less than three segments overtook it,
// RACK waits a quarter of the least round-trip time for it, which may be one of data only (RFC 8985, section 6.2).
func (d *sideState) mayReorder(f *Frame, p *piece, peer *sideState, quiet time.Duration) bool {
	least := d.estimate.least
	if p == nil || f.At-p.at < least || d.sacked <= d.acknowledged || peer.evidence >= duplicatesForFast {
		return false
	}
	return quiet >= least/4-reaction && quiet <= least/3+reaction
}

// mayProbe says whether a segment that repeats the last one after such a silence is a tail loss probe rather than the work of the
// retransmission timer: the silence is nearer to two round trips, with 200 ms more if there is but one segment to acknowledge (RFC 8985,
// section 7.2), than to the timer's value. Each flight is probed once, and without SACK there are no probes.
func (d *sideState) mayProbe(s *TCPStream, n *numbers, quiet time.Duration) bool {
	if h := &s.Handshake; h.SYN != 0 && h.SYNACK != 0 && !(s.Sides[Client].SACK && s.Sides[Server].SACK) {
		return false
	}
	if d.estimate.count == 0 || d.recovery.probed == d.next || quiet < d.estimate.smooth {
		return false
	}
	probe := 2 * d.estimate.smooth
	if n.seq <= d.acknowledged {
		probe += minRTO
	}
	timer := max(minRTO, d.estimate.smooth+4*d.estimate.varying)
	return (quiet - probe).Abs() < (quiet - timer).Abs()
}

// duplicateReported corrects the kind of a segment sent again, because the other end has got it twice.
func (a *Analyzer) duplicateReported(f *Frame, n *numbers) {
	d := &f.Stream.state.(*streamState).sides[1-f.Side]
	p := d.pieces.find(int64(n.dsack.From))
	if p == nil {
		return
	}
	for r := p.again; r != nil; r = r.previous {
		if r.Kind == Copy {
			return // the network made it
		}
		if r.Kind == Spurious || r.Kind == Handshakes {
			continue
		}
		side, total := f.Stream.Sides[1-f.Side].Retransmitted, a.analysis.TCPTotal.Retransmitted
		for _, counts := range []map[Kind]int{side, total} {
			if counts[r.Kind]--; counts[r.Kind] == 0 {
				delete(counts, r.Kind)
			}
			counts[Spurious]++
		}
		r.Kind = Spurious
		return
	}
}
