package netlab

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"
)

// watch follows the run from outside until it is over. It passes on that the context ended, and gives a run up that makes no
// progress.
//
// It sleeps nearly all the time: a goroutine that the machine's clock wakes goes first on the processor that the lab has to
// itself, and whoever had its turn goes last. What happens more often is done by the engine's loop between events.
func (p *player) watch() error {
	limit := p.options.Watchdog
	if limit == 0 {
		limit = defaultWatchdog
	}
	alarm := time.NewTicker(limit / 2)
	defer alarm.Stop()
	interrupt := p.outside.Done()
	var steps uint64
	quiet := 0
	for {
		select {
		case <-p.done:
			return nil
		case <-interrupt:
			interrupt = nil
			p.interrupted.Store(true)
		case <-alarm.C:
			now := p.steps()
			if now != steps || p.options.RealTime || p.pacer != nil && p.pacer.holds() {
				steps, quiet = now, 0
			} else if quiet++; quiet >= 2 {
				return fmt.Errorf("%w: nothing happened for %v, because these goroutines wait in a way that stops virtual time "+
					"(a mutex that is held while its holder waits, a system call, a busy loop):\n%s",
					ErrNoProgress, limit, strings.Join(bubbleGoroutines(true), "\n\n"))
			}
		}
	}
}

func (p *player) steps() uint64 {
	e := p.engine.Load()
	if e == nil {
		return 0
	}
	_, steps := e.Progress()
	return steps
}

// progressEvery is how often progress is reported, on the machine's clock, and progressCheck how many events pass between
// two looks at that clock.
const (
	progressEvery = 100 * time.Millisecond
	progressCheck = 64
)

// reporter calls RunOptions.Progress from the engine's loop.
type reporter struct {
	call   func(Progress)
	began  time.Duration
	last   time.Duration
	events int
}

// report tells how far the run is, if it is time to. A nil reporter does nothing.
func (r *reporter) report(p *player, final bool) {
	e := p.engine.Load()
	if r == nil || e == nil {
		return
	}
	if r.events++; r.events < progressCheck && !final && p.pacer == nil && !p.options.RealTime {
		return
	}
	r.events = 0
	now := machineClock()
	if now-r.last < progressEvery && !final {
		return
	}
	r.last = now
	at, steps := e.Progress()
	r.call(Progress{Virtual: at, Real: now - r.began, Events: steps, Frames: e.Frames()})
}

// bubbleGoroutines returns the stacks of the goroutines in bubbles, without the engine's loop and the workers of the network
// stacks; with blocking only of those that keep virtual time from moving on.
func bubbleGoroutines(blocking bool) []string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	var list []string
	for _, g := range strings.Split(strings.TrimSpace(string(buf)), "\n\n") {
		head, _, _ := strings.Cut(g, "\n")
		if !strings.Contains(head, "synctest bubble") || blocking && strings.Contains(head, "(durable)") ||
			strings.Contains(g, "dispatcher.go") || strings.Contains(g, "synctest.Wait") ||
			strings.Contains(g, "netlab/netem.(*Engine).Run(") && !blocking || strings.Contains(g, "netlab.bubbleGoroutines") {
			continue
		}
		list = append(list, g)
	}
	return list
}

// waiting says who the run waits for.
func (r *Run) waiting() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []string
	for _, j := range r.jobs {
		if j.running > 0 && j.kind != "" && j.role.String() == "workload" {
			list = append(list, fmt.Sprintf("%s (%s) is not done on %d of %d hosts", j.where(), j.kind, j.running, len(j.nodes)))
		}
	}
	for _, g := range bubbleGoroutines(false) {
		list = append(list, place(g))
	}
	return list
}

// place shortens a goroutine's stack to what it waits for and where.
func place(stack string) string {
	lines := strings.Split(stack, "\n")
	state := lines[0]
	if from, to := strings.IndexByte(state, '['), strings.IndexAny(state, ",]"); from >= 0 && to > from {
		state = state[from+1 : to]
	}
	var calls []string
	for i := 1; i+1 < len(lines); i += 2 {
		fn, _, _ := strings.Cut(lines[i], "(0x")
		if strings.HasPrefix(fn, "created by") || strings.HasPrefix(fn, "runtime.") || strings.HasPrefix(fn, "internal/") {
			continue
		}
		calls = append(calls, strings.TrimSuffix(fn, "(...)"))
		if len(calls) == 4 {
			break
		}
	}
	return fmt.Sprintf("a goroutine waits (%s) in %s", state, strings.Join(calls, " < "))
}

// pacer holds virtual time back so that it runs at a pace against the machine's clock. Its channels are made outside the
// bubble: a goroutine that waits for them stops virtual time.
type pacer struct {
	speed   float64
	began   time.Time
	request chan time.Duration
	reply   chan struct{}
	ctx     context.Context
	cancel  context.CancelFunc

	mu      sync.Mutex
	holding bool
}

func newPacer(ctx context.Context, speed float64) *pacer {
	p := &pacer{speed: speed, began: time.Now(), request: make(chan time.Duration), reply: make(chan struct{})}
	p.ctx, p.cancel = context.WithCancel(ctx)
	p.ctx.Done() // made now, outside the bubble: contexts make their channels when first asked
	go p.serve()
	return p
}

// serve waits on the machine's clock for the loop.
func (p *pacer) serve() {
	for {
		select {
		case at := <-p.request:
			t := time.NewTimer(time.Until(p.began.Add(time.Duration(float64(at) / p.speed))))
			p.hold(true)
			select {
			case <-t.C:
			case <-p.ctx.Done():
			}
			p.hold(false)
			t.Stop()
			select {
			case p.reply <- struct{}{}:
			case <-p.ctx.Done():
				close(p.reply)
				return
			}
		case <-p.ctx.Done():
			close(p.reply)
			return
		}
	}
}

func (p *pacer) hold(v bool) {
	p.mu.Lock()
	p.holding = v
	p.mu.Unlock()
}

// holds says whether the loop is being held.
func (p *pacer) holds() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.holding
}

// pace returns when virtual time may move on to at.
func (p *pacer) pace(at time.Duration) {
	select {
	case p.request <- at:
		<-p.reply
	case <-p.ctx.Done():
	}
}

func (p *pacer) stop() { p.cancel() }
