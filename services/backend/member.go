package backend

import (
	"math"
	"net/netip"
	"time"

	"netlab/services"
	"netlab/services/balance"
)

// State is what a backend is to new requests. Only those that are up or half-open get any, unless the pool doesn't trust its checks.
type State string

// The states. If several hold, the first of these in the order draining, down, ejected, open, half-open counts.
const (
	Up       State = "up"
	Down     State = "down"      // by health checks
	Ejected  State = "ejected"   // by outlier ejection
	Open     State = "open"      // its circuit breaker is
	HalfOpen State = "half-open" // its circuit breaker is
	Draining State = "draining"
)

// usable says whether new requests go to a backend.
func (s State) usable() bool { return s == Up || s == HalfOpen }

// Change is a change of a backend's state.
type Change struct {
	// Index and Name are the backend's.
	Index    int
	Name     string
	From, To State
	// At is when, since the start of the run, Reason why: "timeout", "3 checks passed", "status 500" …
	At     time.Duration
	Reason string
}

// Member is a backend as it is now.
type Member struct {
	// Index is its place in the pool, Name what results call it.
	Index int
	Name  string
	// Host and Port are where it is: a name or an address.
	Host string
	Port uint16
	// Weight is that of the file.
	Weight float64
	Backup bool
	State  State
	// InFlight is the number of requests under way.
	InFlight int
}

// member is a backend of a pool.
type member struct {
	index   int
	name    string
	host    string
	port    uint16
	address string
	weight  float64
	backup  bool
	limit   int // of connections; 0 is none

	location services.Location
	located  bool

	state State
	since time.Duration // when it began

	down    bool
	ejected bool
	drains  int // that are in force
	outlier outlier
	breaker breaker

	passes, fails int           // checks in a row
	failing       time.Duration // when the first of the failed ones began

	warming bool
	warm    time.Duration // since when

	place    int // in the set, or -1
	inFlight int
	cuts     map[uint64]func() // what ends requests under way, by the order in which they began
	leases   uint64
}

func newMember(env *services.Env, c *Config, i int, name string, port uint16, down bool) *member {
	s := &c.Backends[i]
	m := &member{index: i, name: name, host: s.To.Host(), port: s.port(port), weight: 1, backup: s.Backup, limit: s.MaxConnections,
		state: Up, down: down, place: -1}
	m.address = s.address(m.port)
	if s.Weight != nil {
		m.weight = *s.Weight
	}
	if address, err := netip.ParseAddr(m.host); err == nil {
		m.location, m.located = env.LocationOf(address)
	} else {
		m.location, m.located = env.Location(m.host)
	}
	if m.limit == 0 {
		m.limit = c.MaxConnections
	}
	if down {
		m.state = Down
	}
	return m
}

func (m *member) full() bool { return m.limit > 0 && m.inFlight >= m.limit }

// condition returns the state that follows from what is known.
func (m *member) condition() State {
	switch {
	case m.drains > 0:
		return Draining
	case m.down:
		return Down
	case m.ejected:
		return Ejected
	case m.breaker.state == open:
		return Open
	case m.breaker.state == halfOpen:
		return HalfOpen
	}
	return Up
}

// settle takes a member to the state that follows from what is known.
func (p *Pool) settle(m *member, now time.Duration, reason string) {
	to := m.condition()
	if to == m.state {
		return
	}
	c := Change{Index: m.index, Name: m.name, From: m.state, To: to, At: now, Reason: reason}
	p.count.changed(m, &c)
	if to == Up && (m.state == Down || m.state == Ejected || m.state == Draining) {
		m.warming, m.warm = p.config.SlowStart != nil, now
	}
	m.state, m.since = to, now
	p.dirty = true
	log := p.env.Log.Info
	if !to.usable() && to != Draining {
		log = p.env.Log.Warn
	}
	log("backend is "+string(to), "backend", m.name, "reason", reason)
	for _, fn := range p.watch {
		fn(c)
	}
	p.serve(now)
}

// refresh sets anew what the algorithm chooses from, if that has changed.
func (p *Pool) refresh(now time.Duration) {
	if !p.dirty && now < p.step {
		return
	}
	p.dirty, p.step = false, maxTime
	p.choose()
	p.set = p.set[:0]
	for i, m := range p.chosen {
		m.place = i
		p.set = append(p.set, balance.Backend{Name: m.name, Weight: p.weight(m, now), Location: m.location, HasLocation: m.located})
	}
	p.algorithm.Set(p.set)
}

// choose decides which members may be used.
func (p *Pool) choose() {
	p.chosen, p.panicked, p.backups = p.chosen[:0], false, false
	healthy, total := 0, 0
	for _, m := range p.members {
		m.place = -1
		if m.backup || m.drains > 0 {
			continue
		}
		total++
		if !m.down && !m.ejected {
			healthy++
		}
		if m.state.usable() {
			p.chosen = append(p.chosen, m)
		}
	}
	if len(p.chosen) == 0 {
		for _, m := range p.members {
			if m.backup && m.state.usable() {
				p.chosen = append(p.chosen, m)
			}
		}
		if p.backups = len(p.chosen) > 0; p.backups {
			return
		}
	}
	if total == 0 || float64(healthy) >= p.config.PanicThreshold.Float()*float64(total) {
		return
	}
	p.panicked = true
	p.chosen = p.chosen[:0]
	for _, m := range p.members {
		if !m.backup && m.drains == 0 && m.breaker.state != open {
			p.chosen = append(p.chosen, m)
		}
	}
}

// weight returns the weight of a member, and notes when it changes.
func (p *Pool) weight(m *member, now time.Duration) float64 {
	if !m.warming {
		return m.weight
	}
	const steps = 100
	s := p.config.SlowStart
	window, minimum := s.Window.Std(), DefaultMinimum.Float()
	if s.Minimum != nil {
		minimum = s.Minimum.Float()
	}
	over := int(math.Floor(steps * (float64(now-m.warm) / float64(window))))
	if over >= steps {
		m.warming = false
		return m.weight
	}
	next := m.warm + time.Duration(math.Ceil(float64(window)*float64(over+1)/steps))
	p.step = min(p.step, max(next, now+1))
	return m.weight * max(minimum, float64(over)/steps)
}
