package netem

import (
	"fmt"
	"time"

	"netlab/units"
)

// The directions of a link.
const (
	Forward  = 0 // from the end that was named first to the other
	Backward = 1
)

// Unlimited is the queue limit of a link that drops nothing.
var Unlimited = units.QueueLimit{}

// DefaultMTU is the MTU of Ethernet (RFC 894) in bytes.
const DefaultMTU = 1500

// Params are the properties of one direction of a link. The zero value, with an MTU, is a wire without limits.
type Params struct {
	// Latency is the propagation delay. Frames never overtake each other, however it varies.
	Latency units.Distribution
	// Rate is the bit rate of the transmitter; 0 means that a frame takes no time.
	Rate units.BitRate
	// Queue limits what waits for the transmitter, without the frame that it sends. The zero value means no limit.
	Queue units.QueueLimit
	// Loss is the probability with which the wire loses a frame, after the transmitter has sent it.
	Loss units.Probability
	// MTU is the largest packet in bytes, without the Ethernet header, 68 to 65535.
	MTU int
	// Down says that the direction carries nothing.
	Down bool
}

func (p Params) validate() error {
	switch {
	case p.MTU < 68 || p.MTU > 65535:
		return fmt.Errorf("MTU of %d bytes: want 68 to 65535", p.MTU)
	case p.Rate < 0:
		return fmt.Errorf("rate %d: want 0 or more", p.Rate)
	case p.Loss < 0 || p.Loss > 1:
		return fmt.Errorf("loss %v: want 0 to 1", float64(p.Loss))
	}
	return nil
}

// Link joins two ports.
type Link struct {
	id   string
	net  *Network
	dirs [2]direction
}

// ID returns the link's name.
func (l *Link) ID() string { return l.id }

// Ports returns the two ends.
func (l *Link) Ports() (a, b *Port) { return l.dirs[Forward].from, l.dirs[Forward].to }

// Params returns the present properties of a direction.
func (l *Link) Params(direction int) Params { return l.dirs[direction].params }

// Stats returns the counters of a direction.
func (l *Link) Stats(direction int) LinkStats { return l.dirs[direction].stats }

// Set changes the properties of a direction. Frames on the wire stay as they are; those that wait in the queue are sent
// with the new properties, or dropped when the direction goes down. A smaller queue keeps what it holds. Only the
// engine's loop may call it.
func (l *Link) Set(direction int, p Params) error {
	if err := p.validate(); err != nil {
		return fmt.Errorf("link %s: %w", l.id, err)
	}
	d := &l.dirs[direction]
	was := d.params
	d.configure(p)
	at := l.net.nominal
	switch {
	case p.Down && !was.Down:
		l.net.emit(Event{At: at, Kind: "link-down", Link: l.id, Dir: d.name})
		for d.queue.len() > 0 {
			d.drop(at, d.queue.pop(), DropLinkDown)
		}
	case !p.Down && was.Down:
		l.net.emit(Event{At: at, Kind: "link-up", Link: l.id, Dir: d.name})
	}
	was.Down = p.Down
	if was != p {
		l.net.emit(Event{At: at, Kind: "set", Link: l.id, Dir: d.name, Detail: p.describe()})
	}
	return nil
}

func (p Params) describe() string {
	rate, queue := "unlimited", "unlimited"
	if p.Rate > 0 {
		rate = p.Rate.String()
	}
	if p.Queue != Unlimited {
		queue = p.Queue.String()
	}
	return fmt.Sprintf("latency %s, rate %s, queue %s, loss %s, mtu %dB", p.Latency, rate, queue, p.Loss, p.MTU)
}

// Describe says what a direction of the link is like, in the words of the file.
func (l *Link) Describe(direction int) string { return l.dirs[direction].params.describe() }

