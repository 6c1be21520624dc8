package netlab

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"netlab/ip"
	"netlab/netem"
	"netlab/services"
	"netlab/services/catalog"
	"netlab/services/slo"
)

// conduct takes a run through its phases: services start, faults and workloads follow their schedule, and when all that
// the run waits for is done the frames on the wire are waited for, the results are frozen and everything is taken down.
// It is the run's own goroutine.
func (r *Run) conduct(fn func(*Run) error) {
	defer r.engine.Stop()
	finished := make(chan struct{})
	if err := r.prepare(); err != nil {
		r.fail(err)
	} else {
		r.startJobs(services.Service)
		r.startForwards()
		r.scheduleFaults()
		r.startJobs(services.Workload)
		if fn != nil {
			r.user.Add(1)
			r.engine.Go(r.owner, func() {
				defer r.user.Done()
				r.guard("the function given to Run", func() error { return fn(r) })
			})
		}
		r.engine.Go(r.owner, func() {
			r.workloads.Wait()
			r.user.Wait()
			close(finished)
		})
		r.await(finished)
	}
	r.freeze()
	r.teardown()
}

// await returns when the run is over, and notes why.
func (r *Run) await(finished <-chan struct{}) {
	var over <-chan struct{}
	if d := time.Duration(r.lab.topology.Duration); d > 0 {
		timer := make(chan struct{})
		over = timer
		r.engine.At(r.owner, netem.KindControl, d, func() { close(timer) })
	}
	select {
	case <-finished:
		r.ended = EndedDone
		if over != nil {
			// A run with a duration lasts that long: what else happens in the lab is part of it.
			select {
			case <-over:
				r.ended = EndedDuration
			case <-r.ctx.Done():
				r.ended = EndedInterrupted
			}
			return
		}
		r.drain()
	case <-over:
		r.ended = EndedDuration
	case <-r.ctx.Done():
		r.ended = EndedInterrupted
	}
}

// drain waits until no frame is on its way, at most drainLimit.
func (r *Run) drain() {
	limit := r.engine.Elapsed() + drainLimit
	for {
		quiet := make(chan bool, 1)
		r.engine.AfterFunc(r.owner, netem.KindControl, time.Millisecond, func() { quiet <- r.net.InFlight() == 0 })
		select {
		case q := <-quiet:
			if q || r.engine.Elapsed() >= limit {
				return
			}
		case <-r.ctx.Done():
			return
		}
	}
}

// prepare makes the runners of all services and workloads.
func (r *Run) prepare() error {
	table := catalog.Table{}
	r.locations = r.lab.topology.Locations()
	add := func(role services.Role, name, kind string, config services.Config, hosts []string, start time.Duration) error {
		t, ok := table.Lookup(role, kind)
		if !ok {
			return fmt.Errorf("%s %s: unknown type %q", role, name, kind)
		}
		runner, err := t.New(config, services.Info{Name: name, Hosts: hosts, Locations: r.locations})
		if err != nil {
			return fmt.Errorf("%s %s: %w", role, name, err)
		}
		j := &job{name: name, role: role, kind: kind, runner: runner, start: start, errors: map[string]error{}}
		for _, h := range hosts {
			j.nodes = append(j.nodes, r.nodes[r.byName[h]])
		}
		j.last = make([]chan struct{}, len(hosts))
		r.mu.Lock() // who watches the run in real time may look at once
		defer r.mu.Unlock()
		r.jobs = append(r.jobs, j)
		return nil
	}
	for _, n := range r.nodes {
		for name, s := range n.config.Services.All() {
			if err := add(services.Service, name, s.Type, s.Config, []string{n.name}, 0); err != nil {
				return err
			}
		}
	}
	for name, w := range r.lab.topology.Workloads.All() {
		if err := add(services.Workload, name, w.Type, w.Config, w.From, time.Duration(w.Start)); err != nil {
			return err
		}
		if w.SLO != nil {
			r.jobs[len(r.jobs)-1].level = slo.NewTracker(*w.SLO)
		}
	}
	return nil
}

// startJobs schedules the start of all services or all workloads, each on each of its hosts in an event of its own.
func (r *Run) startJobs(role services.Role) {
	for _, j := range r.jobs {
		if j.role == role {
			for i := range j.nodes {
				r.startJob(j, i, j.start)
			}
		}
	}
}

