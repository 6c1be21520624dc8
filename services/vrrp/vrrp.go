package vrrp

import (
	"context"
	"errors"
	"sync"

	"netlab/services"
	"netlab/tcp"
)

// Type describes the service.
var Type = services.Type{
	Name: "vrrp", Role: services.Service,
	Doc: "Shares an address with other hosts of the segment by VRRP version 3 (RFC 9568): one is active and has it, the others take it " +
		"when they hear nothing of it any more. The address is declared in \"addresses\"; services that listen serve it where it is.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		return &runner{config: *config.(*Config)}, nil
	},
}

// runner is the service on one host.
type runner struct {
	config Config

	mu     sync.Mutex
	result Result
}

// Run implements services.Runner.
func (r *runner) Run(ctx context.Context, env *services.Env) error {
	w := &weight{priority: r.config.Priority, patient: env.Elapsed() + r.config.PreemptDelay.Std()}
	var groups []*group
	for i, place := range []**GroupResult{&r.result.IPv4, &r.result.IPv6} {
		g, err := newGroup(env, &r.config, i == 1, w, &r.mu)
		if err != nil {
			return err
		}
		if g == nil {
			continue
		}
		r.mu.Lock()
		if *place == nil {
			*place = &GroupResult{Transitions: []Transition{}}
		}
		g.result = *place
		r.mu.Unlock()
		groups = append(groups, g)
	}
	errs := make([]error, len(groups))
	for i, g := range groups {
		env.Go(func() { errs[i] = g.run(ctx) })
	}
	if r.config.Track != nil {
		env.Go(func() { r.track(ctx, env, w) })
	}
	env.Wait()
	return errors.Join(errs...)
}

// track checks what the priority depends on.
func (r *runner) track(ctx context.Context, env *services.Env, w *weight) {
	t := r.config.Track.filled()
	down, run := false, 0
	for at := env.Elapsed(); ; at += t.Interval.Std() {
		if env.SleepUntil(ctx, at) != nil {
			return
		}
		ok := r.check(ctx, env, &t)
		switch {
		case env.Over(ctx):
			return
		case ok != down: // as it is
			run = 0
			continue
		}
		run++
		if !down && run == t.Fall || down && run == t.Rise {
			down, run = !down, 0
			r.setDown(env, w, down, t.Decrement)
		}
	}
}

// check says whether the port takes a connection.
func (r *runner) check(ctx context.Context, env *services.Env, t *Track) bool {
	ctx, cancel := env.WithTimeout(ctx, t.Timeout.Std())
	defer cancel()
	conn, err := tcp.Dial(ctx, env.Host, string(t.To))
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// setDown lowers the priority or raises it again.
func (r *runner) setDown(env *services.Env, w *weight, down bool, decrement int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if down {
		w.priority = r.config.Priority - decrement
		r.mu.Lock()
		defer r.mu.Unlock()
		r.result.TrackFalls++
		return
	}
	w.priority = r.config.Priority
	w.patient = env.Elapsed() + r.config.PreemptDelay.Std()
}

// Result implements services.Runner.
func (r *runner) Result() any {
	r.mu.Lock()
	defer r.mu.Unlock()
	result := r.result
	return &result
}
