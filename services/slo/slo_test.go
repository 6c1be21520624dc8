package slo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

func at(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }
func u(seconds float64) units.Duration { return units.Duration(at(seconds)) }

func config(objective units.Probability) Config { return Config{Objective: objective} }

// Ten requests a second for 100 s from 5 s on. The service is gone for 3.5 s from 20.5 s on.
func outage(t *Tracker) {
	t.Begin(at(5))
	for i := range 1000 {
		due := at(5) + time.Duration(i)*100*time.Millisecond
		t.Request(due, 10*time.Millisecond, due < at(20.5) || due >= at(24))
	}
}

func TestOutage(t *testing.T) {
	c := config(0.999)
	c.Credits = []Credit{{Below: 0.99, Credit: 0.25}, {Below: 0.999, Credit: 0.1}, {Below: 0.9, Credit: 1}}
	tracker := NewTracker(c)
	outage(tracker)
	r := tracker.Result(at(105))
	require.Equal(t, uint64(35), r.Bad)
	require.Equal(t, units.Probability(0.965), *r.Availability)
	require.Equal(t, 1.455932, *r.Nines)
	// The second from 20 s on is half good: not fewer than half of its requests are, so it is up.
	require.Equal(t, []Outage{{From: u(21), To: u(24), FirstBad: u(21), LastBad: u(23.9), Requests: 30, Bad: 30}}, r.Outages)
	require.Equal(t, u(3), r.Downtime)
	require.Equal(t, u(3), r.LongestOutage)
	require.Equal(t, units.Probability(0.97), *r.Uptime)
	require.Equal(t, u(100), r.Measured)
	require.Equal(t, u(0.03*365*24*3600), r.DowntimeYear)
	require.False(t, r.Met)
	require.Equal(t, 1.0, r.BudgetRequests)
	require.Equal(t, 35.0, *r.BurnRate)
	require.Equal(t, u(30*24*3600/35.0).Std().Round(time.Second), r.BudgetLasts.Std().Round(time.Second))
	require.Equal(t, round(35*100/(30*24*3600.0)), *r.BudgetUsed)
	require.Equal(t, u(2592), r.BudgetDowntime)
	require.Equal(t, units.Probability(0.25), r.Credit, "97 % is below 99 %, and not below 90 %")
}

func TestThresholdAndInterval(t *testing.T) {
	all := units.Probability(1)
	c := config(0.9)
	c.Threshold, c.Interval, c.Period = &all, u(0.5), u(1000)
	tracker := NewTracker(c)
	outage(tracker)
	r := tracker.Result(at(105))
	require.Equal(t, u(3.5), r.Downtime)
	require.Equal(t, u(20.5), r.Outages[0].From)
	require.True(t, r.Met)
	require.Equal(t, 0.35, *r.BurnRate)
	require.Equal(t, u(100), r.BudgetDowntime)
	require.Equal(t, 0.035, *r.BudgetUsed)
}

// An interval in which nobody asked is what the one before was, and slow requests are bad ones.
func TestSilenceAndSlowness(t *testing.T) {
	c := config(0.99)
	c.Latency = u(0.1)
	tracker := NewTracker(c)
	tracker.Begin(0)
	tracker.Request(at(2), at(0.1), true)
	tracker.Request(at(3), at(0.2), true)
	tracker.Request(at(6), at(0.1), true)
	tracker.Request(at(8.5), at(0.1), false)
	r := tracker.Result(at(9.7))
	require.Equal(t, uint64(1), r.Slow)
	require.Equal(t, uint64(2), r.Bad)
	require.Equal(t, []Outage{
		{From: u(3), To: u(6), FirstBad: u(3), LastBad: u(3), Requests: 1, Bad: 1},
		{From: u(8), To: u(9.7), FirstBad: u(8.5), LastBad: u(8.5), Requests: 1, Bad: 1},
	}, r.Outages)
	require.Equal(t, u(4.7), r.Downtime)
}

func TestNothingAsked(t *testing.T) {
	r := NewTracker(config(0.99)).Result(at(10))
	require.Nil(t, r.Availability)
	require.Nil(t, r.Uptime)
	require.True(t, r.Met)

	tracker := NewTracker(config(0.99))
	tracker.Begin(0)
	tracker.Request(0, 0, true)
	r = tracker.Result(at(10))
	require.Nil(t, r.Nines, "all nines that there are")
	require.Equal(t, units.Probability(1), *r.Uptime)
	require.Nil(t, r.BudgetLasts)
	require.Zero(t, *r.BudgetUsed)
}

func TestValidate(t *testing.T) {
	c := config(0.999)
	require.NoError(t, c.Validate())
	zero := units.Probability(0)
	for field, bad := range map[string]Config{
		"slo.objective": {}, "slo.latency": {Objective: 0.9, Latency: -1}, "slo.interval": {Objective: 0.9, Interval: 1},
		"slo.threshold": {Objective: 0.9, Threshold: &zero}, "slo.period": {Objective: 0.9, Period: -1},
		"slo.credits": {Objective: 0.9, Credits: []Credit{{0.9, 0.1}, {0.9, 0.2}}},
	} {
		require.ErrorContains(t, bad.Validate(), field+": ")
	}
	one := config(1)
	require.ErrorContains(t, one.Validate(), "nothing is always available")
}
