package backend

import (
	"errors"
	"sync"
	"time"

	"netlab/services/failures"
	"netlab/services/figures"
	"netlab/units"
)

// Result is what a pool reports.
type Result struct {
	// Picked counts requests (or connections, below HTTP) that got a backend, retries included; BackupPicked those of them that got
	// one because no other than a backup could be used, PanicPicked those for which the checks weren't trusted.
	Picked       uint64 `json:"picked"`
	BackupPicked uint64 `json:"backup_picked"`
	PanicPicked  uint64 `json:"panic_picked"`
	// Unavailable counts those for which no backend could be used, Full those for which all had their maximum of connections and
	// that could not wait.
	Unavailable uint64 `json:"unavailable"`
	Full        uint64 `json:"full"`
	Queue       Queued `json:"queue"`
	// Backends are the backends by the names of their hosts, or host-port where several are on one host.
	Backends map[string]*Usage `json:"backends"`
}

// Queued is what came of requests that waited for a backend.
type Queued struct {
	Waited   uint64          `json:"waited"`    // those that waited at all
	TimedOut uint64          `json:"timed_out"` // those that waited in vain
	Longest  uint64          `json:"longest"`   // how many waited at a time
	Wait     *figures.Spread `json:"wait"`      // how long those waited that got a backend; nil if none
}

// Usage is what became of a backend.
type Usage struct {
	Picked uint64 `json:"picked"`
	// Share is that of all requests that got a backend; nil if none did.
	Share *units.Probability `json:"share"`
	// Succeeded, Failed and Abandoned are how requests ended: an answer with a status below 500; none, or one of 500 or above; and
	// requests that ended for a reason that says nothing of the backend. What is left was under way at the end.
	Succeeded   uint64 `json:"succeeded"`
	Failed      uint64 `json:"failed"`
	Abandoned   uint64 `json:"abandoned"`
	MaxInFlight uint64 `json:"max_in_flight"`
	// Cut counts requests that were ended because the backend's draining took too long.
	Cut uint64 `json:"cut"`

	// State is that at the end of the run.
	State State `json:"state"`
	// Out is how long the backend could not be used: down, ejected, with an open breaker or draining.
	Out units.Duration `json:"out_ns"`
	// DownAt is when it first went out, UpAt when it first came back after that, since the start of the run; nil if it never did.
	DownAt *units.Duration `json:"down_at_ns"`
	UpAt   *units.Duration `json:"up_at_ns"`
	// Downs counts how often health checks took it out.
	Downs uint64 `json:"downs"`
	// Detection is how long it took from the beginning of the first check that failed, or of the first request of a row of failed
	// ones, until the backend was out.
	Detection *figures.Spread `json:"detection"`

	Checks Checks `json:"checks"`

	// Ejections counts outlier ejections, EjectionsRefused errors that led to none because too many backends were ejected. Ejected
	// is for how long it was to be ejected, all together.
	Ejections        uint64         `json:"ejections"`
	EjectionsRefused uint64         `json:"ejections_refused"`
	Ejected          units.Duration `json:"ejected_ns"`
	// BreakerOpened counts how often its circuit breaker opened.
	BreakerOpened uint64 `json:"breaker_opened"`

	// Transitions are the changes of its state, the first 1000 of them.
	Transitions []Transition `json:"transitions"`
}

// Checks counts active health checks.
type Checks struct {
	Made   uint64 `json:"made"`
	Failed uint64 `json:"failed"`
	// Timeout, Refused, Reset and Status count failed ones by reason: no answer in time, nobody listening, a connection that was
	// reset, and an answer that doesn't pass. There are others, such as a TLS handshake that failed.
	Timeout uint64 `json:"timeout"`
	Refused uint64 `json:"refused"`
	Reset   uint64 `json:"reset"`
	Status  uint64 `json:"status"`
}

// Transition is a change of a backend's state.
type Transition struct {
	T      units.Duration `json:"t_ns"` // since the start of the run
	From   State          `json:"from"`
	To     State          `json:"to"`
	Reason string         `json:"reason"`
}

// maxTransitions limits what is remembered of a backend.
const maxTransitions = 1000

// Counters count what happens in the pools of a service, one after the other. Their methods are called by the pool with its lock
// held; Result may be called by anybody.
type Counters struct {
	mu       sync.Mutex
	total    Result
	backends []*usage
	queue    figures.Durations
	pool     *Pool // that is running
}

// usage collects what there is to report of a backend.
type usage struct {
	Usage
	name      string
	detection figures.Durations
	since     time.Duration // when its state began, or the pool
}

// NewCounters returns counters of which everything is 0.
func NewCounters() *Counters { return &Counters{} }

