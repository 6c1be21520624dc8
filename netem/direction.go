package netem

import "time"

// direction is one direction of a link: rules at its entry, a queue, a transmitter and a wire.
type direction struct {
	link   *Link
	name   string
	from   *Port
	to     *Port
	params Params
	stats  LinkStats

	rules       []*Rule // in the order in which they were added
	queue       discipline
	managed     bool // the queue wants to see each frame, also one that needn't wait
	shaper      shaper
	fixed       bool // the shaper begins at once
	impairments []impairment
	streams     streams
	late        []lateFrame // held back until others have passed
	note        string      // for the comment of the next frame that a tap sees: what has changed

	freeAt     time.Duration // when the transmitter has sent what it was given
	waiting    bool          // an event at freeAt is queued
	next       *Frame        // the frame whose turn it is, while the shaper lets it wait
	begin, end time.Duration // when that frame is sent
	clock      *Timer        // fires at begin
	lastArrive time.Duration
	arriveKey  uint64
	freeKey    uint64
}

func newDirection(l *Link, name string, from, to *Port, p Params) direction {
	d := direction{link: l, name: name, from: from, to: to,
		arriveKey: eventKey(to.owner, KindArrival), freeKey: eventKey(from.owner, KindTransmit)}
	d.streams = streams{net: l.net, prefix: "links." + l.id + "." + name + "."}
	return d
}

// configure makes what the parameters ask for; what was there before goes on where it can.
func (d *direction) configure(at time.Duration, p Params) {
	before := d.params
	d.params = p
	d.impairments = p.impairments(&d.streams, d.impairments)
	if d.queue == nil || p.Queue != before.Queue {
		d.setQueue(at, &p.Queue)
	}
	d.shaper = newShaper(&p, d.shaper, at)
	_, d.fixed = d.shaper.(fixedRate)
	if f := d.next; f != nil {
		// The frame whose turn it is waits by the new rules.
		d.next = nil
		d.clock.Stop()
		d.transmit(at, f)
	}
}

// setQueue replaces the queue. A new one of the same discipline keeps what it holds, even if that is more than its limit; one of
// another discipline takes the frames one by one and may drop some.
func (d *direction) setQueue(at time.Duration, q *Queue) {
	old := d.queue
	if keep, ok := old.(*dropTail); ok && q.tail() {
		keep.limit = q.Limit
		return
	}
	d.queue = newDiscipline(q, (*queueOutlet)(d), &d.streams)
	d.managed = !q.tail()
	for old != nil && old.len() > 0 {
		d.queue.enqueue(at, old.empty())
	}
}

// flushQueue drops all that waits.
func (d *direction) flushQueue(at time.Duration, reason DropReason) {
	if f := d.next; f != nil {
		d.next = nil
		d.clock.Stop()
		d.drop(at, f, reason, "")
	}
	for d.queue.len() > 0 {
		d.drop(at, d.queue.empty(), reason, "")
	}
}

// tail says whether it is a drop-tail queue.
func (q *Queue) tail() bool { return q.Discipline == "" || q.Discipline == DropTail }

// send takes a frame from the node at the near end.
func (d *direction) send(at time.Duration, f *Frame) {
	d.stats.Sent.add(f)
	n := d.link.net
	n.inFlight++
	switch {
	case d.params.Down:
		d.drop(at, f, DropLinkDown, "")
	case len(f.Data) > d.params.MTU+etherHeader:
		d.drop(at, f, DropTooBig, "")
	case n.partitions.cuts(d.from.node, f):
		d.drop(at, f, DropPartition, "")
	case len(d.rules) > 0:
		d.judge(at, f, 0)
	default:
		d.admit(at, f)
	}
}

// admit gives a frame to the transmitter, or to the queue.
func (d *direction) admit(at time.Duration, f *Frame) {
	if at >= d.freeAt && !d.waiting && d.next == nil && !d.managed {
		d.transmit(at, f)
		return
	}
	f.queued = at
	d.queue.enqueue(at, f)
	d.pump(at)
}

// pump sends what waits as long as the transmitter is free, and sees to it that it is called again when that is so.
func (d *direction) pump(at time.Duration) {
	for at >= d.freeAt && !d.waiting && d.next == nil {
		f := d.queue.dequeue(at)
		if f == nil {
			return
		}
		d.transmit(at, f)
	}
	if d.queue.len() > 0 && !d.waiting && d.next == nil {
		d.waiting = true
		d.link.net.schedule(d.freeAt, d.freeKey, (*transmitter)(d), nil)
	}
}

