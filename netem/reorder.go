package netem

import (
	"fmt"
	"math/rand/v2"
	"time"

	"netlab/units"
)

// Reorder is how a wire changes the order of frames: the chosen ones are late. Of all frames every Gap-th is chosen with the probability.
//
// A late frame waits until Depth frames that were sent later arrive, and arrives right behind the last of them. If fewer arrive within
// Hold after it would have arrived in its place, it comes then. Lost frames, copies, and frames that are late themselves are not
// counted; so exactly Depth later frames are before it, and where no other late frame is among these its reordering
// extent is Depth (RFC 4737, section 4.2.1). With Overtaking, more may be before it. When all frames are late, none is there for
// others to be behind, and all come Hold later in their order. A late frame is in flight: it arrives also if the link goes down
// or gets other parameters meanwhile.
//
// Linux's netem reorders the other way round: it sends the chosen frames at once and delays the others, so that how far they
// get depends on the latency and on the traffic.
type Reorder struct {
	Probability units.Probability
	Gap         int           // 0 means 1: any frame may be chosen
	Depth       int           // 0 means 1
	Hold        time.Duration // 0 means DefaultHold
}

// DefaultHold is how long a reordered frame waits at most for later ones.
const DefaultHold = 100 * time.Millisecond

func (r *Reorder) validate() error {
	switch {
	case !share(r.Probability):
		return wrongShare("reorder", r.Probability)
	case r.Gap < 0:
		return fmt.Errorf("reorder gap %d: want 1 or more", r.Gap)
	case r.Depth < 0:
		return fmt.Errorf("reorder depth %d: want 1 or more", r.Depth)
	case r.Hold < 0:
		return fmt.Errorf("reorder hold %v: want more than 0s", units.Duration(r.Hold))
	}
	return nil
}

// String writes it for a log.
func (r Reorder) String() string {
	return fmt.Sprintf("%s gap %d depth %d hold %v", r.Probability, max(r.Gap, 1), max(r.Depth, 1), units.Duration(r.hold()))
}

func (r *Reorder) hold() time.Duration {
	if r.Hold == 0 {
		return DefaultHold
	}
	return r.Hold
}

// reordering chooses the late frames.
type reordering struct {
	Reorder
	count  int // frames since the last Gap-th one
	random *rand.Rand
}

func (r *reordering) apply(v *verdict) {
	chosen := r.random.Float64() < r.Probability.Float()
	if r.count++; r.count < r.Gap {
		return
	}
	r.count = 0
	if chosen {
		v.late = max(r.Depth, 1)
	}
}

// lateFrame is a frame that arrives behind others that are sent after it.
type lateFrame struct {
	frame *Frame
	left  int           // how many more have to pass it
	after time.Duration // when the last of those that passed it arrives, or when it would have arrived if nobody has
	until time.Duration // when it arrives at the latest
}

// hold keeps a frame back until as many others as v says have passed it, or the time for that is over.
func (d *direction) hold(f *Frame, v *verdict) {
	place := d.arrival(v.latency)
	until := later(place, d.params.Reorder.hold())
	d.late = append(d.late, lateFrame{f, v.late, place, until})
	if len(d.late) == 1 || until < d.lateDue {
		d.setLateClock(until)
	}
}

// passed counts a frame that arrives at a time past those that are held back.
func (d *direction) passed(arrive time.Duration) {
	if len(d.late) == 0 {
		return
	}
	d.releaseLate(func(l *lateFrame) bool {
		if arrive > l.until {
			return false // it comes too late to count
		}
		l.after = max(l.after, arrive)
		l.left--
		return l.left == 0
	})
}

// lateNow delivers the held frames whose time is over.
func (d *direction) lateNow() {
	d.releaseLate(func(l *lateFrame) bool {
		if l.until > d.lateDue {
			return false
		}
		l.after = l.until
		if l.frame.note != "" {
			l.frame.note = join(l.frame.note, "fewer came in time")
		}
		return true
	})
}

// releaseLate delivers the held frames for which ready holds, in the order in which they were sent.
func (d *direction) releaseLate(ready func(l *lateFrame) bool) {
	kept := d.late[:0]
	for i := range d.late {
		if l := d.late[i]; ready(&l) {
			d.link.net.schedule(l.after, d.arriveKey, (*receiver)(d), l.frame)
		} else {
			kept = append(kept, l)
		}
	}
	if len(kept) == len(d.late) {
		return
	}
	clear(d.late[len(kept):])
	d.late = kept
	if len(kept) == 0 {
		d.lateClock.Stop()
		return
	}
	due := maxTime
	for i := range kept {
		due = min(due, kept[i].until)
	}
	d.setLateClock(due)
}

// setLateClock has lateNow called at a time.
func (d *direction) setLateClock(at time.Duration) {
	if d.lateClock == nil {
		d.lateClock = d.link.net.NewTimer(d.from.owner, KindTransmit, d.lateNow)
		d.lateClock.inert = true
	}
	d.lateDue = at
	d.lateClock.ResetAt(at)
}
