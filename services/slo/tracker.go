package slo

import (
	"sync"
	"time"

	"netlab/services/figures"
	"netlab/units"
)

// Tracker counts the requests of a workload, over all hosts that it runs on. Several goroutines may use it. It keeps 16 bytes for each
// interval of the run.
type Tracker struct {
	config Config

	mu        sync.Mutex
	begun     bool
	start     time.Duration
	good, bad uint64
	slow      uint64
	intervals []interval
	firstBad  map[int]time.Duration // of intervals with bad requests: when the first of them was due
	lastBad   map[int]time.Duration
}

// interval counts the requests that were due in it.
type interval struct{ good, bad uint64 }

// NewTracker returns a tracker for a valid configuration.
func NewTracker(config Config) *Tracker {
	return &Tracker{config: config, firstBad: map[int]time.Duration{}, lastBad: map[int]time.Duration{}}
}

// Begin notes when the first host starts, a time since the start of the run: intervals count from there.
func (t *Tracker) Begin(at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.begun {
		t.begun, t.start = true, at
	}
}

// Request counts a request that is over. due is when it was due, since the start of the run, took how long it took from then on, and
// ok whether it succeeded.
func (t *Tracker) Request(due, took time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := int(max(0, due-t.start) / t.config.interval().Std())
	for len(t.intervals) <= i {
		t.intervals = append(t.intervals, interval{})
	}
	if ok && t.config.Latency > 0 && took > t.config.Latency.Std() {
		ok = false
		t.slow++
	}
	if ok {
		t.good++
		t.intervals[i].good++
		return
	}
	t.bad++
	t.intervals[i].bad++
	if first, known := t.firstBad[i]; !known || due < first {
		t.firstBad[i] = due
	}
	t.lastBad[i] = max(t.lastBad[i], due)
}

// Result is the service level of a workload.
type Result struct {
	// Objective is what was promised, and Met whether it was kept.
	Objective units.Probability `json:"objective"`
	Met       bool              `json:"met"`
	// Requests are Good or Bad. Slow counts those of the bad ones that succeeded, but too late.
	Requests uint64 `json:"requests"`
	Good     uint64 `json:"good"`
	Bad      uint64 `json:"bad"`
	Slow     uint64 `json:"slow"`
	// Availability is the share of good requests, nil if there were none. Nines is -log10(1 - Availability), nil if none was bad.
	Availability *units.Probability `json:"availability"`
	Nines        *float64           `json:"nines"`
	// Uptime is the share of the time that was up, of Measured: from the start of the workload to its end. UptimeNines are its nines.
	Uptime      *units.Probability `json:"uptime"`
	UptimeNines *float64           `json:"uptime_nines"`
	Measured    units.Duration     `json:"measured_ns"`
	// Downtime is the time that was down, in OutageCount outages, and LongestOutage the longest of them.
	Downtime      units.Duration `json:"downtime_ns"`
	OutageCount   uint64         `json:"outage_count"`
	LongestOutage units.Duration `json:"longest_outage_ns"`
	// DowntimeYear is how long a service of this uptime is down in a year of 365 days.
	DowntimeYear units.Duration `json:"downtime_year_ns"`
	// BudgetRequests is how many requests could have been bad without missing the objective. BurnRate is how many times as many
	// were, and BudgetLasts how long the budget of a whole period lasts at that rate; nil if none was bad.
	BudgetRequests float64         `json:"budget_requests"`
	BurnRate       *float64        `json:"burn_rate"`
	BudgetLasts    *units.Duration `json:"budget_lasts_ns"`
	// BudgetUsed is the part of a whole period's budget that was used while the workload ran, 1 for all of it, if requests are
	// as frequent during the rest of the period.
	BudgetUsed *float64 `json:"budget_used"`
	// BudgetDowntime is how long a service may be down in a period that keeps the objective.
	BudgetDowntime units.Duration `json:"budget_downtime_ns"`
	// Credit is what the agreement pays back for the uptime.
	Credit units.Probability `json:"credit"`
	// Outages are the first thousand outages.
	Outages []Outage `json:"outages"`
}

