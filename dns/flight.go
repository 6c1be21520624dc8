package dns

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// flight is a question on its way to the servers, and everybody who waits for the answer.
type flight struct {
	key     string
	cancel  context.CancelFunc
	waiters []chan struct{} // in the order in which they came
	replies []reply
	panic   any // of the goroutine that asks; those who wait go on with it
}

// ask returns what is known about some types of records of a full name, each from the cache or from the servers. The error is
// that of the types that have no answer.
func (r *Resolver) ask(ctx context.Context, name string, types []uint16) ([]*Answer, error) {
	answers := make([]*Answer, len(types))
	var missing []uint16
	r.mu.Lock()
	now := r.now()
	for i, t := range types {
		known, expires, ok := r.cache.get(question{name, t}, now)
		if !ok {
			missing = append(missing, t)
			continue
		}
		answers[i] = newAnswer(name, t, known)
		answers[i].TTL, answers[i].Hit = expires-now, true
	}
	if len(missing) == 0 {
		r.stats.Hits++
		r.mu.Unlock()
		return answers, nil
	}
	f, wait, joined := r.joinLocked(name, missing)
	r.mu.Unlock()

	select {
	case <-wait:
	case <-ctx.Done():
		r.leave(f, wait)
		return present(answers), context.Cause(ctx)
	}
	if f.panic != nil {
		panic(f.panic)
	}
	var failed error
	for i, t := range types {
		n := slices.Index(missing, t)
		switch {
		case n < 0:
		case f.replies[n].err != nil:
			failed = f.replies[n].err
		default:
			answers[i] = newAnswer(name, t, f.replies[n])
			answers[i].TTL, answers[i].Joined = f.replies[n].ttl, joined
		}
	}
	return present(answers), failed
}

// present leaves out what is not known.
func present(answers []*Answer) []*Answer {
	return slices.DeleteFunc(answers, func(a *Answer) bool { return a == nil })
}

func newAnswer(name string, t uint16, r reply) *Answer {
	return &Answer{Name: strings.TrimSuffix(name, "."), Type: t, Rcode: r.rcode, Records: r.records, Server: r.server, TCP: r.tcp}
}

// now is the time since the start of the run. Time to live has nothing to do with the date.
func (r *Resolver) now() time.Duration { return r.host.Network().Elapsed() }

// joinLocked makes the caller wait for the answer to a question that is on its way, or sends it.
func (r *Resolver) joinLocked(name string, types []uint16) (f *flight, wait chan struct{}, joined bool) {
	wait = make(chan struct{})
	key := fmt.Sprint(name, types)
	f, joined = r.flights[key]
	if !joined {
		ctx, cancel := context.WithCancel(context.Background())
		f = &flight{key: key, cancel: cancel}
		r.flights[key] = f
		r.host.Go(func() { r.fly(ctx, f, name, types) })
	} else {
		r.stats.Joined++
	}
	f.waiters = append(f.waiters, wait)
	return f, wait, joined
}

// leave ends the wait of somebody whose context ended. A question that nobody waits for any more is given up.
func (r *Resolver) leave(f *flight, wait chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f.waiters = slices.DeleteFunc(f.waiters, func(w chan struct{}) bool { return w == wait })
	if len(f.waiters) == 0 {
		f.cancel()
		if r.flights[f.key] == f {
			delete(r.flights, f.key)
		}
	}
}

// fly asks and hands the answer to everybody who waits, each in an event of its own, so that what they do next has an order.
func (r *Resolver) fly(ctx context.Context, f *flight, name string, types []uint16) {
	defer f.cancel()
	defer func() {
		if v := recover(); v != nil {
			f.panic = fmt.Sprintf("%v\n%s", v, debug.Stack())
		}
		r.mu.Lock()
		if r.flights[f.key] == f {
			delete(r.flights, f.key)
		}
		waiters := slices.Clone(f.waiters)
		r.mu.Unlock()
		for _, w := range waiters {
			r.host.Go(func() { close(w) })
		}
	}()
	replies := r.exchange(ctx, name, types)
	r.mu.Lock()
	defer r.mu.Unlock()
	f.replies = replies
	for i, t := range types {
		if replies[i].err == nil {
			r.cache.put(question{name, t}, replies[i], r.now())
		}
	}
}
