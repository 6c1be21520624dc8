package probe

import (
	"sync"
	"time"

	"netlab/services/figures"
)

// sequences is how many requests a tally remembers. Numbers of replies are taken modulo this.
const sequences = 1 << 16

// request is what is known of one request.
type request struct {
	at       time.Duration // when it was sent
	answered bool
	late     bool // answered after the timeout
	failed   bool // never sent
}

// tally counts the requests and replies of one host. One goroutine sends and another receives.
type tally struct {
	timeout time.Duration
	// over is told of each request that is over: when it was sent, how long its reply took or, if there was none in time, the timeout.
	over func(sent, took time.Duration, ok bool)

	mu sync.Mutex
	// recent holds the last requests, at their number modulo sequences.
	recent []request
	sent   uint64
	// waiting counts sent requests without a reply in time, among the recent ones.
	waiting    int
	lost       uint64 // final only after finish
	pending    uint64
	duplicates uint64
	late       uint64
	errors     uint64
	rtt        figures.Durations
}

// send notes the next request.
func (t *tally) send(at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sent < sequences {
		t.recent = append(t.recent, request{at: at})
	} else {
		old := &t.recent[t.sent%sequences]
		if !old.answered && !old.failed {
			t.waiting--
		}
		if !old.answered {
			t.lose(old)
		}
		*old = request{at: at}
	}
	t.sent++
	t.waiting++
}

// fail notes that the last request could not be sent.
func (t *tally) fail() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recent[(t.sent-1)%sequences].failed = true
	t.waiting--
	t.errors++
}

// reply notes a reply and says whether it is the first to its request and in time.
func (t *tally) reply(sequence uint16, at time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if int(sequence) >= len(t.recent) {
		return false // to nothing that was asked
	}
	q := &t.recent[sequence]
	rtt := at - q.at
	switch {
	case q.failed:
	case q.answered || q.late:
		t.duplicates++
	case rtt >= t.timeout:
		q.late = true
		t.late++
	default:
		q.answered = true
		t.waiting--
		t.rtt.Add(rtt)
		t.tell(q, rtt, true)
		return true
	}
	return false
}

// lose counts a request that was not answered in time.
func (t *tally) lose(q *request) {
	t.lost++
	t.tell(q, t.timeout, false)
}

func (t *tally) tell(q *request, took time.Duration, ok bool) {
	if t.over != nil {
		t.over(q.at, took, ok)
	}
}

// open is the number of requests that are still without a reply in time.
func (t *tally) open() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waiting
}

// lastSent is when the last request was sent.
func (t *tally) lastSent() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.recent[(t.sent-1)%sequences].at
}

// finish tells requests that are lost from those that still had time at the end.
func (t *tally) finish(at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.recent {
		q := &t.recent[i]
		switch {
		case q.answered:
		case q.failed || q.late || at-q.at >= t.timeout:
			t.lose(q)
		default:
			t.pending++
		}
	}
}
