// Package slowstore is the service "slow-store": a key-value store that takes its time, such as a database behind a cache.
//
// GET, PUT and DELETE of a path are those of the key with that name. Each operation takes read_time or write_time, any number of them
// at once, and before that a core for service_time, if there is a model of the capacity. A key that nobody has written holds an object
// of a size that is the same in every run; with keys there are only so many of them, named as package netlab/services/keys does.
//
// Each value has a version, which a PUT gives in the field Version and a GET returns there: a PUT with a lower version than that which is held
// changes nothing, so that two writes that overtake each other end as they were meant. Without the field a PUT has the next
// version. Objects that nobody has written have version 0.
//
// A write is durable before it is answered: it is still there after a crash of the host. The disk itself is not modelled, write_time
// stands for it. With durable false a crash loses what was written. Left out: everything that makes a store more than a map, such as queries,
// transactions and replicas.
package slowstore

import (
	"context"
	"errors"
	"io"
	nethttp "net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"netlab/http"
	"netlab/services"
	"netlab/services/capacity"
	"netlab/services/content"
	"netlab/services/figures"
	"netlab/services/keys"
	"netlab/tcp"
	"netlab/units"
)

// VersionField is the header field with a value's version.
const VersionField = "Version"

const (
	maxObject units.Bytes = 64 << 20
	maxKeys               = 10_000_000
)

// Capacity is how much the store can do, under a name of its own.
type Capacity = capacity.Config

// Config configures the service.
type Config struct {
	Listen    services.ListenTCP `json:"listen" jsonschema_description:"Where it listens." jsonschema:"default=:80"`
	ReadTime  units.Distribution `json:"read_time,omitzero" jsonschema_description:"How long a read takes, besides the work on a core. Default 0s."`
	WriteTime units.Distribution `json:"write_time,omitzero" jsonschema_description:"How long a write takes, besides the work on a core. Default 0s."`
	Objects   units.Bytes        `json:"objects" jsonschema_description:"Size of what a key holds that nobody has written." jsonschema:"default=1kB"`
	Keys      int                `json:"keys,omitempty" zero:"refused" jsonschema_description:"How many keys hold an object from the start, by the last part of their path: with 1000 they are 000 to 999. The others are not found until they are written. Default: all that anybody asks for."`
	Durable   *bool              `json:"durable,omitempty" jsonschema_description:"Whether what was written is still there after a crash. Default true."`
	Capacity
}

// NewConfig returns the defaults.
func NewConfig() *Config { return &Config{Listen: ":80", Objects: 1000} }

// Endless implements services.Config.
func (c *Config) Endless() bool { return true }

// Validate implements services.Config.
func (c *Config) Validate() error {
	list := []error{c.Capacity.Validate()}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.Listen == "" {
		add("listen", "missing: want a colon and a port, such as \":80\"")
	}
	if c.Objects < 0 || c.Objects > maxObject {
		add("objects", "found %s, wanted 0B to %s", c.Objects, maxObject)
	}
	if c.Keys < 0 || c.Keys > maxKeys {
		add("keys", "found %d, wanted 1 to %d", c.Keys, maxKeys)
	}
	return errors.Join(list...)
}

// Server describes the service.
var Server = services.Type{
	Name: "slow-store", Role: services.Service,
	Doc: "A key-value store over HTTP that takes its time, such as a database behind a cache: GET, PUT and DELETE of a path, with declared " +
		"times for reads and writes and a declared capacity. What it has acknowledged survives a crash of its host.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		return &server{config: *config.(*Config), held: map[string]value{}}, nil
	},
}

// Result is what a store reports.
type Result struct {
	// Reads and Writes count operations that were done, Deletes those of Writes that took a key away, NotFound reads of keys that are not there.
	Reads    uint64 `json:"reads"`
	Writes   uint64 `json:"writes"`
	Deletes  uint64 `json:"deletes"`
	NotFound uint64 `json:"not_found"`
	// Superseded counts writes that came after one with a higher version, and so changed nothing.
	Superseded uint64 `json:"superseded"`
	// Rejected counts operations that found the queue for the cores full.
	Rejected uint64 `json:"rejected"`
	// Written is how many keys hold something that was written, at the end.
	Written int `json:"written"`
	// MaxInFlight is how many operations were under way at most.
	MaxInFlight int `json:"max_in_flight"`
	// ReadTime and WriteTime are how long operations took in the store.
	ReadTime  *figures.Spread `json:"read_time"`
	WriteTime *figures.Spread `json:"write_time"`
	// Capacity is what the model of the capacity reports, nil without one.
	Capacity *capacity.Result `json:"capacity"`
}

// value is what a key holds.
type value struct {
	version uint64
	body    []byte
	gone    bool // it was deleted
}

// server is the runner. What it counts outlives a crash of the host, and so does what it holds if it is durable.
type server struct {
	config Config
	env    *services.Env
	cores  *capacity.Cores // nil without a model
	times  times

	mu       sync.Mutex // never held while anything is waited for
	held     map[string]value
	result   Result
	inFlight int
	reads    figures.Durations
	writes   figures.Durations
}

