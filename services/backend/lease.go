package backend

import (
	"maps"
	"slices"
	"time"

	"netlab/services/balance"
)

// Lease is a request, or a connection, that was given to a backend. Whoever got it calls [Lease.Done] once.
type Lease struct {
	pool   *Pool
	member *member
	handle balance.Handle
	began  time.Duration
	epoch  int // of the breaker
	number uint64
	done   bool
}

// Index returns the backend's place in the pool.
func (l *Lease) Index() int { return l.member.index }

// Name returns what results call the backend.
func (l *Lease) Name() string { return l.member.name }

// Host and Port return where the backend is: a name or an address, and the port.
func (l *Lease) Host() string { return l.member.host }

// Port returns the backend's port.
func (l *Lease) Port() uint16 { return l.member.port }

// Address returns host and port for a dial.
func (l *Lease) Address() string { return l.member.address }

// Outcome is what came of a request.
type Outcome struct {
	// Failed says that there was no answer: the connection was refused or reset, or it took too long. Below HTTP it is the
	// connection that counts.
	Failed bool
	// Status is the answer's status, 0 if there is none or below HTTP. One of 500 or above is a failure.
	Status int
	// Abandoned says that the request ended for a reason that says nothing of the backend: its client went away, or another answer
	// was faster. It counts neither as success nor as failure.
	Abandoned bool
}

// failed says whether the request failed.
func (o *Outcome) failed() bool { return o.Failed || o.Status >= serverErrors }

// Done says what came of the request. A second call does nothing.
func (l *Lease) Done(o Outcome) {
	p, m := l.pool, l.member
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.done {
		return
	}
	l.done = true
	now := p.env.Elapsed()
	delete(m.cuts, l.number)
	m.inFlight--
	if p.stopped {
		return
	}
	failed := o.failed()
	if o.Abandoned {
		p.algorithm.Done(l.handle, now, -1, false)
		p.count.abandoned(m)
		if p.config.Breaker != nil {
			m.breaker.abandon(l.epoch)
		}
	} else {
		p.algorithm.Done(l.handle, now, now-l.began, failed)
		p.count.ended(m, failed)
		p.passive(l, &o, now)
	}
	p.serve(now)
}

// OnCut has fn called, in a goroutine that starts in an event of its own, when the request has taken longer than the draining of
// its backend allows. It is to end the request; Done is still to be called.
func (l *Lease) OnCut(fn func()) {
	p, m := l.pool, l.member
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.cuts == nil {
		m.cuts = map[uint64]func(){}
	}
	m.leases++
	l.number = m.leases
	m.cuts[l.number] = fn
}

// Drain gives a backend no new requests, but for those of [Pool.Take], until undo is called. Several may be in force.
func (p *Pool) Drain(name string) (undo func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.members {
		if m.name == name {
			p.drain(m, p.env.Elapsed())
			return func() {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.undrain(m, p.env.Elapsed())
			}, true
		}
	}
	return nil, false
}

func (p *Pool) drain(m *member, now time.Duration) {
	m.drains++
	p.settle(m, now, "drained")
}

func (p *Pool) undrain(m *member, now time.Duration) {
	m.drains--
	p.settle(m, now, "no longer drained")
}

// plan makes an entry of the file happen.
func (p *Pool) plan(d Drain) {
	for _, m := range p.members {
		if m.name != d.Backend && m.host != d.Backend || d.Until != nil && d.Until.Std() <= p.started {
			continue
		}
		if at := d.At.Std(); at > p.started {
			p.at(at, func(now time.Duration) { p.drain(m, now) })
		} else {
			p.drain(m, p.started)
		}
		if d.Timeout != nil && d.At+*d.Timeout >= 0 {
			p.at(max(p.started, (d.At+*d.Timeout).Std()), func(time.Duration) { p.cut(m) })
		}
		if d.Until != nil {
			p.at(d.Until.Std(), func(now time.Duration) { p.undrain(m, now) })
		}
	}
}

// cut ends the requests under way at a member, in the order in which they began.
func (p *Pool) cut(m *member) {
	if m.drains == 0 {
		return
	}
	for _, number := range slices.Sorted(maps.Keys(m.cuts)) {
		p.count.cut(m)
		p.env.Go(m.cuts[number])
	}
	clear(m.cuts)
}
