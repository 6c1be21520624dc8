package netem

import (
	"bytes"
	"cmp"
	"slices"
	"time"
)

// departure is a frame that a host has sent and that waits for its place on the wire.
type departure struct {
	port  *Port
	frame *Frame
	flow  flow // while departures are sorted
}

// depart takes a frame that a host sends through one of its ports. It may be called by any goroutine.
func (e *Engine) depart(p *Port, f *Frame) {
	e.mu.Lock()
	e.sent = append(e.sent, departure{port: p, frame: f})
	e.mu.Unlock()
	e.wakeUp()
}

// Discard drops the frames that a port has sent and that aren't on the wire yet, and those that have arrived while its owner stood
// still: their host has died. Only the engine's loop may call it.
func (p *Port) Discard() {
	e := p.net.Engine
	var dropped []*Frame
	var waited []event
	e.mu.Lock()
	e.suspended.events = slices.DeleteFunc(e.suspended.events, func(ev event) bool {
		r, ok := ev.h.(*receiver)
		if !ok || r.to != p || ev.at >= e.nominal {
			return false
		}
		waited = append(waited, ev)
		return true
	})
	for _, list := range []*[]departure{&e.sent, &e.suspended.sent} {
		*list = slices.DeleteFunc(*list, func(d departure) bool {
			if d.port == p {
				dropped = append(dropped, d.frame)
			}
			return d.port == p
		})
	}
	e.mu.Unlock()
	for _, f := range dropped {
		f.Release()
	}
	for _, ev := range waited {
		(*direction)(ev.h.(*receiver)).lostAtEnd(e.nominal, ev.frame)
	}
}

// flush puts what hosts sent since the last event on the wire: by host's port, then by flow, in a flow as it was sent.
func (e *Engine) flush() {
	e.mu.Lock()
	if e.suspended.owners != nil {
		e.setSentAsideLocked()
	}
	if len(e.sent) == 0 {
		e.mu.Unlock()
		return
	}
	now := time.Since(e.start)
	if e.cfg.RealTime {
		e.nominal = max(e.nominal, now)
	} else if now != e.actual {
		// A timer of the Go runtime woke somebody. Nominal time may lag behind the clock by the nanoseconds that
		// separate coincident events, and must not pass an event that still waits for its turn.
		at := now
		if top := e.topLocked(); top != nil {
			at = min(at, top.at)
		}
		e.nominal, e.actual = max(e.nominal, at), now
	}
	at := e.nominal
	out := e.sent
	e.sent = nil
	e.mu.Unlock()
	sortDepartures(out)
	for i := range out {
		out[i].frame.ID = e.frames.Add(1)
		out[i].port.transmit(at, out[i].frame)
		out[i] = departure{}
	}
	e.mu.Lock()
	if e.sent == nil {
		e.sent = out[:0]
	}
	e.mu.Unlock()
}

func sortDepartures(out []departure) {
	if len(out) < 2 {
		return
	}
	for i := range out {
		d := &out[i]
		d.flow = d.frame.flow()
		for j := i - 1; d.flow.portless && j >= 0; j-- {
			if before := &out[j]; before.port == d.port && before.flow.sameDatagram(&d.flow) {
				d.flow.key, d.flow.portless = before.flow.key, before.flow.portless
				break
			}
		}
	}
	slices.SortStableFunc(out, func(a, b departure) int {
		return cmp.Or(cmp.Compare(a.port.id, b.port.id), bytes.Compare(a.flow.key[:], b.flow.key[:]))
	})
}
