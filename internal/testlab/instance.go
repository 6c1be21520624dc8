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
	lab    *Lab
	runner services.Runner
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when every Run has returned
	errs   []error       // of each host
	waited bool          // somebody has seen the errors
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
	i := &Instance{lab: l, runner: runner, done: make(chan struct{}), errs: make([]error, len(hosts))}
	ctx, cancel := context.WithCancelCause(l.ctx)
	i.cancel = cancel
	ended := make(chan struct{}, len(hosts))
	for n, h := range hosts {
		env := services.NewEnv(h, slog.New(slog.DiscardHandler), typ.Role, name, n, len(hosts))
		env.Authority, env.KeyLog = l.Authority, l.KeyLog
		h.Go(func() {
			defer func() { ended <- struct{}{} }()
			i.errs[n] = runner.Run(ctx, env)
		})
	}
	go func() {
		for range hosts {
			<-ended
		}
		close(i.done)
	}()
	l.running = append(l.running, i)
	return i
}

// Wait returns what the runner reports once it has ended by itself on every host.
func (i *Instance) Wait() (any, error) {
	<-i.done
	i.waited = true
	return i.runner.Result(), errors.Join(i.errs...)
}

// Stop ends the runner and returns what it reports.
func (i *Instance) Stop() (any, error) {
	i.cancel(errOver)
	return i.Wait()
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
