package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// errInterrupted is the cause of the context of a run that was interrupted.
var errInterrupted = errors.New("interrupted")

// signals ends runs early.
type signals struct {
	// ctx ends with the first signal.
	ctx    context.Context
	cancel context.CancelCauseFunc
	screen *console
	got    chan os.Signal
	done   chan struct{}

	mu        sync.Mutex
	processes map[*os.Process]bool // the children that run
}

// listenForSignals ends a context at the first SIGINT or SIGTERM and the process at the second. The process of one run of
// several (child) leaves SIGINT to its parent: a terminal sends it to both.
func listenForSignals(screen *console, child bool) *signals {
	s := &signals{screen: screen, got: make(chan os.Signal, 2), done: make(chan struct{}), processes: map[*os.Process]bool{}}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	if child {
		signal.Ignore(os.Interrupt)
		signal.Notify(s.got, syscall.SIGTERM)
	} else {
		signal.Notify(s.got, os.Interrupt, syscall.SIGTERM)
	}
	go s.serve(child)
	return s
}

func (s *signals) serve(child bool) {
	for n := 0; ; n++ {
		select {
		case <-s.done:
			return
		case sig := <-s.got:
			if n > 0 {
				s.die(sig)
			}
			if !child {
				s.screen.say("netlab: interrupted: ending the run; once more to kill it")
			}
			s.cancel(errInterrupted)
		}
	}
}

// die ends the children and this process, with the exit code that shells give a process that a signal ended.
func (s *signals) die(sig os.Signal) {
	s.mu.Lock()
	for p := range s.processes {
		_ = p.Kill()
	}
	s.mu.Unlock()
	code := exitInternal
	if number, ok := sig.(syscall.Signal); ok {
		code = 128 + int(number)
	}
	os.Exit(code)
}

// began notes that a child runs, over that it doesn't any more.
func (s *signals) began(p *os.Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.processes[p] = true
}

func (s *signals) over(p *os.Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.processes, p)
}

// release gives the signals back.
func (s *signals) release() {
	signal.Stop(s.got)
	close(s.done)
	s.cancel(nil)
}

// ended says whether a signal came.
func (s *signals) ended() bool { return s.ctx.Err() != nil }
