package testlab

import (
	"context"
	"errors"
	"log/slog"

	"netlab/ip"
	"netlab/services"
)

// Instance is a service or a workload that runs in a lab.
type Instance struct {
	lab     *Lab
	typ     services.Type
	name    string
	runner  services.Runner
	ctx     context.Context
	cancel  context.CancelCauseFunc
	hosts   []*place
	stopped bool
	waited  bool // somebody has seen the errors
}

// place is where an instance runs: one of its hosts.
type place struct {
	host    *ip.Host
	crashed context.CancelCauseFunc // ends it
	done    chan struct{}           // closed when Run has returned
	err     error                   // of Run
}

// Service starts a service on a host under its type's name.
func (l *Lab) Service(h *ip.Host, typ services.Type, config services.Config) *Instance {
	l.T.Helper()
	return l.Start(typ, typ.Name, config, h)
}

// Workload runs a workload on some hosts under its type's name and returns what it reports.
func (l *Lab) Workload(typ services.Type, config services.Config, hosts ...*ip.Host) (any, error) {
	l.T.Helper()
	return l.Start(typ, typ.Name, config, hosts...).Wait()
}

// Start starts a service or a workload. An invalid configuration fails the test.
func (l *Lab) Start(typ services.Type, name string, config services.Config, hosts ...*ip.Host) *Instance {
	l.T.Helper()
	if err := config.Validate(); err != nil {
		l.T.Fatalf("%s: %v", name, err)
	}
	info := services.Info{Name: name}
	for _, h := range hosts {
		info.Hosts = append(info.Hosts, h.Name())
	}
	runner, err := typ.New(config, info)
	if err != nil {
		l.T.Fatalf("%s: %v", name, err)
	}
	i := &Instance{lab: l, typ: typ, name: name, runner: runner}
	i.ctx, i.cancel = context.WithCancelCause(l.ctx)
	for _, h := range hosts {
		i.hosts = append(i.hosts, &place{host: h})
	}
	for n := range i.hosts {
		i.run(n, nil)
	}
	l.running = append(l.running, i)
	return i
}

// run calls Run on the n-th host, when before is closed.
func (i *Instance) run(n int, before <-chan struct{}) {
	p := i.hosts[n]
	ctx, cancel := context.WithCancelCause(i.ctx)
	p.crashed, p.done = cancel, make(chan struct{})
	env := services.NewEnv(p.host, slog.New(slog.DiscardHandler), i.typ.Role, i.name, n, len(i.hosts))
	env.Authority, env.KeyLog = i.lab.Authority, i.lab.KeyLog
	done := p.done
	p.host.Go(func() {
		defer close(done)
		if before != nil {
			<-before
		}
		p.err = i.runner.Run(ctx, env)
	})
}

// Wait returns what the runner reports once it has ended by itself on every host.
func (i *Instance) Wait() (any, error) {
	var errs []error
	for _, p := range i.hosts {
		<-p.done
		errs = append(errs, p.err)
	}
	i.waited = true
	return i.runner.Result(), errors.Join(errs...)
}

// Stop ends the runner and returns what it reports.
func (i *Instance) Stop() (any, error) {
	i.stopped = true
	i.cancel(errOver)
	return i.Wait()
}

// Result returns what the runner reports until now.
func (i *Instance) Result() any { return i.runner.Result() }

// Runner returns the runner.
func (i *Instance) Runner() services.Runner { return i.runner }

// Ended says whether Run has returned on every host.
func (i *Instance) Ended() bool {
	for _, p := range i.hosts {
		select {
		case <-p.done:
		default:
			return false
		}
	}
	return true
}

// end stops what still runs. Errors that the test has not asked for fail it.
func (l *Lab) end() {
	l.cancel(errOver)
	for _, i := range l.running {
		seen := i.waited
		if _, err := i.Wait(); err != nil && !seen {
			l.T.Errorf("lab: %v", err)
		}
	}
}
