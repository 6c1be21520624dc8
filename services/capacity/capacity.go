// Package capacity models how much work a server can do: cores that serve one request each at a time, and a queue in front of
// them.
//
// A request takes a core for a sample of the service time, all of it at once, and waits in the queue, first come, first served,
// while all cores are busy. If the queue is full it is refused at once. That is the queue G/G/n of queueing theory (Kleinrock,
// "Queueing Systems", volume 1, 1975); with requests that arrive at random, exponential service times and one core it is M/M/1,
// whose mean wait is ρ/(1-ρ) service times at the utilisation ρ, and with constant service times M/D/1, where it is half of that
// (ibid., sections 3.2 and 5.6).
//
// On a host that is slow ([ip.Host.Slowdown]) a request takes the core for its service time multiplied by the factor that holds
// when its work begins; a change of the factor leaves work that is under way as it is.
//
// While the host is paused no work ends and none begins; what would have ended meanwhile ends when the host goes on.
//
// When the host crashes nothing is left of the queue, and no core is busy after its restart; what was counted goes on. The time
// in which the host was down doesn't count.
//
// Service times are drawn in the order in which requests arrive, refused ones included, from a stream of random numbers of the
// model's own. So what a request costs doesn't depend on how long the queue may get. Times are exact: the next request starts at
// the nanosecond in which the one before ends.
//
// A request that nobody waits for any more leaves the queue, unless the configuration says that the server doesn't look: then it is
// worked on like others, in vain, and under overload that may be all that the server does. One that has a core keeps it until it is done: a core doesn't notice
// that nobody waits. Left out: time slices (processor sharing), priorities, work that is not on a core, such as waiting for a
// disk.
package capacity

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"netlab/netem"
	"netlab/services"
	"netlab/units"
)

// maxCores and maxQueue limit the model.
const (
	maxCores = 1 << 20
	maxQueue = 1 << 30
)

// ErrFull is why a request is refused.
var ErrFull = errors.New("all cores are busy and the queue is full")

// Config says how much a server can do. Configurations embed it. The zero value is a server that takes no time for anything.
type Config struct {
	Cores       int                `json:"cores,omitempty" jsonschema_description:"How many requests are worked on at a time, each for service_time; others wait in a queue, first come, first served. Default: any number."`
	ServiceTime units.Distribution `json:"service_time,omitzero" jsonschema_description:"How long the work on a request takes, such as exponential(8ms). Default 0s."`
	Queue       *int               `json:"queue,omitempty" jsonschema_description:"How many requests may wait for a core; one more is refused at once with status 503. 0 lets none wait. Default: any number."`
	Abandoned   string             `json:"abandoned,omitempty" jsonschema_description:"What becomes of requests in the queue that nobody waits for any more: leave takes them out, stay works on them all the same, as servers do that don't look. Default leave." jsonschema:"enum=leave,enum=stay"`
}

// Empty says that there is no model.
func (c *Config) Empty() bool {
	return c.Cores == 0 && c.ServiceTime.IsZero() && c.Queue == nil && c.Abandoned == ""
}

// The fates of requests that nobody waits for any more.
const (
	leave = "leave"
	stay  = "stay"
)

// Validate returns errors about the fields.
func (c *Config) Validate() error {
	var list []error
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.Cores < 0 || c.Cores > maxCores {
		add("cores", "found %d, wanted 1 to %d", c.Cores, maxCores)
	}
	if c.Queue != nil {
		switch {
		case *c.Queue < 0 || *c.Queue > maxQueue:
			add("queue", "found %d, wanted 0 to %d", *c.Queue, maxQueue)
		case c.Cores == 0:
			add("queue", "found %d, but without cores nothing ever waits", *c.Queue)
		}
	}
	switch {
	case c.Abandoned != "" && c.Abandoned != leave && c.Abandoned != stay:
		add("abandoned", "%q is neither: want leave or stay", c.Abandoned)
	case c.Abandoned != "" && c.Cores == 0:
		add("abandoned", "found %q, but without cores nothing ever waits", c.Abandoned)
	}
	if c.Cores > 0 && c.ServiceTime.IsZero() {
		add("service_time", "missing: cores are busy for as long as it says, so want one such as \"exponential(8ms)\"")
	}
	return errors.Join(list...)
}

