package analysis

import (
	"time"

	"netlab/captures"
)

// segment analyses a segment: first what it means after all that came before, then what it changes.
func (a *Analyzer) segment(f *Frame, st *streamState) {
	t, me, peer := &f.Segment, &st.sides[f.Side], &st.sides[1-f.Side]
	syn, fin, acks := t.Flags&captures.SYN != 0, t.Flags&captures.FIN != 0, t.Flags&captures.ACK != 0
	switch {
	case syn && !me.sent:
		me.begin(t.Seq, 0)
	case !me.known:
		me.begin(t.Seq-1, 1)
	}
	n := numbers{seq: me.unwrap(t.Seq)}
	n.end = n.seq + int64(t.Length)
	if !me.sent {
		me.first = n.seq
	}
	if syn {
		n.end++
	}
	if fin {
		n.end++
	}
	if acks {
		if !peer.known {
			peer.begin(t.Ack-1, 1)
		}
		n.ack, n.acks = peer.unwrap(t.Ack), true
	}
	side := &f.Stream.Sides[f.Side]
	n.window = uint64(t.Window)
	if other := &f.Stream.Sides[1-f.Side]; !syn && side.Scale >= 0 && other.Scale >= 0 {
		n.window <<= side.Scale
	}
	f.Seq, f.Ack, f.Window = uint64(max(n.seq, 0)), uint64(max(n.ack, 0)), n.window
	dsack := peer.blocks(f, &n)

	f.mark(&n, me, peer)
	me.overtake(f, &n)
	if f.Marks.Has(MarkRetransmission) {
		a.repeat(f, &n, me, peer)
	}
	if dsack {
		a.duplicateReported(f, &n)
	}
	if n.acks {
		peer.acknowledgedBy(f, &n)
	}
	fresh := me.send(f, &n)
	me.tell(f, &n)

	f.InFlight, f.PeerInFlight = me.inFlight(), peer.inFlight()
	side.MaxInFlight = max(side.MaxInFlight, f.InFlight)
	a.openOrClose(f, st, &n)
	side.count(f, me, fresh)
	me.lastAt = f.At
	if t.Length > 0 || syn || fin {
		me.lastDataAt = f.At
	}
	me.lastMarks = f.Marks
	if a.options.Applications {
		a.assemble(f, st, &n)
	}
}

// numbers are those of a segment from the start of the stream.
type numbers struct {
	seq, end int64 // end is behind payload, SYN and FIN
	acks     bool
	ack      int64
	window   uint64 // scaled
	dsack    Range
}

// blocks reads the SACK blocks that acknowledge what d has sent, and says whether the first reports a duplicate: it lies below the
// ACK or within the second (RFC 2883, section 4).
func (d *sideState) blocks(f *Frame, n *numbers) (duplicate bool) {
	t := &f.Segment
	if !n.acks {
		return false
	}
	for i, b := range t.SACK[:t.SACKBlocks] {
		from, to := d.unwrap(b.From), d.unwrap(b.To)
		if from < 0 || to <= from {
			continue
		}
		r := Range{uint64(from), uint64(to)}
		if i == 0 {
			within := t.SACKBlocks > 1 && d.unwrap(t.SACK[1].From) <= from && to <= d.unwrap(t.SACK[1].To)
			if to <= n.ack || within {
				n.dsack, duplicate = r, true
				f.Marks.set(MarkDSACK)
				continue
			}
		}
		f.SACK = append(f.SACK, r)
	}
	return duplicate
}

// acknowledgedBy takes down what a segment of the other end tells of what d has sent.
func (d *sideState) acknowledgedBy(f *Frame, n *numbers) {
	for _, r := range f.SACK {
		d.sacked = max(d.sacked, int64(r.To))
		for i := d.pieces.search(int64(r.From)); i < len(d.pieces.list) && d.pieces.list[i].to <= int64(r.To); i++ {
			d.pieces.list[i].sacked = d.pieces.list[i].from >= int64(r.From) || d.pieces.list[i].sacked
		}
	}
	if n.ack <= d.acknowledged {
		return
	}
	d.acknowledged = n.ack
	d.progress = f.At
	if n.ack == d.probed {
		d.next = max(d.next, n.ack) // the probe's byte was taken
	}
	clear, sample := true, time.Duration(-1)
	d.pieces.acknowledge(n.ack, func(p *piece) {
		if p.sent > 1 {
			clear = false // Karn's algorithm: which of them arrived isn't known
		}
		if !p.sacked {
			sample = f.At - p.at
		}
	})
	if clear && sample >= 0 {
		f.RTT = sample
		d.estimate.add(sample)
	}
}