// Outage is a time that was down. Times are since the start of the run.
type Outage struct {
	From units.Duration `json:"from_ns"`
	To   units.Duration `json:"to_ns"`
	// FirstBad and LastBad are when the first and the last bad requests of it were due.
	FirstBad units.Duration `json:"first_bad_ns"`
	LastBad  units.Duration `json:"last_bad_ns"`
	// Bad of Requests that were due in it.
	Requests uint64 `json:"requests"`
	Bad      uint64 `json:"bad"`
}

// maxOutages is how many outages a result lists.
const maxOutages = 1000

// Result returns the service level of a workload that ran until a time since the start of the run.
func (t *Tracker) Result(ended time.Duration) *Result {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &Result{
		Objective: t.config.Objective, Requests: t.good + t.bad, Good: t.good, Bad: t.bad, Slow: t.slow, Outages: []Outage{},
		Availability: figures.Share(t.good, t.good+t.bad), BudgetDowntime: part(t.config.period(), 1-float64(t.config.Objective)),
	}
	r.Met = r.Availability == nil || *r.Availability >= r.Objective
	allowed := 1 - float64(r.Objective)
	r.BudgetRequests = round(allowed * float64(r.Requests))
	if r.Requests > 0 {
		share := float64(t.bad) / float64(r.Requests)
		r.Nines = nines(float64(t.good) / float64(r.Requests))
		burn := round(share / allowed)
		r.BurnRate = &burn
		if share > 0 {
			lasts := part(t.config.period(), allowed/share)
			r.BudgetLasts = &lasts
		}
	}
	if !t.begun {
		return r
	}
	r.Measured = units.Duration(ended - t.start)
	t.outages(r, ended)
	if r.BurnRate != nil {
		used := round(*r.BurnRate * float64(r.Measured) / float64(t.config.period()))
		r.BudgetUsed = &used
	}
	if r.Measured > 0 {
		up := float64(r.Measured-r.Downtime) / float64(r.Measured)
		uptime := units.Probability(up)
		r.Uptime, r.UptimeNines = &uptime, nines(up)
		r.DowntimeYear = part(year, float64(r.Downtime)/float64(r.Measured))
		r.Credit = t.config.credit(uptime)
	}
	return r
}

// outages finds the intervals that were down.
func (t *Tracker) outages(r *Result, ended time.Duration) {
	width := t.config.interval().Std()
	var open *Outage
	end := func() {
		if open == nil {
			return
		}
		took := open.To - open.From
		r.Downtime += took
		r.OutageCount++
		r.LongestOutage = max(r.LongestOutage, took)
		if len(r.Outages) < maxOutages {
			r.Outages = append(r.Outages, *open)
		}
		open = nil
	}
	count := int((ended - t.start + width - 1) / width)
	for i := range count {
		var n interval
		if i < len(t.intervals) {
			n = t.intervals[i]
		}
		asked := n.good + n.bad
		down := open != nil
		if asked > 0 {
			down = float64(n.good) < float64(t.config.threshold())*float64(asked)
		}
		if !down {
			end()
			continue
		}
		from := t.start + time.Duration(i)*width
		if open == nil {
			open = &Outage{From: units.Duration(from), FirstBad: units.Duration(t.firstBad[i])}
		}
		open.To = units.Duration(min(from+width, ended))
		open.Requests += asked
		open.Bad += n.bad
		if last, known := t.lastBad[i]; known {
			open.LastBad = units.Duration(last)
		}
	}
	end()
}

// part is a share of a time, to the nanosecond, or the longest time that there is.
func part(of units.Duration, share float64) units.Duration {
	const longest = float64(1<<63 - 1<<10)
	return units.Duration(min(float64(of)*share+0.5, longest))
}

// round takes away the noise of binary fractions: 1 - 99.9 % is 0.1 %.
func round(x float64) float64 { return float64(int64(x*1e9+0.5)) / 1e9 }
