package l4

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"netlab/ip"
	"netlab/netem"
	"netlab/services"
	"netlab/services/backend"
	"netlab/services/balance"
)

// proxy is a balancer of the mode proxy in one incarnation of its host.
type proxy struct {
	*Balancer
	env     *services.Env
	pool    *backend.Pool
	members []*member // by index
	listen  string

	mu     sync.Mutex
	active map[uint64]*session // by number
	number uint64
}

// session is a connection of a proxy, or a flow of UDP.
type session struct {
	number  uint64
	backend *member
	reset   func()
}

// admit counts a new session, unless there are too many.
func (p *proxy) admit() bool {
	p.counters.mu.Lock()
	defer p.counters.mu.Unlock()
	if p.counters.total.Active+p.opening >= p.options.Config.Table.entries() {
		p.counters.total.Dropped.TableFull++
		return false
	}
	p.opening++
	return true
}

// leave ends what admit began without a session.
func (p *proxy) leave() {
	p.counters.mu.Lock()
	defer p.counters.mu.Unlock()
	p.opening--
}

// begin turns what admit began into a session with a backend. end ends it.
func (p *proxy) begin(m *member, reset func()) (s *session, end func()) {
	p.counters.mu.Lock()
	p.opening--
	p.counters.opened(m.counters)
	p.counters.mu.Unlock()
	p.mu.Lock()
	p.number++
	s = &session{number: p.number, backend: m, reset: reset}
	p.active[s.number] = s
	p.mu.Unlock()
	return s, func() {
		p.mu.Lock()
		delete(p.active, s.number)
		p.mu.Unlock()
		p.counters.mu.Lock()
		defer p.counters.mu.Unlock()
		p.counters.closed(m.counters)
	}
}

// down resets the sessions with a backend, in the order in which they began.
func (p *proxy) down(name string) {
	for _, s := range p.sessions() {
		if s.backend.name == name {
			p.counters.add(func(r *Result) { r.Reset++ })
			s.reset()
		}
	}
}

// sessions returns the sessions in the order in which they began.
func (p *proxy) sessions() []*session {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []*session
	for _, number := range slices.Sorted(maps.Keys(p.active)) {
		list = append(list, p.active[number])
	}
	return list
}

// idle watches over a session: it calls over once nothing was heard for the timeout. The engine's loop calls over.
type idle struct {
	mu      sync.Mutex
	host    *ip.Host
	timeout time.Duration
	last    time.Duration
	timer   *netem.Timer
}

func newIdle(h *ip.Host, timeout time.Duration, over func()) *idle {
	i := &idle{host: h, timeout: timeout, last: h.Network().Elapsed()}
	i.timer = h.Network().NewTimer(h.Owner(), netem.KindDeadline, func() {
		i.mu.Lock()
		due := i.last + i.timeout
		i.mu.Unlock()
		if due > h.Network().Elapsed() {
			i.timer.ResetAt(due)
			return
		}
		over()
	})
	i.timer.ResetAt(i.last + timeout)
	return i
}

// heard says that something came.
func (i *idle) heard() {
	i.mu.Lock()
	i.last = i.host.Network().Elapsed()
	i.mu.Unlock()
}

func (i *idle) stop() { i.timer.Stop() }

// choose picks a backend and calls try with it, and another one if that fails, up to three in all. It returns the lease of the one
// that took the connection.
func (p *proxy) choose(ctx context.Context, r balance.Request, try func(l *backend.Lease) error) (*backend.Lease, error) {
	const tries = 3
	tried := map[int]bool{}
	r.Exclude = func(i int) bool { return tried[i] }
	for {
		l, err := p.pool.Pick(ctx, r)
		if err != nil {
			if len(tried) == 0 && !p.env.Over(ctx) {
				p.counters.add(func(r *Result) { r.Dropped.NoBackend++ })
			}
			return nil, err
		}
		if err = try(l); err == nil {
			return l, nil
		}
		over := p.env.Over(ctx)
		l.Done(backend.Outcome{Failed: !over, Abandoned: over})
		if over {
			return nil, err
		}
		p.counters.add(func(r *Result) { r.Failed++ })
		if tried[l.Index()] = true; len(tried) == tries {
			return nil, err
		}
	}
}
