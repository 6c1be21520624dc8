package load

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"netlab/services"
	"netlab/units"
)

// The ways in which the requests of an open loop arrive.
const (
	Poisson  = "poisson"
	Constant = "constant"
)

// defaultMaxInFlight is how many requests of a host are under way at most in an open loop that doesn't say.
const defaultMaxInFlight = 10_000

const (
	maxUsers = 1 << 20
	maxSteps = 10_000
)

// Config says when requests are made. Exactly one of Users, Rate, TotalRate and Schedule is given. Workloads embed it.
type Config struct {
	Users     int                `json:"users,omitempty" jsonschema_description:"Closed loop: users on each host, each of whom makes a request, waits for the answer, thinks and makes the next one."`
	ThinkTime units.Distribution `json:"think_time,omitzero" jsonschema_description:"How long a user thinks from an answer to the next request. Default 0s."`
	RampUp    units.Duration     `json:"ramp_up,omitempty" jsonschema_description:"Time over which the users of a host start, evenly. Default 0s: all start at once."`

	Rate        units.Rate `json:"rate,omitempty" jsonschema_description:"Open loop: requests of each host in a time, whether or not earlier ones have been answered."`
	TotalRate   units.Rate `json:"total_rate,omitempty" jsonschema_description:"Open loop: requests of all hosts together in a time."`
	Schedule    []Step     `json:"schedule,omitempty" jsonschema_description:"Open loop whose rate changes: steps and ramps of the rate of each host, one after the other. The workload ends with the last."`
	Arrivals    string     `json:"arrivals,omitempty" jsonschema_description:"How the requests of an open loop arrive: at random and independently of each other, or evenly. Default poisson." jsonschema:"enum=poisson,enum=constant"`
	MaxInFlight int        `json:"max_in_flight,omitempty" jsonschema_description:"How many requests of a host are under way at most in an open loop; those beyond it wait, and their latency counts from when they were due. Default 10000."`

	Duration units.Duration `json:"duration,omitempty" jsonschema_description:"How long requests are begun; those under way are still waited for. Default: until the end of the run."`
	Requests int            `json:"requests,omitempty" jsonschema_description:"How many requests each host makes at most. Default: no limit."`
	WarmUp   units.Duration `json:"warm_up,omitempty" jsonschema_description:"Requests that are due before so much time has passed are made, but not counted."`
}

// Step is a part of a schedule: a steady rate, or a ramp from one rate to another.
type Step struct {
	For  units.Duration `json:"for" jsonschema_description:"How long it lasts." jsonschema:"required"`
	Rate units.Rate     `json:"rate,omitempty" jsonschema_description:"Rate of each host, at the start if it is a ramp. Default: where a ramp is given, the rate at the end of the step before; otherwise no requests."`
	To   units.Rate     `json:"to,omitempty" jsonschema_description:"Makes the step a ramp: the rate at its end, which is approached evenly."`
}

// Endless says whether requests are made until the run ends.
func (c *Config) Endless() bool { return c.Duration == 0 && c.Requests == 0 && len(c.Schedule) == 0 }

// open says whether requests don't wait for answers.
func (c *Config) open() bool { return c.Users == 0 }

// horizon is for how long requests are begun, 0 if there is no limit.
func (c *Config) horizon() time.Duration {
	total := c.Duration.Std()
	for _, s := range c.Schedule {
		total += s.For.Std()
	}
	return total
}

func (c *Config) maxInFlight() int {
	if c.MaxInFlight == 0 {
		return defaultMaxInFlight
	}
	return c.MaxInFlight
}