// send takes down what a segment carries. It returns how much of its payload was not sent before.
func (d *sideState) send(f *Frame, n *numbers) (fresh int64) {
	d.sent = true
	t := &f.Segment
	if n.end == n.seq || f.Marks.Has(MarkKeepAlive) {
		if t.Flags&captures.RST == 0 {
			d.next, d.ackable = max(d.next, n.seq), max(d.ackable, n.seq) // what precedes it was sent, though not captured
		}
		return 0
	}
	why, _ := dropReason(f.Packet.Comment)
	fresh = d.pieces.add(piece{
		from: n.seq, to: n.end, frame: f.Number, at: f.At, first: f.At, id: packetID(f), why: why, again: f.Retransmission,
	})
	if f.Marks.Has(MarkZeroWindowProbe) {
		d.probed = n.end
		d.ackable = max(d.ackable, n.end)
		return min(fresh, int64(t.Length))
	}
	d.next, d.ackable = max(d.next, n.end), max(d.ackable, n.end)
	if t.Flags&captures.SYN != 0 {
		fresh = max(fresh-1, 0)
	}
	if t.Flags&captures.FIN != 0 {
		d.fin = n.end - 1
	}
	if t.Length > 0 {
		d.data = max(d.data, n.seq+int64(t.Length))
	}
	return min(fresh, int64(t.Length))
}

// tell takes down what a segment says to the other end.
func (d *sideState) tell(f *Frame, n *numbers) {
	if f.Segment.Flags&captures.RST == 0 { // the window of a RST means nothing
		d.window = n.window
	}
	if !n.acks {
		return
	}
	if !d.acks || n.ack != d.ack {
		d.duplicates, d.evidence = 0, 0
	} else if f.Marks.Has(MarkDuplicateACK) {
		d.duplicates++
		if id := packetID(f); id == 0 || id != d.lastID {
			d.evidence++
		}
	}
	d.lastID = packetID(f)
	d.acks, d.ack, d.rawWindow = true, n.ack, f.Segment.Window
}

// count adds a segment to the figures of its side.
func (s *Side) count(f *Frame, d *sideState, fresh int64) {
	t := &f.Segment
	if s.Frames > 0 {
		s.LongestIdle = max(s.LongestIdle, f.At-d.lastAt)
	}
	s.Frames++
	s.Bytes += uint64(t.Length)
	s.Unique += uint64(fresh)
	s.Wire += uint64(f.Packet.Length)
	if t.Length > 0 {
		if s.Bytes == uint64(t.Length) {
			s.FirstByte = f.At
		}
		s.LastByte = f.At
	}
	if t.Flags&(captures.SYN|captures.RST) == 0 {
		if s.MaxWindow == 0 && s.MinWindow == 0 {
			s.MinWindow = f.Window
		}
		s.MinWindow, s.MaxWindow = min(s.MinWindow, f.Window), max(s.MaxWindow, f.Window)
	}
	s.SACKBlocks += t.SACKBlocks
	for _, c := range [...]struct {
		mark Mark
		n    *int
	}{
		{MarkOutOfOrder, &s.OutOfOrder}, {MarkDuplicateACK, &s.DuplicateACKs}, {MarkLostSegment, &s.LostSegments},
		{MarkZeroWindow, &s.ZeroWindows}, {MarkWindowUpdate, &s.WindowUpdates}, {MarkWindowFull, &s.WindowFulls},
		{MarkKeepAlive, &s.KeepAlives}, {MarkReset, &s.Resets}, {MarkCloses, &s.FINs}, {MarkDSACK, &s.DSACKs}, {MarkECN, &s.ECNMarks},
	} {
		if f.Marks.Has(c.mark) {
			*c.n++
		}
	}
}
