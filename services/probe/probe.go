// Package probe is what ping and echo have in common: requests at exact times, and the count of their replies.
//
// Request i leaves at start + i × interval, whether or not replies to earlier ones have come. A request whose reply takes the
// timeout or longer is lost; the reply is then counted as late, if somebody is still there to see it.
package probe

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"netlab/services"
	"netlab/services/figures"
	"netlab/units"
)

// Schedule says when requests are sent and how long replies may take.
type Schedule struct {
	Count    int // 0 means until the end of the run
	Interval units.Duration
	Timeout  units.Duration
}

// Validate returns errors about the fields count, interval and timeout.
func (s Schedule) Validate() error {
	var list []error
	if s.Count < 0 {
		list = append(list, services.Fieldf("count", "found %d, wanted 0 or more", s.Count))
	}
	if s.Interval <= 0 {
		list = append(list, services.Fieldf("interval", "found %s, wanted more than 0s", s.Interval))
	}
	switch {
	case s.Timeout <= 0:
		list = append(list, services.Fieldf("timeout", "found %s, wanted more than 0s", s.Timeout))
	case s.Interval > 0 && s.Timeout/s.Interval >= sequences:
		list = append(list, services.Fieldf("timeout",
			"found %s, wanted less than %d intervals: after so many requests the sequence numbers start again", s.Timeout, sequences))
	}
	return errors.Join(list...)
}

// Prober sends requests from one host and counts replies.
type Prober struct {
	schedule Schedule
	tally    tally
	complete atomic.Bool        // every request was sent
	answered context.CancelFunc // ends the wait for the last replies
}

// NewProber returns a prober that has not sent anything.
func NewProber(s Schedule) *Prober {
	return &Prober{schedule: s, tally: tally{timeout: s.Timeout.Std()}, answered: func() {}}
}

// Run sends the requests by calling send with their numbers from 0 on, and waits for the replies that [Prober.Reply] is told of.
// An error of send means that the request did not leave; ErrGone that no further one can. stop must end
// whoever receives, in a goroutine that env.Go started; Run waits for it.
func (p *Prober) Run(ctx context.Context, env *services.Env, send func(number uint64) error, stop func()) {
	waiting, answered := context.WithCancel(ctx)
	defer answered()
	p.answered = answered
	t := &p.tally
	if env.Outcomes != nil {
		t.over = env.Outcomes.Request
	}
	start := env.Elapsed()
	for i := 0; p.schedule.Count == 0 || i < p.schedule.Count; i++ {
		if env.SleepUntil(ctx, start+time.Duration(i)*p.schedule.Interval.Std()) != nil {
			break
		}
		t.send(env.Elapsed())
		if err := send(uint64(i)); err != nil {
			if env.Over(ctx) {
				break // the end of the run, or of the host, came in between
			}
			t.fail()
			env.Log.Debug("request not sent", "error", err)
			if errors.Is(err, ErrGone) {
				break
			}
		}
	}
	p.complete.Store(true)
	if ctx.Err() == nil && t.open() > 0 {
		// It ends early when the last reply has come.
		_ = env.SleepUntil(waiting, t.lastSent()+t.timeout)
	}
	stop()
	env.Wait()
	t.finish(env.Elapsed())
}

// ErrGone is for functions that send requests.
var ErrGone = errors.New("there is nobody to send to any more")

// Reply notes the reply to the request with that number, or with that number modulo 65536, and says whether it is the first one
// and in time.
func (p *Prober) Reply(number uint64, at time.Duration) bool {
	first := p.tally.reply(uint16(number), at)
	if p.complete.Load() && p.tally.open() == 0 {
		p.answered()
	}
	return first
}

// Result is what workloads report of their requests.
type Result struct {
	// Sent counts requests, also those that the host's stack refused.
	Sent uint64 `json:"sent"`
	// Received counts requests that were answered in time.
	Received uint64 `json:"received"`
	// Lost counts requests that were not answered in time. Those that still had time when the run ended are neither
	// received nor lost, but pending.
	Lost    uint64 `json:"lost"`
	Pending uint64 `json:"pending"`
	// Loss is the share of lost requests among those that are not pending.
	Loss *units.Probability `json:"loss"`
	// Duplicates counts further replies to requests that were answered before.
	Duplicates uint64 `json:"duplicates"`
	// Late counts first replies that came after the timeout.
	Late uint64 `json:"late"`
	// Errors counts requests that the host could not send; they are lost.
	Errors uint64 `json:"errors"`
	// RTT is the spread of the times from requests to their replies in time.
	RTT *figures.RTT `json:"rtt"`
}

// Sum adds up what the probers of all hosts counted, once they are done. Nil stands for a host that sent nothing.
func Sum(probers []*Prober) Result {
	var all Result
	var rtt figures.Durations
	for _, p := range probers {
		if p == nil {
			continue
		}
		t := &p.tally
		all.Sent += t.sent
		all.Received += t.rtt.Count()
		all.Lost += t.lost
		all.Pending += t.pending
		all.Duplicates += t.duplicates
		all.Late += t.late
		all.Errors += t.errors
		rtt.Merge(t.rtt)
	}
	all.Loss = figures.Share(all.Lost, all.Sent-all.Pending)
	all.RTT = rtt.RTT()
	return all
}
