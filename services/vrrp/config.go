package vrrp

import (
	"errors"
	"time"

	"netlab/services"
	"netlab/services/target"
	"netlab/units"
)

// owner is the priority of the one to whom the address belongs.
const owner = 255

// Config configures the service.
type Config struct {
	Address      string         `json:"address" jsonschema_description:"The address that moves: a name in \"addresses\", in a segment that the host is on." jsonschema:"required"`
	VRID         int            `json:"vrid" jsonschema_description:"Virtual router identifier, 1 to 255: the same on all hosts of the group, another one for each other group of the segment." jsonschema:"minimum=1,maximum=255,default=1"`
	Priority     int            `json:"priority" jsonschema_description:"1 to 254; the highest is active. 255 is for the owner of the address, who is active at once." jsonschema:"minimum=1,maximum=255,default=100"`
	Interval     units.Duration `json:"advertisement_interval" jsonschema_description:"Time between advertisements of the active host: whole centiseconds up to 40.95s." jsonschema:"default=1s"`
	Preempt      bool           `json:"preempt" jsonschema_description:"Whether the host takes the address from one with a lower priority." jsonschema:"default=true"`
	PreemptDelay units.Duration `json:"preempt_delay,omitempty" jsonschema_description:"How long after its start, or after its priority rose, the host leaves the address to one with a lower priority. Default 0s."`
	Track        *Track         `json:"track,omitempty" jsonschema_description:"A check on which the priority depends. Default: none."`
}

// Track lowers the priority while something doesn't work: the balancer itself, or the way to what is behind it.
type Track struct {
	To        services.Target `json:"to" jsonschema_description:"What must accept a TCP connection: a port of the host itself, such as \"lb1:80\", or of another one." jsonschema:"required"`
	Interval  units.Duration  `json:"interval,omitempty" zero:"refused" jsonschema_description:"Time between checks." jsonschema:"default=1s"`
	Timeout   units.Duration  `json:"timeout,omitempty" zero:"refused" jsonschema_description:"When a check has failed; at most the interval." jsonschema:"default=1s"`
	Fall      int             `json:"fall,omitempty" zero:"refused" jsonschema_description:"How many checks in a row must fail to lower the priority." jsonschema:"minimum=1,default=3"`
	Rise      int             `json:"rise,omitempty" zero:"refused" jsonschema_description:"How many checks in a row must succeed to raise it again." jsonschema:"minimum=1,default=2"`
	Decrement int             `json:"decrement,omitempty" zero:"refused" jsonschema_description:"By how much it is lowered: less than the priority." jsonschema:"minimum=1,maximum=253,default=50"`
}

// NewConfig returns the defaults.
func NewConfig() *Config {
	return &Config{VRID: 1, Priority: 100, Interval: units.Duration(time.Second), Preempt: true}
}

// filled returns the check with its defaults.
func (t Track) filled() Track {
	second := units.Duration(time.Second)
	for _, d := range []*units.Duration{&t.Interval, &t.Timeout} {
		if *d == 0 {
			*d = second
		}
	}
	for _, f := range []struct {
		value  *int
		preset int
	}{{&t.Fall, 3}, {&t.Rise, 2}, {&t.Decrement, 50}} {
		if *f.value == 0 {
			*f.value = f.preset
		}
	}
	return t
}

// Endless implements services.Config.
func (c *Config) Endless() bool { return true }

// HeldAddresses implements services.AddressHolder.
func (c *Config) HeldAddresses() (field string, names []string) {
	return "address", []string{c.Address}
}

// Validate implements services.Config.
func (c *Config) Validate() error {
	var list []error
	bad := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.VRID < 1 || c.VRID > 255 {
		bad("vrid", "found %d, wanted 1 to 255", c.VRID)
	}
	if c.Priority < 1 || c.Priority > owner {
		bad("priority", "found %d, wanted 1 to 254, or 255 for the owner of the address", c.Priority)
	}
	if d := c.Interval.Std(); d < centi || d > 4095*centi || d%centi != 0 {
		bad("advertisement_interval", "found %s, wanted 10ms to 40.95s in steps of 10ms", c.Interval)
	}
	if c.PreemptDelay < 0 {
		bad("preempt_delay", "found %s, wanted 0s or more", c.PreemptDelay)
	}
	if c.PreemptDelay > 0 && !c.Preempt {
		bad("preempt_delay", "goes with \"preempt\": true: without it the address is never taken from another host")
	}
	if c.Track != nil {
		list = append(list, c.Track.validate(c.Priority))
	}
	return errors.Join(list...)
}

func (t *Track) validate(priority int) error {
	list := []error{target.CheckPort("track.to", t.To)}
	bad := func(field, format string, args ...any) {
		list = append(list, services.Fieldf("track."+field, format, args...))
	}
	if _, port, err := target.Split(t.To); err == nil && port == 0 && t.To != "" {
		bad("to", "%q has no port: want one such as %q", t.To, string(t.To)+":80")
	}
	full := t.filled()
	if full.Interval < 0 {
		bad("interval", "found %s, wanted more than 0s", full.Interval)
	}
	if full.Timeout < 0 || full.Timeout > full.Interval {
		bad("timeout", "found %s, wanted more than 0s, and at most the interval of %s", full.Timeout, full.Interval)
	}
	if full.Fall < 1 {
		bad("fall", "found %d, wanted 1 or more", full.Fall)
	}
	if full.Rise < 1 {
		bad("rise", "found %d, wanted 1 or more", full.Rise)
	}
	if full.Decrement < 1 || full.Decrement >= priority {
		bad("decrement", "found %d, wanted 1 to %d: less than the priority", full.Decrement, priority-1)
	}
	if priority == owner {
		bad("decrement", "the owner of the address has a fixed priority of 255 (RFC 9568, section 5.2.4): take 254 or less")
	}
	return errors.Join(list...)
}
