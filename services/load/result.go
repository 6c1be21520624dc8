package load

import (
	"time"

	"netlab/services/failures"
	"netlab/services/figures"
	"netlab/services/httpcache"
	"netlab/units"
)

// Result is what a workload reports, over all hosts that it ran on. Requests that were due during the warm-up are left out, but
// for MaxInFlight and Seconds.
type Result struct {
	// Requests counts requests that were due: those that succeeded, that failed, and that were under way or waiting when the run
	// ended (Pending).
	Requests  uint64 `json:"requests"`
	Succeeded uint64 `json:"succeeded"`
	Failed    uint64 `json:"failed"`
	Pending   uint64 `json:"pending"`
	// SuccessRate is the share of requests that succeeded among those that are not pending.
	SuccessRate *units.Probability `json:"success_rate"`
	// Offered is how often requests were due and Rate how often one succeeded, both from the end of the warm-up to the time at
	// which no request was begun any more. Requests that were under way then are not part of Rate.
	Offered *units.Rate `json:"offered"`
	Rate    *units.Rate `json:"rate"`
	// Bytes is the content of all answers, and Goodput that content per time, from the end of the warm-up to the last answer.
	Bytes   units.Bytes    `json:"bytes"`
	Goodput *units.BitRate `json:"goodput_bps"`
	// Waited counts requests that had to wait because too many others were under way (max_in_flight).
	Waited uint64 `json:"waited"`
	// MaxInFlight is the most requests that were under way or waiting at a time.
	MaxInFlight uint64 `json:"max_in_flight"`
	// Errors counts failed requests by kind.
	Errors failures.Counts `json:"errors"`
	// Latency is the time from when a request was due to the last byte of the answer, of requests that succeeded.
	// ServiceLatency is the time from when it was really made: it hides what a request had to wait for its turn.
	Latency        *figures.Percentiles `json:"latency"`
	ServiceLatency *figures.Percentiles `json:"service_latency"`
	// Histogram is the distribution of Latency.
	Histogram []figures.Bin `json:"histogram"`
	// Phases are the parts of requests, of failed ones as well as far as they got.
	Phases Phases `json:"phases"`
	// Status counts answers by what they say of themselves, such as "200"; ByStatus says more of them.
	Status   map[string]uint64 `json:"status"`
	ByStatus map[string]Group  `json:"by_status"`
	// ByTarget tells apart who answered.
	ByTarget map[string]Group `json:"by_target"`
	// Seconds is what happened over time, in parts of Bucket: 100ms up to half a minute, 1s up to 5 minutes, and so on.
	Bucket  units.Duration `json:"bucket_ns"`
	Seconds []Second       `json:"seconds"`
	// Cache is what the caches of HTTP clients did, during the warm-up as well; nil without them.
	Cache *httpcache.Result `json:"cache,omitempty"`
}

// Phases are the parts of requests.
type Phases struct {
	DNS      *figures.Summary `json:"dns"`      // lookups of names
	Connect  *figures.Summary `json:"connect"`  // TCP handshakes
	TLS      *figures.Summary `json:"tls"`      // TLS handshakes
	Wait     *figures.Summary `json:"wait"`     // from the sending of a request to the first byte of its answer
	Transfer *figures.Summary `json:"transfer"` // from there to the last byte
}

// result returns what was counted so far.
func (t *tally) result() *Result {
	t.mu.Lock()
	defer t.mu.Unlock()
	done := t.succeeded + t.failed
	r := &Result{Requests: t.requests, Succeeded: t.succeeded, Failed: t.failed, Pending: t.requests - done,
		SuccessRate: figures.Share(t.succeeded, done), Bytes: units.Bytes(t.bytes), Waited: t.waited, MaxInFlight: t.maxInFlight,
		Errors: t.errors, Latency: t.latency.Percentiles(), ServiceLatency: t.service.Percentiles(),
		Histogram: t.latency.Bins(),
		Status:    map[string]uint64{}, ByStatus: t.statuses.result(done), ByTarget: t.targets.result(done),
		Bucket: units.Duration(t.timeline.width()), Seconds: t.timeline.seconds()}
	window := t.window()
	r.Offered, r.Rate = perSecond(t.requests, window), perSecond(t.inWindow, window)
	r.Goodput = figures.Rate(t.bytes, units.Duration(t.last-t.start-t.warmUp))
	for name, g := range t.statuses {
		r.Status[name] = g.succeeded + g.failed
	}
	r.Phases = Phases{DNS: t.phases[DNS].Summary(), Connect: t.phases[Dial].Summary(), TLS: t.phases[TLS].Summary(),
		Wait: t.phases[Wait].Summary(), Transfer: t.phases[Transfer].Summary()}
	return r
}

// perSecond returns how often something happens, or nil when there is no time.
func perSecond(n uint64, in time.Duration) *units.Rate {
	if in <= 0 {
		return nil
	}
	r := units.Rate(float64(n) / in.Seconds())
	return &r
}
