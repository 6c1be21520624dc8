package netem

import "slices"

// suspension is what waits for owners that stand still.
type suspension struct {
	owners map[Owner]bool // nil when nobody stands still
	events []event        // were next in the queue
	tasks  []task         // came by Later
	sent   []departure    // were sent by ports of these owners
}

// Suspend lets what belongs to owners wait until [Engine.Unsuspend]: the events of a host (timers, deadlines, goroutines that start or
// wake up) and its tasks of [Engine.Later]; and for the owner of a port, the frames that arrive there, which are in flight until
// then, and those that are sent there by [Port.Send]. Events of KindControl and KindTransmit go on: faults, and frames that the
// transmitter was given before. Whoever is suspended already stays so. Only the engine's loop may call it.
func (e *Engine) Suspend(owners ...Owner) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.suspended.owners == nil {
		e.suspended.owners = make(map[Owner]bool, len(owners))
	}
	for _, o := range owners {
		e.suspended.owners[o] = true
	}
}

// Unsuspend puts back what has waited for owners, in the order that it would have had: what is overdue is due now. Owners that aren't
// suspended are passed over. Any goroutine may call it.
func (e *Engine) Unsuspend(owners ...Owner) {
	e.mu.Lock()
	s := &e.suspended
	for _, o := range owners {
		delete(s.owners, o)
	}
	if len(s.owners) == 0 {
		s.owners = nil
	}
	events, tasks, sent := s.events, s.tasks, s.sent
	s.events, s.tasks, s.sent = nil, nil, nil
	for i := range events {
		if ev := &events[i]; e.suspendedLocked(ev) {
			s.events = append(s.events, *ev)
		} else {
			e.queue.push(*ev)
		}
	}
	// What waits is older than what came meanwhile.
	if len(tasks) > 0 {
		e.later = append(tasks, e.later...)
	}
	if len(sent) > 0 {
		e.sent = append(sent, e.sent...)
	}
	e.mu.Unlock()
	e.wakeUp()
}

// suspendedLocked says whether an event has to wait.
func (e *Engine) suspendedLocked(ev *event) bool {
	kind := Kind(ev.key)
	return kind != KindControl && kind != KindTransmit && e.suspended.owners[Owner(ev.key>>8)]
}

// setTasksAsideLocked takes the tasks of those who stand still out of the list.
func (e *Engine) setTasksAsideLocked() {
	due := e.later[:0]
	for _, t := range e.later {
		if e.suspended.owners[t.owner] {
			e.suspended.tasks = append(e.suspended.tasks, t)
		} else {
			due = append(due, t)
		}
	}
	clear(e.later[len(due):])
	e.later = due
}

// setSentAsideLocked takes the frames that were sent by ports which stand still out of the list.
func (e *Engine) setSentAsideLocked() {
	due := e.sent[:0]
	for _, d := range e.sent {
		if e.suspended.owners[d.port.owner] {
			e.suspended.sent = append(e.suspended.sent, d)
		} else {
			due = append(due, d)
		}
	}
	clear(e.sent[len(due):])
	e.sent = due
}

// Forget stops the timers of some kinds of an owner that is no more. Any goroutine may call it.
func (e *Engine) Forget(owner Owner, kinds ...Kind) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.filterLocked(func(ev *event) bool {
		t, ok := ev.h.(*Timer)
		if !ok || Owner(ev.key>>8) != owner || !slices.Contains(kinds, Kind(ev.key)) {
			return true
		}
		if t.queued && t.seq == ev.seq {
			t.queued, t.armed = false, false
		} else {
			e.stale--
		}
		return false
	})
}

// filterLocked keeps the events for which keep holds, those that wait for somebody who stands still included.
func (e *Engine) filterLocked(keep func(*event) bool) {
	e.queue.filter(keep)
	e.suspended.events = slices.DeleteFunc(e.suspended.events, func(ev event) bool { return !keep(&ev) })
}

// Owner returns whom the frames belong to that arrive at the port.
func (p *Port) Owner() Owner { return p.owner }