// startJob schedules the start of a job on the i-th of its hosts. If it has run there before, on a host that crashed, that has to
// end first.
func (r *Run) startJob(j *job, i int, at time.Duration) {
	group := &r.services
	if j.role == services.Workload {
		group = &r.workloads
	}
	group.Add(1)
	before, ended := j.last[i], make(chan struct{})
	j.last[i] = ended
	n := j.nodes[i]
	r.engine.At(n.host().Owner(), netem.KindWake, at, func() {
		t, env := r.newTask(n), r.newEnv(j, i)
		if !env.Host.Alive() {
			t.cancel(errCrashed)
		}
		go t.watch(ended)
		go func() {
			defer group.Done()
			defer close(ended)
			defer t.cancel(nil)
			if before != nil {
				<-before
			}
			r.runJob(t.ctx, j, env)
		}()
	})
}

// newEnv returns what a job finds on the i-th of its hosts.
func (r *Run) newEnv(j *job, i int) *services.Env {
	h := j.nodes[i].host()
	env := services.NewEnv(h, r.log.With("host", h.Name(), j.role.String(), j.name), j.role, j.name, i, len(j.nodes))
	env.Authority, env.KeyLog, env.HostNames = r.authority, r.keyLog, r.hostNames[h.Name()]
	env.Locations = r.locations
	if j.level != nil {
		env.Outcomes = j.level
	}
	env.Panicked = func(v any, stack []byte) {
		r.fail(&PanicError{What: j.where() + " on " + h.Name(), Value: v, Stack: stack})
	}
	return env
}

// runJob runs a job on one host.
func (r *Run) runJob(ctx context.Context, j *job, env *services.Env) {
	if r.ctx.Err() != nil {
		return // the run ended before it began
	}
	r.start(j, env)
	var err error
	if ctx.Err() == nil {
		r.guard(j.where()+" on "+env.Host.Name(), func() error {
			err = j.runner.Run(ctx, env)
			env.Wait()
			return nil
		})
	}
	if errors.Is(context.Cause(ctx), errCrashed) || errors.Is(env.Host.Err(), ip.ErrHostDown) {
		err = errCrashed
	}
	r.finish(j, env, err)
}

func (r *Run) start(j *job, env *services.Env) {
	r.mu.Lock()
	if !j.begun {
		j.begun, j.started = true, r.engine.Elapsed()
		if j.level != nil {
			j.level.Begin(j.started)
		}
	}
	j.running++
	r.mu.Unlock()
	if j.role == services.Workload {
		r.event(netem.Event{At: r.engine.Elapsed(), Kind: "start", Node: env.Host.Name()}, j.name)
	}
}

func (r *Run) finish(j *job, env *services.Env, err error) {
	r.mu.Lock()
	frozen := r.frozen
	j.running--
	over := r.ctx.Err() != nil
	crashed := errors.Is(err, errCrashed)
	if !frozen {
		j.ended = r.engine.Elapsed()
		if !over && !crashed {
			j.done++
		}
	}
	ends := over && (errors.Is(err, errEnded) || errors.Is(err, context.Canceled)) || crashed && j.role == services.Service
	if err != nil && !ends {
		j.errors[env.Host.Name()] = err
	}
	r.mu.Unlock()
	if frozen {
		return
	}
	if j.role == services.Workload {
		detail := ""
		if err != nil {
			detail = err.Error()
		}
		r.event(netem.Event{At: r.engine.Elapsed(), Kind: "finish", Node: env.Host.Name(), Detail: detail}, j.name)
	}
	if err != nil && !over && !crashed {
		r.log.Error(err.Error(), "host", env.Host.Name(), j.role.String(), j.name)
	}
}

// freeze ends what the outside sees of the run: captures, events and counters stand from here on. It happens in an event,
// so that nothing is under way meanwhile.
func (r *Run) freeze() {
	done := make(chan struct{})
	r.engine.AfterFunc(r.owner, netem.KindControl, 0, func() {
		r.mu.Lock()
		r.frozen = true
		r.mu.Unlock()
		r.net.SetTap(nil)
		r.net.Observe(nil)
		if r.events != nil {
			r.events.freeze()
		}
		r.telemetry.finish()
		r.watcher.finish(r)
		r.snapshot = r.takeSnapshot()
		for _, n := range r.nodes {
			if h := n.host(); h != nil && h.Paused() {
				h.Resume() // so that what runs there can end
			}
		}
		close(done)
	})
	<-done
}

// teardown ends all goroutines of the run.
func (r *Run) teardown() {
	r.end(errEnded)
	for _, h := range r.hosts() {
		h.Close()
	}
	gone := make(chan struct{})
	go func() {
		r.workloads.Wait()
		r.services.Wait()
		r.user.Wait()
		for _, h := range append(r.hosts(), r.former...) {
			h.Wait()
		}
		close(gone)
	}()
	select {
	case <-gone:
	case <-time.After(teardownLimit):
		r.fail(fmt.Errorf("goroutines are left after the run:\n%s", strings.Join(bubbleGoroutines(false), "\n\n")))
	}
}
