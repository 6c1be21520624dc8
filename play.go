package netlab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"netlab/netem"
	"netlab/topology"
)

// RunOptions say how a lab is run. The zero value, and nil, run it in virtual time, as fast as possible, without writing
// anything.
type RunOptions struct {
	// Dir is the folder that captures, events, results and the resolved topology are written into. It is made if it is
	// missing; files of an earlier run are replaced. "" writes nothing.
	Dir string
	// RealTime runs on the machine's clock instead of virtual time. Then runs differ from each other.
	RealTime bool
	// Speed paces virtual time against the machine's clock: 1 is as fast as it, 10 ten times faster. 0 doesn't pace it.
	Speed float64
	// Forward lets programs of the machine in, in real time only. A run with forwards and without a function of its own goes on
	// until its duration is over or its context ends.
	Forward []Forward
	// Forwarding, when not nil, is called for each of them at the start of the run, with what was left out filled in.
	Forwarding func(Forward)
	// Log receives what the lab and its services have to say. Nil drops it.
	Log *slog.Logger
	// Progress, when not nil, is called about ten times a second while the lab stands still, and once at the end. It must not
	// call the lab.
	Progress func(Progress)
	// Watch, when not nil, is called with the state of the lab at the start, every WatchEvery of the lab's time, and at the end. The run
	// stands still meanwhile, and its packets are the same with and without it. A run in real time calls it only when something
	// happens. Where nothing happens for long, it is called for all that time. It must not call the lab.
	Watch func(*Snapshot)
	// WatchEvery is how often Watch is called, on the lab's clock. 0 means every second.
	WatchEvery time.Duration
	// Watchdog is how long a run in virtual time may make no progress on the machine's clock before it is given up. 0 means
	// 30 s.
	Watchdog time.Duration
	// Limit is how long a run without a duration may last in virtual time before it is given up. 0 means 24 h, or no limit with
	// forwards.
	Limit time.Duration
}

// Progress says how far a run is.
type Progress struct {
	Virtual time.Duration // since the start of the run, on the lab's clock
	Real    time.Duration // on the machine's clock
	Events  uint64        // of the engine
	Frames  uint64        // put on the wire by hosts and routers
}

const (
	defaultWatchdog = 30 * time.Second
	defaultLimit    = 24 * time.Hour
)

// ErrNoProgress is wrapped by the error of a run that the watchdog gave up. The process should end: goroutines of the run
// may be left.
var ErrNoProgress = errors.New("the run makes no progress")

// Run plays the lab: services start, workloads and faults follow the topology, and fn, which may be nil, runs inside the lab.
// It returns when all workloads and fn are done, when the topology's duration is over, or when ctx ends. A topology with a
// duration always lasts that long.
//
// The results are nil only if the run could not begin. Otherwise they hold what there is, even beside an error. The error
// is that of fn, or says what went wrong in the run; expectations that don't hold are no error, see [Results.Verdict].
func (l *Lab) Run(ctx context.Context, o *RunOptions, fn func(*Run) error) (*Results, error) {
	if o == nil {
		o = &RunOptions{}
	}
	if o.RealTime && o.Speed != 0 {
		return nil, errors.New("a run in real time has its own pace: RealTime and Speed exclude each other")
	}
	if o.Speed < 0 {
		return nil, fmt.Errorf("speed %v: want more than 0", o.Speed)
	}
	if o.WatchEvery < 0 {
		return nil, fmt.Errorf("watching every %v: want more than 0", o.WatchEvery)
	}
	release, err := claim(l.topology.Seed, o.RealTime)
	if err != nil {
		return nil, err
	}
	defer release()
	forwards, err := l.checkForwards(o, fn == nil)
	if err != nil {
		return nil, err
	}
	if err := openForwards(forwards); err != nil {
		return nil, err
	}
	defer closeForwards(forwards)
	if len(forwards) > 0 && fn == nil {
		fn = func(r *Run) error {
			<-r.ctx.Done()
			return nil
		}
	}
	out, err := openOutput(l, o)
	if err != nil {
		return nil, err
	}
	p := &player{lab: l, options: o, outside: ctx, forwards: forwards, out: out, done: make(chan struct{})}
	if o.Progress != nil {
		now := machineClock()
		p.reporter = &reporter{call: o.Progress, began: now, last: now}
	}
	if o.Speed > 0 {
		p.pacer = newPacer(ctx, o.Speed)
		defer p.pacer.stop()
	}
	go p.play(fn)
	err = p.watch()
	return p.finish(err)
}

// player runs a lab from the outside of its bubble.
type player struct {
	lab       *Lab
	options   *RunOptions
	outside   context.Context
	forwards  []*forward
	out       *output
	pacer     *pacer
	collector *collector
	reporter  *reporter
	done      chan struct{}

	interrupted atomic.Bool
	engine      atomic.Pointer[netem.Engine]

	// Set before done is closed.
	run *Run
	err error
}

// play runs the lab, in a bubble if time is virtual.
func (p *player) play(fn func(*Run) error) {
	defer close(p.done)
	defer func() {
		if v := recover(); v != nil {
			p.err = errors.Join(p.err, bubblePanic(v))
		}
	}()
	if p.options.RealTime {
		p.inside(fn)
		return
	}
	var restore func()
	p.collector, restore = newCollector()
	defer restore()
	synctest.Test(new(testing.T), func(*testing.T) { p.inside(fn) })
}

