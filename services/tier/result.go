package tier

import (
	"netlab/services/capacity"
	"netlab/services/figures"
	"netlab/units"
)

// Result is what the service reports, over all incarnations of its host.
type Result struct {
	// Reads and Writes count GET and PUT requests that were answered, Failed those that the store did not answer.
	Reads  uint64 `json:"reads"`
	Writes uint64 `json:"writes"`
	Failed uint64 `json:"failed"`
	// Hits counts reads that the cache (or the buffer) answered, Misses those that it did not; HitRatio is the share of hits, nil without
	// either. NegativeHits counts the hits that say that there is no such key.
	Hits         uint64             `json:"hits"`
	Misses       uint64             `json:"misses"`
	NegativeHits uint64             `json:"negative_hits"`
	HitRatio     *units.Probability `json:"hit_ratio"`
	// StaleReads counts reads that were answered with less than what this server had acknowledged before they came.
	StaleReads uint64 `json:"stale_reads"`
	// StoreReads and StoreWrites count operations that the store answered, StoreErrors those that it did not, CacheErrors questions that the
	// cache did not answer.
	StoreReads  uint64 `json:"store_reads"`
	StoreWrites uint64 `json:"store_writes"`
	StoreErrors uint64 `json:"store_errors"`
	CacheErrors uint64 `json:"cache_errors"`
	// Coalesced counts reads that waited for another one's load, EarlyRefreshes loads of keys that were still in the cache. StampedePeak
	// is how many loads of one key were under way at most.
	Coalesced      uint64 `json:"coalesced"`
	EarlyRefreshes uint64 `json:"early_refreshes"`
	StampedePeak   int    `json:"stampede_peak"`
	// WriteBack is what the buffer did, nil with other strategies.
	WriteBack *BufferResult `json:"write_back"`
	// ReadTime and WriteTime are how long requests took here.
	ReadTime  *figures.Spread `json:"read_time"`
	WriteTime *figures.Spread `json:"write_time"`
	// Capacity is what the model of the server's capacity reports, nil without one.
	Capacity *capacity.Result `json:"capacity"`
}

// BufferResult is what the buffer of write-back did.
type BufferResult struct {
	// Combined counts writes that replaced one of the same key that was still in the buffer.
	Combined uint64 `json:"combined"`
	// Flushes by interval and by batch; EvictionWrites counts keys that were written because the buffer was full.
	IntervalFlushes uint64 `json:"interval_flushes"`
	BatchFlushes    uint64 `json:"batch_flushes"`
	EvictionWrites  uint64 `json:"eviction_writes"`
	// DirtyMax is how many keys the buffer held at most, Dirty how many are left at the end of the run.
	DirtyMax int `json:"dirty_max"`
	Dirty    int `json:"dirty"`
	// LostWrites counts acknowledged writes that were in the buffer in a crash of the host and had not reached the store, LostKeys the
	// keys that they were of. UncertainWrites are those of them that were on their way: the store may have them.
	LostWrites      uint64 `json:"lost_writes"`
	LostKeys        uint64 `json:"lost_keys"`
	UncertainWrites uint64 `json:"uncertain_writes"`
}

// Result implements services.Runner.
func (s *server) Result() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.result
	r.HitRatio = figures.Share(r.Hits, r.Hits+r.Misses)
	r.ReadTime, r.WriteTime = s.reads.Spread(), s.writes.Spread()
	if s.config.Strategy == WriteBack {
		b := s.buffered
		b.Dirty = len(s.dirty)
		r.WriteBack = &b
	}
	if s.cores != nil {
		r.Capacity = s.cores.Result()
	}
	return &r
}