// Run implements services.Runner.
func (s *server) Run(ctx context.Context, env *services.Env) error {
	s.env = env
	s.times.start(env)
	s.mu.Lock()
	s.inFlight = 0
	if s.config.Durable != nil && !*s.config.Durable {
		clear(s.held)
	}
	s.mu.Unlock()
	switch {
	case s.config.Capacity.Empty():
	case s.cores == nil:
		s.cores = capacity.New(env, s.config.Capacity, "service_time")
	default:
		s.cores.Start(env)
	}
	listener, err := tcp.Listen(env.Host, string(s.config.Listen))
	if err == nil {
		err = http.Serve(ctx, listener, s, &http.ServerOptions{Host: env.Host, Log: env.Log, Panicked: env.Panicked})
	}
	if s.cores != nil {
		s.cores.Stop()
	}
	if env.Over(ctx) {
		return nil
	}
	return err
}

// Result implements services.Runner.
func (s *server) Result() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.result
	for _, v := range s.held {
		if !v.gone {
			r.Written++
		}
	}
	r.ReadTime, r.WriteTime = s.reads.Spread(), s.writes.Spread()
	if s.cores != nil {
		r.Capacity = s.cores.Result()
	}
	return &r
}

// ServeHTTP implements net/http's Handler.
func (s *server) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	w.Header()["Date"] = []string{s.env.Host.Now().UTC().Format(nethttp.TimeFormat)}
	key := strings.TrimPrefix(r.URL.Path, "/")
	switch {
	case key == "":
		nethttp.Error(w, "want a path, which is the key", nethttp.StatusBadRequest)
	case r.Method == nethttp.MethodGet:
		if at, ok := s.begin(w, r, false); ok {
			s.get(w, key, at)
		}
	case r.Method == nethttp.MethodPut || r.Method == nethttp.MethodDelete:
		s.put(w, r, key)
	default:
		w.Header().Set("Allow", "GET, PUT, DELETE")
		nethttp.Error(w, "want GET, PUT or DELETE", nethttp.StatusMethodNotAllowed)
	}
}

// begin waits for as long as an operation takes. If it returns false the request has been answered, or nobody waits for it.
func (s *server) begin(w nethttp.ResponseWriter, r *nethttp.Request, write bool) (start time.Duration, ok bool) {
	start = s.env.Elapsed()
	s.mu.Lock()
	s.inFlight++
	s.result.MaxInFlight = max(s.result.MaxInFlight, s.inFlight)
	takes := s.times.next(&s.config, write)
	s.mu.Unlock()
	var err error
	if s.cores != nil {
		err = s.cores.Do(r.Context())
	}
	if err == nil && takes > 0 {
		err = s.env.Sleep(r.Context(), s.env.Host.Slowed(takes))
	}
	full := errors.Is(err, capacity.ErrFull)
	s.mu.Lock()
	s.inFlight--
	if full {
		s.result.Rejected++
	}
	s.mu.Unlock()
	if full {
		nethttp.Error(w, "the store is overloaded", nethttp.StatusServiceUnavailable)
	}
	return start, err == nil
}

func (s *server) get(w nethttp.ResponseWriter, key string, start time.Duration) {
	s.mu.Lock()
	v, ok := s.held[key]
	if !ok {
		v, ok = s.untouched(key)
	}
	found := ok && !v.gone
	s.result.Reads++
	s.reads.Add(s.env.Elapsed() - start)
	if !found {
		s.result.NotFound++
	}
	s.mu.Unlock()
	w.Header().Set(VersionField, strconv.FormatUint(v.version, 10))
	if !found {
		nethttp.Error(w, "there is no such key", nethttp.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(v.body)))
	w.Write(v.body)
}

// untouched is what a key holds that nobody has written.
func (s *server) untouched(key string) (v value, ok bool) {
	if n := s.config.Keys; n > 0 {
		name := key[strings.LastIndexByte(key, '/')+1:]
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= n || keys.New(keys.Config{Count: n}).Name(i) != name {
			return value{}, false
		}
	}
	v.body = make([]byte, s.config.Objects)
	content.New(0).Read(v.body)
	return v, true
}

func (s *server) put(w nethttp.ResponseWriter, r *nethttp.Request, key string) {
	body, err := io.ReadAll(nethttp.MaxBytesReader(w, r.Body, int64(maxObject)))
	if err != nil {
		nethttp.Error(w, "the value is too large, or broke off", nethttp.StatusRequestEntityTooLarge)
		return
	}
	version, err := strconv.ParseUint(r.Header.Get(VersionField), 10, 64)
	given := r.Header.Get(VersionField) != ""
	if given && err != nil {
		nethttp.Error(w, VersionField+" is not a number", nethttp.StatusBadRequest)
		return
	}
	start, ok := s.begin(w, r, true)
	if !ok {
		return
	}
	s.mu.Lock()
	before := s.held[key]
	if !given {
		version = before.version + 1
	}
	if version >= before.version {
		s.held[key] = value{version, body, r.Method == nethttp.MethodDelete}
	} else {
		s.result.Superseded++
	}
	s.result.Writes++
	if r.Method == nethttp.MethodDelete {
		s.result.Deletes++
	}
	s.writes.Add(s.env.Elapsed() - start)
	s.mu.Unlock()
	w.WriteHeader(nethttp.StatusNoContent)
}
