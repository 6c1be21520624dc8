package services

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"netlab/internal/random"
	"netlab/ip"
	"netlab/netem"
	"netlab/tls"
)

// Env is what a runner finds on one of its hosts.
type Env struct {
	// Host is where it runs; sockets of packages tcp and udp take it.
	Host *ip.Host
	// Log is for what a user may want to read; it adds host and virtual time.
	Log *slog.Logger
	// Name is the service's or the workload's name in the file.
	Name string
	// Index is the host's place among the Count hosts that the runner runs on, from 0.
	Index, Count int
	// Random is a stream of the runner on this host, for its main goroutine. Others ask [Env.Stream].
	Random *rand.Rand

	// HostNames are the names under which the lab knows the host, its own first.
	HostNames []string
	// Locations are those of the lab's nodes that have one, by name.
	Locations map[string]Location
	// Authority is the lab's certificate authority.
	Authority *tls.Authority
	// KeyLog receives the secrets of TLS connections for the captures, in NSS key log format. Nil drops them.
	KeyLog io.Writer

	// Panicked, when not nil, is told of a panic in a goroutine that Go started. Otherwise the panic goes on.
	Panicked func(value any, stack []byte)

	// Outcomes, when not nil, is told of the workload's requests.
	Outcomes Outcomes

	group sync.WaitGroup

	mu     sync.Mutex
	warned map[string]bool // kinds of trouble that there was a warning of
}

// Outcomes takes down what came of requests. Several goroutines use it.
type Outcomes interface {
	// Request is told of a request that is over, which the end of the run did not cut off. due is when it was due, since the start
	// of the run, took how long it took from then on, and ok whether it succeeded.
	Request(due, took time.Duration, ok bool)
}

// Outcome tells Outcomes, if somebody wants to know, of a request that is over now.
func (e *Env) Outcome(due time.Duration, ok bool) {
	if e.Outcomes != nil {
		e.Outcomes.Request(due, e.Elapsed()-due, ok)
	}
}

// NewEnv fills an Env for one host.
func NewEnv(h *ip.Host, log *slog.Logger, role Role, name string, index, count int) *Env {
	e := &Env{Host: h, Log: log, Name: name, Index: index, Count: count, HostNames: []string{h.Name()}}
	e.Random = e.stream(role.String())
	return e
}

// Stream returns the random stream of a part of the runner. It is another one in each incarnation of the host.
func (e *Env) Stream(part string) *rand.Rand { return e.stream("stream." + part) }

func (e *Env) stream(what string) *rand.Rand {
	name := "nodes." + e.Host.Name() + "." + e.Name + "." + what
	return random.Stream(e.Host.Network().Seed(), name, e.Host.Incarnation())
}

// Over says whether ctx has ended or the host has gone, so that what fails now is nobody's failure.
func (e *Env) Over(ctx context.Context) bool { return ctx.Err() != nil || !e.Host.Alive() }

// Go runs fn in a goroutine that starts in an event of its own. [Env.Wait] waits for it.
func (e *Env) Go(fn func()) {
	e.group.Add(1)
	e.Host.Go(func() {
		defer e.group.Done()
		defer func() {
			if e.Panicked == nil {
				return
			}
			if v := recover(); v != nil {
				e.Panicked(v, debug.Stack())
			}
		}()
		fn()
	})
}

// Wait returns when every goroutine that Go started is done.
func (e *Env) Wait() { e.group.Wait() }

// Sleep waits for d of the lab's time or until ctx ends; then it returns ctx's cause.
func (e *Env) Sleep(ctx context.Context, d time.Duration) error { return e.Host.Sleep(ctx, d) }

// SleepUntil waits until a time since the start of the run or until ctx ends; then it returns ctx's cause.
func (e *Env) SleepUntil(ctx context.Context, at time.Duration) error {
	return e.Host.SleepUntil(ctx, at)
}

// WithTimeout returns a context that ends after d of the lab's time, or when parent does or cancel is called. After d its cause
// is os.ErrDeadlineExceeded. It waits on the engine's queue: timers of package context that fire at the same instant would do
// so in any order.
func (e *Env) WithTimeout(parent context.Context, d time.Duration) (ctx context.Context, cancel context.CancelFunc) {
	ctx, end := context.WithCancelCause(parent)
	timer := e.Host.Network().AfterFunc(e.Host.Owner(), netem.KindDeadline, d, func() { end(os.ErrDeadlineExceeded) })
	return ctx, func() {
		timer.Stop()
		end(nil)
	}
}

// WarnOnce logs the first trouble of a kind as a warning, and further ones as debug messages: there may be millions.
func (e *Env) WarnOnce(kind, message string, args ...any) {
	e.mu.Lock()
	known := e.warned[kind]
	if !known {
		if e.warned == nil {
			e.warned = map[string]bool{}
		}
		e.warned[kind] = true
	}
	e.mu.Unlock()
	if known {
		e.Log.Debug(message, args...)
		return
	}
	e.Log.Warn(message, args...)
}

// Elapsed is the time since the start of the run.
func (e *Env) Elapsed() time.Duration { return e.Host.Network().Elapsed() }