// Cores is a running model. Several goroutines may use it.
type Cores struct {
	config Config
	part   string

	mu      sync.Mutex
	env     *services.Env
	random  *rand.Rand
	run     int // how often the model was started
	stopped bool
	busy    int
	queue   []*job // the oldest first; some may have gone
	waiting int    // of the queue
	count   figures
}

// job is one request.
type job struct {
	run              int
	arrived, service time.Duration
	state            state
	done             chan struct{}
}

// state is where a job is.
type state uint8

const (
	queued state = iota
	running
	gone
)

// New returns a model for a valid configuration. part names its stream of random numbers among those of the service.
func New(env *services.Env, config Config, part string) *Cores {
	c := &Cores{config: config, part: part}
	c.Start(env)
	return c
}

// Start lets a model begin anew that was stopped, on the next incarnation of its host: the queue is empty and no core is busy,
// and what it counts goes on.
func (c *Cores) Start(env *services.Env) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.env, c.random = env, env.Stream(c.part)
	c.run++
	c.stopped = false
	c.busy, c.waiting, c.queue = 0, 0, nil
	c.count.at = env.Elapsed()
}

// Stop ends a model, with its host or with the run: nothing that is under way is completed, and the time that passes
// doesn't count. Nobody may wait for work any more.
func (c *Cores) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count.advance(c.env.Elapsed(), c.busy, c.waiting)
	c.stopped = true
}

// Do works on a request: it waits for a core and then until the work is done. The error is [ErrFull], at once, or ctx's cause.
func (c *Cores) Do(ctx context.Context) error {
	j, err := c.arrive()
	if j == nil || err != nil {
		return err
	}
	select {
	case <-j.done:
		return nil
	case <-ctx.Done():
		c.leave(j)
		return context.Cause(ctx)
	}
}

// arrive begins the work on a request or puts it into the queue. The job is nil when there is nothing to wait for.
func (c *Cores) arrive() (*job, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.env.Elapsed()
	c.count.advance(now, c.busy, c.waiting)
	c.count.arrived++
	j := &job{run: c.run, arrived: now, service: c.config.ServiceTime.Sample(c.random)}
	switch {
	case c.config.Cores == 0 || c.busy < c.config.Cores:
		if j.service == 0 {
			c.count.started(j, now)
			c.count.served++
			return nil, nil
		}
		j.done = make(chan struct{}, 1)
		c.begin(j, now)
	case c.config.Queue != nil && c.waiting >= *c.config.Queue:
		c.count.rejected++
		return nil, ErrFull
	default:
		j.done = make(chan struct{}, 1)
		c.queue = append(c.queue, j)
		c.waiting++
		c.count.longest = max(c.count.longest, c.waiting)
	}
	return j, nil
}

// begin gives a job a core.
func (c *Cores) begin(j *job, now time.Duration) {
	j.state = running
	c.busy++
	j.service = c.env.Host.Slowed(j.service)
	c.count.started(j, now)
	end := now + j.service
	if end < now {
		return // beyond the end of time
	}
	c.env.Host.Network().At(c.env.Host.Owner(), netem.KindWake, end, func() { c.end(j, happened(end, c.env.Elapsed())) })
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

// end takes the core from a job that is done and gives it to the next one. The engine's loop calls it.
func (c *Cores) end(j *job, now time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped || j.run != c.run {
		return // the host crashed meanwhile
	}
	c.count.advance(now, c.busy, c.waiting)
	c.busy--
	c.count.served++
	c.env.Host.Network().Wake(j.done)
	for c.waiting > 0 && c.busy < c.config.Cores {
		next := c.queue[0]
		c.queue[0] = nil
		c.queue = c.queue[1:]
		if next.state == gone {
			continue
		}
		c.waiting--
		if next.service == 0 {
			c.count.started(next, now)
			c.count.served++
			c.env.Host.Network().Wake(next.done)
			continue
		}
		c.begin(next, now)
	}
	if c.waiting == 0 {
		c.queue = c.queue[:0]
	}
}

// leave takes a job out of the queue for whom nobody waits any more.
func (c *Cores) leave(j *job) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count.advance(c.env.Elapsed(), c.busy, c.waiting)
	c.count.cancelled++
	if j.state == queued && c.config.Abandoned != stay {
		j.state = gone
		c.waiting--
	}
}
