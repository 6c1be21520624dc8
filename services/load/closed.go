package load

import (
	"context"
	"time"
)

// A user whose request was over at once waits before the next one: time would stand still otherwise. That is so when a request
// fails before a packet is sent, or when a lab has neither latency nor rates.
const (
	pauseAfterFailure = time.Second
	pauseAfterSuccess = time.Microsecond
)

// closedLoop runs the host's users, each in a goroutine of its own, until all are done.
func (h *host) closedLoop() {
	turns := &turns{left: h.config.Requests, limited: h.config.Requests > 0}
	for i := range h.config.Users {
		due := h.start + time.Duration(float64(h.config.RampUp)*float64(i)/float64(h.config.Users))
		h.env.Go(func() { h.live(i, due, turns) })
	}
	h.env.Wait()
}

// live is the life of a user.
func (h *host) live(index int, due time.Duration, turns *turns) {
	if h.env.SleepUntil(h.ctx, due) != nil {
		return
	}
	u, client := h.user(index)
	if client == nil {
		return
	}
	defer client.Close()
	think := h.config.ThinkTime
	for turns.take() {
		due = h.env.Elapsed()
		h.tally.arrive(due, false)
		ok := h.request(client, due)
		d := think.Mean()
		if !think.IsConstant() {
			d = think.Sample(u.Random())
		}
		now := h.env.Elapsed()
		switch {
		case now+d > due:
		case ok:
			d = pauseAfterSuccess
		default:
			d = pauseAfterFailure
		}
		if h.over(now+d) || h.pause(d) != nil {
			return
		}
	}
}

// pause waits for d.
func (h *host) pause(d time.Duration) error {
	if d > 0 {
		return h.env.Sleep(h.ctx, d)
	}
	return context.Cause(h.ctx)
}

// over says whether no request is begun any more at a time.
func (h *host) over(at time.Duration) bool {
	horizon := h.config.horizon()
	return horizon > 0 && at-h.start >= horizon
}
