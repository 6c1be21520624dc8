package netem

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// maxTime is the end of time: about 292 years after the start.
const maxTime = time.Duration(1<<63 - 1)

// idleLimit is how long virtual time may pass with nothing in the queue before the engine says that the run stands still.
const idleLimit = 10000 * time.Hour

// ErrStandstill is what [Engine.Run] returns when every goroutine waits and nothing is left that could wake one.
var ErrStandstill = errors.New("the run stands still: everybody waits and nothing is left to happen")

// ErrLimit is what [Engine.Run] returns when the run reached Config.Limit.
var ErrLimit = errors.New("the run reached its time limit")

// Config configures an [Engine].
type Config struct {
	// RealTime runs on the machine's clock. Otherwise time is virtual and the engine must be made and used inside a
	// testing/synctest bubble.
	RealTime bool
	// Limit makes Run return ErrLimit, once, before the first event that is due later, or ErrStandstill when time passes it
	// with nothing in the queue. 0 means no limit.
	Limit time.Duration
	// Pace, when not nil, is called by the loop before virtual time moves on to at, which never goes back. It may block on
	// channels made outside the bubble, and virtual time stands still meanwhile.
	Pace func(at time.Duration)
	// BetweenEvents, when not nil, is called by the loop between events, when every goroutine is blocked. It may do
	// system calls.
	BetweenEvents func()
}

// Engine runs the events of one lab, one at a time. See the package documentation.
type Engine struct {
	cfg   Config
	start time.Time
	wake  chan struct{} // in real time, or if the loop's context may end
	alarm *time.Timer   // when the loop goes on

	mu       sync.Mutex
	queue    eventQueue
	stale    int // events in the queue that their timers no longer want
	seq      uint64
	owners   Owner
	sent     []departure
	woken    []chan<- struct{} // who is to be woken, one after the other
	together []chan<- struct{} // who is to be woken before what is put off is done
	turns    []turn            // who is to be among these, in an order that isn't known yet
	later    []task            // what is to be done when everybody is blocked
	small    framePool
	full     framePool

	suspended suspension

	// nominal is the time of the event that runs or ran last, actual the clock's when it began.
	nominal, actual time.Duration
	touched         time.Duration // when an event last ran that may have woken a goroutine
	calm            bool          // nobody runs but the loop: see Calm
	paced           time.Duration // the last argument of Pace

	byAlarm  atomic.Bool  // the loop waits for the alarm alone
	reading  atomic.Int64 // last reading of the clock
	sleeping atomic.Bool
	stopped  atomic.Bool
	steps    atomic.Uint64
	frames   atomic.Uint64
	virtual  atomic.Int64
	settling atomic.Bool
}

// NewEngine returns an engine whose clock stands at 0. In virtual time it must be called inside the bubble.
func NewEngine(cfg Config) *Engine {
	alarm := time.NewTimer(time.Hour)
	alarm.Stop() // until the loop sets it
	return &Engine{alarm: alarm, cfg: cfg, start: time.Now(), wake: make(chan struct{}, 1), owners: 1,
		small: framePool{room: smallRoom}, full: framePool{room: frameRoom}, actual: -1, touched: -1}
}

// RealTime says whether the engine runs on the machine's clock.
func (e *Engine) RealTime() bool { return e.cfg.RealTime }

// Epoch is the date at which the run started: 2000-01-01 in virtual time.
func (e *Engine) Epoch() time.Time { return e.start }

// NewOwner numbers a host, a link direction or another thing that has events.
func (e *Engine) NewOwner() Owner {
	o := e.owners
	e.owners++
	return o
}

// Elapsed is the time since the start of the run: inside an event its nominal time. Equal readings are possible.
func (e *Engine) Elapsed() time.Duration { return e.instant() }

// Settling says whether the loop waits for the other goroutines to block. Any goroutine may ask.
func (e *Engine) Settling() bool { return e.settling.Load() }

