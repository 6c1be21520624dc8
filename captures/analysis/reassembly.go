package analysis

import (
	"bytes"
	"slices"
	"sort"

	"netlab/captures"
)

// maxWaiting bounds the payload in bytes that waits behind a gap, on each side of a connection.
const maxWaiting = 4 << 20

// maxWaitingTotal bounds the same of all connections together. Beyond, a connection that misses something goes on without it.
const maxWaitingTotal = 256 << 20

// reassembly puts the payload of a side in order.
type reassembly struct {
	started bool
	next    int64 // of what was not given to the application yet
	waiting []chunk
	size    int
	total   *int // size of all streams together
}

// chunk is payload that came too early. b may be shorter than the range: the capture was cut short.
type chunk struct {
	from, to int64
	b        []byte
}

// assemble gives the application of a connection what a segment makes readable.
func (a *Analyzer) assemble(f *Frame, st *streamState, n *numbers) {
	t, side := &f.Segment, f.Side
	r := &st.sides[side].reassembly
	if t.Flags&captures.SYN != 0 {
		r.started, r.next = true, n.seq+1
	}
	if n.acks {
		a.assembleAcknowledged(f, st, n)
	}
	if t.Length > 0 && !f.Marks.Has(MarkKeepAlive) && !spoiled(f) {
		if st.app == nil {
			st.app = newApplication(a, f.Stream)
		}
		from := n.seq
		if t.Flags&captures.SYN != 0 {
			from++
		}
		if !r.started {
			r.started, r.next = true, from
		}
		c := chunk{from, from + int64(t.Length), t.Data[:min(len(t.Data), t.Length)]}
		if c.from > r.next {
			r.wait(c)
		} else {
			r.give(f, st.app, side, c)
		}
		r.giveWaiting(f, st.app, side)
		r.bound(f, st.app, side)
	}
	if fin := st.sides[side].fin; fin > 0 && r.next >= fin {
		a.endApplication(f, st, side)
	}
	if t.Flags&captures.RST != 0 {
		a.endApplication(f, st, side)
		a.endApplication(f, st, 1-side)
	}
}

// spoiled says whether the emulated network changed the frame's bytes: its checksum is wrong, and no host takes it.
func spoiled(f *Frame) bool {
	if f.Packet.Comment == "" {
		return false
	}
	_, _, _, others := splitComment(f.Packet.Comment)
	return damaged(others)
}

// assembleAcknowledged skips what the other end has got but the capture hasn't: it will not come any more.
func (a *Analyzer) assembleAcknowledged(f *Frame, st *streamState, n *numbers) {
	side := 1 - f.Side
	r := &st.sides[side].reassembly
	if !r.started || st.app == nil || !f.Marks.Has(MarkAckedUnseen) && len(r.waiting) == 0 {
		return
	}
	to := n.ack
	if fin := st.sides[side].fin; fin > 0 {
		to = min(to, fin)
	}
	for r.next < to {
		end := to
		if len(r.waiting) > 0 {
			end = min(end, r.waiting[0].from)
		}
		r.skip(f, st.app, side, end)
		r.giveWaiting(f, st.app, side)
	}
}

// endApplication tells the application once that nothing more comes from a side.
func (a *Analyzer) endApplication(f *Frame, st *streamState, side int) {
	if st.ended[side] {
		return
	}
	st.ended[side] = true
	r := &st.sides[side].reassembly
	r.resize(-r.size)
	r.waiting = nil
	if st.app != nil {
		st.app.end(f, side)
	}
}

// wait keeps a chunk for later.
func (r *reassembly) wait(c chunk) {
	i := sort.Search(len(r.waiting), func(i int) bool { return r.waiting[i].from >= c.from })
	if i < len(r.waiting) && r.waiting[i].from == c.from && r.waiting[i].to >= c.to {
		return
	}
	c.b = bytes.Clone(c.b)
	r.waiting = slices.Insert(r.waiting, i, c)
	r.resize(chunkCost + len(c.b))
}

func (r *reassembly) resize(n int) {
	r.size += n
	*r.total += n
}

// bound gives gaps up while too much waits behind them.
func (r *reassembly) bound(f *Frame, app application, side int) {
	for r.size > maxWaiting || len(r.waiting) > 0 && *r.total > maxWaitingTotal {
		r.skip(f, app, side, r.waiting[0].from)
		r.giveWaiting(f, app, side)
	}
}

// chunkCost is what a chunk costs beside its bytes.
const chunkCost = 64

// giveWaiting gives what follows without a gap.
func (r *reassembly) giveWaiting(f *Frame, app application, side int) {
	for len(r.waiting) > 0 && r.waiting[0].from <= r.next {
		c := r.waiting[0]
		r.waiting = slices.Delete(r.waiting, 0, 1)
		r.resize(-chunkCost - len(c.b))
		r.give(f, app, side, c)
	}
}

// give gives what is new of a chunk that begins at r.next or before.
func (r *reassembly) give(f *Frame, app application, side int, c chunk) {
	if c.to <= r.next {
		return
	}
	if known := r.next - c.from; known < int64(len(c.b)) {
		b := c.b[known:]
		r.next += int64(len(b))
		app.data(f, side, b)
	}
	if r.next < c.to {
		r.skip(f, app, side, c.to)
	}
}

// skip passes over what is missing before to.
func (r *reassembly) skip(f *Frame, app application, side int, to int64) {
	if n := to - r.next; n > 0 {
		r.next = to
		app.gap(f, side, uint64(n))
	}
}
