package backend

import (
	"context"
	"time"

	"netlab/netem"
	"netlab/services/balance"
)

// waiter is a request that waits for a backend.
type waiter struct {
	request  balance.Request
	arrived  time.Duration
	ready    chan struct{}
	answered bool
	lease    *Lease
	err      error
}

// enqueue adds a request to the queue.
func (p *Pool) enqueue(r *balance.Request, now time.Duration) *waiter {
	w := &waiter{request: *r, arrived: now, ready: make(chan struct{}, 1)}
	p.queue = append(p.queue, w)
	p.count.queued(len(p.queue))
	return w
}

// wait waits until a request gets a backend or is refused.
func (p *Pool) wait(ctx context.Context, w *waiter) (*Lease, error) {
	if d := p.config.Queue.Timeout.Std(); d > 0 && w.arrived+d > 0 {
		timer := p.env.Host.Network().At(p.env.Host.Owner(), netem.KindDeadline, w.arrived+d, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.give(w, ErrQueueTimeout)
		})
		defer timer.Stop()
	}
	select {
	case <-w.ready:
	case <-ctx.Done():
		p.mu.Lock()
		p.give(w, context.Cause(ctx))
		p.mu.Unlock()
	}
	return w.lease, w.err
}

// give takes a request that waits out of the queue with an error.
func (p *Pool) give(w *waiter, err error) {
	if w.answered {
		return
	}
	for i, other := range p.queue {
		if other == w {
			p.queue = append(p.queue[:i], p.queue[i+1:]...)
			break
		}
	}
	p.answer(w, nil, err)
}

// answer ends the wait of a request that is in the queue no longer.
func (p *Pool) answer(w *waiter, l *Lease, err error) {
	w.answered, w.lease, w.err = true, l, err
	p.count.dequeued(p.env.Elapsed()-w.arrived, err)
	p.env.Host.Network().Wake(w.ready)
}

// serve gives those who wait the backends that have become free.
func (p *Pool) serve(now time.Duration) {
	kept := 0
	for i, w := range p.queue {
		l, err := p.pick(&w.request, now)
		if err == ErrFull {
			p.queue[kept] = w
			kept++
			if w.request.Exclude == nil {
				kept += copy(p.queue[kept:], p.queue[i+1:]) // nor is there one for the others
				break
			}
			continue
		}
		p.answer(w, l, err)
	}
	clear(p.queue[kept:])
	p.queue = p.queue[:kept]
}
