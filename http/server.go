package http

import (
	"context"
	stdtls "crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	nethttp "net/http"
	"runtime/debug"
	"sync"
	"time"

	"netlab/ip"
	"netlab/tls"
)

// ServerOptions change what [Serve] does. The zero value, and nil, are the defaults.
type ServerOptions struct {
	// Log receives what net/http has to say, such as requests that make no sense. Nil drops it.
	Log *slog.Logger
	// Panicked is told of a handler's panic. Nil makes Serve return it as a [PanicError] in the end. Either way the client
	// sees its connection closed, or with HTTP/2 its stream.
	Panicked func(value any, stack []byte)
	// ConnState is told of the states of connections, as net/http's Server.ConnState is.
	ConnState func(net.Conn, nethttp.ConnState)

	// Host is the host that serves. With it the handlers of HTTP/2 requests that arrive together begin one after the other in
	// virtual time, so that they answer in the same order in every run. Nil leaves that to Go's scheduler.
	Host *ip.Host

	// TLS makes the server speak TLS, and offer HTTP/2 and HTTP/1.1 by ALPN. Nil means no TLS.
	TLS *stdtls.Config
	// NoHTTP2 leaves HTTP/2 over TLS out.
	NoHTTP2 bool
	// H2C lets clients speak HTTP/2 without TLS, if they know that they can. HTTP/1.1 is served as well.
	H2C bool
	// MaxConcurrentStreams is how many requests of an HTTP/2 connection are under way at most. 0 means net/http's 250.
	MaxConcurrentStreams int

	// ReadHeaderTimeout is how long the header of a request, or a TLS handshake, may take. 0 means no limit.
	ReadHeaderTimeout time.Duration
	// IdleTimeout is how long a connection is kept without a request. 0 means for ever.
	IdleTimeout time.Duration
	// MaxHeaderBytes limits the header of a request. 0 means net/http's 1 MiB.
	MaxHeaderBytes int

	// Strict refuses, with 400, requests of HTTP/1.1 without TLS that another program might read differently, as request
	// smuggling needs them: Content-Length together with Transfer-Encoding, either of them twice, any coding but chunked, folded lines,
	// lines that don't end in CRLF, CR and NUL within a line, chunks that make no sense. net/http alone takes some of these,
	// in the ways that RFC 9112 allows: it goes by Transfer-Encoding, and joins folded lines.
	Strict bool
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
//
// A handler may take its connection over (net/http's Hijacker), as WebSocket does. The connection is then closed when the
// handler returns, or when ctx ends.
func Serve(ctx context.Context, l net.Listener, handler nethttp.Handler, o *ServerOptions) error {
	if o == nil {
		o = &ServerOptions{}
	}
	s := &server{handler: handler, options: o, conns: connections{raw: map[net.Conn]uint64{}, hijacked: map[net.Conn]uint64{}}}
	// Handlers learn of the end when their connections are closed, so that none of them can still answer.
	base, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	std := s.standard(base)
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		s.close(std)
		end(context.Cause(ctx))
		close(closed)
	})
	var err error
	if o.Strict && o.TLS == nil {
		l = strictListener{l}
	}
	if o.TLS != nil {
		err = std.ServeTLS(&listener{tls.Listener{Listener: l}, &s.conns}, "", "")
	} else {
		err = std.Serve(l)
	}
	if stop() {
		s.close(std) // the listener failed
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
	conns   connections

	mu     sync.Mutex
	over   bool // no further handler may start
	panics []error
}

// standard returns net/http's server.
func (s *server) standard(base context.Context) *nethttp.Server {
	o := s.options
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	std := &nethttp.Server{
		Handler:           s,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		ConnState:         s.state,
		ReadHeaderTimeout: o.ReadHeaderTimeout,
		IdleTimeout:       o.IdleTimeout,
		MaxHeaderBytes:    o.MaxHeaderBytes,
		Protocols:         new(nethttp.Protocols),
		HTTP2:             &nethttp.HTTP2Config{MaxConcurrentStreams: o.MaxConcurrentStreams},
	}
	if o.TLS != nil {
		std.TLSConfig = o.TLS.Clone()
		if len(std.TLSConfig.NextProtos) == 0 { // net/http would change a copy
			std.TLSConfig.NextProtos = []string{"h2", "http/1.1"}
			if o.NoHTTP2 {
				std.TLSConfig.NextProtos = std.TLSConfig.NextProtos[1:]
			}
		}
		tls.LogResumed(std.TLSConfig)
	}
	std.Protocols.SetHTTP1(true)
	std.Protocols.SetHTTP2(o.TLS != nil && !o.NoHTTP2)
	std.Protocols.SetUnencryptedHTTP2(o.H2C)
	return std
}

// close closes the listener and all connections.
func (s *server) close(std *nethttp.Server) {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.conns.close()
	std.Close()
}

// state is called when a connection's state changes, new ones before their goroutine starts.
func (s *server) state(c net.Conn, state nethttp.ConnState) {
	if s.options.ConnState != nil {
		s.options.ConnState(c, state)
	}
	switch state {
	case nethttp.StateNew:
		s.running.Add(1)
	case nethttp.StateHijacked:
		if strict, ok := c.(*strictConn); ok {
			strict.off.Store(true)
		}
		s.conns.hijack(c)
		s.running.Done()
	case nethttp.StateClosed:
		s.conns.forget(c)
		s.running.Done()
	}
}

// connKey is the key of a request's connection in its context.
type connKey struct{}

// ServeHTTP implements net/http's Handler.
func (s *server) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	if !s.begin() {
		return
	}
	defer s.running.Done()
	waitTurn(s.options.Host, w, r)
	defer func() {
		v := recover()
		if r.ProtoMajor == 1 {
			s.conns.release(r.Context().Value(connKey{}).(net.Conn))
		}
		if v == nil {
			return
		}
		if v != nethttp.ErrAbortHandler {
			s.panicked(v, r)
		}
		panic(nethttp.ErrAbortHandler) // closes the connection or the stream, and net/http says nothing
	}()
	s.handler.ServeHTTP(w, r)
}

// begin counts a handler, unless the end has come: net/http starts those of HTTP/2 in goroutines that nothing counts.
func (s *server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	s.running.Add(1)
	return true
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
