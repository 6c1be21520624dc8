package backend

import (
	"errors"
	"time"

	"netlab/services"
	"netlab/units"
)

// The defaults of an [Outlier], which are Envoy's.
const (
	DefaultConsecutive5xx    = 5
	DefaultOutlierInterval   = 10 * time.Second
	DefaultBaseEjection      = 30 * time.Second
	DefaultMaxEjection       = 300 * time.Second
	DefaultMaxEjected        = units.Probability(0.1)
	maxConsecutive           = 1 << 20
	gatewayLow, gatewayHigh  = 502, 504
	serverErrors, noResponse = 500, 0
)

// Outlier ejects backends whose answers are errors, after Envoy's outlier detection. A request that gets no answer (refused, reset,
// timed out) counts as a gateway failure, as Envoy's local-origin failures do when they aren't split off.
//
// The n-th ejection of a backend takes n times BaseEjection, MaxEjection at most; n is lower by one for each Interval that the
// backend was in since it came back, but never below 1.
type Outlier struct {
	Consecutive5xx     *int               `json:"consecutive_5xx,omitempty" jsonschema_description:"Answers with a status of 500 or above in a row, requests without an answer included, after which a backend is ejected. 0: not at all. Default 5."`
	ConsecutiveGateway int                `json:"consecutive_gateway_failure,omitempty" jsonschema_description:"Answers with 502, 503 or 504 in a row, requests without an answer included, after which a backend is ejected. Default 0: not at all."`
	Interval           units.Duration     `json:"interval,omitempty" zero:"refused" jsonschema_description:"After each interval without an ejection the next one is shorter by one base_ejection_time. Default 10s."`
	BaseEjection       units.Duration     `json:"base_ejection_time,omitempty" zero:"refused" jsonschema_description:"How long the first ejection takes; the n-th one takes n times as long. Default 30s."`
	MaxEjection        units.Duration     `json:"max_ejection_time,omitempty" zero:"refused" jsonschema_description:"How long an ejection takes at most. Default 5m, or base_ejection_time if that is longer."`
	MaxEjected         *units.Probability `json:"max_ejection_percent,omitempty" jsonschema_description:"Share of the backends that are ejected at a time at most; one may always be. Default 10%."`
}

// filled returns the settings with the defaults.
func (o Outlier) filled() Outlier {
	if o.Consecutive5xx == nil {
		n := DefaultConsecutive5xx
		o.Consecutive5xx = &n
	}
	if o.MaxEjected == nil {
		p := DefaultMaxEjected
		o.MaxEjected = &p
	}
	fill(&o.Interval, units.Duration(DefaultOutlierInterval))
	fill(&o.BaseEjection, units.Duration(DefaultBaseEjection))
	fill(&o.MaxEjection, max(units.Duration(DefaultMaxEjection), o.BaseEjection))
	return o
}

// validate returns errors about fields below a prefix such as "outlier.".
func (o *Outlier) validate(prefix string) error {
	var list []error
	add := func(field, format string, args ...any) {
		list = append(list, services.Fieldf(prefix+field, format, args...))
	}
	f := o.filled()
	if *f.Consecutive5xx < 0 || *f.Consecutive5xx > maxConsecutive {
		add("consecutive_5xx", "found %d, wanted 0 to %d", *f.Consecutive5xx, maxConsecutive)
	}
	if f.ConsecutiveGateway < 0 || f.ConsecutiveGateway > maxConsecutive {
		add("consecutive_gateway_failure", "found %d, wanted 0 to %d", f.ConsecutiveGateway, maxConsecutive)
	}
	if *f.Consecutive5xx == 0 && f.ConsecutiveGateway == 0 {
		add("consecutive_5xx", "found 0, and there is no consecutive_gateway_failure: nothing would ever be ejected")
	}
	if f.Interval < 0 {
		add("interval", "found %s, wanted more than 0s", o.Interval)
	}
	if f.BaseEjection < 0 {
		add("base_ejection_time", "found %s, wanted more than 0s", o.BaseEjection)
	}
	if f.MaxEjection < f.BaseEjection {
		add("max_ejection_time", "found %s, wanted no less than the base_ejection_time of %s", o.MaxEjection, f.BaseEjection)
	}
	if *f.MaxEjected < 0 || *f.MaxEjected > 1 {
		add("max_ejection_percent", "found %s, wanted 0%% to 100%%", *f.MaxEjected)
	}
	return errors.Join(list...)
}

// outlier is what is known of one backend.
type outlier struct {
	errors, gateway int           // in a row
	since           time.Duration // of the first error in the row
	ejections       int           // the number that the last one had
	returned        time.Duration // when it came back from it
}

// answered counts what came of a request that began at a time, and says why the backend is to be ejected, or "".
func (s *outlier) answered(o *Outlier, began time.Duration, status int) (reason string) {
	if status != noResponse && status < serverErrors {
		s.errors, s.gateway = 0, 0
		return ""
	}
	if s.errors == 0 {
		s.since = began
	}
	s.errors++
	if status == noResponse || status >= gatewayLow && status <= gatewayHigh {
		s.gateway++
	} else {
		s.gateway = 0
	}
	switch {
	case o.ConsecutiveGateway > 0 && s.gateway >= o.ConsecutiveGateway:
		return "consecutive gateway failures"
	case *o.Consecutive5xx > 0 && s.errors >= *o.Consecutive5xx:
		return "consecutive errors"
	}
	return ""
}

// eject begins an ejection and returns how long it takes.
func (s *outlier) eject(o *Outlier, now time.Duration) time.Duration {
	if s.ejections > 0 {
		s.ejections = max(0, s.ejections-int((now-s.returned)/o.Interval.Std()))
	}
	s.ejections++
	s.errors, s.gateway = 0, 0
	if o.BaseEjection > o.MaxEjection/units.Duration(s.ejections) {
		return o.MaxEjection.Std()
	}
	return o.BaseEjection.Std() * time.Duration(s.ejections)
}
