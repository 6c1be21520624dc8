package netem

import "time"

// queueOutlet is the direction as its queue sees it: it implements outlet.
type queueOutlet direction

func (o *queueOutlet) drop(at time.Duration, f *Frame, reason DropReason) {
	d := (*direction)(o)
	if d.history == nil {
		d.history = newQueueHistory(at)
	}
	d.history.bucket(at).dropped++
	d.drop(at, f, reason, "")
}

func (o *queueOutlet) mark(at time.Duration, f *Frame, reason DropReason) bool {
	d := (*direction)(o)
	before := congestion(f)
	if before == notECT {
		return false
	}
	if before != congestionExperienced {
		setCongestionExperienced(f)
		if d.link.net.tap != nil {
			f.ruled = join(f.ruled, "marked CE by "+reason.marker()+" on "+d.link.id)
		}
	}
	d.stats.Marked[reason]++
	if d.history == nil {
		d.history = newQueueHistory(at)
	}
	d.history.bucket(at).marked++
	return true
}

func (o *queueOutlet) idle(at time.Duration) (since time.Duration, ok bool) {
	return o.freeAt, at >= o.freeAt && !o.waiting && o.next == nil
}

// marker is what marks packets for a reason, as a comment calls it.
func (r DropReason) marker() string {
	if r == DropRED {
		return "RED"
	}
	return r.words()
}