// Frames is the number of frames that hosts and routers have put on the wire. Any goroutine may ask.
func (e *Engine) Frames() uint64 { return e.frames.Load() }

// Progress tells an observer in another goroutine how far the run is: virtual time and events so far.
func (e *Engine) Progress() (at time.Duration, steps uint64) {
	return time.Duration(e.virtual.Load()), e.steps.Load()
}

// Step is the number of the event that runs, from 1.
func (e *Engine) Step() uint64 { return e.steps.Load() }

// Reading reads the engine's strictly increasing clock: no two readings are equal. Network stacks use it, because some
// decide what came first by comparing time stamps.
func (e *Engine) Reading() time.Duration {
	now := int64(time.Since(e.start))
	for {
		last := e.reading.Load()
		next := max(now, last+1)
		if e.reading.CompareAndSwap(last, next) {
			return time.Duration(next)
		}
	}
}

func (e *Engine) instant() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.instantLocked()
}

// instantLocked is the nominal time of now.
func (e *Engine) instantLocked() time.Duration {
	now := time.Since(e.start)
	if !e.cfg.RealTime && now == e.actual {
		return e.nominal
	}
	return now
}

func eventKey(o Owner, k Kind) uint64 { return uint64(o)<<8 | uint64(k) }

// schedule puts an event that can't be cancelled into the queue.
func (e *Engine) schedule(at time.Duration, key uint64, h handler, f *Frame) {
	e.mu.Lock()
	e.seq++
	e.queue.push(event{at: at, key: key, seq: e.seq, h: h, frame: f})
	e.mu.Unlock()
}

func (e *Engine) wakeUp() {
	if !e.sleeping.Load() {
		return
	}
	if e.byAlarm.Load() {
		e.alarm.Reset(0)
		return
	}
	signal(e.wake)
}

// Calm tells the engine that the event which the loop runs has left no goroutine running: those that it touched are blocked again, or
// will be woken by Wake and the like. The loop then need not wait for anybody. Only the engine's loop may call it.
func (e *Engine) Calm() { e.calm = true }

// Go runs fn in a goroutine that starts in an event of its own, at the present instant.
func (e *Engine) Go(owner Owner, fn func()) {
	e.AfterFunc(owner, KindWake, 0, func() { go fn() })
}

// Stop ends [Engine.Run] as soon as the present event is over. Any goroutine may call it.
func (e *Engine) Stop() {
	e.stopped.Store(true)
	e.wakeUp()
	if e.cfg.RealTime {
		signal(e.wake) // also if the loop is just about to sleep
	}
}

