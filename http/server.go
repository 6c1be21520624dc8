package http

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	nethttp "net/http"
	"runtime/debug"
	"sync"
)

// ServerOptions change what [Serve] does. The zero value, and nil, are the defaults.
type ServerOptions struct {
	// Log receives what net/http has to say, such as requests that make no sense. Nil drops it.
	Log *slog.Logger
	// Panicked is told of a handler's panic. Nil makes Serve return it as a [PanicError] in the end. Either way the client
	// sees its connection closed.
	Panicked func(value any, stack []byte)
	// ConnState is told of the states of connections, as net/http's Server.ConnState is.
	ConnState func(net.Conn, nethttp.ConnState)
}

// PanicError is the panic of a handler.
type PanicError struct {
	Request string // method and path
	Value   any    // what the handler panicked with
	Stack   []byte // of the handler's goroutine
}

// Error implements error.
func (e *PanicError) Error() string {
	return fmt.Sprintf("http: panic in the handler of %s: %v\n%s", e.Request, e.Value, e.Stack)
}

// Serve serves a handler on a listener until ctx ends. Then it closes the listener and all connections, waits for their
// goroutines and for handlers that still run, and returns nil or the panics of handlers. Handlers see the end of ctx in their
// request's context. The error is that of the listener if that fails before.
func Serve(ctx context.Context, l net.Listener, handler nethttp.Handler, o *ServerOptions) error {
	if o == nil {
		o = &ServerOptions{}
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &server{handler: handler, options: o}
	// Handlers learn of the end when their connections are closed, so that none of them can still answer.
	base, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	std := &nethttp.Server{
		Handler:     s,
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		BaseContext: func(net.Listener) context.Context { return base },
		ConnState:   s.state,
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		std.Close()
		end(context.Cause(ctx))
		close(closed)
	})
	err := std.Serve(l)
	if stop() {
		std.Close() // the listener failed
		end(err)
	} else {
		<-closed
	}
	s.running.Wait()
	if ctx.Err() != nil || errors.Is(err, nethttp.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return errors.Join(append(s.panics, err)...)
}

// server is the handler that net/http sees. It counts connections and requests, because net/http does not wait for them.
type server struct {
	handler nethttp.Handler
	options *ServerOptions
	running sync.WaitGroup // connections and handlers

	mu     sync.Mutex
	panics []error
}

// state is called when a connection's state changes, new ones before their goroutine starts.
func (s *server) state(c net.Conn, state nethttp.ConnState) {
	if s.options.ConnState != nil {
		s.options.ConnState(c, state)
	}
	switch state {
	case nethttp.StateNew:
		s.running.Add(1)
	case nethttp.StateClosed, nethttp.StateHijacked:
		s.running.Done()
	}
}

// ServeHTTP implements net/http's Handler.
func (s *server) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	s.running.Add(1)
	defer s.running.Done()
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v != nethttp.ErrAbortHandler {
			s.panicked(v, r)
		}
		panic(nethttp.ErrAbortHandler) // closes the connection, and net/http says nothing
	}()
	s.handler.ServeHTTP(w, r)
}

func (s *server) panicked(v any, r *nethttp.Request) {
	stack := debug.Stack()
	if s.options.Panicked != nil {
		s.options.Panicked(v, stack)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.panics = append(s.panics, &PanicError{r.Method + " " + r.URL.Path, v, stack})
}
