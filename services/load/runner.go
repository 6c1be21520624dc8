package load

import (
	"context"
	"strconv"
	"time"

	"netlab/services"
)

// Runner makes the requests of a workload on all of its hosts. Types of workloads embed it.
type Runner struct {
	config Config
	tally  *tally
}

// NewRunner returns the runner of a valid configuration.
func NewRunner(config Config, info services.Info) *Runner {
	return &Runner{config: config, tally: newTally(&config)}
}

// Load runs the workload on one host until no more requests are due and none is under way, or until ctx ends. The error is that of
// connect.
func (r *Runner) Load(ctx context.Context, env *services.Env, connect Connect) error {
	start := env.Elapsed()
	r.tally.begin(start)
	h := &host{config: &r.config, tally: r.tally, env: env, start: start, connect: connect}
	h.ctx, h.cancel = context.WithCancelCause(ctx)
	defer h.cancel(nil)
	if r.config.open() {
		h.openLoop()
	} else {
		h.closedLoop()
	}
	r.tally.end(env.Elapsed(), env.Over(ctx) || h.failed != nil)
	return h.failed
}

// Result returns what was counted, over all hosts.
func (r *Runner) Result() any { return r.tally.result() }

// host is the workload on one host.
type host struct {
	config  *Config
	tally   *tally
	env     *services.Env
	start   time.Duration
	connect Connect
	ctx     context.Context
	cancel  context.CancelCauseFunc
	failed  error
}

// user makes a user and its client; a client that can't be made ends the workload on the host.
func (h *host) user(index int) (*User, Client) {
	u := &User{Env: h.env, Index: index, part: "user." + strconv.Itoa(index)}
	c, err := h.connect(h.ctx, u)
	if err != nil {
		if !h.env.Over(h.ctx) {
			h.failed = err
			h.cancel(err)
		}
		return u, nil
	}
	return u, c
}

// request makes a request that was due at a time, counts it and says whether it succeeded.
func (h *host) request(c Client, due time.Duration) (ok bool) {
	started := h.env.Elapsed()
	o := c.Do(h.ctx)
	cut := !o.OK() && h.env.Over(h.ctx)
	if h.tally.finish(due, started, h.env.Elapsed(), &o, cut) {
		h.env.Outcome(due, o.OK())
	}
	return o.OK()
}
