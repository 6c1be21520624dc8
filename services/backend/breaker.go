package backend

import (
	"errors"
	"time"

	"netlab/services"
	"netlab/units"
)

// The defaults of a [Breaker].
const (
	DefaultFailures    = 5
	DefaultWindow      = 10 * time.Second
	DefaultMinRequests = 10
	DefaultOpenTime    = 10 * time.Second
	DefaultTrials      = 1
)

// Breaker is a circuit breaker for each backend. It opens after so many failures in a row, or when too large a share of the requests
// of the last Window failed; a failure is a request without an answer or with a status of 500 or above. While it is open the
// backend gets no requests. After OpenTime it is half-open: it gets Trials requests, and when all of them have succeeded the breaker
// is closed; the first that fails opens it again.
type Breaker struct {
	Failures    int               `json:"failures,omitempty" zero:"refused" jsonschema_description:"Failed requests in a row after which it opens. Default 5, or none if there is a failure_rate."`
	FailureRate units.Probability `json:"failure_rate,omitempty" zero:"refused" jsonschema_description:"Share of failed requests within window at which it opens. Default: none."`
	Window      units.Duration    `json:"window,omitempty" zero:"refused" jsonschema_description:"How long a request counts for the failure_rate. Default 10s."`
	MinRequests int               `json:"min_requests,omitempty" zero:"refused" jsonschema_description:"With fewer requests within window the failure_rate says nothing. Default 10."`
	OpenTime    units.Duration    `json:"open_time,omitempty" zero:"refused" jsonschema_description:"How long it is open. Default 10s."`
	Trials      int               `json:"trials,omitempty" zero:"refused" jsonschema_description:"Requests that a half-open breaker lets through; all of them have to succeed. Default 1."`
}

// filled returns the settings with the defaults.
func (b Breaker) filled() Breaker {
	if b.FailureRate == 0 {
		fill(&b.Failures, DefaultFailures)
	}
	fill(&b.Window, units.Duration(DefaultWindow))
	fill(&b.MinRequests, DefaultMinRequests)
	fill(&b.OpenTime, units.Duration(DefaultOpenTime))
	fill(&b.Trials, DefaultTrials)
	return b
}

// validate returns errors about fields below a prefix such as "breaker.".
func (b *Breaker) validate(prefix string) error {
	var list []error
	add := func(field, format string, args ...any) {
		list = append(list, services.Fieldf(prefix+field, format, args...))
	}
	if b.Failures < 0 || b.Failures > maxConsecutive {
		add("failures", "found %d, wanted 1 to %d", b.Failures, maxConsecutive)
	}
	if b.FailureRate < 0 || b.FailureRate > 1 {
		add("failure_rate", "found %s, wanted more than 0%%, up to 100%%", b.FailureRate)
	}
	if b.Window < 0 {
		add("window", "found %s, wanted more than 0s", b.Window)
	}
	if b.MinRequests < 0 || b.MinRequests > maxConsecutive {
		add("min_requests", "found %d, wanted 1 to %d", b.MinRequests, maxConsecutive)
	}
	if b.FailureRate == 0 && b.Window != 0 {
		add("window", "it is that of the failure_rate, which is missing")
	}
	if b.FailureRate == 0 && b.MinRequests != 0 {
		add("min_requests", "it is for the failure_rate, which is missing")
	}
	if b.OpenTime < 0 {
		add("open_time", "found %s, wanted more than 0s", b.OpenTime)
	}
	if b.Trials < 0 || b.Trials > maxConsecutive {
		add("trials", "found %d, wanted 1 to %d", b.Trials, maxConsecutive)
	}
	return errors.Join(list...)
}

// circuit is where a breaker is.
type circuit uint8

const (
	closed circuit = iota
	open
	halfOpen
)

// breaker is the breaker of one backend.
type breaker struct {
	state   circuit
	row     int           // failures in a row while it is closed
	since   time.Duration // when the first request of the row began
	recent  []outcome     // of the window, the oldest first; only with a failure rate
	failed  int           // of recent
	epoch   int           // how often the state has changed: what began before says nothing of it
	trying  int           // trials under way
	trusted int           // trials that succeeded
}

// outcome is a request that ended.
type outcome struct {
	at     time.Duration
	failed bool
}

// allows says whether one more request may go.
func (s *breaker) allows(b *Breaker) bool {
	switch s.state {
	case open:
		return false
	case halfOpen:
		return s.trying+s.trusted < b.Trials
	}
	return true
}

// begin counts a request that goes. The epoch is to be given to end.
func (s *breaker) begin() (epoch int) {
	if s.state == halfOpen {
		s.trying++
	}
	return s.epoch
}

// abandon takes back a request that says nothing of the backend.
func (s *breaker) abandon(epoch int) {
	if epoch == s.epoch && s.state == halfOpen {
		s.trying--
	}
}

// end counts what came of a request, and returns the state that follows.
func (s *breaker) end(b *Breaker, epoch int, began, now time.Duration, failed bool) circuit {
	if epoch != s.epoch {
		return s.state
	}
	if s.state == halfOpen {
		s.trying--
		if failed {
			return open
		}
		if s.trusted++; s.trusted == b.Trials {
			return closed
		}
		return halfOpen
	}
	switch {
	case !failed:
		s.row = 0
	case s.row == 0:
		s.row, s.since = 1, began
	default:
		s.row++
	}
	if b.Failures > 0 && s.row >= b.Failures || b.FailureRate > 0 && s.tooMany(b, now, failed) {
		return open
	}
	return closed
}

// tooMany counts a request in the window and says whether the failure rate is reached.
func (s *breaker) tooMany(b *Breaker, now time.Duration, failed bool) bool {
	s.recent = append(s.recent, outcome{now, failed})
	if failed {
		s.failed++
	}
	old := 0
	for s.recent[old].at <= now-b.Window.Std() {
		if s.recent[old].failed {
			s.failed--
		}
		old++
	}
	s.recent = s.recent[old:]
	return len(s.recent) >= b.MinRequests && float64(s.failed) >= b.FailureRate.Float()*float64(len(s.recent))
}

// enter begins a state.
func (s *breaker) enter(state circuit) { *s = breaker{state: state, epoch: s.epoch + 1} }