// Run runs events until [Engine.Stop] is called; it returns ErrStandstill when that can't happen any more, and the
// context's error when ctx ends.
func (e *Engine) Run(ctx context.Context) error {
	defer e.alarm.Stop()
	// One channel to wait on costs less than three. In a bubble everybody else is blocked when the loop sleeps, and who wakes up
	// and has something for the loop can set the alarm.
	e.byAlarm.Store(!e.cfg.RealTime && ctx.Done() == nil)
	idleSince := time.Duration(-1)
	for {
		e.settle()
		e.flush()
		if e.stopped.Load() {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if e.cfg.BetweenEvents != nil {
			e.cfg.BetweenEvents()
		}
		wait, ran := e.runDue()
		if ran {
			idleSince = -1
			continue
		}
		if wait < 0 {
			now := time.Since(e.start)
			if idleSince < 0 {
				idleSince = now
			}
			var err error
			if wait, err = e.idle(now, idleSince); err != nil {
				return err
			}
		} else {
			at := time.Since(e.start) + wait
			if e.cfg.Limit > 0 && at > e.cfg.Limit {
				e.cfg.Limit = 0
				return ErrLimit
			}
			if e.cfg.Pace != nil && at >= e.paced { // something earlier may have been scheduled after the call
				e.paced = at
				e.cfg.Pace(at)
			}
		}
		if e.sleepFor(ctx, wait) {
			idleSince = -1
		}
	}
}

// idle returns how long the loop waits for somebody to schedule something, when the queue has been empty since a time, or why
// it waits no longer.
func (e *Engine) idle(now, since time.Duration) (wait time.Duration, err error) {
	wait = idleLimit
	if !e.cfg.RealTime {
		wait -= now - since
	}
	if e.cfg.Limit > 0 {
		wait = min(wait, e.cfg.Limit+1-now) // just beyond the limit
	}
	if wait > 0 {
		return wait, nil
	}
	e.cfg.Limit = 0
	if e.cfg.RealTime {
		return 0, ErrLimit
	}
	return 0, ErrStandstill
}

// sleepFor waits for d or until something was scheduled or sent, and says whether it was.
func (e *Engine) sleepFor(ctx context.Context, d time.Duration) (woken bool) {
	e.calm = false // who else wakes up at that time runs beside the loop
	e.sleeping.Store(true)
	defer e.sleeping.Store(false)
	e.mu.Lock()
	pending := len(e.sent) > 0 || len(e.together) > 0 || len(e.turns) > 0 || len(e.woken) > 0 || len(e.later) > 0
	if !pending && e.cfg.RealTime {
		// Something may have been scheduled between runDue and here.
		if top := e.topLocked(); top != nil {
			pending = top.at-time.Since(e.start) < d
		}
	}
	e.mu.Unlock()
	if pending {
		return true
	}
	if e.byAlarm.Load() {
		until := time.Since(e.start) + d
		e.alarm.Reset(d)
		<-e.alarm.C
		return time.Since(e.start) < until
	}
	e.alarm.Reset(d)
	select {
	case <-e.alarm.C:
		return false
	case <-e.wake:
		return true
	case <-ctx.Done():
		return true
	}
}

// topLocked returns the next event that is wanted, or nil.
func (e *Engine) topLocked() *event {
	for len(e.queue) > 0 {
		top := &e.queue[0]
		if e.suspended.owners != nil && e.suspendedLocked(top) {
			e.suspended.events = append(e.suspended.events, e.queue.pop())
			continue
		}
		t, ok := top.h.(*Timer)
		if !ok {
			return top
		}
		valid, again := t.validLocked(top.seq)
		if valid {
			return top
		}
		e.queue.pop()
		if again {
			t.enqueueLocked()
		} else {
			e.stale--
		}
	}
	return nil
}

// runDue runs what is due: quiet events as many as there are, and at most one that touches goroutines. When there was none
// it returns how long to wait, or -1 if the queue is empty.
func (e *Engine) runDue() (wait time.Duration, ran bool) {
	now := time.Since(e.start)
	e.calm = true
	for {
		e.mu.Lock()
		top := e.topLocked()
		if top == nil {
			e.mu.Unlock()
			return -1, ran
		}
		quiet := top.h.quiet()
		due := top.at
		if !quiet && !e.cfg.RealTime {
			due = max(due, e.touched+1)
		}
		if now < due {
			e.mu.Unlock()
			return due - now, ran
		}
		ev := e.queue.pop()
		if t, ok := ev.h.(*Timer); ok {
			t.queued, t.armed = false, false
		}
		if e.stale > 64 && e.stale > len(e.queue)/2 {
			e.compactLocked()
		}
		e.nominal, e.actual = max(e.nominal, ev.at), now
		if !quiet {
			e.touched = now
		}
		e.mu.Unlock()
		e.virtual.Store(int64(e.nominal)) // ev.at may be long ago if its owner was suspended
		e.steps.Add(1)
		e.calm = quiet
		ev.h.handle(e.nominal, ev.frame)
		ran = true
		if !quiet {
			return 0, true
		}
	}
}

// compactLocked throws away the events that nobody wants any more.
func (e *Engine) compactLocked() {
	e.filterLocked(func(ev *event) bool {
		t, ok := ev.h.(*Timer)
		return !ok || t.queued && t.seq == ev.seq
	})
	e.stale = 0
}
