package kvcache

import (
	"netlab/services/capacity"
	"netlab/services/figures"
	"netlab/units"
)

// Result is what the service reports, over all incarnations of its host.
type Result struct {
	// Connections counts all that were made, Rejected those beyond max_clients.
	Connections uint64 `json:"connections"`
	Rejected    uint64 `json:"rejected_connections"`
	// Requests counts requests, Commands those with a command that there is, by its name in lower case. Errors counts those that were
	// answered with an error, ProtocolErrors connections that were closed for something that is no RESP.
	Requests       uint64            `json:"requests"`
	Commands       map[string]uint64 `json:"commands"`
	Errors         uint64            `json:"errors"`
	ProtocolErrors uint64            `json:"protocol_errors"`
	// Hits counts keys that were asked for their value (GET, MGET, GETEX, GETDEL, GETSET) and were there, Misses those that
	// were not. HitRatio is the share of hits, nil when nobody asked.
	Hits     uint64             `json:"hits"`
	Misses   uint64             `json:"misses"`
	HitRatio *units.Probability `json:"hit_ratio"`
	// Evictions counts keys that had to go for others, NotAdmitted new keys that the policy did not let in (tinylfu). Expired counts keys
	// whose time was over, Refused writes that did not fit (OOM).
	Evictions   uint64 `json:"evictions"`
	NotAdmitted uint64 `json:"not_admitted"`
	Expired     uint64 `json:"expired"`
	Refused     uint64 `json:"refused"`
	// Keys is how many there are at the end, Memory what they take, and MemoryPeak what they ever took at most.
	Keys       int         `json:"keys"`
	Memory     units.Bytes `json:"memory"`
	MemoryPeak units.Bytes `json:"memory_peak"`
	// Capacity is what the model of the server's capacity reports, nil without one.
	Capacity *capacity.Result `json:"capacity"`
}

// counters are what the service counts.
type counters struct {
	connections, rejected, requests, errors, protocol uint64
	hits, misses, evictions, dropped, expired, oom    uint64
	commands                                          map[string]uint64
	clients                                           int // now
	peak                                              units.Bytes
}

// Result implements services.Runner.
func (s *server) Result() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.count
	r := &Result{
		Connections: c.connections, Rejected: c.rejected, Requests: c.requests, Commands: map[string]uint64{}, Errors: c.errors,
		ProtocolErrors: c.protocol, Hits: c.hits, Misses: c.misses, HitRatio: figures.Share(c.hits, c.hits+c.misses),
		Evictions: c.evictions, NotAdmitted: c.dropped, Expired: c.expired, Refused: c.oom, MemoryPeak: c.peak,
	}
	for name, n := range c.commands {
		r.Commands[name] = n
	}
	if s.store != nil {
		r.Keys, r.Memory = s.store.len(), s.store.used
	}
	if s.cores != nil {
		r.Capacity = s.cores.Result()
	}
	return r
}