// begin begins to count for a pool: after a crash all backends begin anew.
func (c *Counters) begin(p *Pool, members []*member, now time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pool = p
	if c.backends == nil {
		for _, m := range members {
			c.backends = append(c.backends, &usage{name: m.name, Usage: Usage{Transitions: []Transition{}}})
		}
	}
	for i, m := range members {
		c.backends[i].State, c.backends[i].since = m.state, now
		m.since = now
	}
}

// end ends to count.
func (c *Counters) end(members []*member, now time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pool = nil
	for _, u := range c.backends {
		u.out(now)
	}
}

// out adds the time since the state began.
func (u *usage) out(now time.Duration) {
	if !u.State.usable() {
		u.Out += units.Duration(now - u.since)
	}
	u.since = now
}

func (c *Counters) of(m *member, fn func(u *usage)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fn(c.backends[m.index])
}

func (c *Counters) picked(m *member, panicked, backup bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total.Picked++
	if panicked {
		c.total.PanicPicked++
	}
	if backup {
		c.total.BackupPicked++
	}
	u := c.backends[m.index]
	u.Picked++
	u.MaxInFlight = max(u.MaxInFlight, uint64(m.inFlight))
}

func (c *Counters) refused(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == ErrNone {
		c.total.Unavailable++
	} else {
		c.total.Full++
	}
}

func (c *Counters) ended(m *member, failed bool) {
	c.of(m, func(u *usage) {
		if failed {
			u.Failed++
		} else {
			u.Succeeded++
		}
	})
}

func (c *Counters) abandoned(m *member) { c.of(m, func(u *usage) { u.Abandoned++ }) }
func (c *Counters) cut(m *member)       { c.of(m, func(u *usage) { u.Cut++ }) }
func (c *Counters) spared(m *member)    { c.of(m, func(u *usage) { u.EjectionsRefused++ }) }

func (c *Counters) ejected(m *member, d time.Duration) {
	c.of(m, func(u *usage) {
		u.Ejections++
		u.Ejected += units.Duration(d)
	})
}

func (c *Counters) opened(m *member) { c.of(m, func(u *usage) { u.BreakerOpened++ }) }
func (c *Counters) downed(m *member) { c.of(m, func(u *usage) { u.Downs++ }) }

// detected counts how long it took until a backend was out.
func (c *Counters) detected(m *member, after time.Duration) {
	c.of(m, func(u *usage) { u.detection.Add(after) })
}

func (c *Counters) checked(m *member, err error) {
	c.of(m, func(u *usage) {
		u.Checks.Made++
		if err == nil {
			return
		}
		u.Checks.Failed++
		switch {
		case errors.Is(err, errFailed):
			u.Checks.Status++
		case failureOf(err) == failures.Timeout:
			u.Checks.Timeout++
		case failureOf(err) == failures.Refused:
			u.Checks.Refused++
		case failureOf(err) == failures.Reset:
			u.Checks.Reset++
		}
	})
}

// failureOf returns what kind of failure an error is.
func failureOf(err error) failures.Kind { return failures.Of(err) }

func (c *Counters) changed(m *member, change *Change) {
	c.of(m, func(u *usage) {
		u.out(change.At)
		u.State = change.To
		at := units.Duration(change.At)
		switch {
		case !change.To.usable() && u.DownAt == nil:
			u.DownAt = &at
		case change.To.usable() && !change.From.usable() && u.DownAt != nil && u.UpAt == nil:
			u.UpAt = &at
		}
		if len(u.Transitions) < maxTransitions {
			u.Transitions = append(u.Transitions, Transition{at, change.From, change.To, change.Reason})
		}
	})
}

func (c *Counters) queued(length int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total.Queue.Waited++
	c.total.Queue.Longest = max(c.total.Queue.Longest, uint64(length))
}

func (c *Counters) dequeued(wait time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch err {
	case nil:
		c.queue.Add(wait)
	case ErrQueueTimeout:
		c.total.Queue.TimedOut++
	case ErrNone:
		c.total.Unavailable++
	}
}

// Result reports what was counted until now.
func (c *Counters) Result() *Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.total
	r.Queue.Wait = c.queue.Spread()
	r.Backends = map[string]*Usage{}
	for _, u := range c.backends {
		out := u.Usage
		if c.pool != nil && !out.State.usable() {
			out.Out += units.Duration(c.pool.env.Elapsed() - u.since)
		}
		out.Share = figures.Share(out.Picked, r.Picked)
		out.Detection = u.detection.Spread()
		out.Transitions = append([]Transition{}, out.Transitions...)
		r.Backends[u.name] = &out
	}
	return &r
}
