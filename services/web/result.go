package web

import (
	"strconv"
	"sync"
	"time"

	"netlab/services/figures"
	"netlab/units"
)

// outcome is what came of one request.
type outcome struct {
	status    int // 0 means no response
	bytes     int64
	err       error
	cut       bool // by the end of the run
	latency   time.Duration
	firstByte time.Duration
	answered  bool // firstByte is set
}

// tally counts the requests of one host.
type tally struct {
	mu                        sync.Mutex
	succeeded, failed, cut    uint64
	bytes                     uint64
	errors                    ErrorCounts
	status                    map[string]uint64
	latency, ttfb, connecting figures.Latencies
	connections               uint64
}

func (t *tally) init() { t.status = map[string]uint64{} }

func (t *tally) connected(took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.connections++
	t.connecting.Add(took)
}

func (t *tally) count(o outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes += uint64(o.bytes)
	if o.status > 0 {
		t.status[strconv.Itoa(o.status)]++
	}
	if o.answered {
		t.ttfb.Add(o.firstByte)
	}
	const firstError = 400
	switch {
	case o.cut:
		t.cut++
	case o.err != nil || o.status >= firstError:
		t.failed++
		*t.errors.kind(o.err)++
	default:
		t.succeeded++
		t.latency.Add(o.latency)
	}
}

// Result is what the workload reports, over all hosts that it ran on.
type Result struct {
	// Requests counts requests that were begun: those that succeeded, that failed, and that were under way when the run
	// ended (Pending).
	Requests uint64 `json:"requests"`
	// Succeeded counts requests that were answered in full, with a status below 400 and with the content that the header
	// promised.
	Succeeded uint64 `json:"succeeded"`
	Failed    uint64 `json:"failed"`
	Pending   uint64 `json:"pending"`
	// Errors counts failed requests by kind.
	Errors ErrorCounts `json:"errors"`
	// Status counts responses by status code, complete or not.
	Status map[string]uint64 `json:"status"`
	// Bytes is the content of all responses.
	Bytes units.Bytes `json:"bytes"`
	// Intact says that no request failed.
	Intact bool `json:"intact"`
	// Latency is the time from the start of a request to the last byte of the response, of requests that succeeded. It holds
	// the handshake of a new connection.
	Latency *figures.Latency `json:"latency"`
	// TTFB is the time from the start of a request to the first byte of the response.
	TTFB *figures.Latency `json:"ttfb"`
	// Connections counts connections that were opened, and Connect is the time that their handshakes took.
	Connections uint64           `json:"connections"`
	Connect     *figures.Latency `json:"connect"`
}

// Result implements services.Runner.
func (r *runner) Result() any {
	all := &Result{Status: map[string]uint64{}}
	var latency, ttfb, connecting figures.Latencies
	for i := range r.hosts {
		t := &r.hosts[i]
		t.mu.Lock()
		all.Succeeded += t.succeeded
		all.Failed += t.failed
		all.Pending += t.cut
		all.Bytes += units.Bytes(t.bytes)
		all.Connections += t.connections
		all.Errors.add(t.errors)
		for code, n := range t.status {
			all.Status[code] += n
		}
		latency.Merge(&t.latency)
		ttfb.Merge(&t.ttfb)
		connecting.Merge(&t.connecting)
		t.mu.Unlock()
	}
	all.Requests = all.Succeeded + all.Failed + all.Pending
	all.Intact = all.Failed == 0
	all.Latency, all.TTFB, all.Connect = latency.Latency(), ttfb.Latency(), connecting.Latency()
	return all
}
