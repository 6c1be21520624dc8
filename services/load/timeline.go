package load

import (
	"sync"
	"time"

	"netlab/services/figures"
	"netlab/units"
)

// maxBuckets is how many parts a timeline has at most.
const maxBuckets = 300

// widths are the widths of a timeline's parts, each a multiple of the one before. From the last one on they double.
var widths = []time.Duration{100 * time.Millisecond, time.Second, 2 * time.Second, 10 * time.Second, time.Minute,
	2 * time.Minute, 10 * time.Minute, time.Hour, 2 * time.Hour, 12 * time.Hour, 24 * time.Hour}

// timeline counts over time, in parts of equal width. They get wider as the run goes on, so that there are never many.
type timeline struct {
	level   int // of the width
	buckets []bucket
}

// bucket is a part of a timeline.
type bucket struct {
	started, succeeded, failed, bytes uint64
	inFlight                          uint64
	latency                           *figures.Histogram // of requests that succeeded; nil when there are none
}

// width is that of the parts.
func (t *timeline) width() time.Duration {
	if t.level < len(widths) {
		return widths[t.level]
	}
	return widths[len(widths)-1] << (t.level - len(widths) + 1)
}

// at returns the part for a time. Parts in between, in which nothing happened, had so many requests in flight.
func (t *timeline) at(since time.Duration, inFlight uint64) *bucket {
	for since/t.width() >= maxBuckets {
		t.widen()
	}
	i := int(since / t.width())
	for len(t.buckets) <= i {
		t.buckets = append(t.buckets, bucket{inFlight: inFlight})
	}
	return &t.buckets[i]
}

// widen makes the parts wider.
func (t *timeline) widen() {
	old := t.width()
	t.level++
	n := int(t.width() / old)
	var wide []bucket
	for i := range t.buckets {
		if i%n == 0 {
			wide = append(wide, bucket{})
		}
		wide[len(wide)-1].merge(&t.buckets[i])
	}
	t.buckets = wide
}

func (b *bucket) merge(o *bucket) {
	b.started += o.started
	b.succeeded += o.succeeded
	b.failed += o.failed
	b.bytes += o.bytes
	b.inFlight = max(b.inFlight, o.inFlight)
	switch {
	case o.latency == nil:
	case b.latency == nil:
		b.latency = o.latency
	default:
		b.latency.Merge(o.latency)
	}
}

func (b *bucket) begin(inFlight uint64) {
	b.started++
	b.inFlight = max(b.inFlight, inFlight)
}

func (b *bucket) finish(latency time.Duration, o *Outcome) {
	b.bytes += uint64(o.Bytes)
	if !o.OK() {
		b.failed++
		return
	}
	b.succeeded++
	if b.latency == nil {
		b.latency = figures.NewCoarse()
	}
	b.latency.Add(latency)
}

// Second is what happened in a part of the run, one second long or as long as Result.Bucket says.
type Second struct {
	// T is when it begins, from the start of the workload.
	T units.Duration `json:"t_ns"`
	// Started counts requests that were due in it, the others those that were over in it. Requests of the warm-up are counted too.
	Started   uint64      `json:"started"`
	Succeeded uint64      `json:"succeeded"`
	Failed    uint64      `json:"failed"`
	Bytes     units.Bytes `json:"bytes"`
	// InFlight is the most requests that were under way or waiting at a time.
	InFlight uint64 `json:"in_flight"`
	// The latencies of requests that succeeded, within 0.8 %.
	P50 *units.Duration `json:"p50_ns"`
	P99 *units.Duration `json:"p99_ns"`
	Max *units.Duration `json:"max_ns"`
}

// seconds returns the parts.
func (t *timeline) seconds() []Second {
	out := make([]Second, len(t.buckets))
	for i := range t.buckets {
		b := &t.buckets[i]
		out[i] = Second{T: units.Duration(i) * units.Duration(t.width()), Started: b.started, Succeeded: b.succeeded,
			Failed: b.failed, Bytes: units.Bytes(b.bytes), InFlight: b.inFlight}
		if b.latency != nil {
			out[i].P50 = figures.Duration(b.latency.Percentile(5000))
			out[i].P99 = figures.Duration(b.latency.Percentile(9900))
			out[i].Max = figures.Duration(b.latency.Max())
		}
	}
	return out
}

// Timeline counts something like requests over time, for workloads that make them in another way than this package's. Several
// goroutines may use it. The zero value is empty.
type Timeline struct {
	mu    sync.Mutex
	parts timeline
}

// Begin counts something that began at a time since the workload's start.
func (t *Timeline) Begin(since time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.parts.at(since, 0).begin(0)
}

// Succeed counts something that succeeded at a time since the workload's start, with its latency and size.
func (t *Timeline) Succeed(since, latency time.Duration, size units.Bytes) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.parts.at(since, 0).finish(latency, &Outcome{Bytes: int64(size)})
}

// Seconds returns the parts and how long each of them is.
func (t *Timeline) Seconds() (parts []Second, width units.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.parts.seconds(), units.Duration(t.parts.width())
}
