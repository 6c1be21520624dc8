package backend

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"netlab/netem"
	"netlab/services"
	"netlab/services/balance"
)

// Why there is no backend for a request.
var (
	// ErrNone means that no backend may be used: all are out or were excluded.
	ErrNone = errors.New("no backend is available")
	// ErrFull means that all that may be used have their maximum of connections, and nothing may wait, or the queue is full.
	ErrFull = errors.New("all backends have their maximum of connections")
	// ErrQueueTimeout means that the request has waited in the queue for as long as it may.
	ErrQueueTimeout = errors.New("no backend became free in time")
)

// Options are what the program, and not the file, says of a pool.
type Options struct {
	// Port is that of backends that have none in the file.
	Port uint16
	// Counters count over all pools of a service that follow each other when its host crashes. Nil drops what is counted.
	Counters *Counters
	// Part tells several pools of one service apart; it must be different for each. Empty is fine for one.
	Part string
}

// Pool is the backends of one incarnation of a service's host. Several goroutines may use it.
type Pool struct {
	env    *services.Env
	config Config
	part   string
	checks *checker // nil without health checks

	mu        sync.Mutex
	members   []*member
	algorithm balance.Algorithm
	count     *Counters
	watch     []func(Change)
	started   time.Duration
	stopped   bool

	// What the algorithm chooses from.
	dirty    bool // it is to be set anew
	set      []balance.Backend
	chosen   []*member     // of the set
	panicked bool          // the checks aren't trusted
	backups  bool          // the set is backups
	step     time.Duration // when the next weight changes; never is maxTime

	request balance.Request // that is being picked for
	exclude func(int) bool  // its own filter
	filter  func(int) bool  // p.excluded

	queue []*waiter
}

const maxTime = time.Duration(1<<63 - 1)

// New makes a pool of a valid and expanded configuration. All backends are up, or as the health checks' "initial" says, and those
// that are to be drained by now are. [Pool.Run] keeps them up to date.
func New(env *services.Env, config Config, o Options) (*Pool, error) {
	algorithm, err := balance.New(config.Balancing, env.Stream("balance"+o.Part))
	if err != nil {
		return nil, err
	}
	if config.Outlier != nil {
		f := config.Outlier.filled()
		config.Outlier = &f
	}
	if config.Breaker != nil {
		f := config.Breaker.filled()
		config.Breaker = &f
	}
	p := &Pool{env: env, config: config, part: o.Part, algorithm: algorithm, count: o.Counters, started: env.Elapsed(), dirty: true, step: maxTime}
	p.filter = p.excluded
	if p.count == nil {
		p.count = NewCounters()
	}
	initial := Up
	if h := config.Health; h != nil {
		f := h.filled()
		p.config.Health = &f
		if p.checks, err = newChecker(env, &f, o.Part); err != nil {
			return nil, err
		}
		if f.Initial == "down" {
			initial = Down
		}
	}
	for i, name := range config.Backends.names() {
		m := newMember(env, &config, i, name, o.Port, initial == Down)
		if config.Name() == balance.Geographic && !m.located {
			return nil, fmt.Errorf("backends[%d]: %s is the address of no node with a location, and geographic chooses by it: "+
				"give its node one, such as \"location\": \"eu-west\" or \"location\": \"52.5,13.4\"", i, m.host)
		}
		p.members = append(p.members, m)
	}
	p.count.begin(p, p.members, p.started)
	for _, d := range p.config.Drain {
		p.plan(d)
	}
	return p, nil
}

// Run checks the backends until ctx ends, and returns when no check is under way. After it nothing more is counted, and what waits in
// the queue is refused.
func (p *Pool) Run(ctx context.Context) {
	var group sync.WaitGroup
	if p.checks != nil {
		for _, m := range p.members {
			group.Add(1)
			p.env.Go(func() {
				defer group.Done()
				p.check(ctx, m)
			})
		}
	}
	<-ctx.Done()
	group.Wait()
	p.stop(ctx)
}

func (p *Pool) stop(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	p.count.end(p.members, p.env.Elapsed())
	for _, w := range p.queue {
		p.answer(w, nil, context.Cause(ctx))
	}
	p.queue = nil
}

