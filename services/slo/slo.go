// Package slo says how good a service was to those who asked it: how available, for how long not, and whether that keeps what was
// promised.
//
// A service level indicator is a share of good events among all (Beyer et al., "Site Reliability Engineering", 2016, chapter 4;
// "The Site Reliability Workbook", 2018, chapter 2). Here an event is a request of a workload. It is bad if it failed or, where
// [Config.Latency] is given, took longer than that. The availability is the share of good requests. The objective (SLO) is how high
// it is to be, and the error budget is what may go wrong without missing it: 1 - objective of all requests. A burn rate of 1 uses the
// budget up exactly at the end of the period, one of 10 ten times as fast. An agreement (SLA) says what customers get back when a
// promise was not kept: a credit, by steps.
//
// Requests alone don't tell how long a service was gone: nobody may have asked. So time is cut into intervals from the start of the
// workload on. An interval in which fewer than [Config.Threshold] of the requests that began in it were good is down, one without
// requests is what the one before it was, and the first is up unless its requests say otherwise. Intervals that are down one after the
// other are an outage. The uptime is the share of the time that was up, the way providers of clouds write their agreements.
//
// Requests count for when they were due, as in package netlab/services/load: those that were due during a warm-up, and those that
// the end of the run cut off, don't count.
package slo

import (
	"errors"
	"math"
	"slices"

	"netlab/services"
	"netlab/units"
)

const (
	// DefaultInterval is how long the intervals are that are up or down.
	DefaultInterval = units.Duration(1e9)
	// DefaultThreshold is the share of good requests below which an interval is down.
	DefaultThreshold units.Probability = 0.5
	// DefaultPeriod is what an error budget is for.
	DefaultPeriod = 30 * day
	day           = units.Duration(24 * 3600 * 1e9)
	year          = 365 * day
	minInterval   = units.Duration(1e6)
	maxPeriod     = 100 * year
)

// Config is what was promised to the users of a workload.
type Config struct {
	Objective units.Probability  `json:"objective" jsonschema_description:"Service level objective: the share of requests that are to be good, such as 99.9%. More than 0% and less than 100%." jsonschema:"required"`
	Latency   units.Duration     `json:"latency,omitempty" jsonschema_description:"A request that succeeds but takes longer than this is not good. Default: any time will do."`
	Interval  units.Duration     `json:"interval,omitempty" jsonschema_description:"Length of the intervals that are up or down. From 1ms. Default 1s."`
	Threshold *units.Probability `json:"threshold,omitempty" jsonschema_description:"An interval is down if fewer of its requests than this are good. Default 50%."`
	Period    units.Duration     `json:"period,omitempty" jsonschema_description:"Time that the objective is for; the error budget of the run is scaled to it. Default 720h, thirty days."`
	Credits   []Credit           `json:"credits,omitempty" jsonschema_description:"Service level agreement: what is paid back, by steps of the uptime."`
}

// Credit is a step of an agreement.
type Credit struct {
	Below  units.Probability `json:"below" jsonschema_description:"The step holds if the uptime is below this." jsonschema:"required"`
	Credit units.Probability `json:"credit" jsonschema_description:"Share of the bill that is paid back." jsonschema:"required"`
}

// Validate returns errors about the fields.
func (c *Config) Validate() error {
	var list []error
	add := func(field, format string, args ...any) {
		list = append(list, services.Fieldf("slo."+field, format, args...))
	}
	if c.Objective <= 0 || c.Objective >= 1 {
		add("objective", "found %s, wanted more than 0%% and less than 100%%, such as 99.9%%: nothing is always available", c.Objective)
	}
	if c.Latency < 0 {
		add("latency", "found %s, wanted 0s or more", c.Latency)
	}
	if c.Interval != 0 && c.Interval < minInterval {
		add("interval", "found %s, wanted %s or more", c.Interval, minInterval)
	}
	if c.Threshold != nil && (*c.Threshold <= 0 || *c.Threshold > 1) {
		add("threshold", "found %s, wanted more than 0%% and at most 100%%", *c.Threshold)
	}
	if c.Period < 0 || c.Period > maxPeriod {
		add("period", "found %s, wanted more than 0s and at most %s", c.Period, maxPeriod)
	}
	for i, k := range c.Credits {
		if k.Below <= 0 || k.Below > 1 {
			add("credits", "step %d: below is %s, wanted more than 0%% and at most 100%%", i+1, k.Below)
		}
		if k.Credit <= 0 || k.Credit > 1 {
			add("credits", "step %d: credit is %s, wanted more than 0%% and at most 100%%", i+1, k.Credit)
		}
		for _, before := range c.Credits[:i] {
			if before.Below == k.Below {
				add("credits", "step %d: there is another one below %s", i+1, k.Below)
			}
		}
	}
	return errors.Join(list...)
}

func (c *Config) interval() units.Duration {
	if c.Interval == 0 {
		return DefaultInterval
	}
	return c.Interval
}

func (c *Config) threshold() units.Probability {
	if c.Threshold == nil {
		return DefaultThreshold
	}
	return *c.Threshold
}

func (c *Config) period() units.Duration {
	if c.Period == 0 {
		return DefaultPeriod
	}
	return c.Period
}

// credit is what is paid back for an uptime: the step with the lowest bound that it is below.
func (c *Config) credit(uptime units.Probability) units.Probability {
	steps := slices.Clone(c.Credits)
	slices.SortFunc(steps, func(a, b Credit) int {
		if a.Below < b.Below {
			return -1
		}
		return 1 // bounds differ
	})
	for _, s := range steps {
		if uptime < s.Below {
			return s.Credit
		}
	}
	return 0
}

// nines is how many nines an availability begins with, and what follows: 99.9 % is 3, 99.95 % is 3.3. It is nil for 100 %.
func nines(availability float64) *float64 {
	if availability >= 1 {
		return nil
	}
	n := math.Round(-math.Log10(1-availability)*1e6) / 1e6
	if n == 0 {
		n = 0 // no minus zero
	}
	return &n
}
