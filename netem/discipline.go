package netem

import (
	"fmt"
	"time"

	"netlab/units"
)

// Discipline is how a queue is managed.
type Discipline string

// The disciplines. The zero value means DropTail.
const (
	DropTail Discipline = "drop-tail" // first in, first out; what doesn't fit is dropped
	RED      Discipline = "red"       // random early detection (Floyd and Jacobson 1993)
	CoDel    Discipline = "codel"     // controlled delay (RFC 8289)
	FQCoDel  Discipline = "fq-codel"  // a CoDel queue for each flow (RFC 8290)
	PIE      Discipline = "pie"       // proportional integral controller enhanced (RFC 8033)
	Priority Discipline = "priority"  // strict priority by DSCP
)

// Queue is the queue in front of a transmitter. The zero value is a drop-tail queue without limit. Values that a discipline
// doesn't have must be zero; zero means the default that is given.
type Queue struct {
	Discipline Discipline
	// Limit is how much it holds, without the frame that is being sent.
	Limit units.QueueLimit
	// ECN makes RED, CoDel, FQ-CoDel and PIE mark packets that allow it (RFC 3168) in place of dropping them.
	ECN bool

	// Target is the acceptable sojourn time of CoDel and FQ-CoDel (5ms) and the reference delay of PIE (15ms); Interval is that
	// of CoDel (100ms), and PIE's time between updates of its drop probability (15ms).
	Target, Interval time.Duration
	// Burst is for how long PIE lets a burst pass (150ms).
	Burst time.Duration
	// Flows is the number of FQ-CoDel's queues (1024), Quantum what each may send in a round (1514 bytes).
	Flows   int
	Quantum units.Bytes

	// RED's thresholds for the average length in bytes, the probability at the upper one (0.1), and the weight of a new
	// length in the average (0.002). Gentle lets the probability rise from there to 1 at twice the upper threshold (Floyd 2000).
	MinThreshold, MaxThreshold units.Bytes
	MaxProbability             units.Probability
	Weight                     float64
	Gentle                     bool

	// Bands has the band of each DSCP, from 0, which goes first. A zero table with BandCount 0 means the default of three.
	Bands     [64]uint8
	BandCount int
}

// String describes the queue in the words of the file.
func (q Queue) String() string {
	limit := "unlimited"
	if q.Limit != Unlimited {
		limit = q.Limit.String()
	}
	if q.Discipline == "" || q.Discipline == DropTail {
		return limit
	}
	text := fmt.Sprintf("%s of %s", q.Discipline, limit)
	if q.ECN {
		text += " with ECN"
	}
	return text
}

// discipline is a queue. Each kind lives in a file of its own; newDiscipline lists them. The engine's loop alone calls it.
type discipline interface {
	// enqueue takes a frame. What it can't keep, that frame or another, it hands to the outlet's drop.
	enqueue(at time.Duration, f *Frame)
	// dequeue removes the frame that is to be sent next, or returns nil. It may hand others to the outlet's drop.
	dequeue(at time.Duration) *Frame
	// empty removes any frame, oldest first where there is such an order, or returns nil: the queue is replaced or its link is down.
	empty() *Frame
	// len and size are the frames and the bytes that wait.
	len() int
	size() int
}

// outlet is where a queue's decisions go: the direction of a link that it belongs to.
type outlet interface {
	// drop takes a frame that the queue gives up.
	drop(at time.Duration, f *Frame, reason DropReason)
	// mark sets Congestion Experienced in a frame if it allows that, counts it, and says whether it did.
	mark(f *Frame, reason DropReason) bool
}

// newDiscipline makes the queue that q describes. s has the random streams of the direction.
func newDiscipline(q *Queue, out outlet, s *streams) discipline {
	return &dropTail{limit: q.Limit, out: out}
}