// bubblePanic makes an error of the panic with which a bubble ends that has goroutines left.
func bubblePanic(v any) error {
	text := fmt.Sprint(v)
	if strings.Contains(text, "deadlock") {
		return fmt.Errorf("goroutines are left after the run: %s:\n%s", text, strings.Join(bubbleGoroutines(false), "\n\n"))
	}
	return &PanicError{What: "the engine", Value: v, Stack: debug.Stack()}
}

// inside is the bubble's main goroutine: it builds the lab, runs the engine and takes everything down.
func (p *player) inside(fn func(*Run) error) {
	log := p.options.Log
	if log == nil {
		log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	config := netem.Config{RealTime: p.options.RealTime, BetweenEvents: p.betweenEvents}
	if !p.options.RealTime {
		config.Pace = p.before
	}
	if p.lab.topology.Duration == 0 {
		if p.forwards == nil {
			config.Limit = defaultLimit
		}
		if p.options.Limit > 0 {
			config.Limit = p.options.Limit
		}
	}
	e := netem.NewEngine(config)
	r := &Run{options: p.options, owner: 0, events: p.out.events, watcher: newWatcher(p.options), forwards: p.forwards, links: map[int]*linkState{}}
	if routing := p.lab.topology.Routing; routing != nil && routing.Mode == topology.DynamicRouting {
		r.routes = &dynamicRoutes{convergence: routing.Convergence.Std(), down: p.lab.linksDown()}
	}
	r.log = slog.New(newLogHandler(log.Handler(), r, e))
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	defer r.cancel(errEnded)
	w, err := p.lab.build(e, r.log, p.out.dir != "")
	if err != nil {
		p.err = err
		return
	}
	r.world = w
	if err := r.openAuthority(); err != nil {
		p.err = err
		return
	}
	if p.options.RealTime {
		if err := p.out.writeAuthority(r.authority.PEM()); err != nil {
			p.err = err
			return
		}
	}
	p.run = r
	if err := p.out.openCaptures(w); err != nil {
		p.err = err
		return
	}
	if p.out.captures != nil {
		r.net.SetTap(p.out.captures)
		r.keyLog = &keyLog{captures: p.out.captures, nodes: p.lab.topology.Captures.Secrets, once: map[uint64]bool{}}
	}
	r.net.Observe(func(ev netem.Event) { r.event(ev, "") })
	p.engine.Store(e)
	if p.options.RealTime {
		stop := context.AfterFunc(p.outside, func() { r.end(context.Cause(p.outside)) })
		defer stop()
	}
	e.Go(r.owner, func() { r.conduct(fn) })
	p.err = p.loop(r, e)
	for _, h := range r.hosts() {
		h.Destroy()
	}
}

// loop runs the engine until the run has taken itself down.
func (p *player) loop(r *Run, e *netem.Engine) error {
	err := e.Run(context.Background())
	if errors.Is(err, netem.ErrStandstill) || errors.Is(err, netem.ErrLimit) {
		// Say who waits, then wake everybody so that the run can end.
		err = fmt.Errorf("%w at %v:\n%s", err, e.Elapsed(), strings.Join(r.waiting(), "\n"))
		r.end(errEnded)
		return errors.Join(err, e.Run(context.Background()))
	}
	return err
}

// betweenEvents runs in the engine's loop when every goroutine is blocked.
func (p *player) betweenEvents() {
	p.out.flush()
	p.collector.betweenEvents()
	if r := p.run; r != nil {
		r.telemetry.betweenEvents()
		if p.options.RealTime { // nobody knows what comes next
			at := r.engine.Elapsed()
			r.telemetry.before(at)
			r.watcher.between(at, r)
		}
	}
	p.reporter.report(p, false)
	if p.interrupted.Load() {
		p.interrupt()
	}
}

// interrupt ends the run because the context did that was given to Run.
func (p *player) interrupt() {
	if r := p.run; r != nil && r.ctx.Err() == nil {
		r.end(context.Cause(p.outside))
	}
}

// before runs in the engine's loop before virtual time moves on to at, when the next thing happens.
func (p *player) before(at time.Duration) {
	var pace func(time.Duration)
	if p.pacer != nil {
		pace = p.pacer.pace
	}
	if r := p.run; r != nil {
		r.telemetry.before(at)
		r.watcher.before(at, r, pace, p.outside)
	}
	if pace == nil {
		return
	}
	pace(at)
	if p.outside.Err() != nil {
		p.interrupt() // now, and not when time has moved on to what may be hours away
	}
}

// finish collects what there is after the run.
func (p *player) finish(failed error) (*Results, error) {
	if failed == nil {
		p.reporter.report(p, true)
	}
	if failed != nil { // the run is stuck; only if its loop is among those that wait can nobody change what it wrote
		if e := p.engine.Load(); e != nil && e.Settling() {
			failed = errors.Join(failed, p.out.close(nil))
		}
		return nil, failed
	}
	r := p.run
	if r == nil || r.snapshot == nil {
		return nil, errors.Join(p.err, p.out.close(nil))
	}
	results := r.results()
	err := errors.Join(append(r.failures, p.err)...)
	p.out.telemetry = r.telemetry.file()
	return results, errors.Join(err, p.out.close(results))
}
