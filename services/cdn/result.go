package cdn

import (
	"strconv"
	"sync"

	"netlab/services/httpcache"
	"netlab/services/limits"
	"netlab/services/upstream"
	"netlab/units"
)

// Result is what an edge reports, over all incarnations of its host.
type Result struct {
	// Requests counts all requests that were answered or given up, FromPeers those of other servers of the cluster among them.
	Requests  uint64 `json:"requests"`
	FromPeers uint64 `json:"from_peers"`
	// ToPeers counts requests that another server of the cluster answered, PeerFailures those that it didn't.
	ToPeers      uint64 `json:"to_peers"`
	PeerFailures uint64 `json:"peer_failures"`
	// Pushes counts objects that publishers put here, Purges requests to remove some, those that another server of the cluster passed on among
	// them. Cache.Purged counts what they removed.
	Pushes uint64 `json:"pushes"`
	Purges uint64 `json:"purges"`
	// Unauthorized counts publishers without the token (401).
	Unauthorized uint64 `json:"unauthorized"`
	// Unsigned, BadSignature and Expired count requests that were refused for their URL (403).
	Unsigned     uint64 `json:"unsigned"`
	BadSignature uint64 `json:"bad_signature"`
	Expired      uint64 `json:"expired"`
	// Loops counts requests that had been here before (508).
	Loops uint64 `json:"loops"`
	// Status counts responses by status.
	Status map[string]uint64 `json:"status"`
	// BytesSent is the content of responses to users and peers. BytesFromOrigin, BytesFromParents and BytesFromPeers are the content
	// that came from there, BytesPushed that of objects that publishers sent.
	BytesSent        units.Bytes `json:"bytes_sent"`
	BytesFromOrigin  units.Bytes `json:"bytes_from_origin"`
	BytesFromParents units.Bytes `json:"bytes_from_parents"`
	BytesFromPeers   units.Bytes `json:"bytes_from_peers"`
	BytesPushed      units.Bytes `json:"bytes_pushed"`
	// Cache is what the store did, hits and hit_ratio among it. Requests that a peer answered are not in it.
	Cache httpcache.Result `json:"cache"`
	// Upstream is what became of requests to the parents, or to the origin.
	Upstream *upstream.Result `json:"upstream"`
	// Limits is what was refused as too much, nil without limits.
	Limits *limits.Result `json:"limits"`
}

// counters count for all incarnations of the host.
type counters struct {
	mu     sync.Mutex
	result Result
	status map[int]uint64
}

// add changes the figures.
func (c *counters) add(change func(r *Result)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.result)
}

// answered counts a response; status 0 is none.
func (c *counters) answered(status int, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result.Requests++
	c.result.BytesSent += units.Bytes(bytes)
	if status > 0 {
		c.status[status]++
	}
}

// Result implements services.Runner.
func (r *runner) Result() any {
	r.count.mu.Lock()
	all := r.count.result
	all.Status = map[string]uint64{}
	for status, n := range r.count.status {
		all.Status[strconv.Itoa(status)] = n
	}
	r.count.mu.Unlock()
	if cache := r.store.Load(); cache != nil {
		all.Cache = cache.Result()
	}
	all.Upstream, all.Limits = r.asked.Result(), r.limiter.Result()
	if len(r.config.Parents) > 0 {
		all.BytesFromParents = all.Upstream.Received
	} else {
		all.BytesFromOrigin = all.Upstream.Received
	}
	return &all
}
