package upstream

import (
	"strconv"
	"sync"
	"time"

	"netlab/services/failures"
	"netlab/services/figures"
	"netlab/units"
)

// Result is what a forwarder reports, over all incarnations of its host.
type Result struct {
	// Requests counts requests that were to be forwarded, Tries how often one was given to a backend, Retries and Hedges the tries
	// that were not the first of their request.
	Requests uint64 `json:"requests"`
	Tries    uint64 `json:"tries"`
	Retries  uint64 `json:"retries"`
	Hedges   uint64 `json:"hedges"`
	// HedgesWon counts hedges whose answer came first, RetriesDenied retries for which the budget had nothing left.
	HedgesWon     uint64 `json:"hedges_won"`
	RetriesDenied uint64 `json:"retries_denied"`
	// Reconnects counts requests that net/http sent again, because a kept connection turned out to be closed.
	Reconnects uint64 `json:"reconnects"`
	// Status counts the answers of backends by status, those that led to a retry included.
	Status map[string]uint64 `json:"status"`
	// Errors counts tries without an answer by kind. Unsent are those of them whose connection couldn't be made.
	Errors failures.Counts `json:"errors"`
	Unsent uint64          `json:"unsent"`
	// Cancelled counts tries that were given up because the client went away or another answer was faster.
	Cancelled uint64 `json:"cancelled"`
	// Unavailable counts requests for which no backend could be used.
	Unavailable uint64 `json:"unavailable"`
	// Connections counts connections to backends that were made.
	Connections uint64 `json:"connections"`
	// Tunnels counts connections that were upgraded, as WebSocket's are.
	Tunnels uint64 `json:"tunnels"`
	// Sent is the content of requests as it went to backends, with that of retries, Received that of responses; what passes through
	// tunnels counts.
	Sent     units.Bytes `json:"sent"`
	Received units.Bytes `json:"received"`
	// Latency is the time from a try's start to the header of its response.
	Latency *figures.Latency `json:"latency"`
	// Added is what the balancer adds: the time from a request's start to the header of its response, but for what the backend took
	// from the last byte of the request to the first of the response. It holds queues, handshakes and tries in vain.
	Added *figures.Latency `json:"added"`
}

// Counters count for forwarders that follow each other when their host crashes.
type Counters struct {
	mu             sync.Mutex
	total          Result
	status         map[int]uint64
	latency, added figures.Latencies
}

// NewCounters returns counters of which everything is 0.
func NewCounters() *Counters { return &Counters{status: map[int]uint64{}} }

// add changes the counters.
func (c *Counters) add(change func(r *Result)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.total)
}

// answer counts the header of a response.
func (c *Counters) answer(status int, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status[status]++
	c.latency.Add(took)
}

func (c *Counters) adds(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.added.Add(max(d, 0))
}

// Result returns what was counted.
func (c *Counters) Result() *Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.total
	r.Status = map[string]uint64{}
	for code, n := range c.status {
		r.Status[strconv.Itoa(code)] = n
	}
	r.Latency, r.Added = c.latency.Latency(), c.added.Latency()
	return &r
}
