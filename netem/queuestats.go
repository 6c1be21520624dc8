package netem

import (
	"time"

	"netlab/units"
)

// QueueStats tell how the queue of one direction of a link fared: how long it was and how long frames waited in it. How many frames it
// dropped and marked in all is in [LinkStats], by reason.
type QueueStats struct {
	// MaxBytes and MaxPackets are the most that waited at a time, without the frame that is being sent; MeanBytes and MeanPackets
	// are averages over the time since the run began.
	MaxBytes    units.Bytes `json:"max_bytes"`
	MaxPackets  int         `json:"max_packets"`
	MeanBytes   float64     `json:"mean_bytes"`
	MeanPackets float64     `json:"mean_packets"`
	// Sojourn is how long the frames waited that did wait and were then sent.
	Sojourn SojournStats `json:"sojourn"`
	// Start is when the first of the buckets begins, Width how long each lasts. The last one may not be over.
	Start   time.Duration `json:"start_ns"`
	Width   time.Duration `json:"width_ns"`
	Buckets []QueueBucket `json:"buckets"`
}

// SojournStats are the sojourn times of frames in a queue. All are 0 if none has waited and was sent.
type SojournStats struct {
	Count uint64        `json:"count"`
	Avg   time.Duration `json:"avg_ns"`
	// P50, P95 and P99 are percentiles by nearest rank, good to 1.6 %.
	P50 time.Duration `json:"p50_ns"`
	P95 time.Duration `json:"p95_ns"`
	P99 time.Duration `json:"p99_ns"`
	Max time.Duration `json:"max_ns"`
}

// QueueBucket tells how a queue fared in a part of the run.
type QueueBucket struct {
	// MaxBytes and MaxPackets are the most that waited at a time.
	MaxBytes   units.Bytes `json:"max_bytes"`
	MaxPackets int         `json:"max_packets"`
	// Sent is how many frames left the queue that had waited, and AvgSojourn and MaxSojourn how long.
	Sent       uint64        `json:"sent"`
	AvgSojourn time.Duration `json:"avg_sojourn_ns"`
	MaxSojourn time.Duration `json:"max_sojourn_ns"`
	// Dropped and Marked are the frames that the queue dropped, because it was full or by its discipline, and marked.
	Dropped uint64 `json:"dropped"`
	Marked  uint64 `json:"marked"`
}

// QueueStats returns what is known of a direction's queue, or nil as long as no frame has waited in it and it has dropped and marked
// none. A frame that is sent at once doesn't wait, nor does one that the shaper keeps because its turn has come. Only the
// engine's loop may call it.
func (l *Link) QueueStats(direction int) *QueueStats {
	h := l.dirs[direction].history
	if h == nil {
		return nil
	}
	return h.stats(l.net.Elapsed())
}

// Waiting returns how many frames wait in a direction's queue, and how many bytes. Only the engine's loop may call it.
func (l *Link) Waiting(direction int) (frames int, bytes units.Bytes) {
	q := l.dirs[direction].queue
	return q.len(), units.Bytes(q.size())
}

// waited counts a frame that leaves the queue after it has waited there.
func (d *direction) waited(at time.Duration, f *Frame) {
	if d.history == nil {
		d.history = newQueueHistory(at)
	}
	d.history.sojourn(at, at-f.queued)
}

// measure takes down how long the queue is now.
func (d *direction) measure(at time.Duration) {
	n := d.queue.len()
	if d.history == nil {
		if n == 0 {
			return
		}
		d.history = newQueueHistory(at)
	}
	d.history.length(at, d.queue.size(), n)
}

// The buckets of a queue's history: as many as there are at most, and how long each lasts at first.
const (
	maxQueueBuckets  = 128
	firstBucketWidth = 10 * time.Millisecond
)

// queueHistory is what is taken down of a queue from when a frame first waits.
type queueHistory struct {
	maxBytes, maxPackets int
	bytes, packets       int           // of now
	since                time.Duration // when that was last counted in the areas
	byteTime, packetTime area
	sojourns             sojourns

	start, width time.Duration
	buckets      []queueBucket // those in which something happened, in order
}

// queueBucket is a [QueueBucket] that is being filled.
type queueBucket struct {
	number               int // from 0, at the start
	maxBytes, maxPackets int
	sent                 uint64
	total, max           time.Duration // of sojourn times
	dropped, marked      uint64
}