// Pick chooses a backend for a request. r.Now is filled in, and r.Location if it is missing; r.Exclude is asked with [Lease.Index]. It waits in the queue if there is
// one and all backends are full. The error is [ErrNone], [ErrFull], [ErrQueueTimeout] or ctx's cause.
func (p *Pool) Pick(ctx context.Context, r balance.Request) (*Lease, error) {
	p.mu.Lock()
	now := p.env.Elapsed()
	l, err := p.pick(&r, now)
	if err == nil {
		p.mu.Unlock()
		return l, nil
	}
	q := p.config.Queue
	if err != ErrFull || q == nil || len(p.queue) >= q.Length || p.stopped {
		p.count.refused(err)
		p.mu.Unlock()
		return nil, err
	}
	w := p.enqueue(&r, now)
	p.mu.Unlock()
	return p.wait(ctx, w)
}

// Take is [Pool.Pick] for a backend that is known by its name, as for a session that sticks to it. A backend that is drained takes
// such requests; one that is out or full doesn't.
func (p *Pool) Take(name string) (*Lease, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.members {
		if m.name != name {
			continue
		}
		switch {
		case m.down || m.ejected || p.config.Breaker != nil && !m.breaker.allows(p.config.Breaker):
			return nil, ErrNone
		case m.full():
			return nil, ErrFull
		}
		now := p.env.Elapsed()
		p.refresh(now)
		return p.lease(m, now), nil
	}
	return nil, fmt.Errorf("%w: none is called %q", ErrNone, name)
}

// pick chooses a backend. The error is ErrNone or ErrFull.
func (p *Pool) pick(r *balance.Request, now time.Duration) (*Lease, error) {
	p.refresh(now)
	p.request, p.exclude = *r, r.Exclude
	p.request.Now, p.request.Exclude = now, p.filter
	if !r.HasLocation && p.config.Name() == balance.Geographic {
		p.request.Location, p.request.HasLocation = p.env.LocationOf(r.Source)
	}
	i, ok := p.algorithm.Pick(&p.request)
	if ok {
		return p.lease(p.chosen[i], now), nil
	}
	for _, m := range p.chosen {
		if m.full() && (p.exclude == nil || !p.exclude(m.index)) {
			return nil, ErrFull
		}
	}
	return nil, ErrNone
}

// excluded says whether a backend of the set can't be chosen for the request that is being picked for.
func (p *Pool) excluded(i int) bool {
	m := p.chosen[i]
	return m.full() || p.config.Breaker != nil && !m.breaker.allows(p.config.Breaker) || p.exclude != nil && p.exclude(m.index)
}

// lease gives a backend a request.
func (p *Pool) lease(m *member, now time.Duration) *Lease {
	l := &Lease{pool: p, member: m, began: now}
	if m.place >= 0 {
		l.handle = p.algorithm.Start(m.place, now)
	}
	if p.config.Breaker != nil {
		l.epoch = m.breaker.begin()
	}
	m.inFlight++
	p.count.picked(m, p.panicked, p.backups)
	return l
}

// at calls fn at a time, with the lock held. now is that time, or later if the host has stood still.
func (p *Pool) at(when time.Duration, fn func(now time.Duration)) {
	if when < 0 {
		return // beyond the end of time
	}
	p.env.Host.Network().At(p.env.Host.Owner(), netem.KindWake, when, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.stopped {
			fn(happened(when, p.env.Elapsed()))
		}
	})
}

// happened is when something happened that was due at a time: then, or now if that is so much later that the host must have stood
// still. Events that coincide happen nanoseconds apart, which is not to add up.
func happened(due, now time.Duration) time.Duration {
	const still = 100 * time.Microsecond
	if now-due > still {
		return now
	}
	return due
}

// Watch calls fn for each change of a backend's state from now on. It is called with the pool locked, so it must neither wait nor
// call the pool.
func (p *Pool) Watch(fn func(Change)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watch = append(p.watch, fn)
}

// Members returns the backends in the order of the file.
func (p *Pool) Members() []Member {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]Member, len(p.members))
	for i, m := range p.members {
		list[i] = Member{Index: i, Name: m.name, Host: m.host, Port: m.port, Weight: m.weight, Backup: m.backup, State: m.state, InFlight: m.inFlight}
	}
	return list
}