// direction is one direction of a link: a queue, a transmitter and a wire.
type direction struct {
	link   *Link
	name   string
	from   *Port
	to     *Port
	params Params
	queue  dropTail
	stats  LinkStats

	impairments []impairment
	streams     streams

	freeAt     time.Duration // when the transmitter has sent what it was given
	waiting    bool          // an event at freeAt is queued
	lastArrive time.Duration
	arriveKey  uint64
	freeKey    uint64
}

func newDirection(l *Link, name string, from, to *Port, p Params) direction {
	d := direction{link: l, name: name, from: from, to: to,
		arriveKey: eventKey(to.owner, KindArrival), freeKey: eventKey(from.owner, KindTransmit)}
	d.streams = streams{net: l.net, prefix: "links." + l.id + "." + name + "."}
	d.configure(p)
	return d
}

func (d *direction) configure(p Params) {
	d.params = p
	d.queue.limit = p.Queue
	d.impairments = p.impairments(&d.streams)
}

// send takes a frame from the node at the near end.
func (d *direction) send(at time.Duration, f *Frame) {
	d.stats.Sent.add(f)
	n := d.link.net
	n.inFlight++
	switch {
	case d.params.Down:
		d.drop(at, f, DropLinkDown)
	case len(f.Data) > d.params.MTU+etherHeader:
		d.drop(at, f, DropTooBig)
	case n.partitions.cuts(d.from.node, f):
		d.drop(at, f, DropPartition)
	case at >= d.freeAt && !d.waiting:
		d.transmit(at, f)
	case !d.queue.push(f):
		d.drop(at, f, DropQueueFull)
	case !d.waiting:
		d.waiting = true
		n.schedule(d.freeAt, d.freeKey, (*transmitter)(d), nil)
	}
}

// transmit puts a frame on the wire: its first bit leaves at once.
func (d *direction) transmit(at time.Duration, f *Frame) {
	n := d.link.net
	d.freeAt = at + d.params.Rate.TransmitTime(len(f.Data))
	v := verdict{}
	for _, i := range d.impairments {
		i.apply(&v)
	}
	if v.drop != notDropped {
		d.drop(at, f, v.drop)
		return
	}
	if n.tap != nil {
		n.tap.Frame(at, d.from.id, Outbound, f.Data, "")
	}
	d.lastArrive = max(d.lastArrive, d.freeAt+v.latency)
	n.schedule(d.lastArrive, d.arriveKey, (*receiver)(d), f)
}

func (d *direction) drop(at time.Duration, f *Frame, reason DropReason) {
	n := d.link.net
	d.stats.Dropped[reason]++
	n.inFlight--
	if n.tap != nil {
		n.tap.Frame(at, d.from.id, Outbound, f.Data, "dropped: "+reason.words()+" on "+d.link.id)
	}
	n.emit(Event{At: at, Kind: "drop", Node: d.from.host, Link: d.link.id, Dir: d.name, Frame: f.ID, Reason: reason.String()})
	f.Release()
}

// transmitter is the event that a direction's transmitter is free again.
type transmitter direction

func (t *transmitter) quiet() bool { return true }

func (t *transmitter) handle(at time.Duration, _ *Frame) {
	d := (*direction)(t)
	d.waiting = false
	// With a rate of 0 set meanwhile, all that waits leaves at once.
	for d.queue.len() > 0 && at >= d.freeAt {
		d.transmit(at, d.queue.pop())
	}
	if d.queue.len() > 0 {
		d.waiting = true
		d.link.net.schedule(d.freeAt, d.freeKey, t, nil)
	}
}

// receiver is the event that a frame reaches the far end of a direction.
type receiver direction

func (r *receiver) quiet() bool { return r.to.passive }

func (r *receiver) handle(at time.Duration, f *Frame) {
	n := r.link.net
	n.inFlight--
	r.stats.Delivered.add(f)
	if n.tap != nil {
		n.tap.Frame(at, r.to.id, Inbound, f.Data, "")
	}
	r.to.receive(at, f)
}
