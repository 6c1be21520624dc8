package backend

import (
	"errors"
	"fmt"
	"net/netip"

	"netlab/services"
	"netlab/services/balance"
	"netlab/units"
)

const (
	maxCount  = 1 << 30
	maxWeight = 1_000_000
)

// Balancing is the configuration of the algorithm, under a name of its own.
type Balancing = balance.Config

// Config says which backends there are and how they are used. Configurations embed it. [NewConfig] has the defaults; its fields
// are checked by Validate and expanded by [Config.ExpandTargets].
type Config struct {
	Backends Backends `json:"backends" jsonschema_description:"Where requests go: nodes and ports, one or a list." jsonschema:"required"`
	Balancing
	Health         *Health           `json:"health,omitempty" jsonschema_description:"Active health checks. Default: none, backends are taken to be healthy."`
	Outlier        *Outlier          `json:"outlier,omitempty" jsonschema_description:"Passive health checks: a backend whose answers are errors is ejected for a while. {} has the defaults. Default: none is."`
	Breaker        *Breaker          `json:"breaker,omitempty" jsonschema_description:"A circuit breaker for each backend. {} has the defaults. Default: none."`
	SlowStart      *SlowStart        `json:"slow_start,omitempty" jsonschema_description:"A backend that comes back gets its full weight little by little. Needs an algorithm that looks at weights. Default: at once."`
	PanicThreshold units.Probability `json:"panic_threshold,omitempty" jsonschema_description:"If the share of backends that are neither down nor ejected falls below this, all are used: too few would be overwhelmed, and the checks may be wrong. Draining backends don't count. Default 0%: never."`
	MaxConnections int               `json:"max_connections_per_backend,omitempty" zero:"refused" jsonschema_description:"How many requests (or connections, below HTTP) a backend has under way at most. Default: no limit."`
	Queue          *Queue            `json:"queue,omitempty" jsonschema_description:"Where requests wait when all backends have their maximum of connections. Default: they are refused at once."`
	Drain          []Drain           `json:"drain,omitempty" jsonschema_description:"Backends that get no new requests for some time."`
}

// Queue is where requests wait for a backend, first come, first served.
type Queue struct {
	Length  int            `json:"length" jsonschema_description:"How many may wait; one more is refused at once." jsonschema:"required"`
	Timeout units.Duration `json:"timeout,omitempty" zero:"refused" jsonschema_description:"How long one waits before it is refused. Default: as long as the client does."`
}

// SlowStart raises the weight of a backend that comes back, in steps of a hundredth of the window: its weight is multiplied by the
// larger of Minimum and the part of the window that is over.
type SlowStart struct {
	Window  units.Duration     `json:"window" jsonschema_description:"How long it takes until a backend has its full weight." jsonschema:"required"`
	Minimum *units.Probability `json:"minimum,omitempty" jsonschema_description:"Share of its weight that a backend has at least. More than 0%. Default 10%."`
}

// Drain takes a backend out without harm to what it is doing.
type Drain struct {
	Backend string          `json:"backend" jsonschema_description:"Name of the backend's node, or its address." jsonschema:"required"`
	At      units.Duration  `json:"at,omitempty" jsonschema_description:"When it begins, since the start of the run. Default 0s."`
	Until   *units.Duration `json:"until,omitempty" jsonschema_description:"When the backend is used again. Default: never."`
	Timeout *units.Duration `json:"timeout,omitempty" jsonschema_description:"How long what is under way may take; then it is cut off. Default: as long as it likes."`
}

// The defaults of a [SlowStart].
const DefaultMinimum units.Probability = 0.1

// NewConfig returns the defaults.
func NewConfig() Config { return Config{Balancing: Balancing{Algorithm: balance.RoundRobin}} }

// Validate returns errors about the fields.
func (c *Config) Validate() error {
	list := []error{c.Backends.validate("backends"), c.Balancing.Validate(), c.validateLimits(), c.validateDrains()}
	if c.Health != nil {
		list = append(list, c.Health.validate("health."))
	}
	if c.Outlier != nil {
		list = append(list, c.Outlier.validate("outlier."))
	}
	if c.Breaker != nil {
		list = append(list, c.Breaker.validate("breaker."))
	}
	if err := errors.Join(list...); err != nil {
		return err
	}
	return errors.Join(c.validateWeights(), c.ValidateBackends(len(c.Backends)))
}

