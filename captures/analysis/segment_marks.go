package analysis

import "netlab/captures"

// mark finds out what is special about a segment. The definitions are those of Wireshark's User's Guide ("TCP Analysis"), with one
// difference: a segment that begins below what was sent before is a retransmission if its first byte was captured before, and out of
// order if not, however short the time.
func (f *Frame) mark(n *numbers, me, peer *sideState) {
	t := &f.Segment
	syn, fin, rst := t.Flags&captures.SYN != 0, t.Flags&captures.FIN != 0, t.Flags&captures.RST != 0
	plain := !syn && !fin && !rst
	if rst {
		f.Marks.set(MarkReset)
	}
	if fin {
		f.Marks.set(MarkCloses)
	}
	if plain && t.Window == 0 {
		f.Marks.set(MarkZeroWindow)
	}
	if n.acks && n.ack > peer.ackable && peer.sent {
		f.Marks.set(MarkAckedUnseen)
		peer.ackable = n.ack
	}
	if !me.sent {
		if syn && !n.acks {
			f.Marks.set(MarkOpens)
		}
		return
	}
	if n.seq > me.next && !rst && n.seq != me.probed {
		f.Marks.set(MarkLostSegment)
	}
	probe := t.Length == 1 && n.seq == me.next && peer.acks && peer.window == 0 && plain
	if probe {
		f.Marks.set(MarkZeroWindowProbe)
	}
	if plain && t.Length <= 1 && n.seq == me.next-1 && !probe {
		f.Marks.set(MarkKeepAlive)
	}
	if plain && t.Length > 0 && peer.acks && n.end == peer.ack+int64(peer.window) && peer.window > 0 {
		f.Marks.set(MarkWindowFull)
	}
	if plain && t.Length == 0 && n.acks && n.seq == me.next && me.acks {
		f.markACK(n, me, peer)
	}
	if (t.Length > 0 || syn || fin) && n.seq < me.next && !f.Marks.Has(MarkKeepAlive|MarkZeroWindowProbe) {
		if n.seq < me.pieces.floor || me.pieces.find(n.seq) != nil {
			f.Marks.set(MarkRetransmission)
		} else {
			f.Marks.set(MarkOutOfOrder)
		}
	}
}

// overtake finds out whether a segment looks late or early only because of one that the emulated network dropped: what is dropped at once
// stands in the sender's capture before segments that were sent earlier and still wait in the link's queue.
func (d *sideState) overtake(f *Frame, n *numbers) {
	switch {
	case f.Marks.Has(MarkLostSegment) && f.Marks.Has(MarkDropped):
		if d.acknowledged >= d.queuedTo {
			d.queuedFrom = d.next
		}
		d.queuedTo = n.seq
		f.overtaking = true
	case f.Marks.Has(MarkOutOfOrder):
		f.overtaking = n.seq >= d.queuedFrom && n.end <= d.queuedTo
	}
}

// markACK finds out why a segment without payload was sent.
func (f *Frame) markACK(n *numbers, me, peer *sideState) {
	same := f.Segment.Window == me.rawWindow
	if n.ack != me.ack {
		if n.window != 0 && !same && peer.lastMarks.Has(MarkZeroWindowProbe) && n.ack == peer.probed {
			f.Marks.set(MarkWindowUpdate)
		}
		return
	}
	switch {
	case n.window != 0 && same && peer.lastMarks.Has(MarkKeepAlive):
		f.Marks.set(MarkKeepAliveACK)
	case n.window == 0 && same && peer.lastMarks.Has(MarkZeroWindowProbe):
		f.Marks.set(MarkZeroWindowProbeACK)
	case n.window != 0 && same:
		f.Marks.set(MarkDuplicateACK)
	case n.window != 0:
		f.Marks.set(MarkWindowUpdate)
	}
}
