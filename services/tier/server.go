package tier

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	nethttp "net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"netlab/http"
	"netlab/ip"
	"netlab/services"
	"netlab/services/capacity"
	"netlab/services/figures"
	"netlab/services/kvcache"
	"netlab/services/resp"
	"netlab/services/slowstore"
	"netlab/services/target"
	"netlab/tcp"
)

// maxBody is the largest value.
const maxBody = 64 << 20

// Server describes the service.
var Server = services.Type{
	Name: "app-server", Role: services.Service,
	Doc: "An application tier: it answers GET and PUT of keys from a slow-store, with a kv-cache beside it. Strategies: none, cache-aside, " +
		"write-around, write-through and write-back, with or without protection against stampedes. Counts hits, stale reads, what the " +
		"store had to do, and what a crash lost.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		s := &server{config: config.(*Config).complete(), acknowledged: map[string]uint64{}}
		return s, nil
	},
}

// server is the runner. What it counts outlives a crash of the host; its buffer does not.
type server struct {
	config Config
	cores  *capacity.Cores // nil without a model

	// Of the host's present incarnation.
	env       *services.Env
	life      context.Context
	transport *nethttp.Transport
	storeURL  string
	cache     *resp.Client // nil without a cache

	mu      sync.Mutex // never held while anything is waited for
	random  *rand.Rand // early refreshes
	version uint64     // of the last write
	// acknowledged are the versions of the last acknowledged writes, to find stale reads: it is a count, and outlives crashes.
	acknowledged map[string]uint64
	loads        map[string]int     // under way, by key
	flights      map[string]*flight // single-flight, by key
	buffer

	result   Result
	buffered BufferResult
	reads    figures.Durations
	writes   figures.Durations
}

// Run implements services.Runner.
func (s *server) Run(ctx context.Context, env *services.Env) error {
	if err := s.begin(ctx, env); err != nil {
		return err
	}
	listener, err := tcp.Listen(env.Host, string(s.config.Listen))
	if err == nil {
		if s.config.Strategy == WriteBack {
			env.Go(func() { s.flushes(ctx) })
		}
		err = http.Serve(ctx, listener, s, &http.ServerOptions{Host: env.Host, Log: env.Log, Panicked: env.Panicked})
	}
	env.Wait()
	if s.cores != nil {
		s.cores.Stop()
	}
	s.transport.CloseIdleConnections()
	if s.cache != nil {
		s.cache.Close()
	}
	if errors.Is(env.Host.Err(), ip.ErrHostDown) {
		s.mu.Lock()
		s.lose()
		s.mu.Unlock()
	}
	if env.Over(ctx) {
		return nil
	}
	return err
}

// begin makes what an incarnation of the host has.
func (s *server) begin(ctx context.Context, env *services.Env) error {
	store, err := target.Address(s.config.Store, storePort)
	if err != nil {
		return err
	}
	s.env, s.life = env, ctx
	s.storeURL = "http://" + store + "/"
	s.transport = http.NewTransport(env.Host, &http.TransportOptions{IdlePerServer: 1 << 20, Version: http.HTTP1})
	if s.config.Cache != "" {
		address, err := target.Address(s.config.Cache, kvcache.DefaultPort)
		if err != nil {
			return err
		}
		s.cache = resp.NewClient(env, address, s.config.CacheTimeout.Std())
	}
	s.mu.Lock()
	s.random = env.Stream("early_refresh")
	s.loads, s.flights, s.buffer = map[string]int{}, map[string]*flight{}, newBuffer()
	s.mu.Unlock()
	switch {
	case s.config.Capacity.Empty():
	case s.cores == nil:
		s.cores = capacity.New(env, s.config.Capacity, "service_time")
	default:
		s.cores.Start(env)
	}
	return nil
}

// count changes the result.
func (s *server) count(change func(r *Result)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.result)
}

// ServeHTTP implements net/http's Handler.
func (s *server) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	w.Header()["Date"] = []string{s.env.Host.Now().UTC().Format(nethttp.TimeFormat)}
	start := s.env.Elapsed()
	key := strings.TrimPrefix(r.URL.Path, "/")
	switch {
	case key == "" || strings.HasPrefix(key, lockPrefix):
		nethttp.Error(w, "want a path, which is the key", nethttp.StatusBadRequest)
		return
	case r.Method != nethttp.MethodGet && r.Method != nethttp.MethodPut:
		w.Header().Set("Allow", "GET, PUT")
		nethttp.Error(w, "want GET or PUT", nethttp.StatusMethodNotAllowed)
		return
	}
	if s.cores != nil {
		if err := s.cores.Do(r.Context()); errors.Is(err, capacity.ErrFull) {
			nethttp.Error(w, "the server is overloaded", nethttp.StatusServiceUnavailable)
			return
		} else if err != nil {
			return
		}
	}
	if r.Method == nethttp.MethodPut {
		s.put(w, r, key, start)
		return
	}
	s.get(w, key, start)
}

func (s *server) get(w nethttp.ResponseWriter, key string, start time.Duration) {
	s.mu.Lock()
	known := s.acknowledged[key]
	s.mu.Unlock()
	e, from, err := s.read(key)
	if err != nil {
		s.fail(w, err)
		return
	}
	s.count(func(r *Result) {
		r.Reads++
		s.reads.Add(s.env.Elapsed() - start)
		if e.version < known {
			r.StaleReads++
		}
	})
	w.Header().Set("X-Cache", from)
	w.Header().Set(slowstore.VersionField, strconv.FormatUint(e.version, 10))
	if !e.found {
		nethttp.Error(w, "there is no such key", nethttp.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(e.body)))
	w.Write(e.body)
}

func (s *server) put(w nethttp.ResponseWriter, r *nethttp.Request, key string, start time.Duration) {
	body, err := io.ReadAll(nethttp.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		nethttp.Error(w, "the value is too large, or broke off", nethttp.StatusRequestEntityTooLarge)
		return
	}
	s.mu.Lock()
	s.version = max(s.version+1, uint64(s.env.Elapsed()))
	e := entry{version: s.version, found: true, body: body}
	s.mu.Unlock()
	if err := s.write(key, &e); err != nil {
		s.fail(w, err)
		return
	}
	s.count(func(r *Result) {
		r.Writes++
		s.writes.Add(s.env.Elapsed() - start)
		s.acknowledged[key] = max(s.acknowledged[key], e.version)
		s.promised(key, e.version)
	})
	w.WriteHeader(nethttp.StatusNoContent)
}

// fail answers that the store did not answer.
func (s *server) fail(w nethttp.ResponseWriter, err error) {
	if s.env.Over(s.life) {
		return
	}
	s.count(func(r *Result) { r.Failed++ })
	s.env.WarnOnce("store", "the store does not answer", "error", err)
	status := nethttp.StatusBadGateway
	if isTimeout(err) {
		status = nethttp.StatusGatewayTimeout
	}
	nethttp.Error(w, "the store does not answer", status)
}
