package balancer

import (
	"maps"
	"strconv"
	"sync"

	"netlab/services/backend"
	"netlab/services/balancer/l4"
	"netlab/services/limits"
	"netlab/services/upstream"
	"netlab/units"
)

// Result is what a balancer reports, over all incarnations of its host.
type Result struct {
	// Layer7 is nil on layer 4, and Layer4 on layer 7.
	Layer7 *Layer7Result `json:"layer7,omitempty"`
	Layer4 *l4.Result    `json:"layer4,omitempty"`
	// Pool is the balancer's own backends, Pools are the others by name.
	Pool  *backend.Result            `json:"pool"`
	Pools map[string]*backend.Result `json:"pools,omitempty"`
}

// Layer7Result is what a balancer of layer 7 did.
type Layer7Result struct {
	// Connections counts those of clients, Malformed those without the header of the PROXY protocol that they should have begun with,
	// or with a ClientHello that makes no sense.
	Connections uint64 `json:"connections"`
	Malformed   uint64 `json:"malformed"`
	// Requests counts requests of clients; those with a header that makes no sense don't count. Status counts the answers, and
	// Protocols requests by version of HTTP, http1 or http2.
	Requests  uint64            `json:"requests"`
	Status    map[string]uint64 `json:"status"`
	Protocols map[string]uint64 `json:"protocols"`
	// Aborted counts requests that broke off: the client went, a response did, or the run ended.
	Aborted uint64 `json:"aborted"`
	// Redirects counts redirects by routes, Stuck requests that went to the backend that they stick to.
	Redirects uint64 `json:"redirects"`
	Stuck     uint64 `json:"stuck"`
	// Bytes is the content of responses, as handed to the stack. With tls_passthrough it is all bytes, in both directions.
	Bytes units.Bytes `json:"bytes"`
	// Limits is what was refused, nil without limits.
	Limits *limits.Result `json:"limits,omitempty"`
	// Upstream is what went to the balancer's own backends, Pools to those of pools, by name.
	Upstream *upstream.Result            `json:"upstream"`
	Pools    map[string]*upstream.Result `json:"pools,omitempty"`
}

// counters count what a balancer of layer 7 does.
type counters struct {
	mu     sync.Mutex
	total  Layer7Result
	status map[int]uint64
}

func (c *counters) add(change func(r *Layer7Result)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.total)
}

// result returns what was counted.
func (c *counters) result() *Layer7Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.total
	r.Protocols = maps.Clone(c.total.Protocols)
	r.Status = map[string]uint64{}
	for code, n := range c.status {
		r.Status[strconv.Itoa(code)] = n
	}
	return &r
}
