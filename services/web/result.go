package web

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"netlab/services/failures"
	"netlab/services/figures"
	"netlab/services/httpcache"
	"netlab/services/httpclient"
	"netlab/units"
)

// tally counts the requests of one host.
type tally struct {
	mu                               sync.Mutex
	succeeded, failed, cut           uint64
	retries, redirects               uint64
	bytes                            uint64
	errors                           failures.Counts
	status                           map[int]uint64
	protocols                        map[string]uint64
	latency, ttfb, connecting, hello figures.Latencies
	connections, resumed             uint64
	cache                            *httpcache.Result // nil without one
	took                             time.Duration
}

func (t *tally) init() { t.status, t.protocols = map[int]uint64{}, map[string]uint64{} }

// connected counts a connection.
func (t *tally) connected(c httpclient.Connection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.connections++
	t.connecting.Add(c.Connect)
	if c.Secure {
		t.hello.Add(c.TLS)
	}
	if c.Resumed {
		t.resumed++
	}
}

// cached counts what the client's cache did.
func (t *tally) cached(r httpcache.Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cache = &r
}

// count counts a request that ended at a time since the workload's start.
func (t *tally) count(o *httpclient.Outcome, at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.took = max(t.took, at)
	t.bytes += uint64(o.Bytes)
	t.retries += uint64(o.Attempts - 1)
	t.redirects += uint64(max(o.Hops-o.Attempts, 0))
	if o.Status > 0 {
		t.status[o.Status]++
		t.protocols[protocolName(o.Protocol)]++
	}
	if o.Answered {
		t.ttfb.Add(o.FirstByte)
	}
	switch {
	case o.Cut:
		t.cut++
	case !o.OK():
		t.failed++
		t.errors.Count(o.Err)
	default:
		t.succeeded++
		t.latency.Add(o.Total)
	}
}

// Result is what the workload reports, over all hosts that it ran on.
type Result struct {
	// Requests counts requests that were begun: those that succeeded, that failed, and that were under way when the run
	// ended (Pending). Attempts and redirects of a request don't count.
	Requests uint64 `json:"requests"`
	// Succeeded counts requests that were answered in full, with a status below 400 and with the content that the header
	// promised.
	Succeeded uint64 `json:"succeeded"`
	Failed    uint64 `json:"failed"`
	Pending   uint64 `json:"pending"`
	// Retries counts attempts beyond the first, Redirects the redirects that were followed.
	Retries   uint64 `json:"retries"`
	Redirects uint64 `json:"redirects"`
	// Errors counts failed requests by kind.
	Errors failures.Counts `json:"errors"`
	// Status counts responses by status code, complete or not, and Protocols by version of HTTP,
	// http1 or http2.
	Status    map[string]uint64 `json:"status"`
	Protocols map[string]uint64 `json:"protocols"`
	// Bytes is the content of all responses.
	Bytes units.Bytes `json:"bytes"`
	// Intact says that no request failed.
	Intact bool `json:"intact"`
	// Took is the time from the start to the end of the last request, on the host that took longest.
	Took units.Duration `json:"took_ns"`
	// Latency is the time from the start of a request to the last byte of the response, of requests that succeeded. It holds
	// the handshake of a new connection.
	Latency *figures.Latency `json:"latency"`
	// Histogram is the distribution of Latency.
	Histogram []figures.Bin `json:"histogram"`
	// TTFB is the time from the start of a request to the first byte of the response.
	TTFB *figures.Latency `json:"ttfb"`
	// Connections counts connections that were opened, Connect is the time that their TCP handshakes took, TLS the time that
	// their TLS handshakes took. Resumed counts those whose TLS handshake resumed an earlier session.
	Connections uint64           `json:"connections"`
	Resumed     uint64           `json:"resumed"`
	Connect     *figures.Latency `json:"connect"`
	TLS         *figures.Latency `json:"tls"`
	// Cache is what the clients' caches did, nil without them.
	Cache *httpcache.Result `json:"cache,omitempty"`
}

// protocolName is what results and expectations call a version of HTTP such as "HTTP/1.1".
func protocolName(proto string) string {
	name, _, _ := strings.Cut(strings.ToLower(proto), ".")
	return strings.ReplaceAll(name, "/", "")
}

// Result implements services.Runner.
func (r *runner) Result() any {
	all := &Result{Status: map[string]uint64{}, Protocols: map[string]uint64{}}
	var latency, ttfb, connecting, hello figures.Latencies
	for i := range r.hosts {
		t := &r.hosts[i]
		t.mu.Lock()
		all.Succeeded += t.succeeded
		all.Failed += t.failed
		all.Pending += t.cut
		all.Retries += t.retries
		all.Redirects += t.redirects
		all.Bytes += units.Bytes(t.bytes)
		all.Connections += t.connections
		all.Resumed += t.resumed
		all.Took = max(all.Took, units.Duration(t.took))
		all.Errors.Add(t.errors)
		for code, n := range t.status {
			all.Status[strconv.Itoa(code)] += n
		}
		for protocol, n := range t.protocols {
			all.Protocols[protocol] += n
		}
		latency.Merge(&t.latency)
		ttfb.Merge(&t.ttfb)
		connecting.Merge(&t.connecting)
		hello.Merge(&t.hello)
		all.Cache = httpcache.Sum(all.Cache, t.cache)
		t.mu.Unlock()
	}
	all.Requests = all.Succeeded + all.Failed + all.Pending
	all.Intact = all.Failed == 0
	all.Histogram = latency.Bins()
	all.Latency, all.TTFB, all.Connect, all.TLS = latency.Latency(), ttfb.Latency(), connecting.Latency(), hello.Latency()
	return all
}
