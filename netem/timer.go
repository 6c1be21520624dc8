package netem

import (
	"context"
	"time"
)

// Timer calls a function once, at a time on the engine's queue. Make one with [Engine.NewTimer] or [Engine.AfterFunc].
type Timer struct {
	e     *Engine
	key   uint64
	fn    func()
	inert bool

	// Guarded by the engine's lock.
	deadline time.Duration
	armed    bool
	queued   bool
	queuedAt time.Duration
	seq      uint64 // of the queued event
	turn     uint64 // among the events of the deadline: when the timer was set
}

// NewTimer returns a timer that is not set yet. The engine's loop calls fn: it must not block.
func (e *Engine) NewTimer(owner Owner, kind Kind, fn func()) *Timer {
	return &Timer{e: e, key: eventKey(owner, kind), fn: fn}
}

// AfterFunc returns a timer that calls fn after d.
func (e *Engine) AfterFunc(owner Owner, kind Kind, d time.Duration, fn func()) *Timer {
	t := e.NewTimer(owner, kind, fn)
	t.Reset(d)
	return t
}

// At returns a timer that calls fn at a time since the start of the run. A time that has passed means now.
func (e *Engine) At(owner Owner, kind Kind, at time.Duration, fn func()) *Timer {
	t := e.NewTimer(owner, kind, fn)
	t.ResetAt(at)
	return t
}

// Reset sets the timer to d from now, whether it was set or not. A negative d means now.
func (t *Timer) Reset(d time.Duration) {
	t.e.mu.Lock()
	now := t.e.instantLocked()
	at := now + max(d, 0)
	if at < now { // beyond the end of time
		at = maxTime
	}
	t.setLocked(at)
	t.e.mu.Unlock()
	t.e.wakeUp()
}

// ResetAt sets the timer to a time since the start of the run.
func (t *Timer) ResetAt(at time.Duration) {
	t.e.mu.Lock()
	t.setLocked(max(at, t.e.instantLocked()))
	t.e.mu.Unlock()
	t.e.wakeUp()
}

func (t *Timer) setLocked(at time.Duration) {
	t.deadline = at
	t.armed = true
	t.e.seq++
	t.turn = t.e.seq
	if t.queued && t.queuedAt <= at {
		return // when that event is due it is queued again
	}
	if t.queued {
		t.e.stale++
	}
	t.enqueueLocked()
}

func (t *Timer) enqueueLocked() {
	t.queued = true
	t.queuedAt = t.deadline
	t.seq = t.turn
	t.e.queue.push(event{at: t.deadline, key: t.key, seq: t.turn, h: t})
}

// Stop unsets the timer. It reports whether the timer was set; false means that it has fired or was stopped before.
func (t *Timer) Stop() bool {
	t.e.mu.Lock()
	defer t.e.mu.Unlock()
	was := t.armed
	t.armed = false
	if was && t.queued {
		t.e.stale++
		t.queued = false
	}
	return was
}

func (t *Timer) quiet() bool { return t.inert }

// validLocked says whether the queued event numbered seq is the one that the timer waits for and is due at its deadline and in
// its turn. Otherwise the event has to go, and the timer may queue another one.
func (t *Timer) validLocked(seq uint64) (valid, again bool) {
	if !t.queued || seq != t.seq {
		return false, false
	}
	return t.seq == t.turn, t.seq != t.turn
}

func (t *Timer) handle(time.Duration, *Frame) { t.fn() }

// Sleep waits for d on the engine's queue or until ctx ends, and returns ctx's error in that case. Goroutines that sleep
// until the same instant wake up one after the other, in an order that the scheduler has no say in if they have
// different owners.
func (e *Engine) Sleep(ctx context.Context, owner Owner, d time.Duration) error {
	return e.sleep(ctx, e.instant()+max(d, 0), owner)
}

// SleepUntil waits until a time since the start of the run, like [Engine.Sleep].
func (e *Engine) SleepUntil(ctx context.Context, owner Owner, at time.Duration) error {
	return e.sleep(ctx, at, owner)
}

func (e *Engine) sleep(ctx context.Context, at time.Duration, owner Owner) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	woken := make(chan struct{})
	t := e.At(owner, KindWake, at, func() { close(woken) })
	select {
	case <-woken:
		return nil
	case <-ctx.Done():
		t.Stop()
		return context.Cause(ctx)
	}
}