// transmit gives the transmitter a frame, which sends it at once or when the shaper says.
func (d *direction) transmit(at time.Duration, f *Frame) {
	if d.fixed {
		d.freeAt = at + d.params.Rate.TransmitTime(len(f.Data))
		d.propagate(at, f)
		return
	}
	begin, end := d.shaper.send(at, len(f.Data))
	if begin <= at {
		d.freeAt = end
		d.propagate(at, f)
		return
	}
	d.next, d.begin, d.end = f, begin, end
	if d.clock == nil {
		d.clock = d.link.net.NewTimer(d.from.owner, KindTransmit, d.begun)
		d.clock.inert = true
	}
	d.clock.ResetAt(begin)
}

// begun sends the frame that the shaper let wait.
func (d *direction) begun() {
	f := d.next
	d.next = nil
	d.freeAt = d.end
	d.propagate(d.begin, f)
	d.pump(d.begin)
}

// propagate puts a frame on the wire: its first bit leaves now, its last at freeAt.
func (d *direction) propagate(at time.Duration, f *Frame) {
	v := verdict{at: at, size: len(f.Data)}
	for _, i := range d.impairments {
		i.apply(&v)
	}
	if v.lost {
		d.drop(at, f, DropLoss, v.words)
		return
	}
	if v.copies > 0 || v.damage != nil || v.cut != nil || v.late > 0 {
		d.alter(at, f, &v)
		return
	}
	d.tap(at, f, f.note)
	f.note = ""
	d.land(f, v.latency)
}

// land lets a frame arrive a latency after its last bit has left.
func (d *direction) land(f *Frame, latency time.Duration) {
	arrive := d.freeAt + latency
	if !d.params.Overtaking {
		arrive = max(d.lastArrive, arrive)
		d.lastArrive = arrive
	}
	d.link.net.schedule(arrive, d.arriveKey, (*receiver)(d), f)
	if len(d.late) > 0 {
		d.passed(arrive)
	}
}

// tap shows a frame that leaves, with what has changed on the link since the last one.
func (d *direction) tap(at time.Duration, f *Frame, comment string) {
	n := d.link.net
	if n.tap == nil {
		return
	}
	if d.note != "" {
		if comment != "" {
			comment += "; " + d.note
		} else {
			comment = d.note
		}
		d.note = ""
	}
	n.tap.Frame(at, d.from.id, Outbound, f.Data, comment)
}

// drop takes a frame out. words says more than the reason does, or nothing.
func (d *direction) drop(at time.Duration, f *Frame, reason DropReason, words string) {
	n := d.link.net
	d.stats.Dropped[reason]++
	n.inFlight--
	if words == "" {
		words = reason.words()
	}
	if n.tap != nil {
		d.tap(at, f, "dropped: "+words+" on "+d.link.id)
	}
	n.emit(Event{At: at, Kind: "drop", Node: d.from.host, Link: d.link.id, Dir: d.name, Frame: f.ID, Reason: reason.String()})
	f.Release()
}

// queueOutlet is the direction as its queue sees it.
type queueOutlet direction

func (o *queueOutlet) drop(at time.Duration, f *Frame, reason DropReason) {
	(*direction)(o).drop(at, f, reason, "")
}

// transmitter is the event that a direction's transmitter is free again.
type transmitter direction

func (t *transmitter) quiet() bool { return true }

func (t *transmitter) handle(at time.Duration, _ *Frame) {
	d := (*direction)(t)
	d.waiting = false
	d.pump(at)
}

// receiver is the event that a frame reaches the far end of a direction.
type receiver direction

func (r *receiver) quiet() bool { return r.to.passive }

func (r *receiver) handle(at time.Duration, f *Frame) {
	n := r.link.net
	if r.to.dead {
		(*direction)(r).lostAtEnd(at, f)
		return
	}
	n.inFlight--
	r.stats.Delivered.add(f)
	if n.tap != nil {
		n.tap.Frame(at, r.to.id, Inbound, f.Data, f.note)
	}
	f.note = ""
	r.to.receive(at, f)
}

// lostAtEnd drops a frame that reaches a port whose node is down.
func (d *direction) lostAtEnd(at time.Duration, f *Frame) {
	n := d.link.net
	d.stats.Dropped[DropNodeDown]++
	n.inFlight--
	n.emit(Event{At: at, Kind: "drop", Node: d.to.host, Link: d.link.id, Dir: d.name, Frame: f.ID, Reason: DropNodeDown.String()})
	f.Release()
}
