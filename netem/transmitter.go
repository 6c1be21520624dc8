package netem

import "time"

// setShaper replaces the shaper. What waits for the old one is sent by the new one.
func (d *direction) setShaper(at time.Duration, p *Params) {
	d.shaper = newShaper(p, d.shaper, at)
	d.rate = p.Rate.Fixed()
	_, d.gated = d.shaper.(*mahimahi)
	d.stopClock()
	if f := d.next; f != nil {
		d.next = nil
		d.transmit(at, f)
	}
	d.pump(at)
}

// pump sends what waits as long as the transmitter is free, and sees to it that it is called again when that is so.
func (d *direction) pump(at time.Duration) {
	for at >= d.freeAt && !d.waiting && d.next == nil {
		if d.gated && d.queue.len() > 0 {
			if open := d.shaper.open(at); open > at {
				d.setClock(open)
				d.measure(at)
				return
			}
		}
		f := d.queue.dequeue(at)
		if f == nil {
			break
		}
		if f.queued < at {
			d.waited(at, f)
		}
		d.transmit(at, f)
	}
	if d.queue.len() > 0 && !d.waiting && d.next == nil {
		d.waiting = true
		d.link.net.schedule(d.freeAt, d.freeKey, (*transmitter)(d), nil)
	}
	d.measure(at)
}

// transmit gives the transmitter a frame, which sends it at once or when the shaper says.
func (d *direction) transmit(at time.Duration, f *Frame) {
	if d.shaper == nil {
		d.freeAt = later(at, d.rate.TransmitTime(len(f.Data)))
		d.propagate(at, f)
		return
	}
	d.begin, d.end = d.shaper.plan(at, len(f.Data))
	d.next = f
	if d.begin <= at {
		d.sendNext()
	} else {
		d.setClock(d.begin)
	}
}

// sendNext sends the frame whose turn it is. In real time that may be later than it should have been: those who look on are told the
// later time, so that time doesn't go back for them.
func (d *direction) sendNext() {
	f := d.next
	d.next = nil
	d.freeAt = d.end
	d.shaper.sent()
	d.propagate(max(d.begin, d.link.net.nominal), f)
}

// setClock has tick called at a time.
func (d *direction) setClock(at time.Duration) {
	if d.clock == nil {
		d.clock = d.link.net.NewTimer(d.from.owner, KindTransmit, d.tick)
		d.clock.inert = true
	}
	d.due = at
	d.clock.ResetAt(at)
}

func (d *direction) stopClock() {
	if d.clock != nil {
		d.clock.Stop()
	}
}

// tick goes on at the time until which the shaper made it wait.
func (d *direction) tick() {
	if d.next != nil {
		d.sendNext()
	}
	d.pump(d.due)
}

// catchUp does what the shaper does until a time, before a frame comes at that time: so the frame has no part in what the shaper gives
// those that wait already, whichever event of an instant runs first.
func (d *direction) catchUp(at time.Duration) {
	if d.clock != nil && d.due <= at && d.clock.Stop() {
		d.tick()
	}
	if d.next == nil && d.queue.len() == 0 {
		d.shaper.idle(at)
	}
}

// transmitter is the event that a direction's transmitter is free again.
type transmitter direction

func (t *transmitter) quiet() bool { return true }

func (t *transmitter) handle(at time.Duration, _ *Frame) {
	d := (*direction)(t)
	d.waiting = false
	d.pump(at)
}
