package upstream

import (
	"context"
	"errors"
	nethttp "net/http"
	"time"

	"netlab/netem"
	"netlab/services/backend"
)

// exchange is one request, with all its tries.
type exchange struct {
	f       *Forwarder
	ctx     context.Context
	end     context.CancelCauseFunc
	timer   *netem.Timer // of the timeout, or nil
	request *nethttp.Request
	body    *body
	call    *Call
	number  uint64
	start   time.Duration
	tries   int
	tried   []int // indices of backends
	live    int   // tries that have neither failed nor been cancelled
}

// RoundTrip implements http.RoundTripper. The response's body is to be closed. The request's body is closed only when all of it was
// taken in.
func (f *Forwarder) RoundTrip(r *nethttp.Request) (*nethttp.Response, error) {
	x := &exchange{f: f, request: r, call: CallOf(r.Context()), number: f.next(), start: f.env.Elapsed()}
	if x.call == nil {
		x.call = new(Call)
	}
	f.count.add(func(r *Result) { r.Requests++ })
	x.ctx, x.end = context.WithCancelCause(r.Context())
	if d := f.config.Timeout.Std(); d > 0 {
		x.timer = f.env.Host.Network().AfterFunc(f.env.Host.Owner(), netem.KindDeadline, d, func() { x.end(ErrTimeout) })
	}
	t, err := x.run()
	if err != nil {
		x.finish()
		if x.ctx.Err() != nil && !errors.Is(err, ErrRequestBody) && context.Cause(x.ctx) != errDone {
			err = context.Cause(x.ctx) // the reason for what net/http says
		}
		return nil, err
	}
	if t.response.StatusCode == nethttp.StatusSwitchingProtocols {
		x.stopTimer()
		f.count.add(func(r *Result) { r.Tunnels++ })
	}
	x.call.answered(t.lease.Name(), x.tries)
	f.count.adds(t.headed - x.start - t.waited())
	return t.deliver(), nil
}

// finish ends the exchange.
func (x *exchange) finish() {
	x.stopTimer()
	x.end(errDone)
}

func (x *exchange) stopTimer() {
	if x.timer != nil {
		x.timer.Stop()
	}
}

// run makes tries until one has an answer. The error is that of the last one.
func (x *exchange) run() (*try, error) {
	var err error
	if x.body, err = takeBody(x.request, x.f.config.requestBuffer()); err != nil {
		return nil, err
	}
	if x.f.config.Hedge != nil && idempotent(x.request.Method) && x.body.whole() && x.request.Header.Get("Upgrade") == "" {
		return x.race()
	}
	lease, err := x.pick()
	if err != nil {
		return nil, err
	}
	for {
		t := x.begin(lease)
		t.run()
		if t.good() || !x.again(t) {
			return t.settle()
		}
		if lease, err = x.next(); err != nil {
			return t.settle()
		}
		t.discard()
	}
}

// pick asks for a backend.
func (x *exchange) pick() (*backend.Lease, error) {
	l, err := x.f.pick(x.ctx, x.request, x.call, x.tried)
	if err != nil {
		if x.tries == 0 {
			x.f.count.add(func(r *Result) { r.Unavailable++ })
		}
		return nil, err
	}
	x.tried = append(x.tried, l.Index())
	return l, nil
}

// next waits for as long as a retry does, and asks for another backend.
func (x *exchange) next() (*backend.Lease, error) {
	if d := x.f.config.Retry.Backoff.Std(); d > 0 {
		if err := x.f.env.Sleep(x.ctx, d); err != nil {
			return nil, err
		}
	}
	l, err := x.pick()
	if err == nil {
		x.f.count.add(func(r *Result) { r.Retries++ })
	}
	return l, err
}

// again says whether the request is tried again after a try that isn't good.
func (x *exchange) again(t *try) bool {
	r := x.f.config.Retry
	if r == nil || x.tries >= r.attempts() || x.ctx.Err() != nil || !x.body.again() {
		return false
	}
	// What was never sent does no harm; net/http says that it got a connection before it writes.
	if t.sent.Load() && !r.AnyMethod && !idempotent(x.request.Method) {
		return false
	}
	if !x.f.afford() {
		x.f.count.add(func(r *Result) { r.RetriesDenied++ })
		return false
	}
	return true
}

// race makes tries of an idempotent request, further ones while the first are under way.
func (x *exchange) race() (*try, error) {
	results := make(chan *try, x.f.config.Retry.attempts()+x.f.config.Hedge.max())
	launch := func(l *backend.Lease) *try {
		t := x.begin(l)
		x.live++
		x.f.env.Go(func() {
			t.run()
			results <- t
		})
		return t
	}
	lease, err := x.pick()
	if err != nil {
		return nil, err
	}
	running := []*try{launch(lease)}
	due := make(chan struct{}, 1)
	var timer *netem.Timer
	if after, ok := x.f.hedgeAfter(); ok {
		network := x.f.env.Host.Network()
		timer = network.AfterFunc(x.f.env.Host.Owner(), netem.KindWake, after, func() { network.Wake(due) })
		defer func() { timer.Stop() }()
	}
	hedges := 0
	for {
		select {
		case t := <-results:
			x.live--
			if t.good() || x.live == 0 && !x.again(t) {
				x.abandon(running, t, x.live, results)
				return t.settle()
			}
			if x.live > 0 {
				t.discard()
				continue
			}
			if lease, err = x.next(); err != nil {
				return t.settle()
			}
			t.discard()
			running = append(running, launch(lease))
		case <-due:
			if lease, err = x.pick(); err != nil {
				continue
			}
			x.f.count.add(func(r *Result) { r.Hedges++ })
			t := launch(lease)
			t.hedge = true
			running = append(running, t)
			if hedges++; hedges < x.f.config.Hedge.max() {
				if after, ok := x.f.hedgeAfter(); ok {
					timer.Reset(after)
				}
			}
		}
	}
}

// abandon cancels the tries that are under way beside one.
func (x *exchange) abandon(running []*try, winner *try, live int, results chan *try) {
	if winner.hedge && winner.good() {
		x.f.count.add(func(r *Result) { r.HedgesWon++ })
	}
	if live == 0 {
		return
	}
	for _, t := range running {
		if t != winner {
			t.end(errLost)
		}
	}
	x.f.env.Go(func() {
		for range live {
			(<-results).discard()
		}
	})
}
