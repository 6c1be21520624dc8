package netem

import (
	"fmt"
	"strings"
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
	// Limit is how much it holds, without the frame that is being sent; zero means any amount, whatever the discipline. Each band
	// of a priority queue holds that much.
	Limit units.QueueLimit
	// ECN makes RED, CoDel, FQ-CoDel and PIE mark packets that allow it (RFC 3168) in place of dropping them. The TCP of
	// netlab's hosts doesn't negotiate ECN and doesn't react to marks.
	ECN bool

	// Target is the acceptable sojourn time of CoDel and FQ-CoDel (5ms) and the reference delay of PIE (15ms); Interval is that
	// of CoDel (100ms), which must be more than the target, and PIE's time between updates of its drop probability (15ms, at
	// least 10us). Both are at most an hour.
	Target, Interval time.Duration
	// Burst is for how long PIE lets a burst pass (150ms), at most an hour.
	Burst time.Duration
	// Flows is the number of FQ-CoDel's queues (1024), 1 to 65536; Quantum is what each may send in a round in bytes (1514), 256B
	// to 1MiB.
	Flows   int
	Quantum units.Bytes

	// RED's thresholds for the average length in bytes (a third of the upper one, and a quarter of the limit), the
	// probability at the upper one (0.1), and the weight of a new length in the average (0.002). Gentle lets the probability rise
	// from there to 1 at twice the upper threshold (Floyd 2000).
	MinThreshold, MaxThreshold units.Bytes
	MaxProbability             units.Probability
	Weight                     float64
	Gentle                     bool

	// Bands has the band of each DSCP, from 0, which goes first, to BandCount-1; BandCount is 1 to 64. A zero table with
	// BandCount 0 means three: see [DefaultBands].
	Bands     [64]uint8
	BandCount int
}

// String describes the queue, with the values that are given.
func (q Queue) String() string {
	limit := "unlimited"
	if q.Limit != Unlimited {
		limit = q.Limit.String()
	}
	if q.kind() == DropTail {
		return limit
	}
	var given []string
	for _, v := range q.values() {
		if v.given {
			given = append(given, strings.TrimSpace(v.key+" "+v.text()))
		}
	}
	text := fmt.Sprintf("%s of %s", q.Discipline, limit)
	if len(given) > 0 {
		text += " (" + strings.Join(given, ", ") + ")"
	}
	return text
}

// discipline is a queue. Each kind lives in a file of its own; newDiscipline lists them. The engine's loop alone calls it.
type discipline interface {
	// enqueue takes a frame. What it can't keep, that frame or another, it hands to the outlet's drop.
	enqueue(at time.Duration, f *Frame)
	// dequeue removes the frame that is to be sent next, or returns nil if none waits. It may hand others to the outlet's drop.
	dequeue(at time.Duration) *Frame
	// empty removes the frame that has waited longest, or returns nil: the queue is replaced or its link is down.
	empty(at time.Duration) *Frame
	// tune takes other parameters and keeps what waits, even if that is more than the limit. It returns false, and has done
	// nothing, if what waits has to be put into a new queue.
	tune(at time.Duration, p *Params) bool
	// len and size are the frames and the bytes that wait.
	len() int
	size() int
}

// outlet is the direction of a link as its queue sees it.
type outlet interface {
	// drop takes a frame that the queue gives up.
	drop(at time.Duration, f *Frame, reason DropReason)
	// mark sets Congestion Experienced in a frame if it allows that, counts it, and says whether it did.
	mark(at time.Duration, f *Frame, reason DropReason) bool
	// idle says whether the transmitter has nothing to do, and since when.
	idle(at time.Duration) (since time.Duration, ok bool)
}

// newDiscipline makes the queue that p.Queue describes, whose defaults are filled in. s has the random streams of the direction.
func newDiscipline(at time.Duration, p *Params, out outlet, s *streams) discipline {
	switch p.Queue.kind() {
	case RED:
		return newRED(p, out, s.get("red"))
	case CoDel:
		return newCoDel(p, out)
	case FQCoDel:
		return newFQCoDel(p, out, s.get("fq-codel"))
	case PIE:
		return newPIE(at, p, out, s.get("pie"))
	case Priority:
		return newPriority(p, out)
	default:
		return &dropTail{limit: p.Queue.Limit, out: out}
	}
}

// seesAll says whether the discipline wants to see each frame, also one that finds the transmitter idle. The others are
// left as they are by a frame that doesn't wait.
func (d Discipline) seesAll() bool { return d == RED || d == FQCoDel || d == PIE }