func (c *Config) validateLimits() error {
	var list []error
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.PanicThreshold < 0 || c.PanicThreshold > 1 {
		add("panic_threshold", "found %s, wanted 0%% to 100%%", c.PanicThreshold)
	}
	if c.MaxConnections < 0 || c.MaxConnections > maxCount {
		add("max_connections_per_backend", "found %d, wanted 1 to %d", c.MaxConnections, maxCount)
	}
	if q := c.Queue; q != nil {
		if q.Length < 1 || q.Length > maxCount {
			add("queue.length", "found %d, wanted 1 to %d", q.Length, maxCount)
		}
		if q.Timeout < 0 {
			add("queue.timeout", "found %s, wanted more than 0s", q.Timeout)
		}
		limited := c.MaxConnections > 0
		for _, s := range c.Backends {
			limited = limited || s.MaxConnections > 0
		}
		if !limited {
			add("queue", "nothing ever waits: no backend has a max_connections, and there is no max_connections_per_backend")
		}
	}
	if s := c.SlowStart; s != nil {
		if s.Window <= 0 {
			add("slow_start.window", "found %s, wanted more than 0s", s.Window)
		}
		if s.Minimum != nil && (*s.Minimum <= 0 || *s.Minimum > 1) {
			add("slow_start.minimum", "found %s, wanted more than 0%%, up to 100%%", *s.Minimum)
		}
	}
	return errors.Join(list...)
}

// validateWeights reports weights that the algorithm doesn't look at.
func (c *Config) validateWeights() error {
	if c.Weighted() {
		return nil
	}
	for i, s := range c.Backends {
		if s.Weight != nil {
			return services.Fieldf(fmt.Sprintf("backends[%d].weight", i), "%s doesn't look at weights; weighted-round-robin does", c.Name())
		}
	}
	if c.SlowStart != nil {
		return services.Fieldf("slow_start", "it changes weights, and %s doesn't look at them; weighted-round-robin does", c.Name())
	}
	return nil
}

func (c *Config) validateDrains() error {
	var list []error
	for i, d := range c.Drain {
		at := fmt.Sprintf("drain[%d].", i)
		if !c.Backends.knows(d.Backend) {
			list = append(list, services.Fieldf(at+"backend", "%q is none of the backends%s", d.Backend, c.Backends.suggest(d.Backend)))
		}
		if d.At < 0 {
			list = append(list, services.Fieldf(at+"at", "found %s, wanted 0s or more", d.At))
		}
		if d.Until != nil && *d.Until <= d.At {
			list = append(list, services.Fieldf(at+"until", "found %s, wanted more than the %s when it begins", *d.Until, d.At))
		}
		if d.Timeout != nil && *d.Timeout < 0 {
			list = append(list, services.Fieldf(at+"timeout", "found %s, wanted 0s or more", *d.Timeout))
		}
	}
	return errors.Join(list...)
}

// ValidateLocations implements services.Placed: geographic has to know where backends are. Of those that are addresses it is known
// when the run starts: [New] returns an error then.
func (c *Config) ValidateLocations(locations map[string]services.Location) error {
	if c.Name() != balance.Geographic {
		return nil
	}
	for i, s := range c.Backends {
		_, known := locations[s.To.Host()]
		if _, err := netip.ParseAddr(s.To.Host()); err != nil && !known && !s.To.IsPattern() {
			return services.Fieldf(fmt.Sprintf("backends[%d]", i), "%s has no location, and geographic chooses by it: give the node one, such as "+
				"\"location\": \"eu-west\" or \"location\": \"52.5,13.4\" (latitude and longitude)", s.To.Host())
		}
	}
	return nil
}

// ExpandTargets returns a copy with the nodes that patterns of backends stand for. Who embeds a Config calls it in its Expand
// ([services.Expander]).
func (c Config) ExpandTargets(names func(services.Nodes) services.Nodes) Config {
	c.Backends = c.Backends.expand(names)
	return c
}

// Calls returns the ports of the backends, for [services.Caller]. port is that of backends that have none.
func (c *Config) Calls(protocol services.Protocol, port uint16) []services.Call {
	var calls []services.Call
	for i, s := range c.Backends {
		field := fmt.Sprintf("backends[%d]", i)
		calls = append(calls, services.Call{Field: field, Host: s.To.Host(), Protocol: protocol, Port: s.port(port)})
		if h := c.Health; h != nil && h.Port != 0 {
			calls = append(calls, services.Call{Field: "health.port", Host: s.To.Host(), Protocol: services.TCP, Port: h.Port})
		}
	}
	return calls
}
