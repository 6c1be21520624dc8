package netem

import (
	"encoding/json"
	"strings"

	"netlab/units"
)

// DropReason says why a link did not deliver a frame.
type DropReason uint8

// The reasons for drops.
const (
	notDropped DropReason = iota
	DropLoss
	DropQueueFull
	DropLinkDown
	DropPartition
	DropTooBig
	DropRule     // a packet rule
	DropRED      // random early detection
	DropCoDel    // CoDel's control law
	DropPIE      // PIE's drop probability
	DropNodeDown // the node at the far end is down
	dropReasons
)

// dropWords holds, for each reason, its name in results and the words for comments.
var dropWords = [dropReasons][2]string{
	DropLoss:      {"loss", "random loss"},
	DropQueueFull: {"queue_full", "queue full"},
	DropLinkDown:  {"link_down", "link down"},
	DropPartition: {"partition", "partition"},
	DropTooBig:    {"too_big", "larger than the MTU"},
	DropRule:      {"rule", "packet rule"},
	DropRED:       {"red", "random early detection"},
	DropCoDel:     {"codel", "CoDel"},
	DropPIE:       {"pie", "PIE"},
	DropNodeDown:  {"node_down", "node down"},
}

// String returns the reason as it is called in results.
func (r DropReason) String() string { return dropWords[r][0] }

func (r DropReason) words() string { return dropWords[r][1] }

// Count is a number of frames and the bytes in them, Ethernet headers included.
type Count struct {
	Frames uint64      `json:"frames"`
	Bytes  units.Bytes `json:"bytes"`
}

func (c *Count) add(f *Frame) {
	c.Frames++
	c.Bytes += units.Bytes(len(f.Data))
}

// Drops counts dropped frames by reason.
type Drops [dropReasons]uint64

// Total is the number of all of them.
func (d Drops) Total() uint64 {
	var sum uint64
	for _, n := range d {
		sum += n
	}
	return sum
}

// Map returns the counts by name of the reason, zeros included.
func (d Drops) Map() map[string]uint64 {
	m := make(map[string]uint64, len(d))
	for r := notDropped + 1; r < dropReasons; r++ {
		m[r.String()] = d[r]
	}
	return m
}

// Marks returns the counts of those reasons for which queues mark frames in place of dropping them.
func (d Drops) Marks() map[string]uint64 {
	return map[string]uint64{DropRED.String(): d[DropRED], DropCoDel.String(): d[DropCoDel], DropPIE.String(): d[DropPIE]}
}

// MarshalJSON writes the counts by name.
func (d Drops) MarshalJSON() ([]byte, error) { return json.Marshal(d.Map()) }

// String lists the reasons that occurred.
func (d Drops) String() string {
	var b strings.Builder
	for r := notDropped + 1; r < dropReasons; r++ {
		if d[r] > 0 {
			if b.Len() > 0 {
				b.WriteString(", ")
			}
			b.WriteString(r.words())
		}
	}
	return b.String()
}

// LinkStats are the counters of one direction of a link. At any time Sent + Duplicated = Delivered + Dropped + what is queued or
// on its way.
type LinkStats struct {
	Sent      Count
	Delivered Count
	Dropped   Drops
	// Duplicated are the frames that the node did not send: copies that the wire or a rule made, and what a rule forged.
	Duplicated Count
	// Corrupted, Truncated, Reordered and Marked are the frames to which that happened. Marked is by what marked them.
	Corrupted, Truncated, Reordered uint64
	Marked                          Drops
}

// InFlight is the number of frames that are queued or on their way.
func (s *LinkStats) InFlight() uint64 {
	return s.Sent.Frames + s.Duplicated.Frames - s.Delivered.Frames - s.Dropped.Total()
}
