package netem

import (
	"time"

	"netlab/units"
)

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
	history     *queueHistory // how the queue fared, nil as long as nothing has waited
	managed     bool          // the queue wants to see each frame, also one that needn't wait
	shaper      shaper        // nil: it sends at once, at the fixed rate
	gated       bool          // the shaper wants to take each frame from the queue
	rate        units.BitRate // 0: unlimited
	latency     time.Duration // the constant one, when no impairment draws it
	impairments []impairment
	verdict     verdict // of the impairments about the present frame
	streams     streams
	late        []lateFrame // held back until others have passed
	lateClock   *Timer
	lateDue     time.Duration // when lateClock fires
	note        string        // for the comment of the next frame that a tap sees: what has changed

	freeAt     time.Duration // when the transmitter has sent what it was given
	waiting    bool          // an event at freeAt is queued
	next       *Frame        // the frame whose turn it is, while the shaper lets it wait
	begin, end time.Duration // when that frame is sent
	clock      *Timer        // fires at begin or, without such a frame, when the shaper takes one from the queue
	due        time.Duration // when clock fires
	lastArrive time.Duration // of all frames
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
	d.latency = 0
	if p.Latency.IsConstant() {
		d.latency = p.Latency.Mean()
	}
	if d.queue == nil || p.Queue != before.Queue || p.MTU != before.MTU {
		d.setQueue(at, p, before.Queue.kind())
	}
	if p.Rate != before.Rate || p.Burst != before.Burst || p.PeakRate != before.PeakRate {
		d.setShaper(at, &p)
	}
}

// setQueue replaces the queue, of which the discipline was before. A new one of the same discipline keeps what it holds, even if
// that is more than its limit; one of another discipline takes the frames one by one, oldest first, and may drop some.
func (d *direction) setQueue(at time.Duration, p Params, before Discipline) {
	p.Queue = p.Queue.withDefaults(p.MTU)
	old, kind := d.queue, p.Queue.kind()
	if old != nil && before == kind && old.tune(at, &p) {
		return
	}
	d.queue = newDiscipline(at, &p, (*queueOutlet)(d), &d.streams)
	d.managed = kind.seesAll()
	if old == nil {
		return
	}
	for old.len() > 0 {
		d.queue.enqueue(at, old.empty(at))
	}
	d.measure(at)
}

// flushQueue drops all that waits.
func (d *direction) flushQueue(at time.Duration, reason DropReason) {
	d.stopClock()
	if f := d.next; f != nil {
		d.next = nil
		d.drop(at, f, reason, "")
	}
	for d.queue.len() > 0 {
		d.drop(at, d.queue.empty(at), reason, "")
	}
	d.measure(at)
}

// send takes a frame from the node at the near end.
func (d *direction) send(at time.Duration, f *Frame) {
	d.stats.Sent.add(f)
	d.link.net.inFlight++
	d.enter(at, f, 0)
}

// enter checks whether the link takes a frame, and shows it to the rules that were added after the one numbered after.
func (d *direction) enter(at time.Duration, f *Frame, after uint64) {
	switch {
	case d.params.Down:
		d.drop(at, f, DropLinkDown, "")
	case len(f.Data) > d.params.MTU+etherHeader:
		d.drop(at, f, DropTooBig, "")
	case d.link.net.partitions.cuts(d.from.node, f):
		d.drop(at, f, DropPartition, "")
	case len(d.rules) > 0:
		d.judge(at, f, after)
	default:
		d.admit(at, f)
	}
}

// admit gives a frame to the transmitter, or to the queue.
func (d *direction) admit(at time.Duration, f *Frame) {
	if d.shaper != nil {
		d.catchUp(at)
	}
	if at >= d.freeAt && !d.waiting && d.next == nil && !d.managed && !d.gated {
		d.transmit(at, f)
		return
	}
	f.queued = at
	d.queue.enqueue(at, f)
	d.pump(at)
}

// propagate puts a frame on the wire: its first bit leaves now, its last at freeAt.
func (d *direction) propagate(at time.Duration, f *Frame) {
	if len(d.impairments) == 0 {
		d.tap(at, f, "")
		d.passed(d.land(f, d.latency))
		return
	}
	v := &d.verdict // one in this function would be allocated for each frame
	*v = verdict{size: len(f.Data), latency: d.latency}
	for _, i := range d.impairments {
		i.apply(v)
	}
	switch {
	case v.lost:
		d.drop(at, f, DropLoss, v.words)
	case v.twice || v.damage != nil || v.cut != nil || v.late > 0:
		d.alter(at, f, v)
	default:
		d.tap(at, f, "")
		d.passed(d.land(f, v.latency))
	}
}

// land lets a frame arrive a latency after its last bit has left, and returns when that is.
func (d *direction) land(f *Frame, latency time.Duration) time.Duration {
	arrive := d.arrival(latency)
	d.link.net.schedule(arrive, d.arriveKey, (*receiver)(d), f)
	return arrive
}

// arrival is when a frame arrives whose last bit has left at freeAt: not before those that were sent before it, unless it may
// overtake.
func (d *direction) arrival(latency time.Duration) time.Duration {
	arrive := later(d.freeAt, latency)
	d.lastArrive = max(d.lastArrive, arrive)
	if d.params.Overtaking {
		return arrive
	}
	return d.lastArrive
}

// tap shows a frame that leaves, with what has changed on the link since the last one.
func (d *direction) tap(at time.Duration, f *Frame, comment string) {
	n := d.link.net
	if n.tap == nil {
		return
	}
	n.tap.Frame(at, d.from.id, Outbound, f.ID, f.Data, join(join(f.ruled, comment), d.note))
	d.note = ""
}

// drop takes a frame out. words says more than the reason does, or nothing.
func (d *direction) drop(at time.Duration, f *Frame, reason DropReason, words string) {
	n := d.link.net
	at = max(at, n.nominal) // as in sendNext
	d.stats.Dropped[reason]++
	n.inFlight--
	if words == "" {
		words = reason.words()
	}
	if n.tap != nil {
		d.tap(at, f, "dropped: "+words+" on "+d.link.id)
	}
	ev := Event{At: at, Kind: "drop", Node: d.from.host, Link: d.link.id, Dir: d.name, Frame: f.ID, Reason: reason.String()}
	if words != reason.words() {
		ev.Detail = words
	}
	n.emit(ev)
	f.Release()
}

// join puts two comments together, each of which may be empty.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
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
		n.tap.Frame(at, r.to.id, Inbound, f.ID, f.Data, join(f.ruled, f.note))
	}
	if f.Damaged { // that is so on the links to come as well
		f.note, f.ruled = "", join(f.ruled, f.note)
	} else {
		f.note, f.ruled = "", ""
	}
	r.to.receive(at, f)
}

// lostAtEnd drops a frame that reaches a port whose node is down.
func (d *direction) lostAtEnd(at time.Duration, f *Frame) {
	n := d.link.net
	d.stats.Dropped[DropNodeDown]++
	n.inFlight--
	if n.tap != nil {
		dropped := "dropped: " + DropNodeDown.words() + " on " + d.link.id
		n.tap.Frame(at, d.to.id, Inbound, f.ID, f.Data, join(join(f.ruled, f.note), dropped))
	}
	n.emit(Event{At: at, Kind: "drop", Node: d.to.host, Link: d.link.id, Dir: d.name, Frame: f.ID, Reason: DropNodeDown.String()})
	f.Release()
}
