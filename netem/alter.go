package netem

import (
	"fmt"
	"strings"
	"time"
)

// alter puts a frame on the wire of which impairments want more than a latency: the sender's capture shows it as it was sent, the
// receiver's what became of it, both with a comment.
func (d *direction) alter(at time.Duration, f *Frame, v *verdict) {
	var sent, notes []string
	add := func(words string) {
		if words != "" {
			notes = append(notes, words)
		}
	}
	if v.copies > 0 {
		sent = append(sent, fmt.Sprintf("sent %d times by %s", v.copies+1, d.link.id))
	}
	if v.damage != nil || v.cut != nil {
		original := f
		f = original.Clone()
		f.Damaged = true
		if v.damage != nil {
			add(v.damage.alter(f))
			d.stats.Corrupted++
		}
		if v.cut != nil {
			add(v.cut.alter(f))
			d.stats.Truncated++
		}
		sent = append(sent, notes...)
		defer original.Release()
		d.tapAltered(at, original, sent, v)
	} else {
		d.tapAltered(at, f, sent, v)
	}
	var copies []*Frame
	for i := range v.copies {
		c := f.Clone()
		c.note = strings.Join(append(notes[:len(notes):len(notes)], fmt.Sprintf("duplicate %d of %d on %s", i+2, v.copies+1, d.link.id)), "; ")
		copies = append(copies, c)
		d.stats.Duplicated.add(c)
		d.link.net.inFlight++
	}
	f.note = strings.Join(notes, "; ")
	if v.late > 0 {
		d.stats.Reordered++
		d.hold(f, v)
	} else {
		d.land(f, v.latency)
	}
	for _, c := range copies {
		d.land(c, v.latency)
	}
}

func (d *direction) tapAltered(at time.Duration, f *Frame, sent []string, v *verdict) {
	if v.late > 0 {
		sent = append(sent, fmt.Sprintf("held back for %d frames by %s", v.late, d.link.id))
	}
	if f.note != "" {
		sent = append(sent, f.note)
	}
	d.tap(at, f, strings.Join(sent, "; "))
}

// lateFrame is a frame that arrives behind others that are sent after it.
type lateFrame struct {
	frame *Frame
	left  int // how many more have to be sent
	timer *Timer
}

// hold keeps a frame back until as many others as v says have been sent, or the time for that is over.
func (d *direction) hold(f *Frame, v *verdict) {
	n := d.link.net
	f.note = strings.TrimPrefix(f.note+fmt.Sprintf("; held back on %s", d.link.id), "; ")
	until := d.freeAt + v.latency + d.params.Reorder.hold()
	t := n.NewTimer(d.to.owner, KindTransmit, func() {
		for i := range d.late {
			if d.late[i].frame == f {
				d.late = append(d.late[:i], d.late[i+1:]...)
				n.schedule(until, d.arriveKey, (*receiver)(d), f)
				return
			}
		}
	})
	t.inert = true
	t.ResetAt(until)
	d.late = append(d.late, lateFrame{f, v.late, t})
}

// passed counts a frame that was sent past those that are held back; the ones for which it was the last arrive right behind it.
func (d *direction) passed(arrive time.Duration) {
	kept := d.late[:0]
	for _, l := range d.late {
		l.left--
		if l.left > 0 {
			kept = append(kept, l)
			continue
		}
		l.timer.Stop()
		d.link.net.schedule(arrive, d.arriveKey, (*receiver)(d), l.frame)
	}
	clear(d.late[len(kept):])
	d.late = kept
}