// Validate returns errors about the fields.
func (c *Config) Validate() error {
	list := []error{c.validateModel(), c.validateSchedule()}
	add := func(field, format string, args ...any) {
		list = append(list, services.Fieldf(field, format, args...))
	}
	if c.Users < 0 || c.Users > maxUsers {
		add("users", "found %d, wanted 1 to %d", c.Users, maxUsers)
	}
	if c.MaxInFlight < 0 || c.MaxInFlight > maxUsers {
		add("max_in_flight", "found %d, wanted 1 to %d", c.MaxInFlight, maxUsers)
	}
	for _, f := range []struct {
		name string
		rate units.Rate
	}{{"rate", c.Rate}, {"total_rate", c.TotalRate}} {
		if f.rate < 0 {
			add(f.name, "found %s, wanted more than 0/s", f.rate)
		}
	}
	switch c.Arrivals {
	case "", Poisson, Constant:
	default:
		add("arrivals", "%q is not one of %s, %s", c.Arrivals, Poisson, Constant)
	}
	for _, f := range []struct {
		name string
		d    units.Duration
	}{{"ramp_up", c.RampUp}, {"duration", c.Duration}, {"warm_up", c.WarmUp}} {
		if f.d < 0 {
			add(f.name, "found %s, wanted 0s or more", f.d)
		}
	}
	if c.Requests < 0 {
		add("requests", "found %d, wanted 0 or more", c.Requests)
	}
	if h := units.Duration(c.horizon()); h > 0 && c.WarmUp >= h {
		add("warm_up", "found %s, wanted less than %s, after which no request is begun", c.WarmUp, h)
	}
	if c.Users > 0 && c.Duration > 0 && c.RampUp > c.Duration {
		add("ramp_up", "found %s, wanted no more than the duration of %s: some users would never start", c.RampUp, c.Duration)
	}
	return errors.Join(list...)
}

// validateModel checks that there is one model, and only what belongs to it.
func (c *Config) validateModel() error {
	var models []string
	for _, m := range []struct {
		name  string
		given bool
	}{{"users", c.Users != 0}, {"rate", c.Rate != 0}, {"total_rate", c.TotalRate != 0}, {"schedule", len(c.Schedule) > 0}} {
		if m.given {
			models = append(models, m.name)
		}
	}
	const want = "wanted one of users (closed loop), rate, total_rate and schedule (open loop)"
	switch len(models) {
	case 0:
		return services.Fieldf("users", "missing: %s", want)
	case 1:
	default:
		return services.Fieldf(models[1], "found %s, %s", strings.Join(models, " and "), want)
	}
	var list []error
	for _, f := range []struct {
		name, belongs string
		wrong         bool
	}{
		{"think_time", "users", c.open() && !c.ThinkTime.IsZero()},
		{"ramp_up", "users", c.open() && c.RampUp != 0},
		{"arrivals", "a rate or a schedule", !c.open() && c.Arrivals != ""},
		{"max_in_flight", "a rate or a schedule", !c.open() && c.MaxInFlight != 0},
	} {
		if f.wrong {
			list = append(list, services.Fieldf(f.name, "means nothing with %s: it belongs to %s", models[0], f.belongs))
		}
	}
	if len(c.Schedule) > 0 && c.Duration != 0 {
		list = append(list, services.Fieldf("duration", "means nothing with a schedule, whose steps say how long they last"))
	}
	return errors.Join(list...)
}

func (c *Config) validateSchedule() error {
	if len(c.Schedule) > maxSteps {
		return services.Fieldf("schedule", "found %d steps, wanted %d at most", len(c.Schedule), maxSteps)
	}
	var list []error
	some, total := false, units.Duration(0)
	for i, s := range c.Schedule {
		some = some || s.Rate > 0 || s.To > 0
		switch {
		case s.For <= 0:
			list = append(list, services.Fieldf("schedule", "step %d: for is %s, wanted more than 0s", i+1, s.For))
		case total+s.For < total:
			list = append(list, services.Fieldf("schedule", "step %d: the steps are longer than the longest duration together", i+1))
		case s.Rate < 0 || s.To < 0:
			list = append(list, services.Fieldf("schedule", "step %d: found %s to %s, wanted no negative rates", i+1, s.Rate, s.To))
		}
		total += s.For
	}
	if len(c.Schedule) > 0 && !some {
		list = append(list, services.Fieldf("schedule", "no step has a rate: want one such as %s", fmt.Sprintf("{%q: %q, %q: %q}", "for", "10s", "rate", "50/s")))
	}
	return errors.Join(list...)
}
