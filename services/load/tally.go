package load

import (
	"sync"
	"time"

	"netlab/services/failures"
	"netlab/services/figures"
)

// tally counts the requests of all hosts of a workload. There is one histogram of each kind for all of them: a host may have
// thousands of users, and a lab a thousand hosts.
type tally struct {
	warmUp, horizon time.Duration // from the start
	limited         bool          // the number of requests is

	mu    sync.Mutex
	begun bool
	start time.Duration // of the first host
	stop  time.Duration // of the last host
	last  time.Duration // when a request was last over
	cut   bool          // the run ended before the workload did

	// Of requests that were due after the warm-up.
	requests, succeeded, failed uint64
	waited, bytes               uint64
	errors                      failures.Counts
	latency, service            figures.Histogram
	phases                      [phases]figures.Histogram
	statuses, targets           groups

	inWindow    uint64 // requests that succeeded between the warm-up and the horizon
	inFlight    uint64
	maxInFlight uint64
	timeline    timeline
}

func newTally(c *Config) *tally {
	return &tally{warmUp: c.WarmUp.Std(), horizon: c.horizon(), limited: c.Requests > 0}
}

// begin is called when a host starts.
func (t *tally) begin(at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.begun {
		t.begun, t.start, t.stop, t.last = true, at, at, at
	}
}

// end is called when a host is done. cut says that the run was over before the host was.
func (t *tally) end(at time.Duration, cut bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stop = max(t.stop, at)
	t.cut = t.cut || cut
}

// arrive counts a request that is due. waits says that it has to wait because too many are under way.
func (t *tally) arrive(due time.Duration, waits bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight++
	t.maxInFlight = max(t.maxInFlight, t.inFlight)
	t.timeline.at(due-t.start, t.inFlight-1).begin(t.inFlight)
	if due-t.start < t.warmUp {
		return
	}
	t.requests++
	if waits {
		t.waited++
	}
}

// finish counts a request that is over, and says whether it counts for the result. cut says that the end of the run broke it off.
func (t *tally) finish(due, started, now time.Duration, o *Outcome, cut bool) (counts bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight--
	t.last = max(t.last, now)
	if cut {
		return false
	}
	latency := now - due
	t.timeline.at(now-t.start, t.inFlight+1).finish(latency, o)
	since := now - t.start
	if o.OK() && since >= t.warmUp && (t.horizon == 0 || since <= t.horizon) {
		t.inWindow++
	}
	if due-t.start < t.warmUp {
		return false
	}
	t.bytes += uint64(o.Bytes)
	for p := range phases {
		if took, ok := o.Took(p); ok {
			t.phases[p].Add(took)
		}
	}
	t.statuses.count(o.Status, latency, o)
	t.targets.count(o.Target, latency, o)
	if !o.OK() {
		t.failed++
		t.errors.CountKind(o.Failure)
		return true
	}
	t.succeeded++
	t.latency.Add(latency)
	t.service.Add(now - started)
	return true
}

// window is the time over which rates are taken: from the warm-up to the last time at which a request could have begun or, if there
// is no such limit or the run was cut before it, to the end.
func (t *tally) window() time.Duration {
	end := t.last
	if t.cut {
		end = t.stop
	} else if t.horizon > 0 && !t.limited {
		end = t.start + t.horizon
	}
	if t.horizon > 0 {
		end = min(end, t.start+t.horizon)
	}
	return max(0, end-t.start-t.warmUp)
}