func newQueueHistory(at time.Duration) *queueHistory {
	start := at - at%firstBucketWidth
	return &queueHistory{since: at, start: start, width: firstBucketWidth}
}

// length says how long the queue is from now on.
func (h *queueHistory) length(at time.Duration, bytes, packets int) {
	h.integrate(at)
	b := h.bucket(at)
	h.bytes, h.packets = bytes, packets
	h.maxBytes, h.maxPackets = max(h.maxBytes, bytes), max(h.maxPackets, packets)
	b.maxBytes, b.maxPackets = max(b.maxBytes, bytes), max(b.maxPackets, packets)
}

// integrate counts the length until a time. In real time events may be late, and ask for a time before that of somebody who has
// read the clock.
func (h *queueHistory) integrate(at time.Duration) {
	if at <= h.since {
		return
	}
	if h.packets > 0 {
		h.byteTime.add(h.bytes, at-h.since)
		h.packetTime.add(h.packets, at-h.since)
	}
	h.since = at
}

// sojourn counts a frame that waited.
func (h *queueHistory) sojourn(at, waited time.Duration) {
	h.sojourns.add(waited)
	b := h.bucket(at)
	b.sent++
	b.total += waited
	b.max = max(b.max, waited)
}

// bucket returns the bucket of now. When they have run out, it first makes one of each two.
func (h *queueHistory) bucket(at time.Duration) *queueBucket {
	for h.number(at) >= maxQueueBuckets {
		h.halve()
	}
	n := h.number(at)
	if last := len(h.buckets) - 1; last >= 0 && h.buckets[last].number >= n {
		return &h.buckets[last] // in real time somebody may ask for a time before that of others
	}
	if last := len(h.buckets) - 1; h.packets > 0 && last >= 0 {
		// What waits has waited all the time since.
		for i := h.buckets[last].number + 1; i < n; i++ {
			h.buckets = append(h.buckets, queueBucket{number: i, maxBytes: h.bytes, maxPackets: h.packets})
		}
	}
	h.buckets = append(h.buckets, queueBucket{number: n, maxBytes: h.bytes, maxPackets: h.packets})
	return &h.buckets[len(h.buckets)-1]
}

// number is that of the bucket of a time.
func (h *queueHistory) number(at time.Duration) int { return int((at - h.start) / h.width) }

// halve makes one bucket of each two.
func (h *queueHistory) halve() {
	h.width *= 2
	kept := h.buckets[:0]
	for _, b := range h.buckets {
		b.number /= 2
		if last := len(kept) - 1; last >= 0 && kept[last].number == b.number {
			kept[last] = kept[last].with(&b)
		} else {
			kept = append(kept, b)
		}
	}
	h.buckets = kept
}

// with returns both buckets as one, in the place of the first.
func (b queueBucket) with(c *queueBucket) queueBucket {
	return queueBucket{
		number:   b.number,
		maxBytes: max(b.maxBytes, c.maxBytes), maxPackets: max(b.maxPackets, c.maxPackets),
		sent: b.sent + c.sent, total: b.total + c.total, max: max(b.max, c.max),
		dropped: b.dropped + c.dropped, marked: b.marked + c.marked,
	}
}

// stats returns what is known at a time.
func (h *queueHistory) stats(at time.Duration) *QueueStats {
	h.integrate(at)
	last := h.bucket(at).number
	s := &QueueStats{
		MaxBytes: units.Bytes(h.maxBytes), MaxPackets: h.maxPackets, MeanBytes: h.byteTime.over(at), MeanPackets: h.packetTime.over(at),
		Sojourn: h.sojourns.stats(), Start: h.start, Width: h.width, Buckets: make([]QueueBucket, last+1),
	}
	for _, b := range h.buckets {
		out := QueueBucket{MaxBytes: units.Bytes(b.maxBytes), MaxPackets: b.maxPackets, Sent: b.sent, MaxSojourn: b.max, Dropped: b.dropped, Marked: b.marked}
		if b.sent > 0 {
			out.AvgSojourn = b.total / time.Duration(b.sent)
		}
		s.Buckets[b.number] = out
	}
	return s
}
