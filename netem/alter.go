package netem

import (
	"fmt"
	"time"
)

// alteration changes the content of a frame.
type alteration interface {
	// words says what alter is going to do.
	words(f *Frame) string
	alter(f *Frame)
}

// alter puts a frame on the wire of which impairments want more than a latency. The sender's capture shows it as it was sent, the
// receiver's what became of it, both with a comment.
func (d *direction) alter(at time.Duration, f *Frame, v *verdict) {
	tapped := d.link.net.tap != nil
	var words string
	if tapped {
		words = d.words(f, v)
		if v.twice {
			d.tap(at, f, join(words, "duplicated on "+d.link.id))
		} else {
			d.tap(at, f, words)
		}
	}
	f.note = words
	if v.damage != nil {
		v.damage.alter(f)
		f.Damaged = true
		d.stats.Corrupted++
	}
	if v.cut != nil {
		v.cut.alter(f)
		f.Damaged = true
		d.stats.Truncated++
	}
	if v.late > 0 {
		d.stats.Reordered++
	}
	var again *Frame
	if v.twice {
		again = f.Clone()
		d.stats.Duplicated.add(again)
		d.link.net.inFlight++
		if tapped {
			f.note = join(words, "duplicate 1 of 2 on "+d.link.id)
			again.note = join(words, "duplicate 2 of 2 on "+d.link.id)
		}
	}
	if v.late > 0 {
		d.hold(f, v)
		if again != nil {
			d.hold(again, v)
		}
		return
	}
	arrive := d.land(f, v.latency)
	if again != nil {
		d.land(again, v.latency)
	}
	d.passed(arrive)
}

// words says what the wire does to a frame, but for copying it.
func (d *direction) words(f *Frame, v *verdict) (words string) {
	if v.damage != nil {
		words = v.damage.words(f) + " on " + d.link.id
	}
	if v.cut != nil {
		words = join(words, v.cut.words(f)+" on "+d.link.id)
	}
	if v.late > 0 {
		words = join(words, fmt.Sprintf("reordered by %d on %s", v.late, d.link.id))
	}
	return words
}
